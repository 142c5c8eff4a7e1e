//! JSON values as SQLite's: it has no types of its own to hold them against.

use serde_json::Value;
use sqlx::Arguments as _;
use sqlx::sqlite::SqliteArguments;

use crate::connector::sql::fill::Filled;
use crate::fault::{Fault, Outcome};

/// The values of a statement.
///
/// # Errors
/// `unexpected` when the driver cannot take one.
pub(super) fn bound(filled: &Filled<'_>) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    for (bind, value) in &filled.values {
        let added = match value {
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
    Ok(arguments)
}
