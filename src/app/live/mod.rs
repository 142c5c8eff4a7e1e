//! A project that is served, and exchanged as a whole while it is: when its files change, on SIGHUP, and by `legwork rollback`.
//!
//! A change is read, checked and opened beside what is served, and takes its place between two requests, or is refused and
//! leaves everything as it was. Of the process, and so the same for every version: the store with the writes and turns that are
//! under way, the places of turns, the listener, and the connections that would be opened from the same again.

mod front;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

pub use self::front::Given;
pub use self::watched::Watched;
use super::{Opened, load};
use crate::diag::{Diagnostic, Severity};
use crate::engine::Work;
use crate::plan::Project;
use crate::server::{Entrance, Facts};
use crate::telemetry::{ProjectChanged, ProjectRefused};
use crate::time::Clock;

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How many problems of a change that is refused are told.
const TOLD: usize = 20;

/// A project that is served.
pub struct Live {
    given: Given,
    facts: Facts,
    clock: Arc<dyn Clock>,
    entrance: Entrance,
    work: Work,
    watched: Option<Watched>,
    /// As it was at the start: what is of the process goes by it.
    first: Arc<Project>,
    now: Opened,
    /// Whether callers have to prove who they are.
    guarded: bool,
    since: DateTime<Utc>,
    /// What was served before, as long as it can be gone back to.
    before: Option<Arc<Project>>,
    /// The version that was left for the one before it.
    left: Option<String>,
    refused: Option<Refused>,
}

/// A change that is not served.
struct Refused {
    at: DateTime<Utc>,
    /// None where it cannot even be read.
    version: Option<String>,
    problems: Vec<String>,
}

/// Why the files are looked into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// They have changed.
    Changed,
    /// Somebody says so.
    Told,
}

impl Live {
    /// Opens a project to be served. `facts.config` is filled in.
    ///
    /// # Errors
    /// What is missing or cannot be opened, one line each; never a secret.
    pub async fn open(
        project: Arc<Project>,
        given: Given,
        facts: Facts,
        watched: Watched,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Vec<String>> {
        let front = given.front(&project, &clock)?;
        let now = Opened::of(Arc::clone(&project), &given.place, Arc::clone(&clock)).await?;
        for fault in &given.faults {
            tracing::warn!(connection = %fault.connection, "{fault}: on purpose, since --fault says so; users hear what comes of it");
            now.engine.connections().stage(fault);
        }
        let guarded = front.is_guarded();
        let (router, tls, assistants) = given.door(front, &now, &facts);
        let (entrance, work) = (Entrance::new(router, tls), Work::by(&now.engine, assistants));
        let (first, since) = (project, clock.now());
        let (before, left, refused, watched) = (None, None, None, Some(watched));
        let mut live =
            Self { given, facts, clock, entrance, work, watched, first, now, guarded, since, before, left, refused };
        live.watches_further();
        live.shows();
        Ok(live)
    }

    /// What requests meet.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        self.entrance.clone()
    }

    /// What is done beside answering calls.
    #[must_use]
    pub fn work(&self) -> Work {
        self.work.clone()
    }

