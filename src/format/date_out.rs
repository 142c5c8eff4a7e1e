//! Dates and times as people say them.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;

use super::locale::{Language, Locale};
use super::moment::Moment;
use super::words::{month_name, weekday_name};

/// A day as one says it: `January 20th`, with the year when it is not this one: `January 20th, 2025`.
#[must_use]
pub fn friendly(date: NaiveDate, today: NaiveDate, locale: &Locale) -> String {
    let (day, year) = (date.day(), date.year());
    let month = month_name(date.month(), locale.language());
    match (locale.language(), year == today.year()) {
        (Language::English, true) => format!("{month} {day}{}", ordinal(day)),
        (Language::English, false) => format!("{month} {day}{}, {year}", ordinal(day)),
        (Language::German, true) => format!("{day}. {month}"),
        (Language::German, false) => format!("{day}. {month} {year}"),
    }
}

/// The ending of an English ordinal number.
fn ordinal(day: u32) -> &'static str {
    match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// A time of day: `3:30 pm` in American English, `15:30` elsewhere.
#[must_use]
pub fn time(time: NaiveTime, locale: &Locale) -> String {
    let twelve = locale.language_tag() == "en"
        && matches!(locale.region().as_deref(), None | Some("US" | "CA" | "AU" | "NZ" | "PH" | "IN"));
    match twelve {
        true => {
            let (afternoon, hour) = time.hour12();
            format!("{hour}:{:02} {}", time.minute(), if afternoon { "pm" } else { "am" })
        }
        false => format!("{:02}:{:02}", time.hour(), time.minute()),
    }
}

/// The weekday: `Friday`.
#[must_use]
pub fn weekday(date: NaiveDate, locale: &Locale) -> String {
    weekday_name(date.weekday(), locale.language())
}

/// How far it is from now: `12 minutes ago`, `in 3 days`; days are said as `today`, `tomorrow`, `in 5 days`.
#[must_use]
pub fn relative(moment: &Moment, now: DateTime<Utc>, zone: Tz, locale: &Locale) -> String {
    let language = locale.language();
    if let Moment::Date(date) = moment {
        let days = date.signed_duration_since(now.with_timezone(&zone).date_naive()).num_days();
        let word = match (days, language) {
            (0, Language::English) => "today",
            (1, Language::English) => "tomorrow",
            (-1, Language::English) => "yesterday",
            (0, Language::German) => "heute",
            (1, Language::German) => "morgen",
            (-1, Language::German) => "gestern",
            _ => return span(days, 3, language),
        };
        return word.to_owned();
    }
    let seconds = moment.instant(zone).signed_duration_since(now).num_seconds();
    let (each, unit) = match seconds.unsigned_abs() {
        0..60 => {
            let word = match (seconds > 0, language) {
                (true, Language::English) => "in a moment",
                (false, Language::English) => "just now",
                (true, Language::German) => "gleich",
                (false, Language::German) => "gerade eben",
            };
            return word.to_owned();
        }
        60..3600 => (60, 1),
        3600..86_400 => (3600, 2),
        _ => (86_400, 3),
    };
    span(seconds / each, unit, language)
}

/// So many minutes (1), hours (2) or days (3) from now; many days become months or years.
fn span(count: i64, unit: usize, language: Language) -> String {
    const UNITS: [[&str; 4]; 6] = [
        ["second", "seconds", "Sekunde", "Sekunden"],
        ["minute", "minutes", "Minute", "Minuten"],
        ["hour", "hours", "Stunde", "Stunden"],
        ["day", "days", "Tag", "Tagen"],
        ["month", "months", "Monat", "Monaten"],
        ["year", "years", "Jahr", "Jahren"],
    ];
    let much = count.unsigned_abs();
    let (much, unit) = match (unit, much) {
        (3, 365..) => (much / 365, 5),
        (3, 60..) => (much * 12 / 365, 4),
        _ => (much, unit),
    };
    let word = |plural: usize| {
        let form = plural + usize::from(much != 1);
        UNITS.get(unit).and_then(|words| words.get(form)).copied().unwrap_or_default()
    };
    match (language, count < 0) {
        (Language::English, true) => format!("{much} {} ago", word(0)),
        (Language::English, false) => format!("in {much} {}", word(0)),
        (Language::German, true) => format!("vor {much} {}", word(2)),
        (Language::German, false) => format!("in {much} {}", word(2)),
    }
}

/// A moment in a `strftime` format, with the names of the locale. A day is taken as its beginning, a time without an offset
/// as one of `zone`.
///
/// # Errors
/// A text for the author when the format has a part that does not exist.
pub fn strftime(moment: &Moment, format: &str, zone: Tz, locale: &Locale) -> Result<String, String> {
    check_format(format)?;
    let mut out = String::new();
    let written = match moment {
        Moment::Zoned(zoned) => write!(out, "{}", zoned.format_localized(format, locale.names())),
        other => write!(out, "{}", other.instant(zone).with_timezone(&zone).format_localized(format, locale.names())),
    };
    written.map_err(|_| format!("`{format}` is not a date format"))?;
    Ok(out)
}

