//! The shapes of `actions/NAME.yml`: an action, a form's validation, or steps and values shared under `actions/shared/`.

use serde_json::{Value, json};

use super::message::{Message, Say};
use super::shape::{Definitions, Shape, as_list, shape, wrong_type, wrong_type_with};
use super::testcase::Test;
use super::values::{Choices, Flag, Map, Text};
use super::yaml::{Kind, Node};
use crate::diag::Diagnostics;

shape! {
    /// What one custom action does. The file's name is the action's name.
    Action as "an action" {
        /// What the action is for, in a sentence.
        description: Option<Text>,
        /// The values it works with: name → where from, which format, what to say when missing or wrong.
        inputs: Map<Input>,
        /// What must hold before anything is looked at, shown or changed: conditions on the conversation, such as `verified`.
        require: Require,
        /// How long this action may take, where that differs from legwork.yml.
        turn: Option<Turn>,
        /// This action's words for what legwork says by itself: locale → name → message. They go before those of legwork.yml.
        messages: Map<Map<Say>>,
        /// What it does, in order.
        steps: Vec<Step>,
        /// In `validate_FORM` and `action_validate_slot_mappings`: how each slot is filled and checked.
        slots: Map<SlotRule>,
        /// In `validate_FORM`: slot → the condition under which the form needs it. Other slots stay as the domain has them.
        required: Map<Text>,
        /// In validations: steps that run once all slots were checked; `offered` (slot → value), `accepted` and `refused` (lists of
        /// slots) are in scope. A `requested_slot` that they set is asked for next; `reject` declines the whole validation.
        after: Vec<Step>,
        /// Examples of conversations with what the action must answer; `legwork test` runs them.
        tests: Vec<Test>,
    }

    /// A value that an action works with.
    Input as "an input" {
        /// What the value means.
        description: Option<Text>,
        /// Where it comes from: `slot` (the default), `entity`, `metadata`, or an expression in `{{ }}`. In shared files `with`
        /// goes before it, and the default is nothing.
        from: Option<Text>,
        /// How it has to look; it is normalised before anything is sent anywhere.
        format: Option<FormatRef>,
        /// The value when there is none: a slot that is not set, a text of blanks, something absent. A null that metadata or an
        /// entity brings is a value.
        default: Option<Node>,
        /// What to say when there is none; the action ends. Without it the value is null.
        missing: Option<Say>,
        /// What to say when it does not fit the format; the action ends.
        invalid: Option<Say>,
    }

    /// How long a turn may take.
    Turn as "`turn`" {
        /// After this time without a result the user hears that it takes longer, and the action works on; `5s` when left out, `2s`
        /// on the channel `slack`. What Rasa runs inside another step (validations, slot mappings, `action_ask_…`,
        /// `action_session_start`) ends then.
        slow_after: Option<Text>,
        /// After this time the action ends with the message for `timeout`; `15s` when left out. As long as `slow_after`, it makes
        /// turns never slow.
        give_up_after: Option<Text>,
        /// Other times for some input channels.
        channels: Map<Turn>,
    }

    /// One step: exactly one verb, the keys that go with it, and a condition.
    Step as "a step" {
        /// The step runs only when this expression is true.
        when: Option<Text>,
        /// Calls an operation: `connection.operation`.
        call: Option<Text>,
        /// The inputs of the call or of the shared steps.
        with: Map<Node>,
        /// The name that the result (of `call`, `use`) or the item (of `each`) gets.
        r#as: Option<Text>,
        /// What to do when the call ends otherwise than well: outcome → steps, or a message. `otherwise` is every outcome that is
        /// not named. The steps of `stale` say that the answer is old; the action goes on after them.
        outcomes: Map<Handler>,
        /// What must hold before the call is made, or, where it reads the answer, before that is shown or named.
        require: Require,
        /// Goes past the cache when true.
        refresh: Option<Text>,
        /// Whether a change that cannot be made now is made later, and its outcome `queued`. Left out: yes, for the only change
        /// that an action makes, where the call does not say itself what happens when it is `unavailable`.
        queue: Option<Flag>,
        /// What the conversation is told, by way of `assistant`, once a change that was made later is done. It sees the inputs of
        /// the call, its result and `reference`, and nothing of the conversation.
        delivered: Option<Say>,
        /// What users call the change, such as `your ticket`: for the message that says what was done and what was not. Sees what
        /// `with` sees.
        title: Option<Text>,
        /// Takes the change back when a later one of the same run fails and that ends the action.
        undo: Option<Undo>,
        /// Says something.
        say: Option<Say>,
        /// Sets slots, in order; null clears.
        set: Map<Node>,
        /// Clears slots: a list of names.
        clear: Vec<Text>,
        /// Gives values names for the steps below.
        r#let: Map<Node>,
        /// Sends an event to the tracker: a name, or a name with its fields.
        event: Option<Node>,
        /// Takes the first branch whose condition holds.
        choose: Vec<Branch>,
        /// Runs steps at the same time, each to its end; messages, events and slots keep the order written. They do not see what
        /// the others name or set.
        together: Vec<Step>,
        /// Goes over the list that this expression gives.
        each: Option<Text>,
        /// What `each` does with every item.
        steps: Vec<Step>,
        /// `each` keeps the items for which this expression is true.
        keep: Option<Text>,
        /// What `each` gathers of every item; the item itself when left out.
        collect: Option<Node>,
        /// `each` stops at the first item that it keeps, and gives it instead of a list.
        first: Option<Flag>,
        /// The name that what `each` gathered gets.
        into: Option<Text>,
        /// Runs the steps, or names the values, of `actions/shared/NAME.yml`. What they say, set and send is the action's, and what
        /// ends them ends the action; names they give stay their own.
        r#use: Option<Text>,
        /// Sends a one-time code to this address, as `verify.code` of legwork.yml says.
        send_code: Option<Text>,
        /// Holds what the user typed against the code that was sent; from then on `verified` has the address.
        verify_code: Option<Text>,
        /// Waits: `2s`.
        wait: Option<Text>,
        /// Declines to run, so that Rasa predicts another action; the text is for Rasa's log. In a slot's steps: refuses the
        /// value, and says the text.
        reject: Option<Say>,
        /// Ends the action, with `true` or with what is said before it ends, also from inside of `each`, `together`, `use` or an
        /// outcome; what was said and set so far stays. In a slot's steps: does not take the value, and checks no further slot.
        stop: Option<Stop>,
        /// Last step of an outcome: the action goes on, with this value as the call's result.
        r#continue: Option<Node>,
        /// In a slot's steps: takes this value, an expression, for the slot.
        accept: Option<Text>,
    }

    /// The call that takes a change back.
    Undo as "`undo`" {
        /// The operation: `connection.operation`.
        call: Text,
        /// Its inputs; they see the result of the change, under the name that `as` gives it.
        with: Map<Node>,
    }

    /// One branch of `choose`.
    Branch as "a branch" {
        /// The branch is taken when this expression is true.
        when: Option<Text>,
        /// What it does.
        steps: Vec<Step>,
        /// The branch that is taken when no other was: its steps.
        otherwise: Vec<Step>,
    }

    /// How a slot of a form, or of the slot mappings, is filled and checked.
    SlotRule as "a slot" {
        /// How the value has to look; it is normalised.
        format: Option<FormatRef>,
        /// A condition on `value`.
        accept: Option<Text>,
        /// A call that has to find something: `connection.operation`.
        call: Option<Text>,
        /// The inputs of the call.
        with: Map<Node>,
        /// The name of the call's result.
        r#as: Option<Text>,
        /// What to do when the call cannot be made: `accept` the value unseen (the default), `reject` it with the outcome's message,
        /// or reject it and `stop` checking.
        unavailable: Option<Text>,
        /// What to say when the value is refused.
        refuse: Option<Say>,
        /// Other slots to set once the value is accepted; `value` is as it was accepted.
        set: Map<Node>,
        /// Fills a slot of a `custom` mapping: a template whose value is the candidate; null leaves the slot alone.
        extract: Option<Node>,
        /// Where that is not enough: steps that end in `accept` or `reject`, once `format`, `accept` and `call` found nothing wrong.
        /// They also run for a null, which the others let pass.
        steps: Vec<Step>,
    }

    /// A condition that must hold, and what is said where it does not.
    Guard as "a guard" {
        /// The condition. What is null or absent equals nothing, so it refuses.
        that: Text,
        /// What is said when it does not hold, in place of the message for `denied`.
        say: Option<Say>,
    }

    /// Steps or values that actions share: `actions/shared/NAME.yml`.
    Shared as "a shared file" {
        /// What it is for.
        description: Option<Text>,
        /// The values that `with` gives to the steps; one that it does not give is null, or comes from where `from` says.
        inputs: Map<Input>,
        /// What must hold before the steps run.
        require: Require,
        /// Steps; `use: NAME` runs them.
        steps: Vec<Step>,
        /// What the steps give back: a value or template, named by `as`.
        result: Option<Node>,
        /// How long the result is as good as new, for the same inputs: `1m`. For steps that only read; it is made anew after a
        /// change of what they read. Not kept without it.
        cache: Option<Text>,
        /// Values; `use: NAME` makes them known under the file's name. A key that is not there is null.
        values: Option<Node>,
    }
}

