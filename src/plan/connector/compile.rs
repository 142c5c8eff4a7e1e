//! The arrow from a connector's file as written to the connector as it runs.
//!
//! Everything that is wrong is reported; a connector comes out when no error was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;

use super::sql::{Refused, Sql};
use super::{
    Connector, Content, FirstUse, Right, Setting, SqlSystem, System, Table, database, http, lets, operation, table,
};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::format::Format;
use crate::name::{Local, OperationName};
use crate::plan::reading::{self, written_secret};
use crate::spec::connector as spec;
use crate::spec::{Kind, Text};
use crate::template::{Expression, Reference, Template};

/// The texts of the files that a connector names, or why one cannot be read; read by the caller, since compiling reads nothing.
pub type Files = BTreeMap<String, Result<String, String>>;

/// The formats of legwork.yml by name; none for one that is wrong, which is said where it stands.
pub type Formats = BTreeMap<String, Option<Format>>;

/// What a connector's file may name that stands elsewhere.
#[derive(Debug)]
pub struct Beside<'a> {
    /// The texts of its files.
    pub files: &'a Files,
    /// The project's own formats, empty for a connector that comes with legwork; none when they are not known, so that
    /// nothing can be said of a name.
    pub formats: Option<&'a Formats>,
}

/// Compiles the connector `name`, which is the name of its file.
#[must_use]
pub fn compile_connector(
    name: &str,
    written: &spec::Connector,
    beside: &Beside<'_>,
) -> (Option<Connector>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let connector = connector(name, written, beside, &mut out);
    let sound = !out.has_errors();
    (connector.filter(|_| sound), out.into_sorted())
}

fn connector(name: &str, written: &spec::Connector, beside: &Beside<'_>, out: &mut Diagnostics) -> Option<Connector> {
    let Some(kind) = SystemKind::parse(written.kind.as_str()) else {
        let later = ["queue", "webhook"].contains(&written.kind.as_str());
        let what = if later { "is not built into this version" } else { "does not exist" };
        let message = format!("`kind: {}` {what}", written.kind.value);
        out.push(Diagnostic::at(Code::BadValue, &written.kind.span, message).help("the kind of system is `sql` or `http`"));
        return None;
    };
    misplaced(written, kind, out);
    let settings: Vec<Setting> = written.settings.iter().filter_map(|(name, it)| setting(name, it, kind, out)).collect();
    let dotted = dotted(written, &settings);
    let mut names = Names::new(&dotted);
    let system = match kind {
        SystemKind::Sql => {
            let database = database::address(written, &settings, out);
            let reads = database::reads(written, &settings, out);
            let pool = database::pool(written.pool.as_ref(), out);
            let tables = tables(&written.tables, beside.files, out);
            let first_use = written.first_use.as_ref().and_then(|it| first_use(it, written, out));
            database.map(|database| System::Sql(SqlSystem { database, reads, pool, tables, first_use }))
        }
        SystemKind::Http => {
            let lets = lets::compile(&written.r#let, &mut names, out);
            http::system(written, &settings, &names, lets, out).map(|system| System::Http(Box::new(system)))
        }
    };
    let around = Around { connector: written, kind, names: &names, settings: &settings, formats: beside.formats };
    let mut operations = IndexMap::new();
    for (name, it) in written.operations.iter() {
        let Some(parsed) = OperationName::parse(name.as_str()) else {
            bad_name(name, OperationName::RULE, out);
            continue;
        };
        if written.operations.get(parsed.plain()).is_none() {
            let message = format!("there is no `{}` that `{parsed}` could be a later version of", parsed.plain());
            let help = format!("keep the first version, since actions call it, or write `{}` alone", parsed.plain());
            out.push(Diagnostic::at(Code::UnknownOperation, &name.span, message).help(help));
        }
        if let Some(operation) = operation::compile(&parsed, name, it, &around, out) {
            operations.insert(parsed, operation);
        }
    }
    if written.operations.is_empty() {
        let message = "a connector needs the key `operations` with at least one";
        out.push(Diagnostic::at(Code::MissingKey, &written.span, message).help("write `NAME: { sql: select … }` under it"));
    }
    let description = written.description.as_ref().map(|text| text.value.clone()).unwrap_or_default();
    let (rights, lacks) = (written.rights.iter().map(right).collect(), lacks(written, out));
    let (name, print) = (Arc::from(name), print(written, beside));
    Some(Connector { name, description, rights, lacks, settings, system: system?, operations, print })
}

/// What tells it from the same connector as it was before a change.
fn print(written: &spec::Connector, beside: &Beside<'_>) -> [u8; 32] {
    let formats = format!("{:?}", beside.formats);
    let files =
        beside.files.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_deref().unwrap_or_default().as_bytes()]);
    let parts = std::iter::once(written.span.file.text.as_bytes()).chain(files).chain([formats.as_bytes()]);
    crate::plan::print(parts)
}

