//! Masks for personal data: enough left to recognise, too little to use.
//!
//! [`text`] masks what it finds in free text. It would rather mask a long number too many than leave a card; it cannot find
//! names and addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::number::digits;

/// What stands for what was left out.
const HIDDEN: char = '…';

/// An e-mail address with the first and last letter of its name: `s…h@example.com`.
#[must_use]
pub fn email(address: &str) -> String {
    let Some((name, domain)) = address.trim().rsplit_once('@') else { return HIDDEN.to_string() };
    let mut letters = name.chars();
    match (letters.next(), letters.next_back(), letters.next().is_some()) {
        (Some(first), Some(last), true) => format!("{first}{HIDDEN}{last}@{domain}"),
        (Some(first), _, _) => format!("{first}{HIDDEN}@{domain}"),
        _ => format!("{HIDDEN}@{domain}"),
    }
}

/// A phone number with its last four digits, fewer when it is short.
#[must_use]
pub fn phone(number: &str) -> String {
    ending(number, if digits(number).len() >= 9 { 4 } else { 2 })
}

/// A card number with its last four digits.
#[must_use]
pub fn card(number: &str) -> String {
    ending(number, 4)
}

/// The last digits, when there are at least twice as many.
fn ending(number: &str, count: usize) -> String {
    let digits = digits(number);
    match digits.len().checked_sub(count) {
        Some(hidden) if hidden >= count => format!("{HIDDEN}{}", digits.get(hidden..).unwrap_or_default()),
        _ => HIDDEN.to_string(),
    }
}

/// Any text with its first and last character: `s…h`.
#[must_use]
pub fn middle(text: &str) -> String {
    let mut chars = text.trim().chars();
    match (chars.next(), chars.next_back(), chars.count() >= 2) {
        (Some(first), Some(last), true) => format!("{first}{HIDDEN}{last}"),
        _ => HIDDEN.to_string(),
    }
}

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+").ok());
static IBAN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b[A-Za-z]{2}[0-9]{2}(?:[ ]?[A-Za-z0-9]){11,30}\b").ok());
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\+?\(?\b[0-9](?:[ \u{a0}()./-]{0,3}[0-9]){6,}\b").ok());
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2}))(?:[ ][0-9]{1,2})?$")
        .ok()
});

/// The text with e-mail addresses, IBANs, card and phone numbers masked.
#[must_use]
pub fn text(text: &str) -> String {
    let text = replaced(&EMAIL, text, |found| Some(email(found)));
    let text = replaced(&IBAN, &text, iban);
    replaced(&NUMBER, &text, number).into_owned()
}

fn replaced<'a>(pattern: &LazyLock<Option<Regex>>, text: &'a str, mask: impl Fn(&str) -> Option<String>) -> Cow<'a, str> {
    match LazyLock::force(pattern) {
        Some(pattern) => pattern.replace_all(text, |found: &Captures| {
            let found = found.get(0).map_or("", |found| found.as_str());
            mask(found).unwrap_or_else(|| found.to_owned())
        }),
        None => Cow::Borrowed(text),
    }
}

/// The mask of an IBAN, if the beginning of this is one (a word may follow it).
fn iban(found: &str) -> Option<String> {
    let ends = found.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
    let ends = std::iter::once(found.len()).chain(ends.collect::<Vec<_>>().into_iter().rev());
    for end in ends {
        let (head, tail) = found.split_at(end);
        let plain: String = head.chars().filter(|c| !c.is_whitespace()).collect();
        if (15..=34).contains(&plain.len()) && checks(&plain) {
            let (country, ending) = (plain.get(..2)?, plain.get(plain.len() - 4..)?);
            return Some(format!("{country}{HIDDEN}{ending}{tail}"));
        }
    }
    None
}

/// The check of ISO 7064, mod 97-10.
fn checks(iban: &str) -> bool {
    let (head, body) = iban.split_at(4);
    let sum = body.chars().chain(head.chars()).filter_map(|c| c.to_digit(36)).fold(0, |sum, digit| match digit {
        0..10 => (sum * 10 + digit) % 97,
        _ => (sum * 100 + digit) % 97,
    });
    sum == 1
}

fn number(found: &str) -> Option<String> {
    if LazyLock::force(&DATE).as_ref().is_some_and(|date| date.is_match(found)) {
        return None;
    }
    let digits = digits(found);
    let phone_like = found.starts_with(['+', '(', '0']) || found.contains([' ', '-', '/', '(']);
    match digits.len() {
        13..=19 if luhn(&digits) => Some(card(found)),
        7..=15 if phone_like => Some(phone(found)),
        10..=15 if !found.contains('.') => Some(phone(found)),
        _ => None,
    }
}

/// The check digit of card numbers.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_values() {
        assert_eq!(email("sarah@example.com"), "s…h@example.com");
        assert_eq!(email("ab@x.at"), "a…@x.at");
        assert_eq!(email("jörgü@x.at"), "j…ü@x.at");
        assert_eq!(email("nonsense"), "…");
        assert_eq!(phone("+43 664 1234567"), "…4567");
        assert_eq!(phone("123 456"), "…56");
        assert_eq!(phone("12"), "…");
        assert_eq!(card("4111 1111 1111 1111"), "…1111");
        assert_eq!(middle("Sarah"), "S…h");
        assert_eq!(middle("Al"), "…");
        assert_eq!(middle(""), "…");
    }

    #[test]
    fn free_text_is_masked() {
        for (given, expected) in [
            ("Mail sarah@example.com, please.", "Mail s…h@example.com, please."),
            ("call +43 664 1234567 now", "call …4567 now"),
            ("call (650) 253-0000", "call …0000"),
            ("my card 4111-1111-1111-1111 exp 12/27", "my card …1111 exp 12/27"),
            ("4111111111111111", "…1111"),
            ("IBAN AT61 1904 3002 3457 3201 bitte", "IBAN AT…3201 bitte"),
            ("DE89370400440532013000", "DE…3000"),
            ("order 1001 of 2026-01-20 15:30 for $1,250.50", "order 1001 of 2026-01-20 15:30 for $1,250.50"),
            ("am 20.01.2026 um 12", "am 20.01.2026 um 12"),
            ("tracking 1Z999AA10123456784", "tracking 1Z999AA10123456784"),
            ("0664/1234567", "…4567"),
            ("nothing here", "nothing here"),
            ("ü@ü", "ü@ü"),
        ] {
            assert_eq!(text(given), expected);
        }
    }

    #[test]
    fn no_text_brings_it_down() {
        let mut random = fastrand::Rng::with_seed(5);
        let pieces = ["a@b.c", "+", "4111 1111", "AT61", " ", "ü", "(", "2026-01-20", "…", "\u{a0}", "9", "-", "/"];
        for _ in 0..5000 {
            let sample: String = (0..random.usize(0..12)).filter_map(|_| random.choice(pieces)).collect();
            let _ = (text(&sample), email(&sample), phone(&sample), middle(&sample));
        }
    }
}
