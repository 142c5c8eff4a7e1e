//! What users proved by one-time codes, and the codes that are under way: what a store of them promises, and one in memory.
//!
//! A store never sees a code, only its keyed digest. Every method is one atomic step, so that codes cannot be tried side by
//! side more often than is allowed. The one in memory has a bound: when it is full it takes nothing new rather than forget a
//! limit.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::SystemRandom;
use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::StoreError;
use crate::name::CallerName;

/// A conversation: whose assistant it is on, and its id there.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Who {
    /// The caller.
    pub caller: CallerName,
    /// The conversation's id.
    pub sender: String,
}

/// How something was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By a signed token in the metadata of a message.
    Metadata,
    /// By a one-time code.
    Code,
    /// A test says so.
    Test,
}

impl By {
    /// The word in `verified.by`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Code => "code",
            Self::Test => "test",
        }
    }

    /// What that word says.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Metadata, Self::Code, Self::Test].into_iter().find(|by| by.name() == name)
    }
}

/// What a user proved. It has no `Debug`: it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Proved {
    /// An e-mail address.
    pub email: Option<String>,
    /// A phone number.
    pub phone: Option<String>,
    /// A customer's number.
    pub customer: Option<String>,
    /// How.
    pub by: By,
    /// When, where that is known.
    pub at: Option<DateTime<Utc>>,
}

/// A code that is under way.
#[derive(Clone)]
pub struct Challenge {
    /// Where it was sent.
    pub address: String,
    /// The code's keyed digest.
    pub digest: Vec<u8>,
    /// What it was digested with besides.
    pub salt: [u8; 16],
    /// Until when it can be used.
    pub until: DateTime<Utc>,
    /// How often it may still be tried.
    pub attempts: u32,
}

/// How often codes may be sent, by one sender and to one address.
#[derive(Debug, Clone, Copy)]
pub struct Sending {
    /// The time between two.
    pub resend_after: Duration,
    /// How many in an hour.
    pub per_hour: u32,
}

/// What came of asking for another try.
pub enum Attempt {
    /// There is no code, or it is too old.
    Nothing,
    /// It was tried too often.
    Exhausted,
    /// This may be tried; the try is counted.
    Try(Challenge),
}

/// Keeps codes and what was proved by them.
pub trait VerificationStore: Send + Sync {
    /// What codes are digested with, so that whoever reads the store alone finds no code: the same for all who share it.
    ///
    /// # Errors
    /// When there is none to be had.
    fn key(&self) -> BoxFuture<'_, Result<hmac::Key, StoreError>>;

    /// What a conversation's user proved, while it lasts.
    ///
    /// # Errors
    /// When it cannot be read.
    fn proved<'a>(&'a self, who: &'a Who, now: DateTime<Utc>) -> BoxFuture<'a, Result<Option<Proved>, StoreError>>;

    /// Keeps what was proved, until then, and ends the code under way.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn prove<'a>(
        &'a self,
        who: &'a Who,
        proved: Proved,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Counts a code that is about to be sent and keeps it in the place of an earlier one; false when it is too early or there
    /// were too many, and then nothing has changed.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn begin<'a>(
        &'a self,
        who: &'a Who,
        challenge: Challenge,
        sending: Sending,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Counts a try of the code under way, and gives what to hold it against.
    ///
    /// # Errors
    /// When it cannot be counted.
    fn attempt<'a>(&'a self, who: &'a Who, now: DateTime<Utc>) -> BoxFuture<'a, Result<Attempt, StoreError>>;
}

/// How many conversations and addresses are kept at most, of each kind.
const MOST: usize = 50_000;
/// Over which time sent codes are counted.
pub(super) const HOUR: chrono::Duration = chrono::Duration::hours(1);

/// A store that ends with the process.
#[derive(Default)]
pub struct MemoryVerifications(Mutex<Kept>, OnceLock<hmac::Key>);

#[derive(Default)]
struct Kept {
    proved: HashMap<Who, (Proved, DateTime<Utc>)>,
    under_way: HashMap<Who, Challenge>,
    by_sender: HashMap<Who, Vec<DateTime<Utc>>>,
    to_address: HashMap<String, Vec<DateTime<Utc>>>,
}

impl MemoryVerifications {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn begin(&mut self, who: &Who, challenge: Challenge, sending: Sending, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let recent = |sent: &Vec<DateTime<Utc>>| sent.iter().any(|at| *at > now - HOUR);
        room(&mut self.under_way, who, |challenge| challenge.until > now)?;
        room(&mut self.by_sender, who, recent)?;
        room(&mut self.to_address, &challenge.address, recent)?;
        let most = usize::try_from(sending.per_hour).unwrap_or(usize::MAX);
        let wait = chrono::Duration::from_std(sending.resend_after).unwrap_or(HOUR);
        let by_sender = self.by_sender.entry(who.clone()).or_default();
        let to_address = self.to_address.entry(challenge.address.clone()).or_default();
        for sent in [&mut *by_sender, &mut *to_address] {
            sent.retain(|at| *at > now - HOUR);
            if sent.len() >= most || sent.last().is_some_and(|last| *last > now - wait) {
                return Ok(false);
            }
        }
        by_sender.push(now);
        to_address.push(now);
        self.under_way.insert(who.clone(), challenge);
        Ok(true)
    }

