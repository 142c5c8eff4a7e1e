//! From a turn as it went to its recording, masked.

use serde_json::{Value, json};

use super::answer::differences;
use super::called::Called;
use super::file::{Asked, Exchange, Faulted, Recording, Said, StoodIn};
use super::mask::Mask;
use crate::connector::{Ended, Fate, Noted, Notes};
use crate::engine::{Begun, Entry};
use crate::plan::action::Body;
use crate::qa::Failure;
use crate::rasa::{Answer, Call, Reply};

/// The recording of a turn, in the open; none of one that has to be left out: one of one-time codes, which are secrets, and one
/// that came to no answer.
pub(super) fn recorded(call: &Call, begun: &Begun, entries: &[Entry], reply: &Reply) -> Option<Recording> {
    let codes = |entry: &Entry| matches!(entry, Entry::Step { verb: "send_code" | "verify_code", .. });
    let told = told(reply)?;
    if entries.iter().any(codes) {
        return None;
    }
    let called = Called::of(call, &begun.project, &begun.action, &begun.proved).ok()?;
    let mut only_to_read = match begun.action.body {
        Body::Steps(_) | Body::Validation(_) => None,
        Body::Native => Some("the action is written in Rust, and tests run the files of a project".to_owned()),
        Body::Forwarded => Some("another server answered it".to_owned()),
    };
    let (mut asked, mut references): (Vec<Asked>, Vec<String>) = Default::default();
    for entry in entries {
        match entry {
            Entry::Call { connection, operation, notes, result, inputs } => {
                references.extend(result.as_ref().err().and_then(|fault| fault.reference.as_deref()).map(str::to_owned));
                let before = asked.len();
                asked.extend(asks(notes));
                let known = |it: &Asked| {
                    it.connection == connection.as_str()
                        && it.operation == operation.as_str()
                        && inputs.as_object().is_some_and(|inputs| it.inputs == *inputs)
                };
                if asked.len() == before && !asked.iter().any(known) {
                    let text = "what it wrote was settled by an earlier call, and so no system was asked";
                    only_to_read.get_or_insert_with(|| text.to_owned());
                }
            }
            Entry::Kept { age, instead: Some(value) } => {
                if let Some(last) = asked.iter_mut().rev().find(|asked| asked.fault.is_some()) {
                    last.stood_in = Some(StoodIn { answer: value.clone(), age_seconds: age.as_secs_f64() });
                }
            }
            Entry::Recalled { .. } => {
                let text = "it used a result of shared steps that was kept from another conversation";
                only_to_read.get_or_insert_with(|| text.to_owned());
            }
            _ => {}
        }
    }
    Some(Recording {
        legwork_recording: Recording::VERSION,
        at: begun.now,
        action: begun.action.name.to_string(),
        call: called,
        asked,
        told: Said { references, ..told },
        only_to_read,
    })
}

/// What Rasa is told, as it is sent.
pub(super) fn told(reply: &Reply) -> Option<Said> {
    let values = |value: Value| value.as_array().cloned().unwrap_or_default();
    match reply {
        Reply::Answer(Answer { events, responses }) => {
            Some(Said { events: values(json!(events)), responses: values(json!(responses)), ..Said::default() })
        }
        Reply::Rejected { reason, .. } => Some(Said { rejected: Some(reason.clone()), ..Said::default() }),
        Reply::Nothing | Reply::NotRegistered { .. } | Reply::NeedsDomain { .. } => None,
    }
}

/// Where what came is not what was tried, once that has no people in it.
#[must_use]
pub fn otherwise(tried: &Reply, mask: &Mask, came: &Reply) -> Vec<Failure> {
    let masked = |said: Said| Said {
        events: said.events.iter().map(|event| masked_event(event, mask)).collect(),
        responses: said.responses.iter().map(|message| mask.value(message)).collect(),
        ..said
    };
    differences(&told(tried).map(masked).unwrap_or_default(), &told(came).unwrap_or_default())
}

fn asks(notes: &Notes) -> Vec<Asked> {
    let mut asked: Vec<Asked> = notes.ended.iter().map(ask).collect();
    if let Some(first) = asked.first_mut() {
        first.requests = notes.requests.iter().map(exchange).collect();
    }
    asked
}

