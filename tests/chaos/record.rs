//! What a run notes: what was asked for, what was answered, and what the vendors did.
//!
//! It judges nothing; everything here is plain data, so that a judge can be held against records that were made up.

use std::time::Duration;

use serde_json::Value;

/// A vendor that something is written at, by the connection's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Knows a repeat by the key in a header.
    Desk,
    /// Can be searched for the key.
    Crm,
    /// Puts a thing to its place: the same again changes nothing.
    Yard,
    /// Cannot tell a repeat.
    Post,
    /// A database: a write is a transaction.
    List,
}

impl Vendor {
    /// All of them; the last is no vendor that could be down.
    pub const ALL: [Self; 5] = [Self::Desk, Self::Crm, Self::Yard, Self::Post, Self::List];

    /// The connection's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Crm => "crm",
            Self::Yard => "yard",
            Self::Post => "post",
            Self::List => "list",
        }
    }

    /// Whether a write that may have been done can be made again without doing it twice.
    pub const fn knows_repeats(self) -> bool {
        !matches!(self, Self::Post | Self::List)
    }

    /// The slot that an action sets to the id of what was written there.
    pub const fn slot(self) -> &'static str {
        match self {
            Self::Desk => "ticket",
            Self::Crm => "lead",
            Self::Yard => "booking",
            Self::Post => "note",
            Self::List => "entry",
        }
    }
}

/// An action of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// Where it writes, in order.
    pub writes: &'static [Vendor],
}

/// The action that reads; its orders are shared by all.
pub const READ: Action = Action { name: "action_order_status", writes: &[] };

/// The actions that write. Their orders are one write's alone, for each vendor.
pub const WRITES: [Action; 7] = [
    Action { name: "action_ticket", writes: &[Vendor::Desk] },
    Action { name: "action_lead", writes: &[Vendor::Crm] },
    Action { name: "action_booking", writes: &[Vendor::Yard] },
    Action { name: "action_note", writes: &[Vendor::Post] },
    Action { name: "action_entry", writes: &[Vendor::List] },
    Action { name: "action_ticket_and_lead", writes: &[Vendor::Desk, Vendor::Crm] },
    Action { name: "action_booking_and_note", writes: &[Vendor::Yard, Vendor::Post] },
];

/// How an order that is read really stands.
pub fn status_of(order: &str) -> String {
    format!("s-{order}")
}

/// A user's message and the action that answers it. Who tries again does so in a turn of its own with the same order.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The conversation.
    pub sender: String,
    /// What answers.
    pub action: Action,
    /// What it is about.
    pub order: String,
    /// Whether the user has gone after a slow answer, so that nobody asks for the result.
    pub left: bool,
}

/// A call of a turn, and how it ended.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which turn, by its place in the record.
    pub turn: usize,
    /// Whether it is the one that a slow answer asked for.
    pub second: bool,
    /// When it was sent, since the run's begin.
    pub sent: Duration,
    /// How long the answer took; of a server that was just starting, since it listened.
    pub took: Duration,
    /// When it ended, since the run's begin.
    pub ended: Duration,
    /// How it ended.
    pub end: End,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub enum End {
    /// With an answer.
    Answer {
        /// The status.
        status: u16,
        /// The body; null where it is no JSON.
        body: Value,
    },
    /// Without one, though the server was alive all the time.
    Broken(String),
    /// Without one: the server was killed, or was not up yet.
    Dead,
    /// The driver hung up.
    Dropped,
}

/// Something that a vendor did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Who.
    pub vendor: Vendor,
    /// For which order.
    pub order: String,
    /// What it is known by since.
    pub id: String,
}

/// A write in legwork's own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What the user can quote.
    pub reference: String,
    /// What became of it.
    pub state: String,
    /// Whether the user was told that it will be done.
    pub promised: bool,
}

impl Listed {
    /// Whether it is still to be done, or was given up.
    pub fn is_left(&self) -> bool {
        match self.state.as_str() {
            "queued" | "dead" => true,
            "sending" => self.promised,
            _ => false,
        }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Record {
    /// The turns.
    pub turns: Vec<Turn>,
    /// Their calls, in no order.
    pub calls: Vec<Call>,
    /// The vendors' own logs.
    pub effects: Vec<Effect>,
    /// legwork's own list of writes.
    pub listed: Vec<Listed>,
}
