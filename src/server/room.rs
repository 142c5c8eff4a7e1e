//! Room for bodies: how much of them is held at the same time. Many large ones that come at once wait for one another, and do
//! not fill the memory.
//!
//! A body's share is given back when the last that looks at the body lets go of it, which is as soon as its call was read.
//! What a body inflates to is not known before, so few are inflated at the same time instead. Nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::reply::Refusal;
use crate::telemetry::{Crowd, Crowded};

/// How many bytes of bodies are held at the same time, or as many as the largest body has.
const BYTES: usize = 16 << 20;

/// How many bodies are inflated and read at the same time.
const INFLATING: usize = 4;

/// How long a body waits for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// What shares are counted in.
const KIB: usize = 1 << 10;

/// Room for bodies.
pub(super) struct Room {
    kib: Arc<Semaphore>,
    most: usize,
    inflating: Arc<Semaphore>,
    crowded: Crowded,
}

/// A part of the room, free again when this is dropped.
pub(super) struct Share(OwnedSemaphorePermit);

impl Room {
    /// Room for bodies of at most `largest` bytes each.
    pub(super) fn new(largest: usize) -> Self {
        let most = (BYTES.max(largest) / KIB + 1).min(u32::MAX as usize);
        let (kib, inflating) = (Arc::new(Semaphore::new(most)), Arc::new(Semaphore::new(INFLATING)));
        Self { kib, most, inflating, crowded: Crowded::new(Crowd::Bodies, most * KIB) }
    }

    /// Waits for room for so many bytes.
    pub(super) async fn take(&self, bytes: usize) -> Result<Share, Refusal> {
        let kib = bytes.div_ceil(KIB).clamp(1, self.most);
        self.share(&self.kib, u32::try_from(kib).unwrap_or(u32::MAX)).await
    }

    /// Waits until one more body may be inflated.
    pub(super) async fn inflate(&self) -> Result<Share, Refusal> {
        self.share(&self.inflating, 1).await
    }

    async fn share(&self, of: &Arc<Semaphore>, many: u32) -> Result<Share, Refusal> {
        if let Ok(permit) = Arc::clone(of).try_acquire_many_owned(many) {
            return Ok(Share(permit));
        }
        self.crowded.emit();
        match timeout(PATIENCE, Arc::clone(of).acquire_many_owned(many)).await {
            Ok(Ok(permit)) => Ok(Share(permit)),
            _ => Err(Refusal::NoRoom),
        }
    }
}

impl Share {
    /// Adds another part of the same room.
    pub(super) fn grow(&mut self, more: Self) {
        self.0.merge(more.0);
    }

    /// How many bytes there is room for.
    pub(super) fn bytes(&self) -> usize {
        self.0.num_permits() * KIB
    }

    /// The body, which holds its share until nobody looks at it any more.
    pub(super) fn around(self, body: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        struct Held<B>(B, #[expect(dead_code, reason = "held for its drop")] Share);
        impl<B: AsRef<[u8]>> AsRef<[u8]> for Held<B> {
            fn as_ref(&self) -> &[u8] {
                self.0.as_ref()
            }
        }
        Bytes::from_owner(Held(body, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_waits_until_another_is_let_go_of() {
        let room = Room::new(1 << 10);
        let whole = room.take(usize::MAX).await.unwrap();
        assert_eq!(room.take(1).await.err(), Some(Refusal::NoRoom));
        let body = whole.around(vec![1, 2, 3]);
        let slice = body.slice(1..);
        drop(body);
        let mut waiting = Box::pin(room.take(5000));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(slice.as_ref(), [2, 3]);
        drop(slice);
        let mut share = waiting.await.unwrap();
        assert_eq!(share.bytes(), 5 << 10);
        share.grow(room.take(1).await.unwrap());
        assert_eq!(share.bytes(), 6 << 10);
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_body_has_room_and_few_are_inflated_at_once() {
        let room = Room::new(100 << 20);
        assert!(room.take(100 << 20).await.unwrap().bytes() >= 100 << 20);
        let mut inflating = Vec::new();
        for _ in 0..INFLATING {
            inflating.push(room.inflate().await.unwrap());
        }
        assert_eq!(room.inflate().await.err(), Some(Refusal::NoRoom));
        inflating.pop();
        assert!(room.inflate().await.is_ok());
    }
}
