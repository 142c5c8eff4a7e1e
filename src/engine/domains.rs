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

/// The domains seen so far.
#[derive(Default)]
pub(super) struct Domains(Mutex<VecDeque<Seen>>);

struct Seen {
    caller: CallerName,
    digest: String,
    /// None when the caller was asked for the domain and has not sent it yet.
    domain: Option<Arc<Domain>>,
}

/// What is known for a call.
pub(super) enum Found {
    /// This domain, or none where there is none to be had.
    Domain(Option<Arc<Domain>>),
    /// It has to be asked for.
    Missing,
}

impl Domains {
    /// The domain that a call goes by: the one it brings, the one its digest stands for, else the project's own. A caller that
    /// was asked for the domain and sends only the digest again is not asked for ever.
    ///
    /// # Errors
    /// When the domain that the call brings is none.
    pub(super) fn find(&self, call: &Call, caller: &CallerName, own: Option<&plan::domain::Domain>) -> Result<Found, Malformed> {
        let project = || own.map(|own| Arc::new(own.rasa.clone()));
        if let Some(raw) = call.domain.as_ref().filter(|raw| !raw.is_absent()) {
            let domain = Arc::new(Domain::from_call(raw)?);
            if let Some(digest) = &call.domain_digest {
                self.remember(caller, digest, Some(Arc::clone(&domain)));
            }
            return Ok(Found::Domain(Some(domain)));
        }
        let Some(digest) = &call.domain_digest else { return Ok(Found::Domain(project())) };
        let seen = self.seen(caller, digest);
        Ok(match seen {
            Some(Some(domain)) => Found::Domain(Some(domain)),
            Some(None) if own.is_some() => Found::Domain(project()),
            _ => {
                self.remember(caller, digest, None);
                Found::Missing
            }
        })
    }

    fn seen(&self, caller: &CallerName, digest: &str) -> Option<Option<Arc<Domain>>> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().find(|seen| seen.caller == *caller && seen.digest == digest).map(|seen| seen.domain.clone())
    }

    fn remember(&self, caller: &CallerName, digest: &str, domain: Option<Arc<Domain>>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|seen| !(seen.caller == *caller && seen.digest == digest));
        seen.push_front(Seen { caller: caller.clone(), digest: digest.to_owned(), domain });
        seen.truncate(KEPT);
    }
}
