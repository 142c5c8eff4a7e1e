//! The shapes of `tests:` blocks: one call of the action, and what it must answer.

use serde_json::{Value, json};

use super::shape::{Definitions, Shape, shape};
use super::values::{Flag, Map, Text};
use super::yaml::{Kind, Node};
use crate::diag::Diagnostics;

shape! {
    /// One example: the conversation when the action is called, what is wrong with the systems, and the expected answer.
    Test as "a test" {
        /// What the action does here, in words: `it: tells where a shipped order is`.
        it: Text,
        /// The slots that are set.
        slots: Map<Node>,
        /// The user's last message.
        text: Option<Text>,
        /// Its intent.
        intent: Option<Text>,
        /// Its entities: name → value, or a list of entities with all their fields.
        entities: Option<Node>,
        /// Its metadata, as the channel sends it.
        metadata: Map<Node>,
        /// Who the user has proved to be: `email`, `phone`, `customer`.
        verified: Map<Text>,
        /// The conversation's id.
        sender: Option<Text>,
        /// The input channel.
        channel: Option<Text>,
        /// The form that is active.
        active_loop: Option<Text>,
        /// The slots that the message offers to a validation: slot → value.
        offered: Map<Node>,
        /// The events before, where the action looks at them.
        events: Vec<Node>,
        /// The time at which it happens, as `2026-03-04T10:00:00Z`.
        now: Option<Text>,
        /// What was done before on the same systems: operations that are called first, in order.
        before: Vec<Prepare>,
        /// What is wrong with the systems: connection, or connection.operation, → `down`, `slow 6s`, `rate_limited`,
        /// `wrong_data`, `flaky 30%`, or a mapping such as `{ down: true, known: 12m }`.
        given: Map<Given>,
        /// What the action must answer.
        expect: Expect,
    }

    /// A call that is made before the action, to bring the systems into a state.
    Prepare as "a call" {
        /// The operation: `connection.operation`.
        call: Text,
        /// Its inputs.
        with: Map<Node>,
    }

    /// What is wrong with a system.
    State as "what is wrong with a system" {
        /// It is down.
        down: Option<Flag>,
        /// How long each call of it takes.
        slow: Option<Text>,
        /// It refuses every request as one too many: `true`, or after how long it may be asked again.
        rate_limited: Option<Text>,
        /// Its answers make no sense.
        wrong_data: Option<Flag>,
        /// For how many of its calls it is down, such as `30%`; which they are is the same at every run.
        flaky: Option<Text>,
        /// The user asked the same so long ago, when nothing was wrong yet: what its operations keep is known from then.
        known: Option<Text>,
    }

    /// What the answer must be. A key that is left out is not looked at.
    Expect as "`expect`" {
        /// All messages, in order: texts, in which `…` stands for anything and `/…/` is a regular expression, or messages.
        said: Option<Node>,
        /// Slots that must be set, with their last values; in texts `…` and `/…/` mean what they do in `said`.
        slots: Map<Node>,
        /// Slots that must not be set.
        unset: Vec<Text>,
        /// The events besides slots, in order: names, or events with their fields.
        events: Option<Node>,
        /// The action declines, with this text.
        rejected: Option<Text>,
        /// Nothing at all is said and no event is sent.
        nothing: Option<Flag>,
    }
}

/// The faults, as editors hold them.
const WORD: &str = "^(down|slow[ :]+\\S+|rate_limited([ :]+\\S+)?|wrong_data|flaky[ :]+\\d+%)$";

/// What is wrong with a system, as a word or with more to it.
#[derive(Debug, Clone)]
pub enum Given {
    /// A fault: `down`, `slow 6s`.
    Word(Text),
    /// A mapping.
    State(Box<State>),
}

impl Shape for Given {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => State::read(node, out).map(Box::new).map(Self::State),
            _ => Text::read(node, out).map(Self::Word),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "string", "pattern": WORD }, State::schema(definitions)] })
    }
}
