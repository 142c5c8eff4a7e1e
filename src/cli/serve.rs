//! `legwork serve`: loads the project, listens, serves it and what becomes of it, and stops when told to.

use std::future::pending;
use std::io::IsTerminal as _;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::record::recorder;
use super::{ServeFlags, block_on, cannot, complain, complain_of};
use crate::app::{self, Given, Live, Place, Watched};
use crate::diag::{Diagnostic, File};
use crate::engine::Natives;
use crate::plan::Project;
use crate::plan::settings::{self, Profile};
use crate::qa::recording::Recorder;
use crate::server::{self, Connections, Drain, Draining, Facts, Life, Serving};
use crate::spec::yaml;
use crate::telemetry::{self, Metrics};
use crate::time::SystemClock;

/// The port that Rasa's own action server listens on.
const PORT: u16 = 5055;

/// How often the samples of histograms are folded together.
const UPKEEP: Duration = Duration::from_secs(5);

pub(super) fn run(flags: &ServeFlags, natives: &Natives) -> ExitCode {
    let refused = match endpoints(flags) {
        Ok(endpoints) => flags.refused(&endpoints),
        Err(problem) => {
            complain_of(&[*problem]);
            return ExitCode::from(2);
        }
    };
    if !refused.is_empty() {
        return cannot(&refused);
    }
    let (config, actions, natives) = (flags.config.clone(), flags.actions.clone(), natives.clone());
    let place = Place { config, actions, domain: None, natives };
    // Before they are read, so that no change is missed.
    let watched = Watched::new(&place);
    let (project, problems) = app::load(&place);
    complain_of(&problems);
    let Some(project) = project else {
        complain("legwork: not started, because of the errors above\n");
        return ExitCode::from(1);
    };
    let unstageable = app::unstageable(&project, &flags.faults);
    if !unstageable.is_empty() {
        return cannot(&unstageable);
    }
    let guard = match flags.logging().init() {
        Ok(guard) => guard,
        Err(reason) => return cannot(&[reason]),
    };
    telemetry::report_panics();
    app::open_more_files();
    let code = match block_on(serve(flags, project, watched, place)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(reasons)) => cannot(&reasons),
        Err(code) => code,
    };
    drop(guard);
    code
}

/// The assistant's endpoints.yml, for what it asks of an action server; null when there is none.
fn endpoints(flags: &ServeFlags) -> Result<Value, Box<Diagnostic>> {
    let path = &flags.endpoints;
    match std::fs::read_to_string(path) {
        Ok(text) => yaml::parse(&File::new(path.display().to_string(), text)).map(|tree| tree.to_json()),
        Err(_) => Ok(Value::Null),
    }
}

async fn serve(flags: &ServeFlags, project: Project, watched: Watched, place: Place) -> Result<(), Vec<String>> {
    let one = |reason: String| vec![reason];
    let project = Arc::new(project);
    // From here on it does not end the process.
    let hangups = signal(SignalKind::hangup()).map_err(|error| one(format!("signals cannot be heard: {error}")))?;
    let host = host(flags, &project);
    let port = flags.port.or(project.settings.server.port).unwrap_or(PORT);
    if project.settings.server.auth.is_empty() && !settings::is_loopback(&host) {
        tracing::warn!("the server listens on {host} and asks nobody who they are: set server.auth, or listen on 127.0.0.1");
    }
    for word in flags.ignored() {
        tracing::warn!("{word}");
    }
    let listener = TcpListener::bind((host.as_str(), port)).map_err(|error| {
        one(format!("{host}:{port} cannot be listened on: {error}; another server may have it, --port takes another"))
    })?;
    let room = app::room(&project);
    if let Some(lacking) = &room.lacking {
        tracing::warn!("{lacking}");
    }
    let address = listener.local_addr().map_or_else(|_| format!("{host}:{port}"), |address| address.to_string());
    let scheme = if flags.ssl_certificate.is_some() { "https" } else { "http" };
    let (actions, turns, connections) = (project.actions.len(), room.turns, room.connections);
    let (cors, tls, faults) = (flags.cors.clone(), flags.tls(), flags.faults.clone());
    let watches = flags.auto_reload || project.settings.server.profile != Profile::Production;
    let recorder = recorder(flags, &project, &place).map_err(one)?;
    let records = recorder.as_ref().map(Recorder::records);
    let given = Given { place, host, address: address.clone(), room, cors, tls, faults, watches, records };
    // Before anything counts.
    let metrics = Metrics::install();
    let draining = Draining::default();
    let (config, life) = (Value::Null, Life::default());
    let facts = Facts { config, metrics: metrics.clone(), draining: draining.clone(), life };
    let live = Live::open(project, given, facts, watched, Arc::new(SystemClock)).await?;
    let (entrance, work) = (live.entrance(), live.work());
    tracing::info!(actions, turns, connections, watches, "listening on {scheme}://{address}/webhook");
    let upkeep = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            metrics.upkeep();
        }
    });
    let (leave, left) = mpsc::channel(1);
    let works = work.clone();
    let works = tokio::spawn(async move { works.runs(leave).await });
    let lives = tokio::spawn(live.lives(hangups, left));
    let drain = Drain { draining, ..Drain::default() };
    let serving = Serving { drain, connections: Connections(connections) };
    let served = server::serve(listener, entrance, serving, told_to_stop(), work.settled()).await;
    for task in [upkeep, works, lives] {
        task.abort();
    }
    // What waits to be written is.
    drop(recorder);
    tracing::info!("stopped");
    served.map_err(|error| one(format!("the server stopped: {error}")))
}

/// Where to listen: what was said, else everywhere when callers prove who they are, else loopback only.
fn host(flags: &ServeFlags, project: &Project) -> String {
    let server = &project.settings.server;
    let default = if server.auth.is_empty() { "127.0.0.1" } else { "0.0.0.0" };
    flags.host.clone().or_else(|| server.host.clone()).unwrap_or_else(|| default.to_owned())
}

/// Resolves on SIGTERM, on Ctrl-C, and when the terminal that the server was started in is gone.
async fn told_to_stop() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = comes(SignalKind::terminate(), || true) => {}
        () = terminal_goes() => {}
    }
}

/// A terminal that closes sends a hangup, as whoever changed the project does: the one leaves no terminal.
async fn terminal_goes() {
    let is_there = || std::io::stderr().is_terminal();
    if is_there() {
        comes(SignalKind::hangup(), || !is_there()).await;
    } else {
        pending().await
    }
}

/// Resolves when that signal comes and `counts`; never where it cannot be heard.
async fn comes(kind: SignalKind, counts: impl Fn() -> bool) {
    let Ok(mut signals) = signal(kind) else { return pending().await };
    while signals.recv().await.is_some() {
        if counts() {
            return;
        }
    }
    pending().await
}
