//! Filters of texts: replacing, joining words and codes, masks, keywords.

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Error, State, Value};

use crate::format::{keywords, mask, phone, plural};

use super::super::bounds;
use super::super::failure::unsuitable;
use super::super::json::to_json;
use super::super::operators::{is_list, kind};
use super::super::registry::Registry;
use super::numbers::number_of;
use super::offer::offer;
use super::support::{items, locale, made, region, setting, text};

pub(super) fn register(registry: &mut Registry) {
    offer! { registry.mapper:
        "replace" = replace, "with one text in place of another", "'a-b-c' | replace('-', ' ')" => "a b c";
        "phrase" = phrase, "with the value where # stands, and nothing for null and an empty text",
            "'UPS' | phrase(' via #')" => " via UPS";
        "truncate" = truncate, "cut to so many characters, with … where something was",
            "'Blue T-Shirt' | truncate(6)" => "Blue …";
        "label" = label, "the word for a code: of the project's labels, else with blanks for its underscores",
            "'in_transit' | label" => "on its way";
        "mask" = |value: &Value| text(value).map(|text| mask::text(&text)),
            "with e-mail addresses, phone and card numbers and IBANs masked",
            "'Ask sarah@example.com' | mask" => "Ask s…h@example.com";
        "mask_email" = |value: &Value| text(value).map(|text| mask::email(&text)),
            "an e-mail address with the ends of its name", "'sarah@example.com' | mask_email" => "s…h@example.com";
        "mask_phone" = |value: &Value| text(value).map(|text| mask::phone(&text)),
            "the last digits of a phone number", "'+43 664 1234567' | mask_phone" => "…4567";
        "mask_card" = |value: &Value| text(value).map(|text| mask::card(&text)),
            "the last four digits of a card", "'4111 1111 1111 1111' | mask_card" => "…1111";
        "mask_middle" = |value: &Value| text(value).map(|text| mask::middle(&text)),
            "the first and the last character", "'Sarah' | mask_middle" => "S…h";
        "e164" = e164, "a phone number with its country's prefix, null when it is none; a country's two letters for numbers without",
            "'0664 1234567' | e164('AT')" => "+436641234567";
        "keywords" = find_keywords,
            "the words of a list, or of one of the project's, that a text has; refund* is any word that begins so",
            "'I want a refund, now!' | keywords(['refund*', 'late'])" => "[\"refund*\"]";
        "severity" = severity,
            "how urgent a text sounds: low, normal, high or urgent; the project's words.severity replaces the lists",
            "'My account was hacked!' | severity" => "urgent";
    }
    offer! { registry.filter:
        "string" = |state: &mut State, value: &Value| { let text = text(value)?.into_owned(); made(state, text) },
            "as text", "(5 | string) ~ '%'" => "5%";
        "json" = json, "as JSON", "{'a': [1, none]} | json" => "{\"a\":[1,null]}";
        "tojson" = json, "the same as json", "'x' | tojson" => "\"x\"";
        "type" = type_name, "what it is: text, number, boolean, list, map or null", "'5' | type" => "text";
        "plural" = choose_form, "the form that goes with a number, with # for the number",
            "3 | plural(one='# item', other='# items')" => "3 items";
        "default" = default, "another value where one is absent; with true also where null, false or empty",
            "missing | default('none')" => "none";
        "d" = default, "short for default", "'' | d('none', true)" => "none";
    }
    offer! { registry.function:
        "plural" = choose_form, "the form that goes with a number, with # for the number",
            "plural(1, one='day', other='days')" => "day";
    }
    offer! { registry.test:
        "of_type" = |value: &Value, name: &str| type_name(value).map(|own| own == name),
            "whether it is a text, number, boolean, list, map or null", "'5' is of_type('number')" => "false";
        "in_ci" = in_ci, "whether it is among them, or part of a text, without regard to case",
            "'UPS' is in_ci(['ups', 'dhl'])" => "true";
    }
}

fn replace(state: &mut State, value: &Value, from: &Value, to: &Value) -> Result<Value, Error> {
    let (value, from, to) = (text(value)?, text(from)?, text(to)?);
    if from.is_empty() {
        return Err(unsuitable("replace needs a text to look for"));
    }
    let times = value.matches(&*from).count();
    bounds::text(state, value.len().saturating_add(times.saturating_mul(to.len())))?;
    Ok(Value::from(value.replace(&*from, &to)))
}

fn phrase(state: &mut State, value: &Value, phrase: &Value) -> Result<Value, Error> {
    let (value, phrase) = (text(value)?, text(phrase)?);
    if value.is_empty() {
        return Ok(Value::from(""));
    }
    bounds::text(state, phrase.len().saturating_add(phrase.matches('#').count().saturating_mul(value.len())))?;
    Ok(Value::from(phrase.replace('#', &value)))
}

fn truncate(value: &Value, length: i64) -> Result<String, Error> {
    let (value, length) = (text(value)?, super::support::count(length, "the length", 1..=bounds::TEXT)?);
    match value.chars().nth(length) {
        None => Ok(value.into_owned()),
        Some(_) => Ok(value.chars().take(length - 1).chain(std::iter::once('…')).collect()),
    }
}

fn label(state: &State, value: &Value) -> Result<String, Error> {
    let code = text(value)?;
    let label = setting(state, "labels").and_then(|labels| labels.get_attr(&code).ok());
    match label.as_ref().and_then(Value::as_str) {
        Some(label) => Ok(label.to_owned()),
        None => Ok(code.replace('_', " ")),
    }
}

