//! What the filters share: arguments, and the project's settings as the scope has them.

use std::borrow::Cow;
use std::cell::RefCell;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::format::moment::Moment;
use crate::format::{Context, Locale};

use super::super::bounds;
use super::super::failure::unsuitable;
use super::super::operators::{is_list, kind};
use super::super::print::text_of;

/// The text of a value; what is not one is printed.
pub(super) fn text(value: &Value) -> Result<Cow<'_, str>, Error> {
    match value.as_str() {
        Some(text) => Ok(Cow::Borrowed(text)),
        None => text_of(value, bounds::TEXT).map(Cow::Owned),
    }
}

/// A text that a filter has made, within the bounds.
pub(super) fn made(state: &mut State, text: String) -> Result<Value, Error> {
    bounds::text(state, text.len())?;
    Ok(Value::from(text))
}

/// The entries of a list; null has none.
pub(super) fn items(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::None => Ok(Vec::new()),
        _ if is_list(value) => Ok(value.try_iter()?.collect()),
        _ => Err(unsuitable(format!("a list is needed, not {}", kind(value)))),
    }
}

/// The value of a dotted key; absent when one of its parts is.
pub(super) fn attribute(value: &Value, path: &str) -> Value {
    let mut at = value.clone();
    for key in path.split('.') {
        let next = match key.parse::<usize>() {
            Ok(index) if is_list(&at) => at.get_item_by_index(index),
            _ => at.get_attr(key),
        };
        at = match next {
            Ok(next) => next,
            Err(_) => return Value::UNDEFINED,
        };
    }
    at
}

/// A whole number that an author gave, within a range.
pub(super) fn count(value: i64, what: &str, range: std::ops::RangeInclusive<usize>) -> Result<usize, Error> {
    let count = usize::try_from(value).ok().filter(|count| range.contains(count));
    count.ok_or_else(|| unsuitable(format!("{what} is from {} to {}", range.start(), range.end())))
}

/// The project's locale; English when the scope has none.
pub(super) fn locale(state: &State) -> Locale {
    thread_local! {
        // A conversation has one locale, a server a few.
        static KNOWN: RefCell<Vec<(String, Locale)>> = const { RefCell::new(Vec::new()) };
    }
    let value = state.lookup("locale");
    let tag = value.as_ref().and_then(Value::as_str).unwrap_or("en");
    KNOWN.with_borrow_mut(|known| {
        if let Some((_, locale)) = known.iter().find(|(name, _)| name == tag) {
            return locale.clone();
        }
        let locale = Locale::parse(tag);
        if known.len() >= 16 {
            known.clear();
        }
        known.push((tag.to_owned(), locale.clone()));
        locale
    })
}

/// The project's zone; UTC when the scope has none.
pub(super) fn zone(state: &State) -> Result<Tz, Error> {
    match state.lookup("timezone") {
        Some(name) => zone_named(name.as_str().unwrap_or_default()),
        None => Ok(Tz::UTC),
    }
}

/// The zone of a name such as `Europe/Vienna`.
pub(super) fn zone_named(name: &str) -> Result<Tz, Error> {
    name.parse().map_err(|_| unsuitable("that is not a time zone; write it as Europe/Vienna"))
}

/// The time now, as the scope has it.
pub(super) fn now(state: &State) -> Result<DateTime<Utc>, Error> {
    let now = state.lookup("now");
    let moment = now.as_ref().and_then(Value::as_str).and_then(Moment::parse);
    moment.map(|moment| moment.instant(Tz::UTC)).ok_or_else(|| unsuitable("the time now is not known here"))
}

/// What reading a text depends on.
pub(super) fn context(state: &State) -> Result<Context, Error> {
    let region = region(state).unwrap_or_default();
    Ok(Context { now: now(state)?, zone: zone(state)?, locale: locale(state), region })
}

/// The project's region: what the scope says, else the locale's.
pub(super) fn region(state: &State) -> Option<String> {
    let set = setting(state, "region").and_then(|region| region.as_str().map(str::to_uppercase));
    set.or_else(|| locale(state).region())
}

/// A part of the map `legwork` of the scope.
pub(super) fn setting(state: &State, name: &str) -> Option<Value> {
    let settings = state.lookup("legwork")?;
    settings.get_attr(name).ok().filter(|value| !value.is_undefined() && !value.is_none())
}
