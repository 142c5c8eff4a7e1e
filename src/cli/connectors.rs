//! `legwork connectors`: every connector there is, everything about one, and their pages of the documentation.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use super::connectors_test::{self, TestFlags};
use super::{ProjectFlags, cannot, complain_of, print};
use crate::app;
use crate::connector::handbook::{self, Listed, Sheet};
use crate::diag::{Severity, similar};
use crate::time::{Clock as _, SystemClock};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ConnectorsFlags {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    show: ShowFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Test whether the project's connections work: address, credentials, rights
    Test(TestFlags),
}

#[derive(Debug, Args)]
struct ShowFlags {
    /// The connector; all of them in two lines each without it
    name: Option<String>,
    /// The example exchanges too
    #[arg(long)]
    examples: bool,
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// With `--format markdown`: a folder to write the pages and their index to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// A JSON object, or a list of them
    Json,
    /// A page of the documentation, or the index of all
    Markdown,
}

pub(super) fn run(flags: &ConnectorsFlags) -> ExitCode {
    match &flags.command {
        Some(Command::Test(flags)) => connectors_test::run(flags),
        None => show(&flags.show),
    }
}

fn show(flags: &ShowFlags) -> ExitCode {
    if flags.out.is_some() && flags.format != Format::Markdown {
        return cannot(&["--out writes pages: add `--format markdown`".to_owned()]);
    }
    let today = SystemClock.now().date_naive();
    let (mut all, problems) = app::catalogue(&flags.project.place(), today, flags.examples);
    complain_of(&problems);
    let broken = problems.iter().any(|problem| problem.severity() == Severity::Error);
    if let Some(name) = &flags.name {
        if !all.iter().any(|one| one.sheet.name == *name) {
            return cannot(&[unknown(name, &all)]);
        }
        all.retain(|one| one.sheet.name == *name);
    }
    let text = match (flags.format, &flags.name, all.as_slice()) {
        (Format::Human, Some(_), [one]) => handbook::detail(one),
        (Format::Human, ..) => handbook::list(&all),
        (Format::Json, Some(_), [one]) => format!("{:#}\n", serde_json::json!(one)),
        (Format::Json, ..) => format!("{:#}\n", serde_json::json!(all)),
        (Format::Markdown, name, listed) => {
            let sheets: Vec<Sheet> = listed.iter().map(|one| one.sheet.clone()).collect();
            if let Some(folder) = &flags.out {
                return match write(folder, &sheets, name.is_none()) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(reason) => cannot(&[reason]),
                };
            }
            match (name, sheets.as_slice()) {
                (Some(_), [sheet]) => handbook::page(sheet),
                _ => handbook::index(&sheets),
            }
        }
    };
    print(&text);
    if broken { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn unknown(name: &str, all: &[Listed]) -> String {
    let near = similar(name, all.iter().map(|one| one.sheet.name.as_str()));
    let cure = near.map_or_else(|| "`legwork connectors` lists all".to_owned(), |near| format!("did you mean `{near}`?"));
    format!("there is no connector `{name}`: {cure}")
}

/// Writes the page of each connector, and the index when it is of all.
fn write(folder: &Path, sheets: &[Sheet], index: bool) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    let pages = sheets.iter().map(|sheet| (format!("{}.md", sheet.name), handbook::page(sheet)));
    let index = index.then(|| ("README.md".to_owned(), handbook::index(sheets)));
    for (name, text) in pages.chain(index) {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    Ok(())
}
