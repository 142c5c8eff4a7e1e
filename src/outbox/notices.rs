//! What a process that serves hears of those who are to be forgotten: it keeps more of them than the store does.
//!
//! A notice lasts a while, then the store forgets it too. A process that has not looked for nearly that long may have missed
//! one, and is told to forget everybody; so is one that cannot open a notice.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Interval;

use super::books::since;
use super::deliver::every;
use super::desk::Desk;
use super::{Subject, Writes};

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

/// The notices for this process, one after the other.
pub struct Notices {
    desk: Arc<Desk>,
    region: String,
    ticks: Interval,
    /// The last that was heard.
    heard: i64,
    /// When notices were looked for last.
    looked: i64,
    failing: bool,
    waiting: std::vec::IntoIter<Whom>,
}

impl Writes {
    /// The notices of the store, from the oldest that there is. Phone numbers without a prefix are those of `region`.
    #[must_use]
    pub fn notices(&self, region: &str) -> Notices {
        let desk = Arc::clone(&self.0);
        let (region, ticks, looked) = (region.to_owned(), every(LOOK), desk.now());
        Notices { desk, region, ticks, heard: 0, looked, failing: false, waiting: Vec::new().into_iter() }
    }
}

impl Notices {
    /// Waits for the next.
    pub async fn next(&mut self) -> Whom {
        loop {
            if let Some(whom) = self.waiting.next() {
                return whom;
            }
            self.ticks.tick().await;
            self.waiting = self.look().await.into_iter();
        }
    }

    async fn look(&mut self) -> Vec<Whom> {
        let notices = match self.desk.store.notices_after(self.heard).await {
            Ok(notices) => notices,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%error, "whom to forget cannot be read from the store");
                }
                return Vec::new();
            }
        };
        let now = self.desk.now();
        let missed = since(now, std::mem::replace(&mut self.looked, now)) > KEEP / 2;
        self.failing = false;
        self.heard = notices.last().map_or(self.heard, |last| last.id);
        let whom = |text: Vec<u8>| Subject::heard(&text, &self.region).map(Whom::One);
        let mut all: Vec<_> =
            notices.into_iter().map(|notice| notice.text.ok().and_then(whom).unwrap_or(Whom::Everybody)).collect();
        if missed || all.contains(&Whom::Everybody) {
            all = vec![Whom::Everybody];
        }
        all
    }
}
