//! Filters of lists: sentences, sorting, sums.

use std::cmp::Ordering;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value, filters};

use crate::format::list;

use super::super::bounds;
use super::super::failure::unsuitable;
use super::super::operators::{arithmetic, is_list, kind};
use super::super::print::print;
use super::super::registry::Registry;
use super::offer::offer;
use super::order::{Key, compare, keys};
use super::support::{attribute, count, items, locale, made, text};

pub(super) fn register(registry: &mut Registry) {
    offer! { registry.filter:
        "join" = join, "the entries, or a key of each, with a text between", "['a', 'b'] | join(', ')" => "a, b";
        "and_list" = |state: &mut State, value: &Value, last: Option<String>, kwargs: Kwargs| {
            let word = list::and(&locale(state));
            sentence(state, value, last, &kwargs, word)
        }, "as in a sentence, with the locale's word for and, or another, before the last",
            "['a', 'b', 'c'] | and_list" => "a, b and c";
        "or_list" = |state: &mut State, value: &Value, last: Option<String>, kwargs: Kwargs| {
            let word = list::or(&locale(state));
            sentence(state, value, last, &kwargs, word)
        }, "as in a sentence, with the locale's word for or, or another, before the last",
            "['a', 'b'] | or_list" => "a or b";
        "length" = length, "how many entries or characters", "[1, 2] | length" => "2";
        "count" = length, "the same as length", "'abc' | count" => "3";
        "first" = first, "the first entry; absent when there is none", "[3, 4] | first" => "3";
        "last" = last, "the last entry; absent when there is none", "[3, 4] | last" => "4";
        "reverse" = reverse, "from last to first", "[1, 2] | reverse" => "[2,1]";
        "slice" = slice, "the entries from one place to another, from 0; negative ones count from the end",
            "[1, 2, 3] | slice(1, 3)" => "[2,3]";
        "batch" = batch, "in lists of so many entries", "[1, 2, 3] | batch(2)" => "[[1,2],[3]]";
        "flatten" = flatten, "the entries of the lists in a list, one level of them; null is an empty one, and what is no list stays",
            "[[1, 2], [[3]], null, 4] | flatten" => "[1,2,[3],4]";
        "sort" = sort, "sorted by the entries, or by keys, a minus sorting that one downwards; null and absent last",
            "[{'a': 1, 'b': 1}, {'a': 1, 'b': 2}] | sort('a', '-b') | map(attribute='b')" => "[2,1]";
        "unique" = filters::unique, "each entry once; texts without regard to case unless case_sensitive=true",
            "[1, 2, 1] | unique" => "[1,2]";
        "distinct" = filters::unique, "the same as unique", "['a', 'A'] | distinct(case_sensitive=true)" => "[\"a\",\"A\"]";
        "sum" = sum, "the sum of the entries, or of a key of each", "[1, 2.5] | sum" => "3.5";
        "average" = average, "the average of the entries, or of a key of each; null when there are none",
            "[1, 2] | average" => "1.5";
        "min" = |state: &mut State, value: &Value, kwargs: Kwargs| extreme(state, value, &kwargs, Ordering::Less),
            "the least entry, or the one whose key is least; null when there are none", "[3, 1] | min" => "1";
        "max" = |state: &mut State, value: &Value, kwargs: Kwargs| extreme(state, value, &kwargs, Ordering::Greater),
            "the greatest entry, or the one whose key is greatest; null when there are none", "[3, 1] | max" => "3";
    }
    offer! { registry.test:
        "lt" = |state: &State, a: &Value, b: &Value| compare(state, a, b).map(Ordering::is_lt), "whether it is less",
            "1 is lt(2)" => "true";
        "le" = |state: &State, a: &Value, b: &Value| compare(state, a, b).map(Ordering::is_le), "whether it is not more",
            "2 is le(2)" => "true";
        "gt" = |state: &State, a: &Value, b: &Value| compare(state, a, b).map(Ordering::is_gt), "whether it is more",
            "1 is gt(2)" => "false";
        "ge" = |state: &State, a: &Value, b: &Value| compare(state, a, b).map(Ordering::is_ge), "whether it is not less",
            "2 is ge(2)" => "true";
    }
}

