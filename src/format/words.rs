//! The words of dates and small numbers, in the languages that have words here.

use chrono::Weekday;

use super::locale::Language;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 1 s
    Second,
    /// 60 s
    Minute,
    /// 3600 s
    Hour,
    /// The same time a day later.
    Day,
    /// Seven days.
    Week,
    /// The same day a month later, or that month's last.
    Month,
    /// Twelve months.
    Year,
}

impl Unit {
    /// The unit of a word in English or German, singular or plural: `day`, `weeks`, `Monate`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().trim_end_matches('.').to_lowercase().as_str() {
            "second" | "seconds" | "sec" | "secs" | "s" | "sekunde" | "sekunden" | "sek" => Self::Second,
            "minute" | "minutes" | "min" | "mins" | "minuten" => Self::Minute,
            "hour" | "hours" | "h" | "hr" | "hrs" | "stunde" | "stunden" | "std" => Self::Hour,
            "day" | "days" | "d" | "tag" | "tage" | "tagen" => Self::Day,
            "week" | "weeks" | "w" | "woche" | "wochen" => Self::Week,
            "month" | "months" | "monat" | "monate" | "monaten" => Self::Month,
            "year" | "years" | "y" | "jahr" | "jahre" | "jahren" => Self::Year,
            _ => return None,
        })
    }
}

const MONTHS_EN: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const MONTHS_DE: [&str; 12] =
    ["januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"];
const DAYS_EN: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const DAYS_DE: [&str; 7] = ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"];

/// The number of a month by its name or the beginning of it, in small letters.
pub(super) fn month(word: &str, language: Language) -> Option<u32> {
    let (own, other) = match language {
        Language::English => (&MONTHS_EN, &MONTHS_DE),
        Language::German => (&MONTHS_DE, &MONTHS_EN),
    };
    let word = match word {
        "jänner" | "jaenner" => "januar",
        "feber" => "februar",
        "maerz" | "mrz" => "märz",
        "sept" => "september",
        other => other,
    };
    let find = |names: &[&str; 12]| {
        let full = names.iter().position(|name| *name == word);
        let short = || names.iter().position(|name| word.chars().count() == 3 && name.starts_with(word));
        full.or_else(short).and_then(|index| u32::try_from(index + 1).ok())
    };
    find(own).or_else(|| find(other))
}

/// A weekday by its name or the beginning of it, in small letters.
pub(super) fn weekday(word: &str, language: Language) -> Option<Weekday> {
    let word = match word {
        "sonnabend" => "samstag",
        "weds" => "wednesday",
        other => other,
    };
    let find =
        |names: &[&str; 7]| names.iter().position(|name| *name == word || (word.len() >= 3 && name.starts_with(word)));
    let index = match language {
        Language::English => find(&DAYS_EN).or_else(|| DAYS_DE.iter().position(|name| *name == word)),
        Language::German => {
            let short = ["mo", "di", "mi", "do", "fr", "sa", "so"].iter().position(|name| *name == word);
            short.or_else(|| find(&DAYS_DE)).or_else(|| find(&DAYS_EN))
        }
    };
    index.and_then(|index| u8::try_from(index).ok()).and_then(|index| Weekday::try_from(index).ok())
}

/// A small number written as a word, in small letters.
pub(super) fn count_of(word: &str, language: Language) -> Option<i64> {
    const EN: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    const DE: [&str; 13] =
        ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"];
    let find = |names: &[&str; 13]| names.iter().position(|name| *name == word);
    let index = match language {
        Language::English => find(&EN),
        Language::German => find(&DE)
            .or_else(|| find(&EN))
            .or_else(|| matches!(word, "ein" | "eine" | "einem" | "einer" | "einen").then_some(1)),
    };
    index.and_then(|index| i64::try_from(index).ok())
}

/// A month's name as it stands in a sentence.
pub(super) fn month_name(month: u32, language: Language) -> String {
    let names = match language {
        Language::English => &MONTHS_EN,
        Language::German => &MONTHS_DE,
    };
    let index = usize::try_from(month).unwrap_or(1).saturating_sub(1);
    capital(names.get(index).copied().unwrap_or_default())
}

/// A weekday's name as it stands in a sentence.
#[must_use]
pub(super) fn weekday_name(day: Weekday, language: Language) -> String {
    let names = match language {
        Language::English => &DAYS_EN,
        Language::German => &DAYS_DE,
    };
    let index = usize::try_from(day.num_days_from_monday()).unwrap_or(0);
    capital(names.get(index).copied().unwrap_or_default())
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_beginning() {
        use Language::{English, German};
        assert_eq!(month("jan", English), Some(1));
        assert_eq!(month("mai", German), Some(5));
        assert_eq!(month("dez", German), Some(12));
        assert_eq!(month("jänner", English), Some(1));
        assert_eq!(month("ja", English), None);
        assert_eq!(month("xyz", English), None);
        assert_eq!(weekday("tues", English), Some(Weekday::Tue));
        assert_eq!(weekday("thurs", English), Some(Weekday::Thu));
        assert_eq!(weekday("thur", English), Some(Weekday::Thu));
        assert_eq!(weekday("weds", English), Some(Weekday::Wed));
        assert_eq!(weekday("mo", English), None);
        assert_eq!(weekday("mo", German), Some(Weekday::Mon));
        assert_eq!(weekday("sonnabend", German), Some(Weekday::Sat));
        assert_eq!(weekday("", English), None);
        assert_eq!(count_of("two", English), Some(2));
        assert_eq!(count_of("einer", German), Some(1));
        assert_eq!(month_name(3, German), "März");
        assert_eq!(weekday_name(Weekday::Sun, English), "Sunday");
        assert_eq!(Unit::parse("Monate"), Some(Unit::Month));
        assert_eq!(Unit::parse("fortnight"), None);
    }
}
