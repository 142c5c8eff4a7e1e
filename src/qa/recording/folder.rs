//! The folder of recordings: a file a turn, for its owner's eyes only, removed when it is old enough.
//!
//! A file's name begins with the time of its turn, and by that time it is removed. Files with other names are nobody's business
//! here.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::file::Recording;

/// The time at the beginning of a name.
const TIME: &str = "%Y%m%dT%H%M%S%3fZ";

/// A folder that recordings are written into.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keep: Duration,
    written: u64,
}

impl Folder {
    /// A folder, made where it is not there; its recordings are kept for so long.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn open(path: &Path, keep: Duration) -> Result<Self, String> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| format!("recordings cannot be kept in {}: {error}", path.display()))?;
        Ok(Self { path: path.to_path_buf(), keep, written: 0 })
    }

    /// Writes a recording, whole or not at all, and says where.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&mut self, recording: &Recording) -> io::Result<PathBuf> {
        let text = serde_json::to_string_pretty(recording).map_err(io::Error::other)?;
        // What is written in one millisecond, or by several servers into one folder, has names of its own.
        let number = format!("{}-{}", std::process::id(), self.written);
        self.written += 1;
        let name = format!("{}-{}-{number}.json", recording.at.format(TIME), recording.action);
        let (path, partial) = (self.path.join(&name), self.path.join(format!("{name}.part")));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n"))?;
        fs::rename(&partial, &path)?;
        Ok(path)
    }

    /// Removes what is older than it is kept; how many those were.
    ///
    /// # Errors
    /// What the file system says.
    pub fn tidy(&self, now: DateTime<Utc>) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let old = time_of(&path).is_some_and(|at| (now - at).to_std().is_ok_and(|age| age > self.keep));
            if old && fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// When the turn of a file was; none of one that is no recording by its name.
fn time_of(path: &Path) -> Option<DateTime<Utc>> {
    let name = path.file_name()?.to_str()?;
    let ours = name.ends_with(".json") || name.ends_with(".json.part");
    let (time, _) = name.split_once('-').filter(|_| ours)?;
    NaiveDateTime::parse_from_str(time, TIME).ok().map(|time| time.and_utc())
}

/// The recordings of a folder, or of a file, by their names: in the order of their turns.
///
/// # Errors
/// What cannot be read, one line each.
pub fn read(path: &Path) -> Result<Vec<(String, Recording)>, Vec<String>> {
    let unreadable = |error: io::Error| vec![format!("{} cannot be read: {error}", path.display())];
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|ending| ending == "json") {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_path_buf());
    }
    let (mut read, mut wrong) = (Vec::new(), Vec::new());
    for file in files {
        let shown = file.display().to_string();
        let text = fs::read_to_string(&file).map_err(|error| format!("{shown} cannot be read: {error}"));
        let recording = text.and_then(|text| {
            serde_json::from_str::<Recording>(&text).map_err(|error| format!("{shown} is not a recording: {error}"))
        });
        match recording {
            Ok(recording) if recording.legwork_recording != Recording::VERSION => {
                let version = recording.legwork_recording;
                wrong
                    .push(format!("{shown} is a recording of version {version}; this legwork reads {}", Recording::VERSION));
            }
            Ok(recording) => read.push((shown, recording)),
            Err(reason) => wrong.push(reason),
        }
    }
    if wrong.is_empty() { Ok(read) } else { Err(wrong) }
}
