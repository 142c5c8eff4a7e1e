//! One request on its way: repeats, the connection's chain around each attempt, sending, and what the answer means.
//!
//! A request that writes is repeated only when that cannot do its work twice, or when it was certainly not done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::Remote;
use super::build::{Draft, trouble};
use super::client::{Incoming, Outgoing};
use super::meaning::judged;
use super::received::Received;
use crate::connector::attempts::Attempts;
use crate::connector::chain::{Held, Stopped};
use crate::connector::key::WriteKey;
use crate::connector::rehearsal::Rehearsal;
use crate::connector::wire::{Fate, Noted, Wire};
use crate::fault::{Class, Fault, Outcome};
use crate::plan::connector::{HttpStep, HttpSystem, Idempotency, Operation};
use crate::resilience::retry;
use crate::telemetry::{ApiEnding, QuotaLeft};
use crate::template::{Scope, from_json};
use crate::time::Deadline;

/// The longest that others are kept waiting because one was told to wait.
const LONGEST_REST: std::time::Duration = std::time::Duration::from_secs(60);

/// What came of a request.
pub(super) enum Came {
    /// An answer that is no error.
    Answer(Received),
    /// The write was done already, as its look-up found.
    Done(Value),
}

/// One request of an operation with what it needs on its way.
pub(super) struct Journey<'a> {
    pub(super) errand: &'a Errand<'a>,
    pub(super) step: &'a HttpStep,
    pub(super) scope: &'a Scope,
}

/// One call of an operation, with what all of its requests have in common.
pub(in crate::connector) struct Errand<'a> {
    pub(in crate::connector) operation: &'a Operation,
    pub(in crate::connector) until: Deadline,
    /// Counts the requests that were sent.
    pub(in crate::connector) sent: &'a Attempts,
    /// The key of its writes.
    pub(in crate::connector) key: Option<WriteKey>,
    /// The time that its templates see.
    pub(in crate::connector) now: DateTime<Utc>,
    /// Where its requests are noted.
    pub(in crate::connector) wire: Option<&'a Wire>,
    /// Nothing that writes is sent.
    pub(in crate::connector) dry: bool,
    /// What goes wrong on purpose.
    pub(in crate::connector) rehearsal: &'a Rehearsal,
}

impl Journey<'_> {
    /// How errors name the request.
    pub(super) fn place(&self) -> String {
        format!("{} of {}", self.step.request.line(), self.errand.operation.name)
    }

    /// Notes a request as it is before it carries the proof of who we are.
    pub(super) fn note(&self, request: &Outgoing, fate: Fate, answer: Option<&Incoming>, secrets: &[String]) {
        let Some(wire) = self.errand.wire else { return };
        let text = |body: &bytes::Bytes| String::from_utf8_lossy(body).into_owned();
        let hidden = |answer: String| secrets.iter().fold(answer, |answer, secret| answer.replace(secret, "(left out)"));
        let answer = answer.map(|answer| hidden(text(&answer.body))).filter(|body| !body.is_empty());
        let body = request.body.as_ref().map(text);
        wire.note(Noted { line: format!("{} {}", request.method, request.url), body, fate, answer });
    }

    /// Whether it may be asked twice at the same time: nothing of the operation writes, and it is not to be asked only once.
    fn doubles(&self) -> bool {
        !self.errand.operation.kind.writes() && !self.step.writes && self.errand.sent.repeats()
    }

    fn repeatable(&self) -> bool {
        !self.step.writes || !matches!(self.step.idempotency, Idempotency::Never)
    }
}

