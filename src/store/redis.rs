//! Answers in a Redis that several processes share, and what they tell each other of writes.
//!
//! An answer is under a digest of what it answers, of the project and of what seals; where a key is configured, its bytes are
//! sealed for that place, and others are not believed. Every operation has a generation, a number that begins at random, so
//! that one which Redis forgot is never taken for the one after. A command uses the connection that is there or fails at once:
//! only [`RedisCache::reached`] connects.

use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hmac;
use futures_util::StreamExt as _;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, Pipeline, RedisError, pipe};
use tokio::time::timeout;

use super::seal::Keys;
use super::tokens::StoreError;
use crate::name::{ConnectionName, OperationName};
use crate::secret::Secret;
use crate::time::paused::outside;

/// What every name begins with; the number changes with the shape of what is kept.
const NAMES: &str = "legwork:1";
/// Where processes tell each other what was outdated.
const CHANNEL: &str = "legwork:1:outdated";
/// How long a generation is remembered that nobody moves on.
const GENERATION: Duration = Duration::from_hours(30 * 24);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a command may take before its connection is given up. Who asks waits for less.
const COMMAND: Duration = Duration::from_secs(2);
/// The first byte of what is kept as it is; sealed bytes begin with their version, which is never 0.
const PLAIN: u8 = 0;
/// Where generations begin: what is far apart has nothing to do with each other.
const BEGINNINGS: std::ops::Range<i64> = 1 << 40..1 << 60;

type ReadOf = (ConnectionName, OperationName);

/// A Redis for answers.
pub struct RedisCache {
    client: Client,
    /// What names are digested with.
    names: hmac::Key,
    keys: Option<Keys>,
    /// This process, to the others.
    me: String,
    rng: Mutex<fastrand::Rng>,
    line: RwLock<Option<Line>>,
}

#[derive(Clone)]
struct Line {
    number: u64,
    connection: MultiplexedConnection,
}

impl RedisCache {
    /// The Redis at `address`, not connected yet. Only processes with the same `scope` and the same keys find each other's
    /// answers; `scope` tells nothing to who reads the Redis.
    ///
    /// # Errors
    /// When the address is none, or customers' data or a password would go to it in the open; never with the address.
    pub fn new(address: &Secret, keys: Option<Keys>, scope: &[&[u8]], mut rng: fastrand::Rng) -> Result<Self, String> {
        let wrong =
            "its address is not one of a Redis: write rediss://user:password@host:6379/0, or redis:// on this machine";
        let text = address.expose();
        // What stands there could turn the check of certificates off.
        if text.contains(['#', '?']) || !["redis://", "rediss://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(wrong.to_owned());
        }
        let client = Client::open(text).map_err(|_| wrong.to_owned())?;
        let info = client.get_connection_info();
        if let ConnectionAddr::Tcp(host, _) = info.addr()
            && !is_here(host)
        {
            if info.redis_settings().password().is_some() {
                return Err("its password would be sent in the open: write rediss://".to_owned());
            }
            if keys.is_none() {
                return Err(
                    "customers' data would be sent in the open: write rediss://, or set `stores.key`, which seals it"
                        .to_owned(),
                );
            }
        }
        let mut digest = Context::new(&SHA256);
        for part in scope {
            digest.update(&part.len().to_be_bytes());
            digest.update(part);
        }
        let names = hmac::Key::new(hmac::HMAC_SHA256, digest.finish().as_ref());
        let me = format!("{:016x}", rng.u64(..));
        Ok(Self { client, names, keys, me, rng: Mutex::new(rng), line: RwLock::default() })
    }

    /// What is kept under `name`, and the generations of `reads`, both of the same moment; one that is not there is begun.
    ///
    /// # Errors
    /// When Redis is not connected, breaks off or refuses.
    pub async fn get(&self, name: &[u8], reads: &[ReadOf]) -> Result<(Option<Vec<u8>>, Vec<i64>), StoreError> {
        let place = self.place(name);
        let generations: Vec<_> = reads.iter().map(generation).collect();
        let query = |begin: bool| {
            let mut query = pipe();
            query.atomic();
            if begin {
                for generation in &generations {
                    self.begin(&mut query, generation);
                }
            }
            query.cmd("GET").arg(&place).cmd("MGET").arg(&generations);
            query
        };
        let (mut kept, mut found): (Option<Vec<u8>>, Vec<Option<i64>>) = self.ask(&query(false)).await?;
        if found.contains(&None) {
            (kept, found) = self.ask(&query(true)).await?;
        }
        let kept = kept.and_then(|bytes| self.unsealed(&place, bytes));
        let found: Option<Vec<i64>> = found.into_iter().collect();
        found.map(|found| (kept, found)).ok_or_else(|| StoreError::Unavailable("Redis forgets at once".to_owned()))
    }

