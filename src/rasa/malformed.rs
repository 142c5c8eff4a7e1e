//! What is wrong with a call that is not one.

use std::fmt;

/// A call, or a part of it, that is not what the protocol says: where and what, never what it held. Answered with 422.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    place: String,
    what: String,
    offset: Option<usize>,
}

impl Malformed {
    /// `place` is the path of keys, such as `tracker.slots`, or empty for the body itself; `offset` a byte of the body.
    #[must_use]
    pub fn new(place: impl Into<String>, what: impl Into<String>, offset: Option<usize>) -> Self {
        Self { place: place.into(), what: what.into(), offset }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "the body" } else { &self.place };
        write!(f, "{place}: {}", self.what)?;
        self.offset.map_or(Ok(()), |offset| write!(f, " (at byte {offset})"))
    }
}

impl std::error::Error for Malformed {}
