//! The ways back to the assistants of a project, with their secrets read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::connector::assistant::{Assistant, Assistants, Facts, facts};
use crate::name::CallerName;
use crate::plan::Project;
use crate::plan::assistant::{Address, Assistant as Plan, LATEST, Login, fit};
use crate::secret::Reference;
use crate::time::Clock;

/// The ways back to the assistants that call.
///
/// # Errors
/// What is missing or cannot be used, one line each; never a secret.
pub fn assistants(project: &Project, folder: &Path, clock: &Arc<dyn Clock>) -> Result<Assistants, Vec<String>> {
    let (mut open, mut wrong) = (Vec::new(), Vec::new());
    for (caller, opened) in each_assistant(project, folder, clock) {
        match opened {
            Ok(assistant) => open.push(assistant),
            Err(reason) => wrong.push(format!("the assistant `{caller}` cannot be called back: {reason}")),
        }
    }
    if wrong.is_empty() { Ok(Assistants::new(open)) } else { Err(wrong) }
}

/// Each by itself: the way back, or what is missing or cannot be used.
#[must_use]
pub fn each_assistant(
    project: &Project,
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> Vec<(CallerName, Result<Assistant, String>)> {
    let secret = |reference: &Reference| reference.resolve(folder);
    let all = project.settings.assistants.iter();
    all.map(|(caller, plan)| (caller.clone(), Assistant::open(caller, plan, &secret, folder, clock))).collect()
}

/// What there is to see of the ways back; no secret is needed.
#[must_use]
pub fn assistant_facts(project: &Project, folder: &Path) -> Vec<Facts> {
    facts(&project.settings.assistants, &|reference| reference.resolve(folder))
}

/// How long an assistant may take to tell how a conversation stands.
const TRACKER: Duration = Duration::from_secs(30);

/// The tracker of a conversation, from the assistant whose HTTP API is at `url`; `token` is that of its `--auth-token`.
///
/// # Errors
/// Why it cannot be had; never a secret.
pub async fn tracker(
    url: &str,
    sender: &str,
    token: Option<Reference>,
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Value, String> {
    let login = token.map_or(Login::Open, Login::Token);
    fit(url, &login, &[]).map_err(|(what, cure)| format!("{what}: {cure}"))?;
    // Who names a host wants to talk to it, wherever it is.
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default().to_owned();
    let plan = Plan {
        url: Address::Written(url.to_owned()),
        login,
        output_channel: LATEST.to_owned(),
        timeout: TRACKER,
        allow_private: vec![host],
        authorities: None,
    };
    let assistant = Assistant::open(&CallerName::anonymous(), &plan, &|it| it.resolve(folder), folder, clock)?;
    assistant.tracker(sender).await.map_err(|fault| fault.to_string())
}
