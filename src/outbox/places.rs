//! Does what comes due, a few at the same time: one that takes long, as a conversation that is busy or a system that does not
//! answer, holds its own place and nothing else.
//!
//! What is due and what is done with it is for others to say; nothing is looked for while all places are taken.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::deliver::every;

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(1);

/// Looks for what is due once a second and whenever a place becomes free, until it is dropped.
pub(super) async fn keeps_at<T, Taking, Doing>(places: usize, take: impl Fn(usize) -> Taking, each: impl Fn(T) -> Doing) -> !
where
    Taking: Future<Output = Vec<T>>,
    Doing: Future<Output = ()>,
{
    let mut ticks = every(LOOK);
    let mut doing = FuturesUnordered::new();
    loop {
        let free = places.saturating_sub(doing.len());
        if free > 0 {
            let mut taking = pin!(take(free));
            // What was begun goes on while it is looked for more.
            let taken = loop {
                tokio::select! {
                    taken = &mut taking => break taken,
                    Some(()) = doing.next() => {}
                }
            };
            doing.extend(taken.into_iter().map(&each));
        }
        tokio::select! {
            Some(()) = doing.next() => {}
            _ = ticks.tick() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use pretty_assertions::assert_eq;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    /// What was done, in order and after how many seconds, when each of these takes so many seconds.
    async fn done(places: usize, takes: &[u64]) -> Vec<(u64, u64)> {
        let (due, done) = (RefCell::new(VecDeque::from(takes.to_vec())), RefCell::new(Vec::new()));
        let began = Instant::now();
        let take = |free| {
            let mut due = due.borrow_mut();
            let most = due.len().min(free);
            std::future::ready(due.drain(..most).collect())
        };
        let each = async |seconds| {
            sleep(Duration::from_secs(seconds)).await;
            done.borrow_mut().push((seconds, began.elapsed().as_secs()));
        };
        let ended = timeout(Duration::from_secs(100), keeps_at(places, take, each)).await;
        assert!(ended.is_err());
        done.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_long_holds_no_other_up() {
        assert_eq!(done(2, &[60, 1, 2, 3]).await, [(1, 1), (2, 3), (3, 6), (60, 60)]);
        assert_eq!(done(1, &[3, 1]).await, [(3, 3), (1, 4)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_due_meanwhile_is_done() {
        let (began, looks, done) = (Instant::now(), RefCell::new(0), RefCell::new(Vec::new()));
        let take = |_| {
            *looks.borrow_mut() += 1;
            // One is due at once and never ends, another three seconds later.
            let due = match (*looks.borrow(), began.elapsed().as_secs()) {
                (1, _) => vec![600],
                (_, 3) if done.borrow().is_empty() => vec![0],
                _ => Vec::new(),
            };
            std::future::ready(due)
        };
        let each = async |seconds| {
            sleep(Duration::from_secs(seconds)).await;
            done.borrow_mut().push(began.elapsed().as_secs());
        };
        let ended = timeout(Duration::from_secs(10), keeps_at(4, take, each)).await;
        assert!(ended.is_err());
        assert_eq!(*done.borrow(), [3]);
    }
}
