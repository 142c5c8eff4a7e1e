//! `legwork try ACTION --slot k=v`: runs one action and shows each step, what was asked and answered, and what Rasa would get.

mod save;
mod start;
mod told;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use serde_json::Value;

use self::start::{Start, Tried};
use super::{ProjectFlags, block_on, cannot, complain_of, print};
use crate::app::{self, Place};
use crate::diag::similar;
use crate::engine::{Context, Entry, Natives, Trace};
use crate::name::{ActionName, CallerName};
use crate::plan::Project;
use crate::plan::connector::StagedAt;
use crate::plan::settings::PROVED;
use crate::qa::recording;
use crate::rasa::{Call, Limits, Reply};
use crate::time::{Clock, SystemClock};

#[derive(Debug, Args)]
pub(super) struct TryFlags {
    /// The action; a recorded call says itself which
    #[arg(required_unless_present_any = ["tracker", "recording"])]
    action: Option<String>,
    /// A slot; the value is read as JSON where it is JSON, else as a text
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    slot: Vec<(String, Value)>,
    /// An entity of the user's message
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair, conflicts_with_all = ["tracker", "from_rasa"])]
    entity: Vec<(String, Value)>,
    /// A key of the message's metadata
    #[arg(long, short, value_name = "KEY=VALUE", value_parser = pair, conflicts_with_all = ["tracker", "from_rasa"])]
    metadata: Vec<(String, Value)>,
    /// A slot that the message offers to a validation
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair, conflicts_with_all = ["tracker", "from_rasa"])]
    offer: Vec<(String, Value)>,
    /// What the user has proved: email, phone or customer
    #[arg(long, value_name = "WHAT=VALUE", value_parser = proved)]
    verified: Vec<(String, String)>,
    /// The user's message
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["tracker", "from_rasa"])]
    text: Option<String>,
    /// Its intent
    #[arg(long, value_name = "NAME", conflicts_with_all = ["tracker", "from_rasa"])]
    intent: Option<String>,
    /// The input channel
    #[arg(long, value_name = "NAME", conflicts_with_all = ["tracker", "from_rasa"])]
    channel: Option<String>,
    /// The conversation's id
    #[arg(long, value_name = "ID", conflicts_with = "tracker")]
    sender: Option<String>,
    /// The active form
    #[arg(long, value_name = "NAME", conflicts_with_all = ["tracker", "from_rasa"])]
    active_loop: Option<String>,
    /// Begin as this conversation stands: a tracker as Rasa's HTTP API gives it, or the whole body of a call of the action
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from_rasa", "recording"])]
    tracker: Option<PathBuf>,
    /// Begin as the conversation of --sender stands on this Rasa, which runs with --enable-api
    #[arg(long, value_name = "URL", requires = "sender", conflicts_with = "recording")]
    from_rasa: Option<String>,
    /// The environment variable that holds the token of that Rasa's --auth-token
    #[arg(long, value_name = "NAME", requires = "from_rasa")]
    token_env: Option<String>,
    /// Run a recording of `legwork serve --record` again, on the answers in it; no system is asked
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["slot", "entity", "metadata", "offer", "verified", "text", "intent", "channel", "sender", "active_loop", "fault"]
    )]
    recording: Option<PathBuf>,
    /// Let a system fail on purpose: CONNECTION=FAULT, or CONNECTION.OPERATION=FAULT, where FAULT is down, slow:8s,
    /// rate_limited, rate_limited:30s, wrong_data or flaky:30%. May be given several times
    #[arg(long, value_name = "CONNECTION=FAULT")]
    fault: Vec<StagedAt>,
    /// Write it as a test into the action's file, with these words for what it shows
    #[arg(long, value_name = "WORDS")]
    save: Option<String>,
    #[command(flatten)]
    project: ProjectFlags,
}

/// Reads `name=value`.
fn pair(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.trim().to_owned(), value))
}

/// Reads `what=value` of what is proved.
fn proved(text: &str) -> Result<(String, String), String> {
    let (what, value) = text.split_once('=').ok_or("write WHAT=VALUE")?;
    match PROVED.contains(&what.trim()) {
        true => Ok((what.trim().to_owned(), value.to_owned())),
        false => Err(format!("write one of {}, and its value", PROVED.join(", "))),
    }
}

