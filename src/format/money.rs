//! Amounts of money: read with or without their currency, written as a locale does.

use serde_json::Number;

use super::context::Refusal;
use super::locale::Locale;
use super::number;

/// An amount and the code of its currency, as `EUR`.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    /// How much, in whole units of the currency.
    pub amount: Number,
    /// Three capitals.
    pub currency: String,
}

/// The common currencies: code, sign, other ways to write it, digits after the point.
const CURRENCIES: [(&str, &str, &[&str], usize); 30] = [
    ("USD", "$", &["us$", "dollar", "dollars", "bucks"], 2),
    ("EUR", "€", &["euro", "euros"], 2),
    ("GBP", "£", &["pound", "pounds", "pfund"], 2),
    ("CHF", "CHF", &["fr.", "franken", "francs"], 2),
    ("JPY", "¥", &["yen"], 0),
    ("CNY", "CN¥", &["yuan", "rmb"], 2),
    ("CAD", "CA$", &["c$"], 2),
    ("AUD", "A$", &["au$"], 2),
    ("NZD", "NZ$", &[], 2),
    ("INR", "₹", &["rs", "rs.", "rupees", "rupee"], 2),
    ("BRL", "R$", &["reais", "real"], 2),
    ("MXN", "MX$", &[], 2),
    ("SEK", "kr", &[], 2),
    ("NOK", "kr", &[], 2),
    ("DKK", "kr.", &[], 2),
    ("PLN", "zł", &["zl", "zloty"], 2),
    ("CZK", "Kč", &["kc"], 2),
    ("HUF", "Ft", &["forint"], 2),
    ("RON", "lei", &["leu"], 2),
    ("BGN", "лв.", &[], 2),
    ("TRY", "₺", &["tl"], 2),
    ("ILS", "₪", &[], 2),
    ("KRW", "₩", &["won"], 0),
    ("SGD", "S$", &[], 2),
    ("HKD", "HK$", &[], 2),
    ("ZAR", "R", &["rand"], 2),
    ("AED", "AED", &["dirham", "dirhams"], 2),
    ("UAH", "₴", &[], 2),
    ("KWD", "KWD", &[], 3),
    ("VND", "₫", &[], 0),
];

/// The codes of the common currencies.
pub fn codes() -> impl Iterator<Item = &'static str> {
    CURRENCIES.iter().map(|(code, ..)| *code)
}

/// How many digits after the point a currency has.
#[must_use]
pub fn decimals(currency: &str) -> usize {
    CURRENCIES.iter().find(|(code, ..)| *code == currency).map_or(2, |(.., decimals)| *decimals)
}

/// The currency of a region such as `US`.
#[must_use]
pub fn of_region(region: &str) -> Option<&'static str> {
    Some(match region.to_ascii_uppercase().as_str() {
        "US" | "PR" | "EC" | "SV" => "USD",
        "AT" | "BE" | "BG" | "CY" | "DE" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "IE" | "IT" | "LT" | "LU" | "LV"
        | "MT" | "NL" | "PT" | "SI" | "SK" => "EUR",
        "GB" | "UK" => "GBP",
        "CH" | "LI" => "CHF",
        "JP" => "JPY",
        "CN" => "CNY",
        "CA" => "CAD",
        "AU" => "AUD",
        "NZ" => "NZD",
        "IN" => "INR",
        "BR" => "BRL",
        "MX" => "MXN",
        "SE" => "SEK",
        "NO" => "NOK",
        "DK" => "DKK",
        "PL" => "PLN",
        "CZ" => "CZK",
        "HU" => "HUF",
        "RO" => "RON",
        "TR" => "TRY",
        "IL" => "ILS",
        "KR" => "KRW",
        "SG" => "SGD",
        "HK" => "HKD",
        "ZA" => "ZAR",
        "AE" => "AED",
        "UA" => "UAH",
        "KW" => "KWD",
        "VN" => "VND",
        _ => return None,
    })
}

/// The amount that a text says: `$1,250.50`, `20 EUR`, `12,50 €`. Without a currency it is the given one, else the region's.
///
/// # Errors
/// When there is no number, or no way to know the currency.
pub fn read(text: &str, locale: &Locale, region: &str, default: Option<&str>) -> Result<Amount, Refusal> {
    let text = text.trim();
    let is_number = |c: char| c.is_ascii_digit() || ".,'’-−+ \u{a0}\u{202f}".contains(c);
    let first = text.find(|c: char| c.is_ascii_digit()).ok_or_else(|| Refusal::new("not an amount of money"))?;
    let start = text
        .get(..first)
        .unwrap_or_default()
        .rfind(|c: char| !is_number(c))
        .map_or(0, |at| at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let tail = text.get(start..).unwrap_or_default();
    let end = start + tail.find(|c: char| !is_number(c)).unwrap_or(tail.len());
    let (before, amount, after) = (
        text.get(..start).unwrap_or_default(),
        text.get(start..end).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    );
    let (sign, before) = match before.trim().strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", before),
    };
    let (amount, trailing) = match amount.trim().strip_prefix('.') {
        Some(rest) if !before.trim().is_empty() => (rest, "."),
        _ => (amount.trim(), ""),
    };
    let amount = number::read(&format!("{sign}{amount}"), locale)?;
    let before = format!("{}{trailing}", before.trim());
    let named = match (before.trim(), after.trim().trim_end_matches(['!', '?'])) {
        ("", "") => None,
        (word, "") | ("", word) => Some(word),
        _ => return Err(Refusal::new("not an amount of money")),
    };
    let currency = match named {
        Some(word) => currency(word, region).ok_or_else(|| Refusal::new("not an amount of money in a known currency"))?,
        None => {
            default.or_else(|| of_region(region)).ok_or_else(|| Refusal::new("an amount without its currency"))?.to_owned()
        }
    };
    Ok(Amount { amount, currency })
}

