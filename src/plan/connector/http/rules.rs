//! What holds for every request of a vendor: what errors mean, where waits are said, limits and repeats.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{ErrorRule, Limits, Retry, Wait, WaitSource, WaitUnit};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::connector::compile::expression;
use crate::plan::connector::compile::template;
use crate::plan::reading::{count, outcome, span};
use crate::spec::connector_http as spec;
use crate::spec::{Kind, Node, Text};

const CONCURRENT: NonZeroU32 = NonZeroU32::new(16).unwrap();
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).unwrap();

pub(super) fn errors(written: &[spec::HttpError], names: &BTreeSet<&str>, out: &mut Diagnostics) -> Vec<ErrorRule> {
    written.iter().filter_map(|it| error(it, names, out)).collect()
}

fn error(written: &spec::HttpError, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<ErrorRule> {
    if written.status.is_none() && written.when.is_none() {
        out.push(
            Diagnostic::at(
                Code::MissingKey,
                &written.span,
                "an entry of `errors` has a `status`, a condition `when`, or both",
            )
            .help("write `status: 404`, or `when` with a condition on `body`"),
        );
        return None;
    }
    let statuses = written.status.as_ref().map(|node| statuses(node, out));
    let when = written.when.as_ref().map(|text| expression(text, names, out));
    let say = written.say.as_ref().map(|text| template(text, names, out));
    let ends = if written.outcome.as_str() == "ok" { None } else { Some(outcome(&written.outcome, out)?) };
    Some(ErrorRule {
        statuses: statuses.unwrap_or_default(),
        when: when.map_or(Some(None), |it| it.map(Some))?,
        outcome: ends,
        say: say.map_or(Some(None), |it| it.map(Some))?,
        retry: written.retry.as_ref().is_none_or(|flag| flag.value),
    })
}

fn statuses(node: &Node, out: &mut Diagnostics) -> Vec<RangeInclusive<u16>> {
    match &node.kind {
        Kind::List(items) => items.iter().flat_map(|item| statuses(item, out)).collect(),
        Kind::Int(status @ 100..=599) => u16::try_from(*status).map(|status| status..=status).into_iter().collect(),
        Kind::Text(text) if text.ends_with("xx") && text.len() == 3 => match text.as_bytes()[0] {
            digit @ b'1'..=b'5' => {
                let hundreds = u16::from(digit - b'0') * 100;
                vec![hundreds..=hundreds + 99]
            }
            _ => status_wrong(node, out),
        },
        _ => status_wrong(node, out),
    }
}

fn status_wrong(node: &Node, out: &mut Diagnostics) -> Vec<RangeInclusive<u16>> {
    let help = "write `404`, `[400, 422]` or `5xx`";
    out.push(Diagnostic::at(Code::BadValue, &node.span, "this is no status of an answer").help(help));
    Vec::new()
}

pub(super) fn waits(written: &[spec::Wait], names: &BTreeSet<&str>, out: &mut Diagnostics) -> Vec<Wait> {
    written.iter().filter_map(|it| wait(it, names, out)).collect()
}

fn wait(written: &spec::Wait, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Wait> {
    let source = match (&written.header, &written.value) {
        (Some(header), None) => WaitSource::Header(header_name(header, out)?),
        (None, Some(value)) => WaitSource::Value(expression(value, names, out)?),
        _ => {
            out.push(
                Diagnostic::at(Code::MissingKey, &written.span, "an entry of `wait` has either a `header` or a `value`")
                    .help("write `header: Retry-After`, or `value` with an expression"),
            );
            return None;
        }
    };
    let unit = match &written.unit {
        None => WaitUnit::Seconds,
        Some(text) => one_of(text, &WaitUnit::ALL, "unit", out)?,
    };
    Some(Wait { source, unit })
}

pub(super) fn limits(written: Option<&spec::Limits>, out: &mut Diagnostics) -> Limits {
    let Some(written) = written else { return Limits { concurrent: CONCURRENT, rate: None } };
    let concurrent = written.concurrent.as_ref().and_then(|whole| count(whole, out)).unwrap_or(CONCURRENT);
    let rate = match (&written.requests, &written.per) {
        (None, None) => None,
        (Some(requests), Some(per)) => count(requests, out).zip(span(per, out)),
        _ => {
            out.push(
                Diagnostic::at(Code::MissingKey, &written.span, "`requests` and `per` belong together")
                    .help("write both, such as `requests: 10` and `per: 1s`"),
            );
            None
        }
    };
    Limits { concurrent, rate }
}

pub(super) fn retry(written: Option<&spec::Retry>, out: &mut Diagnostics) -> Retry {
    let attempts = written.and_then(|it| it.attempts.as_ref()).and_then(|whole| count(whole, out)).unwrap_or(ATTEMPTS);
    let mut time = |text: Option<&Text>, usual| text.and_then(|text| span(text, out)).unwrap_or(usual);
    let first = time(written.and_then(|it| it.first.as_ref()), Duration::from_millis(200));
    let most = time(written.and_then(|it| it.most.as_ref()), Duration::from_secs(5)).max(first);
    Retry { attempts, first, most }
}

/// The name of a header.
pub(super) fn header_name(text: &Text, out: &mut Diagnostics) -> Option<String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.as_str().is_empty() || !text.as_str().chars().all(token) {
        out.push(
            Diagnostic::at(Code::BadName, &text.span, format!("`{}` cannot be the name of a header", text.value))
                .help("write it as the vendor does, such as `Retry-After`"),
        );
        return None;
    }
    Some(text.value.clone())
}

/// The value that `text` names.
pub(super) fn one_of<T: Copy>(text: &Text, known: &[(&'static str, T)], what: &str, out: &mut Diagnostics) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == text.as_str()).map(|(_, value)| *value);
    if found.is_none() {
        unknown(&text.span, text.as_str(), what, known.iter().map(|(name, _)| *name), out);
    }
    found
}

fn unknown<'a>(span: &Span, given: &str, what: &str, known: impl Iterator<Item = &'a str>, out: &mut Diagnostics) {
    out.push(Diagnostic::at(Code::BadValue, span, format!("there is no {what} `{given}`")).did_you_mean(given, known));
}