/// The entries, or what `attribute=` says of each.
fn column(value: &Value, kwargs: &Kwargs) -> Result<Vec<Value>, Error> {
    let items = items(value)?;
    match kwargs.get::<Option<String>>("attribute")? {
        Some(path) => Ok(items.iter().map(|item| attribute(item, &path)).collect()),
        None => Ok(items),
    }
}

fn join(state: &mut State, value: &Value, between: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let items = column(value, &kwargs)?;
    let between = match between {
        Some(between) => between,
        None => kwargs.get::<Option<Value>>("d")?.unwrap_or_else(|| Value::from("")),
    };
    kwargs.assert_all_used()?;
    let between = text(&between)?;
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(&between);
        }
        print(item, &mut joined, bounds::TEXT)?;
    }
    made(state, joined)
}

fn sentence(state: &mut State, value: &Value, last: Option<String>, kwargs: &Kwargs, word: &str) -> Result<Value, Error> {
    let items = column(value, kwargs)?;
    let last = match last {
        Some(last) => Some(last),
        None => kwargs.get::<Option<String>>("last")?,
    };
    kwargs.assert_all_used()?;
    let mut room = bounds::TEXT;
    let mut texts = Vec::with_capacity(items.len());
    for item in &items {
        let item = text(item)?;
        room = room.checked_sub(item.len()).ok_or_else(bounds::too_large)?;
        texts.push(item);
    }
    made(state, list::joined(&texts, last.as_deref().unwrap_or(word)))
}

fn length(value: &Value) -> Result<usize, Error> {
    match (value.is_none(), value.len()) {
        (true, _) => Ok(0),
        (false, Some(length)) => Ok(length),
        (false, None) if value.kind() == ValueKind::Iterable => Ok(items(value)?.len()),
        (false, None) => Err(unsuitable(format!("{} has no length", kind(value)))),
    }
}

fn first(value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().next().map_or(Value::UNDEFINED, Value::from)),
        None => Ok(items(value)?.into_iter().next().unwrap_or(Value::UNDEFINED)),
    }
}

fn last(value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().next_back().map_or(Value::UNDEFINED, Value::from)),
        None => Ok(items(value)?.pop().unwrap_or(Value::UNDEFINED)),
    }
}

fn reverse(value: &Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(Value::from(text.chars().rev().collect::<String>())),
        None => Ok(items(value)?.into_iter().rev().collect::<Vec<_>>().into()),
    }
}

fn slice(value: &Value, start: i64, stop: Option<i64>) -> Result<Value, Error> {
    let place = |at: i64, length: usize| {
        let end = i64::try_from(length).unwrap_or(i64::MAX);
        usize::try_from(if at < 0 { at.saturating_add(end) } else { at }.clamp(0, end)).unwrap_or(length)
    };
    let part = |length: usize| {
        let start = place(start, length);
        let stop = stop.map_or(length, |stop| place(stop, length));
        (start, stop.saturating_sub(start))
    };
    if let Some(text) = value.as_str() {
        let (skip, take) = part(text.chars().count());
        return Ok(Value::from(text.chars().skip(skip).take(take).collect::<String>()));
    }
    let items = items(value)?;
    let (skip, take) = part(items.len());
    Ok(items.into_iter().skip(skip).take(take).collect::<Vec<_>>().into())
}

fn batch(value: &Value, size: i64) -> Result<Value, Error> {
    let size = count(size, "the size of a batch", 1..=bounds::LIST)?;
    Ok(items(value)?.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect::<Vec<_>>().into())
}

