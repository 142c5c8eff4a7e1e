//! The formats that an input or a slot can have, by name or with settings.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::context::{Context, Refusal};
use super::pattern::ProjectFormat;
use super::{date_in, email, money, number, phone};

/// A value of an enum, and what else users say for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The value that is sent.
    pub value: String,
    /// Other words for it, without regard to case.
    pub synonyms: Vec<String>,
}

/// An example: what a user writes, and what becomes of it (nothing when it is refused).
pub type Example = (String, Option<String>);

/// How a value is read.
#[derive(Debug, Clone)]
pub enum Format {
    /// Any text, trimmed.
    Text,
    /// An e-mail address.
    Email,
    /// A phone number, as E.164.
    Phone {
        /// The country of numbers without a prefix; the context's when it is not given.
        region: Option<String>,
    },
    /// A day, as `2026-01-20`.
    Date,
    /// A time of day, as `15:30`.
    Time,
    /// A day with a time, as RFC 3339 with the offset of the zone.
    DateTime,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// An amount, as `{"amount": 12.5, "currency": "EUR"}`.
    Money {
        /// The currency of amounts without one; the region's when it is not given.
        currency: Option<String>,
    },
    /// Yes or no, as true or false.
    Bool,
    /// One of several values.
    Enum(Vec<Choice>),
    /// One of the project's own.
    Pattern(ProjectFormat),
}

impl Format {
    /// The names that [`Self::parse`] knows.
    pub const NAMES: [&str; 10] =
        ["text", "email", "phone", "date", "time", "datetime", "number", "integer", "money", "yes_no"];

    /// The format of that name, without settings.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "email" => Self::Email,
            "phone" => Self::Phone { region: None },
            "date" => Self::Date,
            "time" => Self::Time,
            "datetime" => Self::DateTime,
            "number" => Self::Number,
            "integer" => Self::Integer,
            "money" => Self::Money { currency: None },
            "yes_no" => Self::Bool,
            _ => return None,
        })
    }

    /// A format of several values.
    ///
    /// # Errors
    /// A text for the author when there is none, or one word stands for two values.
    pub fn choices(choices: Vec<Choice>) -> Result<Self, String> {
        if choices.is_empty() {
            return Err("an enum needs at least one value".to_owned());
        }
        let mut words: Vec<(String, &str)> = Vec::new();
        for choice in &choices {
            for word in std::iter::once(&choice.value).chain(&choice.synonyms) {
                let lower = word.trim().to_lowercase();
                if lower.is_empty() {
                    return Err(format!("the enum's value `{}` has an empty word", choice.value));
                }
                match words.iter().find(|(known, _)| *known == lower) {
                    Some((_, value)) if *value != choice.value => {
                        return Err(format!("`{word}` stands for both `{value}` and `{}`", choice.value));
                    }
                    Some(_) => {}
                    None => words.push((lower, &choice.value)),
                }
            }
        }
        Ok(Self::Enum(choices))
    }

    /// What a value means, in its normal form.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn read(&self, value: &Value, context: &Context) -> Result<Value, Refusal> {
        match (self, value) {
            (Self::Bool, Value::Bool(_)) | (Self::Number, Value::Number(_)) => return Ok(value.clone()),
            (Self::Integer, Value::Number(given)) => {
                return number::whole(given).map(Value::from).ok_or_else(|| Refusal::new("not a whole number"));
            }
            (Self::Money { .. }, Value::Object(given)) => return self.read_amount(given, context),
            _ => {}
        }
        let text = match value {
            Value::String(text) => Cow::Borrowed(text.trim()),
            Value::Number(given) => Cow::Owned(given.to_string()),
            Value::Bool(given) if !matches!(self, Self::Number | Self::Integer) => Cow::Owned(given.to_string()),
            _ => return Err(Refusal::new("not a text")),
        };
        if text.is_empty() {
            return Err(Refusal::new("empty"));
        }
        let read = self.read_text(&text, context)?;
        Ok(read)
    }

    /// Which examples do not hold, each a text for the author. Only formats of the project's own have examples.
    #[must_use]
    pub fn check_examples(&self, examples: &[Example]) -> Vec<String> {
        let read = |given: &str| match self {
            Self::Enum(choices) => choice(choices, given.trim()).map(str::to_owned),
            Self::Pattern(format) => format.read(given).ok(),
            _ => None,
        };
        let show = |value: &Option<String>| value.as_ref().map_or("refused".to_owned(), |value| format!("`{value}`"));
        let problem = |(given, expected): &Example| {
            let came = read(given);
            (came != *expected).then(|| format!("the example `{given}` is {}, not {}", show(&came), show(expected)))
        };
        examples.iter().filter_map(problem).collect()
    }

    fn read_text(&self, text: &str, context: &Context) -> Result<Value, Refusal> {
        let locale = &context.locale;
        Ok(match self {
            Self::Text => text.into(),
            Self::Email => email::read(text)?.into(),
            Self::Phone { region } => phone::read(text, region.as_deref().unwrap_or(&context.region))?.into(),
            Self::Date => date_in::read_date(text, context)?.format("%Y-%m-%d").to_string().into(),
            Self::Time => date_in::read_time(text, context)?.format("%H:%M").to_string().into(),
            Self::DateTime => {
                date_in::read_datetime(text, context)?.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false).into()
            }
            Self::Number => Value::Number(number::read(text, locale)?),
            Self::Integer => number::read_integer(text, locale)?.into(),
            Self::Money { currency } => {
                let read = money::read(text, locale, &context.region, currency.as_deref())?;
                json!({ "amount": read.amount, "currency": read.currency })
            }
            Self::Bool => yes_no(text).ok_or_else(|| Refusal::new("neither yes nor no"))?.into(),
            Self::Enum(choices) => choice(choices, text).ok_or_else(|| Refusal::new("none of the values"))?.into(),
            Self::Pattern(format) => format.read(text)?.into(),
        })
    }

    /// An amount that was read before, with its currency.
    fn read_amount(&self, given: &serde_json::Map<String, Value>, context: &Context) -> Result<Value, Refusal> {
        let refusal = || Refusal::new("not an amount with its currency");
        let amount = number::of_json(given.get("amount").ok_or_else(refusal)?, &context.locale)?;
        let currency = given.get("currency").and_then(Value::as_str).ok_or_else(refusal)?.trim().to_uppercase();
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(refusal());
        }
        Ok(json!({ "amount": amount, "currency": currency }))
    }
}

