//! An event as a value. It holds only what the protocol has a key for.

use serde_json::Value;

use crate::rasa::{ClientVersion, Object};

/// One event of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happens.
    pub kind: EventKind,
    /// Seconds since 1970; the assistant takes its own time when there is none.
    pub timestamp: Option<f64>,
    /// Whatever the assistant shall keep beside the event.
    pub metadata: Option<Object>,
}

/// What an event does.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// `slot`: sets a slot.
    Slot {
        /// The slot.
        name: String,
        /// Its new value; null empties it.
        value: Value,
    },
    /// `followup`: the next action, run at once.
    Followup {
        /// The action.
        name: String,
    },
    /// `reset_slots`: sets every slot to its initial value.
    ResetSlots,
    /// `restart`: forgets the conversation.
    Restart,
    /// `session_started`: begins a session.
    SessionStarted,
    /// `session_ended`: ends the session for good; Rasa Pro only.
    SessionEnded,
    /// `pause`: the assistant stops answering.
    Pause,
    /// `resume`: the assistant answers again.
    Resume,
    /// `undo`: takes back the last action.
    Undo,
    /// `rewind`: takes back the last user message and all that followed.
    Rewind,
    /// `export`: writes the conversation as a story.
    Export,
    /// `active_loop`: enters or leaves a form.
    ActiveLoop {
        /// The form; none leaves it.
        name: Option<String>,
    },
    /// `loop_interrupted`: whether the form's question stays open.
    LoopInterrupted {
        /// True while something else is talked about.
        is_interrupted: bool,
    },
    /// `reminder`: triggers an intent later.
    Reminder {
        /// The intent.
        intent: String,
        /// Its entities: a list, an object of names and values, or null.
        entities: Value,
        /// When, ISO 8601.
        date_time: String,
        /// The name to cancel it by; the assistant makes one up when there is none.
        name: Option<String>,
        /// Whether the user's next message cancels it.
        kill_on_user_msg: bool,
    },
    /// `cancel_reminder`: cancels the reminders that fit all that is given; all of them when nothing is.
    CancelReminder {
        /// The reminder's name.
        name: Option<String>,
        /// Its intent.
        intent: Option<String>,
        /// Its entities.
        entities: Value,
    },
    /// `action`: the history shall read as if this action had run.
    Action {
        /// The action.
        name: Option<String>,
        /// The policy that predicted it.
        policy: Option<String>,
        /// How sure that policy was, 0 to 1.
        confidence: Option<f64>,
    },
    /// `action_execution_rejected`: the history shall read as if this action had declined.
    ActionExecutionRejected {
        /// The action.
        name: String,
        /// The policy that predicted it.
        policy: Option<String>,
        /// How sure that policy was, 0 to 1.
        confidence: Option<f64>,
    },
    /// `user`: the history shall read as if the user had written this.
    User {
        /// The text.
        text: Option<String>,
        /// What was understood: `intent`, `entities` and so on.
        parse_data: Object,
        /// The channel.
        input_channel: Option<String>,
    },
    /// `bot`: the history shall read as if the assistant had said this. (A message is what makes it say something.)
    Bot {
        /// The text.
        text: Option<String>,
        /// Buttons, image and so on.
        data: Option<Object>,
    },
    /// `agent`: a person of the company wrote this.
    Agent {
        /// The text.
        text: Option<String>,
        /// Whatever else.
        data: Option<Object>,
    },
    /// `entities`: adds entities to the last user message.
    Entities {
        /// Each with `entity` and `value`.
        entities: Vec<Object>,
    },
}

impl EventKind {
    /// The name of the event on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Slot { .. } => "slot",
            Self::Followup { .. } => "followup",
            Self::ResetSlots => "reset_slots",
            Self::Restart => "restart",
            Self::SessionStarted => "session_started",
            Self::SessionEnded => "session_ended",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Undo => "undo",
            Self::Rewind => "rewind",
            Self::Export => "export",
            Self::ActiveLoop { .. } => "active_loop",
            Self::LoopInterrupted { .. } => "loop_interrupted",
            Self::Reminder { .. } => "reminder",
            Self::CancelReminder { .. } => "cancel_reminder",
            Self::Action { .. } => "action",
            Self::ActionExecutionRejected { .. } => "action_execution_rejected",
            Self::User { .. } => "user",
            Self::Bot { .. } => "bot",
            Self::Agent { .. } => "agent",
            Self::Entities { .. } => "entities",
        }
    }
}

impl From<EventKind> for Event {
    fn from(kind: EventKind) -> Self {
        Self { kind, timestamp: None, metadata: None }
    }
}

impl Event {
    /// Sets a slot; null empties it.
    #[must_use]
    pub fn slot(name: impl Into<String>, value: impl Into<Value>) -> Self {
        EventKind::Slot { name: name.into(), value: value.into() }.into()
    }

    /// Runs another action next.
    #[must_use]
    pub fn followup(action: impl Into<String>) -> Self {
        EventKind::Followup { name: action.into() }.into()
    }

    /// Makes the history read as if the action had run.
    #[must_use]
    pub fn action(name: impl Into<String>) -> Self {
        EventKind::Action { name: Some(name.into()), policy: None, confidence: None }.into()
    }

    /// Takes back the last action.
    #[must_use]
    pub fn undo() -> Self {
        EventKind::Undo.into()
    }

    /// Begins a session.
    #[must_use]
    pub fn session_started() -> Self {
        EventKind::SessionStarted.into()
    }

    /// Stops the assistant from answering, until `resume`.
    #[must_use]
    pub fn pause() -> Self {
        EventKind::Pause.into()
    }

    /// Lets the assistant answer again.
    #[must_use]
    pub fn resume() -> Self {
        EventKind::Resume.into()
    }

    /// Sets every slot to its initial value.
    #[must_use]
    pub fn reset_slots() -> Self {
        EventKind::ResetSlots.into()
    }

    /// Enters a form, or leaves the one that is active.
    #[must_use]
    pub fn active_loop(name: Option<String>) -> Self {
        EventKind::ActiveLoop { name }.into()
    }

    /// The same event at a certain time, in seconds since 1970.
    #[must_use]
    pub fn at(mut self, timestamp: f64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The same event with metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Object) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Whether a client of that version knows the event at all; one that it does not know makes it throw the whole answer
    /// away.
    #[must_use]
    pub fn known_to(&self, version: ClientVersion) -> bool {
        self.kind != EventKind::SessionEnded || version.is_pro()
    }
}
