//! Rasa Pro's end-to-end test cases as conversations: after each message, everything that has to be true.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Heard, Pattern, Play, Said, Sort, Step, Wanted, What, pattern, slots};
use crate::diag::{Code, Diagnostic, Diagnostics, File, Span};
use crate::rasa::{Answer, Object};
use crate::spec::story::{Assertion, Case, CaseStep, SlotValue, StoryFile, Stub, Uttered};
use crate::spec::{Node, Text};

/// The test cases of these files. Fixtures and metadata are known in all of them, as they are to Rasa; stubs in their own.
pub(super) fn plays(files: &[(Arc<File>, StoryFile)], out: &mut Diagnostics) -> Vec<Play> {
    let mut known = Known::default();
    for (_, file) in files {
        for (name, slots) in file.fixtures.iter().flat_map(|fixture| fixture.iter()) {
            known.fixtures.insert(
                &name.value,
                slots.0.iter().map(|(slot, value)| (slot.value.clone(), json(value.as_ref()))).collect(),
            );
        }
        for (name, pairs) in file.metadata.iter().flat_map(|metadata| metadata.iter()) {
            known
                .metadata
                .insert(&name.value, pairs.iter().map(|(key, value)| (key.value.clone(), value.to_json())).collect());
        }
    }
    let mut plays = Vec::new();
    for (_, file) in files {
        let stubs: Vec<_> =
            file.stub_custom_actions.iter().filter_map(|(name, stub)| Some((name, answer(name, stub, out)?))).collect();
        plays.extend(file.test_cases.iter().map(|case| known.play(case, &stubs, out)));
    }
    plays
}

fn json(node: Option<&Node>) -> Value {
    node.map(Node::to_json).unwrap_or_default()
}

/// What a stub answers.
fn answer(name: &Text, stub: &Stub, out: &mut Diagnostics) -> Option<Answer> {
    let list = |nodes: &[Node]| nodes.iter().map(Node::to_json).collect::<Value>();
    let answer = serde_json::json!({ "events": list(&stub.events), "responses": list(&stub.responses) });
    let refused = |wrong: String| {
        out.push(Diagnostic::at(Code::BadEvent, &name.span, format!("Rasa would refuse this answer: {wrong}")));
    };
    Answer::reread(answer).map_err(refused).ok()
}

#[derive(Default)]
struct Known<'a> {
    fixtures: BTreeMap<&'a str, Vec<(String, Value)>>,
    metadata: BTreeMap<&'a str, Object>,
}

impl Known<'_> {
    fn play(&self, case: &Case, stubs: &[(&Text, Answer)], out: &mut Diagnostics) -> Play {
        let mut begins = Vec::new();
        for name in &case.fixtures {
            match self.fixtures.get(name.as_str()) {
                Some(slots) => begins.extend(slots.iter().cloned()),
                None => unknown("fixture", name, self.fixtures.keys().copied(), out),
            }
        }
        let of_case = self.metadata(case.metadata.as_ref(), out);
        let mut steps: Vec<Step> = Vec::new();
        for written in &case.steps {
            let said = written.user.as_ref().map(|text| {
                let mut said = Said::text(text, None, out);
                said.metadata = of_case.clone();
                said.metadata.extend(self.metadata(written.metadata.as_ref(), out));
                said
            });
            let expected = expected(written, out);
            match (said, steps.last_mut()) {
                (Some(said), _) => steps.push(Step { place: written.span.clone(), what: What::User(said, expected) }),
                (None, Some(Step { what: What::User(_, known), .. })) => known.extend(expected),
                (None, _) => steps.extend(expected),
            }
        }
        let own = |name: &str| name.rsplit_once("::").is_none_or(|(of, _)| of == case.test_case.value);
        // One of a case goes before one of the file.
        let mut sorted: Vec<_> = stubs.iter().filter(|(name, _)| own(name.as_str())).collect();
        sorted.sort_by_key(|(name, _)| name.value.contains("::"));
        let stub = |(name, answer): &&(&Text, Answer)| {
            (name.value.rsplit("::").next().unwrap_or_default().to_owned(), answer.clone())
        };
        Play {
            kind: Sort::Case,
            name: case.test_case.value.clone(),
            place: case.span.clone(),
            slots: begins,
            steps,
            stubs: Arc::new(sorted.iter().map(stub).collect()),
            notes: Vec::new(),
        }
    }

    fn metadata(&self, name: Option<&Text>, out: &mut Diagnostics) -> Object {
        let Some(name) = name else { return Map::new() };
        self.metadata.get(name.as_str()).cloned().unwrap_or_else(|| {
            unknown("metadata", name, self.metadata.keys().copied(), out);
            Map::new()
        })
    }
}

