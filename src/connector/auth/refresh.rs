//! What becomes of a refresh token: the one of the settings for ever, or one after the other.
//!
//! Where a vendor replaces it at every use, the old one is gone as soon as the new one has been made. So the new one is
//! stored before anything else happens, and one that could not be stored is held until it can be; no access token is used
//! before.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use super::oauth2::{Asking, Granted};
use crate::fault::{Fault, Outcome};
use crate::secret::Secret;
use crate::store::{StoreError, TokenStore};

/// The refresh token of one connection.
pub(super) struct Refresh {
    /// The one of the settings.
    first: Secret,
    rotation: Option<Rotation>,
}

struct Rotation {
    store: Arc<dyn TokenStore>,
    /// Follows from the token of the settings, so that a new one there is not hidden by what came of an old one.
    name: String,
    /// What was granted, but with a refresh token that could not be stored.
    unsaved: Mutex<Option<Granted>>,
}

impl Refresh {
    /// `who` is whom the token was given to, and by whom. With a `store`, it rotates.
    ///
    /// # Errors
    /// What to configure before a token that rotates can be kept.
    pub(super) fn new(first: Secret, who: [&str; 2], store: Option<Arc<dyn TokenStore>>) -> Result<Self, String> {
        let rotation = match store {
            None => None,
            Some(store) => {
                store.usable().map_err(|reason| format!("`auth.oauth2` cannot be used: {reason}"))?;
                let text = [who[0], who[1], first.expose()].join("\n");
                let digest = digest(&SHA256, text.as_bytes());
                let name = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                Some(Rotation { store, name, unsaved: Mutex::default() })
            }
        };
        Ok(Self { first, rotation })
    }

    /// Gets an access token by `ask`, and stores the refresh token that comes with it.
    pub(super) async fn redeem<'a>(&self, ask: impl Fn(Secret) -> Asking<'a> + Send + Sync) -> Result<Granted, Fault> {
        let Some(rotation) = &self.rotation else {
            return ask(self.first.clone()).await.map_err(|failed| failed.fault);
        };
        if let Some(granted) = rotation.take_unsaved() {
            return rotation.save(granted).await;
        }
        let stored = rotation.stored().await?;
        let used = stored.unwrap_or_else(|| self.first.clone());
        let granted = match ask(used.clone()).await {
            Ok(granted) => granted,
            Err(failed) if failed.grant_is_over => {
                // Another process may have used it up in the meantime, and have stored the next one.
                match rotation.stored().await? {
                    Some(next) if next.expose() != used.expose() => ask(next).await.map_err(|failed| failed.fault)?,
                    _ => return Err(failed.fault),
                }
            }
            Err(failed) => return Err(failed.fault),
        };
        rotation.save(granted).await
    }
}

impl Rotation {
    async fn stored(&self) -> Result<Option<Secret>, Fault> {
        self.store.get(&self.name).await.map_err(unstored)
    }

    async fn save(&self, granted: Granted) -> Result<Granted, Fault> {
        // An answer without a new one leaves the old one good.
        let Some(refresh) = &granted.refresh else { return Ok(granted) };
        match self.store.put(&self.name, refresh).await {
            Ok(()) => Ok(granted),
            Err(error) => {
                *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
                Err(unstored(error))
            }
        }
    }

    fn take_unsaved(&self) -> Option<Granted> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn unstored(error: StoreError) -> Fault {
    match error {
        StoreError::Unavailable(text) => Fault::new(Outcome::Unavailable, text),
        StoreError::Misconfigured(text) => Fault::new(Outcome::Misconfigured, text),
    }
}