fn flatten(state: &mut State, value: &Value) -> Result<Value, Error> {
    let mut flat = Vec::new();
    for item in items(value)? {
        let more = if item.is_none() || is_list(&item) { items(&item)? } else { vec![item] };
        let all = flat.len() + more.len();
        bounds::list(state, if all > bounds::LIST { all } else { more.len() })?;
        flat.extend(more);
    }
    Ok(flat.into())
}

fn sort(
    state: &mut State,
    value: &Value,
    by: minijinja::value::Rest<minijinja::value::ValueOrKwargs>,
) -> Result<Value, Error> {
    let args = by.into_values();
    let (by, kwargs) = minijinja::value::from_args::<(&[Value], Kwargs)>(&args)?;
    let mut paths = by.iter().map(|path| text(path).map(|path| path.into_owned())).collect::<Result<Vec<_>, _>>()?;
    for name in ["by", "attribute"] {
        if let Some(path) = kwargs.get::<Option<String>>(name)? {
            paths.extend(path.split(',').map(|path| path.trim().to_owned()));
        }
    }
    let reverse = kwargs.get::<Option<bool>>("reverse")?.unwrap_or(false);
    let case_sensitive = kwargs.get::<Option<bool>>("case_sensitive")?.unwrap_or(false);
    kwargs.assert_all_used()?;

    let items = items(value)?;
    bounds::work(state, items.len().saturating_mul(8), 0)?;
    let mut columns: Vec<(Vec<Key>, bool)> = Vec::new();
    if paths.is_empty() {
        columns.push((keys(state, &items, case_sensitive)?, reverse));
    }
    for path in &paths {
        bounds::work(state, items.len(), 0)?;
        let (path, down) = path.strip_prefix('-').map_or((path.as_str(), false), |path| (path, true));
        let values: Vec<Value> = items.iter().map(|item| attribute(item, path)).collect();
        columns.push((keys(state, &values, case_sensitive)?, down != reverse));
    }
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by(|a, b| {
        let orders = columns.iter().map(|(keys, down)| match (keys.get(*a), keys.get(*b)) {
            (Some(a), Some(b)) if *down && *a != Key::Nothing && *b != Key::Nothing => b.cmp(a),
            (a, b) => a.cmp(&b),
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    Ok(places.into_iter().filter_map(|place| items.get(place).cloned()).collect::<Vec<_>>().into())
}

fn added(values: &[Value]) -> Result<Value, Error> {
    values.iter().try_fold(Value::from(0), |sum, value| {
        let refused = || unsuitable(format!("only numbers can be summed, not {}", kind(value)));
        arithmetic(&sum, value, i128::checked_add, |a, b| a + b).ok_or_else(refused)
    })
}

fn sum(value: &Value, kwargs: Kwargs) -> Result<Value, Error> {
    let values = column(value, &kwargs)?;
    kwargs.assert_all_used()?;
    added(&values)
}

fn average(value: &Value, kwargs: Kwargs) -> Result<Value, Error> {
    let values = column(value, &kwargs)?;
    kwargs.assert_all_used()?;
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    match (count, f64::try_from(added(&values)?)) {
        (0, _) => Ok(Value::from(())),
        (_, Ok(sum)) => Ok(Value::from(sum / f64::from(count))),
        (_, Err(_)) => Err(unsuitable("the sum is too large")),
    }
}

fn extreme(state: &mut State, value: &Value, kwargs: &Kwargs, wanted: Ordering) -> Result<Value, Error> {
    let values = column(value, kwargs)?;
    kwargs.assert_all_used()?;
    let keys = keys(state, &values, true)?;
    let mut best: Option<(&Key, usize)> = None;
    for (place, key) in keys.iter().enumerate().filter(|(_, key)| **key != Key::Nothing) {
        if best.is_none_or(|(than, _)| key.cmp(than) == wanted) {
            best = Some((key, place));
        }
    }
    Ok(best.and_then(|(_, place)| items(value).ok()?.get(place).cloned()).unwrap_or(Value::from(())))
}
