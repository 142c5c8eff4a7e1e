//! What becomes of a write by how it ended: pure decisions, for the turn that made it and for the worker that makes it later.
//!
//! A write that may have been done is made again only where that cannot do it twice. What a system refused is not made again.

use std::time::Duration;

use crate::connector::{Again, Writing};
use crate::fault::{Class, Fault, Outcome};
use crate::store::State;

/// Whether something was done, or may have been.
pub(super) fn touched(fault: &Fault) -> bool {
    fault.unsettled || !fault.done.is_empty()
}

/// What becomes of a write that its turn made, and that ended with this fault. `later` says whether it may be made later.
pub(super) fn of_turn(fault: &Fault, writing: Writing, later: bool) -> State {
    let again = match writing.again {
        Again::Never => !touched(fault),
        Again::Within(_) | Again::Always => true,
    };
    if !again {
        return State::Unclear;
    }
    let passes = matches!(fault.outcome, Outcome::Unavailable | Outcome::RateLimited | Outcome::Timeout);
    match passes && !fault.too_often && later && writing.later {
        true => State::Queued,
        false => State::Failed,
    }
}

/// Whether a write that may have been done can be made again so long after it was made first.
pub(super) fn can_be_made_again(again: Again, since: Duration) -> bool {
    match again {
        Again::Never => false,
        Again::Within(kept) => since < kept,
        Again::Always => true,
    }
}

/// How far a write is that is made later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    /// How often it was tried, this time included.
    pub(super) attempts: u32,
    /// How long ago it was begun.
    pub(super) since: Duration,
}

/// How often, and how long, a write is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) attempts: u32,
    pub(super) first_wait: Duration,
    pub(super) longest_wait: Duration,
    pub(super) give_up_after: Duration,
}

impl Patience {
    /// What becomes of a write that was made later, and ended with this fault; with the time until the next try of one that
    /// stays in the queue. `spread`, between 0 and 1, keeps those that failed together from coming together.
    pub(super) fn of_later(&self, fault: &Fault, again: Again, tried: Tried, spread: f64) -> (State, Duration) {
        if touched(fault) && !can_be_made_again(again, tried.since) {
            return (State::Unclear, Duration::ZERO);
        }
        // An operator may put right what is misconfigured, and a system that answers with nonsense may come to its senses. Only
        // what it refused stays refused.
        if fault.class() == Class::Rejected || tried.attempts >= self.attempts || tried.since >= self.give_up_after {
            return (State::Dead, Duration::ZERO);
        }
        let wait = self.wait(tried.attempts, spread);
        (State::Queued, fault.retry_after.map_or(wait, |asked| asked.max(wait)).min(self.longest_wait.max(wait)))
    }

    /// The time until the next try after so many.
    pub(super) fn wait(&self, attempts: u32, spread: f64) -> Duration {
        let doubled = self.first_wait.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.longest_wait).mul_f64(0.75 + 0.5 * spread.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const SURE: Writing = Writing { again: Again::Always, undone: false, later: true };
    const PATIENCE: Patience = Patience {
        attempts: 3,
        first_wait: Duration::from_secs(4),
        longest_wait: Duration::from_secs(60),
        give_up_after: Duration::from_secs(600),
    };

    fn fault(outcome: Outcome) -> Fault {
        Fault::new(outcome, "")
    }

    fn open(outcome: Outcome) -> Fault {
        Fault { unsettled: true, ..fault(outcome) }
    }

    #[test]
    fn what_did_not_reach_its_system_is_queued_and_what_was_refused_is_not() {
        for outcome in [Outcome::Unavailable, Outcome::RateLimited, Outcome::Timeout] {
            assert_eq!(of_turn(&fault(outcome), SURE, true), State::Queued, "{outcome}");
            assert_eq!(of_turn(&fault(outcome), SURE, false), State::Failed, "{outcome}");
            assert_eq!(of_turn(&fault(outcome), Writing { later: false, ..SURE }, true), State::Failed, "{outcome}");
            assert_eq!(of_turn(&fault(outcome), Writing { again: Again::Never, ..SURE }, true), State::Queued, "{outcome}");
        }
        for outcome in [Outcome::Invalid, Outcome::Denied, Outcome::Conflict, Outcome::NotFound, Outcome::Misconfigured] {
            assert_eq!(of_turn(&fault(outcome), SURE, true), State::Failed, "{outcome}");
        }
        let too_often = Fault { too_often: true, ..fault(Outcome::RateLimited) };
        assert_eq!(of_turn(&too_often, SURE, true), State::Failed);
    }

    #[test]
    fn what_may_have_been_done_is_made_again_only_where_that_cannot_do_it_twice() {
        let never = Writing { again: Again::Never, ..SURE };
        for outcome in [Outcome::Unavailable, Outcome::Timeout, Outcome::Unexpected] {
            assert_eq!(of_turn(&open(outcome), never, true), State::Unclear, "{outcome}");
        }
        assert_eq!(of_turn(&open(Outcome::Timeout), SURE, true), State::Queued);
        assert_eq!(of_turn(&open(Outcome::Unexpected), SURE, true), State::Failed);
        let partly = fault(Outcome::Conflict).after(vec!["a".to_owned()]);
        assert_eq!(of_turn(&partly, never, true), State::Unclear);
        assert_eq!(of_turn(&partly, SURE, true), State::Failed);
        let hour = Duration::from_secs(3600);
        assert!(can_be_made_again(Again::Within(hour), hour / 2) && !can_be_made_again(Again::Within(hour), hour));
    }

    #[test]
    fn later_tries_wait_longer_and_come_to_an_end() {
        let tried = |attempts, seconds| Tried { attempts, since: Duration::from_secs(seconds) };
        let of = |fault: &Fault, again, tried| PATIENCE.of_later(fault, again, tried, 0.5);
        let down = fault(Outcome::Unavailable);
        assert_eq!(of(&down, Again::Never, tried(1, 5)), (State::Queued, Duration::from_secs(4)));
        assert_eq!(of(&down, Again::Never, tried(2, 9)), (State::Queued, Duration::from_secs(8)));
        assert_eq!(of(&down, Again::Never, tried(3, 9)).0, State::Dead);
        assert_eq!(of(&down, Again::Never, tried(1, 600)).0, State::Dead);
        assert_eq!(of(&open(Outcome::Timeout), Again::Never, tried(1, 5)).0, State::Unclear);
        assert_eq!(of(&open(Outcome::Timeout), Again::Within(Duration::from_secs(5)), tried(1, 5)).0, State::Unclear);
        assert_eq!(of(&open(Outcome::Timeout), Again::Always, tried(1, 5)).0, State::Queued);
        assert_eq!(of(&fault(Outcome::Invalid), Again::Always, tried(1, 5)).0, State::Dead);
        assert_eq!(of(&open(Outcome::Unexpected), Again::Always, tried(1, 5)).0, State::Queued);
        assert_eq!(of(&open(Outcome::Unexpected), Again::Never, tried(1, 5)).0, State::Unclear);
        assert_eq!(of(&fault(Outcome::Misconfigured), Again::Always, tried(1, 5)).0, State::Queued);
        let asked = Fault { retry_after: Some(Duration::from_secs(30)), ..fault(Outcome::RateLimited) };
        assert_eq!(of(&asked, Again::Always, tried(1, 5)), (State::Queued, Duration::from_secs(30)));
        assert_eq!(PATIENCE.wait(40, 1.0), Duration::from_secs(75));
        assert_eq!(PATIENCE.wait(1, 0.0), Duration::from_secs(3));
    }
}
