//! The command line: reads arguments, runs one command, prints, and gives an exit code.
//!
//! 0 is success, 1 that something is wrong in the project or a test failed, 2 that the command itself cannot be carried out.

mod assistants;
mod check;
mod connections;
mod connectors;
mod connectors_test;
mod explain;
mod flags;
mod messages;
mod new;
mod outbox;
mod privacy;
mod program;
mod record;
mod rehearse;
mod rollback;
mod schema;
mod serve;
mod test;
mod try_action;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::app::Place;
use crate::diag::{self, Diagnostic};
use crate::engine::Natives;

pub use flags::ServeFlags;
pub use program::{Builder, Server};

/// An action server for Rasa assistants: actions and business systems as YAML.
#[derive(Debug, Parser)]
#[command(name = "legwork", version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the actions over HTTP (what `legwork` alone does)
    Serve(ServeFlags),
    /// Say everything that is wrong in the project's files
    Check(check::CheckFlags),
    /// Run the `tests:` blocks of actions, stories and end-to-end test cases
    Test(test::TestFlags),
    /// Print what users would hear of each action while its systems fail, and after how long
    Rehearse(rehearse::RehearseFlags),
    /// Run one action and show each of its steps
    Try(try_action::TryFlags),
    /// Print the stubs that Rasa Pro's end-to-end tests take in place of actions, from recordings
    Stubs(record::StubsFlags),
    /// Draft an action, the validation of a form or a connector, with tests that pass
    New(new::NewFlags),
    /// Print what is said when something does not go well, and where each message comes from
    Messages(messages::MessagesFlags),
    /// Say what connectors can do, and how they are set up
    Connectors(connectors::ConnectorsFlags),
    /// Show what the project is connected to
    Connections(connections::ConnectionsFlags),
    /// Show the ways back to the assistants that call, and test them
    Assistants(assistants::AssistantsFlags),
    /// Show the writes that wait or need somebody, make them again, or give them up
    Outbox(outbox::OutboxFlags),
    /// Remove what is held of a customer or a conversation, from the store and the memory of servers
    Purge(privacy::PurgeFlags),
    /// Print what is held of a customer or a conversation in the store, as JSON
    Export(privacy::ExportFlags),
    /// Tell servers to go back to the version of the project before the one in the files
    Rollback(rollback::RollbackFlags),
    /// Explain a diagnostic's code
    Explain(explain::ExplainFlags),
    /// Print the JSON Schemas of the files, for editors
    Schema(schema::SchemaFlags),
}

/// Where the project lies.
#[derive(Debug, Clone, Default, Args)]
struct ProjectFlags {
    /// The legwork.yml to read; its relative paths start from its own folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory with the actions
    #[arg(long, value_name = "DIR")]
    actions: Option<PathBuf>,
    /// The assistant's domain, a file or a folder
    #[arg(long, value_name = "PATH")]
    domain: Option<PathBuf>,
}

impl ProjectFlags {
    fn place(&self) -> Place {
        let (config, actions, domain) = (self.config.clone(), self.actions.clone(), self.domain.clone());
        Place { config, actions, domain, ..Place::default() }
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    run(&Natives::default())
}

/// The same with actions that are written in Rust.
fn run(natives: &Natives) -> ExitCode {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(flags) => serve::run(&flags, natives),
        Command::Check(flags) => check::run(&flags, natives),
        Command::Test(flags) => test::run(&flags),
        Command::Rehearse(flags) => rehearse::run(&flags),
        Command::Try(flags) => try_action::run(&flags, natives),
        Command::Stubs(flags) => record::stubs(&flags),
        Command::New(flags) => new::run(&flags),
        Command::Messages(flags) => messages::run(&flags),
        Command::Connectors(flags) => connectors::run(&flags),
        Command::Connections(flags) => connections::run(&flags),
        Command::Assistants(flags) => assistants::run(&flags),
        Command::Outbox(flags) => outbox::run(&flags),
        Command::Purge(flags) => privacy::purge(&flags),
        Command::Export(flags) => privacy::export(&flags),
        Command::Rollback(flags) => rollback::run(&flags),
        Command::Explain(flags) => explain::run(&flags),
        Command::Schema(flags) => schema::run(&flags),
    }
}

/// Prints to standard output. A reader that has gone away, as `head` does, is no reason to fail.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints to standard error.
fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints diagnostics for people to standard error.
fn complain_of(problems: &[Diagnostic]) {
    let color = std::io::IsTerminal::is_terminal(&std::io::stderr());
    complain(&diag::render(problems, diag::Format::Human { color }));
}

/// Says why a command cannot be carried out, and how it exits then.
fn cannot(reasons: &[String]) -> ExitCode {
    for reason in reasons {
        complain(&format!("legwork: {reason}\n"));
    }
    ExitCode::from(2)
}

/// Runs a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| cannot(&[format!("no threads can be started: {error}")]))?;
    Ok(runtime.block_on(future))
}