    /// Takes changes, until it is dropped: of the files where it watches them, on every hangup, and what comes in by `left`, the
    /// versions that are to be left for the one before.
    pub async fn lives(mut self, mut hangups: Signal, mut left: mpsc::Receiver<String>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick(), if self.given.watches => {
                    if self.looks(Watched::have_changed).await {
                        self.reads(Why::Changed).await;
                    }
                }
                Some(()) = hangups.recv() => {
                    self.looks(|watched| { watched.are_read(); true }).await;
                    self.reads(Why::Told).await;
                }
                Some(from) = left.recv() => self.goes_back(from).await,
            }
        }
    }

    /// Looks at the files, on a thread on which that may take long.
    async fn looks(&mut self, look: impl FnOnce(&mut Watched) -> bool + Send + 'static) -> bool {
        let Some(mut watched) = self.watched.take() else { return false };
        let looked = spawn_blocking(move || {
            let found = look(&mut watched);
            (watched, found)
        });
        match looked.await {
            Ok((watched, found)) => {
                self.watched = Some(watched);
                found
            }
            Err(broken) => {
                tracing::error!(%broken, "files are not looked at any more");
                false
            }
        }
    }

    /// Reads the files, and serves what is in them.
    async fn reads(&mut self, why: Why) {
        let place = self.given.place.clone();
        let Ok((project, problems)) = spawn_blocking(move || load(&place)).await else {
            return self.refuses(None, vec!["reading the project broke off".to_owned()]);
        };
        let (errors, warnings): (Vec<_>, Vec<_>) = problems.iter().partition(|it| it.severity() == Severity::Error);
        let Some(project) = project else {
            return self.refuses(None, errors.into_iter().map(line).collect());
        };
        if why == Why::Changed && self.left.as_deref() == Some(&*project.version) {
            return;
        }
        for warning in warnings {
            tracing::warn!("{}", line(warning));
        }
        let (version, former) = (project.version.clone(), Arc::clone(&self.now.project));
        match self.serves(Arc::new(project), false).await {
            Ok(()) => {
                self.left = None;
                if former.version != version {
                    self.before = Some(former);
                }
                self.shows();
            }
            Err(problems) => self.refuses(Some(version), problems),
        }
    }

    /// Leaves a version for the one before it.
    async fn goes_back(&mut self, from: String) {
        let served = self.now.project.version.clone();
        if from != served {
            tracing::info!(from, served, "a version is to be left that this server does not serve");
            return;
        }
        let Some(before) = self.before.take() else {
            tracing::warn!(from, "a version is to be left, and this server has served no other since its start");
            return;
        };
        match self.serves(Arc::clone(&before), true).await {
            Ok(()) => {
                self.left = Some(from);
                self.shows();
            }
            Err(problems) => {
                let version = before.version.clone();
                self.before = Some(before);
                self.refuses(Some(version), problems);
            }
        }
    }

    /// Opens a version, and puts it in the place of what is served.
    async fn serves(&mut self, project: Arc<Project>, back: bool) -> Result<(), Vec<String>> {
        self.given.fits(&project)?;
        let front = self.given.front(&project, &self.clock)?;
        if self.guarded && !front.is_guarded() && self.given.is_reachable() {
            let text = "`server.auth` is gone, and the server listens beyond this machine: start the server again if everybody is to \
                        get in";
            return Err(vec![text.to_owned()]);
        }
        let opened = self.now.changed(Arc::clone(&project), &self.given.place).await?;
        self.guarded = front.is_guarded();
        let (router, tls, assistants) = self.given.door(front, &opened, &self.facts);
        // From here on nothing fails: new requests meet the new version, those that are being answered keep the old one.
        self.entrance.change(router, tls);
        self.work.goes_by(&opened.engine, assistants);
        let (kept, opened_anew) = opened.follow(&self.now);
        let (version, before) = (&*project.version, &*self.now.project.version);
        ProjectChanged { version, before, back, kept, opened: opened_anew }.emit();
        if version != before {
            self.since = self.clock.now();
        }
        self.now = opened;
        self.refused = None;
        for key in self.waits_for_a_start() {
            tracing::warn!("{key} is another now, which only the next start of the server heeds");
        }
        self.watches_further();
        Ok(())
    }

    /// Keeps what is served, and tells why.
    fn refuses(&mut self, version: Option<String>, mut problems: Vec<String>) {
        let more = problems.len().saturating_sub(TOLD);
        problems.truncate(TOLD);
        if more > 0 {
            problems.push(format!("and {more} more: `legwork check` tells all"));
        }
        ProjectRefused { version: &self.now.project.version, problems: &problems }.emit();
        self.refused = Some(Refused { at: self.clock.now(), version, problems });
        self.shows();
    }

    /// The settings that are of the process and are others now than at its start.
    fn waits_for_a_start(&self) -> Vec<&'static str> {
        let (first, now) = (&self.first.settings, &self.now.project.settings);
        let all = [
            ("server.host", first.server.host != now.server.host),
            ("server.port", first.server.port != now.server.port),
            ("server.turns", first.server.turns != now.server.turns),
            ("stores.keep.running", first.stores.keep_running != now.stores.keep_running),
            ("cache.size", first.cache_bytes != now.cache_bytes),
        ];
        let of_process = all.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key);
        of_process.chain(self.now.other_stores()).collect()
    }

    /// Watches what the project of now names beside its own files.
    fn watches_further(&mut self) {
        let more = self.given.further(&self.now.project);
        if let Some(watched) = &mut self.watched {
            watched.also(more);
        }
    }

    /// Lets `/status` show what is served, and what is not.
    fn shows(&self) {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let refused = self.refused.as_ref().map_or(
            Value::Null,
            |refused| json!({ "at": time(refused.at), "version": refused.version, "problems": refused.problems }),
        );
        self.facts.life.project_is(json!({
            "version": self.now.project.version, "since": time(self.since),
            "before": self.before.as_ref().map(|before| &before.version),
            "left": self.left, "refused": refused, "needs_a_start": self.waits_for_a_start(),
        }));
    }
}

/// A diagnostic in one line, without anything of the file itself.
fn line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.span.as_ref().map(|span| format!("{}: ", span.place())).unwrap_or_default();
    let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{place}{}: {}{help}", diagnostic.code.name(), diagnostic.message)
}
