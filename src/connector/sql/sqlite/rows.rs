//! What SQLite gives, as JSON: its types, and truths of columns declared BOOLEAN.

use serde_json::{Map, Number, Value};
use sqlx::sqlite::{SqliteColumn, SqliteRow};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::connector::sql::rows;
use crate::fault::{Fault, Outcome};

/// A row as an object.
///
/// # Errors
/// `unexpected`, naming the column, when a value has no form in JSON.
pub(super) fn object(row: &SqliteRow) -> Result<Map<String, Value>, Fault> {
    rows::object(row.columns(), |column| value(row, column), nested)
}

/// The value of the first column.
///
/// # Errors
/// As [`object`].
pub(super) fn first(row: &SqliteRow) -> Result<Value, Fault> {
    row.columns().first().map_or(Ok(Value::Null), |column| value(row, column))
}

fn value(row: &SqliteRow, column: &SqliteColumn) -> Result<Value, Fault> {
    let at = column.ordinal();
    let raw = row.try_get_raw(at).map_err(|_| unreadable(column))?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let stored = raw.type_info().name().to_owned();
    match stored.as_str() {
        "INTEGER" => {
            let whole: i64 = row.try_get_unchecked(at).map_err(|_| unreadable(column))?;
            let is_truth = column.type_info().name() == "BOOLEAN" && (whole == 0 || whole == 1);
            Ok(if is_truth { Value::Bool(whole == 1) } else { whole.into() })
        }
        "REAL" => {
            let float: f64 = row.try_get_unchecked(at).map_err(|_| unreadable(column))?;
            Number::from_f64(float).map(Value::Number).ok_or_else(|| unreadable(column))
        }
        "TEXT" => row.try_get_unchecked::<String, _>(at).map(Value::String).map_err(|_| unreadable(column)),
        _ => Err(unreadable(column)),
    }
}

fn nested(value: Value, column: &SqliteColumn) -> Result<Value, Fault> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::String(text) => serde_json::from_str(&text).map_err(|_| unreadable(column)),
        _ => Err(unreadable(column)),
    }
}

fn unreadable(column: &SqliteColumn) -> Fault {
    let what = if column.name().ends_with("_json") { "holds no JSON text" } else { "holds neither text nor number" };
    Fault::new(Outcome::Unexpected, format!("the column {} {what}", column.name()))
}
