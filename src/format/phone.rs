//! Phone numbers: read into E.164. Whether somebody answers is not asked.

use phonenumber::{Mode, country};

use super::context::Refusal;

/// Whether `region` is a country that phone numbers can belong to, as two capitals.
#[must_use]
pub fn is_region(region: &str) -> bool {
    region.parse::<phonenumber::country::Id>().is_ok()
}

/// The number in E.164, as `+436641234567`; without a prefix it is taken as one of `region` (such as `US`).
///
/// # Errors
/// When it is not a number that its country's plan allows.
pub fn read(text: &str, region: &str) -> Result<String, Refusal> {
    let refusal = || Refusal::new("not a phone number");
    let mut digits = String::new();
    for c in text.trim().trim_start_matches("tel:").chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => digits.push(c),
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '–' | '.' | '/' | '(' | ')' => {}
            _ => return Err(refusal()),
        }
    }
    // An international number that repeats the trunk zero, as in +43 (0)664 …
    if digits.starts_with('+')
        && let Some((prefix, national)) = text.split_once("(0)")
    {
        let kept = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
        digits = format!("+{}{}", kept(prefix), kept(national));
    }
    if !(5..=18).contains(&digits.len()) {
        return Err(refusal());
    }
    let home: Option<country::Id> = region.to_uppercase().parse().ok();
    if home.is_none() && !digits.starts_with('+') {
        return Err(Refusal::new("a phone number without its country's prefix"));
    }
    let number = phonenumber::parse(home, &digits).map_err(|_| refusal())?;
    if !phonenumber::is_valid(&number) {
        return Err(refusal());
    }
    Ok(number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_international() {
        for (given, region, expected) in [
            ("(650) 253-0000", "US", Some("+16502530000")),
            ("+1 650 253 0000", "AT", Some("+16502530000")),
            ("0664 1234567", "AT", Some("+436641234567")),
            ("+43 (0)664 123 45 67", "US", Some("+436641234567")),
            ("0043 664 1234567", "AT", Some("+436641234567")),
            ("tel:+44-20-7946-0958", "US", Some("+442079460958")),
            ("020 7946 0958", "GB", Some("+442079460958")),
            ("650 253 0000", "", None),
            ("650 253 0000", "XX", None),
            ("12345", "US", None),
            ("1234567890", "US", None),
            ("call me", "US", None),
            ("+", "US", None),
            ("", "US", None),
            ("+999999999999999999999999", "US", None),
        ] {
            assert_eq!(read(given, region).ok().as_deref(), expected, "{given:?} in {region}");
        }
    }

    #[test]
    fn no_digits_of_any_country_bring_it_down() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..150 {
            let plus = if random.bool() { "+" } else { "" };
            let digits: String = (0..random.usize(1..19)).map(|_| random.digit(10)).collect();
            for region in ["US", "AT", "BR", "IT", "KZ", "GG", "AC"] {
                let _ = read(&format!("{plus}{digits}"), region);
            }
        }
    }
}
