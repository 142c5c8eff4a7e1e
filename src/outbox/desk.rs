//! What all writes of a process share: its systems, its store, its name in leases, and what it works on.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::Rules;
use super::books::{Ended, millis};
use super::held::{Alive, Held};
use super::verdict::Patience;
use crate::connector::Connections;
use crate::fault::Fault;
use crate::name::{ConnectionName, OperationName};
use crate::store::{End, Lease, Reach, State, Store, StoreError};
use crate::telemetry::{StoreWatch, WriteSettled};
use crate::time::{Clock, Deadline};

/// How long a process that is not heard of counts as alive.
pub(super) const LEASE: Duration = Duration::from_secs(10);
/// How long a turn counts as worked on that is not heard of. Its second call waits for no longer than a few seconds.
const TURN_LEASE: Duration = Duration::from_secs(4);
/// How often somebody who waits for another process's write or turn looks again.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// How long is tried to note how a write ended, while the store fails.
const SETTLING: Duration = Duration::from_secs(120);

/// What all writes share. Of the project are the systems and the rules; the rest is of the process, and the same for all that
/// the project has been while it is served.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) store: Arc<Store>,
    pub(super) connections: Arc<Connections>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: Rules,
    /// The operations that it knows, as a list in JSON.
    pub(super) knows: String,
    /// The name of this process in leases.
    pub(super) owner: String,
    /// Whether the store is there, as the worker finds it.
    pub(super) watch: Arc<StoreWatch>,
    /// The writes and turns that this process works on.
    pub(super) writes: Held<i64>,
    pub(super) turns: Held<String>,
    pub(super) under_way: TaskTracker,
}

impl Desk {
    /// The time, in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// A lease of this process.
    pub(super) fn lease(&self) -> Lease<'_> {
        let now = self.now();
        Lease { owner: &self.owner, now, until: now + millis(LEASE) }
    }

    /// The writes that this process takes: of the operations that it knows; of others once they should have been given up.
    pub(super) fn reach(&self) -> Reach<'_> {
        Reach { knows: &self.knows, anybodys: self.now() - millis(self.rules.patience.give_up_after) }
    }

    /// A lease of this process on turns.
    pub(super) fn turn_lease(&self) -> Lease<'_> {
        Lease { until: self.now() + millis(TURN_LEASE), ..self.lease() }
    }

    /// Keeps the lease on a write as long as this is held.
    pub(super) fn works_on(&self, id: i64) -> Alive {
        let alive = Alive::default();
        self.writes.hold(id, &alive);
        alive
    }

    /// Keeps the leases on what is worked on.
    pub(super) async fn renew(&self) -> Result<(), StoreError> {
        let writes = self.store.renew(&self.writes.all(), &self.lease()).await;
        writes.and(self.store.turns_run(&self.turns.all(), &self.turn_lease()).await)
    }

    /// Waits until a write that somebody works on has ended, or the deadline.
    pub(super) async fn on_its_way(&self, id: i64, until: Deadline) -> Result<(), StoreError> {
        while !until.left().is_zero() {
            sleep(LOOK.min(until.left())).await;
            match self.store.write(id).await? {
                Some(write)
                    if write.state == State::Sending && (write.lease_until > self.now() || self.writes.holds(&id)) => {}
                _ => break,
            }
        }
        Ok(())
    }

    pub(super) const fn patience(&self) -> Patience {
        self.rules.patience
    }

    pub(super) fn due_first(&self) -> i64 {
        self.now() + millis(self.patience().wait(1, 0.5))
    }

    /// Writes down how a write ended; false when another process has taken it over. While the store fails, it is tried again
    /// when nobody waits for it any more.
    pub(super) async fn settle(
        self: &Arc<Self>,
        id: i64,
        key: &str,
        state: State,
        ended: &Result<Value, Fault>,
        due_at: Option<i64>,
        unsettled: bool,
    ) -> Result<bool, StoreError> {
        let result = Ended::of(ended).bytes();
        // What did nothing stands in nobody's way.
        let current = state != State::Failed || unsettled;
        let (now, tell) = (self.now(), self.rules.tells && state != State::Queued);
        let due_at = due_at.unwrap_or(now);
        let end = End { state, result: Some(&result), now, due_at, unsettled, current, tell };
        let settled = self.store.settle(id, key, &self.owner, &end).await;
        if let Err(StoreError::Unavailable(_)) = &settled {
            let (desk, key, result) = (Arc::clone(self), key.to_owned(), result.clone());
            let (alive, until) = (self.works_on(id), Deadline::after(SETTLING));
            self.under_way.spawn(async move {
                let end = End { state, result: Some(&result), now, due_at, unsettled, current, tell };
                let mut wait = LOOK;
                while !until.left().is_zero() {
                    sleep(wait.min(until.left())).await;
                    wait = (wait * 2).min(LEASE / 4);
                    match desk.store.settle(id, &key, &desk.owner, &end).await {
                        Err(StoreError::Unavailable(_)) => {}
                        Err(error) => return tracing::error!(%error, "how a write ended cannot be kept"),
                        Ok(kept) => {
                            return tracing::info!(
                                kept,
                                state = state.name(),
                                "the store is back, and knows how a write ended"
                            );
                        }
                    }
                }
                drop(alive);
            });
        }
        settled
    }

    pub(super) fn settled(&self, connection: &ConnectionName, operation: &OperationName, state: State) {
        WriteSettled { connection, operation, state: state.name() }.emit();
    }
}
