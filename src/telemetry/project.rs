//! The facts of a project that changes while it is served.

use metrics::counter;

use super::Metric;

/// A change of the project is served from now on.
#[derive(Debug, Clone, Copy)]
pub struct ProjectChanged<'a> {
    /// Which version is served.
    pub version: &'a str,
    /// Which one was served before.
    pub before: &'a str,
    /// Whether `legwork rollback` says so.
    pub back: bool,
    /// How many connections are as they were.
    pub kept: usize,
    /// How many were opened.
    pub opened: usize,
}

impl ProjectChanged<'_> {
    /// Logs and counts: at WARN where it went back, at INFO otherwise.
    pub fn emit(&self) {
        let Self { version, before, back, kept, opened } = *self;
        match back {
            true => tracing::warn!(version, before, kept, opened, "went back to the version before, until the files change"),
            false if version == before => tracing::info!(version, kept, opened, "the project was read again"),
            false => tracing::info!(version, before, kept, opened, "a change of the project is served"),
        }
        counted(if back { "back" } else { "taken" });
    }
}

/// A change of the project is not served.
#[derive(Debug, Clone, Copy)]
pub struct ProjectRefused<'a> {
    /// Which version goes on being served.
    pub version: &'a str,
    /// What is wrong with the other, a line each.
    pub problems: &'a [String],
}

impl ProjectRefused<'_> {
    /// Logs each problem at ERROR, and counts.
    pub fn emit(&self) {
        let version = self.version;
        for problem in self.problems {
            tracing::error!(version, problem, "a change of the project is refused, what was served before goes on");
        }
        counted("refused");
    }
}

fn counted(outcome: &'static str) {
    counter!(Metric::ProjectChangesTotal.name(), "outcome" => outcome).increment(1);
}
