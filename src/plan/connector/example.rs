//! Compiles the examples of an operation: what is asked, in which surroundings, and how it ends.

use chrono::{DateTime, Utc};

use super::compile::{Around, SystemKind};
use super::{Ends, Example, Setting, SettingValue, http};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::reading::outcome;
use crate::spec::connector as spec;
use crate::spec::{Kind, Node, Text};

pub(super) fn example(
    written: &spec::Example,
    operation: &spec::Operation,
    around: &Around<'_>,
    out: &mut Diagnostics,
) -> Option<Example> {
    for (name, _) in written.inputs.iter().filter(|(name, _)| operation.inputs.get(name.as_str()).is_none()) {
        let message = format!("the operation has no input `{}`", name.value);
        let known = operation.inputs.iter().map(|(name, _)| name.as_str());
        out.push(Diagnostic::at(Code::UnknownInput, &name.span, message).did_you_mean(name.as_str(), known));
    }
    let ends = match (&written.answer, &written.outcome) {
        (Some(answer), None) => Ends::Answer(answer.to_json()),
        (None, Some(text)) => Ends::Outcome(outcome(text, out)?),
        _ => {
            out.push(
                Diagnostic::at(Code::MissingKey, &written.span, "an example has either an `answer` or an `outcome`")
                    .help("an `outcome` is how it ends when it does not end well"),
            );
            return None;
        }
    };
    let inputs = written.inputs.iter().map(|(name, node)| (name.value.clone(), node.to_json())).collect();
    let description = written.description.as_ref().map(|text| text.value.clone());
    let says = written.says.as_ref().map(|text| text.value.clone());
    let exchanges = http::exchanges(written, out);
    if around.kind == SystemKind::Sql && !exchanges.is_empty() {
        out.push(
            Diagnostic::at(Code::MisplacedKey, &written.span, "exchanges belong to examples of `kind: http`")
                .help("take them out; examples of `kind: sql` run on real tables"),
        );
    }
    let settings = written.settings.iter().filter_map(|(name, node)| overridden(name, node, around.settings, out)).collect();
    let now = written.now.as_ref().and_then(|text| moment(text, out));
    Some(Example { description, place: written.span.place(), inputs, settings, now, ends, says, exchanges })
}

/// A setting that is another in one example; none as its value when it is not set.
fn overridden(
    name: &Text,
    node: &Node,
    settings: &[Setting],
    out: &mut Diagnostics,
) -> Option<(String, Option<SettingValue>)> {
    let Some(setting) = settings.iter().find(|setting| setting.name == name.value) else {
        let message = format!("the connector has no setting `{}`", name.value);
        let known = settings.iter().map(|setting| setting.name.as_str());
        out.push(Diagnostic::at(Code::UnknownSetting, &name.span, message).did_you_mean(name.as_str(), known));
        return None;
    };
    let value = match (&node.kind, node.to_json(), node.scalar_text()) {
        (Kind::Null, ..) => return Some((name.value.clone(), None)),
        (_, serde_json::Value::Object(map), _) if setting.is_map => SettingValue::Map(map),
        (_, _, Some(text)) if !setting.is_map => {
            if let Err(reason) = setting.accepts(&text) {
                out.push(Diagnostic::at(Code::BadValue, &node.span, reason).help("write one that a connection may set"));
                return None;
            }
            SettingValue::Text(text)
        }
        _ => {
            let (needed, help) = match setting.is_map {
                true => ("a mapping of names and values", "write { name: value }, or {} for none"),
                false => ("a text", "a setting is a text or a number"),
            };
            let message = format!("{needed} is needed here, not {}", node.what());
            out.push(Diagnostic::at(Code::WrongType, &node.span, message).help(help));
            return None;
        }
    };
    Some((name.value.clone(), Some(value)))
}

/// Reads a moment.
fn moment(text: &Text, out: &mut Diagnostics) -> Option<DateTime<Utc>> {
    let read = DateTime::parse_from_rfc3339(text.as_str());
    read.map(|moment| moment.with_timezone(&Utc))
        .map_err(|_| {
            out.push(
                Diagnostic::at(Code::BadValue, &text.span, "a day with a time is needed here")
                    .help("write it as 2026-01-23T12:00:00Z, in quotes"),
            )
        })
        .ok()
}
