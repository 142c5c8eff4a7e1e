//! The operators that replace the engine's: bounded, and failing where the engine would guess.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::bounds;
use super::failure::{FailedKind, fail, unsuitable};
use super::filters::compare;
use super::print::text_of;

/// The operators with the names that [`super::rewrite`] gives them.
pub(super) fn operators() -> Vec<(&'static str, Value)> {
    vec![
        ("+", Value::from_function(plus)),
        ("*", Value::from_function(times)),
        ("~", Value::from_function(concat)),
        ("<", Value::from_function(|state: &mut State, a: &Value, b: &Value| order(state, "<", a, b, Ordering::is_lt))),
        ("<=", Value::from_function(|state: &mut State, a: &Value, b: &Value| order(state, "<=", a, b, Ordering::is_le))),
        (">", Value::from_function(|state: &mut State, a: &Value, b: &Value| order(state, ">", a, b, Ordering::is_gt))),
        (">=", Value::from_function(|state: &mut State, a: &Value, b: &Value| order(state, ">=", a, b, Ordering::is_ge))),
    ]
}

fn plus(state: &mut State, a: &Value, b: &Value) -> Result<Value, Error> {
    present("+", a, b)?;
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        bounds::text(state, a.len() + b.len())?;
        return Ok(Value::from([a, b].concat()));
    }
    if is_list(a) && is_list(b) {
        let entries = a.len().unwrap_or(bounds::LIST + 1).saturating_add(b.len().unwrap_or(bounds::LIST + 1));
        bounds::list(state, entries)?;
        return Ok(a.try_iter()?.chain(b.try_iter()?).collect::<Vec<_>>().into());
    }
    arithmetic(a, b, i128::checked_add, |a, b| a + b).ok_or_else(|| {
        let cure = if a.as_str().is_some() || b.as_str().is_some() { "; texts are joined with ~" } else { "" };
        unsuitable(format!("cannot add {} and {}{cure}", kind(a), kind(b)))
    })
}

fn times(state: &mut State, a: &Value, b: &Value) -> Result<Value, Error> {
    present("*", a, b)?;
    for (thing, count) in [(a, b), (b, a)] {
        let Some(count) = count.as_usize().filter(|_| count.is_integer()) else { continue };
        if let Some(text) = thing.as_str() {
            bounds::text(state, text.len().saturating_mul(count))?;
            return Ok(Value::from(text.repeat(count)));
        }
        if is_list(thing) {
            bounds::list(state, thing.len().unwrap_or(bounds::LIST + 1).saturating_mul(count))?;
            let items: Vec<Value> = thing.try_iter()?.collect();
            return Ok(std::iter::repeat_n(items, count).flatten().collect::<Vec<_>>().into());
        }
    }
    let product = arithmetic(a, b, i128::checked_mul, |a, b| a * b);
    product.ok_or_else(|| unsuitable(format!("cannot multiply {} and {}", kind(a), kind(b))))
}

fn concat(state: &mut State, a: &Value, b: &Value) -> Result<Value, Error> {
    present("~", a, b)?;
    let mut text = text_of(a, bounds::TEXT)?;
    super::print::print(b, &mut text, bounds::TEXT)?;
    bounds::text(state, text.len())?;
    Ok(Value::from(text))
}

fn order(state: &mut State, name: &str, a: &Value, b: &Value, holds: fn(Ordering) -> bool) -> Result<bool, Error> {
    present(name, a, b)?;
    compare(state, a, b).map(holds)
}

/// The result of an operator on two numbers, whole when both are; nothing when one is no number or the result too large.
pub(super) fn arithmetic(a: &Value, b: &Value, whole: fn(i128, i128) -> Option<i128>, real: fn(f64, f64) -> f64) -> Option<Value> {
    if a.kind() != ValueKind::Number || b.kind() != ValueKind::Number {
        return None;
    }
    if a.is_integer() && b.is_integer() {
        let exact = whole(i128::try_from(a.clone()).ok()?, i128::try_from(b.clone()).ok()?)?;
        return Some(i64::try_from(exact).map_or_else(|_| Value::from(exact), Value::from));
    }
    Some(Value::from(real(f64::try_from(a.clone()).ok()?, f64::try_from(b.clone()).ok()?)))
}

fn present(operator: &str, a: &Value, b: &Value) -> Result<(), Error> {
    match a.is_undefined() || b.is_undefined() {
        true => Err(fail(FailedKind::Undefined, format!("one side of {operator} is absent"))),
        false => Ok(()),
    }
}

pub(super) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "something absent",
        ValueKind::None => "null",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String => "a text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "something that is not data",
    }
}
