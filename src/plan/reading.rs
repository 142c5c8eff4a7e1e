//! What actions, settings and connectors read in the same way, so that the same mistake is said in the same words wherever
//! it is made: templates and expressions, durations, names of outcomes.

use std::time::Duration;

use super::wording::Topic;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::fault::Outcome;
use crate::spec::Text;
use crate::template::{Expression, Guard, Template, Wrong, WrongKind};

/// Compiles a text that may hold `{{ }}`.
pub(super) fn template(text: &Text, out: &mut Diagnostics) -> Option<Template> {
    Template::compile(&text.value).map_err(|wrong| out.push(refused(wrong, text))).ok()
}

/// Compiles a bare expression; one in `{{ }}` is meant the same. With it, where its source begins in the text.
pub(super) fn expression(text: &Text, out: &mut Diagnostics) -> Option<(Expression, usize)> {
    bare(text, Expression::compile, out)
}

/// Compiles a guard, as [`expression`] does.
pub(super) fn guard(text: &Text, out: &mut Diagnostics) -> Option<(Guard, usize)> {
    bare(text, Guard::compile, out)
}

fn bare<T>(text: &Text, compile: fn(&str) -> Result<T, Wrong>, out: &mut Diagnostics) -> Option<(T, usize)> {
    let trimmed = text.value.trim();
    let inside = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).filter(|inside| !inside.contains("}}"));
    let bare = inside.unwrap_or(trimmed).trim();
    let offset = text.value.find(bare).unwrap_or_default();
    match compile(bare) {
        Ok(compiled) => Some((compiled, offset)),
        Err(mut wrong) => {
            wrong.range = wrong.range.map(|range| range.start + offset..range.end + offset);
            out.push(refused(wrong, text));
            None
        }
    }
}

/// What is said of a source that does not compile.
pub(super) fn refused(wrong: Wrong, text: &Text) -> Diagnostic {
    let span = wrong.range.map_or_else(|| text.span.clone(), |range| text.part(range));
    let code = match wrong.kind {
        WrongKind::Syntax => Code::BadTemplate,
        WrongKind::UnknownFilter { .. } | WrongKind::UnknownFunction { .. } | WrongKind::UnknownTest { .. } => {
            Code::UnknownFilter
        }
    };
    wrong.help.into_iter().fold(Diagnostic::at(code, &span, wrong.message), Diagnostic::help)
}

/// Reads a duration such as `250ms`.
pub(super) fn duration(text: &Text, out: &mut Diagnostics) -> Option<Duration> {
    let refused = |wrong: String| {
        // The text says what is wrong, a colon, and what to write.
        let (wrong, cure) = wrong.split_once(": ").unwrap_or((&wrong, "write a number and a unit, such as 5s"));
        Diagnostic::at(Code::BadValue, &text.span, wrong).help(cure)
    };
    crate::time::duration(&text.value).map_err(|wrong| out.push(refused(wrong))).ok()
}

/// Reads the name of an outcome.
pub(super) fn outcome(text: &Text, out: &mut Diagnostics) -> Option<Outcome> {
    outcome_or(text, &[], out)
}

/// Reads the name of an outcome where others may stand that were looked for before.
pub(super) fn outcome_or(text: &Text, others: &[&'static str], out: &mut Diagnostics) -> Option<Outcome> {
    let found = Outcome::parse(&text.value);
    if found.is_none() {
        let known = Outcome::ALL.iter().map(|outcome| outcome.name()).chain(others.iter().copied());
        let diagnostic = Diagnostic::at(Code::UnknownOutcome, &text.span, format!("there is no outcome `{}`", text.value));
        out.push(diagnostic.did_you_mean(&text.value, known));
    }
    found
}

/// Reads the name of a message.
pub(super) fn topic(text: &Text, out: &mut Diagnostics) -> Option<Topic> {
    let found = Topic::parse(&text.value);
    if found.is_none() {
        let diagnostic = Diagnostic::at(Code::UnknownOutcome, &text.span, format!("there is no message `{}`", text.value));
        out.push(diagnostic.did_you_mean(&text.value, Topic::all().map(Topic::name)));
    }
    found
}
