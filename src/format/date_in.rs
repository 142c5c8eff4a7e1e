//! Dates and times as people write them in a chat, in English and German.
//!
//! Every word must be understood: a text that says more than a date and a time is refused rather than half read. A date
//! without a year is one of this year; a weekday, with or without `next`, is the first after today; `20/01/2026` is read as
//! the region does, and the other way round when only that gives a date.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use super::context::{Context, Refusal};
use super::locale::Language;
use super::moment::{Moment, Unit, in_zone};
use super::time_in;
use super::tokens::{Token, Tokens};
use super::words::{count_of, month, weekday};

/// The day that a text says.
///
/// # Errors
/// When it says none, or more than that.
pub fn read_date(text: &str, context: &Context) -> Result<NaiveDate, Refusal> {
    let said = understood(text, context).ok_or_else(|| Refusal::new("not a date"))?;
    said.date.ok_or_else(|| Refusal::new("a time without a date"))
}

/// The time of day that a text says.
///
/// # Errors
/// When it says none, or more than that.
pub fn read_time(text: &str, context: &Context) -> Result<NaiveTime, Refusal> {
    let said = understood(text, context).ok_or_else(|| Refusal::new("not a time of day"))?;
    said.time.ok_or_else(|| Refusal::new("a date without a time of day"))
}

/// The moment that a text says, on the clocks of the context's zone; a time without a date is the next one.
///
/// # Errors
/// When it says no time of day, or more than that.
pub fn read_datetime(text: &str, context: &Context) -> Result<DateTime<Tz>, Refusal> {
    let said = understood(text, context).ok_or_else(|| Refusal::new("not a date with a time"))?;
    let today = context.now.with_timezone(&context.zone).date_naive();
    if let Some(Moment::Zoned(exact)) = said.exact {
        return Ok(exact.with_timezone(&context.zone));
    }
    match (said.date, said.time) {
        (_, None) => Err(Refusal::new("a date without a time of day")),
        (Some(date), Some(time)) => Ok(in_zone(date.and_time(time), context.zone)),
        (None, Some(time)) => {
            let first = in_zone(today.and_time(time), context.zone);
            let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
            Ok(if first > context.now { first } else { in_zone(tomorrow.and_time(time), context.zone) })
        }
    }
}

/// What a text says.
#[derive(Default)]
struct Said {
    date: Option<NaiveDate>,
    time: Option<NaiveTime>,
    exact: Option<Moment>,
    /// A weekday, which an explicit date outweighs.
    day: Option<NaiveDate>,
}

fn understood(text: &str, context: &Context) -> Option<Said> {
    if let Some(moment) = Moment::parse(text) {
        // An instant from elsewhere is a day and a time here.
        let here = match moment {
            Moment::Zoned(_) => moment.in_zone(context.zone),
            other => other,
        };
        return Some(Said { date: Some(here.date()), time: here.time(), exact: Some(here), day: None });
    }
    let mut tokens = Tokens::of(text)?;
    let reader = Reader { context, today: context.now.with_timezone(&context.zone).date_naive() };
    let mut said = Said::default();
    while !tokens.done() {
        reader.piece(&mut tokens, &mut said)?;
    }
    said.date = said.date.or(said.day);
    (said.date.is_some() || said.time.is_some()).then_some(said)
}

struct Reader<'a> {
    context: &'a Context,
    today: NaiveDate,
}

