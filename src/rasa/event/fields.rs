//! The table of events: their names and keys. It knows shapes, not values.

use super::EventKind;

/// What the value of an event's key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any JSON value, null included.
    Any,
    /// A text.
    Text,
    /// A text or null.
    TextOrNull,
    /// A number or null.
    NumberOrNull,
    /// True or false.
    Bool,
    /// An object.
    Object,
    /// An object or null.
    ObjectOrNull,
    /// A list of objects that each have at least `entity` (a text) and `value`.
    Entities,
    /// A list of entities as in [`Shape::Entities`], an object of entity names and values, or null.
    EntitiesOrNull,
    /// A point in time, ISO 8601, such as `2026-03-01T09:30:00` or `2026-03-01T09:30:00+01:00`.
    Moment,
}

impl Shape {
    /// The shape in words, for a message to an author.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text => "a text",
            Self::TextOrNull => "a text or null",
            Self::NumberOrNull => "a number or null",
            Self::Bool => "true or false",
            Self::Object => "an object",
            Self::ObjectOrNull => "an object or null",
            Self::Entities => "a list of objects with `entity` and `value`",
            Self::EntitiesOrNull => "a list of objects with `entity` and `value`, an object of names and values, or null",
            Self::Moment => "a point in time such as 2026-03-01T09:30:00+01:00",
        }
    }
}

/// A key of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventField {
    /// The key.
    pub name: &'static str,
    /// Whether it must be written; one that is left out otherwise is null, and `kill_on_user_msg` is true.
    pub required: bool,
    /// What its value may be.
    pub shape: Shape,
}

const fn must(name: &'static str, shape: Shape) -> EventField {
    EventField { name, required: true, shape }
}

const fn may(name: &'static str, shape: Shape) -> EventField {
    EventField { name, required: false, shape }
}

const POLICY: EventField = may("policy", Shape::TextOrNull);
const CONFIDENCE: EventField = may("confidence", Shape::NumberOrNull);

const TABLE: &[(&str, &[EventField])] = &[
    ("slot", &[must("name", Shape::Text), must("value", Shape::Any)]),
    ("followup", &[must("name", Shape::Text)]),
    ("reset_slots", &[]),
    ("restart", &[]),
    ("session_started", &[]),
    ("session_ended", &[]),
    ("pause", &[]),
    ("resume", &[]),
    ("undo", &[]),
    ("rewind", &[]),
    ("export", &[]),
    ("active_loop", &[must("name", Shape::TextOrNull)]),
    ("loop_interrupted", &[must("is_interrupted", Shape::Bool)]),
    (
        "reminder",
        &[
            must("intent", Shape::Text),
            must("date_time", Shape::Moment),
            may("entities", Shape::EntitiesOrNull),
            may("name", Shape::TextOrNull),
            may("kill_on_user_msg", Shape::Bool),
        ],
    ),
    (
        "cancel_reminder",
        &[may("name", Shape::TextOrNull), may("intent", Shape::TextOrNull), may("entities", Shape::EntitiesOrNull)],
    ),
    ("action", &[must("name", Shape::TextOrNull), POLICY, CONFIDENCE]),
    ("action_execution_rejected", &[must("name", Shape::Text), POLICY, CONFIDENCE]),
    ("user", &[must("text", Shape::TextOrNull), may("parse_data", Shape::Object), may("input_channel", Shape::TextOrNull)]),
    ("bot", &[may("text", Shape::TextOrNull), may("data", Shape::ObjectOrNull)]),
    ("agent", &[may("text", Shape::TextOrNull), may("data", Shape::ObjectOrNull)]),
    ("entities", &[must("entities", Shape::Entities)]),
];

impl EventKind {
    /// The name of every event, as `event` has it on the wire.
    pub const NAMES: [&'static str; TABLE.len()] = {
        let mut names = [""; TABLE.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = TABLE[index].0;
            index += 1;
        }
        names
    };

    /// The keys of the event of that name, besides `timestamp` and `metadata`, which every event may have; none when there
    /// is no such event.
    #[must_use]
    pub fn fields(name: &str) -> Option<&'static [EventField]> {
        TABLE.iter().find(|(event, _)| *event == name).map(|(_, fields)| *fields)
    }
}
