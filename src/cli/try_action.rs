//! `legwork try ACTION --slot k=v`: runs one action and shows each step, what was asked and answered, and what Rasa would get.

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use serde_json::Value;

use super::{ProjectFlags, block_on, cannot, complain_of, print};
use crate::app;
use crate::connector::{Fate, Noted};
use crate::diag::similar;
use crate::engine::{Context, Entry, Trace};
use crate::name::{ActionName, CallerName};
use crate::plan::settings::PROVED;
use crate::plan::testcase::Situation;
use crate::qa;
use crate::rasa::{Call, Limits, Reply};
use crate::time::SystemClock;

#[derive(Debug, Args)]
pub(super) struct TryFlags {
    /// The action
    action: String,
    /// A slot; the value is read as JSON where it is JSON, else as a text
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    slot: Vec<(String, Value)>,
    /// An entity of the user's message
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    entity: Vec<(String, Value)>,
    /// A key of the message's metadata
    #[arg(long, short, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, Value)>,
    /// A slot that the message offers to a validation
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    offer: Vec<(String, Value)>,
    /// What the user has proved: email, phone or customer
    #[arg(long, value_name = "WHAT=VALUE", value_parser = proved)]
    verified: Vec<(String, String)>,
    /// The user's message
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Its intent
    #[arg(long, value_name = "NAME")]
    intent: Option<String>,
    /// The input channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// The conversation's id
    #[arg(long, value_name = "ID")]
    sender: Option<String>,
    /// The active form
    #[arg(long, value_name = "NAME")]
    active_loop: Option<String>,
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

pub(super) fn run(flags: &TryFlags) -> ExitCode {
    let place = flags.project.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    if !project.actions.contains_key(flags.action.as_str()) {
        let near = similar(&flags.action, project.actions.keys().map(ActionName::as_str));
        let cure = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        return cannot(&[format!("there is no action `{}`{cure}", flags.action)]);
    }
    let situation = Situation {
        slots: flags.slot.clone(),
        text: flags.text.clone(),
        intent: flags.intent.clone(),
        entities: flags.entity.iter().map(|(name, value)| serde_json::json!({ "entity": name, "value": value })).collect(),
        metadata: flags.metadata.clone(),
        verified: flags.verified.clone(),
        sender: flags.sender.clone(),
        channel: flags.channel.clone(),
        active_loop: flags.active_loop.clone(),
        offered: flags.offer.clone(),
        events: Vec::new(),
    };
    let body = qa::body(&flags.action, &situation);
    let tried = block_on(async {
        let engine = app::engine(Arc::new(project), &place, Arc::new(SystemClock)).await?;
        let trace = Arc::new(Trace::default());
        let call = Call::decode(Bytes::from(body.to_string()), &Limits::default())
            .map_err(|malformed| vec![malformed.to_string()])?;
        let context = Context { caller: CallerName::anonymous(), request_id: Arc::from("try") };
        if !situation.verified.is_empty() {
            engine.vouch(context.caller.clone(), &call.sender_id, &situation.verified).await;
        }
        let reply =
            engine.traced(call, context, Some(Arc::clone(&trace))).await.map_err(|malformed| vec![malformed.to_string()])?;
        // What it outdated, others have to know before this process is gone.
        engine.connections().settled().await;
        Ok::<_, Vec<String>>((reply, trace.entries()))
    });
    let (reply, entries) = match tried {
        Ok(Ok(tried)) => tried,
        Ok(Err(reasons)) => return cannot(&reasons),
        Err(code) => return code,
    };
    print(&told(&entries, &reply));
    let failed = entries.iter().any(|entry| matches!(entry, Entry::Problem { .. }));
    if failed { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// A request of a call as lines. What proves who we are is not in it.
fn sent(request: &Noted) -> String {
    let what = match request.fate {
        Fate::Answered(status) => format!("{}, answered with {status}", request.line),
        Fate::Unanswered => format!("{}, not answered", request.line),
        Fate::Kept => format!("would send {}", request.line),
    };
    let body = request.body.as_ref().map(|body| format!("        {}\n", body.replace('\n', "\n        ")));
    format!("      {what}\n{}", body.unwrap_or_default())
}

/// The run as a text: one paragraph a step, then the answer.
fn told(entries: &[Entry], reply: &Reply) -> String {
    let mut text = String::new();
    for entry in entries {
        let _ = match entry {
            Entry::Input { name, from, value, place } => {
                writeln!(text, "{:<40} {name} = {value}, from {from}", place.place())
            }
            Entry::Step { verb, place, runs: true } => writeln!(text, "{:<40} {verb}", place.place()),
            Entry::Step { verb, place, runs: false } => {
                writeln!(text, "{:<40} {verb}, skipped: its `when` is false", place.place())
            }
            Entry::Call { connection, operation, inputs, requests, result } => {
                let came = match result {
                    Ok(value) => format!("{value:#}"),
                    Err(fault) => fault.to_string(),
                };
                let sent: String = requests.iter().map(sent).collect();
                writeln!(text, "    {connection}.{operation} {inputs}\n{sent}    → {}", came.replace('\n', "\n      "))
            }
            Entry::Kept { age, instead } => {
                let value = instead.as_ref().map_or_else(String::new, |value| format!(", in its place: {value:#}"));
                writeln!(text, "    ← kept, {} seconds old{}", age.as_secs(), value.replace('\n', "\n      "))
            }
            Entry::Recalled { name, age, value } => {
                writeln!(text, "    {name}\n    ← kept, {} seconds old: {value:#}", age.as_secs())
            }
            Entry::Guard { place, holds } => {
                writeln!(text, "{:<40} require: {}", place.place(), if *holds { "holds" } else { "refuses" })
            }
            Entry::Problem { place, message } => writeln!(text, "{:<40} FAILED: {message}", place.place()),
        };
    }
    let _ = match reply {
        Reply::Answer(answer) => {
            let said = answer.responses.iter().map(|message| format!("  {}\n", qa::shown(message))).collect::<String>();
            let events = answer
                .events
                .iter()
                .map(|event| format!("  {}\n", serde_json::to_string(event).unwrap_or_default()))
                .collect::<String>();
            let or_none = |lines: String| if lines.is_empty() { "  (none)\n".to_owned() } else { lines };
            write!(text, "\nsaid\n{}events\n{}", or_none(said), or_none(events))
        }
        Reply::Rejected { reason, .. } => writeln!(text, "\ndeclined: {reason}"),
        other => writeln!(text, "\n{other:?}"),
    };
    text
}
