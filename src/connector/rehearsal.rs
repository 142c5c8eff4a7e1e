//! What goes wrong on purpose on a connection with `faults:`, so that a project can see what its users would.
//!
//! The system itself is asked as always; a fault comes before the call or takes the place of its answer, so a write whose answer
//! is lost was done. Without `faults:` nothing here does anything.

use crate::fault::{Fault, Outcome};
use crate::name::ConnectionName;
use crate::plan::connector::Faults;
use crate::time::Deadline;

/// What goes wrong with one call.
pub(super) struct Rehearsal(Option<Plan>);

struct Plan {
    connection: ConnectionName,
    faults: Faults,
    down: bool,
    malformed: bool,
    reset: bool,
}

impl Rehearsal {
    /// Decides it.
    pub(super) fn new(connection: &ConnectionName, faults: Faults, rng: impl FnOnce() -> fastrand::Rng) -> Self {
        Self(faults.any().then(|| {
            let mut rng = rng();
            let mut falls =
                |share: Option<crate::plan::connector::Percent>| share.is_some_and(|share| share.falls(&mut rng));
            let (down, malformed, reset) = (falls(faults.errors), falls(faults.malformed), falls(faults.resets));
            Plan { connection: connection.clone(), faults, down, malformed, reset }
        }))
    }

    /// Before the system is asked.
    pub(super) async fn before(&self, until: Deadline) -> Result<(), Fault> {
        let Some(plan) = &self.0 else { return Ok(()) };
        if let Some(latency) = plan.faults.latency {
            tokio::time::sleep(latency.min(until.left())).await;
            if until.left().is_zero() {
                return Err(plan.fault(Outcome::Timeout, "has not answered in time"));
            }
        }
        if plan.down { Err(plan.fault(Outcome::Unavailable, "is down")) } else { Ok(()) }
    }

    /// In place of the answer.
    pub(super) fn after<T>(&self, answer: Result<T, Fault>) -> Result<T, Fault> {
        match &self.0 {
            Some(plan) if plan.reset => Err(plan.fault(Outcome::Unavailable, "broke off in the middle of its answer")),
            Some(plan) if plan.malformed => Err(plan.fault(Outcome::Unexpected, "sent an answer that makes no sense")),
            _ => answer,
        }
    }
}

impl Plan {
    fn fault(&self, outcome: Outcome, what: &str) -> Fault {
        Fault::new(outcome, format!("{} {what}, as `faults` of the connection says", self.connection))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::connector::Percent;

    async fn outcomes(faults: Faults, left: Duration) -> Vec<Option<Outcome>> {
        let (name, mut rng) = (ConnectionName::parse("own").unwrap(), fastrand::Rng::with_seed(3));
        let mut found = Vec::new();
        for _ in 0..100 {
            let rehearsal = Rehearsal::new(&name, faults, || rng.fork());
            let before = rehearsal.before(Deadline::after(left)).await;
            found.push(before.and_then(|()| rehearsal.after(Ok(()))).err().map(|fault| fault.outcome));
        }
        found
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_wrong_goes_wrong_as_often_as_it_says() {
        let some = Percent::new(30).ok();
        let count = |found: &[Option<Outcome>], outcome| found.iter().filter(|it| **it == Some(outcome)).count();
        let found = outcomes(Faults { errors: some, malformed: some, ..Faults::default() }, Duration::from_secs(1)).await;
        let (down, wrong) = (count(&found, Outcome::Unavailable), count(&found, Outcome::Unexpected));
        assert!((20..=40).contains(&down) && (10..=30).contains(&wrong), "{down} {wrong}");
        assert!(outcomes(Faults::default(), Duration::from_secs(1)).await.iter().all(Option::is_none));
        let slow = Faults { latency: Some(Duration::from_secs(2)), ..Faults::default() };
        assert_eq!(count(&outcomes(slow, Duration::from_secs(1)).await, Outcome::Timeout), 100);
        assert_eq!(count(&outcomes(slow, Duration::from_secs(3)).await, Outcome::Timeout), 0);
    }
}
