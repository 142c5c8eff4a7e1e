//! Regular expressions: bounded in size when compiled, in time by their engine, and kept once compiled.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use minijinja::{Error, State, Value};
use regex::{Captures, Regex, RegexBuilder};

use super::super::bounds;
use super::super::failure::unsuitable;
use super::super::registry::Registry;
use super::offer::offer;
use super::support::{made, text};

/// How many compiled expressions are kept.
const KEPT: usize = 200;
/// The size of a compiled expression, in bytes.
const SIZE: usize = 256 * 1024;

static COMPILED: LazyLock<RwLock<HashMap<String, Arc<Regex>>>> = LazyLock::new(RwLock::default);

pub(super) fn register(registry: &mut Registry) {
    offer! { registry.mapper:
        "regex_find" = find, "the first match, its capture if the pattern has one; null when there is none",
            "'order #1001' | regex_find('#([0-9]+)')" => "1001";
        "regex_findall" = find_all, "all matches, the captures if the pattern has one",
            "'1 and 22' | regex_findall('[0-9]+')" => "[\"1\",\"22\"]";
        "regex_replace" = replace, "with every match replaced, $1 being its capture",
            "'2026-01' | regex_replace('([0-9]+)-([0-9]+)', '$2/$1')" => "01/2026";
    }
    offer! { registry.test:
        "regex_match" = matches,
            "whether a text has a match; ^ and $ bind it to the ends", "'1001' is regex_match('^[0-9]{4}$')" => "true";
    }
}

/// Checks a pattern.
///
/// # Errors
/// A text for the author.
pub(in super::super) fn check(pattern: &str) -> Result<(), String> {
    build(pattern).map(|_| ())
}

fn build(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(SIZE).dfa_size_limit(SIZE).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
        error => {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("not a regular expression: {last}")
        }
    })
}

fn compiled(pattern: &str) -> Result<Arc<Regex>, Error> {
    if let Some(known) = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(known.clone());
    }
    let regex = Arc::new(build(pattern).map_err(|_| unsuitable("that is not a regular expression"))?);
    let mut kept = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}

fn matched(found: &Captures) -> String {
    found
        .iter()
        .skip(1)
        .flatten()
        .next()
        .or_else(|| found.get(0))
        .map_or_else(String::new, |found| found.as_str().to_owned())
}

fn matches(value: &Value, pattern: &str) -> Result<bool, Error> {
    Ok(value.as_str().is_some() && compiled(pattern)?.is_match(&text(value)?))
}

fn find(value: &Value, pattern: &str) -> Result<Option<String>, Error> {
    Ok(compiled(pattern)?.captures(&text(value)?).as_ref().map(matched))
}

fn find_all(state: &mut State, value: &Value, pattern: &str) -> Result<Value, Error> {
    let mut all = Vec::new();
    for found in compiled(pattern)?.captures_iter(&text(value)?) {
        bounds::list(state, all.len() + 1).map(|()| all.push(Value::from(matched(&found))))?;
    }
    Ok(all.into())
}

fn replace(state: &mut State, value: &Value, pattern: &str, with: &Value) -> Result<Value, Error> {
    let (value, with) = (text(value)?, text(with)?);
    let mut out = String::new();
    let mut rest = 0;
    for found in compiled(pattern)?.captures_iter(&value) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(value.get(rest..whole.start()).unwrap_or_default());
        rest = whole.end();
        // A capture may stand in the replacement many times: this bounds what one match can add before it is made.
        let longest = with.len().saturating_add(with.matches('$').count().saturating_mul(whole.len()));
        if out.len().saturating_add(longest) > bounds::TEXT.saturating_mul(4) {
            return Err(bounds::too_large());
        }
        found.expand(&with, &mut out);
        if out.len() > bounds::TEXT {
            return Err(bounds::too_large());
        }
    }
    out.push_str(value.get(rest..).unwrap_or_default());
    made(state, out)
}
