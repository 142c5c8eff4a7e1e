//! Conversations with a running assistant: what the stories say is said to it, and what they say of it is held against its tracker.
//!
//! Nothing is taken here: what a text means, what runs and what is said is the assistant's doing. Only a tracker that cannot be
//! seen, since its API is not switched on, leaves words to hold.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::compare::same;
use super::player::{Spoken, is_said, shown, shown_heard};
use super::report::{Failure, Report, Result, Taken};
use super::script::{Play, Said, Sort, Step, Wanted, What};
use super::stories::Stories;
use super::tracker::is;
use crate::connector::assistant::Talk;
use crate::diag::Span;
use crate::fault::Fault;
use crate::rasa::Button;

/// How many conversations are held at the same time.
const AT_A_TIME: usize = 4;

/// Holds conversations with an assistant. `name` chooses those whose name has it; senders' names begin with `run`.
pub async fn live(talk: &Talk, stories: &Stories, name: Option<&str>, fail_fast: bool, run: &str) -> Report {
    let chosen: Vec<_> = stories.0.iter().filter(|play| name.is_none_or(|name| play.name.contains(name))).cloned().collect();
    let count = chosen.len();
    let held = stream::iter(chosen.into_iter().enumerate()).map(|(at, play)| held(talk, play, format!("{run}-{at}")));
    let mut held = std::pin::pin!(held.buffered(AT_A_TIME));
    let mut results = Vec::new();
    while let Some(result) = held.next().await {
        results.push(result);
        if fail_fast && results.last().is_some_and(|result: &Result| !result.passed()) {
            break;
        }
    }
    let left = count - results.len();
    Report { results, left, ..Report::default() }
}

/// A conversation that is being held.
struct Live<'a> {
    talk: &'a Talk,
    sender: String,
    /// The assistant's tracker since the last message; none where it cannot be seen.
    tracker: Option<Value>,
    /// What happened since the last message.
    events: Vec<Value>,
    /// How much of that an `action` of the story was found in.
    found: usize,
    said: Vec<Spoken>,
    failures: Vec<Failure>,
    notes: Vec<String>,
    taken: Taken,
}

async fn held(talk: &Talk, play: Arc<Play>, sender: String) -> Result {
    let mut live = Live {
        talk,
        sender,
        tracker: None,
        events: Vec::new(),
        found: 0,
        said: Vec::new(),
        failures: Vec::new(),
        notes: play.notes.clone(),
        taken: Taken::default(),
    };
    let says = play.steps.iter().any(|step| matches!(step.what, What::User(..)));
    let why = match play.kind {
        Sort::Rule => Some("a rule is a piece from the middle of a conversation"),
        _ if !says => Some("nobody says anything in it"),
        _ => None,
    };
    if why.is_none() {
        if !play.stubs.is_empty() {
            live.notes.push("its stubs answer nothing here: the assistant runs its actions".to_owned());
        }
        if let Err(fault) = live.through(&play).await {
            live.failures.push(Failure::differs("the assistant", "it answers", fault.to_string()));
        }
    }
    Result {
        action: play.kind.name().to_owned(),
        it: play.name.clone(),
        place: play.place.clone(),
        failures: live.failures,
        problems: Vec::new(),
        skipped: why.map(str::to_owned),
        notes: live.notes,
        taken: live.taken,
    }
}