pub(super) fn run(flags: &TryFlags, natives: &Natives) -> ExitCode {
    let place = Place { natives: natives.clone(), ..flags.project.place() };
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let project = Arc::new(project);
    unknown_slots(flags, &project);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tried = block_on(async {
        let start = start::of(flags, &place.folder(), &clock).await.map_err(|reason| vec![reason])?;
        known(&start.action, &project, &flags.fault)?;
        tried(flags, start, &project, &place, &clock).await
    });
    let tried = match tried {
        Ok(Ok(tried)) => tried,
        Ok(Err(reasons)) => return cannot(&reasons),
        Err(code) => return code,
    };
    print(&told::told(&tried));
    let failed = tried.entries.iter().any(|(_, entry)| matches!(entry, Entry::Problem { .. }));
    if let Some(words) = &flags.save {
        let saved = block_on(save::save(words, &tried, &flags.fault, &project, &place, &clock));
        match saved {
            Ok(Ok(said)) => print(&said),
            Ok(Err(reason)) => {
                super::complain(&format!("legwork: not saved: {reason}\n"));
                return ExitCode::from(1);
            }
            Err(code) => return code,
        }
    }
    if failed { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// Says which of the slots on the command line the domain does not have: no action ever sees them.
fn unknown_slots(flags: &TryFlags, project: &Project) {
    let Some(domain) = &project.domain else { return };
    for (name, _) in flags.slot.iter().filter(|(name, _)| !domain.has_slot(name)) {
        let near = similar(name, domain.slots()).map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        super::complain(&format!("legwork: the domain has no slot `{name}`{near}\n"));
    }
}

/// Whether the action and the systems that are to fail are there.
fn known(action: &str, project: &Project, faults: &[StagedAt]) -> Result<(), Vec<String>> {
    if !project.actions.contains_key(action) {
        let near = similar(action, project.actions.keys().map(ActionName::as_str));
        let cure = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        return Err(vec![format!("there is no action `{action}`{cure}")]);
    }
    let nowhere: Vec<_> = faults.iter().filter_map(|fault| app::nowhere(project, fault)).collect();
    if nowhere.is_empty() { Ok(()) } else { Err(nowhere) }
}

async fn tried(
    flags: &TryFlags,
    start: Start,
    project: &Arc<Project>,
    place: &Place,
    clock: &Arc<dyn Clock>,
) -> Result<Tried, Vec<String>> {
    let one = |reason: String| vec![reason];
    let (folder, begun) = (place.folder(), tokio::time::Instant::now());
    if let Some(recording) = start.recording {
        let connections = app::test_connections(project, &folder)?;
        let (reply, trace) = recording::play(project, &connections, &folder, clock, &recording).await.map_err(one)?;
        let reply = reply.ok_or_else(|| one("it came to no answer".to_owned()))?;
        // Its time was not real.
        return Ok(Tried {
            reply,
            entries: trace.timed(),
            took: None,
            begun: trace.begun().cloned(),
            called: Some(recording.call),
        });
    }
    let engine = app::engine(Arc::clone(project), place, Arc::clone(clock)).await?;
    flags.fault.iter().for_each(|fault| engine.connections().stage(fault));
    let trace = Arc::new(Trace::default());
    let call = Call::decode(Bytes::from(start.body.to_string()), &Limits::default());
    let call = call.map_err(|malformed| one(malformed.to_string()))?;
    let context = Context { caller: CallerName::anonymous(), request_id: Arc::from("try"), trace: None };
    if !flags.verified.is_empty() {
        engine.vouch(context.caller.clone(), &call.sender_id, &flags.verified).await;
    }
    let opened = begun.elapsed();
    let reply = engine.traced(call.clone(), context, Some(Arc::clone(&trace))).await;
    let reply = reply.map_err(|malformed| one(malformed.to_string()))?;
    let took = begun.elapsed().saturating_sub(opened);
    // What it outdated, others have to know before this process is gone.
    engine.connections().settled().await;
    let called = trace.begun().and_then(|it| recording::Called::of(&call, project, &it.action, &flags.verified).ok());
    Ok(Tried { reply, entries: trace.timed(), took: Some(took), begun: trace.begun().cloned(), called })
}

/// Whether something was said or done.
fn answered(reply: &Reply) -> bool {
    matches!(reply, Reply::Answer(_) | Reply::Rejected { .. })
}
