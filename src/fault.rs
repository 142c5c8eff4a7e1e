//! The one run-time error: what went wrong in a call, with its outcome, its class and two texts.
//!
//! The *operator's* text may name connections, operations, statuses and places in files. The *public* one is what a user of
//! the assistant may read: a vendor's word on a field, nothing else. Neither ever holds a secret, a slot's value or a body.

use std::fmt;
use std::time::Duration;

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $class:ident;)*) => {
        /// How a call ended when it did not end well, under the names that designers write in `outcomes:`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Outcome { $($(#[$doc])* $variant,)* }

        impl Outcome {
            /// Every outcome, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in files, metrics and the slot `action_outcome`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What an operator, a retry or a log level makes of it.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }
        }
    };
}

outcomes! {
    /// What was asked for does not exist.
    NotFound = "not_found", Rejected;
    /// Several match where one was meant.
    Ambiguous = "ambiguous", Rejected;
    /// The system refuses a value; the public text may say which.
    Invalid = "invalid", Rejected;
    /// The system, or a rule of this project, forbids it.
    Denied = "denied", Rejected;
    /// The thing is in a state that does not allow it.
    Conflict = "conflict", Rejected;
    /// Too many calls; to be tried later.
    RateLimited = "rate_limited", Transient;
    /// The system is down, unreachable or broken.
    Unavailable = "unavailable", Transient;
    /// No answer within the time of the turn.
    Timeout = "timeout", Exhausted;
    /// A write was begun and is not known to have ended; it goes on.
    Pending = "pending", Exhausted;
    /// A write could not be made now; it is kept, and made later.
    Queued = "queued", Exhausted;
    /// A write may have been done or not, and nobody can find out which.
    Unclear = "unclear", Exhausted;
    /// Credentials, address or file are wrong on our side.
    Misconfigured = "misconfigured", Misconfigured;
    /// An answer that does not fit the model, or a template that failed on it: wrong data is worse than none.
    Unexpected = "unexpected", Bug;
}

impl Outcome {
    /// Whether it says that the call did not work; a write that is under way, is made later or may have been done is none of
    /// that. A rule of a connector can say these only: the rest is said by legwork itself.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Pending | Self::Queued | Self::Unclear)
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of trouble it is; retries, log levels and metrics match on this and on nothing finer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The same call may work later.
    Transient,
    /// The same call will be refused again; nobody needs to be woken.
    Rejected,
    /// An operator must change something.
    Misconfigured,
    /// Time ran out.
    Exhausted,
    /// A file of the project, or legwork itself, is wrong.
    Bug,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{outcome}: {operator}")]
pub struct Fault {
    /// How the call ended.
    pub outcome: Outcome,
    /// For the operator's log: a lower-case fragment without values of the user.
    pub operator: String,
    /// For the user, where the system said something worth passing on.
    pub public: Option<String>,
    /// How long the system asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The writes of the operation that were done before it ended like this, by the names of their steps: what failed is the
    /// rest. Empty when nothing was changed, or when whether anything was is not known.
    pub done: Vec<String>,
    /// Whether something may have been done that is not in `done`: a write was sent, and no answer says what became of it.
    pub unsettled: bool,
    /// What the user can quote, of a write that is not settled.
    pub reference: Option<Box<str>>,
    /// Whether it is this sender alone who has asked too often.
    pub too_often: bool,
}

impl Fault {
    /// A fault that tells the user no more than its outcome's message does.
    #[must_use]
    pub fn new(outcome: Outcome, operator: impl Into<String>) -> Self {
        Self {
            outcome,
            operator: operator.into(),
            public: None,
            retry_after: None,
            done: Vec::new(),
            unsettled: false,
            reference: None,
            too_often: false,
        }
    }

    /// The same fault with a text that the user may read.
    #[must_use]
    pub fn saying(mut self, public: impl Into<String>) -> Self {
        self.public = Some(public.into());
        self
    }

    /// The same fault of an operation of which a part was done: by the names of its steps, in order.
    #[must_use]
    pub fn after(mut self, done: Vec<String>) -> Self {
        self.done = done;
        self
    }

    /// The class of the outcome.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.outcome.class()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.name()), Some(*outcome));
        }
    }
}
