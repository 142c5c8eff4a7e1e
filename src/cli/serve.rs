//! `legwork serve`: loads the project, opens its connections, listens, and stops when told to.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ServeFlags, block_on, cannot, complain, complain_of};
use crate::app::{self, Place};
use crate::diag::{Diagnostic, File};
use crate::plan::Project;
use crate::plan::settings;
use crate::rasa::Limits;
use crate::server::{self, Connections, Cors, Drain, Draining, Facts, Options, Serving};
use crate::spec::yaml;
use crate::telemetry::{self, Metrics};
use crate::time::{Clock, SystemClock};

/// The port that Rasa's own action server listens on.
const PORT: u16 = 5055;

/// How often the samples of histograms are folded together.
const UPKEEP: Duration = Duration::from_secs(5);

pub(super) fn run(flags: &ServeFlags) -> ExitCode {
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
    let place = Place { config: flags.config.clone(), actions: flags.actions.clone(), ..Place::default() };
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
    let code = match block_on(serve(flags, project, &place)) {
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

async fn serve(flags: &ServeFlags, project: Project, place: &Place) -> Result<(), Vec<String>> {
    let one = |reason: String| vec![reason];
    let folder = place.folder();
    let project = Arc::new(project);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let written = &project.settings.server;
    let auth = app::callers(&project, &folder)?;
    let assistants = app::assistants(&project, &folder, &clock)?;
    let origins: Vec<String> = written.cors.iter().chain(&flags.cors).cloned().collect();
    let options = Options {
        auth,
        cors: Cors::parse(&origins).map_err(one)?,
        body_limit: written.body_limit,
        limits: Limits { depth: written.depth_limit },
        ..Options::default()
    };
    let tls = flags.tls().map(|files| files.load()).transpose().map_err(one)?;
    let host = host(flags, &project);
    let port = flags.port.or(written.port).unwrap_or(PORT);
    if open_to_all(&host, &options) {
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
    let bound = listener.local_addr().map_or_else(|_| format!("{host}:{port}"), |address| address.to_string());
    let config = json!({
        "file": place.config.as_ref().map(|path| path.display().to_string()),
        "profile": format!("{:?}", written.profile).to_lowercase(),
        "address": bound,
        "tls": tls.is_some(),
        "body_limit": written.body_limit,
        "turns": room.turns,
        "connections": room.connections,
        "turn_seconds": project.settings.limits.times.give_up_after.as_secs_f64(),
        "slow_seconds": project.settings.limits.times.slow_after.as_secs_f64(),
        "timezone": project.settings.timezone.name(),
    });
    // Before anything counts.
    let metrics = Metrics::install();
    let engine = Arc::new(app::engine(Arc::clone(&project), place, clock).await?);
    for fault in &flags.faults {
        tracing::warn!(connection = %fault.connection, "{fault}: on purpose, since --fault says so; users hear what comes of it");
        engine.connections().stage(fault);
    }
    let draining = Draining::default();
    let facts = Facts { config, metrics: metrics.clone(), draining: draining.clone() };
    let router = server::router(Arc::clone(&engine), options, facts);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (turns, connections) = (room.turns, room.connections);
    tracing::info!(actions = project.actions.len(), turns, connections, "listening on {scheme}://{bound}/webhook");
    let upkeep = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            metrics.upkeep();
        }
    });
    let work = Arc::clone(&engine);
    let work = tokio::spawn(async move { work.work(assistants).await });
    let drain = Drain { draining, ..Drain::default() };
    let serving = Serving { tls, drain, connections: Connections(room.connections) };
    let served = server::serve(listener, router, serving, told_to_stop(), engine.settled()).await;
    upkeep.abort();
    work.abort();
    tracing::info!("stopped");
    served.map_err(|error| one(format!("the server stopped: {error}")))
}

/// Where to listen: what was said, else everywhere when callers prove who they are, else loopback only.
fn host(flags: &ServeFlags, project: &Project) -> String {
    let server = &project.settings.server;
    let default = if server.auth.is_empty() { "127.0.0.1" } else { "0.0.0.0" };
    flags.host.clone().or_else(|| server.host.clone()).unwrap_or_else(|| default.to_owned())
}

/// Whether others than this machine can reach the server without saying who they are.
fn open_to_all(host: &str, options: &Options) -> bool {
    options.auth.is_empty() && !settings::is_loopback(host)
}

/// Resolves on SIGTERM or Ctrl-C.
async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = interrupted.await;
        return;
    };
    tokio::select! {
        _ = interrupted => {}
        _ = terminated.recv() => {}
    }
}
