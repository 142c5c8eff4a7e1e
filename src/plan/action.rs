//! A checked action: the only form of an action that the engine runs.
//!
//! Everything here was compiled, so it cannot be wrong in itself: names exist, expressions parse, a step has one verb. What
//! can still go wrong at run time is data.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::messages::Say;
use super::value::Value;
use super::wording::Wording;
use crate::diag::Span;
use crate::fault::Outcome;
use crate::format::Format;
use crate::name::{ActionName, ConnectionName, Local, OperationName, SlotName};
use crate::template::{Expression, Template};

/// One action.
#[derive(Debug)]
pub struct Action {
    /// Its name: the file's.
    pub name: ActionName,
    /// Where its file begins.
    pub place: Span,
    /// What it is for.
    pub description: Option<String>,
    /// Its inputs, in order.
    pub inputs: Vec<Input>,
    /// What must hold before anything else.
    pub require: Vec<Guard>,
    /// How long it may take, where that is its own.
    pub limits: Option<super::Limits>,
    /// Its own words for what legwork says by itself.
    pub messages: Arc<Wording>,
    /// Whether its answer can ask Rasa to run it again, for when it is slow: not where Rasa runs it inside of a step of its own.
    pub follows_up: bool,
    /// What it does.
    pub body: Body,
    /// How much its steps may change.
    pub changes: Changes,
    /// The names of the conversation that its expressions ask for (`slots`, `events`, …), and `slots.NAME` for a slot that
    /// only an input takes: what need not be parsed is not.
    pub asks: BTreeSet<String>,
    /// Its examples.
    pub tests: Vec<super::testcase::Test>,
}

/// What an action does.
#[derive(Debug)]
pub enum Body {
    /// Steps.
    Steps(Vec<Step>),
    /// The validation of a form, or of slot mappings outside forms.
    Validation(Validation),
    /// What a program does that is written in Rust, and has legwork as a library.
    Native,
    /// What the action server does that is behind this one.
    Forwarded,
}

/// A value that an action works with.
#[derive(Debug)]
pub struct Input {
    /// Its name in expressions.
    pub name: Local,
    /// Where it comes from.
    pub source: Source,
    /// How it has to look.
    pub format: Option<Format>,
    /// The value when there is none.
    pub default: Option<Value>,
    /// What is said when there is none.
    pub missing: Option<Say>,
    /// What is said when it does not fit.
    pub invalid: Option<Say>,
    /// Where it is declared.
    pub place: Span,
}

/// Where an input comes from.
#[derive(Debug)]
pub enum Source {
    /// A slot.
    Slot(SlotName),
    /// The entity of that name in the last message.
    Entity(String),
    /// A key of the last message's metadata.
    Metadata(String),
    /// An expression.
    Given(Template),
    /// Only the `with` of the `use` that takes the shared steps in.
    With,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Runs only when this is true.
    pub when: Option<Expression>,
    /// What it does.
    pub verb: Verb,
    /// Where it stands.
    pub place: Span,
    /// Every name that it or the steps in it may define: null when it is skipped.
    pub defines: Vec<Local>,
}

/// What a step does.
#[derive(Debug)]
pub enum Verb {
    /// Calls an operation.
    Call(Box<Call>),
    /// Says messages.
    Say(Say),
    /// Sets slots, in order.
    Set(Vec<(SlotName, Value)>),
    /// Names values, in order.
    Let(Vec<(Local, Value)>),
    /// Sends an event.
    Event(EventPlan),
    /// Takes the first branch that holds.
    Choose(Vec<Branch>),
    /// Runs steps at the same time.
    Together(Vec<Step>),
    /// Goes over a list.
    Each(Box<Each>),
    /// Runs shared steps.
    Use(Box<Use>),
    /// Sends a one-time code, or checks one.
    Code(Box<CodeStep>),
    /// Waits.
    Wait(Duration),
    /// Declines to run, or refuses the value.
    Reject(Say),
    /// Ends the action, after these messages.
    Stop(Option<Say>),
    /// Goes on after an outcome, with this as the call's result.
    Continue(Value),
    /// Takes this as the slot's value.
    Accept(Expression),
}

impl Verb {
    /// The verb as files write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Say(_) => "say",
            Self::Set(_) => "set",
            Self::Let(_) => "let",
            Self::Event(_) => "event",
            Self::Choose(_) => "choose",
            Self::Together(_) => "together",
            Self::Each(_) => "each",
            Self::Use(_) => "use",
            Self::Code(step) => match step.does {
                Does::Send => "send_code",
                Does::Check => "verify_code",
            },
            Self::Wait(_) => "wait",
            Self::Reject(_) => "reject",
            Self::Stop(_) => "stop",
            Self::Continue(_) => "continue",
            Self::Accept(_) => "accept",
        }
    }
}

