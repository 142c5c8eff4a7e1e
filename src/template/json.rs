//! JSON ↔ the engine's values. 55 stays apart from 55.0 both ways, and keys keep their order.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectExt, ValueKind};

use super::bounds::DEPTH;
use super::failure::{Failed, FailedKind};

/// The most values that one JSON document is made of.
const NODES: usize = 1_000_000;

/// The engine's value of a JSON value.
#[must_use]
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(value) => Value::from(*value),
        serde_json::Value::Number(number) => number_value(number),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::from_object(items.iter().map(from_json).collect::<Vec<_>>()),
        serde_json::Value::Object(fields) => Value::from_object(Record::of(fields, false)),
    }
}

/// A map whose absent keys are null, as slots and shared maps are.
#[must_use]
pub fn open_map(fields: &serde_json::Map<String, serde_json::Value>) -> Value {
    Value::from_object(Record::of(fields, true))
}

/// The same of values that the engine has already: nothing in them is copied.
#[must_use]
pub fn open_values(fields: Arc<IndexMap<Arc<str>, Value>>) -> Value {
    Value::from_object(Record { fields, open: true })
}

/// The engine's value of a JSON value in which every map, at every depth, has null for absent keys: constants that actions share.
#[must_use]
pub fn open_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Array(items) => Value::from_object(items.iter().map(open_json).collect::<Vec<_>>()),
        serde_json::Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (Arc::from(key.as_str()), open_json(value)));
            Value::from_object(Record { fields: Arc::new(fields.collect()), open: true })
        }
        scalar => from_json(scalar),
    }
}

fn number_value(number: &serde_json::Number) -> Value {
    if let Some(whole) = number.as_i64() {
        Value::from(whole)
    } else if let Some(whole) = number.as_u64() {
        Value::from(whole)
    } else {
        Value::from(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// A map with text keys.
#[derive(Debug)]
struct Record {
    fields: Arc<IndexMap<Arc<str>, Value>>,
    open: bool,
}

impl Record {
    fn of(fields: &serde_json::Map<String, serde_json::Value>, open: bool) -> Self {
        let fields = fields.iter().map(|(key, value)| (Arc::from(key.as_str()), from_json(value)));
        Self { fields: Arc::new(fields.collect()), open }
    }
}

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = match self.fields.len() {
            0..=8 => self.fields.iter().find(|(name, _)| &***name == key).map(|(_, value)| value),
            _ => self.fields.get(key),
        };
        found.cloned().or_else(|| self.open.then(|| Value::from(())))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_key_value_enumerator(|this| {
            Box::new(this.fields.iter().map(|(key, value)| (Value::from(key.clone()), value.clone())))
        })
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.fields.len())
    }
}

/// The maps as one, in which the later of equal keys count; nothing when a key is no text. It has null for absent keys only
/// when all of them have, so that an open map hides nothing of the others, nor that a key is in none.
pub(super) fn chained(maps: &[Value]) -> Option<Value> {
    let mut fields = IndexMap::new();
    let mut open = true;
    for map in maps {
        open &= map.downcast_object_ref::<Record>().is_some_and(|record| record.open);
        for key in map.try_iter().ok()? {
            fields.insert(Arc::from(key.as_str()?), map.get_item(&key).ok()?);
        }
    }
    Some(Value::from_object(Record { fields: Arc::new(fields), open }))
}

/// The JSON of a value.
///
/// # Errors
/// When it is absent, or holds something that JSON cannot say: a function, NaN or infinity, a number of more than 64 bits,
/// more than 128 levels or a million values.
pub fn to_json(value: &Value) -> Result<serde_json::Value, Failed> {
    convert(value, 0, &mut NODES.clone())
}

fn convert(value: &Value, depth: usize, left: &mut usize) -> Result<serde_json::Value, Failed> {
    let not_data = |what: &str| Failed::new(FailedKind::NotData, what.to_owned());
    *left = left.checked_sub(1).ok_or_else(|| Failed::new(FailedKind::TooLarge, "more than a million values"))?;
    if depth > DEPTH {
        return Err(not_data("a value is nested too deep"));
    }
    Ok(match value.kind() {
        ValueKind::None => serde_json::Value::Null,
        ValueKind::Undefined => return Err(Failed::new(FailedKind::Undefined, "a value is absent")),
        ValueKind::Bool => serde_json::Value::Bool(value.is_true()),
        ValueKind::Number => number_json(value).ok_or_else(|| not_data("a number that JSON cannot say"))?,
        ValueKind::String => serde_json::Value::from(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|_| not_data("a list that cannot be read"))?;
            serde_json::Value::Array(items.map(|item| convert(&item, depth + 1, left)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut fields = serde_json::Map::new();
            for key in value.try_iter().map_err(|_| not_data("a map that cannot be read"))? {
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                let field = value.get_item(&key).map_err(|_| not_data("a map that cannot be read"))?;
                fields.insert(name, convert(&field, depth + 1, left)?);
            }
            serde_json::Value::Object(fields)
        }
        _ => return Err(not_data("a function or another thing that is not data")),
    })
}

fn number_json(value: &Value) -> Option<serde_json::Value> {
    if value.is_integer() {
        return match value.as_i64() {
            Some(whole) => Some(whole.into()),
            None => u64::try_from(value.clone()).ok().map(Into::into),
        };
    }
    serde_json::Number::from_f64(f64::try_from(value.clone()).ok()?).map(serde_json::Value::Number)
}
