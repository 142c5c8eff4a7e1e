//! Times of day as people write them: `3pm`, `15:30`, `noon`, `15 Uhr 30`, `halb vier`. Read out of [`Tokens`] only.

use chrono::NaiveTime;

use super::locale::Language;
use super::tokens::Tokens;
use super::words::count_of;

/// The time of day at the place, if one begins there.
pub(super) fn time(tokens: &mut Tokens, language: Language) -> Option<NaiveTime> {
    tokens
        .attempt(named)
        .or_else(|| tokens.attempt(|tokens| halves(tokens, language)))
        .or_else(|| tokens.attempt(|tokens| clock(tokens, language)))
}

fn named(tokens: &mut Tokens) -> Option<NaiveTime> {
    let hour = tokens.take(|word| match word {
        "noon" | "midday" | "mittag" | "mittags" => Some(12),
        "midnight" | "mitternacht" => Some(0),
        _ => None,
    })?;
    NaiveTime::from_hms_opt(hour, 0, 0)
}

/// `half past 3`, `quarter to four pm`, `halb vier`, `viertel nach drei`.
fn halves(tokens: &mut Tokens, language: Language) -> Option<NaiveTime> {
    enum Kind {
        HalfPast,
        HalfTo,
        Quarter,
    }
    let kind = tokens.take(|word| match word {
        "half" => Some(Kind::HalfPast),
        "halb" => Some(Kind::HalfTo),
        "quarter" | "viertel" => Some(Kind::Quarter),
        _ => None,
    })?;
    let minutes: i32 = match kind {
        Kind::HalfTo => -30,
        Kind::HalfPast => tokens.skip(&["past"]).then_some(30)?,
        Kind::Quarter => tokens.take(|word| match word {
            "past" | "nach" => Some(15),
            "to" | "vor" => Some(-15),
            _ => None,
        })?,
    };
    let hour = hour(tokens, language)?;
    let hour = meridiem(tokens, hour).unwrap_or(Some(hour))?;
    let all = i32::try_from(hour).ok()? * 60 + minutes;
    let all = u32::try_from(all.rem_euclid(24 * 60)).ok()?;
    NaiveTime::from_hms_opt(all / 60, all % 60, 0)
}

fn hour(tokens: &mut Tokens, language: Language) -> Option<u32> {
    let number = tokens.number().map(|(value, _)| value);
    number
        .or_else(|| tokens.take(|word| count_of(word, language)).and_then(|count| u32::try_from(count).ok()))
        .filter(|hour| *hour <= 24)
}

/// `15:30`, `15:30:10`, `3pm`, `3.30 pm`, `15 Uhr 30`, `3 o'clock`, `at 15`. A bare number is never a time.
fn clock(tokens: &mut Tokens, language: Language) -> Option<NaiveTime> {
    let announced = tokens.skip(&["at", "um", "gegen"]);
    let hour = hour(tokens, language)?;
    let colon = tokens.attempt(|tokens| {
        tokens.mark(':').then_some(())?;
        let (minute, width) = tokens.number()?;
        (width == 2).then_some(minute)
    });
    if let Some(minute) = colon {
        let second = tokens.attempt(|tokens| tokens.mark(':').then(|| tokens.number().map(|(second, _)| second))?);
        let hour = meridiem(tokens, hour).unwrap_or(Some(hour))?;
        tokens.skip(&["uhr", "h"]);
        return NaiveTime::from_hms_opt(hour, minute, second.unwrap_or(0));
    }
    let dotted = tokens.attempt(|tokens| {
        tokens.mark('.').then_some(())?;
        let minute = tokens.number().filter(|(_, width)| *width == 2)?.0;
        let hour = meridiem(tokens, hour).or_else(|| tokens.skip(&["uhr"]).then_some(Some(hour)))??;
        NaiveTime::from_hms_opt(hour, minute, 0)
    });
    if dotted.is_some() {
        return dotted;
    }
    if let Some(hour) = meridiem(tokens, hour) {
        return NaiveTime::from_hms_opt(hour?, 0, 0);
    }
    if tokens.skip(&["uhr"]) {
        let minute = tokens.attempt(|tokens| tokens.number().map(|(minute, _)| minute).filter(|minute| *minute < 60));
        return NaiveTime::from_hms_opt(hour % 24, minute.unwrap_or(0), 0);
    }
    // Three in the afternoon or at night? In English only the clock of 24 hours says.
    let clear = hour > 12 || hour == 0 || language == Language::German;
    let oclock = tokens.skip(&["o'clock", "oclock"]);
    ((announced || oclock) && clear).then(|| NaiveTime::from_hms_opt(hour % 24, 0, 0))?
}

/// `am` or `pm` after an hour: the hour of 24, or nothing inside when there is no such hour.
fn meridiem(tokens: &mut Tokens, hour: u32) -> Option<Option<u32>> {
    let afternoon = tokens.attempt(|tokens| {
        let word = tokens.word()?;
        match word.as_str() {
            "am" => Some(false),
            "pm" => Some(true),
            "a" | "p" => {
                tokens.mark('.');
                tokens.skip(&["m"]).then_some(word == "p")
            }
            _ => None,
        }
    })?;
    tokens.mark('.');
    Some((1..=12).contains(&hour).then(|| hour % 12 + if afternoon { 12 } else { 0 }))
}
