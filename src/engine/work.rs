//! What a process that serves does beside answering calls, for whatever its project is by then: makes what was to be made later,
//! tells conversations, and hears what the store has to tell.

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::Engine;
use super::tell::Callback;
use crate::connector::Assistants;
use crate::fault::Fault;
use crate::outbox::{self, Notice, Notices, Teller, Told, Whom, Worker, Writes};

/// The work of a process, and the engine that it goes by now. Clones are the same.
#[derive(Clone)]
pub struct Work(Arc<RwLock<Arc<Callback>>>);

impl Work {
    /// By this engine, and by these ways back to assistants.
    #[must_use]
    pub fn by(engine: &Engine, assistants: Assistants) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(engine.callback(assistants)))))
    }

    /// From here on by these. What was begun goes on as it was begun.
    pub fn goes_by(&self, engine: &Engine, assistants: Assistants) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(engine.callback(assistants));
    }

    /// Works until it is dropped. The versions of the project that are to be left, as `legwork rollback` says, go to `left`.
    pub async fn runs(&self, left: mpsc::Sender<String>) {
        tokio::join!(outbox::work(self), self.hears(left));
    }

    /// Waits until no turn and no write works on after its call was answered.
    pub async fn settled(&self) {
        Engine(Arc::clone(&self.now().core)).settled().await;
    }

    fn now(&self) -> Arc<Callback> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hears what the store has to tell.
    async fn hears(&self, left: mpsc::Sender<String>) {
        let mut notices = Notices::at(self.now().core.parts.clock.now());
        loop {
            let writes = || {
                let parts = &self.now().core.parts;
                (parts.writes.clone(), parts.project.settings.region.clone())
            };
            match notices.next(writes).await {
                Notice::Forget(whom) => self.forget(&whom).await,
                // Nobody is there to hear it where the server is stopping.
                Notice::GoBack { from } => drop(left.send(from).await),
            }
        }
    }

    /// Forgets of somebody whom `purge` names what this process keeps in memory.
    async fn forget(&self, whom: &Whom) {
        let core = Arc::clone(&self.now().core);
        let results = core.running.forget(|turn, done| {
            whom.is_sender(&turn.sender) || done.is_some_and(|done| done.has(|value| whom.mentioned(value)))
        });
        let answers = core.parts.connections.forget_values(|value| whom.mentioned(value)).await;
        tracing::info!(results, answers, "what was kept of somebody is forgotten, as `legwork purge` says");
    }
}

impl Teller for Work {
    fn tell(&self, told: Told) -> BoxFuture<'_, Result<(), Fault>> {
        let now = self.now();
        Box::pin(async move { now.tell(told).await })
    }
}

impl Worker for Work {
    fn writes(&self) -> Writes {
        self.now().core.parts.writes.clone()
    }
}
