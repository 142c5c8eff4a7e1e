//! The chain between an action's call and a system, in the order in which a call passes it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::connections::{Answered, Connections, Given, How, Open};
use super::sql::Database;
use crate::fault::{Fault, Outcome};
use crate::format::{Context, Locale};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{Connector, Operation};
use crate::resilience::{Cached, Keep, Key, Read, ReadCache};
use crate::telemetry::{CacheKind, CacheUsed, CallFinished};
use crate::time::Deadline;

/// How long one attempt may take. Equal reads share an attempt, so it cannot depend on the deadline of one of them.
const ATTEMPT: Duration = Duration::from_secs(12);

/// Calls an operation.
pub(super) async fn call(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How,
) -> Result<Answered, Fault> {
    let started = Instant::now();
    let mut attempts = 0;
    let ended = layers(connections, open, operation, inputs, how, &mut attempts).await;
    // An answer that was kept is no call of the system; `CacheUsed` has counted it.
    if !ended.as_ref().is_ok_and(|answered| answered.age.is_some()) {
        let fault = ended.as_ref().err();
        CallFinished { connection: &open.name, operation: &operation.name, fault, elapsed: started.elapsed(), attempts }
            .emit();
    }
    ended
}

async fn layers(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How,
    attempts: &mut u32,
) -> Result<Answered, Fault> {
    // A system that is down for a test is down before anything that was kept could hide it.
    if let Some(Given::Down) = open.given {
        return Err(Fault::new(Outcome::Unavailable, format!("{} is down, as given", open.name)));
    }
    // What the operation does not accept reaches neither the cache nor the system.
    let inputs = accepted(operation, inputs, connections.clock.now())?;
    // A write is not kept from its end by a caller that goes away, and outdates reads however it ended.
    if operation.kind.writes() {
        *attempts = 1;
        return write(connections, open, operation, inputs, how).await;
    }
    match connections.keep(operation) {
        // Kept answers and shared calls; every caller waits by its own deadline.
        Some(keep) => {
            let read = read(connections, open, operation, inputs, keep, how.refresh, attempts);
            timeout_at(how.deadline.instant(), read).await.unwrap_or_else(|_| Err(late(operation)))
        }
        // An operation that is not kept goes straight to its system.
        None => {
            *attempts = 1;
            Send::new(open, operation, inputs).attempt(how.deadline.bound(ATTEMPT)).await.map(just_now)
        }
    }
}

/// The last answer to the same read that is not older than its `stale` time.
pub(super) async fn last_known(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
) -> Option<Answered> {
    connections.keep(operation)?;
    let inputs = accepted(operation, inputs, connections.clock.now()).ok()?;
    let Cached { value, age } = connections.cache.last(&Key::new(&open.name, &operation.name, &inputs)).await?;
    Some(Answered { value: Value::clone(&value), age: Some(age) })
}

async fn read(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    keep: Keep,
    refresh: bool,
    attempts: &mut u32,
) -> Result<Answered, Fault> {
    let key = Key::new(&open.name, &operation.name, &inputs);
    let call = || {
        *attempts = 1;
        Send::new(open, operation, inputs).attempt(Deadline::after(ATTEMPT))
    };
    let Read { answer, kept } = connections.cache.read(&key, keep, refresh, call).await;
    let kind = if kept { CacheKind::Hit } else { CacheKind::Miss };
    CacheUsed { connection: &open.name, operation: &operation.name, kind }.emit();
    answer.map(|Cached { value, age }| Answered { value: Value::clone(&value), age: kept.then_some(age) })
}

async fn write(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: Map<String, Value>,
    how: How,
) -> Result<Answered, Fault> {
    let attempt = Send::new(open, operation, inputs).attempt(how.deadline.bound(ATTEMPT));
    let outdates = Outdates {
        cache: Arc::clone(&connections.cache),
        connection: open.name.clone(),
        operations: operation.drops.clone(),
    };
    let task = tokio::spawn(async move {
        let _outdates = outdates;
        attempt.await
    });
    match task.await {
        Ok(answer) => answer.map(just_now),
        Err(_) => Err(Fault::new(Outcome::Unexpected, format!("{} broke off", operation.name))),
    }
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

/// The innermost layer: one attempt at the system itself, able to outlive who asked for it.
struct Send {
    connector: Arc<Connector>,
    operation: OperationName,
    database: Arc<Database>,
    inputs: Map<String, Value>,
}

impl Send {
    fn new(open: &Open, operation: &Operation, inputs: Map<String, Value>) -> Self {
        let (connector, database) = (Arc::clone(&open.connector), Arc::clone(&open.database));
        Self { connector, operation: operation.name.clone(), database, inputs }
    }

    async fn attempt(self, until: Deadline) -> Result<Value, Fault> {
        let operation = self.connector.operations.get(&self.operation);
        let operation = operation.ok_or_else(|| Fault::new(Outcome::Unexpected, "the operation is gone"))?;
        self.database.run(operation, self.inputs, until).await
    }
}

/// The inputs in the order of the operation and in their formats' normal form, with defaults for what was not given.
fn accepted(operation: &Operation, mut given: Map<String, Value>, now: DateTime<Utc>) -> Result<Map<String, Value>, Fault> {
    let mut inputs = Map::with_capacity(operation.inputs.len());
    for input in &operation.inputs {
        let name = input.name.as_str();
        let value = given.remove(name).filter(|value| !value.is_null()).unwrap_or_else(|| input.default.clone());
        if input.required && value.is_null() {
            return Err(Fault::new(Outcome::Invalid, format!("{} needs the input {name}", operation.name)));
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

fn late(operation: &Operation) -> Fault {
    Fault::new(Outcome::Timeout, format!("{} ran out of time", operation.name))
}
