//! What the user hears when something did not go well, in this order: what was last known, with its age; else the message of
//! the outcome, with what helps.
//!
//! The age of old data is said once in a turn, for the oldest, where the first of it was used; when nothing was told of the
//! data, there is no age to say. Each message falls back to the next wording where one fails.

use std::ops::Range;
use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::{Value as Json, json};

use super::call::Found;
use super::deeds::Became;
use super::run::{Flow, Halt, Run};
use crate::fault::{Fault, Outcome};
use crate::plan::Project;
use crate::plan::action::{Action, Body, Call as CallPlan, Step};
use crate::plan::messages::Say;
use crate::plan::wording::{Offers, Topic};
use crate::rasa::{Button, Call, Event, EventKind, Message, Object};
use crate::template::{Scope, Value, from_json};

/// The slot that gets the name of how the turn went.
const OUTCOME: &str = "action_outcome";
/// The slot that gets the age of the data in seconds.
const AGE: &str = "data_age";

/// What is told of how a turn went, beside its messages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tells {
    /// The age of data, out loud.
    age_aloud: bool,
    /// The outcome, in a slot.
    outcome: bool,
    /// The age of data, in a slot.
    age: bool,
}

impl Tells {
    /// An ordinary action tells what the domain has slots for; a validation nothing. Without a copy of the domain the slots of
    /// the conversation say what there is.
    pub(super) fn of(call: &Call, action: &Action, project: &Project) -> Self {
        if matches!(action.body, Body::Validation(_)) {
            return Self::default();
        }
        let (outcome, age) = match &project.domain {
            Some(domain) => (domain.has_slot(OUTCOME), domain.has_slot(AGE)),
            None => {
                let there = call.tracker.slots.pick(&[OUTCOME, AGE]).unwrap_or_default();
                (there.contains_key(OUTCOME), there.contains_key(AGE))
            }
        };
        Self { age_aloud: true, outcome, age }
    }
}

/// How far down a run had to go.
#[derive(Debug, Clone, Default)]
pub(super) struct Ladder {
    /// The age of the oldest answer that was kept from an earlier call.
    age: Option<Duration>,
    /// The outcome that an old answer stood in for.
    stood_in: Option<Outcome>,
    /// Before which message the age is to be said.
    said_at: Option<usize>,
    /// The messages that are outcomes', not what the action tells.
    failures: Vec<Range<usize>>,
    /// The messages that the run ended with when it did not end well.
    last: Option<Last>,
    /// Something was changed, or may have been.
    wrote: bool,
    /// By a write that is not known again when the turn is taken once more.
    unknown: bool,
}

/// The messages that a run ended with when it did not end well.
#[derive(Debug, Clone)]
struct Last {
    messages: Range<usize>,
    /// How much of the last one's text is the outcome's; none when it has no text.
    words: Option<usize>,
    /// Whether the action's own steps said them.
    own: bool,
}

/// What a run would have ended with before an outcome's own steps.
pub(super) struct OwnWords(Last);

