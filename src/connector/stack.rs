//! The chain between an action's call and a system, in the order in which a call passes it.
//!
//! What the connection allows → what the operation accepts → kept answers → rate per sender → equal reads sharing one call →
//! the system. A call of `kind: http` goes on, request by request, in `http::exchange`: repeats → a second request beside a
//! slow read → breaker → limits → the attempt's time → sending; one of `kind: sql` as a whole, from the breaker on. What those
//! are is in `chain`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::attempts::Attempts;
use super::chain::Chain;
use super::connections::{Answered, Connections, How};
use super::dry::would_do;
use super::http::Errand;
use super::key::WriteKey;
use super::open::{Open, Opened};
use super::rehearsal::Rehearsal;
use super::reply::reply;
use super::wire::{Ended, Wire};
use crate::fault::{Fault, Outcome};
use crate::format::{Context, Locale};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{Connector, Mode, Operation};
use crate::resilience::{Cached, Keep, Read, ReadCache};
use crate::telemetry::{CacheKind, CacheUsed, CallFinished};
use crate::time::Deadline;

/// How long a write of a remote system may take, with its repeats.
const WRITES: Duration = Duration::from_secs(30);
/// How long a call that several may wait for may take, with its repeats: it cannot depend on the deadline of one of them.
const SHARED: Duration = Duration::from_secs(30);

/// Calls an operation.
pub(super) async fn call(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How<'_>,
) -> Result<Answered, Fault> {
    if let Some(tape) = &connections.tape {
        return tape.answer(&open.name, &operation.name, &inputs);
    }
    let noted = how.wire.map(|wire| (wire, inputs.clone()));
    let ended = made(connections, open, operation, inputs, how).await;
    if let Some((wire, inputs)) = noted {
        let (connection, operation) = (open.name.clone(), operation.name.clone());
        wire.end(Ended { connection, operation, inputs, ended: ended.clone() });
    }
    ended
}

/// The same, when nobody is to note how it ends.
pub(super) async fn made(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How<'_>,
) -> Result<Answered, Fault> {
    let started = Instant::now();
    let attempts = Arc::new(Attempts::new());
    let ended = layers(connections, open, operation, inputs, how, &attempts).await;
    // An answer that was kept is no call of the system; `CacheUsed` has counted it.
    if !ended.as_ref().is_ok_and(|answered| answered.age.is_some()) {
        finished(open, operation, ended.as_ref().err(), started, &attempts);
    }
    ended
}

/// Calls an operation without inputs once, past everything that is kept, to see whether the system answers.
pub(super) async fn test(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    until: Deadline,
) -> Result<(), Fault> {
    let started = Instant::now();
    let attempts = Arc::new(Attempts::single());
    let ended = async {
        allowed(open, operation, None)?;
        let inputs = accepted(operation, Map::new(), connections.clock.now())?;
        let send = Send::new(connections, open, operation, inputs, How::by(until), &attempts).attempt(until);
        timeout_at(until.instant(), send).await.unwrap_or_else(|_| Err(late(operation))).map(|_| ())
    };
    let ended = ended.await;
    finished(open, operation, ended.as_ref().err(), started, &attempts);
    ended
}

pub(super) fn finished(open: &Open, operation: &Operation, fault: Option<&Fault>, started: Instant, attempts: &Attempts) {
    open.tally.count(fault);
    let (elapsed, attempts) = (started.elapsed(), attempts.sent());
    CallFinished { connection: &open.name, operation: &operation.name, fault, elapsed, attempts }.emit();
}

async fn layers(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How<'_>,
    attempts: &Arc<Attempts>,
) -> Result<Answered, Fault> {
    // What the connection does not allow is not even looked at; what it only rehearses is, up to the first write.
    let dry = allowed(open, operation, how.sender)?;
    // What the operation does not accept reaches neither the cache nor the system.
    let inputs = accepted(operation, inputs, how.at.unwrap_or_else(|| connections.clock.now()))?;
    if dry {
        return Send { dry, ..Send::new(connections, open, operation, inputs, how, attempts) }
            .attempt(how.deadline)
            .boxed()
            .await
            .map(just_now);
    }
    // Nothing is begun for who has no time left; what is kept is there.
    if how.deadline.left().is_zero() {
        let kept = kept(connections, open, operation, &inputs, how).boxed().await;
        return kept.unwrap_or_else(|| Err(late(operation)));
    }
    // A write outdates reads however it ended.
    if operation.kind.writes() {
        return write(connections, open, operation, inputs, how, attempts).boxed().await;
    }
    match connections.keep(open, operation) {
        // Kept answers and shared calls; every caller waits by its own deadline.
        Some(keep) => {
            let read = read(connections, open, operation, inputs, keep, how, attempts).boxed();
            timeout_at(how.deadline.instant(), read).await.unwrap_or_else(|_| Err(late(operation)))
        }
        // An operation that is not kept goes straight to its system.
        None => {
            open.chain.sender(how.sender)?;
            Send::new(connections, open, operation, inputs, how, attempts).attempt(how.deadline).await.map(just_now)
        }
    }
}

