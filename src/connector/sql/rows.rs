//! Rows as objects, whichever database gave them. A column `lines_json` holds a JSON text and becomes `lines`, parsed.

use serde_json::{Map, Value};
use sqlx::Column;

use crate::fault::Fault;

/// A row as an object: column name → value, in the order of the columns. `value` reads a column, and `nested` parses the value
/// of one that holds JSON.
///
/// # Errors
/// As `value` and `nested`.
pub(super) fn object<C: Column>(
    columns: &[C],
    value: impl Fn(&C) -> Result<Value, Fault>,
    nested: impl Fn(Value, &C) -> Result<Value, Fault>,
) -> Result<Map<String, Value>, Fault> {
    let field = |column: &C| {
        let value = value(column)?;
        match column.name().strip_suffix("_json") {
            Some(name) if !name.is_empty() => Ok((name.to_owned(), nested(value, column)?)),
            _ => Ok((column.name().to_owned(), value)),
        }
    };
    columns.iter().map(field).collect()
}
