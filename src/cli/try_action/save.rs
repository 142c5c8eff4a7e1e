//! `--save`: what was tried becomes a test in the action's file, without people in it, and only when it passes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::answered;
use super::start::Tried;
use crate::app::{self, Place};
use crate::plan::Project;
use crate::plan::action::Body;
use crate::plan::connector::StagedAt;
use crate::qa::recording::{Mask, otherwise};
use crate::qa::{Failure, Saved, last_test, with_test};
use crate::time::Clock;

/// Writes the test, and says what was written.
///
/// # Errors
/// Why it was not, and what to do.
pub(super) async fn save(
    words: &str,
    tried: &Tried,
    faults: &[StagedAt],
    project: &Arc<Project>,
    place: &Place,
    clock: &Arc<dyn Clock>,
) -> Result<String, String> {
    let (Some(begun), Some(called)) = (&tried.begun, &tried.called) else {
        return Err("the action did not run".to_owned());
    };
    if matches!(begun.action.body, Body::Native | Body::Forwarded) {
        return Err("the action has no file that a test could stand in".to_owned());
    }
    if !answered(&tried.reply) {
        return Err("the action came to no answer".to_owned());
    }
    // What the project's own files say of people, such as the examples of the sandbox, may stand in one more of them.
    let mut mask = Mask::new(Arc::new(app::everything(place, project)))?.keeping_addresses();
    mask.meet(&called.values());
    let call = called.masked(&mask);
    let now = project.settings.tests_now.is_none().then_some(begun.now);
    let saved = Saved { it: words, call: &call, faults, now };
    let file = &begun.action.place.file;
    let with = |test: &str| {
        let text = with_test(&file.text, test);
        text.ok_or_else(|| {
            format!("nothing can be put behind `tests:` as it stands in {}; the test is\n\n{test}", file.path)
        })
    };
    let run = async |test: &str| {
        let text = with(test)?;
        let (edited, problems) = app::load_with(place, &file.path, &text);
        let wrong = || problems.first().map_or_else(String::new, |problem| problem.message.clone());
        let edited = Arc::new(edited.ok_or_else(|| format!("the test cannot be read: {}", wrong()))?);
        let folder = place.folder();
        let connections = app::test_connections(&edited, &folder).map_err(|missing| missing.join("\n"))?;
        let (reply, failures) = last_test(&edited, &connections, &folder, clock, &begun.action.name).await?;
        Ok::<_, String>((text, reply, failures))
    };
    let (_, reply, _) = run(&saved.yaml(None)).await?;
    let reply = reply.filter(answered).ok_or("as a test, it comes to no answer")?;
    let test = saved.yaml(Some(&reply));
    let (text, _, failures) = run(&test).await?;
    if !failures.is_empty() {
        return Err(format!("the test does not pass:\n{}the test is\n\n{test}", lines(&failures)));
    }
    let path = place_of(place, &file.path);
    std::fs::write(&path, text)
        .map_err(|error| format!("{} cannot be written: {error}; the test is\n\n{test}", path.display()))?;
    let other = otherwise(&tried.reply, &mask, &reply);
    let mut said = format!("\nsaved in {}\n\n{test}", file.path);
    if !other.is_empty() {
        let why = "\nIts systems answer otherwise than those that were asked: tests run on the sandbox's data and on the examples \
                   of connectors, and people are masked. It expects what they answer; what was tried was\n";
        let _ = write!(said, "{why}{}", lines(&other));
    }
    Ok(said)
}

/// Where the file of an action lies, which people know by its path in the project.
fn place_of(place: &Place, path: &str) -> PathBuf {
    let within = place.folder().join(path);
    if within.exists() { within } else { PathBuf::from(path) }
}

fn lines(failures: &[Failure]) -> String {
    let line = |it: &Failure| format!("  {}\n    test   {}\n    tried  {}\n", it.what, it.came, it.expected);
    failures.iter().map(line).collect()
}
