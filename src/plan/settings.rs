//! The checked settings of a project: limits of turns, the server, and the project's own words.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::assistant::Assistant;
use super::fallback::Fallback;
use super::messages::Messages;
use crate::format::Locale;
use crate::name::{CallerName, ConnectionName, OperationName};
use crate::resilience::Keep;
use crate::secret::Reference;
use crate::template::{Template, Value};

/// How long turns may take, by input channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// On most channels.
    pub times: Times,
    /// What is otherwise on some.
    pub channels: BTreeMap<String, ChannelTimes>,
}

/// How long a turn may take. `slow_after` is never the longer of the two; where they are equal, a turn is never slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When the user hears that it takes longer.
    pub slow_after: Duration,
    /// When it ends with the message for `timeout`.
    pub give_up_after: Duration,
}

impl Times {
    /// What is left for the second call of a slow turn, whose first has waited already; where no turn is slow any more, nobody
    /// knows how long.
    #[must_use]
    pub fn left_for_second(self) -> Duration {
        match self.slow_after < self.give_up_after {
            true => self.give_up_after - self.slow_after,
            false => self.give_up_after,
        }
    }
}

/// What is otherwise on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelTimes {
    /// When the user hears that it takes longer.
    pub slow_after: Option<Duration>,
    /// When it ends.
    pub give_up_after: Option<Duration>,
}

/// The channel that repeats what is not answered within three seconds, and after how long it is told something.
const SLACK: (&str, Duration) = ("slack", Duration::from_secs(2));

impl Default for Limits {
    fn default() -> Self {
        let times = Times { slow_after: Duration::from_secs(5), give_up_after: Duration::from_secs(15) };
        Self { times, channels: BTreeMap::new() }
    }
}

impl Limits {
    /// How long a turn on that channel may take.
    #[must_use]
    pub fn on(&self, channel: Option<&str>) -> Times {
        let own = channel.and_then(|name| self.channels.get(name)).copied().unwrap_or_default();
        let built_in = if channel == Some(SLACK.0) { SLACK.1 } else { Duration::MAX };
        let give_up_after = own.give_up_after.unwrap_or(self.times.give_up_after);
        let slow_after = own.slow_after.unwrap_or(self.times.slow_after.min(built_in));
        Times { slow_after: slow_after.min(give_up_after), give_up_after }
    }
}

/// What a server is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// On somebody's own machine.
    #[default]
    Development,
    /// For tests.
    Test,
    /// For customers: callers must prove who they are.
    Production,
}

/// The HTTP server's settings.
#[derive(Debug)]
pub struct Server {
    /// What it is run for.
    pub profile: Profile,
    /// The address to listen on, when one is set.
    pub host: Option<String>,
    /// The port to listen on, when one is set.
    pub port: Option<u16>,
    /// Who may call.
    pub auth: Vec<Caller>,
    /// Web origins that may call from a browser.
    pub cors: Vec<String>,
    /// The largest body in bytes, inflated.
    pub body_limit: usize,
    /// How deep a body may nest.
    pub depth_limit: usize,
    /// How many turns may run at the same time, when that is said.
    pub turns: Option<usize>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            host: None,
            port: None,
            auth: Vec::new(),
            cors: Vec::new(),
            body_limit: 20 << 20,
            depth_limit: 200,
            turns: None,
        }
    }
}

/// Somebody who may call, and how they prove it.
#[derive(Debug)]
pub struct Caller {
    /// The name.
    pub name: CallerName,
    /// The proof.
    pub proof: Proof,
}

/// How a caller proves who it is. The secret itself is read when the server starts.
#[derive(Debug)]
pub enum Proof {
    /// `Authorization: Bearer …`.
    Bearer(Reference),
    /// A header of that name.
    Header(String, Reference),
    /// HTTP Basic of that user.
    Basic(String, Reference),
    /// The query parameter of that name.
    Token(String, Reference),
}

/// The project's own words and customs, shared by all its actions.
#[derive(Debug)]
pub struct Settings {
    /// How long turns may take.
    pub limits: Limits,
    /// The built-in messages.
    pub messages: Arc<Messages>,
    /// The language of a conversation.
    pub locale: Template,
    /// The time zone.
    pub timezone: Tz,
    /// The region of phone numbers and dates, such as `US`.
    pub region: String,
    /// The currency of amounts without one.
    pub currency: String,
    /// What filters look up under the name `legwork`, by language.
    pub words: BTreeMap<String, Value>,
    /// How long customer profiles are kept.
    pub profiles: Keep,
    /// How many bytes of answers are kept.
    pub cache_bytes: u64,
    /// The time at which tests happen that do not say when.
    pub tests_now: Option<DateTime<Utc>>,
    /// The files and folders with stories; none where legwork.yml does not say.
    pub stories: Option<Vec<String>>,
    /// The server.
    pub server: Server,
    /// Where durable state is kept.
    pub stores: Stores,
    /// How writes are made later.
    pub outbox: Outbox,
    /// How users prove who they are.
    pub verify: Verify,
    /// The way back to each assistant that calls.
    pub assistants: BTreeMap<CallerName, Assistant>,
    /// The action server that has the actions which the project does not have.
    pub fallback: Option<Fallback>,
}

