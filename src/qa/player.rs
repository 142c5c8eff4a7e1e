//! Plays a conversation: does what Rasa does around actions, calls the project's own for real, and holds what they do against
//! what the story says.
//!
//! What nobody can know without a model, such as what a free text means, is taken from the story and counted. What happens
//! after something that was not played is taken as well: nothing is held against an action that did not run.

mod acts;
mod cases;
mod forms;
mod holds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::filling;
use super::report::{Failure, Taken};
use super::script::{Play, Said, Sort, Step, Wanted, What};
use super::suite::problem;
use super::tracker::{Tracker, is, ran, said, slot};
use super::turn::{as_one, take};
use crate::diag::Span;
use crate::engine::{Engine, Trace};
use crate::plan::Project;
use crate::plan::domain::Domain;
use crate::rasa::{Answer, Button, Malformed, Message, Reply};

pub(super) use holds::{is_said, shown, shown_heard};

/// The action that begins a session.
const SESSION: &str = "action_session_start";
/// The action that looks over slots outside forms.
const MAPPINGS: &str = "action_validate_slot_mappings";
/// The slot that says what a form asks for.
const REQUESTED: &str = "requested_slot";

static NO_DOMAIN: LazyLock<Domain> = LazyLock::new(Domain::default);

/// What became of a conversation.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What differs.
    pub(super) failures: Vec<Failure>,
    /// What is to be known of how it was played.
    pub(super) notes: Vec<String>,
    /// What went wrong in the project's files.
    pub(super) problems: Vec<(Span, String)>,
    /// What was taken from the story.
    pub(super) taken: Taken,
    /// How often an action of the project ran that the story is about: not those that Rasa runs around every message.
    pub(super) ran: usize,
    /// Actions that did not run, since the project does not have them.
    pub(super) absent: BTreeSet<String>,
}

/// A conversation that is being played.
pub(super) struct Player<'a> {
    project: &'a Project,
    engine: &'a Engine,
    play: &'a Play,
    trace: Arc<Trace>,
    tracker: Tracker,
    turn: Turn,
    messages: usize,
    /// The form that the story ended without what it was told.
    unanswered: Option<String>,
    seen: Seen,
}

/// What happened since the user's last message.
#[derive(Default)]
struct Turn {
    /// What was said.
    said: Vec<Spoken>,
    /// What acted last, if it was played.
    by: Option<String>,
    /// Slots that the message fills.
    filled: BTreeSet<String>,
    /// Whether there is a text that forms and mappings can take.
    has_text: bool,
}

/// Something that the user heard.
pub(super) struct Spoken {
    /// The response of the domain.
    pub(super) response: Option<String>,
    /// What it may read like.
    pub(super) texts: Vec<String>,
    pub(super) buttons: Vec<Button>,
    /// The action that says it; none where the assistant does.
    pub(super) by: Option<String>,
}

/// What an action that was called did.
enum Told {
    Answer(Answer),
    Declined(String),
    /// The project does not have it.
    Absent,
}

impl<'a> Player<'a> {
    /// Plays a conversation from its beginning to its end, under the id `sender`.
    pub(super) async fn play(project: &'a Project, engine: &'a Engine, play: &'a Play, sender: &str) -> Seen {
        let domain = domain(project);
        let mut initial: serde_json::Map<_, _> =
            domain.rasa.slots.iter().map(|(name, slot)| (name.clone(), slot.initial_value.clone())).collect();
        initial.insert(REQUESTED.to_owned(), Value::Null);
        initial.insert("session_started_metadata".to_owned(), Value::Null);
        let mut player = Self {
            project,
            engine,
            play,
            trace: Arc::default(),
            tracker: Tracker::new(sender, "rest", initial),
            turn: Turn::default(),
            messages: 0,
            unanswered: None,
            seen: Seen::default(),
        };
        player.begin().await;
        for (at, step) in play.steps.iter().enumerate() {
            player.step(step, play.steps.get(at + 1..).unwrap_or_default()).await;
        }
        let Self { mut seen, trace, .. } = player;
        seen.problems = trace.entries().into_iter().filter_map(problem).collect();
        seen
    }

