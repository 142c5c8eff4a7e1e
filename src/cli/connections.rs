//! `legwork connections`: what the project is connected to; nothing is opened and no secret is needed.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{ProjectFlags, complain_of, print};
use crate::app;
use crate::connector::handbook;

#[derive(Debug, Args)]
pub(super) struct ConnectionsFlags {
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How facts are printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// A JSON list
    Json,
}

pub(super) fn run(flags: &ConnectionsFlags) -> ExitCode {
    let place = flags.project.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let facts = app::facts(&project, &place.folder());
    match flags.format {
        Format::Human => print(&handbook::connections(&facts)),
        Format::Json => print(&format!("{:#}\n", serde_json::json!(facts))),
    }
    ExitCode::SUCCESS
}
