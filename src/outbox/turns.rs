//! The answers of turns, so that one that comes again is told the same, by this process or another.
//!
//! A turn is remembered where it wrote something, and where it is slow and others answer the same assistant. No user waits long
//! for the store on this account.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::books::millis;
use super::desk::LOOK;
use super::held::Alive;
use super::wanted::Entry;
use super::{TurnKey, Writes};
use crate::store::{KeptTurn, StoreError};
use crate::telemetry::StoreState;
use crate::time::Deadline;

/// How long a call waits to know whether its turn was answered before, and to let other processes know that it is slow.
const ASIDE: Duration = Duration::from_millis(500);

impl Writes {
    /// What is known of a turn; none where that cannot be found out, soon.
    pub async fn turn(&self, turn: &TurnKey) -> Option<KeptTurn> {
        let key = turn.digest().hex();
        let found = timeout(ASIDE, self.0.store.turn(&key, self.0.now())).await.unwrap_or_else(|_| Err(slow_store()));
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether a turn was answered before cannot be found out");
            None
        })
    }

    /// Keeps the answer of a turn; or gives back the one that was kept before, where another process has run the same turn, and
    /// was first. When it has come to its end with all of its writes, `whole` has their entries, and they are let go.
    pub async fn turn_ended(
        &self,
        turn: &TurnKey,
        stamp: i64,
        reply: &[u8],
        keep: Duration,
        whole: Option<&[Entry]>,
    ) -> Option<Vec<u8>> {
        let (desk, digest, now) = (&self.0, turn.digest().hex(), self.0.now());
        let kept = desk.store.turn_ended(&digest, stamp, reply, now, now + millis(keep)).await;
        let released = match whole {
            Some(entries) => {
                let joined: Vec<_> = entries.iter().filter(|entry| entry.joined).map(|entry| entry.id).collect();
                desk.store.release(&digest, &joined).await
            }
            None => Ok(()),
        };
        if let Err(error) = released.and(kept.as_ref().map(|_| ()).map_err(Clone::clone)) {
            // Its writes are known by themselves; only its words may differ should it come again.
            tracing::warn!(%error, "the answer of a turn could not be kept");
        }
        kept.ok().flatten()
    }

    /// How long what was written is known.
    #[must_use]
    pub fn keeps(&self) -> Duration {
        self.0.rules.keep_ledger
    }

    /// Whether the store is there, as the worker finds it.
    #[must_use]
    pub fn store(&self) -> StoreState {
        self.0.watch.state()
    }

    /// Whether other processes answer the same assistants.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.store.is_shared()
    }

    /// Lets other processes know that this one works on a turn that is slow, as long as that is alive.
    pub async fn turn_runs(&self, turn: &TurnKey, stamp: i64, alive: &Alive) {
        let (desk, key) = (Arc::clone(&self.0), turn.digest().hex());
        desk.turns.hold(key.clone(), alive);
        // The user waits for no store.
        let told = self.0.under_way.spawn(async move { desk.store.turn_runs(&key, stamp, &desk.turn_lease()).await });
        let told = timeout(ASIDE, told).await.map_or_else(|_| Err(slow_store()), |told| told.unwrap_or(Ok(())));
        if let Err(error) = told {
            tracing::warn!(%error, "other replicas cannot be told of a slow turn");
        }
    }

    /// Waits for the answer of a turn that another process works on; none when it works on it no longer, or at the deadline.
    pub async fn turn_elsewhere(&self, turn: &TurnKey, until: Deadline) -> Option<Vec<u8>> {
        let key = turn.digest().hex();
        loop {
            match self.0.store.turn(&key, self.0.now()).await {
                Ok(Some(KeptTurn::Ended { reply, .. })) => return Some(reply),
                Ok(Some(KeptTurn::Running { .. })) if !until.left().is_zero() => sleep(LOOK.min(until.left())).await,
                _ => return None,
            }
        }
    }
}

fn slow_store() -> StoreError {
    StoreError::Unavailable("the store takes too long".to_owned())
}
