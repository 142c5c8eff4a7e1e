//! Time that stands still while somebody works and passes at once when everybody only waits, for tests and rehearsals.
//!
//! A runtime whose time is paused knows of its own tasks alone. What works elsewhere, such as a database on a thread of its
//! own or a server behind a socket, is waited for within [`outside`], or its time would pass before it has begun. Where
//! time is not paused, nothing here does anything.

use std::cell::Cell;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

thread_local! {
    static PAUSED: Cell<bool> = const { Cell::new(false) };
}

/// How long something outside is waited for before time passes after all, so that its caller runs out of time.
const LONGEST: Duration = Duration::from_secs(30);

/// Runs `work` to its end on a runtime of this thread, on which it may [`begin`]. Blocks.
///
/// # Errors
/// When no runtime can be made.
pub fn run<F: Future>(work: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _ended = Ended;
    Ok(runtime.block_on(work))
}

/// From here on, until [`run`] ends, time passes only when everybody waits for it.
pub fn begin() {
    if !PAUSED.replace(true) {
        tokio::time::pause();
    }
}

/// Waits for something that the runtime knows nothing of: time stands still meanwhile.
pub async fn outside<F: Future>(work: F) -> F::Output {
    let _still = Still::begin();
    work.await
}

/// Time is not paused on this thread any more, however the work ended.
struct Ended;

impl Drop for Ended {
    fn drop(&mut self) {
        PAUSED.set(false);
    }
}

/// While it is held, time does not pass: a runtime does not put its time forward while it has blocking work.
struct Still {
    _ends: Sender<()>,
}

impl Still {
    fn begin() -> Option<Self> {
        if !PAUSED.get() {
            return None;
        }
        let (ends, ended): (_, Receiver<()>) = channel();
        drop(tokio::task::spawn_blocking(move || ended.recv_timeout(LONGEST)));
        Some(Self { _ends: ends })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    /// Something on a thread of its own, which the runtime cannot know of.
    async fn elsewhere() -> u32 {
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            std::thread::yield_now();
            tell.send((0..200_000_u32).fold(0, |sum, number| sum ^ std::hint::black_box(number)))
        });
        told.await.unwrap()
    }

    #[test]
    fn waits_take_no_time_and_work_elsewhere_takes_none_of_theirs() {
        let second = Duration::from_secs(1);
        let hours = run(async {
            begin();
            let begun = Instant::now();
            for _ in 0..20 {
                // It would be late by far if its time passed as soon as nothing here has anything to do.
                assert!(timeout(second, outside(elsewhere())).await.is_ok());
            }
            assert_eq!(begun.elapsed(), Duration::ZERO);
            tokio::join!(sleep(3_600 * second), outside(elsewhere()));
            begun.elapsed().as_secs() / 3_600
        });
        assert_eq!((hours.unwrap(), PAUSED.get()), (1, false));
    }

    #[tokio::test]
    async fn where_time_is_not_paused_nothing_is_held() {
        assert!(Still::begin().is_none());
        assert_eq!(outside(async { 1 }).await, 1);
    }
}