    fn domain(&self) -> &'a Domain {
        domain(self.project)
    }

    /// The session begins, and holds what the conversation begins with.
    async fn begin(&mut self) {
        // A rule is a piece from the middle of a conversation.
        if self.play.kind != Sort::Rule && self.domain().listed().any(|listed| listed == SESSION) {
            if let Told::Answer(answer) = self.call(SESSION).await {
                self.tracker.take(ran(SESSION));
                self.apply(SESSION, answer);
            }
            self.seen.ran = 0;
        } else {
            self.tracker.take(json!({ "event": "session_started", "timestamp": null }));
        }
        for (name, value) in &self.play.slots {
            self.tracker.take(slot(name, value));
        }
        self.turn = Turn::default();
    }

    async fn step(&mut self, step: &Step, then: &[Step]) {
        let place = &step.place;
        match &step.what {
            What::User(said, expected) => {
                self.user(said).await;
                if self.play.kind == Sort::Case {
                    self.after_message(expected).await;
                }
            }
            What::Action(name) => {
                self.act(name, place).await;
                self.followed(name, place, then).await;
            }
            What::Slots(slots) => self.hold_slots(slots),
            What::NoSlots(slots) => self.hold_no_slots(slots),
            What::Given(slots) => {
                for Wanted { name, value, .. } in slots {
                    self.tracker.take(slot(name, value.as_ref().unwrap_or(&Value::Null)));
                }
            }
            What::Loop(form) => self.hold_loop(form.as_deref(), place),
            What::Hears(heard) => self.hold_heard(heard, place),
            What::HearsNot(heard) => self.hold_unheard(heard, place),
            What::Unknowable => self.seen.taken.unknowable += 1,
        }
    }

    /// The user says something, and Rasa reads it.
    async fn user(&mut self, written: &Said) {
        self.messages += 1;
        let has_text = written.text.is_some() && !written.is_payload;
        self.turn = Turn { has_text, ..Turn::default() };
        self.seen.taken.intents += usize::from(has_text);
        self.tracker.take(ran("action_listen"));
        self.tracker.take(said(&written.parsed(&format!("m{}", self.messages))));
        let before = self.tracker.slots.clone();
        for (name, value) in &written.sets {
            self.tracker.take(slot(name, value));
        }
        let domain = self.domain();
        for (name, value) in filling::filled(&domain.rasa, &self.tracker) {
            self.turn.filled.insert(name.clone());
            self.tracker.take(slot(&name, &value));
        }
        for action in filling::actions(&domain.rasa, &self.tracker) {
            self.fill_by(&action).await;
        }
        if domain.listed().any(|listed| listed == MAPPINGS) {
            self.fill_by(MAPPINGS).await;
        }
        let changed = self.tracker.slots.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        self.turn.filled.extend(changed.map(|(name, _)| name.clone()));
    }

    /// An action that Rasa runs while it reads a message.
    async fn fill_by(&mut self, action: &str) {
        let before = self.seen.ran;
        match self.call(action).await {
            Told::Answer(answer) => self.apply(action, answer),
            Told::Declined(_) => {}
            Told::Absent => drop(self.seen.absent.insert(action.to_owned())),
        }
        self.seen.ran = before;
    }

    /// Calls an action as things stand.
    async fn call(&mut self, action: &str) -> Told {
        let body = self.tracker.body(action);
        self.call_with(action, body).await
    }

    /// Calls an action with this body: its stub, or the project's own.
    async fn call_with(&mut self, action: &str, body: Value) -> Told {
        if let Some(stub) = self.play.stubs.get(action) {
            return Told::Answer(stub.clone());
        }
        if !self.project.actions.contains_key(action) {
            return Told::Absent;
        }
        self.seen.ran += 1;
        match take(self.engine, body, &[], &self.trace).await.map(as_one) {
            Ok(Some(Reply::Answer(answer))) => Told::Answer(answer),
            Ok(Some(Reply::Rejected { reason, .. })) => Told::Declined(reason),
            Ok(_) => Told::Absent,
            Err(malformed) => self.refused(action, &malformed),
        }
    }

    fn refused(&mut self, action: &str, malformed: &Malformed) -> Told {
        let failure = Failure::differs(action, "a call that Rasa could make", malformed.to_string());
        self.seen.failures.push(failure);
        Told::Absent
    }

    /// What an action said is heard, then its events happen.
    fn apply(&mut self, action: &str, answer: Answer) {
        self.hear(action, answer.responses);
        for event in &answer.events {
            self.tracker.take(json!(event));
        }
    }

    fn hear(&mut self, action: &str, messages: Vec<Message>) {
        for message in messages {
            let texts = match (&message.text, &message.response) {
                (Some(text), _) => vec![text.clone()],
                (None, Some(response)) => {
                    let further = message.further().map(|(name, value)| (name.clone(), value.clone())).collect();
                    self.rendered(response, &further)
                }
                (None, None) => Vec::new(),
            };
            self.spoken(Spoken { response: message.response, texts, buttons: message.buttons, by: Some(action.to_owned()) });
        }
    }

    /// The assistant itself says a response of the domain.
    fn utter(&mut self, response: &str) {
        let texts = self.rendered(response, &serde_json::Map::new());
        self.spoken(Spoken { response: Some(response.to_owned()), texts, buttons: Vec::new(), by: None });
    }

    fn spoken(&mut self, spoken: Spoken) {
        let metadata = spoken.response.as_ref().map_or_else(|| json!({}), |name| json!({ "utter_action": name }));
        let text = spoken.texts.first();
        self.tracker.take(json!({ "event": "bot", "text": text, "data": {}, "metadata": metadata, "timestamp": null }));
        self.turn.said.push(spoken);
    }

    /// What a response may read like, with the values of slots in it, and of these.
    fn rendered(&self, response: &str, further: &serde_json::Map<String, Value>) -> Vec<String> {
        let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let known: BTreeMap<&String, &Value> = self.tracker.slots.iter().chain(further).collect();
        let render = |text: &String| {
            known.iter().filter(|(name, _)| text.contains(name.as_str())).fold(text.clone(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), &if value.is_null() { "None".to_owned() } else { written(value) })
            })
        };
        self.domain().texts(response).iter().map(render).collect()
    }

    fn differs(&mut self, place: &Span, what: impl Into<String>, expected: impl Into<String>, came: impl Into<String>) {
        self.seen.failures.push(Failure::differs(what, expected, came).at(place));
    }

    fn note(&mut self, note: String) {
        if !self.seen.notes.contains(&note) {
            self.seen.notes.push(note);
        }
    }
}

fn domain(project: &Project) -> &Domain {
    project.domain.as_ref().unwrap_or(&NO_DOMAIN)
}

/// The slot that an event sets.
fn slot_of(event: &Value) -> Option<(&str, &Value)> {
    let name = event.get("name").and_then(Value::as_str).filter(|_| is(event, "slot"))?;
    Some((name, event.get("value").unwrap_or(&Value::Null)))
}