fn choice<'a>(choices: &'a [Choice], text: &str) -> Option<&'a str> {
    let text = text.trim_end_matches(['.', '!']).to_lowercase();
    let is = |word: &String| word.trim().to_lowercase() == text;
    choices.iter().find(|choice| is(&choice.value) || choice.synonyms.iter().any(is)).map(|choice| choice.value.as_str())
}

fn yes_no(text: &str) -> Option<bool> {
    const YES: [&str; 22] = [
        "yes",
        "y",
        "yeah",
        "yep",
        "yup",
        "sure",
        "ok",
        "okay",
        "true",
        "correct",
        "right",
        "of course",
        "please do",
        "affirm",
        "ja",
        "j",
        "jo",
        "klar",
        "gerne",
        "sicher",
        "stimmt",
        "richtig",
    ];
    const NO: [&str; 13] =
        ["no", "n", "nope", "nah", "false", "not really", "no thanks", "deny", "nein", "nö", "ne", "falsch", "nein danke"];
    let text = text.trim_end_matches(['.', '!']).replace(',', "").to_lowercase();
    let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "please" | "bitte")).collect();
    let text = if words.join(" ") == "do" { "please do".to_owned() } else { words.join(" ") };
    match (YES.contains(&text.as_str()), NO.contains(&text.as_str())) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::locale::Locale;
    use super::super::pattern::PatternSpec;
    use super::*;

    fn read(format: &Format, value: Value) -> Option<Value> {
        let (now, zone) = ("2026-01-20T12:00:00Z".parse().unwrap(), chrono_tz::Europe::Vienna);
        let context = Context { now, zone, locale: Locale::parse("en"), region: "AT".to_owned() };
        let read = format.read(&value, &context);
        if let (Err(refusal), Some(text)) = (&read, value.as_str().filter(|text| text.len() > 2)) {
            assert!(!refusal.reason.contains(text));
        }
        // What was read once reads back as itself.
        if let Ok(once) = &read {
            assert_eq!(format.read(once, &context).as_ref(), Ok(once), "{format:?}");
        }
        read.ok()
    }

    #[test]
    fn every_name_reads_its_values() {
        for (name, given, expected) in [
            ("text", json!("  hi "), json!("hi")),
            ("text", json!(5), json!("5")),
            ("text", json!(" "), json!(null)),
            ("text", json!(["a"]), json!(null)),
            ("email", json!("Sarah@EXAMPLE.com"), json!("Sarah@example.com")),
            ("phone", json!("0664 1234567"), json!("+436641234567")),
            ("phone", json!("+16502530000"), json!("+16502530000")),
            ("date", json!("next Friday"), json!("2026-01-23")),
            ("date", json!(5), json!(null)),
            ("time", json!("3pm"), json!("15:00")),
            ("datetime", json!("tomorrow 3pm"), json!("2026-01-21T15:00:00+01:00")),
            ("number", json!("$1,250.50"), json!(1250.5)),
            ("number", json!("55.0"), json!(55.0)),
            ("number", json!(55), json!(55)),
            ("number", json!(true), json!(null)),
            ("integer", json!("5"), json!(5)),
            ("integer", json!(5.0), json!(5)),
            ("integer", json!(5.5), json!(null)),
            ("money", json!("€ 12.50"), json!({"amount": 12.5, "currency": "EUR"})),
            ("money", json!("12"), json!({"amount": 12, "currency": "EUR"})),
            ("money", json!({"amount": "1,000", "currency": "usd"}), json!({"amount": 1000, "currency": "USD"})),
            ("money", json!({"amount": 1}), json!(null)),
            ("yes_no", json!("Yes, please!"), json!(true)),
            ("yes_no", json!("nein"), json!(false)),
            ("yes_no", json!(true), json!(true)),
            ("yes_no", json!("maybe"), json!(null)),
        ] {
            let format = Format::parse(name).unwrap();
            assert_eq!(read(&format, given.clone()).unwrap_or_default(), expected, "{name} {given}");
        }
        assert!(Format::NAMES.iter().all(|name| Format::parse(name).is_some()));
        assert!(Format::parse("Email").is_none());
    }

    #[test]
    fn an_enum_knows_its_words() {
        let of = |value: &str, synonyms: &[&str]| Choice {
            value: value.to_owned(),
            synonyms: synonyms.iter().map(|&word| word.to_owned()).collect(),
        };
        let format = Format::choices(vec![of("urgent", &["ASAP"]), of("low", &["whenever"])]).unwrap();
        assert_eq!(read(&format, json!(" asap! ")), Some(json!("urgent")));
        assert_eq!(read(&format, json!("LOW")), Some(json!("low")));
        assert_eq!(read(&format, json!("high")), None);
        assert!(Format::choices(vec![]).is_err());
        assert!(Format::choices(vec![of("a", &["x"]), of("b", &["X"])]).unwrap_err().contains("both"));
        assert!(Format::choices(vec![of("a", &[" "])]).is_err());
    }

    #[test]
    fn examples_that_do_not_hold_are_said() {
        let example = |given: &str, expected: Option<&str>| (given.to_owned(), expected.map(str::to_owned));
        let examples = [example("12", Some("12")), example("#1001", None), example("1001", Some("1001"))];
        let spec = PatternSpec { pattern: r"#?(\d{3,8})".to_owned(), ..PatternSpec::default() };
        let problems = Format::Pattern(ProjectFormat::new(spec).unwrap()).check_examples(&examples);
        assert_eq!(problems, ["the example `12` is refused, not `12`", "the example `#1001` is `1001`, not refused"]);
        let urgent = Format::choices(vec![Choice { value: "urgent".into(), synonyms: vec!["asap".into()] }]).unwrap();
        let examples = [example("ASAP!", Some("urgent")), example("now", Some("urgent"))];
        assert_eq!(urgent.check_examples(&examples), ["the example `now` is refused, not `urgent`"]);
    }

    #[test]
    fn a_phone_and_money_may_name_their_country() {
        assert_eq!(read(&Format::Phone { region: Some("US".into()) }, json!("650 253 0000")), Some(json!("+16502530000")));
        let money = Format::Money { currency: Some("CHF".into()) };
        assert_eq!(read(&money, json!("12")), Some(json!({"amount": 12, "currency": "CHF"})));
    }
}