fn right(written: &spec::Right) -> Right {
    let purpose = written.r#for.as_ref().map(|text| text.value.clone());
    Right { name: written.name.value.clone(), purpose }
}

/// What the system does not offer; an operation of the file is not among it.
fn lacks(written: &spec::Connector, out: &mut Diagnostics) -> Vec<(String, String)> {
    let both = written.lacks.iter().filter(|(name, _)| written.operations.get(name.as_str()).is_some());
    for (name, _) in both {
        let message = format!("`lacks` says that there is no `{}`, which is an operation of this file", name.value);
        out.push(Diagnostic::at(Code::DuplicateName, &name.span, message).help("take one of the two out"));
    }
    written.lacks.iter().map(|(name, why)| (name.value.clone(), why.value.clone())).collect()
}

/// What an operation stands in.
pub(super) struct Around<'a> {
    pub(super) connector: &'a spec::Connector,
    pub(super) kind: SystemKind,
    /// What every template of it may use.
    pub(super) names: &'a Names<'a>,
    pub(super) settings: &'a [Setting],
    /// The project's own formats; none when they are not known.
    pub(super) formats: Option<&'a Formats>,
}

/// How a system is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SystemKind {
    Sql,
    Http,
}

impl SystemKind {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "sql" => Some(Self::Sql),
            "http" => Some(Self::Http),
            _ => None,
        }
    }
}

/// The names that the templates of an operation may use.
#[derive(Debug, Clone)]
pub(super) struct Names<'a> {
    known: BTreeSet<&'a str>,
    dotted: &'a [String],
}

impl<'a> Names<'a> {
    /// Settings and codes alone.
    const fn new(dotted: &'a [String]) -> Self {
        Self { known: BTreeSet::new(), dotted }
    }

    /// The same with names of an operation.
    pub(super) fn and(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.known.extend(names);
        self
    }

    /// The name of a result.
    pub(super) fn result(&mut self, name: Option<&'a Text>) {
        self.known.extend(name.map(Text::as_str));
    }

