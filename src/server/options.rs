//! What the door is told when it is built: plain data, checked by whoever reads the configuration.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Cors;
use super::request_id::RequestIds;
use crate::name::CallerName;
use crate::rasa::Limits;
use crate::secret::Secret;
use crate::telemetry::Metrics;

/// How the door behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who may call. None at all lets everybody in, as [`CallerName::anonymous`].
    pub auth: Vec<AuthEntry>,
    /// Which origins browsers may call from.
    pub cors: Cors,
    /// How many bytes a body may have, as sent and after inflating.
    pub body_limit: usize,
    /// How deeply a body may be nested.
    pub limits: Limits,
    /// How long the client may take to send its body.
    pub body_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth: Vec::new(),
            cors: Cors::none(),
            body_limit: 20 << 20,
            limits: Limits::default(),
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// One caller's way to prove itself. A caller may have several, so that a secret can be changed without an interruption.
#[derive(Debug, Clone)]
pub struct AuthEntry {
    /// Whose proof this is. Work, answers and domains of one caller are never shared with another.
    pub name: CallerName,
    /// What has to be shown.
    pub proof: Proof,
}

/// What a caller has to show.
#[derive(Debug, Clone)]
pub enum Proof {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// Any header with this value.
    Header {
        /// The header's name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// HTTP Basic, encoded in Latin-1 as Rasa does, or in UTF-8.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A query parameter, as Rasa sends `token:` of its endpoints.yml.
    Token {
        /// The parameter, `token` unless `token_name` says otherwise.
        parameter: String,
        /// Its value.
        value: Secret,
    },
}

/// What the operators' pages tell besides what the engine knows.
#[derive(Clone)]
pub struct Facts {
    /// What was configured, without secrets, as `/status` shows it.
    pub config: serde_json::Value,
    /// What `/metrics` renders.
    pub metrics: Metrics,
    /// Whether the server is about to stop.
    pub draining: Draining,
    /// Since when it runs, and what it serves.
    pub life: Life,
}

/// Since when a server runs, and what became of its project meanwhile. Clones are the same.
#[derive(Debug, Clone)]
pub struct Life(Arc<Lived>);

#[derive(Debug)]
struct Lived {
    started: Instant,
    ids: RequestIds,
    project: Mutex<serde_json::Value>,
}

impl Default for Life {
    fn default() -> Self {
        Self(Arc::new(Lived { started: Instant::now(), ids: RequestIds::new(), project: Mutex::default() }))
    }
}

impl Life {
    /// From here on `/status` shows this of the project.
    pub fn project_is(&self, shown: serde_json::Value) {
        *self.0.project.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    pub(super) fn project(&self) -> serde_json::Value {
        self.0.project.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn ids(&self) -> &RequestIds {
        &self.0.ids
    }

    pub(super) fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }
}

/// Whether the server is about to stop. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on it is.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
