//! How many requests a call has sent, and whether it may send one again.
//!
//! It decides nothing about when a repeat helps; that is for `http::exchange`.

use std::sync::atomic::{AtomicU32, Ordering};

/// The requests of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    sent: AtomicU32,
    repeats: bool,
}

impl Attempts {
    /// Of a call that is repeated where that helps.
    pub(super) const fn new() -> Self {
        Self { sent: AtomicU32::new(0), repeats: true }
    }

    /// Of a call that is made once, since somebody only wants to know whether it works.
    pub(super) const fn single() -> Self {
        Self { sent: AtomicU32::new(0), repeats: false }
    }

    /// One more was sent.
    pub(super) fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were sent.
    pub(super) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether a request may be sent again.
    pub(super) const fn repeats(&self) -> bool {
        self.repeats
    }
}
