//! Who the user has proved to be: by a signed token that the channel sends, or by a one-time code.
//!
//! A token is looked for in the conversation, newest first, and checked anew at every call that asks, so nothing of it is kept
//! here; of several the newest counts, whatever came of earlier ones. What codes proved is kept by caller and conversation.
//! Neither tokens, codes, addresses nor claims reach a log.

mod codes;
mod token;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::run::Run;
use crate::name::CallerName;
use crate::plan::settings::SignedMetadata;
use crate::rasa::{Call, Object, Tracker};
use crate::secret::Secret;
use crate::store::{By, MemoryVerifications, Proved, VerificationStore, Who};
use crate::template::{Value, from_json};
use token::Token;

/// Knows who is verified.
pub struct Verifier {
    token: Option<Token>,
    store: Arc<dyn VerificationStore>,
    /// What tests say goes no further than this process.
    vouched: MemoryVerifications,
}

impl Verifier {
    /// One that takes codes, kept in this store, and tokens signed as the settings say; with them comes the secret or public
    /// key.
    ///
    /// # Errors
    /// What is wrong with the key; never the key.
    pub fn new(metadata: Option<(&SignedMetadata, &Secret)>, store: Arc<dyn VerificationStore>) -> Result<Self, String> {
        let token = metadata.map(|(settings, secret)| Token::new(settings, secret)).transpose()?;
        Ok(Self { token, store, vouched: MemoryVerifications::default() })
    }

    /// Takes something as proved in a conversation, for an hour, because a test says so.
    pub async fn vouch(&self, caller: CallerName, sender: &str, proved: &[(String, String)], now: DateTime<Utc>) {
        let of = |what: &str| proved.iter().find(|(name, _)| name == what).map(|(_, value)| value.clone());
        let [email, phone, customer] = crate::plan::settings::PROVED.map(of);
        let proved = Proved { email, phone, customer, by: By::Test, at: Some(now) };
        let who = Who { caller, sender: sender.to_owned() };
        // A store that cannot keep it leaves the user unverified.
        let _ = self.vouched.prove(&who, proved, now, now + chrono::Duration::hours(1)).await;
    }

    /// What the user of a call has proved.
    pub(super) async fn proved(&self, call: &Call, who: &Who, region: &str, now: DateTime<Utc>) -> Option<Proved> {
        if let Some(token) = &self.token
            && let Some(shown) = shown(&call.tracker, &token.key)
        {
            match token.proves(shown.as_str().unwrap_or_default(), &who.sender, region, now) {
                Ok(proved) => return Some(proved),
                Err(reason) => tracing::warn!(reason, "a verification token does not hold"),
            }
        }
        if let Ok(Some(proved)) = self.vouched.proved(who, now).await {
            return Some(proved);
        }
        self.store.proved(who, now).await.unwrap_or_else(|wrong| {
            tracing::error!("what users proved cannot be read: {wrong}");
            None
        })
    }
}

/// An event as far as tokens are concerned.
#[derive(Deserialize)]
struct Seen {
    event: Option<String>,
    metadata: Option<Json>,
}

/// The newest token of the session: in the last message, else in an earlier one.
fn shown(tracker: &Tracker, key: &str) -> Option<Json> {
    let of = |metadata: Option<&Json>| metadata.and_then(|it| it.get(key)).filter(|token| !token.is_null()).cloned();
    let message: Object = tracker.latest_message.parse().unwrap_or_default();
    if let Some(token) = of(message.get("metadata")) {
        return Some(token);
    }
    let events: Vec<_> = tracker.events.items().collect();
    for event in events.into_iter().rev() {
        let seen: Seen = event.ok()?.parse().ok()?;
        match seen.event.as_deref() {
            Some("user") => {
                if let Some(token) = of(seen.metadata.as_ref()) {
                    return Some(token);
                }
            }
            Some("session_started" | "restart") => return None,
            _ => {}
        }
    }
    None
}

/// Whose conversation a run is in, and who that has proved to be; the runs of steps at the same time share it.
#[derive(Clone, Default)]
pub(super) struct Standing(Option<Arc<Inner>>);

struct Inner {
    who: Who,
    verified: Mutex<Value>,
}

impl Standing {
    pub(super) fn new(who: Who, proved: Option<Proved>) -> Self {
        Self(Some(Arc::new(Inner { who, verified: Mutex::new(verified(proved)) })))
    }

    fn who(&self) -> Option<&Who> {
        self.0.as_ref().map(|inner| &inner.who)
    }

    /// What the user has proved, by the names of [`PROVED`](crate::plan::settings::PROVED).
    pub(super) fn proved(&self) -> Vec<(String, String)> {
        let Some(inner) = &self.0 else { return Vec::new() };
        let verified = inner.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let value = |what: &str| verified.get_attr(what).ok().and_then(|value| value.as_str().map(str::to_owned));
        let pair = |what: &str| value(what).map(|value| (what.to_owned(), value));
        crate::plan::settings::PROVED.into_iter().filter_map(pair).collect()
    }

    fn now_is(&self, proved: Proved) {
        if let Some(inner) = &self.0 {
            *inner.verified.lock().unwrap_or_else(PoisonError::into_inner) = verified(Some(proved));
        }
    }
}

/// What was proved, as expressions see it.
fn verified(proved: Option<Proved>) -> Value {
    let Some(Proved { email, phone, customer, by, at }) = proved else { return Value::from(()) };
    let at = at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    from_json(&json!({ "email": email, "phone": phone, "customer": customer, "by": by.name(), "at": at }))
}

impl Run<'_> {
    /// Lets expressions see who is verified.
    pub(super) fn show_verified(&mut self) {
        let Some(inner) = &self.standing.0 else { return };
        let verified = inner.verified.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.scope.set("verified", verified);
    }
}
