//! PostgreSQL's `numeric` on the wire, and decimal texts: exact in both directions, without a limit that people meet.
//!
//! On the wire a number is a sign, groups of four decimal digits, the place of the first group, and how many digits after the
//! point are shown.

const NEGATIVE: u16 = 0x4000;
const MOST_DIGITS: usize = 1_000;

/// A decimal text as the bytes of a `numeric`; none when it is no number, or an endless one.
pub(super) fn encoded(text: &str) -> Option<Vec<u8>> {
    let (negative, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (whole, fraction) = shifted(whole, fraction, exponent)?;
    let mut groups = vec!['0'; (4 - whole.len() % 4) % 4];
    groups.extend(whole.chars());
    let before = groups.len() / 4;
    groups.extend(fraction.chars());
    groups.extend(vec!['0'; (4 - fraction.len() % 4) % 4]);
    let group = |four: &[char]| four.iter().filter_map(|c| c.to_digit(10)).fold(0, |number, digit| number * 10 + digit);
    let mut groups: Vec<u16> = groups.chunks(4).map(|four| u16::try_from(group(four)).unwrap_or(0)).collect();
    let mut weight = i16::try_from(before).ok()? - 1;
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i16::try_from(leading).ok()?;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let (weight, sign) = match groups.is_empty() {
        true => (0, 0),
        false => (weight, if negative { NEGATIVE } else { 0 }),
    };
    let mut bytes = Vec::with_capacity(8 + groups.len() * 2);
    bytes.extend(u16::try_from(groups.len()).ok()?.to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(u16::try_from(fraction.len()).ok()?.to_be_bytes());
    groups.iter().for_each(|group| bytes.extend(group.to_be_bytes()));
    Some(bytes)
}

/// The digits with the point moved.
fn shifted(whole: &str, fraction: &str, exponent: i32) -> Option<(String, String)> {
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if whole.len() + fraction.len() + places > MOST_DIGITS {
        return None;
    }
    let zeros = |count: usize| "0".repeat(count);
    Some(match exponent >= 0 {
        true => {
            let fraction = format!("{fraction}{}", zeros(places.saturating_sub(fraction.len())));
            let (moved, rest) = fraction.split_at_checked(places)?;
            (format!("{whole}{moved}"), rest.to_owned())
        }
        false => {
            let whole = format!("{}{whole}", zeros((places + 1).saturating_sub(whole.len())));
            let (rest, moved) = whole.split_at_checked(whole.len() - places)?;
            (rest.to_owned(), format!("{moved}{fraction}"))
        }
    })
}

/// The bytes of a `numeric` as a decimal text with all its digits; none for what is no number, such as infinity.
pub(super) fn decoded(bytes: &[u8]) -> Option<String> {
    let part = |at: usize| bytes.get(at * 2..at * 2 + 2).and_then(|two| two.try_into().ok()).map(u16::from_be_bytes);
    let (count, sign, scale) = (usize::from(part(0)?), part(2)?, usize::from(part(3)?));
    let weight = i16::from_be_bytes(part(1)?.to_be_bytes());
    if sign != 0 && sign != NEGATIVE {
        return None;
    }
    let groups = (0..count).map(|at| part(4 + at)).collect::<Option<Vec<_>>>()?;
    let group = |place: i32| {
        let at = usize::try_from(i32::from(weight) - place).ok();
        format!("{:04}", at.and_then(|at| groups.get(at)).copied().unwrap_or(0))
    };
    let whole: String = (0..=i32::from(weight).max(0)).rev().map(group).collect();
    let whole = whole.trim_start_matches('0');
    let groups_after = i32::try_from(scale.div_ceil(4)).ok()?;
    let fraction: String = (1..=groups_after).map(|place| group(-place)).collect();
    let fraction = fraction.get(..scale)?;
    let sign = if sign == NEGATIVE { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_goes_there_and_back() {
        let same =
            ["0", "1", "-1", "10000", "0.1", "-0.00001234", "19.90", "123456789012345678901234567890.123456789", "0.00"];
        for text in same {
            assert_eq!(decoded(&encoded(text).unwrap()).as_deref(), Some(text));
        }
        for (text, read) in
            [("1e3", "1000"), ("1.5e1", "15"), ("12e-4", "0.0012"), ("007", "7"), ("-0", "0"), (" 2.5 ", "2.5")]
        {
            assert_eq!(decoded(&encoded(text).unwrap()).as_deref(), Some(read), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", ".5", "1,5", "0x1", "NaN", "Infinity", "1e", "1e999999999", "1 2", "--1", "٣"] {
            assert_eq!(encoded(text), None, "{text}");
        }
        assert_eq!(decoded(&[0, 0, 0, 0, 0xC0, 0, 0, 0]), None, "NaN");
        assert_eq!(decoded(&[0, 9, 0, 0]), None, "cut off");
    }

    #[test]
    fn any_decimal_survives() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..5_000 {
            let digits = |rng: &mut fastrand::Rng, most| (0..rng.usize(1..most)).map(|_| rng.digit(10)).collect::<String>();
            let (whole, fraction) = (digits(&mut rng, 24), digits(&mut rng, 12));
            let text = format!("{}.{fraction}", whole.trim_start_matches('0'));
            let text = if text.starts_with('.') { format!("0{text}") } else { text };
            assert_eq!(decoded(&encoded(&text).unwrap()).unwrap(), text);
        }
    }
}
