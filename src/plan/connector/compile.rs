//! The arrow from a connector's file as written to the connector as it runs.
//!
//! Everything that is wrong is reported; a connector comes out when no error was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;

use super::sql::{Refused, Sql};
use super::{Connector, Content, FirstUse, Setting, SqlSystem, System, Table, operation, table};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::{Local, OperationName};
use crate::plan::reading;
use crate::spec::connector as spec;
use crate::spec::{Kind, Text};
use crate::template::{Expression, Reference, Template};

/// The texts of the files that a connector names, or why one cannot be read; read by the caller, since compiling reads nothing.
pub type Files = BTreeMap<String, Result<String, String>>;

/// Compiles the connector `name`, which is the name of its file.
#[must_use]
pub fn compile_connector(name: &str, written: &spec::Connector, files: &Files) -> (Option<Connector>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let connector = connector(name, written, files, &mut out);
    let sound = !out.has_errors();
    (connector.filter(|_| sound), out.into_sorted())
}

fn connector(name: &str, written: &spec::Connector, files: &Files, out: &mut Diagnostics) -> Option<Connector> {
    if written.kind.as_str() != "sql" {
        let later = ["http", "queue", "webhook"].contains(&written.kind.as_str());
        let what = if later { "is not built into this version" } else { "does not exist" };
        let message = format!("`kind: {}` {what}", written.kind.value);
        out.push(Diagnostic::at(Code::BadValue, &written.kind.span, message).help("the kind of system is `sql`"));
        return None;
    }
    let settings: Vec<Setting> = written.settings.iter().filter_map(|(name, it)| setting(name, it, out)).collect();
    let database = database(written, &settings, out);
    let tables = tables(&written.tables, files, out);
    let mut operations = IndexMap::new();
    for (name, it) in written.operations.iter() {
        let Some(parsed) = OperationName::parse(name.as_str()) else {
            bad_name(name, OperationName::RULE, out);
            continue;
        };
        if let Some(operation) = operation::compile(&parsed, name, it, written, out) {
            operations.insert(parsed, operation);
        }
    }
    if written.operations.is_empty() {
        let message = "a connector needs the key `operations` with at least one";
        out.push(Diagnostic::at(Code::MissingKey, &written.span, message).help("write `NAME: { sql: select … }` under it"));
    }
    let first_use = written.first_use.as_ref().and_then(|it| first_use(it, written, out));
    let system = System::Sql(SqlSystem { database: database?, tables, first_use });
    let description = written.description.as_ref().map(|text| text.value.clone()).unwrap_or_default();
    Some(Connector { name: Arc::from(name), description, settings, system, operations })
}

fn setting(name: &Text, written: &spec::Setting, out: &mut Diagnostics) -> Option<Setting> {
    if Local::parse(name.as_str()).is_none() || name.as_str() == "connector" || name.as_str() == "mode" {
        bad_name(name, "letters, digits and underscores, and neither `connector` nor `mode`", out);
    }
    let default = match &written.default {
        Some(node) if matches!(node.kind, Kind::List(_) | Kind::Map(_)) => {
            out.push(
                Diagnostic::at(Code::WrongType, &node.span, "a text is needed here").help("a setting is a text or a number"),
            );
            None
        }
        Some(node) => node.scalar_text(),
        None => None,
    };
    let pattern = match &written.pattern {
        Some(text) => match Regex::new(&format!("^(?:{})$", text.value)) {
            Ok(pattern) => Some(pattern),
            Err(_) => {
                out.push(
                    Diagnostic::at(Code::BadValue, &text.span, "this is not a regular expression")
                        .help("it stands for the whole value, such as [a-z0-9-]+"),
                );
                return None;
            }
        },
        None => None,
    };
    let setting = Setting {
        name: name.value.clone(),
        description: written.description.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
        required: written.default.is_none(),
        default,
        pattern,
        secret: written.secret.as_ref().is_some_and(|flag| flag.value),
    };
    if let (Some(default), Some(node)) = (&setting.default, &written.default)
        && let Err(reason) = setting.accepts(default)
    {
        out.push(
            Diagnostic::at(Code::BadValue, &node.span, reason).help("a default has to fit the setting's own `pattern`"),
        );
    }
    Some(setting)
}

fn database(written: &spec::Connector, settings: &[Setting], out: &mut Diagnostics) -> Option<Template> {
    let Some(text) = &written.database else {
        let help = "an SQLite file, such as `database: data/shop.db`, or `database: \":memory:\"` for one made of `tables`";
        out.push(Diagnostic::at(Code::MissingKey, &written.kind.span, "`kind: sql` needs the key `database`").help(help));
        return None;
    };
    let compiled = reading::template(text, out)?;
    for reference in compiled.references() {
        match reference.path.as_slice() {
            [root, name, ..] if root == "settings" => {
                if !settings.iter().any(|setting| setting.name == *name) {
                    let message = format!("the connector has no setting `{name}`");
                    let known = settings.iter().map(|setting| setting.name.as_str());
                    let span = text.part(reference.range.clone());
                    out.push(Diagnostic::at(Code::UnknownName, &span, message).did_you_mean(name, known));
                }
            }
            _ => known_names(reference, 0, text, &BTreeSet::from(["settings"]), out),
        }
    }
    Some(compiled)
}

fn tables(written: &[spec::Table], files: &Files, out: &mut Diagnostics) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for entry in written {
        let Some((table, named)) = one_table(entry, files, out) else { continue };
        if tables.iter().any(|other| other.name == table.name) {
            let message = format!("two entries of `tables` are called `{}`", table.name);
            out.push(Diagnostic::at(Code::DuplicateName, &named.span, message).help("give one of them another `name`"));
            continue;
        }
        tables.push(table);
    }
    tables
}