impl Remote {
    /// Takes a request through its layers.
    ///
    /// # Errors
    /// How it ended, when it did not end well.
    pub(super) async fn exchange(
        &self,
        journey: &Journey<'_>,
        draft: &Draft,
        rng: &mut fastrand::Rng,
    ) -> Result<Came, Fault> {
        let system = self.system().ok_or_else(|| Fault::new(Outcome::Unexpected, "the system is not of `kind: http`"))?;
        let hopeless = AtomicBool::new(false);
        // Repeats: what may pass, as long as there is time. A refusal for being too many means that nothing was done.
        let again = |fault: &Fault| {
            let passes = matches!(fault.class(), Class::Transient | Class::Exhausted) && !hopeless.load(Ordering::Relaxed);
            passes && journey.errand.sent.repeats() && (journey.repeatable() || fault.outcome == Outcome::RateLimited)
        };
        let (hopeless, sent, open) = (&hopeless, &Mutex::new(None), &AtomicBool::new(false));
        self.chain.begin();
        // Repeats: outermost, so that each of them is one more attempt for breaker and limits; never more than the budget has.
        let ended = retry(
            self.chain.policies().backoff,
            journey.errand.until,
            rng,
            again,
            || self.chain.repeat(),
            |number| async move {
                // A write that can be looked for is looked for before it is made again.
                if (number > 1 || journey.errand.key.is_some_and(WriteKey::is_again))
                    && let Idempotency::Lookup(lookup) = &journey.step.idempotency
                {
                    match self.looked_up(journey, lookup).await {
                        Ok(None) => {}
                        Ok(Some(done)) => return Ok(Came::Done(done)),
                        Err(fault) => {
                            hopeless.store(!matches!(fault.class(), Class::Transient | Class::Exhausted), Ordering::Relaxed);
                            open.store(true, Ordering::Relaxed);
                            let text = format!("whether {} was done is not known: {}", journey.place(), fault.operator);
                            return Err(Fault::new(Outcome::Unavailable, text));
                        }
                    }
                }
                let until = journey.errand.until;
                let attempt = |patience| {
                    self.chain
                        .attempt(until, patience, |until| self.rehearsed(system, journey, draft, until, hopeless).boxed())
                };
                // Only who may ask twice has room for two.
                let ended = match journey.doubles() && self.chain.hedges() {
                    true => self.chain.raced(until, attempt).boxed().await,
                    false => attempt(until).await,
                };
                ended.map(Came::Answer).map_err(|stopped| {
                    // What is down is not asked again by who was just told so.
                    hopeless.fetch_or(stopped.held == Some(Held::Breaker), Ordering::Relaxed);
                    let late = stopped.fault.outcome == Outcome::Timeout;
                    open.fetch_or(stopped.held.is_none() && (stopped.fault.unsettled || late), Ordering::Relaxed);
                    told(sent, stopped)
                })
            },
        );
        // What any of them left open stays open, unless the last was told that it was not done.
        ended.await.map_err(|fault| {
            let unsettled = open.load(Ordering::Relaxed) && fault.class() != Class::Rejected;
            Fault { unsettled, ..fault }
        })
    }

    /// One attempt, with what goes wrong on purpose in the system's place. Who is told to wait lets the others wait too.
    async fn rehearsed(
        &self,
        system: &HttpSystem,
        journey: &Journey<'_>,
        draft: &Draft,
        until: Deadline,
        hopeless: &AtomicBool,
    ) -> Result<Received, Fault> {
        let attempt = self.attempt(system, journey, draft, until, hopeless);
        let ended = journey.errand.rehearsal.request(until, attempt).await;
        if let Err(Fault { outcome: Outcome::RateLimited, retry_after: Some(wait), .. }) = &ended {
            self.chain.rest((*wait).min(LONGEST_REST));
        }
        ended
    }

    /// One attempt. Credentials that have run out are renewed once.
    async fn attempt(
        &self,
        system: &HttpSystem,
        journey: &Journey<'_>,
        draft: &Draft,
        until: Deadline,
        hopeless: &AtomicBool,
    ) -> Result<Received, Fault> {
        let place = journey.place();
        let outgoing = draft.outgoing().map_err(|it| trouble(&it, &place))?;
        let mut incoming = self.proven(journey, &outgoing, until).await?;
        if matches!(incoming.status.as_u16(), 401 | 403) && self.auth.rejected(&incoming).await {
            incoming = self.proven(journey, &outgoing, until).await?;
        }
        self.notice(system, journey.errand.operation, &incoming);
        let answer = Received::read(&incoming, journey.step.expects);
        let scope = journey.scope.with("body", from_json(&answer.body)).with("http", from_json(&answer.http(1)));
        let Some(judged) = judged(system, &journey.step.errors, &answer, &scope, &place, self.clock.now()) else {
            return Ok(answer);
        };
        if !judged.retry {
            hopeless.store(true, Ordering::Relaxed);
        }
        Err(judged.fault)
    }

