//! Numbers: read as people write them, written as a locale does.

use serde_json::{Number, Value};

use super::context::Refusal;
use super::locale::Locale;
use super::words::count_of;

/// The number that a text says: `1,250.50`, `1.250,50`, `5`, `-3`, `five`; currency signs and blanks around it do not
/// matter. A whole number stays whole, and 55.0 stays apart from 55.
///
/// # Errors
/// When it is not one number.
pub fn read(text: &str, locale: &Locale) -> Result<Number, Refusal> {
    let refusal = || Refusal::new("not a number");
    let text = text.trim();
    if let Some(count) = count_of(&text.to_lowercase(), locale.language()) {
        return Ok(count.into());
    }
    let bare = text.trim_matches(|c: char| c.is_whitespace() || is_currency_sign(c));
    let (negative, digits) = match bare.strip_prefix(['-', '−', '–']) {
        Some(rest) => (true, rest.trim_start_matches(|c: char| c.is_whitespace() || is_currency_sign(c))),
        None => (false, bare.strip_prefix('+').unwrap_or(bare)),
    };
    let plain = plain(digits, &locale.symbols().decimal).ok_or_else(refusal)?;
    let plain = if negative { format!("-{plain}") } else { plain };
    if !plain.contains('.')
        && let Ok(whole) = plain.parse::<i64>()
    {
        return Ok(whole.into());
    }
    plain.parse::<f64>().ok().and_then(Number::from_f64).ok_or_else(refusal)
}

/// The whole number that a text says; 5.0 is one, 5.5 is not.
///
/// # Errors
/// When it is not a whole number of at most 64 bits.
pub fn read_integer(text: &str, locale: &Locale) -> Result<i64, Refusal> {
    whole(&read(text, locale)?).ok_or_else(|| Refusal::new("not a whole number"))
}

/// The whole number that a number is.
pub fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let real = number.as_f64().filter(|real| real.fract() == 0.0 && real.abs() <= EXACT)?;
        format!("{real:.0}").parse().ok()
    })
}

pub(super) fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₽' | '₺' | '₩' | '₪' | '₴' | '₫' | '฿' | '¢')
}

/// Digits with a point, out of digits with the separators of some locale.
fn plain(text: &str, decimal: &str) -> Option<String> {
    let mut clean = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' | '.' | ',' => clean.push(c),
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '_' => clean.push(' '),
            _ => clean.push(digit(c)?),
        }
    }
    let last = clean.rfind(['.', ',']);
    let kinds = (clean.contains('.'), clean.contains(','));
    let point = match (last, kinds) {
        (None, _) => None,
        (Some(at), (true, true)) => Some(at),
        (Some(at), _) => {
            let mark = clean.get(at..=at)?;
            let grouped = groups(&clean, mark);
            match clean.matches(mark).count() {
                1 if mark == decimal || !grouped => Some(at),
                _ => None,
            }
        }
    };
    let (whole, part) = match point {
        Some(at) => (clean.get(..at)?, clean.get(at + 1..)?),
        None => (clean.as_str(), ""),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let marks: Vec<char> = whole.chars().filter(|c| !c.is_ascii_digit()).collect();
    let one_mark = marks.windows(2).all(|pair| pair.first() == pair.last());
    let separated = match marks.first() {
        None => true,
        Some(mark) => one_mark && groups(whole, &mark.to_string()),
    };
    if !separated || (point.is_some() && !digits(part)) {
        return None;
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    match (whole.is_empty(), point.is_some()) {
        (true, false) => None,
        (_, false) => Some(whole),
        (_, true) => Some(format!("{}.{part}", if whole.is_empty() { "0" } else { &whole })),
    }
}

/// Whether a mark stands where one between groups does: never first, and three digits after the last (two or three between).
fn groups(text: &str, mark: &str) -> bool {
    let parts: Vec<&str> = text.split(mark).collect();
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    (1..=3).contains(&first.len())
        && digits(first)
        && middle.iter().all(|part| (2..=3).contains(&part.len()) && digits(part))
        && last.len() == 3
        && digits(last)
}

/// A number as the locale writes it: `1,250.5`, `1.250,5`.
#[must_use]
pub fn write(number: &Number, locale: &Locale) -> String {
    localised(&canonical(number), locale)
}

/// A number with exactly so many decimals, as the locale writes it. Ties go to the even digit of the binary value, as C's
/// `printf` has it: 64.625 is 64.62.
#[must_use]
pub fn write_fixed(number: f64, decimals: usize, locale: &Locale) -> String {
    localised(&fixed(number, decimals), locale)
}

/// A number with exactly so many decimals (at most 20) and a point, as C's `printf("%.2f")` prints it.
#[must_use]
pub fn fixed(number: f64, decimals: usize) -> String {
    format!("{number:.*}", decimals.min(20))
}

fn canonical(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(real) => format!("{real:?}").parse::<f64>().map_or_else(|_| number.to_string(), |real| format!("{real}")),
        None => number.to_string(),
    }
}

