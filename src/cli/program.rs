//! A program of one's own that is legwork, with actions that are written in Rust.

use std::process::ExitCode;

use super::{cannot, run};
use crate::engine::{NativeAction, Natives};

/// legwork, as a program of one's own has it.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Begins with no action but those in the project's files.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// What a program adds to legwork.
#[derive(Debug, Default)]
pub struct Builder {
    natives: Natives,
    wrong: Vec<String>,
}

impl Builder {
    /// Adds an action.
    #[must_use]
    pub fn action(mut self, action: impl NativeAction) -> Self {
        self.wrong.extend(self.natives.add(action).err());
        self
    }

    /// Runs the command that the process was started with, as `legwork` does: `serve` when it names none. `serve`, `check` and
    /// `try` know the actions; `test` plays stories with those in files only. Gives the process's exit code: 2 when an action
    /// has no fit name, or another's.
    #[must_use]
    pub fn main(self) -> ExitCode {
        if self.wrong.is_empty() { run(&self.natives) } else { cannot(&self.wrong) }
    }
}
