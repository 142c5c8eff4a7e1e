//! Holds a system's answer against its model: wrong data is worse than none.
//!
//! What fits is returned in one form whoever answered. Only what loses nothing is converted: a whole number where a text is
//! meant (ids), a decimal text where a number is meant (prices), 0 and 1 where a truth is meant, times to UTC. A misfit names
//! the place and what was expected there, never the value.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::{Map, Number, Value};

use super::{Kind, Model, Money};

/// Where an answer does not fit its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The field as templates write it, such as `order.lines[1].quantity` without the `order.`; empty for the answer itself.
    pub path: String,
    /// What should stand there, such as `a number`.
    pub expected: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the answer" } else { &self.path };
        write!(f, "{path} should be {}", self.expected)
    }
}

impl Misfit {
    fn new(expected: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into() }
    }

    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl Model {
    /// `value` in the form of this model: every field present, the absent ones null and absent lists empty.
    ///
    /// # Errors
    /// The first place that is missing, unknown or of another type.
    pub fn conform(&self, value: &Value) -> Result<Value, Misfit> {
        let Value::Object(given) = value else {
            return Err(Misfit::new(format!("one {}", self.name)));
        };
        if let Some(unknown) = given.keys().find(|key| self.field(key).is_none()) {
            return Err(Misfit::new(format!("left out, as {} has no such field", self.name)).within(unknown));
        }
        let mut fitted = Map::with_capacity(self.fields.len());
        for field in self.fields {
            let found = given.get(field.name).filter(|found| !found.is_null());
            let value = match (found, field.kind) {
                (Some(found), kind) => fit(kind, found).map_err(|misfit| misfit.within(field.name))?,
                (None, _) if field.required => return Err(Misfit::new(field.kind.expected()).within(field.name)),
                (None, Kind::Many(_)) => Value::Array(Vec::new()),
                (None, _) => Value::Null,
            };
            fitted.insert(field.name.to_owned(), value);
        }
        Ok(Value::Object(fitted))
    }

    /// A list of this model; see [`Self::conform`].
    ///
    /// # Errors
    /// The first place that does not fit.
    pub fn conform_many(&self, value: &Value) -> Result<Value, Misfit> {
        let Value::Array(items) = value else {
            return Err(Misfit::new(format!("a list of {}", self.name)));
        };
        let fitted = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.conform(item).map_err(|misfit| misfit.within(&format!("[{at}]"))));
        fitted.collect::<Result<Vec<_>, _>>().map(Value::Array)
    }
}

fn fit(kind: Kind, value: &Value) -> Result<Value, Misfit> {
    let fitted = match kind {
        Kind::Text => text(value),
        Kind::Number => number(value),
        Kind::Date => date(value),
        Kind::DateTime => moment(value),
        Kind::Bool => truth(value),
        Kind::Code(codes) => {
            value.as_str().filter(|text| codes.codes.iter().any(|code| code.code == *text)).map(Value::from)
        }
        Kind::Money => return money(value),
        Kind::One(model) => return model.conform(value),
        Kind::Many(model) => return model.conform_many(value),
    };
    fitted.ok_or_else(|| Misfit::new(kind.expected()))
}

fn text(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string().into()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
            plain.then(|| serde_json::from_str::<Number>(text).ok()).flatten().map(Value::Number)
        }
        _ => None,
    }
}

fn truth(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false.into()),
            Some(1) => Some(true.into()),
            _ => None,
        },
        _ => None,
    }
}

fn date(value: &Value) -> Option<Value> {
    let date = NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok()?;
    Some(date.format("%Y-%m-%d").to_string().into())
}

/// RFC 3339 with an offset, or the way SQLite's `datetime()` writes UTC. A time without an offset and with a `T` is refused:
/// which zone it is in is for the mapping to say.
fn moment(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    let sqlite = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|naive| naive.and_utc());
    let utc = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.with_timezone(&Utc),
        Err(_) => sqlite()?,
    };
    Some(utc.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
}