fn one_table<'a>(entry: &'a spec::Table, files: &Files, out: &mut Diagnostics) -> Option<(Table, &'a Text)> {
    type Reader = fn(&str) -> Result<Content, String>;
    let script: Reader = |text| Ok(Content::Script(text.to_owned()));
    let ways: [(&Option<Text>, Reader); 4] =
        [(&entry.sql, script), (&entry.create, script), (&entry.csv, table::from_csv), (&entry.json, table::from_json)];
    let mut given = ways.into_iter().filter_map(|(text, reader)| Some((text.as_ref()?, reader)));
    let (Some((source, reader)), None) = (given.next(), given.next()) else {
        let message = "an entry of `tables` has exactly one of `sql`, `create`, `csv` and `json`";
        out.push(Diagnostic::at(Code::WrongType, &entry.span, message).help("make an entry of its own of each"));
        return None;
    };
    let inline = entry.create.is_some();
    let text = match files.get(source.as_str()) {
        _ if inline => source.as_str(),
        Some(Ok(text)) => text,
        Some(Err(reason)) => {
            let diagnostic =
                Diagnostic::at(Code::Unreadable, &source.span, format!("`{}` cannot be read: {reason}", source.value));
            out.push(diagnostic.help("the path begins at the folder of this file"));
            return None;
        }
        None => {
            let diagnostic = Diagnostic::at(Code::Unreadable, &source.span, format!("`{}` was not read", source.value));
            out.push(diagnostic.help("the path begins at the folder of this file"));
            return None;
        }
    };
    let content = reader(text)
        .map_err(|reason| out.push(Diagnostic::at(Code::BadValue, &source.span, format!("`{}`: {reason}", source.value))))
        .ok()?;
    let file_stem = || source.as_str().rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
    let named = entry.name.as_ref().unwrap_or(source);
    let name = match &entry.name {
        Some(name) => name.as_str(),
        None if inline => first_line(source.as_str()),
        None if matches!(content, Content::Script(_)) => source.as_str(),
        None => file_stem(),
    };
    if matches!(content, Content::Rows { .. }) && Local::parse(name).is_none() {
        bad_name(named, Local::RULE, out);
        return None;
    }
    Some((Table { name: name.to_owned(), content }, named))
}

fn first_line(script: &str) -> &str {
    script.trim().lines().next().unwrap_or_default()
}

fn first_use(written: &spec::FirstUse, connector: &spec::Connector, out: &mut Diagnostics) -> Option<FirstUse> {
    let of = Local::parse(written.of.as_str());
    let takers = connector.operations.iter().filter(|(_, it)| it.inputs.get(written.of.as_str()).is_some()).count();
    if takers == 0 {
        let message = format!("no operation has the input `{}`", written.of.value);
        let inputs = connector.operations.iter().flat_map(|(_, it)| it.inputs.iter()).map(|(name, _)| name.as_str());
        let known: BTreeSet<&str> = inputs.collect();
        out.push(Diagnostic::at(Code::UnknownInput, &written.of.span, message).did_you_mean(written.of.as_str(), known));
    }
    let names = BTreeSet::from([written.of.as_str(), operation::NOW]);
    let unless = statement(&written.unless, &names, out);
    if unless.as_ref().is_some_and(|sql| sql.writes) {
        out.push(
            Diagnostic::at(Code::BadSql, &written.unless.span, "`unless` looks for rows and cannot change any")
                .help("write a `select`"),
        );
    }
    let statements: Vec<_> = written.sql.iter().map(|text| statement(text, &names, out)).collect();
    Some(FirstUse { of: of?, unless: unless?, statements: statements.into_iter().collect::<Option<_>>()? })
}

/// Parses a statement whose binds may use `names`.
pub(super) fn statement(text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Sql> {
    let sql = Sql::parse(text.as_str())
        .map_err(|Refused { message, help, range }| {
            out.push(Diagnostic::at(Code::BadSql, &text.part(range), message).help(help));
        })
        .ok()?;
    for bind in sql.binds() {
        let name = bind.path.first().map(String::as_str).unwrap_or_default();
        if !names.contains(name) {
            let message = format!("nothing gives `:{name}` a value");
            let span = text.part(bind.range.clone());
            out.push(Diagnostic::at(Code::UnknownName, &span, message).did_you_mean(name, names.iter().copied()));
        }
    }
    Some(sql)
}

/// Compiles a template that may use `names`.
pub(super) fn template(text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Template> {
    let compiled = reading::template(text, out)?;
    for reference in compiled.references() {
        known_names(reference, 0, text, names, out);
    }
    Some(compiled)
}

/// Compiles an expression that may use `names`.
pub(super) fn expression(text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Expression> {
    let (compiled, offset) = reading::expression(text, out)?;
    for reference in compiled.references() {
        known_names(reference, offset, text, names, out);
    }
    Some(compiled)
}

/// Reports a reference to a name that nothing gives a value.
///
/// `offset` is where the source begins in the text.
fn known_names(reference: &Reference, offset: usize, text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) {
    let root = reference.path.first().map(String::as_str).unwrap_or_default();
    if !names.contains(root) {
        let message = format!("nothing gives `{root}` a value");
        let span = text.part(reference.range.start + offset..reference.range.end + offset);
        out.push(Diagnostic::at(Code::UnknownName, &span, message).did_you_mean(root, names.iter().copied()));
    }
}

pub(super) fn bad_name(name: &Text, rule: &str, out: &mut Diagnostics) {
    let message = format!("`{}` cannot be a name here", name.value);
    out.push(Diagnostic::at(Code::BadName, &name.span, message).help(format!("a name has {rule}")));
}
