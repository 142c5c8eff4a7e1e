//! What a process that serves hears by way of the store: who is to be forgotten, since it keeps more of them than the store
//! does, and that a version of the project is to be left.
//!
//! A notice lasts a while, then the store forgets it too. A process that has not looked for nearly that long may have missed
//! one, and is told to forget everybody; so is one that cannot open a notice.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::Interval;

use super::books::since;
use super::deliver::every;
use super::desk::Desk;
use super::{Subject, Writes};
use crate::store::{Store, StoreError};

/// How long a notice lasts.
pub(super) const KEEP: Duration = Duration::from_secs(3600);
/// How often notices are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Whom to forget.
#[derive(Clone, PartialEq, Eq)]
pub enum Whom {
    /// This customer, or this conversation.
    One(Subject),
    /// Everybody, since nobody knows whom.
    Everybody,
}

impl Whom {
    /// Whether a conversation is theirs.
    #[must_use]
    pub fn is_sender(&self, sender: &str) -> bool {
        match self {
            Self::One(subject) => subject.is_sender(sender),
            Self::Everybody => true,
        }
    }

    /// Whether a value has something of theirs in it.
    #[must_use]
    pub fn mentioned(&self, value: &serde_json::Value) -> bool {
        match self {
            Self::One(subject) => subject.mentioned(value),
            Self::Everybody => true,
        }
    }
}

/// What a process hears.
#[derive(Clone, PartialEq, Eq)]
pub enum Notice {
    /// Forget somebody.
    Forget(Whom),
    /// Go back to the version of the project before this one, where this is what is served.
    GoBack {
        /// The version.
        from: String,
    },
}

/// That a version is to be left, as one process tells another.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Left {
    leave: String,
}

/// Tells every process that serves this version of the project to go back to the one before.
///
/// # Errors
/// When the store cannot keep it.
pub async fn tell_go_back(store: &Store, from: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let text = serde_json::to_vec(&Left { leave: from.to_owned() }).unwrap_or_default();
    store.tell(&text, now.timestamp_millis()).await
}

/// The notices for this process, one after the other.
pub struct Notices {
    ticks: Interval,
    /// The last that was heard.
    heard: i64,
    /// When notices were looked for last.
    looked: i64,
    failing: bool,
    waiting: std::vec::IntoIter<Notice>,
}

impl Notices {
    /// Those from the oldest that there is.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        let (ticks, looked) = (every(LOOK), now.timestamp_millis());
        Self { ticks, heard: 0, looked, failing: false, waiting: Vec::new().into_iter() }
    }

    /// Waits for the next in the store of these writes, which are those of the time at which it is looked for. Phone numbers
    /// without a prefix are those of the region.
    pub async fn next(&mut self, writes: impl Fn() -> (Writes, String)) -> Notice {
        loop {
            if let Some(notice) = self.waiting.next() {
                return notice;
            }
            self.ticks.tick().await;
            let (writes, region) = writes();
            self.waiting = self.look(&writes.0, &region).await.into_iter();
        }
    }

    async fn look(&mut self, desk: &Desk, region: &str) -> Vec<Notice> {
        let notices = match desk.store.notices_after(self.heard).await {
            Ok(notices) => notices,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%error, "what processes are told cannot be read from the store");
                }
                return Vec::new();
            }
        };
        let now = desk.now();
        let missed = since(now, std::mem::replace(&mut self.looked, now)) > KEEP / 2;
        self.failing = false;
        self.heard = notices.last().map_or(self.heard, |last| last.id);
        let mut all: Vec<_> = notices.into_iter().map(|notice| heard(notice.text.ok(), region)).collect();
        let everybody = Notice::Forget(Whom::Everybody);
        if missed || all.contains(&everybody) {
            all.retain(|notice| matches!(notice, Notice::GoBack { .. }));
            all.insert(0, everybody);
        }
        all
    }
}

/// What a notice says; none where it does not open.
fn heard(text: Option<Vec<u8>>, region: &str) -> Notice {
    let text = text.unwrap_or_default();
    match serde_json::from_slice(&text) {
        Ok(Left { leave }) => Notice::GoBack { from: leave },
        Err(_) => Notice::Forget(Subject::heard(&text, region).map_or(Whom::Everybody, Whom::One)),
    }
}
