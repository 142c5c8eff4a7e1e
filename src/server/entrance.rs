//! What a request meets: the door and the certificate of now, which are changed as a whole between two requests.
//!
//! A request is answered by the door that it met, however long that takes. A connection keeps the certificate that it was begun
//! with.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use tokio_rustls::TlsAcceptor;

use super::Tls;

/// The door and the certificate of now. Clones are the same.
#[derive(Clone)]
pub struct Entrance(Arc<RwLock<Inside>>);

struct Inside {
    router: Router,
    tls: Option<TlsAcceptor>,
}

impl Entrance {
    /// This door, with TLS or without.
    #[must_use]
    pub fn new(router: Router, tls: Option<Tls>) -> Self {
        Self(Arc::new(RwLock::new(Inside::new(router, tls))))
    }

    /// What requests meet from here on.
    pub fn change(&self, router: Router, tls: Option<Tls>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Inside::new(router, tls);
    }

    pub(super) fn router(&self) -> Router {
        self.0.read().unwrap_or_else(PoisonError::into_inner).router.clone()
    }

    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).tls.clone()
    }
}

impl Inside {
    fn new(router: Router, tls: Option<Tls>) -> Self {
        Self { router, tls: tls.map(|tls| TlsAcceptor::from(tls.0)) }
    }
}

impl From<Router> for Entrance {
    fn from(router: Router) -> Self {
        Self::new(router, None)
    }
}