impl Ladder {
    /// Of a run that goes on from this one and has said nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self { said_at: None, failures: Vec::new(), last: None, ..self.clone() }
    }

    /// Takes over what a fork met, whose messages begin at `at`.
    pub(super) fn absorb(&mut self, fork: &Self, at: usize) {
        self.age = self.age.max(fork.age);
        self.stood_in = self.stood_in.or(fork.stood_in);
        self.said_at = self.said_at.or(fork.said_at.map(|said| at + said));
        self.failures.extend(fork.failures.iter().map(|failed| at + failed.start..at + failed.end));
        let shifted = |last: &Last| Last { messages: at + last.messages.start..at + last.messages.end, ..last.clone() };
        self.last = fork.last.as_ref().map(shifted).or(self.last.take());
        self.wrote |= fork.wrote;
        self.unknown |= fork.unknown;
    }

    /// Begins an outcome's own steps; gives what [`Self::end_own`] needs.
    pub(super) fn begin_own(&mut self) -> Option<OwnWords> {
        self.last.take().map(OwnWords)
    }

    /// Ends an outcome's own steps, which said these messages and end the action; none when the action goes on.
    pub(super) fn end_own(&mut self, before: Option<OwnWords>, said: Option<Range<usize>>) {
        match said {
            Some(messages) => {
                self.last.get_or_insert(Last { messages, words: None, own: true });
            }
            None => self.last = before.map(|OwnWords(last)| last),
        }
    }

    /// Notes what a call came to.
    pub(super) fn met(&mut self, call: &CallPlan, known: bool, came: &Result<Found, Fault>) {
        let refused =
            |fault: &Fault| fault.class() == crate::fault::Class::Rejected || fault.outcome == Outcome::RateLimited;
        let done = came.as_ref().is_err_and(|fault| !fault.done.is_empty());
        let wrote = done || (call.writes && !came.as_ref().is_err_and(refused));
        self.wrote |= wrote;
        self.unknown |= wrote && !known;
        // What the same turn has just asked for is new.
        let counts = |found: &Found| found.instead_of.is_some() || found.age.is_some_and(|age| age.as_secs() > 0);
        if let Some(found) = came.as_ref().ok().filter(|found| counts(found)) {
            self.age = self.age.max(found.age);
        }
    }

    /// Of a run that was broken off: what it had done by then nobody knows.
    pub(super) fn broken_off() -> Self {
        Self { wrote: true, unknown: true, ..Self::default() }
    }

    /// The name of how the turn went, where no outcome says it.
    pub(super) fn outcome(&self) -> &'static str {
        if self.stood_in.is_some() { "stale" } else { "ok" }
    }
}

/// Whether the last known answer may stand in: the system gave none at all. One that did answer may have said why the old
/// answer is no longer true.
pub(super) const fn stands_in(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Unavailable | Outcome::Timeout | Outcome::RateLimited)
}

