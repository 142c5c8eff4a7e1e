//! The real binary, run in a folder.

use std::path::Path;
use std::process::{Command, Output};

/// What a command printed, and how it exited.
pub struct Ran {
    pub printed: String,
    pub complained: String,
    pub code: Option<i32>,
}

/// Runs `legwork` with these words in a folder.
pub fn legwork(folder: &Path, words: &[&str]) -> Ran {
    legwork_with(folder, words, &[])
}

/// Runs the binary with these environment variables; one without a value is not set.
pub fn legwork_with(folder: &Path, words: &[&str], variables: &[(&str, Option<&str>)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_legwork"));
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.args(words).current_dir(folder).output().unwrap();
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { printed: text(stdout), complained: text(stderr), code: status.code() }
}

/// A folder with these files.
pub fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}
