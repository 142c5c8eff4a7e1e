//! `legwork messages`: everything that the assistant can say when something does not go well, and where it comes from.

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{ProjectFlags, complain_of, print};
use crate::app::{self, Offered, Row};

#[derive(Debug, Args)]
pub(super) struct MessagesFlags {
    #[command(flatten)]
    project: ProjectFlags,
    /// Only as a conversation in this language gets them
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

pub(super) fn run(flags: &MessagesFlags) -> ExitCode {
    let (project, problems) = app::load(&flags.project.place());
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let rows = app::messages(&project, flags.locale.as_deref());
    print(&match flags.format {
        Format::Human => human(&rows),
        Format::Json => rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default() + "\n").collect(),
    });
    ExitCode::SUCCESS
}

/// A heading for each locale, each action and each call, and below it a paragraph a message.
fn human(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for row in rows {
        let heading = heading(row);
        if heading != last {
            let _ = writeln!(text, "{}{heading}", if text.is_empty() { "" } else { "\n" });
            last = heading;
        }
        let _ = writeln!(text, "  {:<18}{}", row.message, row.at.as_deref().unwrap_or("built-in"));
        for line in &row.says {
            let when = line.when.as_ref().map(|when| format!("when {when}: ")).unwrap_or_default();
            let said = format!("{when}{}", line.text.trim_end());
            let _ = writeln!(text, "    {}", said.replace('\n', "\n    "));
            buttons(&line.buttons, &mut text);
        }
        if row.says.is_empty() {
            let does = if row.steps.is_empty() { "goes on".to_owned() } else { row.steps.join(", ") };
            let _ = writeln!(text, "    (says nothing: {does})");
        }
        if let Some(contact) = &row.contact {
            let _ = writeln!(text, "    contact: {contact}");
        }
        buttons(&row.offers, &mut text);
    }
    text
}

fn heading(row: &Row) -> String {
    let parts = [row.action.as_deref(), row.call.as_deref(), row.locale.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn buttons(buttons: &[Offered], text: &mut String) {
    if buttons.is_empty() {
        return;
    }
    let shown = |button: &Offered| {
        let payload = button.payload.as_deref().unwrap_or("the same message once more");
        format!("[{}] {payload}", button.title)
    };
    let _ = writeln!(text, "    {}", buttons.iter().map(shown).collect::<Vec<_>>().join("  "));
}
