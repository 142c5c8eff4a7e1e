//! The worker: makes the writes that were to be made later, and keeps the leases of this process.
//!
//! Writes of one lane are made one after the other, as they were begun; others at the same time, a few of them. A write is made
//! with the credentials and the address of the time at which it is made. When the process ends in the middle of one, its lease
//! runs out and the next worker goes on with it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::books::{Begun, millis, since};
use super::desk::{Desk, LEASE};
use super::places::keeps_at;
use super::tell::tells;
use super::verdict::{Tried, can_be_made_again};
use super::{Worker, Writes, notices};
use crate::connector::{Again, How, WriteKey};
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::store::{State, StoreError, Written};
use crate::telemetry::{OutboxSize, WriteDelivered};
use crate::time::Deadline;

/// How many writes are made at the same time.
const AT_ONCE: usize = 16;
/// How long one of them may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often leases are kept.
const BEAT: Duration = Duration::from_secs(1);
/// How often what is outdated is forgotten.
const FORGET: Duration = Duration::from_secs(60);

impl Writes {
    /// Forgets what was kept long enough.
    pub async fn tidy(&self) {
        self.0.tidy().await;
    }

    /// Makes what is due now; whether there was anything.
    pub async fn deliver_due(&self) -> bool {
        let desk = &self.0;
        let due = desk.due(AT_ONCE).await;
        let any = !due.is_empty();
        stream::iter(due).for_each_concurrent(AT_ONCE, |written| desk.deliver(written)).await;
        any
    }
}

/// Works until it is dropped: keeps leases, makes what is due, tells of it, and forgets what was kept long enough. Every
/// process that serves runs one; they share the work.
pub async fn work(worker: &dyn Worker) {
    tokio::join!(keeps_leases(worker), delivers(worker), tells(worker), forgets(worker));
}

async fn delivers(worker: &dyn Worker) {
    let take = async |free| {
        let desk = worker.writes().0;
        let due = desk.due(free).await.into_iter();
        due.map(|written| (Arc::clone(&desk), written)).collect()
    };
    keeps_at(AT_ONCE, take, async |(desk, written): (Arc<Desk>, _)| desk.deliver(written).await).await;
}

async fn keeps_leases(worker: &dyn Worker) {
    let mut ticks = every(BEAT);
    loop {
        ticks.tick().await;
        let desk = worker.writes().0;
        if let Err(error) = desk.renew().await {
            desk.store_fails(&error, "leases cannot be kept: another process may take over what this one works on");
        }
    }
}

async fn forgets(worker: &dyn Worker) {
    let mut ticks = every(FORGET);
    loop {
        ticks.tick().await;
        let desk = worker.writes().0;
        desk.tidy().await;
        desk.count().await;
    }
}