/// A call of an operation.
#[derive(Debug)]
pub struct Call {
    /// The connection, by the project's name for it.
    pub connection: ConnectionName,
    /// The operation.
    pub operation: OperationName,
    /// The inputs.
    pub with: Vec<(String, Value)>,
    /// The result's name.
    pub bind: Option<Local>,
    /// What happens when it ends otherwise than well.
    pub outcomes: Vec<Handler>,
    /// What must hold before the call is made.
    pub before: Vec<Guard>,
    /// What must hold of its answer before that is shown or named.
    pub after: Vec<Guard>,
    /// Goes past the cache when true.
    pub refresh: Option<Expression>,
    /// Whether the operation changes something.
    pub writes: bool,
    /// Whether a change that cannot be made now is made later; where that is not said, by what else the action does.
    pub queue: Option<bool>,
    /// What the conversation is told once a change that was made later is done.
    pub delivered: Option<Say>,
    /// What users call the change.
    pub title: Option<Template>,
    /// What takes the change back.
    pub undo: Option<Undo>,
}

/// The operation that takes a change back when a later one of the same run cannot be made.
#[derive(Debug)]
pub struct Undo {
    /// The connection.
    pub connection: ConnectionName,
    /// The operation.
    pub operation: OperationName,
    /// Its inputs, which see the result of the call.
    pub with: Vec<(String, Value)>,
    /// Where it stands.
    pub place: Span,
}

/// How much an action may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Changes {
    /// Nothing; so it is with validations, which may look things up only.
    #[default]
    Nothing,
    /// One thing, by one call.
    One,
    /// Several, by several calls or by one in a loop.
    Several,
}

/// Visits every call of these steps and of those in them, with the step that makes it.
pub fn each_call<'a>(steps: &'a [Step], visit: &mut impl FnMut(&'a Step, &'a Call)) {
    for step in steps {
        match &step.verb {
            Verb::Call(call) => {
                visit(step, call);
                call.outcomes.iter().for_each(|handler| each_call(&handler.steps, visit));
            }
            Verb::Choose(branches) => branches.iter().for_each(|branch| each_call(&branch.steps, visit)),
            Verb::Together(steps) => each_call(steps, visit),
            Verb::Each(each) => each_call(&each.steps, visit),
            Verb::Use(used) => each_call(&used.shared.steps, visit),
            Verb::Code(code) => code.outcomes.iter().for_each(|handler| each_call(&handler.steps, visit)),
            _ => {}
        }
    }
}

/// How much these steps, and those in them, may change. Of branches it is the one that changes most, and those of an outcome may
/// come on top.
#[must_use]
pub fn changes(steps: &[Step]) -> Changes {
    let together = |a: Changes, b: Changes| match (a, b) {
        (Changes::Nothing, other) | (other, Changes::Nothing) => other,
        _ => Changes::Several,
    };
    let outcomes = |all: &[Handler]| all.iter().map(|handler| changes(&handler.steps)).max().unwrap_or_default();
    let of = |step: &Step| match &step.verb {
        Verb::Call(call) if call.writes => together(Changes::One, outcomes(&call.outcomes)),
        Verb::Call(call) => outcomes(&call.outcomes),
        Verb::Choose(branches) => branches.iter().map(|branch| changes(&branch.steps)).max().unwrap_or_default(),
        Verb::Together(steps) => changes(steps),
        Verb::Each(each) if changes(&each.steps) > Changes::Nothing => Changes::Several,
        Verb::Use(used) => used.shared.changes,
        Verb::Code(code) => outcomes(&code.outcomes),
        _ => Changes::Nothing,
    };
    steps.iter().map(of).fold(Changes::Nothing, together)
}

/// A condition that must hold before something is shown or changed.
#[derive(Debug)]
pub struct Guard {
    /// The condition.
    pub that: crate::template::Guard,
    /// What is said where it does not hold; the message of `denied` when none.
    pub say: Option<Say>,
    /// Where it stands.
    pub place: Span,
}

/// What a step does with one-time codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Sends one.
    Send,
    /// Holds what the user typed against the one that was sent.
    Check,
}

/// A step of one-time codes.
#[derive(Debug)]
pub struct CodeStep {
    /// What it does.
    pub does: Does,
    /// The address to send to, or what the user typed.
    pub given: Template,
    /// What happens when it ends otherwise than well.
    pub outcomes: Vec<Handler>,
}

/// What an action does of its own when a call ends in some way.
#[derive(Debug)]
pub struct Handler {
    /// In which way.
    pub on: On,
    /// Where it stands.
    pub place: Span,
    /// What it does.
    pub steps: Vec<Step>,
}

/// A way for a call to end, as `outcomes:` writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// This outcome.
    Outcome(Outcome),
    /// Every outcome that is not named, but those that do not say that it did not work: `pending`, `queued`, `unclear`.
    Otherwise,
    /// The answer is old: it stands in for a system that gives none, or is older than is passed over in silence.
    Stale,
}

impl From<Outcome> for On {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

impl Call {
    /// The steps for an outcome, when the action handles it itself.
    #[must_use]
    pub fn handler(&self, outcome: Outcome) -> Option<&[Step]> {
        handler(&self.outcomes, outcome)
    }