/// The code of a currency by its code, sign or name.
fn currency(word: &str, region: &str) -> Option<String> {
    let home = of_region(region);
    let lower = word.to_lowercase();
    let matches = |(code, sign, others, _): &&(&str, &str, &[&str], usize)| {
        code.to_lowercase() == lower || sign.to_lowercase() == lower || others.contains(&lower.as_str())
    };
    // A dollar sign is the dollar of the country, where it has one; `kr` is its crown.
    let homely = home.filter(|home| match lower.as_str() {
        "$" | "dollar" | "dollars" => matches!(*home, "CAD" | "AUD" | "NZD" | "SGD" | "HKD" | "MXN"),
        "kr" | "kr." => matches!(*home, "SEK" | "NOK" | "DKK"),
        "¥" => *home == "CNY",
        _ => false,
    });
    homely.or_else(|| CURRENCIES.iter().find(matches).map(|(code, ..)| *code)).map(str::to_owned)
}

/// The amount as the locale writes it: `$1,250.50`, `1.250,50 €`. Blanks are plain ones.
#[must_use]
pub fn write(amount: f64, currency: &str, locale: &Locale) -> String {
    let currency = currency.to_uppercase();
    let known = CURRENCIES.iter().find(|(code, ..)| *code == currency);
    let sign = known.map_or(currency.as_str(), |(_, sign, ..)| *sign);
    // In its own country a dollar is just a dollar.
    let home = locale.region().and_then(|region| of_region(&region)) == Some(currency.as_str());
    let sign = if home && sign.ends_with('$') && currency != "BRL" { "$" } else { sign };
    let digits = number::fixed(amount.abs(), known.map_or(2, |(.., decimals)| *decimals));
    let negative = amount < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    let digits = number::localised(&digits, locale);
    let minus = if negative { "-" } else { "" };
    let letters = sign.chars().all(char::is_alphabetic);
    match (locale.language_tag().as_str(), locale.region().as_deref()) {
        ("en" | "ja" | "zh" | "ko" | "hi" | "th", _) if !letters => format!("{minus}{sign}{digits}"),
        ("en" | "ja" | "zh" | "ko" | "hi" | "th", _) | ("nl", _) | ("pt", Some("BR")) | ("de", Some("AT" | "CH" | "LI")) => {
            format!("{minus}{sign} {digits}")
        }
        _ => format!("{minus}{digits} {sign}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_currency() {
        for (given, tag, region, expected) in [
            ("$1,250.50", "en", "US", Some(("1250.5", "USD"))),
            ("$5", "en", "CA", Some(("5", "CAD"))),
            ("$5", "en", "AT", Some(("5", "USD"))),
            ("1.250,50 €", "de", "DE", Some(("1250.5", "EUR"))),
            ("€ 12", "de", "AT", Some(("12", "EUR"))),
            ("EUR 12", "en", "US", Some(("12", "EUR"))),
            ("12 eur", "en", "US", Some(("12", "EUR"))),
            ("20 dollars", "en", "US", Some(("20", "USD"))),
            ("-£3.20", "en", "GB", Some(("-3.2", "GBP"))),
            ("Fr. 5.50", "de-CH", "CH", Some(("5.5", "CHF"))),
            ("100 kr", "en", "NO", Some(("100", "NOK"))),
            ("12", "en", "US", Some(("12", "USD"))),
            ("12", "en", "", None),
            ("twelve", "en", "US", None),
            ("12 apples", "en", "US", None),
            ("$12 EUR", "en", "US", None),
            ("", "en", "US", None),
        ] {
            let read = read(given, &Locale::parse(tag), region, None);
            let read = read.ok().map(|amount| (amount.amount.to_string(), amount.currency));
            assert_eq!(read.as_ref().map(|(a, c)| (a.as_str(), c.as_str())), expected, "{given}");
        }
        assert_eq!(read("12", &Locale::default(), "US", Some("EUR")).unwrap().currency, "EUR");
    }

    #[test]
    fn amounts_are_written_as_the_locale_has_them() {
        for (amount, currency, tag, expected) in [
            (1250.5, "USD", "en", "$1,250.50"),
            (1250.5, "EUR", "de", "1.250,50 €"),
            (1250.5, "EUR", "de-AT", "€ 1\u{a0}250,50"),
            (1250.5, "CHF", "en", "CHF 1,250.50"),
            (1250.5, "JPY", "en", "¥1,250"),
            (5.0, "KWD", "en", "KWD 5.000"),
            (-3.0, "GBP", "en-GB", "-£3.00"),
            (-0.001, "GBP", "en-GB", "£0.00"),
            (5.0, "CAD", "en-CA", "$5.00"),
            (5.0, "CAD", "en", "CA$5.00"),
            (5.0, "XYZ", "en", "XYZ 5.00"),
            (5.0, "eur", "en", "€5.00"),
        ] {
            assert_eq!(write(amount, currency, &Locale::parse(tag)), expected);
        }
    }
}