impl Reader<'_> {
    fn language(&self) -> Language {
        self.context.locale.language()
    }

    /// Reads one piece into what has been said; nothing when it is not understood or said twice.
    fn piece(&self, tokens: &mut Tokens, said: &mut Said) -> Option<()> {
        if let Some(moment) = tokens.attempt(|tokens| self.distance(tokens)) {
            return match moment {
                Moment::Date(date) => said.date.replace(date).is_none().then_some(()),
                exact => {
                    (said.date.replace(exact.date()).is_none() && said.time.replace(exact.time()?).is_none())
                        .then_some(())?;
                    said.exact = Some(exact);
                    Some(())
                }
            };
        }
        if let Some(date) = tokens.attempt(|tokens| self.named_day(tokens).or_else(|| tokens.attempt(|t| self.calendar(t))))
        {
            return said.date.replace(date).is_none().then_some(());
        }
        if let Some(day) = tokens.attempt(|tokens| self.weekday(tokens)) {
            return said.day.replace(day).is_none().then_some(());
        }
        if let Some(time) = time_in::time(tokens, self.language()) {
            return said.time.replace(time).is_none().then_some(());
        }
        if let Some(date) = tokens.attempt(|tokens| self.day_of_month(tokens)) {
            return said.date.replace(date).is_none().then_some(());
        }
        tokens.skip(&["on", "the", "at", "of", "am", "um", "den", "der", "dem", "gegen", "by", "for"]).then_some(())
    }

    /// `now`, `in two weeks`, `3 days ago`, `vor einer Stunde`, `next month`.
    fn distance(&self, tokens: &mut Tokens) -> Option<Moment> {
        let zone = self.context.zone;
        let now = Moment::Zoned(self.context.now.with_timezone(&zone).fixed_offset());
        if tokens.skip(&["now", "jetzt"]) {
            return Some(now);
        }
        if let Some(sign) = tokens.attempt(|tokens| tokens.take(which)) {
            let unit = tokens.take(Unit::parse).filter(|unit| matches!(unit, Unit::Week | Unit::Month | Unit::Year))?;
            if unit == Unit::Week
                && let Some(day) = tokens.attempt(|tokens| tokens.take(|word| weekday(word, self.language())))
            {
                return Some(Moment::Date(self.of_week(sign, day)?));
            }
            return Moment::Date(self.today).add(sign, unit, zone);
        }
        let ahead = tokens.take(|word| match word {
            "in" => Some(1),
            "vor" => Some(-1),
            _ => None,
        });
        let count = tokens.number().map(|(count, _)| i64::from(count)).or_else(|| tokens.take(|word| self.count(word)))?;
        let unit = tokens.take(Unit::parse)?;
        let sign = match ahead {
            Some(sign) => sign,
            None if tokens.skip(&["ago"]) => -1,
            None if tokens.skip(&["from"]) => tokens.skip(&["now"]).then_some(1)?,
            None => return None,
        };
        let from = match unit {
            Unit::Second | Unit::Minute | Unit::Hour => now,
            _ => Moment::Date(self.today),
        };
        from.add(sign * count, unit, zone)
    }

    fn count(&self, word: &str) -> Option<i64> {
        match word {
            "a" | "an" if self.language() == Language::English => Some(1),
            _ => count_of(word, self.language()),
        }
    }

    /// `today`, `day after tomorrow`, `übermorgen`.
    fn named_day(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        let offset = tokens.attempt(|tokens| {
            tokens.skip(&["the"]);
            tokens.skip(&["day"]).then_some(())?;
            let after = tokens.take(|word| match word {
                "after" => Some(1),
                "before" => Some(-1),
                _ => None,
            })?;
            tokens.take(|word| matches!((word, after), ("tomorrow", 1) | ("yesterday", -1)).then_some(2 * after))
        });
        let offset = offset.or_else(|| {
            tokens.take(|word| match word {
                "today" | "tonight" | "heute" => Some(0),
                "tomorrow" | "morgen" => Some(1),
                "übermorgen" | "uebermorgen" => Some(2),
                "yesterday" | "gestern" => Some(-1),
                "vorgestern" => Some(-2),
                _ => None,
            })
        })?;
        self.today.checked_add_signed(Duration::days(offset))
    }

    /// `Friday`, `next Friday`, `nächsten Freitag`, `last Friday`, `Friday next week`.
    fn weekday(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        tokens.skip(&["on", "am"]);
        let sign =
            tokens.take(|word| which(word).or_else(|| matches!(word, "this" | "diesen" | "diesem" | "dieser").then_some(1)));
        let day = tokens.take(|word| weekday(word, self.language()))?;
        tokens.mark('.');
        let week = tokens.attempt(|tokens| {
            let sign = tokens.take(which)?;
            tokens.take(Unit::parse).filter(|unit| *unit == Unit::Week)?;
            Some(sign)
        });
        if let Some(week) = week.filter(|_| sign.is_none()) {
            return self.of_week(week, day);
        }
        let days = match sign {
            Some(-1) => -i64::from((self.today.weekday().days_since(day) + 6) % 7 + 1),
            _ => i64::from((day.days_since(self.today.weekday()) + 6) % 7 + 1),
        };
        self.today.checked_add_signed(Duration::days(days))
    }

    /// That weekday of the week which is so many weeks from this one.
    fn of_week(&self, weeks: i64, day: Weekday) -> Option<NaiveDate> {
        let monday = self.today.checked_sub_days(Days::new(u64::from(self.today.weekday().num_days_from_monday())))?;
        monday.checked_add_signed(Duration::days(weeks * 7 + i64::from(day.num_days_from_monday())))
    }

    /// `Jan 20`, `20. Januar 2026`, `the 20th of January`, `March`, `20.01.2026`, `01/20/2026`, `20.1.`.
    fn calendar(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        tokens
            .attempt(|tokens| self.month_first(tokens))
            .or_else(|| tokens.attempt(|tokens| self.day_first(tokens)))
            .or_else(|| self.digits(tokens))
    }

    fn month_first(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        tokens.skip(&["in", "im"]);
        let month = self.month(tokens)?;
        tokens.mark('.');
        let day = tokens.attempt(|tokens| {
            tokens.skip(&["the"]);
            let (day, width) = tokens.number()?;
            // `15:30` or `3 pm` after a month is a time.
            let time = tokens.peek() == Some(&Token::Mark(':')) || tokens.clone().skip(&["am", "pm", "uhr"]);
            tokens.skip(&["st", "nd", "rd", "th"]);
            (width <= 2 && !time).then_some(day)
        });
        let year = self.year(tokens);
        NaiveDate::from_ymd_opt(year, month, day.unwrap_or(1))
    }

    fn day_first(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        tokens.skip(&["the", "am", "den", "der", "dem"]);
        let (day, width) = tokens.number()?;
        tokens.skip(&["st", "nd", "rd", "th"]);
        tokens.mark('.');
        tokens.mark('-');
        tokens.skip(&["of"]);
        let month = self.month(tokens)?;
        tokens.mark('.');
        tokens.mark('-');
        let year = self.year(tokens);
        (width <= 2).then(|| NaiveDate::from_ymd_opt(year, month, day))?
    }

    fn month(&self, tokens: &mut Tokens) -> Option<u32> {
        tokens.take(|word| month(word, self.language()))
    }

    fn year(&self, tokens: &mut Tokens) -> i32 {
        let year = tokens.attempt(|tokens| tokens.number().filter(|(_, width)| *width == 4));
        year.and_then(|(year, _)| i32::try_from(year).ok()).unwrap_or_else(|| self.today.year())
    }

    fn digits(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        let (first, width) = tokens.number()?;
        let mark = ['.', '/', '-'].into_iter().find(|mark| tokens.mark(*mark))?;
        let (second, _) = tokens.number()?;
        let third = match tokens.mark(mark) {
            true => tokens.attempt(Tokens::number),
            false if mark == '.' => return None,
            false => None,
        };
        if width == 4 {
            return third.and_then(|(day, _)| NaiveDate::from_ymd_opt(i32::try_from(first).ok()?, second, day));
        }
        let year = match third {
            None if mark == '-' => return None,
            None => self.today.year(),
            Some((year, 4)) => i32::try_from(year).ok()?,
            Some((year, 2)) => i32::try_from(year).ok()? + if year < 70 { 2000 } else { 1900 },
            Some(_) => return None,
        };
        let month_first = mark != '.' && matches!(self.context.region.as_str(), "US" | "PH" | "PW" | "FM" | "MH");
        let date = |day, month| NaiveDate::from_ymd_opt(year, month, day);
        match month_first {
            true => date(second, first).or_else(|| date(first, second)),
            false => date(first, second).or_else(|| if mark == '.' { None } else { date(second, first) }),
        }
    }

    /// `the 20th`, `am 20.`: of this month, or the next when it has passed.
    fn day_of_month(&self, tokens: &mut Tokens) -> Option<NaiveDate> {
        tokens.skip(&["on"]);
        let announced = tokens.skip(&["the", "am", "den"]);
        let (day, width) = tokens.number()?;
        let ordinal = tokens.skip(&["st", "nd", "rd", "th"]) || tokens.mark('.');
        if width > 2 || !ordinal || !(announced || tokens.done()) {
            return None;
        }
        let this = self.today.with_day(day).filter(|date| *date >= self.today);
        this.or_else(|| Moment::Date(self.today.with_day(1)?).add(1, Unit::Month, self.context.zone)?.date().with_day(day))
    }
}

/// One period on or back.
fn which(word: &str) -> Option<i64> {
    match word {
        "next" | "coming" | "nächste" | "nächsten" | "nächster" | "nächstes" | "nächstem" | "kommende" | "kommenden"
        | "kommender" => Some(1),
        "last" | "previous" | "letzte" | "letzten" | "letzter" | "letztes" | "letztem" | "vorigen" | "vorige" => Some(-1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