    /// Whether the call says itself what happens when its system is not there.
    #[must_use]
    pub fn handles_absence(&self) -> bool {
        let absent = [Outcome::Unavailable, Outcome::RateLimited, Outcome::Timeout];
        self.outcomes.iter().any(|handler| absent.iter().any(|it| handler.on == (*it).into()))
    }

    /// The steps for an old answer, when the action says its age itself.
    #[must_use]
    pub fn on_stale(&self) -> Option<&[Step]> {
        on(&self.outcomes, On::Stale)
    }
}

/// The steps among these for an outcome. `otherwise` tells what did not work; a write that is under way, is made later or may have been
/// done is none of that.
#[must_use]
pub fn handler(outcomes: &[Handler], outcome: Outcome) -> Option<&[Step]> {
    let otherwise = || on(outcomes, On::Otherwise).filter(|_| outcome.is_known());
    on(outcomes, On::Outcome(outcome)).or_else(otherwise)
}

fn on(outcomes: &[Handler], on: On) -> Option<&[Step]> {
    outcomes.iter().find(|handler| handler.on == on).map(|handler| &*handler.steps)
}

/// An event of the tracker, as a name and templates for its fields.
#[derive(Debug)]
pub struct EventPlan {
    /// Rasa's name of the event.
    pub name: String,
    /// Its fields.
    pub fields: Vec<(String, Value)>,
}

/// A branch of `choose`.
#[derive(Debug)]
pub struct Branch {
    /// None for `otherwise`.
    pub when: Option<Expression>,
    /// What it does.
    pub steps: Vec<Step>,
}

/// A walk over a list.
#[derive(Debug)]
pub struct Each {
    /// The list.
    pub list: Expression,
    /// The item's name.
    pub item: Local,
    /// What happens with every item.
    pub steps: Vec<Step>,
    /// Which items are kept.
    pub keep: Option<Expression>,
    /// What is gathered of a kept item; the item itself when none.
    pub collect: Option<Value>,
    /// Ends at the first kept item, and gives it alone.
    pub first: bool,
    /// The name of what was gathered.
    pub into: Option<Local>,
}

/// Shared steps, used by an action.
#[derive(Debug)]
pub struct Use {
    /// The steps.
    pub shared: Arc<Shared>,
    /// The inputs they are given.
    pub with: Vec<(String, Value)>,
    /// The name of what they give back.
    pub bind: Option<Local>,
}

/// The steps of a shared file: they see the conversation and their inputs, and nothing else of the action that uses them.
#[derive(Debug)]
pub struct Shared {
    /// The inputs they declare.
    pub inputs: Vec<Input>,
    /// What must hold before the steps run.
    pub require: Vec<Guard>,
    /// The steps.
    pub steps: Vec<Step>,
    /// What they give back.
    pub result: Option<Value>,
    /// How that is kept; not at all without it.
    pub kept: Option<Kept>,
    /// How much the steps may change.
    pub changes: Changes,
}

/// How the result of shared steps is kept for all conversations.
#[derive(Debug)]
pub struct Kept {
    /// The file's name.
    pub name: String,
    /// How long it is as good as new.
    pub fresh: Duration,
    /// What the steps may ask.
    pub reads: Vec<(ConnectionName, OperationName)>,
}

/// The validation of slots.
#[derive(Debug)]
pub struct Validation {
    /// The form; none for slots outside forms.
    pub form: Option<String>,
    /// The rules, in the order written.
    pub rules: Vec<(SlotName, Rule)>,
    /// Slots that are needed exactly when their condition holds.
    pub required: Vec<(SlotName, Expression)>,
    /// Steps once all candidates were checked.
    pub after: Vec<Step>,
    /// Where the file begins.
    pub place: Span,
}

impl Validation {
    /// The rule of a slot.
    #[must_use]
    pub fn rule(&self, slot: &str) -> Option<&Rule> {
        self.rules.iter().find(|(name, _)| name.as_str() == slot).map(|(_, rule)| rule)
    }
}

/// How one slot is filled and checked.
#[derive(Debug)]
pub struct Rule {
    /// How the value has to look.
    pub format: Option<Format>,
    /// A condition on `value`.
    pub accept: Option<Expression>,
    /// A call that has to find something.
    pub call: Option<Call>,
    /// What happens when the call cannot be made.
    pub unavailable: Unavailable,
    /// What is said when the value is refused.
    pub refuse: Option<Say>,
    /// Other slots to set.
    pub set: Vec<(SlotName, Value)>,
    /// The candidate of a custom mapping.
    pub extract: Option<Value>,
    /// Steps that end in accept or reject.
    pub steps: Vec<Step>,
    /// Where it stands.
    pub place: Span,
}

/// What a validation does when it cannot look a value up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unavailable {
    /// Takes the value unseen.
    #[default]
    Accept,
    /// Refuses it, with the outcome's message.
    Reject,
    /// Refuses it with the outcome's message, and checks no further slot.
    Stop,
}