impl Settings {
    /// What filters look up, in a locale, else in its language, else in English.
    #[must_use]
    pub fn words_in(&self, locale: &str) -> Option<&Value> {
        [locale, Locale::language_of(locale), "en"].into_iter().find_map(|name| self.words.get(name))
    }
}

/// What users prove: the fields of `verified` that hold it.
pub const PROVED: [&str; 3] = ["email", "phone", "customer"];

/// How users prove who they are.
#[derive(Debug, Default)]
pub struct Verify {
    /// By a signed token in the metadata of their messages.
    pub metadata: Option<SignedMetadata>,
    /// By a one-time code.
    pub code: Option<OneTimeCode>,
}

/// A signed token in the metadata of messages. Its secret is read when the project is opened.
#[derive(Debug)]
pub struct SignedMetadata {
    /// The key of the metadata.
    pub key: String,
    /// How it is signed.
    pub signed: Signed,
    /// The claims that say what [`PROVED`] names, in that order.
    pub claims: [String; 3],
    /// The claim that says which conversation it is for.
    pub sender: String,
}

/// How a token is signed.
#[derive(Debug)]
pub enum Signed {
    /// `v1.PAYLOAD.SIGNATURE`, with HMAC-SHA256.
    Compact(Reference),
    /// A JWT with HS256.
    Hs256(Reference, Addressed),
    /// A JWT with one of these algorithms, checked with a public key.
    Public(Reference, Vec<PublicAlgorithm>, Addressed),
}

/// Who has to have issued a token, and whom it has to be for.
#[derive(Debug, Default, Clone)]
pub struct Addressed {
    /// Its `iss`.
    pub issuer: Option<String>,
    /// Its `aud`, or one of them.
    pub audience: Option<String>,
}

/// The algorithms of tokens that are checked with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicAlgorithm {
    /// RSA with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// What a code is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

/// One-time codes.
#[derive(Debug)]
pub struct OneTimeCode {
    /// The connection that sends them.
    pub connection: ConnectionName,
    /// The operation that does.
    pub operation: OperationName,
    /// Its inputs, which see `address` and `code`.
    pub with: Vec<(String, super::value::Value)>,
    /// What they are sent to.
    pub to: Address,
    /// How many digits they have.
    pub length: usize,
    /// How long one can be used.
    pub valid: Duration,
    /// How often a wrong one may be tried.
    pub attempts: u32,
    /// After which time another may be sent.
    pub resend_after: Duration,
    /// How many may be sent in an hour, by one sender and to one address.
    pub per_hour: u32,
    /// How long the user stays verified.
    pub lasts: Duration,
}

/// Where durable state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores {
    /// The database.
    pub main: MainStore,
    /// The address of a Redis that several processes share as the second level of their caches.
    pub cache: Option<Reference>,
    /// What is in them is sealed with these, newest first; without one, no token is kept, and the rest as it is.
    pub keys: Vec<Reference>,
    /// How long the result of a slow turn waits for the call that takes it.
    pub keep_running: Duration,
    /// How long settled writes and the answers of their turns are kept.
    pub keep_ledger: Duration,
    /// How long writes are kept that were to be made later and cannot be.
    pub keep_dead: Duration,
}

/// The database of durable state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MainStore {
    /// An SQLite file, relative to the project's folder.
    File(PathBuf),
    /// A PostgreSQL server, whose address is a secret.
    Server(Reference),
}

impl Default for Stores {
    fn default() -> Self {
        Self {
            main: MainStore::File(PathBuf::from("legwork.db")),
            cache: None,
            keys: Vec::new(),
            keep_running: Duration::from_mins(2),
            keep_ledger: Duration::from_hours(24),
            keep_dead: Duration::from_hours(30 * 24),
        }
    }
}

/// How writes are made later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbox {
    /// How often at most.
    pub attempts: u32,
    /// The time before the first of these tries, which doubles with each of them.
    pub first_wait: Duration,
    /// The longest time between two of them.
    pub longest_wait: Duration,
    /// How long it is tried at all.
    pub give_up_after: Duration,
    /// How long the same wish in another message is a repeat of a write that is done.
    pub repeat_within: Duration,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            attempts: 200,
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_mins(10),
            give_up_after: Duration::from_hours(24),
            repeat_within: Duration::from_mins(2),
        }
    }
}

/// Whether an address to listen on is this machine's own.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn seconds(limits: &Limits, channel: Option<&str>) -> (u64, u64) {
        let times = limits.on(channel);
        (times.slow_after.as_secs(), times.give_up_after.as_secs())
    }

    #[test]
    fn slack_is_told_something_within_its_three_seconds() {
        let mut limits = Limits::default();
        assert_eq!(seconds(&limits, None), (5, 15));
        assert_eq!(seconds(&limits, Some("slack")), (2, 15));
        limits.times.slow_after = Duration::from_secs(1);
        assert_eq!(seconds(&limits, Some("slack")), (1, 15), "less patience than Slack's stays");
        limits.times.slow_after = Duration::from_secs(8);
        assert_eq!(seconds(&limits, Some("slack")), (2, 15));
        assert_eq!(seconds(&limits, Some("telegram")), (8, 15));
    }
}
