//! Tables that a connector brings with it: scripts as they are, CSV and JSON files as typed rows.
//!
//! The type of a column is the narrowest that every value of it has; a number with a leading zero is a text, since it is a
//! postal code or an article number.

use serde_json::Value;

use super::csv;

/// Tables that are made at the start when the database does not have them.
#[derive(Debug, PartialEq)]
pub struct Table {
    /// The name under which the database remembers that it was made; of rows, the table's name.
    pub name: String,
    /// What is made.
    pub content: Content,
}

/// What is made.
#[derive(Debug, PartialEq)]
pub enum Content {
    /// By these statements.
    Script(String),
    /// A table of these columns and rows.
    Rows {
        /// The columns, in order.
        columns: Vec<Column>,
        /// The rows; each has a scalar for every column.
        rows: Vec<Vec<Value>>,
    },
}

/// A column of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name. Lists and objects stand as JSON text in a column whose name ends in `_json`.
    pub name: String,
    /// Its SQL type; empty when the values have several.
    pub sql_type: &'static str,
}

/// The table of a CSV file.
///
/// # Errors
/// What is wrong with the file and in which line.
pub(super) fn from_csv(text: &str) -> Result<Content, String> {
    let mut lines = csv::parse(text)?.into_iter();
    let Some((_, header)) = lines.next() else {
        return Err("the file is empty; its first line names the columns".to_owned());
    };
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    check(&names)?;
    let texts: Vec<Vec<String>> = lines.map(|(_, fields)| fields).collect();
    let types: Vec<&'static str> = (0..names.len()).map(|at| csv_type(texts.iter().filter_map(|row| row.get(at)))).collect();
    let rows = texts.iter().map(|row| row.iter().zip(&types).map(|(text, sql_type)| csv_value(text, sql_type)).collect());
    let rows = rows.collect();
    let columns = names.into_iter().zip(types).map(|(name, sql_type)| Column { name, sql_type }).collect();
    Ok(Content::Rows { columns, rows })
}

/// The table of a JSON file, a list of objects.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn from_json(text: &str) -> Result<Content, String> {
    let items: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(text).map_err(|error| format!("the file is not a list of objects: line {}", error.line()))?;
    let mut names: Vec<&str> = Vec::new();
    for key in items.iter().flat_map(serde_json::Map::keys) {
        if !names.contains(&key.as_str()) {
            names.push(key);
        }
    }
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let nested = |name: &str| items.iter().filter_map(|item| item.get(name)).any(|v| v.is_array() || v.is_object());
    let columns: Vec<Column> = names
        .iter()
        .map(|name| match nested(name) {
            true => Column { name: format!("{name}_json"), sql_type: "TEXT" },
            false => Column { name: name.clone(), sql_type: json_type(items.iter().filter_map(|item| item.get(name))) },
        })
        .collect();
    check(&columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())?;
    let cell = |item: &serde_json::Map<String, Value>, name: &String, column: &Column| match item.get(name) {
        None | Some(Value::Null) => Value::Null,
        Some(value) if column.name != *name => value.to_string().into(),
        Some(value) => value.clone(),
    };
    let rows = items.iter().map(|item| names.iter().zip(&columns).map(|(name, column)| cell(item, name, column)).collect());
    let rows = rows.collect();
    Ok(Content::Rows { columns, rows })
}

fn check(names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Err("the file names no column".to_owned());
    }
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() || name.contains(['"', '\0']) {
            return Err(format!("column {} has no usable name", at + 1));
        }
        if names.iter().take(at).any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(format!("the column `{name}` stands twice"));
        }
    }
    Ok(())
}

fn csv_type<'a>(values: impl Iterator<Item = &'a String>) -> &'static str {
    let mut narrowest = "";
    for text in values.map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let canonical = |digits: &str| digits == "0" || !(digits.starts_with('0') || digits.starts_with('+'));
        let whole = text.strip_prefix('-').unwrap_or(text);
        let of_this = if canonical(whole) && text.parse::<i64>().is_ok() {
            "INTEGER"
        } else if is_decimal(whole) {
            "REAL"
        } else {
            return "TEXT";
        };
        if narrowest != "REAL" {
            narrowest = of_this;
        }
    }
    if narrowest.is_empty() { "TEXT" } else { narrowest }
}