/// The last answer to the same read that is not older than its `stale` time.
pub(super) async fn last_known(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    sender: Option<&str>,
) -> Option<Answered> {
    if let Some(tape) = &connections.tape {
        return tape.last_known(&open.name, &operation.name, &inputs);
    }
    connections.keep(open, operation)?;
    allowed(open, operation, sender).ok()?;
    let inputs = accepted(operation, inputs, connections.clock.now()).ok()?;
    let Cached { value, age } = connections.cache.last(&open.key(&operation.name, &inputs)).await?;
    Some(Answered { value: Value::clone(&value), age: Some(age) })
}

/// The kept answer to a read that is as good as new.
async fn kept(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: &Map<String, Value>,
    how: How<'_>,
) -> Option<Result<Answered, Fault>> {
    connections.keep(open, operation).filter(|_| !how.refresh && !operation.kind.writes())?;
    let answer = connections.cache.fresh(&open.key(&operation.name, inputs)).await?;
    CacheUsed { connection: &open.name, operation: &operation.name, kind: CacheKind::Hit }.emit();
    Some(answer.map(|Cached { value, age }| Answered { value: Value::clone(&value), age: Some(age) }))
}

async fn read(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    keep: Keep,
    how: How<'_>,
    attempts: &Arc<Attempts>,
) -> Result<Answered, Fault> {
    let key = open.key(&operation.name, &inputs);
    // Rate per sender: a kept answer costs the system nothing, so it is there for everyone. Others who wait for the same
    // answer must not hear that this sender asks too often, so it is said before a call is shared.
    if open.chain.limits_senders() && (how.refresh || connections.cache.fresh(&key).await.is_none()) {
        open.chain.sender(how.sender)?;
    }
    let call = || Send::new(connections, open, operation, inputs, how, attempts).attempt(Deadline::after(SHARED));
    let Read { answer, kept } = connections.cache.read(&key, keep, how.refresh, call).await;
    let kind = if kept { CacheKind::Hit } else { CacheKind::Miss };
    CacheUsed { connection: &open.name, operation: &operation.name, kind }.emit();
    answer.map(|Cached { value, age }| Answered { value: Value::clone(&value), age: kept.then_some(age) })
}

async fn write(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How<'_>,
    attempts: &Arc<Attempts>,
) -> Result<Answered, Fault> {
    open.chain.sender(how.sender)?;
    let _outdates = Outdates {
        cache: Arc::clone(&connections.cache),
        connection: open.name.clone(),
        operations: operation.drops.clone(),
    };
    // A transaction that runs out of time is taken back. Of anything else nobody knows what became of it then, so it is given
    // the time that it needs: whoever calls need not wait for that.
    let ends = match open.system {
        Opened::Database(_) => how.deadline,
        Opened::Remote(_) | Opened::Examples(_) => Deadline::after(WRITES),
    };
    Send::new(connections, open, operation, inputs, how, attempts).attempt(ends).await.map(just_now)
}

/// Outdates reads when it is dropped, whether the write has ended well, badly or not at all.
struct Outdates {
    cache: Arc<ReadCache>,
    connection: ConnectionName,
    operations: Vec<OperationName>,
}

impl Drop for Outdates {
    fn drop(&mut self) {
        self.cache.outdate(&self.connection, &self.operations);
    }
}

/// The innermost layer here: the system itself, able to outlive who asked for it.
struct Send {
    connector: Arc<Connector>,
    operation: OperationName,
    system: Opened,
    chain: Arc<Chain>,
    inputs: Map<String, Value>,
    attempts: Arc<Attempts>,
    rehearsal: Rehearsal,
    connection: ConnectionName,
    key: Option<WriteKey>,
    now: DateTime<Utc>,
    wire: Option<Arc<Wire>>,
    /// Nothing that writes is sent.
    dry: bool,
}

impl Send {
    fn new(
        connections: &Connections,
        open: &Open,
        operation: &Operation,
        inputs: Map<String, Value>,
        how: How<'_>,
        attempts: &Arc<Attempts>,
    ) -> Self {
        let (connector, system, attempts) = (Arc::clone(&open.connector), open.system.clone(), Arc::clone(attempts));
        let rehearsal = Rehearsal::new(&open.name, open.faults(operation), || connections.rng());
        let (operation, connection) = (operation.name.clone(), open.name.clone());
        let chain = Arc::clone(&open.chain);
        let (key, wire) = (how.key, how.wire.cloned());
        let (now, dry) = (how.at.unwrap_or_else(|| connections.clock.now()), false);
        Self { connector, operation, system, chain, inputs, attempts, rehearsal, connection, key, now, wire, dry }
    }

