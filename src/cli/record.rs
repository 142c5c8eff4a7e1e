//! What `serve --record`, `test --replay` and `legwork stubs` share: the recordings of a folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::{ProjectFlags, ServeFlags, block_on, cannot, complain, complain_of, print};
use crate::app::{self, Place};
use crate::plan::Project;
use crate::plan::settings::Profile;
use crate::qa::recording::{self, Folder, Learned, Recorder, Recording};
use crate::time::{Clock, SystemClock, shown};

#[derive(Debug, Args)]
pub(super) struct StubsFlags {
    /// Recordings: a folder of `legwork serve --record`, or one of its files
    recordings: PathBuf,
    /// For this test case only: the stubs are named `CASE::ACTION`
    #[arg(long, value_name = "CASE")]
    case: Option<String>,
    /// Write them into this file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What records the turns of a server, when it is told to.
///
/// # Errors
/// Why it cannot.
pub(super) fn recorder(flags: &ServeFlags, project: &Project, place: &Place) -> Result<Option<Recorder>, String> {
    let Some(folder) = &flags.record else { return Ok(None) };
    if project.settings.server.profile == Profile::Production && !flags.record_in_production {
        let text = "--record keeps what users ask for, masked, and `profile: production` refuses that: leave it out, or add \
                    --record-in-production if that was decided (docs/recording.md says what is kept)";
        return Err(text.to_owned());
    }
    let (at, place) = (place.folder(), place.clone());
    let learn = move |project: &Project| {
        // None of them is asked; without them, recordings are only to read.
        let connections = app::test_connections(project, &place.folder()).unwrap_or_default();
        Learned { words: app::vocabulary(&place, project), connections }
    };
    let recorder = Recorder::begin(Folder::open(folder, flags.record_for)?, &at, learn, Arc::new(SystemClock))?;
    tracing::warn!(
        folder = %folder.display(), kept = shown(flags.record_for),
        "every turn is recorded, without the people in it, since --record says so"
    );
    Ok(Some(recorder))
}

/// Runs the recordings of a folder again; what is printed says where an action answers otherwise now.
pub(super) fn replay(recordings: &Path, name: Option<&str>, flags: &ProjectFlags) -> ExitCode {
    let place = flags.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let mut chosen = match recordings_of(recordings) {
        Ok(chosen) => chosen,
        Err(reasons) => return cannot(&reasons),
    };
    chosen.retain(|(file, recording)| name.is_none_or(|name| recording.action.contains(name) || file.contains(name)));
    let folder = place.folder();
    let connections = match app::test_connections(&project, &folder) {
        Ok(connections) => connections,
        Err(missing) => return cannot(&missing),
    };
    let (project, clock): (_, Arc<dyn Clock>) = (Arc::new(project), Arc::new(SystemClock));
    match block_on(recording::replay(&project, &connections, &folder, &clock, chosen)) {
        Ok(replays) => {
            print(&replays.human());
            if replays.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(code) => code,
    }
}

pub(super) fn stubs(flags: &StubsFlags) -> ExitCode {
    let stubs = match recordings_of(&flags.recordings) {
        Ok(recordings) => recording::stubs(&recordings, flags.case.as_deref()),
        Err(reasons) => return cannot(&reasons),
    };
    let Some(out) = &flags.out else {
        print(&stubs);
        return ExitCode::SUCCESS;
    };
    let written =
        OpenOptions::new().write(true).create_new(true).open(out).and_then(|mut file| file.write_all(stubs.as_bytes()));
    match written {
        Ok(()) => {
            complain(&format!("legwork: written to {}\n", out.display()));
            ExitCode::SUCCESS
        }
        Err(error) => cannot(&[format!("{} cannot be written: {error}", out.display())]),
    }
}

/// The recordings of a folder or a file: at least one.
fn recordings_of(path: &Path) -> Result<Vec<(String, Recording)>, Vec<String>> {
    let read = recording::read(path)?;
    if read.is_empty() {
        return Err(vec![format!("{} holds no recording: `legwork serve --record {0}` makes them", path.display())]);
    }
    Ok(read)
}
