//! Masks for personal data: enough left to recognise, too little to use.
//!
//! [`text`] masks what it finds in free text. It would rather mask a long number too many than leave a card; it cannot find
//! names and addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

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

/// A kind of personal data that can be told from other text by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An e-mail address.
    Email,
    /// An account number.
    Iban,
    /// The number of a payment card.
    Card,
    /// A phone number, or a number that is as long as one.
    Phone,
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Nothing was found in it.
    Plain(&'a str),
    /// Personal data.
    Found(Sort, &'a str),
}

/// The text with e-mail addresses, IBANs, card and phone numbers masked.
#[must_use]
pub fn text(text: &str) -> String {
    let masked = |piece| match piece {
        Piece::Plain(plain) => Cow::Borrowed(plain),
        Piece::Found(Sort::Email, found) => email(found).into(),
        Piece::Found(Sort::Iban, found) => {
            let ends = found.char_indices().filter(|(_, c)| !c.is_whitespace()).map(|(at, _)| at);
            let last = ends.rev().nth(3).and_then(|at| found.get(at..)).unwrap_or_default();
            let ending: String = last.chars().filter(|c| !c.is_whitespace()).collect();
            format!("{}{HIDDEN}{ending}", found.get(..2).unwrap_or_default()).into()
        }
        Piece::Found(Sort::Card, found) => card(found).into(),
        Piece::Found(Sort::Phone, found) => phone(found).into(),
    };
    pieces(text).into_iter().map(masked).collect()
}

/// The pieces of a text, with all that is found in it.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let within = |piece| match piece {
        Piece::Plain(plain) => numbers(plain),
        found @ Piece::Found(..) => vec![found],
    };
    addresses(text).into_iter().flat_map(within).collect()
}

/// The pieces of a text, with the e-mail addresses and IBANs in it.
#[must_use]
pub fn addresses(text: &str) -> Vec<Piece<'_>> {
    let within = |piece| match piece {
        Piece::Plain(plain) => cut(&IBAN, plain, |found| iban(found).map(|end| (Sort::Iban, end))),
        found @ Piece::Found(..) => vec![found],
    };
    let emails = cut(&EMAIL, text, |found| Some((Sort::Email, found.len())));
    emails.into_iter().flat_map(within).collect()
}

/// The pieces of a text, with the card and phone numbers in it.
#[must_use]
pub fn numbers(text: &str) -> Vec<Piece<'_>> {
    cut(&NUMBER, text, |found| number(found).map(|sort| (sort, found.len())))
}

/// Cuts out what the pattern finds, as far as `of` says it is something: which sort, and how much of it.
fn cut<'a>(pattern: &LazyLock<Option<Regex>>, text: &'a str, of: impl Fn(&str) -> Option<(Sort, usize)>) -> Vec<Piece<'a>> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    for found in LazyLock::force(pattern).iter().flat_map(|pattern| pattern.find_iter(text)) {
        let Some((sort, length)) = of(found.as_str()) else { continue };
        let end = found.start() + length;
        pieces.extend(text.get(at..found.start()).filter(|plain| !plain.is_empty()).map(Piece::Plain));
        pieces.extend(text.get(found.start()..end).map(|found| Piece::Found(sort, found)));
        at = end;
    }
    pieces.extend(text.get(at..).filter(|plain| !plain.is_empty()).map(Piece::Plain));
    pieces
}

/// Where the IBAN ends that this begins with, if it is one (a word may follow it).
fn iban(found: &str) -> Option<usize> {
    let ends = found.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
    let mut ends = std::iter::once(found.len()).chain(ends.collect::<Vec<_>>().into_iter().rev());
    ends.find(|end| {
        let plain: String = found.get(..*end).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        (15..=34).contains(&plain.len()) && checks(&plain)
    })
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

fn number(found: &str) -> Option<Sort> {
    if LazyLock::force(&DATE).as_ref().is_some_and(|date| date.is_match(found)) {
        return None;
    }
    let digits = digits(found);
    let phone_like = found.starts_with(['+', '(', '0']) || found.contains([' ', '-', '/', '(']);
    match digits.len() {
        13..=19 if luhn(&digits) => Some(Sort::Card),
        7..=15 if phone_like => Some(Sort::Phone),
        10..=15 if !found.contains('.') => Some(Sort::Phone),
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