fn json(state: &mut State, value: &Value) -> Result<Value, Error> {
    let json = to_json(value).map_err(|failed| super::super::failure::fail(failed.kind, failed.message))?;
    made(state, json.to_string())
}

fn type_name(value: &Value) -> Result<&'static str, Error> {
    Ok(match value.kind() {
        ValueKind::String => "text",
        ValueKind::Number => "number",
        ValueKind::Bool => "boolean",
        ValueKind::None => "null",
        ValueKind::Map => "map",
        _ if is_list(value) => "list",
        _ => return Err(unsuitable(format!("{} has no type", kind(value)))),
    })
}

/// The arguments are taken as they come: an optional argument that is null counts as not given, and null is a default as good
/// as any.
fn default(value: &Value, given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut given = given.into_values();
    let kwargs = match given.pop_if(|last| last.is_kwargs()) {
        Some(kwargs) => Kwargs::try_from(kwargs)?,
        None => Kwargs::from_iter(std::iter::empty::<(String, Value)>()),
    };
    if given.len() > 2 {
        return Err(unsuitable("default takes a value, and whether null, false and empty count as absent"));
    }
    let mut given = given.into_iter();
    let other = match given.next() {
        Some(other) => other,
        None if kwargs.has("default_value") => kwargs.get("default_value")?,
        None => Value::from(""),
    };
    let lax = match given.next() {
        Some(lax) => lax.is_true(),
        None => kwargs.get::<Option<bool>>("boolean")?.unwrap_or(false),
    };
    kwargs.assert_all_used()?;
    Ok(if value.is_undefined() || (lax && !value.is_true()) { other } else { value.clone() })
}

fn choose_form(state: &mut State, value: &Value, forms: Kwargs) -> Result<Value, Error> {
    let locale = locale(state);
    let number = number_of(value, &locale)?;
    let exact = match number.as_f64() {
        Some(0.0) => forms.get::<Option<Value>>("zero")?,
        _ => None,
    };
    let other = forms.get::<Option<Value>>("other")?.ok_or_else(|| unsuitable("plural needs other=…"))?;
    let mut chosen = other;
    let form = plural::form(&number, &locale);
    for name in ["zero", "one", "two", "few", "many"] {
        let text = forms.get::<Option<Value>>(name)?;
        if name == form
            && let Some(text) = text
        {
            chosen = text;
        }
    }
    forms.assert_all_used()?;
    let words = text(exact.as_ref().unwrap_or(&chosen))?.replace('#', &crate::format::number::write(&number, &locale));
    made(state, words)
}

fn find_keywords(state: &State, value: &Value, list: &Value) -> Result<Vec<String>, Error> {
    let list = match list.as_str() {
        Some(name) => words(state, name)?.ok_or_else(|| unsuitable("the project has no such word list"))?,
        None => list.clone(),
    };
    let list: Vec<String> =
        items(&list)?.iter().map(|word| text(word).map(|word| word.into_owned())).collect::<Result<_, _>>()?;
    Ok(keywords::keywords(&text(value)?, &list).into_iter().map(str::to_owned).collect())
}

/// A word list of the project: by name, and by locale where it is a map of locales.
fn words(state: &State, name: &str) -> Result<Option<Value>, Error> {
    let Some(list) = setting(state, "words").and_then(|words| words.get_attr(name).ok()).filter(|list| !list.is_undefined())
    else {
        return Ok(None);
    };
    if list.kind() != ValueKind::Map {
        return Ok(Some(list));
    }
    let locale = locale(state);
    for tag in [locale.tag(), &locale.language_tag()] {
        let own = list.get_attr(tag)?;
        if !own.is_undefined() && !own.is_none() {
            return Ok(Some(own));
        }
    }
    Ok(Some(list))
}

fn e164(state: &State, value: &Value, country: Option<String>) -> Result<Value, Error> {
    let country = country.map(|country| country.to_uppercase());
    if country.as_ref().is_some_and(|country| !phone::is_region(country)) {
        return Err(unsuitable("that is not a country; write its two letters, such as AT"));
    }
    let country = country.or_else(|| region(state)).unwrap_or_default();
    Ok(phone::read(&text(value)?, &country).map_or(Value::from(()), Value::from))
}

fn severity(state: &State, value: &Value, lists: Option<Value>) -> Result<String, Error> {
    let value = text(value)?;
    let lists = match lists {
        Some(lists) => Some(lists),
        None => words(state, "severity")?,
    };
    let Some(lists) = lists else { return Ok(keywords::builtin_severity(&value, &locale(state)).to_owned()) };
    if lists.kind() != ValueKind::Map {
        return Err(unsuitable("the words of a severity are a map: level and list"));
    }
    let mut levels = Vec::new();
    for level in keywords::SEVERITIES {
        let list = items(&match lists.get_attr(level)? {
            absent if absent.is_undefined() => Value::from(()),
            list => list,
        })?;
        let list: Vec<String> =
            list.iter().map(|word| text(word).map(|word| word.into_owned())).collect::<Result<_, _>>()?;
        levels.push((level, list));
    }
    Ok(keywords::severity(&value, &levels).to_owned())
}

fn in_ci(value: &Value, among: &Value) -> Result<bool, Error> {
    let wanted = text(value)?.to_lowercase();
    if let Some(whole) = among.as_str() {
        return Ok(whole.to_lowercase().contains(&wanted));
    }
    let among = if among.kind() == ValueKind::Map { among.try_iter()?.collect() } else { items(among)? };
    for item in among {
        if text(&item)?.to_lowercase() == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}