/// Checks a `strftime` format.
///
/// # Errors
/// A text for the author when it has a part that does not exist, or is longer than 200 characters.
pub fn check_format(format: &str) -> Result<(), String> {
    if format.len() > 200 {
        return Err("a date format of more than 200 characters".to_owned());
    }
    match StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
        true => Err(format!("`{format}` is not a date format: write it with % and letters, such as %d.%m.%Y or %-I:%M %p")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIENNA: Tz = chrono_tz::Europe::Vienna;

    fn now() -> DateTime<Utc> {
        "2026-01-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn days_are_said_as_people_say_them() {
        let say = |date: &str, tag: &str| friendly(date.parse().unwrap(), now().date_naive(), &Locale::parse(tag));
        assert_eq!(say("2026-01-20", "en"), "January 20th");
        assert_eq!(say("2025-01-20", "en"), "January 20th, 2025");
        assert_eq!(say("2026-03-20", "de"), "20. März");
        assert_eq!(say("2027-03-01", "de-AT"), "1. März 2027");
        assert_eq!(say("2026-01-20", "fr"), "January 20th");
        let endings: Vec<String> = (1..=31).map(|day| format!("{day}{}", ordinal(day))).collect();
        assert_eq!(
            endings.join(" "),
            "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th \
             15th 16th 17th 18th 19th 20th 21st 22nd 23rd 24th 25th 26th 27th 28th 29th 30th 31st"
        );
    }

    #[test]
    fn times_follow_the_country() {
        let say = |text: &str, tag: &str| time(text.parse().unwrap(), &Locale::parse(tag));
        assert_eq!(say("15:30:00", "en"), "3:30 pm");
        assert_eq!(say("00:05:00", "en-US"), "12:05 am");
        assert_eq!(say("15:30:00", "en-GB"), "15:30");
        assert_eq!(say("15:30:00", "de"), "15:30");
    }

    #[test]
    fn distances_are_said_from_now() {
        for (moment, en, de) in [
            ("2026-01-20T12:00:00Z", "just now", "gerade eben"),
            ("2026-01-20T12:00:30Z", "in a moment", "gleich"),
            ("2026-01-20T11:48:00Z", "12 minutes ago", "vor 12 Minuten"),
            ("2026-01-20T11:59:00Z", "1 minute ago", "vor 1 Minute"),
            ("2026-01-20T15:59:59Z", "in 3 hours", "in 3 Stunden"),
            ("2026-01-23T12:00:00Z", "in 3 days", "in 3 Tagen"),
            ("2026-01-20T13:30", "in 30 minutes", "in 30 Minuten"),
            ("2026-01-20", "today", "heute"),
            ("2026-01-21", "tomorrow", "morgen"),
            ("2026-01-19", "yesterday", "gestern"),
            ("2026-02-03", "in 14 days", "in 14 Tagen"),
            ("2025-10-20", "3 months ago", "vor 3 Monaten"),
            ("2024-01-20", "2 years ago", "vor 2 Jahren"),
        ] {
            let moment = Moment::parse(moment).unwrap();
            assert_eq!(relative(&moment, now(), VIENNA, &Locale::parse("en")), en);
            assert_eq!(relative(&moment, now(), VIENNA, &Locale::parse("de")), de);
        }
    }

    #[test]
    fn any_format_is_localised() {
        let moment = Moment::parse("2026-03-20T15:30:00Z").unwrap();
        let show = |format: &str, tag: &str| strftime(&moment, format, VIENNA, &Locale::parse(tag));
        assert_eq!(show("%A, %-d. %B %Y, %H:%M", "de").unwrap(), "Freitag, 20. März 2026, 15:30");
        assert_eq!(show("%b %e, %-I:%M %p", "en").unwrap(), "Mar 20, 3:30 PM");
        assert_eq!(show("%A %d %B", "fr").unwrap(), "vendredi 20 mars");
        assert_eq!(show("%Y-%m-%dT%H:%M:%S%:z", "en").unwrap(), "2026-03-20T15:30:00+00:00");
        for format in ["%", "%Q", "%!", "%9", &"x".repeat(300)] {
            assert!(show(format, "en").is_err(), "{format}");
        }
        let day = Moment::parse("2026-07-20").unwrap();
        assert_eq!(strftime(&day, "%d.%m.%Y %H:%M %z", VIENNA, &Locale::parse("de")).unwrap(), "20.07.2026 00:00 +0200");
    }
}
