//! What reading a value depends on, and how a value is refused.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::locale::Locale;

/// What the meaning of a text depends on.
#[derive(Debug, Clone)]
pub struct Context {
    /// The time now.
    pub now: DateTime<Utc>,
    /// Where the assistant's users are.
    pub zone: Tz,
    /// The language and the separators of numbers.
    pub locale: Locale,
    /// The country, as two capitals such as `US`: phone prefixes, the order of day and month, the currency.
    pub region: String,
}

/// A value that does not fit its format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Why, for the people who test the assistant: a lower-case fragment that never holds the value.
    pub reason: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into() }
    }
}
