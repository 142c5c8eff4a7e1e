//! What becomes of a refresh token: the one of the settings for ever, or one after the other.
//!
//! Where a vendor replaces it at every use, the old one is gone as soon as the new one has been made. So the new one is
//! stored before anything else happens, and one that could not be stored is held until it can be; no access token is used
//! before. Of all processes that share the store, one at a time does so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::time::sleep;

use super::oauth2::{Asking, FETCH, Granted};
use crate::fault::{Fault, Outcome};
use crate::secret::Secret;
use crate::store::{Lease, StoreError, TokenStore};
use crate::time::{Clock, Deadline};

/// How long a process that does not come back has the token for itself: longer than a fetch, and the store beside it, take.
const LOCK: Duration = Duration::from_secs(20);
/// How often it is looked whether another process is done.
const LOOK: Duration = Duration::from_millis(100);

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
    /// What was granted, but with a refresh token that could not be stored, and the version that it takes the place of.
    unsaved: Mutex<Option<(Granted, i64)>>,
    /// The name of this connection in locks.
    owner: String,
    clock: Arc<dyn Clock>,
}

impl Refresh {
    /// `who` is whom the token was given to, and by whom. With a `store`, it rotates.
    ///
    /// # Errors
    /// What to configure before a token that rotates can be kept.
    pub(super) fn new(
        first: Secret,
        who: [&str; 2],
        store: Option<Arc<dyn TokenStore>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let rotation = match store {
            None => None,
            Some(store) => {
                store.usable().map_err(|reason| format!("`auth.oauth2` cannot be used: {reason}"))?;
                let text = [who[0], who[1], first.expose()].join("\n");
                let digest = digest(&SHA256, text.as_bytes());
                let name = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                let owner = uuid::Uuid::new_v4().to_string();
                Some(Rotation { store, name, unsaved: Mutex::default(), owner, clock })
            }
        };
        Ok(Self { first, rotation })
    }

    /// Gets an access token by `ask`, and stores the refresh token that comes with it.
    pub(super) async fn redeem<'a>(
        &self,
        ask: impl Fn(Secret, Deadline) -> Asking<'a> + Send + Sync,
    ) -> Result<Granted, Fault> {
        let Some(rotation) = &self.rotation else {
            return ask(self.first.clone(), Deadline::after(FETCH)).await.map_err(|failed| failed.fault);
        };
        rotation.alone().await?;
        let redeemed = rotation.redeem(&self.first, ask).await;
        // What is not let go is free again in a while.
        let _ = rotation.store.unlock(&rotation.name, &rotation.owner).await;
        redeemed
    }
}

impl Rotation {
    /// Waits until no other process uses the token: a vendor may take one that is used twice for stolen, and end them all.
    async fn alone(&self) -> Result<(), Fault> {
        let until = Deadline::after(LOCK);
        loop {
            let now = self.clock.now().timestamp_millis();
            let lease = Lease { owner: &self.owner, now, until: now + i64::try_from(LOCK.as_millis()).unwrap_or_default() };
            if self.store.lock(&self.name, lease).await.map_err(unstored)? {
                return Ok(());
            }
            if until.left().is_zero() {
                return Err(Fault::new(Outcome::Unavailable, "another process gets a token, and does not come to an end"));
            }
            sleep(LOOK).await;
        }
    }

    async fn redeem<'a>(
        &self,
        first: &Secret,
        ask: impl Fn(Secret, Deadline) -> Asking<'a> + Send + Sync,
    ) -> Result<Granted, Fault> {
        let until = Deadline::after(FETCH);
        if let Some((granted, over)) = self.take_unsaved()
            && let Some(granted) = self.save(granted, over).await?
        {
            return Ok(granted);
        }
        for _ in 0..2 {
            let (mut used, mut over) = self.stored(first).await?;
            let granted = match ask(used.clone(), until).await {
                Ok(granted) => granted,
                Err(failed) if failed.grant_is_over => {
                    // A process that lost its lock in the middle may have used it up, and have stored the next one.
                    let next = self.stored(first).await?;
                    if next.0.expose() == used.expose() {
                        return Err(failed.fault);
                    }
                    (used, over) = next;
                    ask(used, until).await.map_err(|failed| failed.fault)?
                }
                Err(failed) => return Err(failed.fault),
            };
            if let Some(granted) = self.save(granted, over).await? {
                return Ok(granted);
            }
            // Another has been stored meanwhile. Which of the two is good, only the vendor knows; the stored one is everybody's.
        }
        Err(Fault::new(Outcome::Unavailable, "other processes replace the refresh token again and again"))
    }

    /// The token to use, and its version in the store.
    async fn stored(&self, first: &Secret) -> Result<(Secret, i64), Fault> {
        let kept = self.store.get(&self.name).await.map_err(unstored)?;
        Ok(kept.map_or_else(|| (first.clone(), 0), |kept| (kept.secret, kept.version)))
    }

    /// Stores the refresh token that was granted; none when another took its place meanwhile.
    async fn save(&self, granted: Granted, over: i64) -> Result<Option<Granted>, Fault> {
        // An answer without a new one leaves the old one good.
        let Some(refresh) = &granted.refresh else { return Ok(Some(granted)) };
        match self.store.put(&self.name, refresh, over).await {
            Ok(true) => Ok(Some(granted)),
            Ok(false) => Ok(None),
            Err(error) => {
                *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = Some((granted, over));
                Err(unstored(error))
            }
        }
    }

    fn take_unsaved(&self) -> Option<(Granted, i64)> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn unstored(error: StoreError) -> Fault {
    match error {
        StoreError::Unavailable(text) => Fault::new(Outcome::Unavailable, text),
        StoreError::Misconfigured(text) => Fault::new(Outcome::Misconfigured, text),
    }
}