impl Live<'_> {
    async fn through(&mut self, play: &Play) -> std::result::Result<(), Fault> {
        if !play.slots.is_empty() {
            self.talk.set(&self.sender, &play.slots).await?;
        }
        for step in &play.steps {
            if let What::User(said, expected) = &step.what {
                self.say(said, &step.place).await?;
                expected.iter().for_each(|step| self.hold(step));
            } else {
                self.hold(step);
            }
        }
        Ok(())
    }

    /// The user says something, or presses the button that means it.
    async fn say(&mut self, said: &Said, place: &Span) -> std::result::Result<(), Fault> {
        let text = said.text.clone().unwrap_or_else(|| payload(said));
        let messages = self.talk.say(&self.sender, &text, &json!(said.metadata)).await?;
        self.tracker = self.talk.tracker(&self.sender).await?;
        let all = self.tracker.as_ref().and_then(|tracker| tracker.get("events")).and_then(Value::as_array);
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let since = all.iter().rposition(|event| is(event, "user")).unwrap_or_default();
        self.events = all.get(since..).unwrap_or_default().to_vec();
        self.found = 0;
        self.said = match &self.tracker {
            Some(_) => self.events.iter().filter(|event| is(event, "bot")).map(from_event).collect(),
            None => messages.iter().map(from_message).collect(),
        };
        if self.tracker.is_none() {
            let note = "only what is said is held: the assistant's API is not there (start Rasa with --enable-api)";
            if !self.notes.iter().any(|known| known == note) {
                self.notes.push(note.to_owned());
            }
        }
        if let (Some(intent), Some(event), false) = (&said.intent, self.events.first(), said.is_payload) {
            let came = event.pointer("/parse_data/intent/name").and_then(Value::as_str).unwrap_or("(none)").to_owned();
            if came != *intent {
                self.differs(place, format!("what `{text}` means"), intent.clone(), came);
            }
        }
        Ok(())
    }

    fn hold(&mut self, Step { place, what }: &Step) {
        match what {
            What::User(..) | What::Given(_) => {}
            What::Unknowable => self.taken.unknowable += 1,
            What::Hears(heard) => {
                if !self.said.iter().any(|spoken| is_said(heard, spoken)) {
                    let came = self.said.iter().map(shown).collect::<Vec<_>>().join("\n");
                    let came = if came.is_empty() { "(nothing)".to_owned() } else { came };
                    self.differs(place, "what is said", shown_heard(heard), came);
                }
            }
            What::HearsNot(heard) => {
                if let Some(came) = self.said.iter().find(|spoken| is_said(heard, spoken)).map(shown) {
                    self.differs(place, "what is not said", format!("not {}", shown_heard(heard)), came);
                }
            }
            // The rest is in the tracker alone.
            _ if self.tracker.is_none() => self.taken.unknowable += 1,
            What::Action(name) => self.hold_action(name, place),
            What::Slots(slots) => slots.iter().for_each(|slot| self.hold_slot(slot)),
            What::NoSlots(slots) => {
                for Wanted { name, value, place } in slots {
                    let came = self.slot(name);
                    if value.as_ref().map_or(!came.is_null(), |value| same(value, &came)) {
                        let expected =
                            value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("anything but {value}"));
                        self.differs(place, format!("slot_was_not_set `{name}`"), expected, came.to_string());
                    }
                }
            }
            What::Loop(form) => {
                let came = self.tracker.as_ref().and_then(|it| it.pointer("/active_loop/name")).and_then(Value::as_str);
                let held =
                    self.events.iter().any(|event| is(event, "active_loop") && event["name"].as_str() == form.as_deref());
                if !held && came != form.as_deref() {
                    let (form, came) =
                        (form.clone().unwrap_or_else(|| "no form".into()), came.unwrap_or("no form").to_owned());
                    self.differs(place, "active_loop", form, came);
                }
            }
        }
    }

    /// The action ran, after those before it.
    fn hold_action(&mut self, name: &str, place: &Span) {
        let ran = |event: &Value| if is(event, "action") { event["name"].as_str().map(str::to_owned) } else { None };
        let later = self.events.get(self.found..).unwrap_or_default();
        match later.iter().position(|event| ran(event).as_deref() == Some(name)) {
            Some(at) => self.found += at + 1,
            None => {
                let came: Vec<_> = self.events.iter().filter_map(ran).filter(|name| name != "action_listen").collect();
                let came = if came.is_empty() { "(nothing)".to_owned() } else { came.join(", ") };
                self.differs(place, "what runs", name, came);
            }
        }
    }

    /// The slot holds the value, or held it on the way.
    fn hold_slot(&mut self, Wanted { name, value, place }: &Wanted) {
        let fits = |came: &Value| value.as_ref().map_or(!came.is_null(), |value| same(value, came));
        let on_the_way = |event: &Value| is(event, "slot") && event["name"] == *name.as_str() && fits(&event["value"]);
        let came = self.slot(name);
        if !fits(&came) && !self.events.iter().any(on_the_way) {
            let expected = value.as_ref().map_or_else(|| "a value".to_owned(), Value::to_string);
            self.differs(place, format!("slot_was_set `{name}`"), expected, came.to_string());
        }
    }

    fn slot(&self, name: &str) -> Value {
        let slots = self.tracker.as_ref().and_then(|tracker| tracker.get("slots"));
        slots.and_then(|slots| slots.get(name)).cloned().unwrap_or_default()
    }

    fn differs(&mut self, place: &Span, what: impl Into<String>, expected: impl Into<String>, came: impl Into<String>) {
        self.failures.push(Failure::differs(what, expected, came).at(place));
    }
}

/// What a button sends that means it.
fn payload(said: &Said) -> String {
    let mut entities = serde_json::Map::new();
    for entity in &said.entities {
        if let Some(name) = entity.get("entity").and_then(Value::as_str) {
            entities.insert(name.to_owned(), entity.get("value").cloned().unwrap_or_default());
        }
    }
    Button::intent("", said.intent.as_deref().unwrap_or_default(), &entities).payload
}

fn from_event(event: &Value) -> Spoken {
    let text = event.get("text").and_then(Value::as_str).map(str::to_owned);
    Spoken {
        response: event.pointer("/metadata/utter_action").and_then(Value::as_str).map(str::to_owned),
        texts: text.into_iter().collect(),
        buttons: buttons(event.pointer("/data/buttons")),
        by: None,
    }
}

fn from_message(message: &Value) -> Spoken {
    let text = message.get("text").and_then(Value::as_str).map(str::to_owned);
    Spoken { response: None, texts: text.into_iter().collect(), buttons: buttons(message.get("buttons")), by: None }
}

fn buttons(written: Option<&Value>) -> Vec<Button> {
    let text = |button: &Value, key: &str| button.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let each = written.and_then(Value::as_array).into_iter().flatten();
    each.map(|button| Button::new(text(button, "title"), text(button, "payload"))).collect()
}
