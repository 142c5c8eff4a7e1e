//! The order of values: for `<` and its like, for `sort`, `min` and `max`.
//!
//! Only like is compared with like. ISO dates are ordered as moments, other texts by their letters.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::format::moment::Moment;

use super::super::failure::unsuitable;
use super::super::operators::kind;
use super::support::zone;

/// The order of two values.
///
/// # Errors
/// When they are of different kinds, or of a kind that has no order.
pub(in super::super) fn compare(state: &State, a: &Value, b: &Value) -> Result<Ordering, Error> {
    match (a.kind(), b.kind()) {
        (ValueKind::Number, ValueKind::Number) | (ValueKind::Bool, ValueKind::Bool) => Ok(a.cmp(b)),
        (ValueKind::String, ValueKind::String) => {
            let (a, b) = (a.as_str().unwrap_or_default(), b.as_str().unwrap_or_default());
            match (Moment::parse(a), Moment::parse(b)) {
                (Some(a), Some(b)) => {
                    let zone = zone(state)?;
                    Ok(a.instant(zone).cmp(&b.instant(zone)))
                }
                _ => Ok(a.cmp(b)),
            }
        }
        (ValueKind::Seq, ValueKind::Seq) => Ok(a.cmp(b)),
        (ValueKind::String, ValueKind::Number) | (ValueKind::Number, ValueKind::String) => {
            Err(unsuitable("cannot compare a text with a number; `text | to_number` makes it one"))
        }
        _ => Err(unsuitable(format!("cannot compare {} with {}", kind(a), kind(b)))),
    }
}

/// A value as something that sorts. The order of keys of one [`Column`] is total, which sorting relies on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Bool(bool),
    Number(Value),
    Moment(DateTime<Utc>),
    Text(String),
    /// Null and what is absent stand last, whichever way the sorting goes.
    Nothing,
}

/// The keys of a list's entries, all of one kind.
pub(super) fn keys(state: &State, values: &[Value], case_sensitive: bool) -> Result<Vec<Key>, Error> {
    let zone = zone(state)?;
    let mut kinds = values.iter().filter(|value| !nothing(value)).map(Value::kind);
    let first = kinds.next();
    if let Some(first) = first
        && let Some(other) = kinds.find(|kind| *kind != first)
    {
        return Err(unsuitable(format!("a list with both {first} and {other} cannot be sorted")));
    }
    let texts = || values.iter().filter_map(Value::as_str);
    let moments = first == Some(ValueKind::String) && texts().all(|text| Moment::parse(text).is_some());
    values.iter().map(|value| key(value, moments, case_sensitive, zone)).collect()
}

fn nothing(value: &Value) -> bool {
    value.is_none() || value.is_undefined()
}

fn key(value: &Value, moments: bool, case_sensitive: bool, zone: Tz) -> Result<Key, Error> {
    Ok(match value.kind() {
        _ if nothing(value) => Key::Nothing,
        ValueKind::Bool => Key::Bool(value.is_true()),
        ValueKind::Number => Key::Number(value.clone()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            match Moment::parse(text).filter(|_| moments) {
                Some(moment) => Key::Moment(moment.instant(zone)),
                None if case_sensitive => Key::Text(text.to_owned()),
                None => Key::Text(text.to_lowercase()),
            }
        }
        _ => return Err(unsuitable(format!("{} has no order; sort by one of its keys", kind(value)))),
    })
}
