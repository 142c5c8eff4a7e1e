//! What is said of a server on its command line, and the front that it and a version of the project have together.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::app::{Opened, Place, Room, assistants, callers, unstageable};
use crate::connector::Assistants;
use crate::plan::Project;
use crate::plan::connector::StagedAt;
use crate::plan::settings::is_loopback;
use crate::qa::recording::Records;
use crate::rasa::Limits;
use crate::server::{Cors, Facts, Options, Router, Tls, TlsFiles, router};
use crate::time::Clock;

/// What the command line says of a server, whatever its project says.
pub struct Given {
    /// Where the project lies.
    pub place: Place,
    /// The host and the address that it listens on.
    pub host: String,
    /// The address, for people.
    pub address: String,
    /// How much there may be at the same time.
    pub room: Room,
    /// Origins that browsers may call from, beside the project's.
    pub cors: Vec<String>,
    /// The files of TLS, where it is served with that.
    pub tls: Option<TlsFiles>,
    /// What fails on purpose.
    pub faults: Vec<StagedAt>,
    /// Whether changes of files are taken by themselves.
    pub watches: bool,
    /// What records turns, where they are recorded.
    pub records: Option<Records>,
}

/// What callers meet before the engine.
pub(super) struct Front {
    options: Options,
    tls: Option<Tls>,
    assistants: Assistants,
}

impl Front {
    /// Whether callers have to prove who they are.
    pub(super) fn is_guarded(&self) -> bool {
        !self.options.auth.is_empty()
    }
}

impl Given {
    /// Whether others than this machine reach it.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        !is_loopback(&self.host)
    }

    /// Whether a project can be served so.
    pub(super) fn fits(&self, project: &Project) -> Result<(), Vec<String>> {
        let wrong = unstageable(project, &self.faults);
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Reads the secrets and certificates of the front.
    pub(super) fn front(&self, project: &Project, clock: &Arc<dyn Clock>) -> Result<Front, Vec<String>> {
        let (folder, written) = (self.place.folder(), &project.settings.server);
        let origins: Vec<_> = written.cors.iter().chain(&self.cors).cloned().collect();
        let options = Options {
            auth: callers(project, &folder)?,
            cors: Cors::parse(&origins).map_err(|reason| vec![reason])?,
            body_limit: written.body_limit,
            limits: Limits { depth: written.depth_limit },
            ..Options::default()
        };
        let tls = self.tls.as_ref().map(TlsFiles::load).transpose().map_err(|reason| vec![reason])?;
        Ok(Front { options, tls, assistants: assistants(project, &folder, clock)? })
    }

    /// The door to an open project.
    pub(super) fn door(&self, front: Front, opened: &Opened, facts: &Facts) -> (Router, Option<Tls>, Assistants) {
        let Front { options, tls, assistants } = front;
        let settings = &opened.project.settings;
        let config = json!({
            "file": self.place.config.as_ref().map(|path| path.display().to_string()),
            "profile": format!("{:?}", settings.server.profile).to_lowercase(),
            "address": self.address,
            "tls": tls.is_some(),
            "watches": self.watches,
            "body_limit": settings.server.body_limit,
            "turns": self.room.turns,
            "connections": self.room.connections,
            "turn_seconds": settings.limits.times.give_up_after.as_secs_f64(),
            "slow_seconds": settings.limits.times.slow_after.as_secs_f64(),
            "timezone": settings.timezone.name(),
        });
        let (engine, facts) = (Arc::new(opened.engine.clone()), Facts { config, ..facts.clone() });
        let router = match &self.records {
            Some(records) => router(Arc::new(records.of(engine)), options, facts),
            None => router(engine, options, facts),
        };
        (router, tls, assistants)
    }

    /// The files that are read beside the project's own: certificates, its and those of the server.
    pub(super) fn further(&self, project: &Project) -> Vec<PathBuf> {
        let folder = self.place.folder();
        let reach = project.wires.iter().map(|wire| &wire.rules.reach);
        let named = reach.flat_map(|reach| {
            let identity = reach.identity.iter().flat_map(|identity| [&identity.file, &identity.key]);
            reach.authorities.iter().chain(identity)
        });
        let assistants = project.settings.assistants.values().filter_map(|assistant| assistant.authorities.as_ref());
        let mut all: Vec<_> = named.chain(assistants).map(|file| folder.join(file)).collect();
        if let Some(tls) = &self.tls {
            all.push(tls.certificate.clone());
            all.extend(tls.key.iter().chain(&tls.client_authorities).cloned());
        }
        all
    }
}