fn ask(ended: &Ended) -> Asked {
    let answered = ended.ended.as_ref().ok();
    Asked {
        connection: ended.connection.to_string(),
        operation: ended.operation.to_string(),
        inputs: ended.inputs.clone(),
        answer: answered.map(|answered| answered.value.clone()),
        age_seconds: answered.and_then(|answered| answered.age).map(|age| age.as_secs_f64()),
        fault: ended.ended.as_ref().err().map(Faulted::of),
        stood_in: None,
        requests: Vec::new(),
    }
}

fn exchange(noted: &Noted) -> Exchange {
    let status = match noted.fate {
        Fate::Answered(status) => Some(status),
        Fate::Unanswered | Fate::Kept => None,
    };
    let text = |text: &String| Value::String(text.clone());
    Exchange {
        request: noted.line.clone(),
        body: noted.body.as_ref().map(text),
        status,
        answer: noted.answer.as_ref().map(text),
    }
}

impl Recording {
    /// The same without people. Their names and addresses are gathered first, so that none is left where nothing says what it is.
    #[must_use]
    pub fn masked(&self, mask: &Mask) -> Self {
        let mut mask = mask.clone();
        mask.meet(&self.call.values());
        for asked in &self.asked {
            mask.meet(&Value::Object(asked.inputs.clone()));
            asked.answer.iter().chain(asked.stood_in.iter().map(|it| &it.answer)).for_each(|answer| mask.meet(answer));
            let bodies = asked.requests.iter().flat_map(|it| it.body.iter().chain(&it.answer)).filter_map(Value::as_str);
            bodies.filter_map(|body| serde_json::from_str(body).ok()).for_each(|body: Value| mask.meet(&body));
        }
        let all = |values: &[Value]| values.iter().map(|value| mask.value(value)).collect();
        let texts = |texts: &[String]| texts.iter().map(|text| mask.text(text)).collect();
        Self {
            call: self.call.masked(&mask),
            asked: self.asked.iter().map(|asked| asked.masked(&mask)).collect(),
            told: Said {
                events: self.told.events.iter().map(|event| masked_event(event, &mask)).collect(),
                responses: all(&self.told.responses),
                rejected: self.told.rejected.as_deref().map(|text| mask.text(text)),
                references: texts(&self.told.references),
            },
            ..self.clone()
        }
    }
}

/// An event without people: its kind, and the name of the slot or action, are the assistant's own, and the name of a slot says
/// what its value is.
fn masked_event(event: &Value, mask: &Mask) -> Value {
    let Value::Object(fields) = event else { return mask.value(event) };
    let slot = fields.get("name").and_then(Value::as_str).filter(|_| fields.get("event").is_some_and(|kind| kind == "slot"));
    let field = |(key, value): (&String, &Value)| match (key.as_str(), slot) {
        ("event" | "name", _) => (key.clone(), value.clone()),
        ("value", Some(slot)) => {
            let named = [(slot.to_owned(), value.clone())].into_iter().collect();
            (key.clone(), mask.fields(&named).into_iter().next().map(|(_, value)| value).unwrap_or_default())
        }
        _ => (key.clone(), mask.value(value)),
    };
    Value::Object(fields.iter().map(field).collect())
}

impl Asked {
    fn masked(&self, mask: &Mask) -> Self {
        let body = |body: &Value| body.as_str().map_or_else(|| mask.value(body), |body| mask.body(body));
        let exchange = |it: &Exchange| Exchange {
            request: mask.line(&it.request),
            body: it.body.as_ref().map(body),
            status: it.status,
            answer: it.answer.as_ref().map(body),
        };
        let fault = |fault: &Faulted| Faulted {
            says: fault.says.as_deref().map(|text| mask.text(text)),
            reference: fault.reference.as_deref().map(|text| mask.text(text)),
            ..fault.clone()
        };
        let stood_in = |it: &StoodIn| StoodIn { answer: mask.value(&it.answer), ..it.clone() };
        Self {
            inputs: mask.fields(&self.inputs),
            answer: self.answer.as_ref().map(|answer| mask.value(answer)),
            fault: self.fault.as_ref().map(fault),
            stood_in: self.stood_in.as_ref().map(stood_in),
            requests: self.requests.iter().map(exchange).collect(),
            ..self.clone()
        }
    }
}
