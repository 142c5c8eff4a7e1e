//! Fills a statement: which optional conditions stand, and which value goes to which place.
//!
//! A name that stands twice is one value of the statement, so that a database sees that both places are the same.

use serde_json::{Map, Value};

use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Bind, Piece, Sql};

/// A statement's text with a numbered mark for every value, and the values in their order.
pub(super) struct Filled<'a> {
    /// The text: `… where a = $1`.
    pub(super) text: String,
    /// Each value with its name.
    pub(super) values: Vec<(&'a Bind, &'a Value)>,
}

const NULL: &Value = &Value::Null;

/// The statement with `mark` and a number for every value: `?1` or `$1`.
///
/// # Errors
/// `unexpected` when a result does not have the field that a bind names.
pub(super) fn filled<'a>(sql: &'a Sql, names: &'a Map<String, Value>, mark: char) -> Result<Filled<'a>, Fault> {
    let mut filled = Filled { text: String::new(), values: Vec::new() };
    for piece in &sql.pieces {
        match piece {
            Piece::Optional(inner) => {
                let values = inner.iter().filter_map(|piece| match piece {
                    Piece::Bind(bind) => Some(value(bind, names)),
                    _ => None,
                });
                if values.collect::<Result<Vec<_>, _>>()?.iter().all(|value| !value.is_null()) {
                    inner.iter().try_for_each(|piece| filled.add(piece, mark, |bind| value(bind, names)))?;
                }
            }
            other => filled.add(other, mark, |bind| value(bind, names))?,
        }
    }
    Ok(filled)
}

/// The statement with and without its optional conditions, all values being null.
pub(super) fn forms(sql: &Sql, mark: char) -> Vec<Filled<'_>> {
    let with = |optional: bool| {
        let mut filled = Filled { text: String::new(), values: Vec::new() };
        let pieces = sql.pieces.iter().flat_map(|piece| match piece {
            Piece::Optional(inner) if optional => inner.as_slice(),
            Piece::Optional(_) => &[],
            other => std::slice::from_ref(other),
        });
        pieces.for_each(|piece| drop(filled.add(piece, mark, |_| Ok(NULL))));
        filled
    };
    let mut forms = vec![with(true), with(false)];
    forms.dedup_by(|one, other| one.text == other.text);
    forms
}

impl<'a> Filled<'a> {
    fn add(
        &mut self,
        piece: &'a Piece,
        mark: char,
        value: impl Fn(&'a Bind) -> Result<&'a Value, Fault>,
    ) -> Result<(), Fault> {
        match piece {
            Piece::Text(part) => self.text.push_str(part),
            Piece::Bind(bind) => {
                let number = match self.values.iter().position(|(other, _)| other.path == bind.path) {
                    Some(at) => at + 1,
                    None => {
                        self.values.push((bind, value(bind)?));
                        self.values.len()
                    }
                };
                self.text.push(mark);
                self.text.push_str(&number.to_string());
            }
            Piece::Optional(_) => {}
        }
        Ok(())
    }
}

/// A part of null is null: the result of a statement that found nothing, or was left out, has no parts.
fn value<'a>(bind: &Bind, names: &'a Map<String, Value>) -> Result<&'a Value, Fault> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_one_value() {
        let sql = Sql::parse("select :a, :b.c, :a [[where :x = :a]]").unwrap();
        let Value::Object(names) = json!({"a": 1, "b": {"c": 2}, "x": null}) else { panic!() };
        let filled = filled(&sql, &names, '$').unwrap();
        assert_eq!(filled.text, "select $1, $2, $1 ");
        assert_eq!(filled.values.iter().map(|(_, value)| (*value).clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
        let texts: Vec<_> = forms(&sql, '?').into_iter().map(|form| form.text).collect();
        assert_eq!(texts, ["select ?1, ?2, ?1 where ?3 = ?1", "select ?1, ?2, ?1 "]);
    }
}
