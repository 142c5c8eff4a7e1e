//! What a trial begins with: words of the command line, a conversation as it stands, or a recorded call.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::TryFlags;
use crate::app;
use crate::engine::{Begun, Entry};
use crate::plan::testcase::Situation;
use crate::qa::{self, recording};
use crate::rasa::Reply;
use crate::secret::Reference;
use crate::time::Clock;

/// What is tried.
pub(super) struct Start {
    /// The action.
    pub(super) action: String,
    /// The body of its call.
    pub(super) body: Value,
    /// The recording that it is, where it is one.
    pub(super) recording: Option<Box<recording::Recording>>,
}

/// What came of it.
pub(super) struct Tried {
    pub(super) reply: Reply,
    /// What it did, and when.
    pub(super) entries: Vec<(Instant, Entry)>,
    /// How long it took; none where time was not real.
    pub(super) took: Option<Duration>,
    /// What it began with, when anything ran.
    pub(super) begun: Option<Begun>,
    /// What the action needed of the call.
    pub(super) called: Option<recording::Called>,
}

/// Reads what is to be tried.
///
/// # Errors
/// What cannot be read, and what to do.
pub(super) async fn of(flags: &TryFlags, folder: &Path, clock: &Arc<dyn Clock>) -> Result<Start, String> {
    if let Some(file) = &flags.recording {
        return recorded(file, flags.action.as_deref());
    }
    if let Some(file) = &flags.tracker {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let json = serde_json::from_str(&text).map_err(|error| format!("{} is not JSON: {error}", file.display()))?;
        return conversation(json, flags).map_err(|wrong| format!("{}: {wrong}", file.display()));
    }
    if let (Some(url), Some(sender)) = (&flags.from_rasa, &flags.sender) {
        let token = flags.token_env.clone().map(Reference::Env);
        return conversation(app::tracker(url, sender, token, folder, clock).await?, flags);
    }
    let situation = Situation {
        slots: flags.slot.clone(),
        text: flags.text.clone(),
        intent: flags.intent.clone(),
        entities: flags.entity.iter().map(|(name, value)| json!({ "entity": name, "value": value })).collect(),
        metadata: flags.metadata.clone(),
        verified: flags.verified.clone(),
        sender: flags.sender.clone(),
        channel: flags.channel.clone(),
        active_loop: flags.active_loop.clone(),
        offered: flags.offer.clone(),
        events: Vec::new(),
    };
    let action = flags.action.clone().unwrap_or_default();
    Ok(Start { body: qa::body(&action, &situation), action, recording: None })
}

fn recorded(file: &Path, action: Option<&str>) -> Result<Start, String> {
    let mut read = recording::read(file).map_err(|wrong| wrong.join("\n"))?;
    let (Some((_, recording)), true) = (read.pop(), read.is_empty()) else {
        return Err(format!("{} is no single recording: name one file of it", file.display()));
    };
    let own = recording.action.clone();
    if let Some(other) = action.filter(|action| *action != own) {
        return Err(format!("{} is a recording of `{own}`, not of `{other}`: leave the action out", file.display()));
    }
    Ok(Start { body: Value::Null, action: own, recording: Some(Box::new(recording)) })
}

/// A conversation as it stands, or a whole call of an action in it.
fn conversation(json: Value, flags: &TryFlags) -> Result<Start, String> {
    let Value::Object(mut fields) = json else { return Err("it is neither a tracker nor a call".to_owned()) };
    if fields.contains_key("legwork_recording") {
        return Err("it is a recording: say --recording".to_owned());
    }
    let mut body = match fields.contains_key("tracker") {
        true => Value::Object(fields),
        false if fields.contains_key("slots") => {
            // A tracker tells more than a call does, and some of it twice.
            fields.remove("latest_bot_utterance");
            let sender = fields.get("sender_id").cloned().unwrap_or_else(|| "default".into());
            json!({ "sender_id": sender, "tracker": fields })
        }
        false => return Err("it has neither `slots`, as a tracker has, nor a `tracker`, as a call has".to_owned()),
    };
    if let Some(action) = &flags.action {
        body["next_action"] = action.as_str().into();
        // Whatever was called for then, this is called for now, and for the first time.
        body["tracker"]["followup_action"] = Value::Null;
    }
    for (name, value) in &flags.slot {
        body["tracker"]["slots"][name] = value.clone();
    }
    let action = body["next_action"].as_str().ok_or("it does not say which action: name one")?.to_owned();
    Ok(Start { action, body, recording: None })
}