/// A format: a name, or `{ enum: [...] }` and the like.
#[derive(Debug, Clone)]
pub enum FormatRef {
    /// A format's name, one of legwork's or of the project's.
    Named(Text),
    /// One of these values.
    Enum(Choices),
    /// A phone number of a region such as `DE`.
    Phone(Text),
}

impl Shape for FormatRef {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            return Text::read(node, out).map(Self::Named);
        };
        match entries.as_slice() {
            [(key, value)] if key.name == "enum" => Choices::read(value, out).map(Self::Enum),
            [(key, value)] if key.name == "phone" => Text::read(value, out).map(Self::Phone),
            _ => wrong_type(node, "a format's name, `enum: [VALUE, …]` or `phone: REGION`", out),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": false, "maxProperties": 1, "minProperties": 1, "properties": {
                "enum": Choices::schema(definitions),
                "phone": { "type": "string" },
            } },
        ] })
    }
}

/// What must hold: a condition, a condition with its message, or a list of those.
#[derive(Debug, Clone, Default)]
pub struct Require(pub Vec<Guard>);

impl Shape for Require {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let one = |node: &Node, out: &mut Diagnostics| match &node.kind {
            Kind::Map(_) => Guard::read(node, out),
            _ => {
                let that = Text::read(node, out)?;
                Some(Guard { span: node.span.clone(), keys: Vec::new(), that, say: None })
            }
        };
        match &node.kind {
            // A guard that cannot be read was reported, so that the project does not run without it.
            Kind::List(items) if items.is_empty() => wrong_type(node, "a condition, or a list of them,", out),
            Kind::List(items) => Some(Self(items.iter().filter_map(|item| one(item, out)).collect())),
            _ => one(node, out).map(|guard| Self(vec![guard])),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let one = json!({ "anyOf": [{ "type": "string" }, Guard::schema(definitions)] });
        json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// The end of an action, with or without a last word.
#[derive(Debug, Clone)]
pub struct Stop(pub Option<Say>);

impl Shape for Stop {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match node.kind {
            Kind::Bool(true) => Some(Self(None)),
            Kind::Bool(false) => wrong_type(node, "true, or what is said before the action ends,", out),
            _ => Say::read(node, out).map(|say| Self(Some(say))),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "const": true }, Say::schema(definitions)] })
    }
}

/// What an outcome does: steps, or a message that ends the action.
#[derive(Debug, Clone)]
pub enum Handler {
    /// Says this and ends the action.
    Say(Say),
    /// Runs these; then the action ends, unless the last is `continue`.
    Steps(Vec<Step>),
}

impl Shape for Handler {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(_) => Vec::read(node, out).map(Self::Steps),
            Kind::Text(_) => Say::read(node, out).map(Self::Say),
            Kind::Map(entries) if entries.iter().any(|(key, _)| !Step::KEYS.contains(&key.name.as_str())) => {
                Say::read(node, out).map(Self::Say)
            }
            _ => wrong_type_with(node, "a list of steps or a message", as_list(node), out),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "string" }, Message::schema(definitions), Vec::<Step>::schema(definitions)] })
    }
}