fn unknown<'a>(what: &str, name: &Text, known: impl Iterator<Item = &'a str>, out: &mut Diagnostics) {
    let diagnostic = Diagnostic::at(Code::UnknownName, &name.span, format!("there is no {what} `{}`", name.value));
    out.push(diagnostic.did_you_mean(&name.value, known));
}

/// What a step says of what is to be true.
fn expected(step: &CaseStep, out: &mut Diagnostics) -> Vec<Step> {
    let at = |what| Step { place: step.span.clone(), what };
    let mut found = Vec::new();
    let bot = step.bot.as_ref().map(|text| Heard { text: pattern(text, out), ..Heard::default() });
    found.extend(bot.map(|heard| at(What::Hears(heard))));
    let utter = step.utter.as_ref().map(|name| Heard { response: Some(name.value.clone()), ..Heard::default() });
    found.extend(utter.map(|heard| at(What::Hears(heard))));
    found.extend(step.slot_was_set.as_ref().map(|written| at(What::Slots(slots(written)))));
    found.extend(step.slot_was_not_set.as_ref().map(|written| at(What::NoSlots(slots(written)))));
    found.extend(step.assertions.iter().flat_map(|assertion| asserted(assertion, out)));
    if found.is_empty() && step.user.is_none() {
        let diagnostic = Diagnostic::at(Code::MissingKey, &step.span, "this step says nothing that happens");
        out.push(diagnostic.help("write `user`, `bot`, `utter`, `slot_was_set` or `slot_was_not_set`"));
    }
    found
}

fn asserted(written: &Assertion, out: &mut Diagnostics) -> Vec<Step> {
    let place: &Span = &written.span;
    let at = |what| Step { place: place.clone(), what };
    let values = |all: &[SlotValue]| all.iter().map(|one| Wanted::of(&one.name, one.value.as_ref())).collect();
    let mut found = Vec::new();
    found.extend(written.action_executed.as_ref().map(|name| at(What::Action(name.value.clone()))));
    if !written.slot_was_set.is_empty() {
        found.push(at(What::Slots(values(&written.slot_was_set))));
    }
    if !written.slot_was_not_set.is_empty() {
        found.push(at(What::NoSlots(values(&written.slot_was_not_set))));
    }
    found.extend(written.bot_uttered.as_ref().and_then(|it| uttered(it, out)).map(|heard| at(What::Hears(heard))));
    found.extend(written.bot_did_not_utter.as_ref().and_then(|it| uttered(it, out)).map(|heard| at(What::HearsNot(heard))));
    for there in [
        &written.flow_started,
        &written.flow_completed,
        &written.flow_cancelled,
        &written.pattern_clarification_contains,
        &written.generative_response_is_relevant,
        &written.generative_response_is_grounded,
    ] {
        found.extend(there.as_ref().map(|_| at(What::Unknowable)));
    }
    found
}

fn uttered(written: &Uttered, out: &mut Diagnostics) -> Option<Heard> {
    let text = match &written.text_matches {
        // Rasa searches for it: a text is a regular expression too.
        Some(text) => Some(search(text, out)?),
        None => None,
    };
    let value = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    let buttons = written.buttons.iter().map(|button| (value(&button.title), value(&button.payload))).collect();
    Some(Heard { response: value(&written.utter_name), text, buttons })
}

fn search(text: &Text, out: &mut Diagnostics) -> Option<Arc<Pattern>> {
    let written = Text { span: text.span.clone(), value: format!("/{}/", text.value) };
    let found = pattern(&written, out)?;
    Some(Arc::new(Pattern { written: text.value.clone(), regex: found.regex.clone() }))
}
