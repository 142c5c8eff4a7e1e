//! Tests of reading dates and times.

use super::super::locale::Locale;
use super::*;

/// A Tuesday.
fn context(tag: &str, region: &str) -> Context {
    let zone = if region == "US" { chrono_tz::America::New_York } else { chrono_tz::Europe::Vienna };
    Context { now: "2026-01-20T12:00:00Z".parse().unwrap(), zone, locale: Locale::parse(tag), region: region.to_owned() }
}

fn date(text: &str, tag: &str, region: &str) -> Option<String> {
    read_date(text, &context(tag, region)).ok().map(|date| date.to_string())
}

#[test]
fn english_dates() {
    for (given, expected) in [
        ("today", Some("2026-01-20")),
        ("Tomorrow!", Some("2026-01-21")),
        ("the day after tomorrow", Some("2026-01-22")),
        ("yesterday", Some("2026-01-19")),
        ("Friday", Some("2026-01-23")),
        ("next Friday", Some("2026-01-23")),
        ("next Friday 3pm", Some("2026-01-23")),
        ("on Friday, January 30th", Some("2026-01-30")),
        ("Tuesday", Some("2026-01-27")),
        ("last tuesday", Some("2026-01-13")),
        ("Friday next week", Some("2026-01-30")),
        ("next week Friday", Some("2026-01-30")),
        ("next week", Some("2026-01-27")),
        ("next month", Some("2026-02-20")),
        ("in two weeks", Some("2026-02-03")),
        ("in a month", Some("2026-02-20")),
        ("3 days ago", Some("2026-01-17")),
        ("5 days from now", Some("2026-01-25")),
        ("Jan 20", Some("2026-01-20")),
        ("January 20th, 2025", Some("2025-01-20")),
        ("20 January 2027", Some("2027-01-20")),
        ("the 20th of january", Some("2026-01-20")),
        ("Feb. 3", Some("2026-02-03")),
        ("March", Some("2026-03-01")),
        ("in March 2027", Some("2027-03-01")),
        ("march 15 at 3:30 pm", Some("2026-03-15")),
        ("2026-01-20", Some("2026-01-20")),
        ("2026-01-20T23:30:00Z", Some("2026-01-20")),
        ("2026/02/03", Some("2026-02-03")),
        ("01/20/2026", Some("2026-01-20")),
        ("20/01/2026", Some("2026-01-20")),
        ("2/3/26", Some("2026-02-03")),
        ("2/3", Some("2026-02-03")),
        ("20.01.2026", Some("2026-01-20")),
        ("the 25th", Some("2026-01-25")),
        ("the 5th", Some("2026-02-05")),
        ("3-Feb-2026", Some("2026-02-03")),
        ("Feb 30", None),
        ("13/13/2026", None),
        ("3pm", None),
        ("5", None),
        ("soon", None),
        ("today tomorrow", None),
        ("Friday the thing", None),
        ("in 99999999999 days", None),
        ("in 4000000000 years", None),
        ("2026", None),
        ("1001", None),
        ("", None),
        ("{{ 7*7 }}", None),
    ] {
        assert_eq!(date(given, "en", "US").as_deref(), expected, "{given}");
    }
    assert_eq!(date("02/03/2026", "en", "GB").as_deref(), Some("2026-03-02"));
    assert_eq!(date("01/20/2026", "en", "GB").as_deref(), Some("2026-01-20"));
}

#[test]
fn german_dates() {
    for (given, expected) in [
        ("heute", Some("2026-01-20")),
        ("morgen", Some("2026-01-21")),
        ("übermorgen um 15 Uhr", Some("2026-01-22")),
        ("nächsten Freitag", Some("2026-01-23")),
        ("am Freitag", Some("2026-01-23")),
        ("Fr.", Some("2026-01-23")),
        ("Freitag nächster Woche", Some("2026-01-30")),
        ("nächste Woche", Some("2026-01-27")),
        ("in zwei Wochen", Some("2026-02-03")),
        ("in einem Monat", Some("2026-02-20")),
        ("vor 3 Tagen", Some("2026-01-17")),
        ("20. Januar", Some("2026-01-20")),
        ("am 20. Jänner 2027", Some("2027-01-20")),
        ("3. März", Some("2026-03-03")),
        ("20.01.2026", Some("2026-01-20")),
        ("20.1.", Some("2026-01-20")),
        ("20.1.26", Some("2026-01-20")),
        ("03/02/2026", Some("2026-02-03")),
        ("im März", Some("2026-03-01")),
        ("am 25.", Some("2026-01-25")),
        ("31.2.2026", None),
        ("bald", None),
    ] {
        assert_eq!(date(given, "de", "AT").as_deref(), expected, "{given}");
    }
}

