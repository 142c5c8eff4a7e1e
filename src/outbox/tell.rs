//! Tells conversations what became of what they were promised, once the turn that promised it is over.
//!
//! Whoever tells knows assistants and words; here is decided when it is tried, how often, and that it is told no more once it
//! was. What was told and then not noted may be told twice: an assistant knows no repeat.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value};

use super::Writes;
use super::books::{Begun, Ended, millis};
use super::desk::Desk;
use super::places::keeps_at;
use crate::fault::{Class, Fault};
use crate::name::{ActionName, CallerName};
use crate::store::{StoreError, Written};

/// How many conversations are told at the same time: each may wait for its turn to end, and costs no more than that.
const AT_ONCE: usize = 32;
/// How often telling is tried.
const TRIES: i64 = 12;

/// The end of a write that a conversation was promised.
pub struct Told {
    /// Whose assistant it is.
    pub caller: CallerName,
    /// The conversation.
    pub sender: String,
    /// The action that promised it.
    pub action: ActionName,
    /// What the user was given to quote.
    pub reference: String,
    /// The operation's inputs.
    pub inputs: Map<String, Value>,
    /// What the action left for telling.
    pub tell: Value,
    /// What it ended with.
    pub ended: Result<Value, Fault>,
}

/// What the worker goes by, as the project is now: that may change while it works.
pub trait Worker: Teller {
    /// What makes writes now.
    fn writes(&self) -> Writes;
}

/// Tells conversations.
pub trait Teller: Send + Sync {
    /// Tells a conversation, or finds that there is nobody to tell.
    ///
    /// # Errors
    /// Why it could not be told; what may pass is tried again.
    fn tell(&self, told: Told) -> BoxFuture<'_, Result<(), Fault>>;
}

impl Writes {
    /// Tells what is to be told now; whether there was anything.
    pub async fn tell_due(&self, teller: &dyn Teller) -> bool {
        let desk = &self.0;
        let due = desk.to_tell(AT_ONCE).await;
        let any = !due.is_empty();
        stream::iter(due).for_each_concurrent(AT_ONCE, |written| desk.tell(written, teller)).await;
        any
    }
}

/// Tells what there is to tell, until it is dropped.
pub(super) async fn tells(worker: &dyn Worker) {
    let take = async |free| {
        let desk = worker.writes().0;
        let due = desk.to_tell(free).await.into_iter();
        due.map(|written| (Arc::clone(&desk), written)).collect()
    };
    keeps_at(AT_ONCE, take, async |(desk, written): (Arc<Desk>, _)| desk.tell(written, worker).await).await;
}

impl Desk {
    /// Takes what is to be told, so many at most.
    async fn to_tell(&self, most: usize) -> Vec<Written> {
        let due = self.store.take_to_tell(&self.lease(), &self.reach(), i64::try_from(most).unwrap_or(1)).await;
        due.unwrap_or_else(|error| {
            self.store_fails(&error, "what is to be told cannot be read");
            Vec::new()
        })
    }

    async fn tell<T: Teller + ?Sized>(&self, written: Written, teller: &T) {
        let (id, reference, tells) = (written.id, written.reference.clone(), written.tells);
        let _alive = self.works_on(id);
        let again = match told(written) {
            Ok(Some(told)) => match teller.tell(told).await {
                Ok(()) => None,
                Err(fault) => {
                    let passes = matches!(fault.class(), Class::Transient | Class::Exhausted | Class::Misconfigured);
                    let again = passes && tells + 1 < TRIES;
                    tracing::warn!(%reference, outcome = %fault.outcome, detail = fault.operator, again,
                        "a conversation could not be told of the end of a write");
                    let tried = u32::try_from(tells + 1).unwrap_or(u32::MAX);
                    again.then(|| self.now() + millis(self.patience().wait(tried, 0.5)))
                }
            },
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%reference, %error, "the end of a write cannot be told");
                None
            }
        };
        if let Err(error) = self.store.told(id, &self.owner, again).await {
            tracing::warn!(%reference, %error, "that a conversation was told cannot be kept; it may be told again");
        }
    }
}

/// What there is to tell of a write.
fn told(written: Written) -> Result<Option<Told>, StoreError> {
    let (begun, ended) = (Begun::of(&written)?, Ended::read(&written)?);
    let names = CallerName::parse(&written.caller).zip(ActionName::parse(&written.action));
    let (Some((caller, action)), Some(ended)) = (names, ended) else { return Ok(None) };
    let Written { sender, reference, .. } = written;
    let Begun { inputs, tell, .. } = begun;
    Ok(Some(Told { caller, sender, action, reference, inputs, tell, ended: ended.into_result() }))
}
