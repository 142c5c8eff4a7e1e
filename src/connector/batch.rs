//! Several calls of one read that are made at once: what is kept answers by itself, one request answers the rest.
//!
//! Every call ends as it would have ended alone. Where a system cannot batch, each is made alone.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::attempts::Attempts;
use super::connections::{Answered, Connections, How};
use super::http::{Errand, Remote, Wanted};
use super::open::{Open, Opened};
use super::rehearsal::Rehearsal;
use super::reply::reply;
use super::stack::{accepted, allowed, call, finished, late, made};
use super::wire::Ended;
use crate::fault::Fault;
use crate::plan::connector::{Batch, Operation};
use crate::resilience::{Cached, Read};
use crate::telemetry::{CacheKind, CacheUsed};

/// One call that is still to be made: its place among all, its inputs, and what is asked for it.
type Waiting = (usize, Map<String, Value>, Wanted);

/// Calls an operation once for each of `calls`; the answers come in their order.
pub(super) async fn call_many(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    calls: Vec<Map<String, Value>>,
    how: How<'_>,
) -> Vec<Result<Answered, Fault>> {
    let (Some(batch), Opened::Remote(remote)) = (&operation.batch, &open.system) else {
        return join_all(calls.into_iter().map(|inputs| call(connections, open, operation, inputs, how))).await;
    };
    let noted = how.wire.map(|wire| (wire, calls.clone()));
    let answers = together(connections, open, operation, (batch, remote), calls, how).await;
    if let Some((wire, calls)) = noted {
        for (inputs, ended) in calls.into_iter().zip(&answers) {
            let (connection, operation) = (open.name.clone(), operation.name.clone());
            wire.end(Ended { connection, operation, inputs, ended: ended.clone() });
        }
    }
    answers
}

/// The same where the system can batch.
async fn together(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    (batch, remote): (&Batch, &Remote),
    calls: Vec<Map<String, Value>>,
    how: How<'_>,
) -> Vec<Result<Answered, Fault>> {
    if let Err(fault) = allowed(open, operation, how.sender) {
        return calls.iter().map(|_| Err(fault.clone())).collect();
    }
    let mut answers: Vec<Option<Result<Answered, Fault>>> = calls.iter().map(|_| None).collect();
    let mut groups: IndexMap<String, Vec<Waiting>> = IndexMap::new();
    let mut alone = Vec::new();
    for (at, inputs) in calls.into_iter().enumerate() {
        let ended = match accepted(operation, inputs, connections.clock.now()) {
            Err(fault) => Some(Err(fault)),
            Ok(inputs) => match kept(connections, open, operation, &inputs, how).await {
                Some(kept) => Some(kept),
                None => match remote.part(operation, batch, &inputs) {
                    Err(fault) => Some(Err(fault)),
                    Ok(None) => {
                        alone.push((at, inputs));
                        None
                    }
                    Ok(Some(wanted)) => {
                        groups.entry(others(&inputs, batch)).or_default().push((at, inputs, wanted));
                        None
                    }
                },
            },
        };
        if let Some(answer) = answers.get_mut(at) {
            *answer = ended;
        }
    }
    let most = usize::try_from(batch.most.get()).unwrap_or(usize::MAX);
    let requests = groups.into_values().flat_map(|group| parts(group, most));
    let batched = join_all(requests.map(|calls| ask(connections, open, operation, (batch, remote), calls, how)));
    let alone =
        alone.into_iter().map(|(at, inputs)| made(connections, open, operation, inputs, how).map(move |it| (at, it)));
    let (batched, alone) = join(batched, join_all(alone)).await;
    for (at, ended) in batched.into_iter().flatten().chain(alone) {
        if let Some(answer) = answers.get_mut(at) {
            *answer = Some(ended);
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(late(operation)))).collect()
}

/// The calls of one request each.
fn parts(mut group: Vec<Waiting>, most: usize) -> Vec<Vec<Waiting>> {
    let mut parts = Vec::new();
    while group.len() > most {
        let rest = group.split_off(most);
        parts.push(std::mem::replace(&mut group, rest));
    }
    parts.push(group);
    parts
}

/// Whatever two calls of one request have in common.
fn others(inputs: &Map<String, Value>, batch: &Batch) -> String {
    inputs.iter().filter(|(name, _)| *name != batch.of.as_str()).map(|(name, value)| format!("{name}={value}\n")).collect()
}

async fn kept(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: &Map<String, Value>,
    how: How<'_>,
) -> Option<Result<Answered, Fault>> {
    connections.keep(open, operation).filter(|_| !how.refresh)?;
    let found = connections.cache.fresh(&open.key(&operation.name, inputs)).await?;
    CacheUsed { connection: &open.name, operation: &operation.name, kind: CacheKind::Hit }.emit();
    Some(found.map(|Cached { value, age }| Answered { value: Value::clone(&value), age: Some(age) }))
}

/// Makes the calls of one request.
async fn ask(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    (batch, remote): (&Batch, &Remote),
    calls: Vec<Waiting>,
    how: How<'_>,
) -> Vec<(usize, Result<Answered, Fault>)> {
    if let Err(fault) = open.chain.sender(how.sender) {
        return calls.iter().map(|(at, ..)| (*at, Err(fault.clone()))).collect();
    }
    let (started, sent) = (Instant::now(), Attempts::new());
    let (until, wire) = (how.deadline, how.wire.map(Arc::as_ref));
    let now = connections.clock.now();
    let rehearsal = &Rehearsal::new(&open.name, open.faults(operation), || connections.rng());
    let errand = Errand { operation, until, sent: &sent, key: None, now, wire, dry: false, rehearsal };
    let (calls, wanted): (Vec<_>, Vec<_>) = calls.into_iter().map(|(at, inputs, wanted)| ((at, inputs), wanted)).unzip();
    let asked = timeout_at(until.instant(), remote.run_batch(&errand, batch, wanted));
    let asked = asked.await.unwrap_or_else(|_| Err(late(operation)));
    finished(open, operation, asked.as_ref().err(), started, &sent);
    let ended = match asked {
        Err(fault) => calls.iter().map(|_| Err(fault.clone())).collect(),
        Ok(results) => results,
    };
    let mut answers = Vec::new();
    for ((at, inputs), ended) in calls.into_iter().zip(ended) {
        let answer = ended.and_then(|results| reply(operation, results));
        answers.push((at, keep(connections, open, operation, &inputs, answer).await));
    }
    answers
}

/// Keeps an answer as if its call had been made alone.
async fn keep(
    connections: &Connections,
    open: &Open,
    operation: &Operation,
    inputs: &Map<String, Value>,
    answer: Result<Value, Fault>,
) -> Result<Answered, Fault> {
    let Some(keep) = connections.keep(open, operation) else { return answer.map(|value| Answered { value, age: None }) };
    CacheUsed { connection: &open.name, operation: &operation.name, kind: CacheKind::Miss }.emit();
    let key = open.key(&operation.name, inputs);
    let Read { answer, .. } = connections.cache.read(&key, keep, true, || async { answer }).await;
    answer.map(|Cached { value, .. }| Answered { value: Value::clone(&value), age: None })
}
