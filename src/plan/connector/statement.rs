//! Compiles the statements of an operation in order, each knowing the names that the ones before it give.

use std::collections::BTreeSet;

use super::compile::{bad_name, expression, statement, template};
use super::operation::NOW;
use super::{Ending, OperationKind, Statement, Take};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::Local;
use crate::plan::reading::outcome;
use crate::spec::Text;
use crate::spec::connector as spec;

/// `functions_write` says that a `select` may call a function of the database that changes something.
pub(super) fn compile_all(
    key: &Text,
    written: &spec::Operation,
    kind: OperationKind,
    functions_write: bool,
    out: &mut Diagnostics,
) -> Vec<Statement> {
    let mut names: BTreeSet<&str> = written.inputs.iter().map(|(name, _)| name.as_str()).chain([NOW]).collect();
    let mut statements = Vec::new();
    match (&written.work.sql, written.steps.as_slice()) {
        (Some(sql), []) => {
            let take = take(written.work.take.as_ref(), out);
            let name = match take {
                Take::All => "rows",
                Take::One | Take::First | Take::Optional => "row",
                Take::Value => "value",
                Take::Nothing => "written",
            };
            let parts = Parts { name: Some(name), sql, take, when: None, instead_of: Vec::new(), work: &written.work };
            statements.extend(parts.compile(&mut names, kind, out));
        }
        (None, steps @ [_, ..]) => {
            for (at, step) in steps.iter().enumerate() {
                let Some(sql) = &step.work.sql else {
                    out.push(Diagnostic::at(Code::MissingKey, &step.span, "a step of `kind: sql` needs the key `sql`"));
                    continue;
                };
                let name = step.r#as.as_ref().filter(|name| result_name(name, &names, out)).map(Text::as_str);
                let take = take(step.work.take.as_ref(), out);
                let instead_of = instead_of(step, &steps[..at], out);
                let parts = Parts { name, sql, take, when: step.when.as_ref(), instead_of, work: &step.work };
                statements.extend(parts.compile(&mut names, kind, out));
            }
        }
        (Some(sql), _) => {
            out.push(
                Diagnostic::at(Code::MisplacedKey, &sql.span, "an operation has either `sql` or `steps`")
                    .help("make it one of the steps"),
            );
        }
        (None, []) => {
            let message = format!("`{}` does nothing", key.value);
            out.push(
                Diagnostic::at(Code::MissingKey, &key.span, message)
                    .help("write its statement as `sql`, or several as `steps`"),
            );
        }
    }
    let all_parsed = statements.len() == written.steps.len() + usize::from(written.work.sql.is_some());
    let only_selects = all_parsed && !statements.is_empty() && statements.iter().all(|it| !it.sql.writes);
    if kind.writes() && only_selects && !functions_write {
        let message = format!("`{}` is called a {} and changes nothing", key.value, kind.name());
        out.push(Diagnostic::at(Code::BadSql, &key.span, message).help("take `kind` out"));
    }
    statements
}

struct Parts<'a> {
    name: Option<&'a str>,
    sql: &'a Text,
    take: Take,
    when: Option<&'a Text>,
    instead_of: Vec<usize>,
    work: &'a spec::Work,
}

impl<'a> Parts<'a> {
    fn compile(self, names: &mut BTreeSet<&'a str>, kind: OperationKind, out: &mut Diagnostics) -> Option<Statement> {
        let sql = statement(self.sql, names, out);
        if sql.as_ref().is_some_and(|sql| sql.writes) && !kind.writes() {
            let message = "a read cannot change anything, and this statement does";
            out.push(Diagnostic::at(Code::BadSql, &self.sql.span, message).help("say `kind: write`"));
        }
        let when = self.when.map(|text| expression(text, names, out));
        let refusals = self.work.refuses.iter().filter_map(|(name, it)| ending(name, it, names, out)).collect();
        names.extend(self.name);
        let endings = self.work.outcomes.iter().filter_map(|(name, it)| ending(name, it, names, out)).collect();
        let when = match when {
            Some(compiled) => Some(compiled?),
            None => None,
        };
        let (name, take, instead_of) = (self.name.and_then(Local::parse), self.take, self.instead_of);
        Some(Statement { name, sql: sql?, take, when, instead_of, refusals, endings })
    }
}

pub(super) fn take(written: Option<&Text>, out: &mut Diagnostics) -> Take {
    let Some(text) = written else { return Take::All };
    Take::ALL.iter().find(|(name, _)| *name == text.as_str()).map_or_else(
        || {
            let message = format!("there is no `take: {}`", text.value);
            let known = Take::ALL.iter().map(|(name, _)| *name);
            out.push(Diagnostic::at(Code::BadValue, &text.span, message).did_you_mean(text.as_str(), known));
            Take::All
        },
        |(_, take)| *take,
    )
}

/// The places of the steps in whose stead `step` runs; each is one of those before it, by the name of its result.
pub(super) fn instead_of(step: &spec::Step, before: &[spec::Step], out: &mut Diagnostics) -> Vec<usize> {
    let named = |name: &Text| before.iter().position(|it| it.r#as.as_ref().is_some_and(|own| own.value == name.value));
    let mut places = Vec::new();
    for name in &step.instead_of {
        match named(name) {
            Some(place) => places.push(place),
            None => {
                let message = format!("no step before this one is called `{}`", name.value);
                let known = before.iter().filter_map(|it| it.r#as.as_ref()).map(Text::as_str);
                let diagnostic = Diagnostic::at(Code::UnknownName, &name.span, message).did_you_mean(name.as_str(), known);
                out.push(match diagnostic.help {
                    Some(_) => diagnostic,
                    None => diagnostic.help("give the other step its name with `as`"),
                });
            }
        }
    }
    places
}

pub(super) fn result_name(name: &Text, taken: &BTreeSet<&str>, out: &mut Diagnostics) -> bool {
    if Local::parse(name.as_str()).is_none() {
        bad_name(name, Local::RULE, out);
        return false;
    }
    if taken.contains(name.as_str()) {
        let message = format!("`{}` has a value already", name.value);
        out.push(Diagnostic::at(Code::ShadowedName, &name.span, message).help("give the result another name"));
        return false;
    }
    true
}

pub(super) fn ending(name: &Text, written: &spec::Ending, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Ending> {
    let found = outcome(name, out);
    let (when, say) = match written {
        spec::Ending::When(text) => (text, None),
        spec::Ending::Conditional(it) => (&it.when, it.say.as_ref()),
    };
    let when = expression(when, names, out);
    let say = match say {
        Some(text) => Some(template(text, names, out)?),
        None => None,
    };
    Some(Ending { outcome: found?, when: when?, say })
}
