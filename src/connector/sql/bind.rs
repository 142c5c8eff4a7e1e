//! Fills a statement: which optional conditions stand, and which values are bound.

use serde_json::{Map, Value};
use sqlx::Arguments as _;
use sqlx::sqlite::SqliteArguments;

use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Bind, Piece, Sql};

/// The statement's text with `?` for every value, and the values.
///
/// # Errors
/// `unexpected` when a result does not have the field that a bind names.
pub(super) fn filled(sql: &Sql, names: &Map<String, Value>) -> Result<(String, SqliteArguments), Fault> {
    let mut text = String::new();
    let mut arguments = SqliteArguments::default();
    for piece in &sql.pieces {
        match piece {
            Piece::Optional(inner) => {
                let values = inner.iter().filter_map(|piece| match piece {
                    Piece::Bind(bind) => Some(value(bind, names)),
                    _ => None,
                });
                let there = values.collect::<Result<Vec<_>, _>>()?.iter().all(|value| !value.is_null());
                if there {
                    inner.iter().try_for_each(|piece| add(piece, names, &mut text, &mut arguments))?;
                }
            }
            other => add(other, names, &mut text, &mut arguments)?,
        }
    }
    Ok((text, arguments))
}

/// The statement's text with and without its optional conditions.
pub(super) fn texts(sql: &Sql) -> Vec<String> {
    let with = |optional: bool| {
        let mut text = String::new();
        let mut write = |piece: &Piece| match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Bind(_) => text.push('?'),
            Piece::Optional(_) => {}
        };
        for piece in &sql.pieces {
            match piece {
                Piece::Optional(inner) if optional => inner.iter().for_each(&mut write),
                other => write(other),
            }
        }
        text
    };
    let mut texts = vec![with(true), with(false)];
    texts.dedup();
    texts
}

fn add(piece: &Piece, names: &Map<String, Value>, text: &mut String, arguments: &mut SqliteArguments) -> Result<(), Fault> {
    match piece {
        Piece::Text(part) => text.push_str(part),
        Piece::Bind(bind) => {
            text.push('?');
            let added = match value(bind, names)? {
                Value::Null => arguments.add(None::<i64>),
                Value::Bool(truth) => arguments.add(*truth),
                Value::String(text) => arguments.add(text.clone()),
                Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(whole), _) => arguments.add(whole),
                    (None, Some(float)) => arguments.add(float),
                    (None, None) => arguments.add(number.to_string()),
                },
                nested @ (Value::Array(_) | Value::Object(_)) => arguments.add(nested.to_string()),
            };
            added.map_err(|_| Fault::new(Outcome::Unexpected, format!("`:{}` cannot be bound", bind.path.join("."))))?;
        }
        Piece::Optional(_) => {}
    }
    Ok(())
}

/// A part of null is null: the result of a statement that found nothing, or was left out, has no parts.
fn value<'a>(bind: &Bind, names: &'a Map<String, Value>) -> Result<&'a Value, Fault> {
    const NULL: &Value = &Value::Null;
    let mut path = bind.path.iter();
    let mut at = path.next().and_then(|name| names.get(name)).unwrap_or(NULL);
    for field in path {
        at = match at {
            Value::Null => NULL,
            Value::Object(fields) => fields.get(field).ok_or_else(|| absent(bind))?,
            _ => return Err(absent(bind)),
        };
    }
    Ok(at)
}

fn absent(bind: &Bind) -> Fault {
    Fault::new(Outcome::Unexpected, format!("`:{}` is bound to a field that its result does not have", bind.path.join(".")))
}