    async fn attempt(self, until: Deadline) -> Result<Value, Fault> {
        let operation = self.connector.operations.get(&self.operation);
        let operation = operation.ok_or_else(|| Fault::new(Outcome::Unexpected, "the operation is gone"))?;
        let (key, now, wire, dry, rehearsal) = (self.key, self.now, self.wire.as_deref(), self.dry, &self.rehearsal);
        let errand = Errand { operation, until, sent: &self.attempts, key, now, wire, dry, rehearsal };
        // Boxed, each with the room it needs: thousands of calls may wait at the same time.
        match &self.system {
            // Only requests are made one by one, so that what comes before a write can be seen.
            Opened::Database(_) | Opened::Examples(_) if dry => {
                Err(would_do(&self.connection, operation, &self.inputs, None))
            }
            Opened::Database(database) => {
                // Of a database nothing is repeated here; breaker, limits and the attempt's time are the same as a request's.
                let run = |until| {
                    self.attempts.count();
                    rehearsal.operation(until, database.run(operation, self.inputs, now, until))
                };
                self.chain.attempt(until, until, run).boxed().await.map_err(|stopped| stopped.fault)
            }
            Opened::Examples(played) => {
                let results = played.run(&errand, self.inputs, &self.chain).boxed().await?;
                reply(operation, results)
            }
            Opened::Remote(remote) => {
                let results = remote.run(&errand, self.inputs).boxed().await?;
                reply(operation, results)
            }
        }
    }
}

/// Whether the connection is there for this sender, and its mode lets the operation through; then, whether for show only.
pub(super) fn allowed(open: &Open, operation: &Operation, sender: Option<&str>) -> Result<bool, Fault> {
    let mode = open.rules.mode;
    if let (Some(share), Some(sender)) = (open.rules.share, sender)
        && !share.has(sender)
    {
        return Err(Fault::new(Outcome::Unavailable, format!("{} is not there for this sender yet (`share`)", open.name)));
    }
    if mode.allows(operation.kind) {
        return Ok(false);
    }
    let (name, kind) = (&operation.name, operation.kind.name());
    Err(match mode {
        Mode::DryRun => return Ok(true),
        Mode::Off => switched_off(open),
        _ => Fault::new(
            Outcome::Denied,
            format!("{name} is a {kind}, which `mode: {}` of {} does not allow", mode.name(), open.name),
        ),
    })
}

/// What every call of a connection with `mode: off` ends with.
pub(super) fn switched_off(open: &Open) -> Fault {
    Fault::new(Outcome::Unavailable, format!("{} is switched off (`mode: off`)", open.name))
}

/// The inputs in the order of the operation and in their formats' normal form, with defaults for what was not given.
pub(super) fn accepted(
    operation: &Operation,
    mut given: Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, Fault> {
    let mut inputs = Map::with_capacity(operation.inputs.len());
    for input in &operation.inputs {
        let name = input.name.as_str();
        let value = given.remove(name).filter(|value| !value.is_null()).unwrap_or_else(|| input.default.clone());
        if input.required && value.is_null() {
            return Err(Fault::new(Outcome::Invalid, format!("{} needs the input {name}", operation.name)));
        }
        let fits = |pattern: &regex::Regex| {
            value.is_null() || super::http::scalar(&value).is_some_and(|text| pattern.is_match(&text))
        };
        if !input.pattern.as_ref().is_none_or(fits) {
            return Err(Fault::new(
                Outcome::Invalid,
                format!("the input {name} of {} does not match its pattern", operation.name),
            ));
        }
        let value = match &input.format {
            Some(format) if !value.is_null() => format.read(&value, &neutral(now)).map_err(|refusal| {
                Fault::new(Outcome::Invalid, format!("the input {name} of {} is {refusal}", operation.name))
            })?,
            _ => value,
        };
        inputs.insert(name.to_owned(), value);
    }
    match given.keys().next() {
        Some(unknown) => Err(Fault::new(Outcome::Unexpected, format!("{} has no input {unknown}", operation.name))),
        None => Ok(inputs),
    }
}

/// What actions send is in normal form already, and means the same everywhere.
fn neutral(now: DateTime<Utc>) -> Context {
    Context { now, zone: chrono_tz::UTC, locale: Locale::parse("en"), region: "US".to_owned() }
}

fn just_now(value: Value) -> Answered {
    Answered { value, age: None }
}

pub(super) fn late(operation: &Operation) -> Fault {
    Fault::new(Outcome::Timeout, format!("{} ran out of time", operation.name))
}
