//! What legwork says of its own accord: the names of those messages, who worded them, and what helps with each outcome.
//!
//! The texts themselves are in messages.yml and in the project's files; nothing here renders or decides when one is said.

use std::collections::BTreeMap;

use super::messages::Say;
use crate::diag::Span;
use crate::fault::Outcome;

/// The name of a message, as `messages:` writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A call ended like that, and nothing else handles it.
    Outcome(Outcome),
    /// It takes longer; the answer is on its way.
    Slow,
    /// The data is old; `as_of` is from when.
    Stale,
    /// What was done and what was not, of several changes: goes with the message of the outcome that the action ended with.
    Partly,
    /// What was to be done later is done.
    Delivered,
    /// What was to be done later could not be.
    Undelivered,
    /// The title of the button that repeats the turn.
    TryAgain,
    /// The title of the button to a person.
    TalkToAPerson,
    /// The title of the button that takes a message, which becomes a ticket.
    LeaveAMessage,
}

/// Those that are no outcome, with their names.
const OTHERS: [(&str, Topic); 8] = [
    ("slow", Topic::Slow),
    ("stale", Topic::Stale),
    ("partly", Topic::Partly),
    ("delivered", Topic::Delivered),
    ("undelivered", Topic::Undelivered),
    ("try_again", Topic::TryAgain),
    ("talk_to_a_person", Topic::TalkToAPerson),
    ("leave_a_message", Topic::LeaveAMessage),
];

impl Topic {
    /// Every message, outcomes first.
    pub fn all() -> impl Iterator<Item = Self> {
        let outcomes = Outcome::ALL.iter().copied().map(Self::Outcome);
        outcomes.chain(OTHERS.iter().map(|(_, topic)| *topic))
    }

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.name(),
            other => OTHERS.iter().find(|(_, topic)| *topic == other).map_or("", |(name, _)| name),
        }
    }

    /// The message of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|topic| topic.name() == name)
    }

    /// What its words can ask for beside the conversation.
    #[must_use]
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Self::Outcome(Outcome::Pending | Outcome::Queued | Outcome::Unclear) => &["fault", "partly", "reference"],
            Self::Outcome(_) => &["fault", "partly"],
            Self::Stale => &["fault"],
            Self::Partly => &["done", "later", "in_part", "undone", "undo_later", "unclear", "not_done", "untitled"],
            Self::Delivered => &["reference"],
            Self::Undelivered => &["fault", "reference"],
            Self::Slow | Self::TryAgain | Self::TalkToAPerson | Self::LeaveAMessage => &[],
        }
    }
}

/// What the file of legwork's own words is called.
pub const BUILT_IN: &str = "built-in";

/// A message and where it was worded.
#[derive(Debug)]
pub struct Worded {
    /// Where it stands.
    pub place: Span,
    /// What is said.
    pub say: Say,
}

impl Worded {
    /// Where a file of the project words it, as `path:line`; none when the words are legwork's own.
    #[must_use]
    pub fn written_at(&self) -> Option<String> {
        (self.place.file.path != BUILT_IN).then(|| self.place.place())
    }
}

/// Messages by locale, as one file words them.
#[derive(Debug, Default)]
pub struct Wording(pub BTreeMap<String, BTreeMap<Topic, Worded>>);

impl Wording {
    /// The words for a message in exactly this locale.
    #[must_use]
    pub fn get(&self, locale: &str, topic: Topic) -> Option<&Worded> {
        self.0.get(locale)?.get(&topic)
    }
}

/// What is offered with the message of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// The button that repeats the turn: the same call may work the next time.
    pub try_again: bool,
    /// The button to a person.
    pub person: bool,
    /// The button that takes a message: nothing will be known for a while.
    pub message: bool,
    /// The sentence of `contact:`.
    pub contact: bool,
}

impl Offers {
    /// What helps with an outcome.
    #[must_use]
    pub const fn with(outcome: Outcome) -> Self {
        const fn offers([try_again, person, message, contact]: [bool; 4]) -> Offers {
            Offers { try_again, person, message, contact }
        }
        match outcome {
            Outcome::Unavailable | Outcome::Timeout => offers([true, true, true, true]),
            // A minute later it works again.
            Outcome::RateLimited => offers([true, true, false, false]),
            // The next time is no better: somebody of the project has to mend it.
            Outcome::Misconfigured | Outcome::Unexpected => offers([false, true, true, true]),
            // A person may do what the assistant may not, or knows what became of it.
            Outcome::Denied | Outcome::Conflict | Outcome::Pending | Outcome::Unclear => offers([false, true, false, true]),
            // It will be done; there is nothing to help with.
            Outcome::Queued => offers([false, false, false, false]),
            // What was given has to be another.
            Outcome::NotFound | Outcome::Ambiguous | Outcome::Invalid => offers([false, true, false, false]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for topic in Topic::all() {
            assert_eq!(Topic::parse(topic.name()), Some(topic));
        }
        assert_eq!(Topic::parse("down"), None);
    }
}
