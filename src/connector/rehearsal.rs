//! What goes wrong on purpose, where the system would be, so that a project can see what its users would.
//!
//! It is decided once for each call, and acts on every request that the call makes: repeats, breaker, limits and times go by it
//! as they would go by the system. A remote system that is slow or whose answer is lost was asked, so a write was done; a
//! database is not, since what is not answered well there is taken back. Where nothing is to go wrong, nothing here does
//! anything.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, sleep_until};

use crate::fault::{Fault, Outcome};
use crate::name::ConnectionName;
use crate::plan::connector::{Faults, Percent};
use crate::time::Deadline;

/// What goes wrong with one call.
pub(super) struct Rehearsal(Option<Plan>);

struct Plan {
    connection: ConnectionName,
    faults: Faults,
    down: bool,
    malformed: bool,
    reset: bool,
    /// An answer has come late: the call takes that long once, however many requests it makes.
    was_late: AtomicBool,
}

impl Rehearsal {
    /// Decides it.
    pub(super) fn new(connection: &ConnectionName, faults: Faults, rng: impl FnOnce() -> fastrand::Rng) -> Self {
        Self(faults.any().then(|| {
            let mut rng = rng();
            let mut falls = |share: Option<Percent>| share.is_some_and(|share| share.falls(&mut rng));
            let (down, malformed, reset) = (falls(faults.errors), falls(faults.malformed), falls(faults.resets));
            let was_late = AtomicBool::new(false);
            Plan { connection: connection.clone(), faults, down, malformed, reset, was_late }
        }))
    }

    /// A request of a remote system, which `send` sends: it is made unless the system refuses it, and its answer comes late or
    /// not at all.
    ///
    /// # Errors
    /// Those of the request, and what goes wrong on purpose.
    pub(super) async fn request<T>(
        &self,
        until: Deadline,
        send: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Some(plan) = &self.0 else { return send.await };
        let begun = Instant::now();
        plan.refused()?;
        let ended = send.await;
        plan.held(begun, until).await?;
        ended.and_then(|answer| plan.spoiled().map(|()| answer).map_err(|fault| Fault { unsettled: true, ..fault }))
    }

    /// An operation of a database, which `run` runs: it is run once the database answers at all.
    ///
    /// # Errors
    /// Those of the operation, and what goes wrong on purpose.
    pub(super) async fn operation<T>(
        &self,
        until: Deadline,
        run: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Some(plan) = &self.0 else { return run.await };
        plan.refused()?;
        plan.held(Instant::now(), until).await?;
        plan.spoiled()?;
        run.await
    }
}

impl Plan {
    /// Before anything is sent.
    fn refused(&self) -> Result<(), Fault> {
        match self.faults.rate_limited {
            _ if self.down => Err(self.fault(Outcome::Unavailable, "is down")),
            Some(wait) => {
                Err(Fault { retry_after: wait, ..self.fault(Outcome::RateLimited, "refuses the request as one too many") })
            }
            None => Ok(()),
        }
    }

    /// Until the answer comes.
    async fn held(&self, begun: Instant, until: Deadline) -> Result<(), Fault> {
        let Some(latency) = self.faults.latency.filter(|_| !self.was_late.load(Ordering::Relaxed)) else { return Ok(()) };
        let comes = begun + latency;
        if comes > until.instant() {
            sleep_until(until.instant()).await;
            return Err(self.fault(Outcome::Timeout, "has not answered in time"));
        }
        sleep_until(comes).await;
        self.was_late.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// In place of the answer.
    fn spoiled(&self) -> Result<(), Fault> {
        match (self.reset, self.malformed) {
            (true, _) => Err(self.fault(Outcome::Unavailable, "broke off in the middle of its answer")),
            (_, true) => Err(self.fault(Outcome::Unexpected, "sent an answer that makes no sense")),
            (false, false) => Ok(()),
        }
    }

    fn fault(&self, outcome: Outcome, what: &str) -> Fault {
        Fault::new(outcome, format!("{} {what}, on purpose", self.connection))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;
    use crate::plan::connector::Staged;

    const SECOND: Duration = Duration::from_secs(1);

    /// How the calls end of a system that answers at once, and how many of them it was asked for, over a network or not.
    async fn outcomes(faults: Faults, left: Duration, remote: bool) -> (Vec<Option<Outcome>>, u32) {
        let (name, mut rng) = (ConnectionName::parse("own").unwrap(), fastrand::Rng::with_seed(3));
        let (mut found, asked) = (Vec::new(), Cell::new(0));
        for _ in 0..100 {
            let rehearsal = Rehearsal::new(&name, faults, || rng.fork());
            let until = Deadline::after(left);
            let answer = async {
                asked.set(asked.get() + 1);
                Ok(())
            };
            let ended = match remote {
                true => rehearsal.request(until, answer).await,
                false => rehearsal.operation(until, answer).await,
            };
            found.push(ended.err().map(|fault| fault.outcome));
        }
        (found, asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_wrong_goes_wrong_as_often_as_it_says() {
        let some = Percent::new(30).ok();
        let count = |found: &[Option<Outcome>], outcome| found.iter().filter(|it| **it == Some(outcome)).count();
        let faults = Faults { errors: some, malformed: some, ..Faults::default() };
        let (found, asked) = outcomes(faults, SECOND, true).await;
        let (down, wrong) = (count(&found, Outcome::Unavailable), count(&found, Outcome::Unexpected));
        assert!((20..=40).contains(&down) && (10..=30).contains(&wrong), "{down} {wrong}");
        assert_eq!(asked as usize, 100 - down, "what is down is not asked");
        assert_eq!(outcomes(faults, SECOND, true).await.0, found, "the same every time");
        let (again, asked) = outcomes(faults, SECOND, false).await;
        assert_eq!((again, asked as usize), (found, 100 - down - wrong), "a database takes back what it cannot answer");
        assert_eq!(outcomes(Faults::default(), SECOND, true).await, (vec![None; 100], 100));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_slow_was_asked_unless_it_is_a_database() {
        let slow = Faults::from(Staged::Slow(2 * SECOND));
        assert_eq!(outcomes(slow, SECOND, true).await, (vec![Some(Outcome::Timeout); 100], 100));
        assert_eq!(outcomes(slow, SECOND, false).await, (vec![Some(Outcome::Timeout); 100], 0));
        let begun = Instant::now();
        assert_eq!(outcomes(slow, 3 * SECOND, true).await, (vec![None; 100], 100));
        assert_eq!(begun.elapsed(), 200 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_late_once() {
        let name = ConnectionName::parse("own").unwrap();
        let rehearsal = Rehearsal::new(&name, Staged::Slow(2 * SECOND).into(), fastrand::Rng::new);
        let begun = Instant::now();
        let request = async |left| rehearsal.request(Deadline::after(left), async { Ok(()) }).await.is_ok();
        assert_eq!((request(SECOND).await, begun.elapsed()), (false, SECOND));
        assert_eq!((request(9 * SECOND).await, begun.elapsed()), (true, 3 * SECOND));
        assert_eq!((request(SECOND).await, begun.elapsed()), (true, 3 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_may_say_when_to_come_back() {
        let name = ConnectionName::parse("own").unwrap();
        for wait in [None, Some(SECOND)] {
            let rehearsal = Rehearsal::new(&name, Staged::RateLimited(wait).into(), fastrand::Rng::new);
            let fault = rehearsal.request(Deadline::after(SECOND), async { Ok(()) }).await.unwrap_err();
            assert_eq!((fault.outcome, fault.retry_after), (Outcome::RateLimited, wait));
        }
    }
}
