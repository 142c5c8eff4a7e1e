//! What PostgreSQL sends, as JSON: rows as objects, values by their type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Number, Value};
use sqlx::postgres::{PgColumn, PgRow};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use super::encode::first_day;
use super::form::Form;
use super::numeric;
use crate::connector::sql::rows;
use crate::fault::{Fault, Outcome};

/// A row as an object.
///
/// # Errors
/// `unexpected`, naming the column, when a value has no form in JSON.
pub(super) fn object(row: &PgRow) -> Result<Map<String, Value>, Fault> {
    rows::object(row.columns(), |column| value(row, column), nested)
}

/// The value of the first column.
///
/// # Errors
/// As [`object`].
pub(super) fn first(row: &PgRow) -> Result<Value, Fault> {
    row.columns().first().map_or(Ok(Value::Null), |column| value(row, column))
}

/// What is wrong with a column's type, where it has no form in JSON.
pub(super) fn misfit(column: &PgColumn) -> Option<String> {
    let info = column.type_info();
    Form::of(info).is_none().then(|| {
        let (name, sql_type) = (column.name(), info.name().to_lowercase());
        format!("the column {name} is of the type {sql_type}, which has no form in JSON; write `{name}::text`")
    })
}

fn value(row: &PgRow, column: &PgColumn) -> Result<Value, Fault> {
    let unexpected = |what: String| Fault::new(Outcome::Unexpected, what);
    let unreadable = || unexpected(format!("the column {} holds a value that has no form in JSON", column.name()));
    let raw = row.try_get_raw(column.ordinal()).map_err(|_| unreadable())?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    if let Some(misfit) = misfit(column) {
        return Err(unexpected(misfit));
    }
    let bytes = raw.as_bytes().map_err(|_| unreadable())?;
    Form::of(column.type_info()).and_then(|form| decoded(&form, bytes)).ok_or_else(unreadable)
}

/// The value of a text is parsed; one of a type of JSON is parsed already.
fn nested(value: Value, column: &PgColumn) -> Result<Value, Fault> {
    match (value, Form::of(column.type_info())) {
        (Value::String(text), Some(Form::Text)) => serde_json::from_str(&text)
            .map_err(|_| Fault::new(Outcome::Unexpected, format!("the column {} holds no JSON text", column.name()))),
        (other, _) => Ok(other),
    }
}

/// The value of that form; none when the bytes are none, or it has no form in JSON, such as infinity.
pub(super) fn decoded(form: &Form, bytes: &[u8]) -> Option<Value> {
    Some(match form {
        Form::Bool => Value::Bool(*bytes.first()? != 0),
        Form::Int2 => i16::from_be_bytes(bytes.try_into().ok()?).into(),
        Form::Int4 => i32::from_be_bytes(bytes.try_into().ok()?).into(),
        Form::Int8 => i64::from_be_bytes(bytes.try_into().ok()?).into(),
        Form::Oid => u32::from_be_bytes(bytes.try_into().ok()?).into(),
        // By its own digits: 0.1 is 0.1, and not what is left of it in a wider type.
        Form::Float4 => number(f32::from_be_bytes(bytes.try_into().ok()?).to_string().parse().ok()?)?,
        Form::Float8 => number(f64::from_be_bytes(bytes.try_into().ok()?))?,
        Form::Numeric => exact(numeric::decoded(bytes)?),
        Form::Text => String::from_utf8(bytes.to_vec()).ok()?.into(),
        Form::Bytes => STANDARD.encode(bytes).into(),
        Form::Json => serde_json::from_slice(bytes).ok()?,
        Form::Jsonb => serde_json::from_slice(bytes.strip_prefix(&[1])?).ok()?,
        Form::Date => {
            let days = i32::from_be_bytes(bytes.try_into().ok()?);
            first_day()?.checked_add_signed(TimeDelta::try_days(days.into())?)?.to_string().into()
        }
        Form::Time => {
            let since = TimeDelta::microseconds(i64::from_be_bytes(bytes.try_into().ok()?));
            let (time, days) = NaiveTime::MIN.overflowing_add_signed(since);
            if days == 0 { time.to_string().into() } else { return None }
        }
        Form::Timestamp => {
            let since = TimeDelta::microseconds(i64::from_be_bytes(bytes.try_into().ok()?));
            let moment = first_day()?.and_time(NaiveTime::MIN).checked_add_signed(since)?;
            DateTime::<Utc>::from_naive_utc_and_offset(moment, Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
        }
        Form::Uuid => Uuid::from_slice(bytes).ok()?.to_string().into(),
        Form::Void => Value::Null,
        Form::Array(element, _) => array(element, bytes)?,
    })
}

fn number(float: f64) -> Option<Value> {
    Number::from_f64(float).map(Value::Number)
}

/// The number, when a number of JSON says all its digits; else the digits.
fn exact(digits: String) -> Value {
    if !digits.contains('.') {
        let whole = digits.parse::<i64>().map(Value::from).or_else(|_| digits.parse::<u64>().map(Value::from));
        return whole.unwrap_or_else(|_| digits.into());
    }
    let shown = digits.trim_end_matches('0').trim_end_matches('.');
    let float = digits.parse::<f64>().ok().filter(|float| format!("{float}") == if shown == "-0" { "0" } else { shown });
    float.and_then(number).unwrap_or_else(|| digits.into())
}

fn array(element: &Form, bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    let dimensions = usize::try_from(take(&mut rest)?).ok()?;
    let (_flags, _type) = (take(&mut rest)?, take(&mut rest)?);
    if dimensions == 0 {
        return Some(Value::Array(Vec::new()));
    }
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(usize::try_from(take(&mut rest)?).ok()?);
        take(&mut rest)?;
    }
    level(element, &lengths, &mut rest)
}

fn level(element: &Form, lengths: &[usize], rest: &mut &[u8]) -> Option<Value> {
    let Some((length, inner)) = lengths.split_first() else {
        let Ok(length) = usize::try_from(take(rest)?) else { return Some(Value::Null) };
        let (bytes, after) = rest.split_at_checked(length)?;
        *rest = after;
        return decoded(element, bytes);
    };
    (0..*length).map(|_| level(element, inner, rest)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn take(rest: &mut &[u8]) -> Option<i32> {
    let (four, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(i32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::encode::encoded;
    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        for (digits, value) in [
            ("5", json!(5)),
            ("5.00", json!(5.0)),
            ("19.90", json!(19.9)),
            ("-0.10", json!(-0.1)),
            ("18446744073709551615", json!(u64::MAX)),
            ("18446744073709551616", json!("18446744073709551616")),
            ("0.12345678901234567890", json!("0.12345678901234567890")),
        ] {
            assert_eq!(exact(digits.to_owned()), value, "{digits}");
        }
    }

    #[test]
    fn what_is_sent_cut_off_or_without_a_form_is_no_value() {
        let list = Form::Array(Box::new(Form::Int4), 23);
        let whole = encoded(&list, &json!([1, null, 3])).unwrap();
        assert_eq!(decoded(&list, &whole), Some(json!([1, null, 3])));
        for at in 0..whole.len() {
            assert_eq!(decoded(&list, &whole[..at]), None, "{at}");
        }
        assert_eq!(decoded(&Form::Timestamp, &i64::MAX.to_be_bytes()), None, "infinity");
        assert_eq!(decoded(&Form::Float8, &f64::NAN.to_be_bytes()), None);
    }
}
