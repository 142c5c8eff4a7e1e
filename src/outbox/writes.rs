//! Makes a turn's writes, each once however often its turn comes, and those that cannot be made now later.
//!
//! A write is in the store before it is sent and settled there before anybody hears of it. Whoever comes while it is on its way
//! waits for it; whoever comes after it is told how it ended. A write that was begun ends, whoever waits for it: it is a task
//! of its own. Nothing is sent that could not be written down.
//!
//! What a write's own system knows of it cannot be asked in one step with the store, so a process that ends between the two
//! leaves it open. It is made again then where that cannot do it twice, and is `unclear` where it can.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::Rules;
use super::books::{Begun, Ended, millis, since};
use super::desk::{Desk, LOOK};
use super::faults::{queued, told, unclear, unkept};
use super::held::Held;
use super::verdict::{Tried, can_be_made_again, of_turn, touched};
use super::wanted::{Entry, Later, Made, Order, Wanted};
use crate::connector::{Answered, Connections, How, WriteKey, Writing};
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::store::{self, NewWrite, State, Store, Written};
use crate::telemetry::StoreWatch;
use crate::time::{Clock, Deadline};

/// How often it is looked at once more at the deadline, where it changes hands just then.
const LOOKS: u32 = 5;
/// How long a database may take to take back what ran out of time.
const ROLLBACK: Duration = Duration::from_millis(500);

/// Makes writes. Cheap to clone.
#[derive(Clone)]
pub struct Writes(pub(super) Arc<Desk>);

/// A write that this process is to send.
struct Outgoing {
    id: i64,
    key: WriteKey,
    begun: Begun,
    writing: Writing,
    later: Later,
}

