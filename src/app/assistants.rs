//! The ways back to the assistants of a project, with their secrets read.

use std::path::Path;
use std::sync::Arc;

use crate::connector::assistant::{Assistant, Assistants, Facts, facts};
use crate::name::CallerName;
use crate::plan::Project;
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
