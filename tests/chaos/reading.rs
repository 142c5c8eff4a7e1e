//! What an answer says: whether Rasa takes it as meant, and how the turn went by its slots.
//!
//! Texts are for people and not read here: the slot `action_outcome` says the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::record::Turn;

/// What an answer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It takes longer, and the same action is to be run again.
    Slow,
    /// How the turn went.
    Done {
        /// The name of its outcome.
        outcome: String,
        /// The slots that are set, without those that are set to null.
        slots: BTreeMap<String, Value>,
    },
}

/// The outcomes that there can be here: the vendors neither refuse nor lack anything.
const OUTCOMES: [&str; 9] =
    ["ok", "stale", "rate_limited", "unavailable", "timeout", "pending", "queued", "unclear", "unexpected"];

/// Reads an answer to a turn's first or second call.
///
/// # Errors
/// What is wrong with it.
pub fn read(turn: &Turn, second: bool, status: u16, body: &Value) -> Result<Said, String> {
    if status != 200 {
        return Err(format!("it is a {status}"));
    }
    let list = |key: &str| body[key].as_array().ok_or_else(|| format!("`{key}` is no list"));
    let (events, messages) = (list("events")?, list("responses")?);
    if events.is_empty() && messages.is_empty() {
        return Err("nothing is said or done".to_owned());
    }
    if let Some(bad) = messages.iter().find(|message| !message.is_object()) {
        return Err(format!("a message is no object: {bad}"));
    }
    if let Some(bad) = events.iter().find(|event| !well_formed(event)) {
        return Err(format!("Rasa refuses the event {bad}"));
    }
    let name = turn.action.name;
    let opening = ["undo", "undo", "action"].iter().zip(events.iter().map(|event| &event["event"]));
    let opens = events.len() >= 3 && opening.clone().all(|(wanted, found)| found == wanted) && events[2]["name"] == name;
    let undone = events.iter().filter(|event| event["event"] == "undo").count();
    match (second, undone) {
        (true, 2) if opens => {}
        (true, _) => return Err("the second answer does not open as one run".to_owned()),
        (false, 0) => {}
        (false, _) => return Err("the first answer takes back what the user said".to_owned()),
    }
    let followups: Vec<_> = events.iter().filter(|event| event["event"] == "followup").collect();
    if !followups.is_empty() {
        return match &followups[..] {
            [one] if one["name"] == name && !second && events.len() == 1 && !messages.is_empty() => Ok(Said::Slow),
            _ => Err("it follows up otherwise than a slow first answer does".to_owned()),
        };
    }
    if messages.is_empty() {
        return Err("nothing is said".to_owned());
    }
    let slot = |event: &Value| Some((event["name"].as_str()?.to_owned(), event["value"].clone()));
    let slots = events.iter().filter(|event| event["event"] == "slot").filter_map(slot);
    let mut slots: BTreeMap<_, _> = slots.collect();
    slots.retain(|_, value| !value.is_null());
    let outcome = slots.remove("action_outcome");
    let outcome = outcome.as_ref().and_then(Value::as_str).ok_or("it does not say how it went")?;
    let writes = !turn.action.writes.is_empty();
    let fits = match outcome {
        "stale" => !writes,
        "pending" | "queued" | "unclear" => writes,
        other => OUTCOMES.contains(&other),
    };
    if !fits {
        return Err(format!("it says {outcome:?}, which cannot be"));
    }
    Ok(Said::Done { outcome: outcome.to_owned(), slots })
}

/// Whether the assistant takes an event, of those that an action of this project can lead to.
fn well_formed(event: &Value) -> bool {
    let named = || event["name"].is_string();
    let timed = event.get("timestamp").is_none_or(|at| at.is_number() || at.is_null());
    timed
        && match event["event"].as_str() {
            Some("slot") => named() && event.get("value").is_some(),
            Some("followup" | "action") => named(),
            Some("undo") => true,
            _ => false,
        }
}