impl Writes {
    /// Makes writes on these connections, and keeps them in this store.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        connections: Arc<Connections>,
        clock: Arc<dyn Clock>,
        rules: Rules,
        rng: &mut fastrand::Rng,
    ) -> Self {
        let (owner, under_way) = (format!("{:032x}", rng.u128(..)), TaskTracker::new());
        let watch = Arc::new(StoreWatch::new("main", store.kind(), Arc::clone(&clock)));
        let (writes, turns) = (Held::default(), Held::default());
        let knows = known(&connections);
        Self(Arc::new(Desk { store, connections, clock, rules, knows, owner, watch, writes, turns, under_way }))
    }

    /// The same of a project that has changed: what is under way goes on as it was begun, and what is made from here on is made
    /// on these connections.
    #[must_use]
    pub fn changed(&self, connections: Arc<Connections>, rules: Rules) -> Self {
        let knows = known(&connections);
        Self(Arc::new(Desk { connections, rules, knows, ..Desk::clone(&self.0) }))
    }

    /// Makes a write, unless it was made before. When it does not end well, it is `queued` when it is made later, `pending` when
    /// it is on its way at the deadline, `unclear` when nobody can find out whether it was done; `unavailable` when the store
    /// fails, and then it was not begun.
    pub async fn make(&self, order: Order<'_>) -> Made {
        let broken = |what: String| Made { ended: Err(Fault::new(Outcome::Unexpected, what)), entry: None };
        let Some(writing) = self.0.connections.writing(order.connection, order.operation) else {
            return broken(format!("there is no operation {}.{}", order.connection, order.operation));
        };
        let (at, what) = (order.connection.clone(), order.operation.clone());
        let (this, wanted) = (self.clone(), Wanted::of(order, writing, self.0.now()));
        let making = async move {
            let mut entry = None;
            let ended = this.made(wanted, &mut entry).await;
            Made { ended, entry }
        };
        let (tell, told) = oneshot::channel();
        // A task of its own: what is in the store as begun must not be left by who wanted it and went.
        let making = async move {
            if let Err(Made { ended, .. }) = tell.send(making.await) {
                ended_alone(&at, &what, &ended);
            }
        };
        self.0.under_way.spawn(making.in_current_span());
        told.await.unwrap_or_else(|_| broken("a write broke off".to_owned()))
    }

    async fn made(&self, wanted: Wanted, entry: &mut Option<Entry>) -> Result<Answered, Fault> {
        let desk = &self.0;
        let Wanted { key, purpose, turn, lane, caller, sender, action, connection, operation, writing, later, .. } = &wanted;
        let (hex, reference) = (key.hex(), key.reference());
        let payload = serde_json::to_vec(&wanted.begun).unwrap_or_default();
        let new = NewWrite {
            key: &hex,
            purpose,
            turn,
            lane,
            reference: &reference,
            caller,
            sender,
            action,
            connection: connection.as_str(),
            operation: operation.as_str(),
            payload: &payload,
            behind: *later == Later::Yes && writing.later,
            joins_since: desk.now() - millis(desk.rules.repeat_within),
        };
        let (writing, later) = (*writing, *later);
        let mut looks = 0;
        while looks < LOOKS {
            let met = match desk.store.begin(&new, &desk.lease()).await.map_err(|error| unkept(&error))? {
                store::Begun::New(id) => {
                    *entry = Some(Entry { id, joined: false });
                    let outgoing = Outgoing { id, key: *key, begun: wanted.begun.clone(), writing, later };
                    return self.send(outgoing, connection, operation, wanted.how()).await;
                }
                store::Begun::Behind(id) => {
                    *entry = Some(Entry { id, joined: false });
                    // Nobody has heard of it yet, so nothing is lost when this fails.
                    desk.store.promise(id).await.map_err(|error| unkept(&error))?;
                    desk.settled(connection, operation, State::Queued);
                    return Err(told(Outcome::Queued, &reference, "others of its conversation wait before it"));
                }
                store::Begun::Known(met) => *met,
            };
            *entry = Some(Entry { id: met.id, joined: true });
            if let Some(ended) = self.known(met, writing, later, connection, operation, wanted.how()).await? {
                return ended;
            }
            // It has changed hands, or is about to.
            if wanted.deadline.left().is_zero() {
                looks += 1;
                sleep(LOOK / 10).await;
            }
        }
        let why = format!("{operation} is begun and dropped again and again");
        Err(told(Outcome::Pending, &reference, &why))
    }

    /// Makes a write of which nothing is kept, such as a code that is of no use later.
    ///
    /// # Errors
    /// How it ended, when it did not end well.
    pub async fn once(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: Map<String, Value>,
        how: How<'_>,
    ) -> Result<Answered, Fault> {
        let undone = self.0.connections.writing(connection, operation).is_some_and(|writing| writing.undone);
        let called = self.called(connection, operation, inputs, how);
        match self.ends(called, how.deadline, undone, connection, operation).await {
            Some(ended) => ended,
            None => Err(Fault::new(Outcome::Pending, format!("{operation} has not ended within the turn"))),
        }
    }

    /// Waits until no write is under way.
    pub async fn settled(&self) {
        self.0.under_way.close();
        self.0.under_way.wait().await;
        self.0.under_way.reopen();
    }

    /// What a call of a write that was begun before comes to; none while somebody else works on it.
    async fn known(
        &self,
        met: Written,
        writing: Writing,
        later: Later,
        connection: &ConnectionName,
        operation: &OperationName,
        how: How<'_>,
    ) -> Result<Option<Result<Answered, Fault>>, Fault> {
        let desk = &self.0;
        let now = desk.now();
        match met.state {
            State::Done => {
                let ended = Ended::read(&met).map_err(|error| unkept(&error))?;
                let ended = ended.unwrap_or(Ended::Answer(Value::Null)).into_result();
                return Ok(Some(ended.map(|value| Answered { value, age: None })));
            }
            State::Queued => return Ok(Some(Err(told(Outcome::Queued, &met.reference, "it is queued")))),
            State::Unclear => {
                return Ok(Some(Err(told(Outcome::Unclear, &met.reference, "whether it was done is not known"))));
            }
            // Only the same turn finds it: another message makes it anew.
            State::Undone => {
                return Ok(Some(Err(Fault::new(Outcome::Unavailable, "the same turn has made it, and taken it back"))));
            }
            // What this process is at itself is on its way, however long the store was away.
            State::Sending if met.lease_until > now || desk.writes.holds(&met.id) => {
                if !how.deadline.left().is_zero() {
                    desk.on_its_way(met.id, how.deadline).await.map_err(|error| unkept(&error))?;
                    return Ok(None);
                }
                // Unless it has ended just now.
                let promised = desk.store.promise(met.id).await.map_err(|error| unkept(&error))?;
                let pending = told(Outcome::Pending, &met.reference, "another call of the same write has not ended");
                return Ok(promised.then_some(Err(pending)));
            }
            State::Sending | State::Failed | State::Dead => {}
        }
        let Some(met) = desk.store.take_over(met.id, &desk.lease()).await.map_err(|error| unkept(&error))? else {
            return Ok(None);
        };
        let open = met.unsettled;
        if open && !can_be_made_again(writing.again, since(now, met.begun_at)) {
            let fault = told(Outcome::Unclear, &met.reference, "its process ended before it was settled");
            desk.settle(met.id, &met.key, State::Unclear, &Err(fault.clone()), None, true)
                .await
                .map_err(|it| unkept(&it))?;
            desk.settled(connection, operation, State::Unclear);
            return Ok(Some(Err(fault)));
        }
        let begun = Begun::of(&met).map_err(|error| unkept(&error))?;
        let key = WriteKey::parse(&met.key).unwrap_or_else(|| WriteKey::of(&met.key));
        let key = if open { key.again() } else { key };
        let outgoing = Outgoing { id: met.id, key, begun, writing, later };
        self.send(outgoing, connection, operation, how)
            .await
            .map(|answer| Some(Ok(answer)))
            .or_else(|fault| Ok(Some(Err(fault))))
    }

    /// Sends a write whose lease this process has, and settles it.
    async fn send(
        &self,
        outgoing: Outgoing,
        connection: &ConnectionName,
        operation: &OperationName,
        how: How<'_>,
    ) -> Result<Answered, Fault> {
        let Outgoing { id, key, begun, writing, later } = outgoing;
        let (reference, hex) = (key.reference(), key.hex());
        let how = How { key: Some(key), at: begun.at(), refresh: false, ..how };
        let called = self.called(connection, operation, begun.inputs, how);
        let (this, connection, operation) = (self.clone(), connection.clone(), operation.clone());
        let (quoted, at, what) = (reference.clone(), connection.clone(), operation.clone());
        let alive = self.0.works_on(id);
        let settled = async move {
            // What an earlier try may have done is not undone by one that did nothing.
            let ended = called.await.map_err(|fault| Fault { unsettled: fault.unsettled || key.is_again(), ..fault });
            let booked = this.booked(id, &hex, ended, writing, later, (&at, &what, &quoted)).await;
            drop(alive);
            booked
        };
        if let Some(ended) = self.ends(settled, how.deadline, writing.undone, &connection, &operation).await {
            return ended;
        }
        let pending = told(Outcome::Pending, &reference, "it has not ended within the turn");
        match self.0.store.promise(id).await {
            // It has ended just now.
            Ok(false) => match self.0.store.write(id).await {
                Ok(Some(written)) if written.state == State::Done => {
                    let ended = Ended::read(&written).map_err(|error| unkept(&error))?;
                    let ended = ended.unwrap_or(Ended::Answer(Value::Null)).into_result();
                    ended.map(|value| Answered { value, age: None })
                }
                Ok(Some(written)) => match Ended::read(&written).map_err(|error| unkept(&error))? {
                    Some(ended) => ended.into_result().map(|value| Answered { value, age: None }),
                    None => Err(pending),
                },
                _ => Err(pending),
            },
            _ => {
                tracing::warn!(%reference, %connection, %operation, "a write outlasts its turn");
                Err(pending)
            }
        }
    }

    /// Writes down how a write ended, and gives what its call is told.
    async fn booked(
        &self,
        id: i64,
        key: &str,
        ended: Result<Answered, Fault>,
        writing: Writing,
        later: Later,
        (connection, operation, reference): (&ConnectionName, &OperationName, &str),
    ) -> Result<Answered, Fault> {
        let desk = &self.0;
        let (mut state, open, due) = match &ended {
            Ok(_) => (State::Done, false, None),
            Err(fault) => match of_turn(fault, writing, later == Later::Yes) {
                State::Queued => (State::Queued, touched(fault), Some(desk.due_first())),
                state => (state, touched(fault), None),
            },
        };
        let ended = ended.map(|answered| answered.value);
        let mut kept = desk.settle(id, key, state, &ended, due, open).await;
        if let (Ok(false), State::Failed, Err(fault)) = (&kept, state, &ended) {
            // Its user was told meanwhile that it is on its way. So it goes on as what is made later does.
            let tried = Tried { attempts: 1, since: Duration::ZERO };
            let (promised, wait) = match later != Later::No && writing.later {
                true => desk.patience().of_later(fault, writing.again, tried, 0.5),
                false => (State::Dead, Duration::ZERO),
            };
            state = promised;
            kept = desk.settle(id, key, state, &ended, Some(desk.now() + millis(wait)), open).await;
        }
        let ended = ended.map(|value| Answered { value, age: None });
        if kept.is_ok() || state == State::Done {
            desk.settled(connection, operation, state);
        }
        match (kept, state) {
            // Done is done, though nobody can be told so again.
            (Err(error), State::Done) => {
                tracing::error!(%reference, %connection, %operation, %error, "a write was done, and the store does not know it");
                ended
            }
            (Err(error), _) => {
                tracing::error!(%reference, %connection, %operation, %error, "how a write ended could not be kept");
                ended
            }
            (Ok(true), State::Queued) => Err(queued(ended, reference)),
            (Ok(true), State::Unclear) => Err(unclear(ended, reference)),
            (Ok(true), _) => ended.map_err(|fault| match touched(&fault) {
                true => Fault { reference: Some(reference.into()), ..fault },
                false => fault,
            }),
            (Ok(false), State::Done) => ended,
            (Ok(false), _) => Err(told(Outcome::Pending, reference, "another process has taken it over")),
        }
    }

    /// The call itself, able to outlive who asked for it.
    fn called(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: Map<String, Value>,
        how: How<'_>,
    ) -> impl Future<Output = Result<Answered, Fault>> + Send + 'static {
        let connections = Arc::clone(&self.0.connections);
        let (connection, operation) = (connection.clone(), operation.clone());
        let (sender, wire) = (how.sender.map(str::to_owned), how.wire.cloned());
        let How { deadline, refresh, key, at, .. } = how;
        async move {
            let how = How { deadline, refresh, sender: sender.as_deref(), key, at, wire: wire.as_ref() };
            connections.call(&connection, &operation, inputs, how).await
        }
    }

    /// Runs a write to its end, and waits for it until the deadline; none when it has not ended by then.
    async fn ends(
        &self,
        write: impl Future<Output = Result<Answered, Fault>> + Send + 'static,
        deadline: Deadline,
        undone: bool,
        connection: &ConnectionName,
        operation: &OperationName,
    ) -> Option<Result<Answered, Fault>> {
        let (tell, told) = oneshot::channel();
        let (at, what) = (connection.clone(), operation.clone());
        let write = async move {
            if let Err(ended) = tell.send(write.await) {
                ended_alone(&at, &what, &ended);
            }
        };
        self.0.under_way.spawn(write.in_current_span());
        // What is taken back has an end to wait for.
        let until = if undone { deadline.instant() + ROLLBACK } else { deadline.instant() };
        match timeout_at(until, told).await {
            Ok(Ok(ended)) => Some(ended),
            Ok(Err(_)) => Some(Err(Fault::new(Outcome::Unexpected, format!("{operation} broke off")))),
            Err(_) => None,
        }
    }
}

/// Every operation, as a list in JSON.
fn known(connections: &Connections) -> String {
    Value::from_iter(connections.operations()).to_string()
}

/// Nobody waits for a write any more: the log is where its end can be found.
fn ended_alone(connection: &ConnectionName, operation: &OperationName, ended: &Result<Answered, Fault>) {
    match ended {
        Ok(_) => tracing::info!(%connection, %operation, "a write that nobody waited for any more ended well"),
        Err(Fault { outcome, operator, .. }) => {
            tracing::error!(%connection, %operation, %outcome, detail = operator, "a write that nobody waited for any more failed");
        }
    }
}