    /// Sends the request with the proof of who we are, which is the last that is put into it.
    async fn proven(&self, journey: &Journey<'_>, outgoing: &Outgoing, until: Deadline) -> Result<Incoming, Fault> {
        let mut proven = outgoing.clone();
        let applied = self.auth.apply(&mut proven, until).await;
        applied.map_err(|fault| Fault { unsettled: false, ..fault })?;
        journey.errand.sent.count();
        // Only who looks on needs to know what must not be seen.
        let secrets = journey.errand.wire.map(|_| proofs(outgoing, &proven)).unwrap_or_default();
        let came = self.client.send(proven, until).await;
        let fate = came.as_ref().map_or(Fate::Unanswered, |it| Fate::Answered(it.status.as_u16()));
        journey.note(outgoing, fate, came.as_ref().ok(), &secrets);
        came
    }

    /// What the vendor says in passing: how many requests are left, and that this part of the API will end.
    fn notice(&self, system: &HttpSystem, operation: &Operation, incoming: &Incoming) {
        let left = system.quota.iter().find_map(|name| remaining(incoming.headers.get(name)?.to_str().ok()?));
        if let Some(left) = left {
            QuotaLeft { connection: &self.connection, left }.emit();
        }
        if let Some(ends) = ending(&incoming.headers) {
            let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
            let first = announced.insert(operation.name.clone());
            ApiEnding { connection: &self.connection, operation: &operation.name, ends, first }.emit();
        }
    }
}

/// What proves who we are in a request: all that was put into it for that, since some systems say back what they were told.
fn proofs(plain: &Outgoing, proven: &Outgoing) -> Vec<String> {
    let added = proven.headers.iter().filter(|(name, value)| plain.headers.get(*name) != Some(*value));
    let headers = added.filter_map(|(_, value)| value.to_str().ok()).flat_map(|value| value.split([' ', '"', ',', ';']));
    let known = |part: &&str| !plain.url.as_str().contains(*part);
    let address = proven.url.as_str().split(['/', '?', '&', '=']).filter(known);
    let mut proofs: Vec<String> = headers.chain(address).filter(|part| part.len() > 3).map(str::to_owned).collect();
    // The longest first: one may be a part of another.
    proofs.sort_by_key(|proof| std::cmp::Reverse(proof.len()));
    proofs
}

/// What is said of an attempt: of one that was held back after others were sent, how the last of those ended, since that may
/// have done something.
fn told(sent: &Mutex<Option<Fault>>, stopped: Stopped) -> Fault {
    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    match (stopped.held, &*sent) {
        (None, _) => {
            *sent = Some(stopped.fault.clone());
            stopped.fault
        }
        (Some(_), None) => stopped.fault,
        (Some(_), Some(before)) => {
            let operator = format!("{}; then {}", before.operator, stopped.fault.operator);
            Fault { operator, retry_after: stopped.fault.retry_after, ..before.clone() }
        }
    }
}

/// How many requests are left, of `42` or of `used/total`.
fn remaining(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(left) = text.parse::<u64>() {
        return Some(as_gauge(left));
    }
    let ratio = text.rsplit('=').next()?;
    let (used, total) = ratio.split_once('/')?;
    let (used, total): (u64, u64) = (used.trim().parse().ok()?, total.trim().parse().ok()?);
    Some(as_gauge(total.saturating_sub(used)))
}

fn as_gauge(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

/// The day on which the vendor ends what was called, where it says so; a text that is no date is not passed on.
fn ending(headers: &HeaderMap) -> Option<Option<chrono::NaiveDate>> {
    let sunset = headers.get("sunset");
    if sunset.is_none() && !headers.contains_key("deprecation") {
        return None;
    }
    let day = sunset.and_then(|value| chrono::DateTime::parse_from_rfc2822(value.to_str().ok()?).ok());
    Some(day.map(|day| day.date_naive()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_in_both_ways_of_saying_it() {
        assert_eq!(remaining("42"), Some(42.0));
        assert_eq!(remaining("api-usage=18/5000"), Some(4982.0));
        assert_eq!(remaining("40/40"), Some(0.0));
        assert_eq!(remaining("soon"), None);
    }
}