    fn attempt(&mut self, who: &Who, now: DateTime<Utc>) -> Attempt {
        let Some(challenge) = self.under_way.get_mut(who).filter(|challenge| challenge.until > now) else {
            self.under_way.remove(who);
            return Attempt::Nothing;
        };
        let Some(left) = challenge.attempts.checked_sub(1) else { return Attempt::Exhausted };
        challenge.attempts = left;
        Attempt::Try(challenge.clone())
    }
}

/// Makes room for one more, by what is no longer `current`.
fn room<K: Hash + Eq, V>(map: &mut HashMap<K, V>, key: &K, current: impl Fn(&V) -> bool) -> Result<(), StoreError> {
    if map.len() < MOST || map.contains_key(key) {
        return Ok(());
    }
    map.retain(|_, value| current(value));
    match map.len() < MOST {
        true => Ok(()),
        false => Err(StoreError::Unavailable("too many verifications are under way".to_owned())),
    }
}

impl VerificationStore for MemoryVerifications {
    fn key(&self) -> BoxFuture<'_, Result<hmac::Key, StoreError>> {
        let made = match self.1.get() {
            Some(key) => Ok(key.clone()),
            None => hmac::Key::generate(HMAC_SHA256, &SystemRandom::new())
                .map(|key| self.1.get_or_init(|| key).clone())
                .map_err(|_| StoreError::Unavailable("the system gives no random numbers".to_owned())),
        };
        ready(made).boxed()
    }

    fn proved<'a>(&'a self, who: &'a Who, now: DateTime<Utc>) -> BoxFuture<'a, Result<Option<Proved>, StoreError>> {
        let found = self.kept().proved.get(who).filter(|(_, until)| *until > now).map(|(proved, _)| proved.clone());
        ready(Ok(found)).boxed()
    }

    fn prove<'a>(
        &'a self,
        who: &'a Who,
        proved: Proved,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut kept = self.kept();
        let made = room(&mut kept.proved, who, |(_, until)| *until > now);
        if made.is_ok() {
            kept.proved.insert(who.clone(), (proved, until));
            kept.under_way.remove(who);
        }
        ready(made).boxed()
    }

    fn begin<'a>(
        &'a self,
        who: &'a Who,
        challenge: Challenge,
        sending: Sending,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        ready(self.kept().begin(who, challenge, sending, now)).boxed()
    }

    fn attempt<'a>(&'a self, who: &'a Who, now: DateTime<Utc>) -> BoxFuture<'a, Result<Attempt, StoreError>> {
        ready(Ok(self.kept().attempt(who, now))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDING: Sending = Sending { resend_after: Duration::from_secs(30), per_hour: 5 };

    fn who(sender: usize) -> Who {
        Who { caller: CallerName::anonymous(), sender: sender.to_string() }
    }

    fn challenge(address: usize, until: DateTime<Utc>) -> Challenge {
        Challenge { address: address.to_string(), digest: Vec::new(), salt: [0; 16], until, attempts: 1 }
    }

    #[tokio::test]
    async fn a_full_store_forgets_no_limit_and_takes_more_once_it_may() {
        let store = MemoryVerifications::default();
        let now = DateTime::UNIX_EPOCH;
        let begin =
            async |one: usize, now: DateTime<Utc>| store.begin(&who(one), challenge(one, now + HOUR), SENDING, now).await;
        for one in 0..MOST {
            assert_eq!(begin(one, now).await, Ok(true));
        }
        assert!(matches!(begin(MOST, now).await, Err(StoreError::Unavailable(_))));
        assert_eq!(begin(0, now).await, Ok(false), "the first is still known");
        assert_eq!(begin(0, now + chrono::Duration::seconds(30)).await, Ok(true));
        assert_eq!(begin(MOST, now + HOUR).await, Ok(true));
    }

    #[tokio::test]
    async fn tries_at_the_same_time_are_counted_one_by_one() {
        let store = MemoryVerifications::default();
        let now = DateTime::UNIX_EPOCH;
        let few = Challenge { attempts: 3, ..challenge(1, now + HOUR) };
        assert_eq!(store.begin(&who(1), few, SENDING, now).await, Ok(true));
        let (one, now) = (who(1), now);
        let tries = futures_util::future::join_all((0..10).map(|_| store.attempt(&one, now))).await;
        let tried = tries.iter().filter(|attempt| matches!(attempt, Ok(Attempt::Try(_)))).count();
        let refused = tries.iter().filter(|attempt| matches!(attempt, Ok(Attempt::Exhausted))).count();
        assert_eq!((tried, refused), (3, 7));
    }
}