impl Run<'_> {
    /// Goes on with an answer. One that is old is said to be: by the action's own steps, else once before what it says next.
    pub(super) async fn found(&mut self, call: &CallPlan, found: Found) -> Result<Flow, Halt> {
        if let Some(name) = &call.bind {
            self.scope.set(name.as_str(), from_json(&found.value));
        }
        let settings = &self.engine.parts.project.settings;
        let old = found.instead_of.is_some() || found.age.is_some_and(|age| age > settings.messages.say_age_after);
        if !old {
            return Ok(Flow::Next);
        }
        if let Some(fault) = &found.instead_of {
            self.ladder.stood_in.get_or_insert(fault.outcome);
        }
        let Some(steps) = call.on_stale() else {
            if self.conversation.tells.age_aloud {
                self.ladder.said_at.get_or_insert(self.messages.len());
            }
            return Ok(Flow::Next);
        };
        Ok(match self.placed(steps, found.instead_of.as_ref()).await? {
            Flow::Continue(value) => {
                if let Some(name) = &call.bind {
                    self.scope.set(name.as_str(), value);
                }
                Flow::Next
            }
            flow => flow,
        })
    }

    /// Goes on with a result that was kept; one that is old is said to be, once before what is said next.
    pub(super) fn recalled(&mut self, age: Duration) {
        if age.as_secs() > 0 {
            self.ladder.age = self.ladder.age.max(Some(age));
        }
        if age > self.engine.parts.project.settings.messages.say_age_after && self.conversation.tells.age_aloud {
            self.ladder.said_at.get_or_insert(self.messages.len());
        }
        self.show_age();
    }

    /// Runs the steps of `stale`; the names they give end with them.
    async fn placed(&mut self, steps: &[Step], fault: Option<&Fault>) -> Result<Flow, Halt> {
        let outer = self.scope.clone();
        self.scope.set("fault", fault_value(fault));
        let flow = self.steps(steps).await;
        self.leave_for(outer);
        flow
    }

    /// Lets expressions see how old the data is.
    pub(super) fn show_age(&mut self) {
        let Some(age) = self.ladder.age else { return };
        let whole = Duration::from_secs(age.as_secs());
        let as_of = chrono::Duration::from_std(whole).ok().and_then(|age| self.conversation.now.checked_sub_signed(age));
        self.scope.set("data_age", Value::from(age.as_secs()));
        let as_of = as_of.map(|as_of| as_of.to_rfc3339_opts(SecondsFormat::Millis, true));
        self.scope.set("as_of", as_of.map_or(Value::from(()), Value::from));
    }

    /// Says the message of an outcome, in the words of the action, of the project or legwork's own, and what helps. Words that
    /// fail, or that have nothing to say, give way to the next that fit.
    pub(super) fn say_outcome(&mut self, fault: &Fault) {
        self.outcome = Some(fault.outcome);
        let mut scope = self.scope.with("fault", fault_value(Some(fault)));
        if !fault.outcome.is_known() {
            scope.set("reference", fault.reference.as_deref().map_or(Value::from(()), Value::from));
        }
        scope.set("partly", Value::from(self.sheet.deeds.tell()));
        let worded = self.wordings(Topic::Outcome(fault.outcome), &scope).find(|(_, messages)| !messages.is_empty());
        let Some((say, mut messages)) = worded else { return };
        let words = messages.last().and_then(|last| last.text.as_ref()).map(|text| text.trim_end().len());
        self.offer(fault.outcome, say, &mut messages);
        let begin = self.messages.len();
        self.messages.extend(messages);
        let said = begin..self.messages.len();
        self.ladder.last = Some(Last { messages: said.clone(), words, own: false });
        self.ladder.failures.push(said);
    }

    /// Says that it takes longer. Nothing helps with that, and it is no end, so no slot is told of it.
    pub(super) fn say_slow(&mut self) {
        let worded = self.wordings(Topic::Slow, &self.scope).map(|(_, messages)| messages).find(|said| !said.is_empty());
        self.messages.extend(worded.into_iter().flatten());
    }

    /// The wordings of a message that can be rendered, the best first. A failing one is told to the operator.
    fn wordings<'b>(&'b self, topic: Topic, scope: &'b Scope) -> impl Iterator<Item = (&'b Say, Vec<Message>)> {
        let (all, conversation) = (&self.engine.parts.project.settings.messages, &self.conversation);
        all.of(&conversation.wording, &conversation.locale, topic).filter_map(move |worded| {
            let place = || worded.place.place();
            self.rendered(&worded.say, scope)
                .map_err(|failed| {
                    tracing::error!(message = topic.name(), place = place(), "a message failed: {}", failed.message);
                })
                .ok()
                .map(|messages| (&worded.say, messages))
        })
    }

    /// Adds what helps: another way to get in touch, and buttons where the message has none of its own.
    fn offer(&self, outcome: Outcome, say: &Say, messages: &mut Vec<Message>) {
        let offers = Offers::with(outcome);
        let settings = &self.engine.parts.project.settings.messages;
        let contact = settings.contact(&self.conversation.locale).filter(|_| offers.contact);
        let contact = contact.and_then(|contact| match contact.text(&self.scope) {
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(failed) => {
                tracing::error!("`contact` failed: {}", failed.message);
                None
            }
        });
        if let Some(contact) = contact {
            match messages.last_mut().and_then(|last| last.text.as_mut()) {
                Some(text) => *text = format!("{} {contact}", text.trim_end()),
                None => messages.push(Message::text(contact)),
            }
        }
        if say.0.iter().any(|message| message.says_buttons) {
            return;
        }
        let to = |intent: &Option<String>, topic: Topic| {
            let intent = intent.as_ref()?;
            Some(Button::intent(self.title(topic)?, intent, &Object::new()))
        };
        // The same again could change twice what is not known again, and a message would be a second one.
        let again = || self.conversation.again.button(&self.title(Topic::TryAgain)?);
        let again = (offers.try_again && !self.ladder.unknown).then(again).flatten();
        let person = to(&settings.human_intent, Topic::TalkToAPerson).filter(|_| offers.person);
        let message = to(&settings.ticket_intent, Topic::LeaveAMessage).filter(|_| offers.message && !self.ladder.wrote);
        if let Some(last) = messages.last_mut() {
            last.buttons.extend([again, person, message].into_iter().flatten());
        }
    }

    /// The title of a button; none when the project gives it none.
    fn title(&self, topic: Topic) -> Option<String> {
        self.wordings(topic, &self.scope).next()?.1.into_iter().find_map(|message| message.text)
    }

    /// Says what was done and what was not, in one message with what the run ended with; gives the place of a message of its
    /// own, where there is no text to join.
    fn say_partly(&mut self) -> Option<usize> {
        let last = self.ladder.last.take().filter(|_| self.outcome.is_some())?;
        let told = self.sheet.deeds.told()?;
        // Who words an outcome and gives no titles says it all.
        if last.own && told.titles.is_empty() {
            return None;
        }
        let mut scope = self.scope.clone();
        for became in Became::ALL {
            scope.set(became.name(), from_json(&json!(told.titles.get(&became).map_or(&[][..], Vec::as_slice))));
        }
        let untitled: Vec<_> = told.untitled.iter().filter(|_| !last.own).map(|became| became.name()).collect();
        scope.set("untitled", from_json(&json!(untitled)));
        let (_, mut said) = self.wordings(Topic::Partly, &scope).next()?;
        let text = said.iter_mut().filter_map(|message| message.text.take()).collect::<Vec<_>>().join(" ");
        let buttons = said.into_iter().flat_map(|message| message.buttons);
        if text.is_empty() {
            return None;
        }
        let text_of = |at: usize| Some((at, self.messages.get(at)?.text.as_ref()?.trim_end().len()));
        let joins = match (last.own, last.words) {
            (true, _) => last.messages.clone().rev().find_map(text_of),
            (false, words) => words.map(|words| (last.messages.end - 1, words)),
        };
        let Some((message, words)) = joins.and_then(|(at, words)| Some((self.messages.get_mut(at)?, words))) else {
            // What shows buttons stays the last.
            let at = if last.own { last.messages.end } else { last.messages.end - 1 };
            self.messages.insert(at, Message { buttons: buttons.collect(), ..Message::text(text) });
            return Some(at);
        };
        if let Some(whole) = &mut message.text {
            whole.insert_str(words, &format!(" {text}"));
        }
        message.buttons.extend(buttons);
        None
    }

    /// Says what was done where the run did not end well, and the age of the data where it was first used, when something was
    /// told of it; sets the slots that tell how the turn went unless the action set them itself.
    pub(super) fn conclude(&mut self) {
        let told = |at: usize| {
            let failure = |message: &usize| self.ladder.failures.iter().any(|failed| failed.contains(message));
            !(at..self.messages.len()).all(|message| failure(&message))
        };
        let said_at = self.ladder.said_at.filter(|at| told(*at));
        let inserted = self.say_partly();
        if let Some(at) = said_at.map(|at| at + usize::from(inserted.is_some_and(|inserted| inserted < at))) {
            let fault = self.ladder.stood_in.map(|outcome| Fault::new(outcome, ""));
            let mut scope = self.scope.clone();
            scope.set("fault", fault_value(fault.as_ref()));
            let age = self.wordings(Topic::Stale, &scope).next().map(|(_, messages)| messages);
            self.messages.splice(at..at, age.into_iter().flatten());
        }
        let (tells, outcome) = (self.conversation.tells, self.outcome());
        let age = self.ladder.age.map_or(Json::Null, |age| json!(age.as_secs()));
        for (told, slot, value) in [(tells.outcome, OUTCOME, json!(outcome)), (tells.age, AGE, age)] {
            let own = |event: &Event| matches!(&event.kind, EventKind::Slot { name, .. } if name == slot);
            if told && !self.events.iter().any(own) {
                self.events.push(Event::slot(slot, value));
            }
        }
    }
}

/// A fault as expressions see it; without one all is null, and nothing was done.
pub(super) fn fault_value(fault: Option<&Fault>) -> Value {
    let outcome = fault.map(|fault| fault.outcome.name());
    let done = fault.map_or(&[][..], |fault| &fault.done);
    let message = fault.and_then(|fault| fault.public.as_deref());
    let reference = fault.and_then(|fault| fault.reference.as_deref());
    let too_often = fault.is_some_and(|fault| fault.too_often);
    from_json(&json!({
        "outcome": outcome, "message": message, "reference": reference, "done": done, "too_often": too_often,
    }))
}
