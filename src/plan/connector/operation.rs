//! Compiles one operation: its inputs, its statements with the names they may use, and what it promises to answer.

use std::collections::BTreeSet;

use regex::Regex;

use super::answer;
use super::compile::{Around, Formats, SystemKind, bad_name};
use super::example::example;
use super::{CacheRule, Operation, OperationInput, OperationKind, Take, Work, database, http, lets, statement};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::format::{Choice, Format};
use crate::model::Model;
use crate::name::{Local, OperationName};
use crate::plan::reading::duration;
use crate::resilience::Keep;
use crate::spec::action::FormatRef;
use crate::spec::connector as spec;
use crate::spec::{Key, Kind, Text};

/// The name of the time of the call, in statements and templates.
pub(super) const NOW: &str = "now";
/// The name of one row of a list, in the answer that is made of each.
pub(super) const ROW: &str = "row";

pub(super) fn compile(
    name: &OperationName,
    key: &Text,
    written: &spec::Operation,
    around: &Around<'_>,
    out: &mut Diagnostics,
) -> Option<Operation> {
    let connector = around.connector;
    let kind = kind(written, out);
    let inputs: Vec<OperationInput> = written.inputs.iter().filter_map(|(name, it)| input(name, it, around, out)).collect();
    misplaced(written, around.kind, out);
    let (model, many) = model(written, out);
    let given: Vec<&str> = written.inputs.iter().map(|(name, _)| name.as_str()).chain([NOW]).collect();
    let each = (many && written.answer.as_ref().is_some_and(|node| matches!(node.kind, Kind::Map(_)))).then_some(ROW);
    let mut names: BTreeSet<&str> = given.iter().copied().chain(each).collect();
    let mut lets = Vec::new();
    let mut batch = None;
    let work = match around.kind {
        SystemKind::Sql => {
            let statements = statement::compile_all(key, written, kind, database::may_be_a_server(connector), out);
            if let (None, Some(model), Some(last)) = (&written.answer, model, statements.last()) {
                check_last(key, model, many, last.take, out);
            }
            Work::Sql(statements)
        }
        SystemKind::Http => {
            let mut known = around.names.clone().and(given);
            let shared = known.clone();
            lets = lets::compile(&written.r#let, &mut known, out);
            let seen = (&shared, &known);
            batch = written.batch.as_ref().and_then(|it| http::batch(it, written, kind, connector, seen, out));
            let steps = http::steps(key, written, kind, connector, &mut known, out);
            let last = steps.last().map_or(Take::All, |step| step.take);
            names.extend(known.with(["body", "http", "key", if last == Take::All { "rows" } else { ROW }]));
            if let (None, Some(model)) = (&written.answer, model) {
                let message = format!("`{}` does not say how its answer is made into {}", key.value, model.name);
                out.push(Diagnostic::at(Code::MissingKey, &key.span, message).help("write an `answer`"));
            }
            Work::Http(steps)
        }
    };
    if let Work::Sql(statements) = &work {
        let results = written.steps.iter().filter_map(|step| step.r#as.as_ref()).map(Text::as_str);
        let named = |name: &&str| statements.iter().any(|it| it.name.as_ref().is_some_and(|own| own.as_str() == *name));
        names.extend(results.chain(["row", "rows", "value", "written"]).filter(named));
    }
    let answer = written.answer.as_ref().and_then(|node| answer::compile(node, &names, out));
    if let (Some(node), Some(model)) = (&written.answer, model) {
        answer::check_model(node, model, out);
    }
    unused_inputs(written, out);
    Some(Operation {
        name: name.clone(),
        kind,
        description: written.description.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
        deprecated: written.deprecated.as_ref().map(|text| text.value.clone()),
        inputs,
        lets,
        model,
        many,
        cache: cache(written, kind, out),
        drops: drops(written, kind, connector, out),
        work,
        batch: batch.map(Box::new),
        answer,
        examples: written.examples.iter().filter_map(|it| example(it, written, around, out)).collect(),
    })
}

fn kind(written: &spec::Operation, out: &mut Diagnostics) -> OperationKind {
    let Some(text) = &written.kind else { return OperationKind::Read };
    let kinds = [OperationKind::Read, OperationKind::Write, OperationKind::Payment];
    kinds.into_iter().find(|kind| kind.name() == text.as_str()).unwrap_or_else(|| {
        let message = format!("an operation cannot be of the kind `{}`", text.value);
        let known = kinds.map(OperationKind::name);
        out.push(Diagnostic::at(Code::BadValue, &text.span, message).did_you_mean(text.as_str(), known));
        OperationKind::Read
    })
}

/// What an operation does itself, and what each of its steps does.
pub(super) fn works(written: &spec::Operation) -> impl Iterator<Item = &spec::Work> {
    std::iter::once(&written.work).chain(written.steps.iter().map(|step| &step.work))
}

/// Keys that belong to another kind of system.
fn misplaced(written: &spec::Operation, kind: SystemKind, out: &mut Diagnostics) {
    let sql = works(written).filter_map(|work| work.sql.as_ref());
    let http = works(written).filter_map(|work| work.request.as_ref());
    let (texts, key): (Vec<&Text>, _) = match kind {
        SystemKind::Sql => (http.collect(), "request"),
        SystemKind::Http => (sql.collect(), "sql"),
    };
    let lets = written.r#let.iter().next().map(|(name, _)| (name, "let"));
    let batch = written.batch.as_ref().map(|batch| (&batch.of, "batch"));
    let others = lets.into_iter().chain(batch).filter(|_| kind == SystemKind::Sql);
    for (text, key) in texts.into_iter().map(|text| (text, key)).chain(others) {
        let message = format!("`{key}` belongs to another kind of connector");
        out.push(
            Diagnostic::at(Code::MisplacedKey, &text.span, message)
                .help("take it out, or write another `kind` at the top of the file"),
        );
    }
    let own = |key: &&Key| spec::Work::KEYS.contains(&key.name.as_str()) && !["sql", "request"].contains(&key.name.as_str());
    for key in written.keys.iter().filter(own).filter(|_| !written.steps.is_empty()) {
        let message = format!("with `steps`, `{}` belongs to one of them", key.name);
        out.push(Diagnostic::at(Code::MisplacedKey, &key.span, message).help("write it into the step that it is meant for"));
    }
}

fn input(name: &Text, written: &spec::OperationInput, around: &Around<'_>, out: &mut Diagnostics) -> Option<OperationInput> {
    let sql = around.kind == SystemKind::Sql;
    let free = |name: &Local| ![NOW, ROW].contains(&name.as_str()) && (sql || http::names_free(name.as_str()));
    let Some(parsed) = Local::parse(name.as_str()).filter(free) else {
        bad_name(name, &format!("{}, and is neither `{NOW}` nor `{ROW}`", Local::RULE), out);
        return None;
    };
    if !sql && around.connector.r#let.get(name.as_str()).is_some() {
        let message = format!("`{}` has a value already", name.value);
        let help = "give the input another name than the `let` of the connector";
        out.push(Diagnostic::at(Code::ShadowedName, &name.span, message).help(help));
    }
    let required = written.required.as_ref().is_some_and(|flag| flag.value);
    if let (true, Some(default)) = (required, &written.default) {
        let message = "an input that has to be given has no use for a default";
        out.push(Diagnostic::at(Code::MisplacedKey, &default.span, message).help("take one of the two out"));
    }
    let format = written.format.as_ref().and_then(|written| format(written, around.formats, out));
    let pattern = written.pattern.as_ref().and_then(|text| {
        let pattern = Regex::new(&format!("^(?:{})$", text.value));
        pattern
            .map_err(|_| {
                out.push(
                    Diagnostic::at(Code::BadValue, &text.span, "this is not a regular expression")
                        .help("it stands for the whole value, such as [a-z0-9-]+"),
                )
            })
            .ok()
    });
    Some(OperationInput {
        name: parsed,
        doc: written.description.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
        format,
        pattern,
        required,
        default: written.default.as_ref().map(crate::spec::Node::to_json).unwrap_or_default(),
    })
}

/// One of legwork's formats, or of the project's own.
fn format(written: &FormatRef, own: Option<&Formats>, out: &mut Diagnostics) -> Option<Format> {
    match written {
        FormatRef::Named(name) => {
            let found = Format::parse(name.as_str()).or_else(|| own?.get(name.as_str()).cloned().flatten());
            if found.is_none()
                && let Some(own) = own.filter(|own| !own.contains_key(name.as_str()))
            {
                let message = format!("there is no format `{}`", name.value);
                let known = Format::NAMES.into_iter().chain(own.keys().map(String::as_str));
                let diagnostic = Diagnostic::at(Code::UnknownFormat, &name.span, message);
                out.push(diagnostic.did_you_mean(name.as_str(), known));
            }
            found
        }
        FormatRef::Phone(region) => Some(Format::Phone { region: Some(region.value.clone()) }),
        FormatRef::Enum(written) => {
            let synonyms = |words: &[Text]| words.iter().map(|word| word.value.clone()).collect();
            let choices =
                written.values.iter().map(|(value, words)| Choice { value: value.value.clone(), synonyms: synonyms(words) });
            let format = Format::choices(choices.collect());
            format
                .map_err(|reason| {
                    out.push(Diagnostic::at(Code::BadValue, &written.span, reason).help("write each value once"))
                })
                .ok()
        }
    }
}

fn model(written: &spec::Operation, out: &mut Diagnostics) -> (Option<&'static Model>, bool) {
    let Some(reference) = &written.model else { return (None, false) };
    let found = Model::find(reference.name.as_str());
    if found.is_none() {
        let message = format!("there is no model `{}`", reference.name.value);
        let known = Model::ALL.iter().map(|model| model.name);
        let diagnostic = Diagnostic::at(Code::UnknownModel, &reference.name.span, message);
        out.push(diagnostic.did_you_mean(reference.name.as_str(), known));
    }
    (found, reference.many)
}

/// Without `answer`, the last statement alone has to give what the model promises.
fn check_last(key: &Text, model: &Model, many: bool, take: Take, out: &mut Diagnostics) {
    let is_list = take == Take::All;
    let row = matches!(take, Take::One | Take::First | Take::Optional);
    if many == is_list && (is_list || row) {
        return;
    }
    let (promised, cure) = match many {
        true => (format!("a list of {}", model.name), "its `take` has to be `all`"),
        false => (format!("one {}", model.name), "its `take` has to be `one`, `first` or `optional`"),
    };
    let message = format!("`{}` promises {promised}, which its last statement does not give", key.value);
    out.push(Diagnostic::at(Code::WrongType, &key.span, message).help(format!("{cure}; or write an `answer`")));
}

fn cache(written: &spec::Operation, kind: OperationKind, out: &mut Diagnostics) -> Option<CacheRule> {
    let reference = written.cache.as_ref()?;
    if kind.writes() {
        out.push(
            Diagnostic::at(Code::MisplacedKey, reference.span(), "only answers of a read are kept").help("take `cache` out"),
        );
        return None;
    }
    cache_rule(reference, out)
}

/// How long answers are kept, as a connector's file or a connection says it.
pub(in crate::plan) fn cache_rule(reference: &spec::CacheRef, out: &mut Diagnostics) -> Option<CacheRule> {
    match reference {
        spec::CacheRef::Named(text) if text.as_str() == "profiles" => Some(CacheRule::Profiles),
        spec::CacheRef::Named(text) => {
            let message = format!("there are no cache times called `{}`", text.value);
            out.push(Diagnostic::at(Code::BadValue, &text.span, message).did_you_mean(text.as_str(), ["profiles"]));
            None
        }
        spec::CacheRef::Times(times) => {
            let fresh = duration(&times.fresh, out)?;
            let mut keep = Keep::new(fresh, times.stale.as_ref().map_or(Some(fresh), |text| duration(text, out))?);
            if let Some(missing) = times.missing.as_ref().and_then(|text| duration(text, out)) {
                keep.missing = missing;
            }
            Some(CacheRule::Own(keep))
        }
    }
}

fn drops(
    written: &spec::Operation,
    kind: OperationKind,
    connector: &spec::Connector,
    out: &mut Diagnostics,
) -> Vec<OperationName> {
    let mut drops = Vec::new();
    for text in &written.drops {
        match connector.operations.get(text.as_str()) {
            _ if !kind.writes() => {
                let diagnostic =
                    Diagnostic::at(Code::MisplacedKey, &text.span, "a read outdates nothing; only a write has `drops`");
                out.push(diagnostic.help("take `drops` out, or say `kind: write`"));
            }
            // The later versions of a read are outdated with it.
            Some(_) => {
                let named = |name: &OperationName| [name.as_str(), name.plain()].contains(&text.as_str());
                let all = connector.operations.iter().filter_map(|(name, _)| OperationName::parse(name.as_str()));
                drops.extend(all.filter(named));
            }
            None => {
                let message = format!("the connector has no operation `{}`", text.value);
                let known = connector.operations.iter().map(|(name, _)| name.as_str());
                let diagnostic = Diagnostic::at(Code::UnknownOperation, &text.span, message);
                out.push(diagnostic.did_you_mean(text.as_str(), known));
            }
        }
    }
    drops
}

/// An input counts as used when its name stands anywhere in a statement or a template; statements that do not parse are
/// reported already, and what they would use is not known.
fn unused_inputs(written: &spec::Operation, out: &mut Diagnostics) {
    let mut used = String::new();
    let texts = works(written).filter_map(|work| work.sql.as_ref()).chain(written.steps.iter().flat_map(|it| &it.when));
    texts.for_each(|text| used.extend([text.as_str(), "\n"]));
    http::words(written, &mut used);
    let endings = works(written).flat_map(|work| work.refuses.iter().chain(work.outcomes.iter()));
    for (_, ending) in endings {
        match ending {
            spec::Ending::When(text) => used.extend([text.as_str(), "\n"]),
            spec::Ending::Conditional(it) => {
                used.extend([it.when.as_str(), "\n", it.say.as_ref().map_or("", |say| say.as_str()), "\n"]);
            }
        }
    }
    if let Some(node) = &written.answer {
        used += &node.to_json().to_string();
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = used.split(|c| !is_word(c)).collect();
    for (name, _) in written.inputs.iter().filter(|(name, _)| !words.contains(name.as_str())) {
        let message = format!("the input `{}` is not used", name.value);
        let diagnostic = Diagnostic::at(Code::UnusedInput, &name.span, message);
        out.push(diagnostic.help("use it as `:name` in a statement or as `{{ name }}` in a request, or take it out"));
    }
}