    /// Settings, and what `let` makes of them.
    pub(super) fn settings(&self) -> BTreeSet<&'a str> {
        let settings = self.dotted.iter().map(String::as_str).filter(|name| !name.starts_with(CODES));
        settings.chain(self.known.iter().copied()).collect()
    }

    /// Every name, and some more.
    pub(super) fn with<const N: usize>(&self, more: [&'a str; N]) -> BTreeSet<&'a str> {
        self.known.iter().copied().chain(self.dotted.iter().map(String::as_str)).chain(more).collect()
    }
}

const SETTINGS: &str = "settings";
const CODES: &str = "codes";

/// The names of settings and codes, with what they stand in: `settings.subdomain`. A secret, `settings!token`, is none that a
/// template may use: it goes into `auth`.
fn dotted(written: &spec::Connector, settings: &[Setting]) -> Vec<String> {
    let setting = |setting: &Setting| match setting.secret {
        true => format!("{SETTINGS}!{}", setting.name),
        false => format!("{SETTINGS}.{}", setting.name),
    };
    let settings = settings.iter().map(setting);
    let codes = written.codes.iter().map(|(name, _)| format!("{CODES}.{}", name.value));
    [SETTINGS.to_owned(), CODES.to_owned()].into_iter().chain(settings).chain(codes).collect()
}

/// Keys that belong to another kind of system.
fn misplaced(written: &spec::Connector, kind: SystemKind, out: &mut Diagnostics) {
    let sql = [
        ("database", written.database.as_ref().map(|it| &it.span)),
        ("reads", written.reads.as_ref().map(|it| &it.span)),
        ("pool", written.pool.as_ref().map(|it| &it.span)),
        ("tables", written.tables.first().map(|it| &it.span)),
        ("first_use", written.first_use.as_ref().map(|it| &it.span)),
    ];
    let http = [
        ("api", written.api.as_ref().map(|it| &it.span)),
        ("auth", written.auth.as_ref().map(|it| &it.span)),
        ("base", written.base.as_ref().map(|it| &it.span)),
        ("headers", written.headers.iter().next().map(|(name, _)| &name.span)),
        ("errors", written.errors.first().map(|it| &it.span)),
        ("wait", written.wait.first().map(|it| &it.span)),
        ("quota", written.quota.first().map(|it| &it.span)),
        ("limits", written.limits.as_ref().map(|it| &it.span)),
        ("timeout", written.timeout.as_ref().map(|it| &it.span)),
        ("retry", written.retry.as_ref().map(|it| &it.span)),
        ("pages", written.pages.iter().next().map(|(name, _)| &name.span)),
        ("codes", written.codes.iter().next().map(|(name, _)| &name.span)),
        ("let", written.r#let.iter().next().map(|(name, _)| &name.span)),
        ("test", written.test.as_ref().map(|it| &it.span)),
    ];
    let (others, of) = if kind == SystemKind::Sql { (&http[..], "http") } else { (&sql[..], "sql") };
    for (key, span) in others.iter().filter_map(|(key, span)| Some((key, (*span)?))) {
        out.push(
            Diagnostic::at(Code::MisplacedKey, span, format!("`{key}` belongs to `kind: {of}`"))
                .help("take it out, or write another `kind`"),
        );
    }
}

/// Keys of legwork.yml that belong to every connection, so that no setting can have their names.
pub(in crate::plan) const CONNECTION_KEYS: [&str; 17] = [
    "connector",
    "mode",
    "share",
    "faults",
    "allow_private",
    "stand_in",
    "authorities",
    "certificate",
    "certificate_key",
    "certificate_password",
    "proxy",
    "timeout",
    "retry",
    "breaker",
    "limits",
    "hedge",
    "cache",
];

fn setting(name: &Text, written: &spec::Setting, system: SystemKind, out: &mut Diagnostics) -> Option<Setting> {
    if Local::parse(name.as_str()).is_none() || CONNECTION_KEYS.contains(&name.as_str()) {
        bad_name(name, &format!("letters, digits and underscores, and is none of `{}`", CONNECTION_KEYS.join("`, `")), out);
    }
    let is_map = match written.kind.as_ref() {
        Some(text) if text.as_str() == "map" && system == SystemKind::Http => true,
        Some(text) if text.as_str() != "text" => {
            let message = format!("there is no setting of the kind `{}`", text.value);
            out.push(Diagnostic::at(Code::BadValue, &text.span, message).did_you_mean(text.as_str(), ["text", "map"]));
            false
        }
        _ => false,
    };
    let default = match &written.default {
        Some(node) if is_map => match &node.kind {
            Kind::Map(_) => Some(node.to_json().to_string()),
            _ => {
                out.push(
                    Diagnostic::at(Code::WrongType, &node.span, "a mapping of names and values is needed here")
                        .help("write { name: value }, or {} for none"),
                );
                None
            }
        },
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
        is_map,
        required: written.default.is_none(),
        default,
        example: written
            .example
            .as_ref()
            .filter(|node| !node.to_json().is_null())
            .map(|node| node.scalar_text().unwrap_or_else(|| node.to_json().to_string())),
        pattern,
        secret: written.secret.as_ref().is_some_and(|flag| flag.value),
    };
    if let (true, Some(_), Some(node)) = (setting.secret, &setting.default, &written.default) {
        out.push(written_secret(&node.span, "take the `default` out: each connection says where its secret is"));
    }
    if let (Some(default), Some(node)) = (&setting.default, &written.default)
        && let Err(reason) = setting.accepts(default)
    {
        out.push(
            Diagnostic::at(Code::BadValue, &node.span, reason).help("a default has to fit the setting's own `pattern`"),
        );
    }
    Some(setting)
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

/// Reports a reference to a name that nothing gives a value. Of `settings` and `codes`, the name below is looked at too.
///
/// `offset` is where the source begins in the text.
pub(super) fn known_names(reference: &Reference, offset: usize, text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) {
    let root = reference.path.first().map(String::as_str).unwrap_or_default();
    let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
    if let ([SETTINGS | CODES, name, ..], true) = (path.as_slice(), names.contains(root)) {
        if !names.contains(format!("{root}.{name}").as_str()) {
            if names.contains(format!("{root}!{name}").as_str()) {
                let span = text.part(reference.range.start + offset..reference.range.end + offset);
                let diagnostic = Diagnostic::at(Code::UnknownName, &span, format!("`{root}.{name}` is a secret"));
                out.push(diagnostic.help("secrets go into `auth`, where no answer and no log can show them"));
                return;
            }
            let message = format!("there is no `{root}.{name}`");
            let span = text.part(reference.range.start + offset..reference.range.end + offset);
            let below = names.iter().filter_map(|known| known.strip_prefix(root)?.strip_prefix('.'));
            let diagnostic = Diagnostic::at(Code::UnknownName, &span, message).did_you_mean(name, below);
            out.push(match root == SETTINGS && diagnostic.help.is_none() {
                true => diagnostic.help("name it under `settings` of this file"),
                false => diagnostic,
            });
        }
        return;
    }
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