/// Digits, a point, digits; without a leading zero but the one before the point.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(whole, rest)| digits(whole) && digits(rest) && (whole == "0" || !whole.starts_with('0')))
}

fn csv_value(text: &str, sql_type: &str) -> Value {
    let trimmed = text.trim();
    match sql_type {
        _ if trimmed.is_empty() => Value::Null,
        "INTEGER" => trimmed.parse::<i64>().map_or(Value::Null, Value::from),
        "REAL" => trimmed.parse::<f64>().map_or(Value::Null, Value::from),
        _ => text.into(),
    }
}

fn json_type<'a>(values: impl Iterator<Item = &'a Value>) -> &'static str {
    let mut all: Option<&'static str> = None;
    for value in values {
        let of_this = match value {
            Value::Null => continue,
            Value::Bool(_) => "BOOLEAN",
            Value::Number(number) if number.is_f64() => "REAL",
            Value::Number(_) => "INTEGER",
            _ => "TEXT",
        };
        all = match all {
            None => Some(of_this),
            Some(other) if other == of_this => all,
            Some("INTEGER" | "REAL") if matches!(of_this, "INTEGER" | "REAL") => Some("REAL"),
            Some(_) => return "",
        };
    }
    all.unwrap_or("TEXT")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(content: Content) -> (Vec<String>, Vec<Vec<Value>>) {
        match content {
            Content::Rows { columns, rows } => {
                (columns.into_iter().map(|column| format!("{} {}", column.name, column.sql_type)).collect(), rows)
            }
            Content::Script(_) => panic!("rows"),
        }
    }

    #[test]
    fn a_column_of_a_csv_has_the_narrowest_type_of_its_values() {
        let (columns, rows) = shown(from_csv("no,zip,price,note,empty\n1,01067,19.90,x,\n-2,,5,007,\n").unwrap());
        assert_eq!(columns, ["no INTEGER", "zip TEXT", "price REAL", "note TEXT", "empty TEXT"]);
        assert_eq!(rows[0], [json!(1), json!("01067"), json!(19.9), json!("x"), Value::Null]);
        assert_eq!(rows[1], [json!(-2), Value::Null, json!(5.0), json!("007"), Value::Null]);
    }

    #[test]
    fn numbers_that_are_no_numbers_stay_texts() {
        for text in ["+4915112345678", "1e5", "00", "1.", ".5", "99999999999999999999", "NaN"] {
            assert_eq!(csv_type([&text.to_owned()].into_iter()), "TEXT", "{text}");
        }
    }

    #[test]
    fn a_json_table_keeps_types_and_nests_as_json() {
        let text = r#"[{"id": 1, "open": true, "tags": ["a"]}, {"id": 2.5, "open": null, "tags": null, "mixed": 1}, {"mixed": "x"}]"#;
        let (columns, rows) = shown(from_json(text).unwrap());
        assert_eq!(columns, ["id REAL", "open BOOLEAN", "tags_json TEXT", "mixed "]);
        assert_eq!(rows[0], [json!(1), json!(true), json!("[\"a\"]"), Value::Null]);
        assert_eq!(rows[2], [Value::Null, Value::Null, Value::Null, json!("x")]);
    }

    #[test]
    fn files_without_usable_columns_are_refused() {
        for (text, says) in [("", "empty"), ("a,,c\n1,2,3", "column 2"), ("a,A\n1,2", "twice")] {
            assert!(from_csv(text).unwrap_err().contains(says), "{text}");
        }
        assert!(from_json("{}").unwrap_err().contains("list of objects"));
        assert!(from_json("[{}]").unwrap_err().contains("no column"));
    }
}
