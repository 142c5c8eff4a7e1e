//! The domains that callers have sent, by caller and digest.
//!
//! Rasa Pro sends a domain once and afterwards only its digest. Several assistants may share one server, so several digests
//! are kept, and never one caller's for another. Rasa Open Source sends the domain every time and no digest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::name::CallerName;
use crate::plan;
use crate::rasa::{Call, Domain, Malformed};

/// How many domains are kept.
const KEPT: usize = 32;

/// How many conversations are remembered as having been asked for one domain.
const ASKED: usize = 256;

/// The domains seen so far, the latest first.
#[derive(Default)]
pub(super) struct Domains(Mutex<VecDeque<Seen>>);

struct Seen {
    caller: CallerName,
    digest: String,
    state: State,
}

enum State {
    /// The domain.
    Known(Arc<Domain>),
    /// These conversations were asked for it; the answer of one of them is on its way.
    Asked(VecDeque<String>),
    /// Somebody was asked and sent the digest alone again: this caller does not send it.
    NeverSent,
}

/// What is known for a call.
pub(super) enum Found {
    /// This domain, or none where there is none to be had.
    Domain(Option<Arc<Domain>>),
    /// It has to be asked for.
    Missing,
}

impl Domains {
    /// The domain that a call goes by: the one it brings, the one its digest stands for, else the project's own. A conversation
    /// that was asked for the domain and sends only the digest again is not asked for ever.
    ///
    /// # Errors
    /// When the domain that the call brings is none.
    pub(super) fn find(
        &self,
        call: &Call,
        caller: &CallerName,
        own: Option<&plan::domain::Domain>,
    ) -> Result<Found, Malformed> {
        let project = || Found::Domain(own.map(|own| Arc::clone(&own.rasa)));
        if let Some(raw) = call.domain.as_ref().filter(|raw| !raw.is_absent()) {
            let domain = Arc::new(Domain::from_call(raw)?);
            if let Some(digest) = &call.domain_digest {
                self.with(caller, digest, |state| *state = State::Known(Arc::clone(&domain)));
            }
            return Ok(Found::Domain(Some(domain)));
        }
        let Some(digest) = &call.domain_digest else { return Ok(project()) };
        Ok(self.with(caller, digest, |state| match state {
            State::Known(domain) => Found::Domain(Some(Arc::clone(domain))),
            State::NeverSent => project(),
            State::Asked(senders) if senders.contains(&call.sender_id) => {
                *state = State::NeverSent;
                project()
            }
            State::Asked(senders) => {
                senders.push_front(call.sender_id.clone());
                senders.truncate(ASKED);
                Found::Missing
            }
        }))
    }

    /// Looks at what is known of a digest, and keeps it as the latest.
    fn with<T>(&self, caller: &CallerName, digest: &str, look: impl FnOnce(&mut State) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            all.iter().position(|seen| seen.caller == *caller && seen.digest == digest).and_then(|at| all.remove(at));
        let unknown = || Seen { caller: caller.clone(), digest: digest.to_owned(), state: State::Asked(VecDeque::new()) };
        let mut seen = known.unwrap_or_else(unknown);
        let found = look(&mut seen.state);
        all.push_front(seen);
        all.truncate(KEPT);
        found
    }
}