fn money(value: &Value) -> Result<Value, Misfit> {
    let money = Money::MODEL.conform(value)?;
    let currency = money.get("currency").and_then(Value::as_str).unwrap_or_default();
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(money)
    } else {
        Err(Misfit::new("a three-letter currency code such as EUR").within("currency"))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::super::{Order, Ticket};
    use super::*;

    fn order() -> Value {
        json!({"number": 1001, "status": "shipped", "placed_at": "2026-01-20T16:04:00+01:00",
            "lines": [{"name": "Blue T-Shirt", "quantity": "2", "price": {"amount": "19.90", "currency": "USD"}}]})
    }

    #[test]
    fn what_fits_has_every_field_in_its_type_and_becomes_the_rust_type() {
        let fitted = Order::MODEL.conform(&order()).unwrap();
        assert_eq!(fitted["number"], "1001");
        assert_eq!(fitted["placed_at"], "2026-01-20T15:04:00Z");
        assert_eq!(fitted["lines"][0]["quantity"], 2);
        assert_eq!(fitted["lines"][0]["price"], json!({"amount": 19.9, "currency": "USD"}));
        assert_eq!(fitted["shipment"], Value::Null);
        let names: Vec<_> = fitted.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, Order::MODEL.fields.iter().map(|field| field.name).collect::<Vec<_>>());
        let order: Order = serde_json::from_value(fitted.clone()).unwrap();
        assert_eq!(serde_json::to_value(&order).unwrap(), fitted);
    }

    #[test]
    fn absent_lists_are_empty() {
        let ticket = Ticket::MODEL.conform(&json!({"number": "T-1", "subject": "x", "status": "new"})).unwrap();
        assert_eq!(ticket["comments"], json!([]));
    }

    #[test]
    fn a_misfit_names_the_place_and_never_the_value() {
        let cases = [
            ("/number", Value::Null, "number should be a text"),
            ("/status", json!("sekret"), "status should be one of pending, processing, shipped"),
            ("/placed_at", json!("2026-01-20T16:04:00"), "placed_at should be a time such as"),
            ("/placed_at", json!(1_768_921_440), "placed_at should be a time such as"),
            ("/lines/0/quantity", json!("sekret"), "lines[0].quantity should be a number"),
            ("/lines/0/price/currency", json!("euro"), "lines[0].price.currency should be a three-letter"),
            ("/lines/0", json!("sekret"), "lines[0] should be one OrderLine"),
            ("", json!(["sekret"]), "the answer should be one Order"),
        ];
        for (place, value, says) in cases {
            let mut order = order();
            *order.pointer_mut(place).unwrap() = value;
            let misfit = Order::MODEL.conform(&order).unwrap_err().to_string();
            assert!(misfit.starts_with(says), "{misfit}");
            assert!(!misfit.contains("sekret"), "{misfit}");
        }
    }

    #[test]
    fn a_field_that_the_model_does_not_know_is_refused() {
        let mut order = order();
        order["lines"][0]["qty"] = json!(1);
        let misfit = Order::MODEL.conform(&order).unwrap_err();
        assert_eq!(misfit.to_string(), "lines[0].qty should be left out, as OrderLine has no such field");
    }

    #[test]
    fn numbers_are_read_from_decimal_texts_only() {
        assert_eq!(number(&json!("19.90")), Some(json!(19.9)));
        for text in ["", "1e9", "0x10", "1,5", "NaN", " 1"] {
            assert_eq!(number(&json!(text)), None, "{text}");
        }
    }

    #[test]
    fn every_model_is_found_by_its_name() {
        for model in Model::ALL {
            assert_eq!(Model::find(model.name), Some(*model));
            assert!(!model.doc.is_empty() && model.fields.iter().all(|field| field.doc.ends_with('.')), "{}", model.name);
        }
    }
}