#[test]
fn times_of_day() {
    for (given, tag, expected) in [
        ("3pm", "en", Some("15:00:00")),
        ("3 p.m.", "en", Some("15:00:00")),
        ("12am", "en", Some("00:00:00")),
        ("12:30 pm", "en", Some("12:30:00")),
        ("15:30", "en", Some("15:30:00")),
        ("9:05:10", "en", Some("09:05:10")),
        ("noon", "en", Some("12:00:00")),
        ("half past 3 pm", "en", Some("15:30:00")),
        ("quarter to four pm", "en", Some("15:45:00")),
        ("at 15", "en", Some("15:00:00")),
        ("tomorrow at 3pm", "en", Some("15:00:00")),
        ("at 3", "en", None),
        ("3", "en", None),
        ("13pm", "en", None),
        ("25:00", "en", None),
        ("15:75", "en", None),
        ("15 Uhr", "de", Some("15:00:00")),
        ("15 Uhr 30", "de", Some("15:30:00")),
        ("um 15.30 Uhr", "de", Some("15:30:00")),
        ("halb vier", "de", Some("03:30:00")),
        ("viertel nach drei", "de", Some("03:15:00")),
        ("um 8", "de", Some("08:00:00")),
        ("Mitternacht", "de", Some("00:00:00")),
        ("tomorrow", "en", None),
    ] {
        let read = read_time(given, &context(tag, "US")).ok().map(|time| time.to_string());
        assert_eq!(read.as_deref(), expected, "{given}");
    }
}

#[test]
fn dates_with_times() {
    for (given, tag, region, expected) in [
        ("next Friday 3pm", "en", "US", Some("2026-01-23T15:00:00-05:00")),
        ("3pm next Friday", "en", "US", Some("2026-01-23T15:00:00-05:00")),
        ("2026-01-20T15:30:00Z", "en", "US", Some("2026-01-20T10:30:00-05:00")),
        ("2026-07-20 15:30", "de", "AT", Some("2026-07-20T15:30:00+02:00")),
        ("morgen um halb vier", "de", "AT", Some("2026-01-21T03:30:00+01:00")),
        ("in 2 hours", "en", "US", Some("2026-01-20T09:00:00-05:00")),
        ("in einer Stunde", "de", "AT", Some("2026-01-20T14:00:00+01:00")),
        ("now", "en", "US", Some("2026-01-20T07:00:00-05:00")),
        ("3pm", "en", "US", Some("2026-01-20T15:00:00-05:00")),
        ("6 am", "en", "US", Some("2026-01-21T06:00:00-05:00")),
        ("29.3.2026 2:30", "de", "AT", Some("2026-03-29T03:30:00+02:00")),
        ("Jan 20 15:30", "en", "US", Some("2026-01-20T15:30:00-05:00")),
        ("20.01.2026 15:30 Uhr", "de", "AT", Some("2026-01-20T15:30:00+01:00")),
        ("tomorrow", "en", "US", None),
        ("3pm 4pm", "en", "US", None),
    ] {
        let read = read_datetime(given, &context(tag, region)).ok().map(|time| time.to_rfc3339());
        assert_eq!(read.as_deref(), expected, "{given}");
    }
}

#[test]
fn no_text_brings_it_down() {
    let words = [
        "next", "friday", "in", "20", ".", "/", "-", ":", "am", "3", "2026", "uhr", "jan", "half", "99999", "the", "a",
        "ago", "ü", "week",
    ];
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..20_000 {
        let text: Vec<&str> = (0..random.usize(0..8)).filter_map(|_| random.choice(words)).collect();
        for (tag, region) in [("en", "US"), ("de", "AT")] {
            let context = context(tag, region);
            let _ = (
                read_date(&text.join(" "), &context),
                read_time(&text.concat(), &context),
                read_datetime(&text.join(" "), &context),
            );
        }
    }
}
