//! Actions that are written in Rust: what such an action sees of its turn, and what it may do in it.
//!
//! It has the turn of an action that is written in YAML: the same deadline, the same "still checking" when it is slow, and the
//! same words, with what helps, when it ends in a [`Fault`]. Its calls go the way of a `call` step, through cache, single flight,
//! repeats, breaker and limits, and what they change is in the ledger before it is sent.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use super::run::{Ending, Halt, Run};
use crate::diag::{File, Span};
use crate::fault::{Fault, Outcome};
use crate::name::{ActionName, ConnectionName, OperationName};
use crate::plan::action::Call;
use crate::plan::{NativeFacts, Value};
use crate::rasa::{Event, Message};
use crate::template::{Expression, from_json, to_json};
use crate::time::Deadline;

/// An action that is written in Rust.
///
/// ```
/// use legwork::engine::{NativeAction, Turn};
/// use legwork::fault::{Fault, Outcome};
/// use serde_json::json;
///
/// struct Greet;
///
/// impl NativeAction for Greet {
///     fn name(&self) -> &str {
///         "action_greet_by_name"
///     }
///
///     async fn run(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
///         let Some(order) = turn.slot("order_id") else {
///             return Err(Fault::new(Outcome::Invalid, "there is no order_id"));
///         };
///         let found = turn.call("shop.find_order", json!({ "number": order })).await?;
///         turn.say(format!("It is {}.", found["status"]));
///         turn.set_slot("order_status", found["status"].clone());
///         Ok(())
///     }
/// }
/// ```
pub trait NativeAction: Send + Sync + 'static {
    /// Its name, as the domain and the stories have it.
    fn name(&self) -> &str;

    /// Whether it may call an operation that changes something. One that says no costs the store nothing, and such a call ends
    /// as `misconfigured`.
    fn writes(&self) -> bool {
        true
    }

    /// Runs it, within [`Turn::deadline`]. What it said and set until then stays when it fails.
    ///
    /// # Errors
    /// How it ended when it did not end well, its own or that of a call: the user hears the message of its outcome.
    fn run(&self, turn: &mut Turn<'_>) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// The actions of a program that are written in Rust, by name.
#[derive(Clone, Default)]
pub struct Natives(BTreeMap<ActionName, Arc<dyn Runs>>);

impl Natives {
    /// Adds an action.
    ///
    /// # Errors
    /// When its name is none, or another's.
    pub fn add(&mut self, action: impl NativeAction) -> Result<(), String> {
        let written = action.name();
        let cure = "letters, digits, _ and - are, such as action_greet";
        let name = ActionName::parse(written).ok_or_else(|| format!("`{written}` is no name of an action: {cure}"))?;
        match self.0.entry(name) {
            Entry::Occupied(other) => Err(format!("two actions in Rust have the name `{}`", other.key())),
            Entry::Vacant(free) => {
                free.insert(Arc::new(action));
                Ok(())
            }
        }
    }

    /// What a project has to know of them.
    #[must_use]
    pub fn declared(&self) -> BTreeMap<ActionName, NativeFacts> {
        self.0.iter().map(|(name, action)| (name.clone(), NativeFacts { writes: action.writes() })).collect()
    }

    fn get(&self, name: &ActionName) -> Option<Arc<dyn Runs>> {
        self.0.get(name).cloned()
    }
}

impl fmt::Debug for Natives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// [`NativeAction`] where its type is not known.
trait Runs: Send + Sync {
    fn writes(&self) -> bool;
    fn run<'a>(&'a self, turn: &'a mut Turn<'_>) -> BoxFuture<'a, Result<(), Fault>>;
}

impl<A: NativeAction> Runs for A {
    fn writes(&self) -> bool {
        NativeAction::writes(self)
    }

    fn run<'a>(&'a self, turn: &'a mut Turn<'_>) -> BoxFuture<'a, Result<(), Fault>> {
        NativeAction::run(self, turn).boxed()
    }
}

/// A turn, as an action that is written in Rust has it.
pub struct Turn<'a> {
    run: Run<'a>,
    /// Where calls are said to stand.
    place: Span,
    /// How many calls there were: the same turn taken once more has to make them in the same order.
    calls: usize,
    /// How the last call failed, which was told where it was made.
    failed: Option<Fault>,
    /// Why it declines to run.
    rejected: Option<String>,
}

impl<'a> Turn<'a> {
    /// Runs the action of that name to its end.
    pub(super) async fn take(run: Run<'a>, name: &ActionName) -> (Run<'a>, Ending) {
        let action = run.engine.parts.natives.get(name);
        let place = Span::start_of(&File::new(name.to_string(), String::new()));
        let mut turn = Self { run, place, calls: 0, failed: None, rejected: None };
        let ended = match action {
            Some(action) => action.run(&mut turn).await,
            None => Err(Fault::new(Outcome::Misconfigured, format!("nothing in this program runs `{name}`"))),
        };
        if let Err(fault) = ended {
            match turn.failed.as_ref() == Some(&fault) {
                true => turn.run.say_outcome(&fault),
                false => turn.run.say_fault(&fault),
            }
        }
        (turn.run, turn.rejected.map_or(Ending::Answered, Ending::Rejected))
    }

