//! A checked `tests:` block: what a call brings and what the answer must be.

use std::time::Duration;

use chrono::{DateTime, Utc};
use regex::Regex;
use serde_json::Value;

use super::connector::Staged;
use crate::diag::Span;
use crate::name::{ConnectionName, OperationName};

/// One example of an action.
#[derive(Debug)]
pub struct Test {
    /// What it shows, in words.
    pub it: String,
    /// Where it stands.
    pub place: Span,
    /// The conversation it happens in.
    pub situation: Situation,
    /// The time it happens at; now when none.
    pub now: Option<DateTime<Utc>>,
    /// Calls made before, in order.
    pub before: Vec<(ConnectionName, OperationName, Value)>,
    /// What is wrong with connections.
    pub given: Vec<Given>,
    /// What must come.
    pub expect: Expect,
}

/// What is wrong with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Which.
    pub connection: ConnectionName,
    /// Of which of its operations it is; of all without one.
    pub operation: Option<OperationName>,
    /// What is wrong; not two that contradict each other.
    pub faults: Vec<Staged>,
    /// How long ago the same was asked of it, when nothing was wrong; none when nothing of it is known.
    pub known: Option<Duration>,
}

/// The conversation when the action is called.
#[derive(Debug, Default)]
pub struct Situation {
    /// The slots.
    pub slots: Vec<(String, Value)>,
    /// The user's last message.
    pub text: Option<String>,
    /// Its intent.
    pub intent: Option<String>,
    /// Its entities, each an object.
    pub entities: Vec<Value>,
    /// Its metadata.
    pub metadata: Vec<(String, Value)>,
    /// What the user has proved: `email`, `phone`, `customer`.
    pub verified: Vec<(String, String)>,
    /// The conversation's id.
    pub sender: Option<String>,
    /// The channel.
    pub channel: Option<String>,
    /// The active form.
    pub active_loop: Option<String>,
    /// Slots that the message offers.
    pub offered: Vec<(String, Value)>,
    /// Events before.
    pub events: Vec<Value>,
}

/// What an answer must be.
#[derive(Debug, Default)]
pub struct Expect {
    /// All messages, in order.
    pub said: Option<Vec<Said>>,
    /// Slots with their last values; texts are patterns.
    pub slots: Vec<(String, Value)>,
    /// Slots that must not be set.
    pub unset: Vec<String>,
    /// Events besides slots, in order.
    pub events: Option<Vec<Value>>,
    /// The action declines with this text.
    pub rejected: Option<Pattern>,
    /// Nothing at all.
    pub nothing: bool,
}

/// One expected message.
#[derive(Debug)]
pub enum Said {
    /// Its text.
    Text(Pattern),
    /// Keys of the message: texts are patterns, everything else is compared.
    Message(Vec<(String, Matcher)>),
}

/// What a key of a message must be.
#[derive(Debug)]
pub enum Matcher {
    /// A text like this.
    Text(Pattern),
    /// Just this.
    Value(Value),
}

/// An expected text: `…` stands for anything, `/…/` is a regular expression.
#[derive(Debug)]
pub struct Pattern {
    /// As written.
    pub written: String,
    /// What it means.
    pub regex: Regex,
}

impl Pattern {
    /// Whether a text says more than itself: it stands between slashes, or has a `…`.
    #[must_use]
    pub fn is_one(written: &str) -> bool {
        written.contains('…') || Self::regex(written).is_some()
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with the regular expression.
    pub fn parse(written: &str) -> Result<Self, String> {
        let source = match Self::regex(written) {
            Some(regex) => format!("(?s){regex}"),
            None => format!("(?s)^{}$", written.split('…').map(regex::escape).collect::<Vec<_>>().join(".*")),
        };
        let regex =
            Regex::new(&source).map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())?;
        Ok(Self { written: written.to_owned(), regex })
    }

    /// Whether a text is as expected.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    fn regex(written: &str) -> Option<&str> {
        written.strip_prefix('/')?.strip_suffix('/').filter(|regex| !regex.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_anything_and_slashes_search() {
        let travels = Pattern::parse("It travels with UPS, …").unwrap();
        assert!(travels.matches("It travels with UPS, number 1"));
        assert!(!travels.matches("Today it travels with UPS, number 1"));
        assert!(Pattern::parse("/right now/").unwrap().matches("not right now, sorry"));
        assert!(Pattern::parse("1 + 1?").unwrap().matches("1 + 1?"));
        assert!(Pattern::parse("/(/").is_err());
    }
}