    /// Keeps bytes under `name` for a time.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn set(&self, name: &[u8], bytes: &[u8], keep: Duration) -> Result<(), StoreError> {
        let place = self.place(name);
        let sealed = match &self.keys {
            Some(keys) => keys.seal(&place, bytes).map_err(StoreError::Unavailable)?,
            None => std::iter::once(PLAIN).chain(bytes.iter().copied()).collect(),
        };
        let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 52);
        let mut query = pipe();
        query.cmd("SET").arg(&place).arg(sealed).arg("PX").arg(keep).ignore();
        self.ask(&query).await
    }

    /// Moves the generations of `reads` on, and tells the other processes.
    ///
    /// # Errors
    /// As [`Self::get`]; it may have been done then, which does no harm.
    pub async fn move_on(&self, reads: &[ReadOf]) -> Result<(), StoreError> {
        let mut query = pipe();
        query.atomic();
        let mut told = self.me.clone();
        for read in reads {
            let generation = generation(read);
            self.begin(&mut query, &generation);
            query.cmd("INCR").arg(&generation).ignore();
            told.push_str(&format!(" {}.{}", read.0, read.1));
        }
        query.cmd("PUBLISH").arg(CHANNEL).arg(told).ignore();
        self.ask(&query).await
    }

    /// Removes every answer that is kept, of other projects too: whose they are cannot be told. It looks through all names of
    /// this Redis, a thousand at a time.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn remove_all(&self) -> Result<(), StoreError> {
        let mut at = 0_u64;
        loop {
            let mut query = pipe();
            query.cmd("SCAN").arg(at).arg("MATCH").arg(format!("{NAMES}:answer:*")).arg("COUNT").arg(1000);
            let ((next, names),): ((u64, Vec<String>),) = self.ask(&query).await?;
            if !names.is_empty() {
                let mut query = pipe();
                query.cmd("UNLINK").arg(names).ignore();
                self.ask::<()>(&query).await?;
            }
            if next == 0 {
                return Ok(());
            }
            at = next;
        }
    }

    /// Whether it answers; connects where it is not connected.
    ///
    /// # Errors
    /// Why it does not; never with its address.
    pub async fn reached(&self) -> Result<(), StoreError> {
        if self.line().is_none() {
            let config =
                AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(COMMAND));
            let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
            let connection = outside(connecting).await.map_err(|error| failed(&error))?;
            let number = self.rng().u64(..);
            *self.line.write().unwrap_or_else(PoisonError::into_inner) = Some(Line { number, connection });
        }
        let mut query = pipe();
        query.cmd("PING").ignore();
        self.ask(&query).await
    }

    /// Tells `outdated` what other processes outdate, until that breaks off; then, why.
    pub async fn listen(&self, outdated: &(dyn Fn(&[ReadOf]) + Send + Sync)) -> StoreError {
        let late = || StoreError::Unavailable("Redis does not answer in time".to_owned());
        let Ok(heard) = timeout(CONNECT, self.client.get_async_pubsub()).await else { return late() };
        let mut heard = match heard {
            Ok(heard) => heard,
            Err(error) => return failed(&error),
        };
        match timeout(CONNECT, heard.subscribe(CHANNEL)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return failed(&error),
            Err(_) => return late(),
        }
        let mut messages = heard.into_on_message();
        while let Some(message) = messages.next().await {
            let text = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
            match text.split_once(' ') {
                Some((from, reads)) if from != self.me => {
                    outdated(&reads.split(' ').filter_map(read_of).collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        StoreError::Unavailable("Redis broke off".to_owned())
    }

    async fn ask<T: FromRedisValue>(&self, query: &Pipeline) -> Result<T, StoreError> {
        let unconnected = || StoreError::Unavailable("Redis is not connected".to_owned());
        let Line { number, mut connection } = self.line().ok_or_else(unconnected)?;
        let answer = outside(query.query_async(&mut connection)).await;
        answer.map_err(|error: RedisError| {
            if error.is_unrecoverable_error() || error.is_io_error() {
                let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
                line.take_if(|line| line.number == number);
            }
            failed(&error)
        })
    }

    fn line(&self) -> Option<Line> {
        self.line.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, query: &mut Pipeline, generation: &str) {
        let first = self.rng().i64(BEGINNINGS);
        query.cmd("SET").arg(generation).arg(first).arg("NX").arg("EX").arg(GENERATION.as_secs()).ignore();
    }

    /// The name under which something is kept, as Redis sees it.
    fn place(&self, name: &[u8]) -> String {
        let digest = hmac::sign(&self.names, name);
        digest.as_ref().iter().fold(format!("{NAMES}:answer:"), |name, byte| format!("{name}{byte:02x}"))
    }

    /// What can be believed of what is kept: with a key, only what was sealed with it.
    fn unsealed(&self, place: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
        match (&self.keys, bytes.split_first()) {
            (Some(keys), _) => keys.open(place, &bytes).ok(),
            (None, Some((&PLAIN, plain))) => Some(plain.to_vec()),
            (None, _) => None,
        }
    }

    fn rng(&self) -> std::sync::MutexGuard<'_, fastrand::Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisCache")
    }
}

fn generation((connection, operation): &ReadOf) -> String {
    format!("{NAMES}:generation:{connection}.{operation}")
}

fn read_of(text: &str) -> Option<ReadOf> {
    let (connection, operation) = text.split_once('.')?;
    Some((ConnectionName::parse(connection)?, OperationName::parse(operation)?))
}

/// A failure for people: a message of the server may quote what it was sent, its code does not.
fn failed(error: &RedisError) -> StoreError {
    StoreError::Unavailable(match error.code() {
        Some(code) => format!("Redis answers {code}"),
        None if error.is_connection_refusal() => "Redis cannot be reached: nobody listens there".to_owned(),
        None if error.is_timeout() => "Redis does not answer in time".to_owned(),
        None if error.is_io_error() => format!("Redis cannot be reached: {error}"),
        None => format!("Redis cannot be used: {}", error.category()),
    })
}

fn is_here(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