/// Ticks that do not pile up.
pub(super) fn every(span: Duration) -> tokio::time::Interval {
    let mut ticks = interval(span);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Desk {
    /// The store failed the worker: said once, until it is back.
    pub(super) fn store_fails(&self, error: &StoreError, what: &'static str) {
        tracing::debug!(%error, "{what}");
        self.watch.failed(&error.to_string());
        self.watch.is_down();
    }

    async fn tidy(&self) {
        let now = self.now();
        let (settled, dead) = (now - millis(self.rules.keep_ledger), now - millis(self.rules.keep_dead));
        let forgotten = self.store.forget_writes(settled, dead).await;
        let turns = self.store.forget_turns(now).await;
        let proofs = self.store.forget_proofs(self.clock.now()).await;
        let notices = self.store.forget_notices(now - millis(notices::KEEP)).await;
        if let Err(error) = forgotten.and(turns).and(proofs).and(notices) {
            self.store_fails(&error, "what was kept long enough cannot be removed from the store");
        }
    }

    async fn count(&self) {
        let now = self.now();
        match self.store.tally().await {
            Ok(tally) => tally.iter().for_each(|it| {
                let size = OutboxSize { state: it.state.name(), count: it.count, oldest: since(now, it.oldest) };
                size.emit();
            }),
            Err(error) => self.store_fails(&error, "the outbox cannot be counted"),
        }
    }

    /// Takes what is due, so many at most.
    async fn due(&self, most: usize) -> Vec<Written> {
        match self.store.take_due(&self.lease(), &self.reach(), i64::try_from(most).unwrap_or(1)).await {
            Ok(due) => {
                self.watch.is_up();
                due
            }
            Err(error) => {
                self.store_fails(&error, "the outbox cannot be read");
                Vec::new()
            }
        }
    }

    async fn deliver(self: &Arc<Self>, written: Written) {
        if self.writes.holds(&written.id) {
            // It is at that already, and had lost its lease to nobody while the store was away.
            return;
        }
        let _alive = self.works_on(written.id);
        let names = ConnectionName::parse(&written.connection).zip(OperationName::parse(&written.operation));
        let reference = written.reference.clone();
        let kept = match names {
            Some((connection, operation)) => self.delivered(written, &connection, &operation).await,
            None => Err(StoreError::Misconfigured("it names no operation".to_owned())),
        };
        if let Err(error) = kept {
            tracing::error!(%reference, %error, "how a queued write ended could not be kept");
        }
    }

    async fn delivered(
        self: &Arc<Self>,
        written: Written,
        connection: &ConnectionName,
        operation: &OperationName,
    ) -> Result<(), StoreError> {
        let writing = self.connections.writing(connection, operation);
        let again = writing.map_or(Again::Never, |writing| writing.again);
        let age = since(self.now(), written.begun_at);
        let open = written.unsettled || written.state == State::Sending;
        let ended = if writing.is_none() {
            Err(Fault::new(
                Outcome::Misconfigured,
                format!("there is no operation {connection}.{operation} here; another process, or an operator, may know it"),
            ))
        } else if open && !can_be_made_again(again, age) {
            let fault =
                Fault::new(Outcome::Unclear, "it may have been done, and cannot be made again without doing it twice");
            Err(Fault { unsettled: true, ..fault })
        } else {
            self.called(&written, connection, operation, open).await?
        };
        let attempts = u32::try_from(written.attempts).unwrap_or(u32::MAX).saturating_add(1);
        let tried = Tried { attempts, since: age };
        let (state, wait) = match &ended {
            Ok(_) => (State::Done, Duration::ZERO),
            Err(fault) => self.patience().of_later(fault, again, tried, spread(&written)),
        };
        let unsettled =
            ended.as_ref().is_err_and(|fault| fault.unsettled || !fault.done.is_empty()) || (open && ended.is_err());
        let due = self.now() + millis(wait);
        let kept = self.settle(written.id, &written.key, state, &ended, Some(due), unsettled).await?;
        if kept {
            self.settled(connection, operation, state);
            let (outcome, detail) = match &ended {
                Ok(_) => ("ok", None),
                Err(fault) => (fault.outcome.name(), Some(fault.operator.as_str())),
            };
            let reference = &written.reference;
            WriteDelivered { connection, operation, reference, state: state.name(), outcome, attempts, detail }.emit();
        }
        Ok(())
    }

    async fn called(
        &self,
        written: &Written,
        connection: &ConnectionName,
        operation: &OperationName,
        open: bool,
    ) -> Result<Result<serde_json::Value, Fault>, StoreError> {
        let begun = Begun::of(written)?;
        let key = WriteKey::parse(&written.key);
        let key = if open { key.map(WriteKey::again) } else { key };
        let deadline = Deadline::after(PATIENCE);
        // The sender's own limit was for the turn; by now it is legwork that asks.
        let how = How { key, at: begun.at(), ..How::by(deadline) };
        let call = self.connections.call(connection, operation, begun.inputs, how);
        let late = || Fault { unsettled: true, ..Fault::new(Outcome::Timeout, "it has not ended in time") };
        let ended = timeout(PATIENCE + LEASE / 2, call).await.unwrap_or_else(|_| Err(late()));
        Ok(ended.map(|answered| answered.value))
    }
}

/// A number between 0 and 1 that differs between writes, so that those that failed together do not come again together.
fn spread(written: &Written) -> f64 {
    let byte = written.key.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    f64::from(byte.unwrap_or(128)) / 255.0
}
