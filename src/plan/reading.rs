//! What actions, settings and connectors read in the same way, so that the same mistake is said in the same words wherever
//! it is made: templates and expressions, durations, names of outcomes.

use std::num::NonZeroU32;
use std::time::Duration;

use super::wording::Topic;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::fault::Outcome;
use crate::resilience::Share;
use crate::spec::{Text, Whole};
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

/// A secret that stands in a file; the diagnostic does not show it.
pub(super) fn written_secret(place: &Span, cure: &str) -> Diagnostic {
    Diagnostic::at(Code::WrittenSecret, &place.masked(), "a secret is not written into the file").help(cure)
}

/// What to write in a connector where a secret stands.
pub(super) const AS_SETTING: &str =
    "declare it under `settings:` with `secret: true`, and write it as `{{ settings.NAME }}`";

/// Reads a duration such as `250ms`.
pub(super) fn duration(text: &Text, out: &mut Diagnostics) -> Option<Duration> {
    let refused = |wrong: String| {
        // The text says what is wrong, a colon, and what to write.
        let (wrong, cure) = wrong.split_once(": ").unwrap_or((&wrong, "write a number and a unit, such as 5s"));
        Diagnostic::at(Code::BadValue, &text.span, wrong).help(cure)
    };
    crate::time::duration(&text.value).map_err(|wrong| out.push(refused(wrong))).ok()
}

/// A number that is not zero.
pub(super) fn count(whole: &Whole, out: &mut Diagnostics) -> Option<NonZeroU32> {
    let found = u32::try_from(whole.value).ok().and_then(NonZeroU32::new);
    if found.is_none() {
        out.push(Diagnostic::at(Code::BadValue, &whole.span, "a number from 1 on is needed here").help("write 1 or more"));
    }
    found
}

/// A time that is not zero.
pub(super) fn span(text: &Text, out: &mut Diagnostics) -> Option<Duration> {
    let read = crate::time::duration(text.as_str()).and_then(|span| match span.is_zero() {
        true => Err("a time longer than nothing is needed here".to_owned()),
        false => Ok(span),
    });
    read.map_err(|reason| {
        out.push(Diagnostic::at(Code::BadValue, &text.span, reason).help("write a number and a unit, such as 5s"))
    })
    .ok()
}

/// A share such as `20%`, of something that is never nothing.
pub(super) fn share(text: &Text, out: &mut Diagnostics) -> Option<Share> {
    let number = text.as_str().trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
    let read = number.ok_or_else(|| format!("`{}` is not a share", text.value)).and_then(Share::new);
    let refused =
        |reason| Diagnostic::at(Code::BadValue, &text.span, reason).help("write a share such as 20%, from 1% to 100%");
    read.map_err(|reason| out.push(refused(reason))).ok()
}

/// Reads the name of an outcome that a connector can find in an answer.
pub(super) fn outcome(text: &Text, out: &mut Diagnostics) -> Option<Outcome> {
    outcome_of(text, Outcome::is_known, &[], out)
}

/// Reads the name of an outcome that a call can have, where others may stand that were looked for before.
pub(super) fn call_outcome(text: &Text, others: &[&'static str], out: &mut Diagnostics) -> Option<Outcome> {
    outcome_of(text, |_| true, others, out)
}

fn outcome_of(text: &Text, fits: fn(Outcome) -> bool, others: &[&'static str], out: &mut Diagnostics) -> Option<Outcome> {
    let found = Outcome::parse(&text.value).filter(|outcome| fits(*outcome));
    if found.is_none() {
        let known = Outcome::ALL.iter().filter(|outcome| fits(**outcome)).map(|outcome| outcome.name());
        let known = known.chain(others.iter().copied());
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
