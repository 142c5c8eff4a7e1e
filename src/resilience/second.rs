//! What the second level of the cache has to be able to do: a place that several processes share.
//!
//! It knows names and bytes, and a *generation* for every operation that reads: a number that a write moves on. What an answer
//! is, how old it may be and whether its generations are still those of now is for the cache to say. Nothing here waits for
//! anybody: how long an answer of it is worth waiting for is for the cache as well.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::cache::ReadOf;
use crate::store::StoreError;

/// What was found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What was put there last; none when nothing is kept.
    pub kept: Option<Vec<u8>>,
    /// The generation of each of the reads, in their order. One that was forgotten begins anew, far from where it was.
    pub generations: Vec<i64>,
}

/// Keeps answers beyond the process, for all processes of a project.
pub trait SecondLevel: Send + Sync + 'static {
    /// What it is, such as `redis`.
    fn kind(&self) -> &'static str;

    /// What is kept under `name`, and the generations of `reads`, both of the same moment.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn look<'a>(&'a self, name: &'a [u8], reads: &'a [ReadOf]) -> BoxFuture<'a, Result<Looked, StoreError>>;

    /// Keeps bytes under `name` for a time.
    ///
    /// # Errors
    /// When they are not kept.
    fn put<'a>(&'a self, name: &'a [u8], bytes: &'a [u8], keep: Duration) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Moves the generations of `reads` on, and tells the other processes.
    ///
    /// # Errors
    /// When that is not done, or nobody knows whether it is.
    fn outdate<'a>(&'a self, reads: &'a [ReadOf]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Removes everything that is kept, of whatever name; generations stay.
    ///
    /// # Errors
    /// When it is not all removed.
    fn empty(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Whether it answers; connects to it where it is not connected.
    ///
    /// # Errors
    /// Why it does not; never with a secret.
    fn reached(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Tells `outdated` what other processes outdate, until it breaks off; then, why.
    fn hear<'a>(&'a self, outdated: &'a (dyn Fn(&[ReadOf]) + Send + Sync)) -> BoxFuture<'a, StoreError>;
}

#[cfg(feature = "redis")]
mod in_redis {
    use futures_util::FutureExt as _;

    use super::{BoxFuture, Duration, Looked, ReadOf, SecondLevel, StoreError};
    use crate::store::RedisCache;

    impl SecondLevel for RedisCache {
        fn kind(&self) -> &'static str {
            "redis"
        }

        fn look<'a>(&'a self, name: &'a [u8], reads: &'a [ReadOf]) -> BoxFuture<'a, Result<Looked, StoreError>> {
            let looked = self.get(name, reads);
            async { looked.await.map(|(kept, generations)| Looked { kept, generations }) }.boxed()
        }

        fn put<'a>(&'a self, name: &'a [u8], bytes: &'a [u8], keep: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
            self.set(name, bytes, keep).boxed()
        }

        fn outdate<'a>(&'a self, reads: &'a [ReadOf]) -> BoxFuture<'a, Result<(), StoreError>> {
            self.move_on(reads).boxed()
        }

        fn empty(&self) -> BoxFuture<'_, Result<(), StoreError>> {
            self.remove_all().boxed()
        }

        fn reached(&self) -> BoxFuture<'_, Result<(), StoreError>> {
            Self::reached(self).boxed()
        }

        fn hear<'a>(&'a self, outdated: &'a (dyn Fn(&[ReadOf]) + Send + Sync)) -> BoxFuture<'a, StoreError> {
            self.listen(outdated).boxed()
        }
    }
}
