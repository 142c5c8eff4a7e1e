//! JSON values as the bytes that PostgreSQL expects of a type.
//!
//! A text may stand for a value of any type, as what people write is text; everything is held against the type before it is
//! sent, so that a value that does not fit ends here, with nothing begun.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::form::Form;
use super::numeric;

/// The bytes of a value that is not null; none when it does not fit.
pub(super) fn encoded(form: &Form, value: &Value) -> Option<Vec<u8>> {
    Some(match form {
        Form::Bool => vec![u8::from(truth(value)?)],
        Form::Int2 => i16::try_from(whole(value)?).ok()?.to_be_bytes().to_vec(),
        Form::Int4 => i32::try_from(whole(value)?).ok()?.to_be_bytes().to_vec(),
        Form::Int8 => whole(value)?.to_be_bytes().to_vec(),
        Form::Oid => u32::try_from(whole(value)?).ok()?.to_be_bytes().to_vec(),
        Form::Float4 => narrow(float(value)?)?.to_be_bytes().to_vec(),
        Form::Float8 => float(value)?.to_be_bytes().to_vec(),
        Form::Numeric => match value {
            Value::Number(number) => numeric::encoded(&number.to_string())?,
            Value::String(text) => numeric::encoded(text)?,
            _ => return None,
        },
        Form::Text => without_nul(match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })?,
        Form::Bytes => STANDARD.decode(value.as_str()?).ok()?,
        Form::Json => json(value)?,
        Form::Jsonb => std::iter::once(1).chain(json(value)?).collect(),
        Form::Date => {
            let days = date(value.as_str()?)?.signed_duration_since(first_day()?).num_days();
            i32::try_from(days).ok()?.to_be_bytes().to_vec()
        }
        Form::Time => {
            let micros = time(value.as_str()?)?.signed_duration_since(NaiveTime::MIN).num_microseconds()?;
            micros.to_be_bytes().to_vec()
        }
        Form::Timestamp => {
            let since = moment(value.as_str()?)?.signed_duration_since(first_day()?.and_time(NaiveTime::MIN));
            since.num_microseconds()?.to_be_bytes().to_vec()
        }
        Form::Uuid => Uuid::parse_str(value.as_str()?.trim()).ok()?.as_bytes().to_vec(),
        Form::Void => return None,
        Form::Array(element, oid) => array(element, *oid, value.as_array()?)?,
    })
}

/// The day from which PostgreSQL counts.
pub(super) fn first_day() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2000, 1, 1)
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        // 55.0 is what 55 becomes on its way through a calculation.
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
            format!("{float}").parse().ok()
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    let float = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    float.filter(|float| float.is_finite())
}

fn narrow(float: f64) -> Option<f32> {
    float.to_string().parse().ok().filter(|float: &f32| float.is_finite())
}

fn without_nul(text: String) -> Option<Vec<u8>> {
    (!text.contains('\0')).then(|| text.into_bytes())
}

fn json(value: &Value) -> Option<Vec<u8>> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(has_nul),
            Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
            _ => false,
        }
    }
    (!has_nul(value)).then(|| value.to_string().into_bytes())
}

/// A day; of a time, the day that it names.
fn date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().or_else(|| {
        let named = DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.date_naive());
        named.or_else(|| moment(text).map(|moment| moment.date()))
    })
}

fn time(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// A moment in UTC: one with an offset is converted, one without is UTC already, a day begins at midnight.
fn moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.with_timezone(&Utc).naive_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let written = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    written.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN)))
}

/// One dimension: what `= any(:list)` takes.
fn array(element: &Form, oid: u32, items: &[Value]) -> Option<Vec<u8>> {
    let dimensions: i32 = if items.is_empty() { 0 } else { 1 };
    let has_null = i32::from(items.iter().any(Value::is_null));
    let mut bytes = Vec::new();
    bytes.extend(dimensions.to_be_bytes());
    bytes.extend(has_null.to_be_bytes());
    bytes.extend(oid.to_be_bytes());
    if !items.is_empty() {
        bytes.extend(i32::try_from(items.len()).ok()?.to_be_bytes());
        bytes.extend(1_i32.to_be_bytes());
    }
    for item in items {
        if item.is_null() {
            bytes.extend((-1_i32).to_be_bytes());
            continue;
        }
        let value = encoded(element, item)?;
        bytes.extend(i32::try_from(value.len()).ok()?.to_be_bytes());
        bytes.extend(value);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let cases = [
            (Form::Bool, json!("perhaps")),
            (Form::Bool, json!(2)),
            (Form::Int2, json!(32_768)),
            (Form::Int4, json!("1 or 1=1")),
            (Form::Int4, json!(1.5)),
            (Form::Int4, json!(2_147_483_648_i64)),
            (Form::Int8, json!(u64::MAX)),
            (Form::Int8, json!([1])),
            (Form::Float8, json!("NaN")),
            (Form::Float8, json!("inf")),
            (Form::Float4, json!(1e300)),
            (Form::Numeric, json!("1,5")),
            (Form::Numeric, json!(true)),
            (Form::Text, json!("a\0b")),
            (Form::Jsonb, json!({"a": ["\0"]})),
            (Form::Json, json!({"\0": 1})),
            (Form::Bytes, json!("%%%")),
            (Form::Date, json!("2026-02-30")),
            (Form::Date, json!("tomorrow")),
            (Form::Time, json!("25:00")),
            (Form::Timestamp, json!("2026-01-31T25:00:00Z")),
            (Form::Timestamp, json!(1_700_000_000)),
            (Form::Uuid, json!("'; drop table t; --")),
            (Form::Array(Box::new(Form::Int4), 23), json!([1, "x"])),
            (Form::Array(Box::new(Form::Int4), 23), json!("1")),
        ];
        for (form, value) in cases {
            assert_eq!(encoded(&form, &value), None, "{form:?} {value}");
        }
    }
}