/// Plain digits with a point, as the locale writes them.
pub(super) fn localised(plain: &str, locale: &Locale) -> String {
    let symbols = locale.symbols();
    let (negative, plain) = plain.strip_prefix('-').map_or((false, plain), |rest| (true, rest));
    let (whole, part) = plain.split_once('.').map_or((plain, None), |(whole, part)| (whole, Some(part)));
    if !whole.bytes().all(|b| b.is_ascii_digit()) {
        return plain.to_owned();
    }
    let mut out = String::new();
    if negative {
        out.push_str(&symbols.minus);
    }
    let grouped = symbols.primary > 0 && whole.len() >= symbols.primary + symbols.least;
    for (index, digit) in whole.bytes().enumerate() {
        let left = whole.len() - index;
        let border = left == symbols.primary
            || (left > symbols.primary && (left - symbols.primary).is_multiple_of(symbols.secondary.max(1)));
        if grouped && index > 0 && border {
            out.push_str(&symbols.group);
        }
        out.push(native(digit, &symbols.digits));
    }
    if let Some(part) = part {
        out.push_str(&symbols.decimal);
        out.extend(part.bytes().map(|digit| native(digit, &symbols.digits)));
    }
    out
}

fn native(digit: u8, digits: &[char; 10]) -> char {
    digits.get(usize::from(digit.wrapping_sub(b'0'))).copied().unwrap_or('?')
}

/// The ASCII digit that a digit of ours, of Arabic, Persian, Hindi or Bengali script, or a wide one, stands for.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 6] = [0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xFF10];
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

/// The digits of a text, and nothing else.
#[must_use]
pub fn digits(text: &str) -> String {
    text.chars().filter_map(digit).collect()
}

/// The number of a JSON value: itself, or what its text says.
///
/// # Errors
/// When it is neither a number nor the text of one.
pub fn of_json(value: &Value, locale: &Locale) -> Result<Number, Refusal> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::String(text) => read(text, locale),
        _ => Err(Refusal::new("not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_locale_writes_them() {
        let table = [
            ("$1,250.50", "1250.5", "1250.5"),
            ("1.250,50", "1250.5", "1250.5"),
            ("1,250", "1250", "1.25"),
            ("1.250", "1.25", "1250"),
            ("1.5", "1.5", "1.5"),
            ("1,5", "1.5", "1.5"),
            ("5", "5", "5"),
            ("55.0", "55.0", "55.0"),
            ("-3", "-3", "-3"),
            ("−€ 3", "-3", "-3"),
            ("1 234 567", "1234567", "1234567"),
            ("1'234.50", "1234.5", "1234.5"),
            ("1.234.567", "1234567", "1234567"),
            ("12,34,567", "1234567", "1234567"),
            (".5", "0.5", "0.5"),
            ("٣", "3", "3"),
            ("12345678901234567890", "12345678901234567000.0", "12345678901234567000.0"),
        ];
        for (given, en, de) in table {
            let read = |tag: &str| {
                read(given, &Locale::parse(tag)).map(|n| format!("{n:?}").replace("Number(", "").replace(')', ""))
            };
            let normal = |n: Result<String, Refusal>| n.unwrap();
            let same = |a: &str, b: &str| a.parse::<f64>() == b.parse::<f64>() && a.contains('.') == b.contains('.');
            assert!(same(&normal(read("en")), en) || given.len() > 18, "{given} en {:?}", read("en"));
            assert!(same(&normal(read("de")), de) || given.len() > 18, "{given} de {:?}", read("de"));
        }
        for given in [
            "",
            "-",
            "abc",
            "1.2.3",
            "1,2,3",
            "5 apples",
            "1 2",
            "1-2",
            ".",
            "1.",
            "1,25,0",
            "NaN",
            "inf",
            "1e5",
            "0x10",
            "1 250.5.0",
        ] {
            assert!(read(given, &Locale::default()).is_err(), "{given:?} {:?}", read(given, &Locale::default()));
        }
        assert_eq!(read("three", &Locale::default()).unwrap(), 3.into());
        assert_eq!(read("Zwei", &Locale::parse("de")).unwrap(), 2.into());
        assert!(read(&"9".repeat(400), &Locale::default()).is_err());
    }

    #[test]
    fn whole_numbers_are_whole() {
        let en = Locale::default();
        assert_eq!(read_integer("5.0", &en), Ok(5));
        assert_eq!(read_integer("1,000", &en), Ok(1000));
        assert!(read_integer("5.5", &en).is_err());
        assert!(read_integer("99999999999999999999", &en).is_err());
    }

    #[test]
    fn decimals_are_printf_s() {
        for (number, decimals, expected) in [
            (64.625, 2, "64.62"),
            (64.635, 2, "64.64"),
            (0.125, 2, "0.12"),
            (0.375, 2, "0.38"),
            (2.5, 0, "2"),
            (3.5, 0, "4"),
            (1.005, 2, "1.00"),
            (-0.001, 2, "-0.00"),
            (1e21, 2, "1000000000000000000000.00"),
        ] {
            assert_eq!(fixed(number, decimals), expected);
        }
    }

    #[test]
    fn numbers_are_written_as_the_locale_has_them() {
        let write = |tag: &str, number: f64| write_fixed(number, 2, &Locale::parse(tag));
        assert_eq!(write("en", 1_234_567.891), "1,234,567.89");
        assert_eq!(write("de", -1_234_567.891), "-1.234.567,89");
        assert_eq!(write("en-IN", 1_234_567.0), "12,34,567.00");
        assert_eq!(write("es", 1234.0), "1234,00");
        assert_eq!(write("fr", 1234.5), "1\u{202f}234,50");
        let plain = |json: &str| super::write(&json.parse::<Number>().unwrap(), &Locale::default());
        assert_eq!(plain("1250"), "1,250");
        assert_eq!(plain("1250.5"), "1,250.5");
        assert_eq!(plain("18446744073709551615"), "18,446,744,073,709,551,615");
        assert_eq!(plain("1e3"), "1,000");
        assert_eq!(digits("$1,250.50 (x٣)"), "1250503");
    }
}
