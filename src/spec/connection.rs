//! The shapes of the keys that every connection of legwork.yml has for how patiently its system is asked.
//!
//! The other keys of a connection are its connector's settings, which are not known here.

use serde_json::{Value, json};

use super::connector::{CacheRef, CacheTimes};
use super::shape::{Definitions, Shape, shape, wrong_type};
use super::values::{Map, Text, Whole};
use super::yaml::{Kind, Node};
use crate::diag::{Diagnostics, Span};

/// A connection as written.
#[derive(Debug, Clone)]
pub struct Connection {
    /// All of its keys: its connector, its rules, and the connector's settings.
    pub keys: Map<Node>,
    /// How patiently its system is asked; none when that could not be read, which was said.
    pub patience: Option<Patience>,
}

shape! {
    /// How patiently the system of a connection is asked; what is left out is as the connector's file says.
    Patience as "a connection" {
        /// How long one attempt may take: `12s`.
        timeout: Option<Text>,
        /// How often and when a request is repeated.
        retry: Option<ConnectionRetry>,
        /// When the system is left alone: `off`, or when.
        breaker: Option<Switch<Breaker>>,
        /// How much may be asked of the system at the same time, in a span of time, and by one sender.
        limits: Option<ConnectionLimits>,
        /// A second request beside a read that takes long, of which the first good answer counts.
        hedge: Option<Hedge>,
        /// How long answers are kept: operation → times, or `off`; `off` for all of them.
        cache: Option<Switch<Map<Switch<CacheRef>>>>,
    }

    /// How often and when a request is repeated.
    ConnectionRetry as "`retry`" {
        /// How many attempts in all; 3 when the connector's file says nothing.
        attempts: Option<Whole>,
        /// The wait before the second; it doubles from then on. 200ms when the connector's file says nothing.
        first: Option<Text>,
        /// The longest wait that is not the vendor's; 5s when the connector's file says nothing.
        most: Option<Text>,
        /// How many repeats there may be at most in all.
        budget: Option<Budget>,
    }

    /// How many repeats there may be at most in all.
    Budget as "`budget`" {
        /// Of the requests of the last ten seconds; 20% when left out.
        share: Option<Text>,
        /// Each second whatever the number of requests; 1 when left out.
        floor: Option<Whole>,
    }

    /// When the system is left alone.
    Breaker as "`breaker`" {
        /// What is looked back over; 30s when left out.
        window: Option<Text>,
        /// How many requests there have to be in it at least; 10 when left out.
        calls: Option<Whole>,
        /// How many of them have to fail; 50% when left out.
        failures: Option<Text>,
        /// Which requests are slow, and how many have to be.
        slow: Option<Slow>,
        /// How long the system is left alone; 10s when left out.
        rest: Option<Text>,
        /// How many requests are tried then, all of which have to end well; 3 when left out.
        probes: Option<Whole>,
    }

    /// Which requests are slow, and how many have to be.
    Slow as "`slow`" {
        /// Those that take as long; 10s when left out.
        after: Option<Text>,
        /// How many of them; 80% when left out.
        share: Option<Text>,
    }

    /// How much may be asked of the system.
    ConnectionLimits as "`limits`" {
        /// How many requests at the same time; 16 when the connector's file says nothing.
        concurrent: Option<Whole>,
        /// How many may wait for that; 1000 when left out.
        queue: Option<Whole>,
        /// How many requests in the time `per`.
        requests: Option<Whole>,
        /// The time of `requests`: `1s`.
        per: Option<Text>,
        /// How many calls one sender may make; as many as there are when left out.
        sender: Option<SenderLimit>,
    }

    /// How many calls one sender may make.
    SenderLimit as "`sender`" {
        /// How many.
        calls: Whole,
        /// In which time: `1m`.
        per: Text,
    }

    /// A second request beside a read that takes long.
    Hedge as "`hedge`" {
        /// When it begins: a time, or `p95` for what 95 of a hundred answers lately took.
        after: Text,
    }
}

/// Something, or `off`.
#[derive(Debug, Clone)]
pub enum Switch<T> {
    /// `off`.
    Off,
    /// What it is.
    On(T),
}

impl<T: Shape> Shape for Switch<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            // YAML readers of old take a bare `off` for false.
            Kind::Bool(false) => Some(Self::Off),
            Kind::Text(text) if text == "off" => Some(Self::Off),
            Kind::Bool(true) => wrong_type(node, "`off`, or what there is to say", out),
            _ => T::read(node, out).map(Self::On),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "enum": ["off", false] }, T::schema(definitions)] })
    }
}

impl Shape for Connection {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let keys = Map::read(node, out)?;
        let mut entries = node.entries().iter().map(|(key, value)| (key, value)).collect();
        let patience = Patience::take(&mut entries, node, "a connection", out);
        Some(Self { keys, patience })
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let (mut properties, mut required) = (Definitions::new(), Vec::new());
        Patience::describe(definitions, &mut properties, &mut required);
        // What else there may be depends on the connector.
        json!({ "type": "object", "properties": properties, "additionalProperties": true })
    }
}

impl CacheRef {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> &Span {
        match self {
            Self::Named(text) => &text.span,
            Self::Times(CacheTimes { span, .. }) => span,
        }
    }
}
