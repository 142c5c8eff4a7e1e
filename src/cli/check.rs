//! `legwork check`: everything that is wrong in a project's files, at once.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::{ProjectFlags, block_on, print};
use crate::app::{self, Place};
use crate::diag::{self, Diagnostic, Severity};
use crate::engine::Natives;
use crate::time::SystemClock;

#[derive(Debug, Args)]
pub(super) struct CheckFlags {
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// With excerpts, for people
    Human,
    /// One JSON object a line
    Json,
    /// Annotations for GitHub's reviews
    Github,
}

pub(super) fn run(flags: &CheckFlags, natives: &Natives) -> ExitCode {
    let place = Place { natives: natives.clone(), ..flags.project.place() };
    let (project, mut problems) = app::load(&place);
    let mut sound = project.is_some();
    if let Some(project) = &project {
        match block_on(app::verify(project, &place.folder(), Arc::new(SystemClock))) {
            Ok(unfit) => {
                sound = unfit.iter().all(|problem| problem.severity() != Severity::Error);
                problems.extend(unfit);
            }
            Err(code) => return code,
        }
    }
    let format = match flags.format {
        Format::Human => diag::Format::Human { color: std::io::IsTerminal::is_terminal(&std::io::stdout()) },
        Format::Json => diag::Format::Json,
        Format::Github => diag::Format::GitHub,
    };
    print(&diag::render(&problems, format));
    if matches!(flags.format, Format::Human) {
        print(&summary(&problems, project.as_ref().map(|project| project.actions.len())));
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// The last line: how much was found.
fn summary(problems: &[Diagnostic], actions: Option<usize>) -> String {
    let of = |severity| problems.iter().filter(|problem| problem.severity() == severity).count();
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let found = match (of(Severity::Error), of(Severity::Warning)) {
        (0, 0) => "nothing is wrong".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    let looked = actions.map_or(String::new(), |actions| format!("{}: ", count(actions, "action")));
    let more = if problems.is_empty() { "" } else { "; `legwork explain CODE` says more" };
    format!("{looked}{found}{more}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;

    #[test]
    fn the_last_line_counts() {
        let one = |code| Diagnostic::nowhere(code, "x");
        assert_eq!(summary(&[], Some(2)), "2 actions: nothing is wrong\n");
        let found = [one(Code::UnknownSlot), one(Code::UnusedInput), one(Code::UnusedInput)];
        assert_eq!(summary(&found, None), "1 error, 2 warnings; `legwork explain CODE` says more\n");
    }
}
