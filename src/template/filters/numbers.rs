//! Filters of numbers and money.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value, filters};
use serde_json::Number;

use crate::format::{Locale, money, number};

use super::super::failure::unsuitable;
use super::super::json::{from_json, to_json};
use super::super::operators::kind;
use super::super::registry::Registry;
use super::offer::offer;
use super::support::{count, locale, region, setting, text};

pub(super) fn register(registry: &mut Registry) {
    offer! { registry.mapper:
        "number" = write_number, "as the locale writes it, with so many decimals if said", "1234.5 | number" => "1,234.5";
        "decimals" = decimals, "with exactly so many decimals and a point, as C prints it",
            "64.625 | decimals(2)" => "64.62";
        "money" = write_money, "an amount as the locale writes it, in the given currency, its own, or the project's",
            "1250.5 | money('EUR')" => "€1,250.50";
        "to_number" = to_number, "the number that a text says, null when it says none",
            "'$1,250.50' | to_number" => "1250.5";
        "digits" = |value: &Value| text(value).map(|text| number::digits(&text)), "only the digits of a text",
            "'order #10-01' | digits" => "1001";
        "round" = filters::round, "rounded to so many decimals", "2.567 | round(1)" => "2.6";
        "abs" = filters::abs, "without its sign", "-3 | abs" => "3";
        "int" = to_integer, "the whole number of a number or a text, without what is after the point", "'42' | int" => "42";
        "float" = to_float, "a number with decimals", "'4.5' | float" => "4.5";
    }
}

/// The number of a number or of a text that says one.
pub(super) fn number_of(value: &Value, locale: &Locale) -> Result<Number, Error> {
    let refused = || unsuitable(format!("a number is needed, not {}", kind(value)));
    match value.kind() {
        ValueKind::Number => match to_json(value) {
            Ok(serde_json::Value::Number(number)) => Ok(number),
            _ => Err(unsuitable("a number is needed, not NaN or infinity")),
        },
        ValueKind::String => number::read(value.as_str().unwrap_or_default(), locale)
            .map_err(|_| unsuitable("a number is needed, and the text is not one")),
        _ => Err(refused()),
    }
}

fn real_of(value: &Value, locale: &Locale) -> Result<f64, Error> {
    number_of(value, locale)?.as_f64().ok_or_else(|| unsuitable("the number is too large"))
}

fn write_number(state: &State, value: &Value, places: Option<i64>, kwargs: Kwargs) -> Result<String, Error> {
    let locale = locale(state);
    let places = match places {
        Some(places) => Some(places),
        None => kwargs.get::<Option<i64>>("decimals")?,
    };
    kwargs.assert_all_used()?;
    match places {
        Some(places) => Ok(number::write_fixed(real_of(value, &locale)?, count(places, "the decimals", 0..=20)?, &locale)),
        None => Ok(number::write(&number_of(value, &locale)?, &locale)),
    }
}

fn decimals(state: &State, value: &Value, places: Option<i64>) -> Result<String, Error> {
    Ok(number::fixed(real_of(value, &locale(state))?, count(places.unwrap_or(2), "the decimals", 0..=20)?))
}

fn write_money(state: &State, value: &Value, currency: Option<String>) -> Result<String, Error> {
    let locale = locale(state);
    let part = |key: &str| value.get_attr(key).ok().filter(|part| !part.is_undefined() && !part.is_none());
    let (amount, own) = match value.kind() {
        ValueKind::Map => (
            part("amount").ok_or_else(|| unsuitable("an amount of money is a number, or a map of amount and currency"))?,
            part("currency").and_then(|code| code.as_str().map(str::to_owned)),
        ),
        _ => (value.clone(), None),
    };
    let project = || setting(state, "currency").and_then(|code| code.as_str().map(str::to_owned));
    let home = || region(state).and_then(|region| money::of_region(&region)).map(str::to_owned);
    let currency = currency.or(own).or_else(project).or_else(home);
    let currency = currency.ok_or_else(|| unsuitable("the currency is not known; write money('EUR')"))?;
    Ok(money::write(real_of(&amount, &locale)?, &currency, &locale))
}

fn to_number(state: &State, value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Number => Ok(value.clone()),
        ValueKind::String => {
            let read = number::read(value.as_str().unwrap_or_default(), &locale(state));
            Ok(read.map_or(Value::from(()), |number| from_json(&serde_json::Value::Number(number))))
        }
        _ => Err(unsuitable(format!("a text is needed, not {}", kind(value)))),
    }
}

fn to_integer(state: &State, value: &Value) -> Result<Value, Error> {
    if value.is_integer() {
        return Ok(value.clone());
    }
    let number = number_of(value, &locale(state))?;
    let cut = number.as_i64().or_else(|| {
        let cut = number.as_f64().map(f64::trunc).and_then(Number::from_f64)?;
        number::whole(&cut)
    });
    cut.map(Value::from).ok_or_else(|| unsuitable("the number is too large for a whole one"))
}

fn to_float(state: &State, value: &Value) -> Result<f64, Error> {
    real_of(value, &locale(state))
}
