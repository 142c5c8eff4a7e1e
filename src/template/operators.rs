//! The operators that replace the engine's: bounded, and failing where the engine would guess.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};

use super::bounds;
use super::failure::{FailedKind, fail, unsuitable};
use super::filters::compare;
use super::print::text_of;

/// Adds the operators under the names that [`super::rewrite`] gives them, none of which can be written as a filter.
pub(super) fn register(environment: &mut Environment<'_>) {
    environment.add_filter("+", plus);
    environment.add_filter("*", times);
    environment.add_filter("~", concat);
    environment.add_filter("[:]", cut);
    environment.add_filter("∈", is_in);
    environment.add_filter("<", |state: &mut State, a: &Value, b: &Value| order(state, "<", a, b, Ordering::is_lt));
    environment.add_filter("<=", |state: &mut State, a: &Value, b: &Value| order(state, "<=", a, b, Ordering::is_le));
    environment.add_filter(">", |state: &mut State, a: &Value, b: &Value| order(state, ">", a, b, Ordering::is_gt));
    environment.add_filter(">=", |state: &mut State, a: &Value, b: &Value| order(state, ">=", a, b, Ordering::is_ge));
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

pub(super) fn concat(state: &mut State, a: &Value, b: &Value) -> Result<Value, Error> {
    present("~", a, b)?;
    let mut text = text_of(a, bounds::TEXT)?;
    super::print::print(b, &mut text, bounds::TEXT)?;
    bounds::text(state, text.len())?;
    Ok(Value::from(text))
}

/// `value[start:stop:step]`, as Python has it. Null is an empty list.
pub(super) fn cut(state: &mut State, value: &Value, start: &Value, stop: &Value, step: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(fail(FailedKind::Undefined, "what is sliced is absent"));
    }
    let place = |at: &Value| match at.is_none() {
        true => Ok(None),
        false => at.as_i64().map(Some).ok_or_else(|| unsuitable("the bounds of a slice are whole numbers")),
    };
    let (start, stop, step) = (place(start)?, place(stop)?, place(step)?.unwrap_or(1));
    if step == 0 {
        return Err(unsuitable("the step of a slice cannot be 0"));
    }
    if let Some(text) = value.as_str() {
        bounds::work(state, 0, text.len())?;
        let chars: Vec<char> = text.chars().collect();
        let places = places(start, stop, step, chars.len());
        return Ok(Value::from(places.filter_map(|at| chars.get(at)).collect::<String>()));
    }
    let items: Vec<Value> = match () {
        () if value.is_none() => Vec::new(),
        () if is_list(value) => value.try_iter()?.collect(),
        () => return Err(unsuitable(format!("{} cannot be sliced", kind(value)))),
    };
    bounds::work(state, items.len(), 0)?;
    Ok(places(start, stop, step, items.len()).filter_map(|at| items.get(at).cloned()).collect::<Vec<_>>().into())
}

/// The places of a slice in something of that length.
fn places(start: Option<i64>, stop: Option<i64>, step: i64, length: usize) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (least, most) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let border = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(least, most);
    let (from, to) = match step > 0 {
        true => (start.map_or(0, border), stop.map_or(length, border)),
        false => (start.map_or(length - 1, border), stop.map_or(-1, border)),
    };
    let before = move |at: &i64| if step > 0 { *at < to } else { *at > to };
    std::iter::successors(Some(from), move |at| at.checked_add(step))
        .take_while(before)
        .filter_map(|at| usize::try_from(at).ok())
}

/// Whether a value is among the entries of a list, the keys of a map, or a part of a text. Null has nothing in it.
pub(super) fn is_in(state: &mut State, value: &Value, among: &Value) -> Result<bool, Error> {
    present("in", value, among)?;
    bounds::work(state, among.len().unwrap_or(0), 0)?;
    match (value.as_str(), among.as_str()) {
        (Some(part), Some(whole)) => Ok(whole.contains(part)),
        _ if among.is_none() => Ok(false),
        _ if is_list(among) || among.kind() == ValueKind::Map => Ok(among.try_iter()?.any(|entry| entry == *value)),
        _ => Err(unsuitable(format!("{} is not in {}", kind(value), kind(among)))),
    }
}

fn order(state: &mut State, name: &str, a: &Value, b: &Value, holds: fn(Ordering) -> bool) -> Result<bool, Error> {
    present(name, a, b)?;
    compare(state, a, b).map(holds)
}

/// The result of an operator on two numbers, whole when both are; nothing when one is no number or the result too large.
pub(super) fn arithmetic(
    a: &Value,
    b: &Value,
    whole: fn(i128, i128) -> Option<i128>,
    real: fn(f64, f64) -> f64,
) -> Option<Value> {
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
