//! Databases that a test has for itself, to be stopped and started again by their scripts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server that `scripts/NAME` started; it is stopped and removed when this is dropped.
pub struct Started {
    script: PathBuf,
    /// Its address.
    pub address: String,
    folder: String,
}

impl Started {
    /// Starts one by its script, `postgres` or `redis`.
    pub fn by(script: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script);
        let ran = Command::new(&script).arg("start").stderr(Stdio::inherit()).output().unwrap();
        assert!(ran.status.success(), "{} start", script.display());
        let told = String::from_utf8(ran.stdout).unwrap();
        let [address, folder] = told.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {told}") };
        Self { address: address.to_owned(), folder: folder.to_owned(), script }
    }

    /// Ends it hard, so that nobody listens at its address.
    pub fn halt(&self) {
        self.does("halt");
    }

    /// Starts it again at the same address.
    pub fn launch(&self) {
        self.does("launch");
    }

    fn does(&self, word: &str) {
        let ran = Command::new(&self.script).args([word, &self.folder]).stdout(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{} {word}", self.script.display());
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = Command::new(&self.script).args(["stop", &self.folder]).status();
    }
}