    /// The conversation's id.
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.run.conversation.sender
    }

    /// What the user wrote last.
    #[must_use]
    pub fn user_text(&self) -> Option<String> {
        self.named("user_text")
    }

    /// The intent of that.
    #[must_use]
    pub fn intent(&self) -> Option<String> {
        self.named("intent")
    }

    /// The entities of that, as Rasa gives them: a list of objects with `entity`, `value`, and `role` and `group` where there
    /// are such.
    #[must_use]
    pub fn entities(&self) -> &Json {
        &self.run.conversation.entities
    }

    /// The metadata of that, as the channel gives it: an object.
    #[must_use]
    pub fn metadata(&self) -> &Json {
        &self.run.conversation.metadata
    }

    /// The channel it came by.
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        self.run.conversation.channel.as_deref()
    }

    /// The language of the answer, such as `en` or `de-AT`.
    #[must_use]
    pub fn locale(&self) -> &str {
        &self.run.conversation.locale
    }

    /// The time of the call.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.run.conversation.now
    }

    /// Until when it has to end; calls end by then.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.run.deadline
    }

    /// What a slot holds, with what this action has set; none when it holds nothing.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<Json> {
        self.run.slots.get(name).ok().flatten()
    }

    /// What is proved of the user, such as `email`; none when nobody is verified, or this is not known.
    #[must_use]
    pub fn verified(&self, what: &str) -> Option<String> {
        let verified = to_json(&self.run.scope.get("verified")?).ok()?;
        verified.get(what)?.as_str().map(str::to_owned)
    }

    fn named(&self, name: &str) -> Option<String> {
        self.run.scope.get(name)?.as_str().map(str::to_owned)
    }

    /// Says a text.
    pub fn say(&mut self, text: impl Into<String>) {
        self.say_message(Message::text(text));
    }

    /// Says a message: with buttons, an image, or as a response of the domain.
    pub fn say_message(&mut self, message: Message) {
        self.run.messages.push(message);
    }

    /// Sets a slot; null empties it.
    pub fn set_slot(&mut self, name: &str, value: impl Into<Json>) {
        self.run.set_slot(name, value.into());
    }

    /// Sends an event.
    pub fn event(&mut self, event: Event) {
        self.run.events.push(event);
    }

    /// Declines to run: Rasa predicts another action then. What was said and set is not passed on.
    pub fn reject(&mut self, reason: impl Into<String>) {
        self.rejected = Some(reason.into());
    }

    /// Calls an operation of the project, named as in files: `shop.find_order`. `inputs` is an object. The answer is that of the
    /// operation: a model's object, a list of such, or null. One that was kept may be some time old, as its file allows.
    ///
    /// Something is changed once, however often the turn comes. What cannot be changed now ends as `queued` where it was
    /// under way, and is done later; `fault.reference` is what the user can quote.
    ///
    /// # Errors
    /// How the call ended, when it did not end well.
    pub async fn call(&mut self, operation: &str, inputs: Json) -> Result<Json, Fault> {
        self.called(operation, inputs, false).await
    }

    /// Calls an operation past what is kept of its answers.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_anew(&mut self, operation: &str, inputs: Json) -> Result<Json, Fault> {
        self.called(operation, inputs, true).await
    }

    async fn called(&mut self, target: &str, inputs: Json, anew: bool) -> Result<Json, Fault> {
        let call = self.planned(target, inputs, anew).map_err(|wrong| Fault::new(Outcome::Misconfigured, wrong))?;
        self.calls += 1;
        self.run.sheet.enter(self.calls);
        let found = self.run.invoke(&call, &self.place).await;
        self.run.sheet.leave();
        let broken = |halt: Halt| Fault::new(Outcome::Unexpected, halt.message);
        let found = found.map_err(broken)?;
        self.failed = found.as_ref().err().cloned();
        let found = found?;
        let value = found.value.clone();
        // An old answer is said to be old, as it is where steps call.
        self.run.found(&call, found).await.map_err(broken)?;
        Ok(value)
    }

    /// The step that a call would be in a file.
    fn planned(&self, target: &str, inputs: Json, anew: bool) -> Result<Call, String> {
        let names = target.split_once('.').and_then(|(connection, operation)| {
            Some((ConnectionName::parse(connection)?, OperationName::parse(operation)?))
        });
        let (connection, operation) = names
            .ok_or_else(|| format!("`{target}` names no operation: CONNECTION.OPERATION does, such as shop.find_order"))?;
        let Json::Object(inputs) = inputs else { return Err(format!("the inputs of `{target}` are no object")) };
        let known = self.run.engine.parts.project.operation(&connection, &operation);
        let known = known.ok_or_else(|| format!("the project has no operation `{target}`"))?;
        let writes = known.kind.writes();
        if writes && !self.run.sheet.knows() {
            return Err(format!(
                "`{target}` changes something, and the action says that it does not (`NativeAction::writes`)"
            ));
        }
        let constant = |(name, value): (String, Json)| (name, Value::Open(from_json(&value)));
        Ok(Call {
            connection,
            operation,
            with: inputs.into_iter().map(constant).collect(),
            bind: None,
            outcomes: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            refresh: anew.then(|| Expression::compile("true").ok()).flatten(),
            writes,
            queue: None,
            delivered: None,
            title: None,
            undo: None,
        })
    }
}
