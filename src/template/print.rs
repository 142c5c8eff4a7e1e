//! How values become text: in `{{ … }}`, with `~`, and in filters that join.
//!
//! Absent values never reach this place except where the engine means nothing by them. Nothing is escaped: what a template
//! makes is a message, not a page.

use std::fmt::{self, Write};

use minijinja::value::ValueKind;
use minijinja::{Error, Output, State, Value};

use super::bounds;
use super::failure::{FailedKind, fail};

/// The engine's formatter: prints within the bounds of the evaluation.
pub(super) fn format(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        bounds::printed(state, text.len())?;
        return Ok(out.write_str(text)?);
    }
    let mut buffer = String::new();
    print(value, &mut buffer, bounds::room(state))?;
    bounds::printed(state, buffer.len())?;
    Ok(out.write_str(&buffer)?)
}

/// The text of a value, when it has at most `room` bytes.
pub(super) fn text_of(value: &Value, room: usize) -> Result<String, Error> {
    let mut buffer = String::new();
    print(value, &mut buffer, room)?;
    Ok(buffer)
}

/// Appends the text of `value` while the buffer stays within `room` bytes.
pub(super) fn print(value: &Value, buffer: &mut String, room: usize) -> Result<(), Error> {
    let mut out = Bounded { buffer, room, full: false };
    match write_plain(&mut out, value) {
        Ok(()) => Ok(()),
        Err(_) if out.full => Err(bounds::too_large()),
        Err(_) => Err(fail(FailedKind::NotData, "a value is nested too deep to print")),
    }
}

struct Bounded<'a> {
    buffer: &'a mut String,
    room: usize,
    full: bool,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.buffer.len() + text.len() > self.room {
            self.full = true;
            return Err(fmt::Error);
        }
        self.buffer.push_str(text);
        Ok(())
    }
}

fn write_plain(out: &mut Bounded, value: &Value) -> fmt::Result {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(()),
        ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => write_json(out, value, 0),
        _ => match value.as_str() {
            Some(text) => out.write_str(text),
            None => write!(out, "{value}"),
        },
    }
}

/// Writes a value as compact JSON; what JSON cannot say becomes null.
fn write_json(out: &mut Bounded, value: &Value, depth: usize) -> fmt::Result {
    if depth > bounds::DEPTH {
        return Err(fmt::Error);
    }
    match value.kind() {
        ValueKind::String => {
            let quoted = serde_json::to_string(value.as_str().unwrap_or_default()).map_err(|_| fmt::Error)?;
            out.write_str(&quoted)
        }
        ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) if !number.is_finite() => out.write_str("null"),
            _ => write!(out, "{value}"),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            out.write_str("[")?;
            for (index, item) in value.try_iter().map_err(|_| fmt::Error)?.enumerate() {
                if index > 0 {
                    out.write_str(",")?;
                }
                write_json(out, &item, depth + 1)?;
            }
            out.write_str("]")
        }
        ValueKind::Map => {
            out.write_str("{")?;
            for (index, key) in value.try_iter().map_err(|_| fmt::Error)?.enumerate() {
                if index > 0 {
                    out.write_str(",")?;
                }
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                out.write_str(&serde_json::to_string(&name).map_err(|_| fmt::Error)?)?;
                out.write_str(":")?;
                write_json(out, &value.get_item(&key).map_err(|_| fmt::Error)?, depth + 1)?;
            }
            out.write_str("}")
        }
        _ => out.write_str("null"),
    }
}
