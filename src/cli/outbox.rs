//! `legwork outbox`: the writes that wait or need somebody, on the store that a running server may have open too.
//!
//! Nothing personal is printed unless `--values` asks for it, and nothing is given up or risked twice without `--yes`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::connections::Format;
use super::{ProjectFlags, block_on, cannot, complain_of, print};
use crate::app;
use crate::connector::WriteKey;
use crate::outbox::{Seen, Values, each_write};
use crate::plan::Project;
use crate::store::{Met, State, Store};
use crate::time::{Clock as _, SystemClock};

#[derive(Debug, Args)]
pub(super) struct OutboxFlags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the writes that wait or need somebody
    List(ListFlags),
    /// Show a write, and why it is where it is
    Show(ShowFlags),
    /// Make writes again now
    Retry(RetryFlags),
    /// Give a write up
    Drop(DropFlags),
}

#[derive(Debug, Args)]
struct ListFlags {
    /// Those in these states; without it, all that wait or need somebody: queued, sending, dead and unclear
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE")]
    state: Vec<Wanted>,
    /// Those of one connection
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Which states are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Queued,
    Dead,
    Unclear,
    Sending,
    Done,
    Failed,
    Undone,
    All,
}

#[derive(Debug, Args)]
struct ShowFlags {
    /// What the user can quote: eight letters and digits
    reference: String,
    /// With what is personal: the conversation, what was to be written, and what came back
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Args)]
struct RetryFlags {
    /// What the user can quote: eight letters and digits
    #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
    reference: Option<String>,
    /// All that were to be made later and cannot be
    #[arg(long)]
    all_dead: bool,
    /// Those of one connection
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Also one of which nobody knows whether it was done: it may be done twice
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    project: ProjectFlags,
}

#[derive(Debug, Args)]
struct DropFlags {
    /// What the user can quote: eight letters and digits
    reference: String,
    /// Of one connection
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Give it up, although the user was told that it will be done
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    project: ProjectFlags,
}

/// What waits or needs somebody.
const OPEN: [State; 4] = [State::Queued, State::Sending, State::Dead, State::Unclear];

pub(super) fn run(flags: &OutboxFlags) -> ExitCode {
    match &flags.command {
        Command::List(flags) => list(flags),
        Command::Show(flags) => show(flags),
        Command::Retry(flags) => retry(flags),
        Command::Drop(flags) => drop_it(flags),
    }
}

/// Does something with a project and its store, if that exists; then the store is closed.
pub(super) fn with_store(
    flags: &ProjectFlags,
    work: impl AsyncFnOnce(&Project, Option<&Store>) -> Result<ExitCode, String>,
) -> ExitCode {
    let place = flags.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let done = block_on(async {
        let store = app::existing_store(&project.settings.stores, &place.folder()).await?;
        let done = work(&project, store.as_ref()).await;
        if let Some(store) = &store {
            store.close().await;
        }
        done
    });
    match done {
        Ok(Ok(code)) | Err(code) => code,
        Ok(Err(reason)) => cannot(&[reason]),
    }
}

fn list(flags: &ListFlags) -> ExitCode {
    let wanted = |state: &State| flags.state.contains(&Wanted::All) || flags.state.iter().any(|it| it.is(*state));
    let states: Vec<_> = match flags.state.is_empty() {
        true => OPEN.to_vec(),
        false => State::ALL.into_iter().filter(wanted).collect(),
    };
    with_store(&flags.project, async |_, store| {
        let (mut all, now) = (Vec::new(), SystemClock.now());
        if let Some(store) = store {
            let look = |met: Met| all.push(Seen::of(&met, Values::Hidden, now));
            let looked = each_write(store, &states, flags.connection.as_deref(), look).await;
            looked.map_err(|error| error.to_string())?;
        }
        match flags.format {
            Format::Human => print(&table(&all)),
            Format::Json => print(&format!("{:#}\n", json!(all))),
        }
        Ok(ExitCode::SUCCESS)
    })
}

impl Wanted {
    fn is(self, state: State) -> bool {
        self.to_possible_value().is_some_and(|value| value.get_name() == state.name())
    }
}

/// The list for people.
fn table(all: &[Seen]) -> String {
    if all.is_empty() {
        return "nothing\n".to_owned();
    }
    let head = ["REFERENCE", "STATE", "TRIES", "BEGUN", "NEXT TRY", "WRITE", "WHY"].map(str::to_owned);
    let row = |seen: &Seen| {
        let next = match (seen.working, &seen.due_at) {
            (true, _) => "now",
            (false, Some(due)) => due,
            (false, None) => "-",
        };
        let why = match (&seen.unreadable, &seen.fault) {
            (Some(wrong), _) => wrong.clone(),
            (None, Some(fault)) => format!("{}: {}", fault.outcome, fault.detail),
            (None, None) => String::new(),
        };
        let what = format!("{}.{}", seen.connection, seen.operation);
        let (begun, next) = (seen.begun_at.clone(), next.to_owned());
        [seen.reference.clone(), seen.state.to_owned(), seen.attempts.to_string(), begun, next, what, why]
    };
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or_default();
    let widths: Vec<_> = (0..7).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        let _ = writeln!(text, "{}", cells.trim_end());
    }
    let somebody = |seen: &&Seen| [State::Dead.name(), State::Unclear.name()].contains(&seen.state);
    let needing = all.iter().filter(somebody).count();
    let writes = if all.len() == 1 { "write" } else { "writes" };
    let _ = match needing {
        0 => writeln!(text, "{} {writes}", all.len()),
        _ => writeln!(text, "{} {writes}, {needing} of which need somebody: `legwork outbox show REFERENCE`", all.len()),
    };
    text
}

fn show(flags: &ShowFlags) -> ExitCode {
    let values = if flags.values { Values::Shown } else { Values::Hidden };
    with_store(&flags.project, async |_, store| {
        let now = SystemClock.now();
        let found = found(store, &flags.reference, None).await?;
        let all: Vec<_> = found.iter().map(|met| Seen::of(met, values, now)).collect();
        match flags.format {
            Format::Human => print(&all.iter().map(told).collect::<Vec<_>>().join("\n")),
            Format::Json => print(&format!("{:#}\n", json!(all))),
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// A write for people, with what its state means and what can be done.
fn told(seen: &Seen) -> String {
    let mut text = format!("{}  {}\n", seen.reference, seen.state);
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<10} {value}");
    };
    line("write", &format!("{}.{}", seen.connection, seen.operation));
    line("action", &format!("{}, for the caller {}", seen.action, seen.caller));
    line("begun", &seen.begun_at);
    let last = seen.tried_at.as_ref().map(|last| format!(", the last at {last}"));
    line("tries", &format!("{}{}", seen.attempts, last.unwrap_or_default()));
    if seen.working {
        line("next try", "a server works on it now");
    } else if let Some(due) = &seen.due_at {
        line("next try", due);
    }
    if let Some(fault) = &seen.fault {
        line("why", &format!("{}: {}", fault.outcome, fault.detail));
        fault.done.iter().for_each(|done| line("was done", done));
    }
    if seen.unsettled {
        line("unsettled", "a try of it may have been done although it did not end well");
    }
    if seen.promised {
        line("promised", "the user was told that it will be done");
    }
    if let Some(wrong) = &seen.unreadable {
        line("unreadable", wrong);
    }
    if let Some(values) = &seen.values {
        let json = |value: &serde_json::Value| format!("{value:#}").replace('\n', "\n             ");
        line("sender", &values.sender);
        line("inputs", &json(&json!(values.inputs)));
        if let Some(answer) = &values.answer {
            line("answer", &json(answer));
        }
    }
    let _ = writeln!(text, "  {}", meaning(seen));
    text
}

/// What a state means, and what can be done.
fn meaning(seen: &Seen) -> &'static str {
    match State::parse(seen.state) {
        Some(State::Queued) => "It is made later by a server that runs; `retry` makes it due now, `drop` gives it up.",
        Some(State::Sending) if seen.working => "A server is making it.",
        Some(State::Sending) if seen.promised => "The server that was making it ended: the next one goes on with it.",
        Some(State::Sending) => {
            "The server that was making it ended; the user's next try finds it, else it is forgotten with the ledger."
        }
        Some(State::Dead) => "It was to be made later, and cannot be. Mend what failed and `retry` it, or `drop` it.",
        Some(State::Unclear) => {
            "Nobody knows whether it was done. Look into the system: `drop` it if it was done, `retry --yes` it if not."
        }
        Some(State::Failed) => "It ended otherwise than well, and the user was told.",
        Some(State::Done) => "It was done.",
        Some(State::Undone) => "It was done and then taken back, since a later step of its action failed.",
        None => "",
    }
}

/// The writes that have a reference, of one connection or of any.
async fn found(store: Option<&Store>, reference: &str, connection: Option<&str>) -> Result<Vec<Met>, String> {
    let quoted = WriteKey::quoted(reference);
    let quoted = quoted.ok_or_else(|| format!("`{reference}` is no reference: they are eight letters and digits"))?;
    let mut found = match store {
        Some(store) => store.called(&quoted).await.map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    found.retain(|met| connection.is_none_or(|connection| met.write.connection == connection));
    match found.is_empty() {
        true => Err(format!("no write that is kept has the reference {quoted}: it may be of another store, or forgotten")),
        false => Ok(found),
    }
}

/// The one write that has a reference.
async fn the_one(store: Option<&Store>, reference: &str, connection: Option<&str>) -> Result<Met, String> {
    let mut found = found(store, reference, connection).await?;
    match (found.pop(), found.as_slice()) {
        (Some(one), []) => Ok(one),
        (last, rest) => {
            let name = |met: &Met| format!("{}.{} ({})", met.write.connection, met.write.operation, met.write.state.name());
            let names: Vec<_> = rest.iter().chain(&last).map(name).collect();
            Err(format!("several writes have that reference: {}; choose with --connection", names.join(", ")))
        }
    }
}

fn retry(flags: &RetryFlags) -> ExitCode {
    let connection = flags.connection.as_deref();
    with_store(&flags.project, async |_, store| {
        let Some(reference) = flags.reference.as_deref() else {
            let mut dead = Vec::new();
            if let Some(store) = store {
                let looked = each_write(store, &[State::Dead], connection, |met| dead.push(met)).await;
                looked.map_err(|error| error.to_string())?;
            }
            for met in &dead {
                print(&requeued(store, met).await?);
            }
            if dead.is_empty() {
                print("none is dead\n");
            }
            return Ok(ExitCode::SUCCESS);
        };
        let met = the_one(store, reference, connection).await?;
        let (named, at) = (&met.write.reference, &met.write.connection);
        match met.write.state {
            State::Unclear if !flags.yes => Err(format!(
                "whether {named} was done is not known: made again, it may be done twice. Look into {at} first; \
                 `legwork outbox retry {named} --yes` makes it again all the same"
            )),
            State::Queued | State::Dead | State::Unclear => {
                print(&requeued(store, &met).await?);
                Ok(ExitCode::SUCCESS)
            }
            State::Sending => Err(format!("{named} is on its way: `legwork outbox show {named}`")),
            State::Done => Err(format!("{named} was done: there is nothing to make again")),
            State::Undone => {
                Err(format!("{named} was taken back, since a later step failed: it is the user's to ask again"))
            }
            State::Failed => Err(format!("{named} did not end well, and the user was told: it is theirs to ask again")),
        }
    })
}

/// Puts a write back into the queue, and says so.
async fn requeued(store: Option<&Store>, met: &Met) -> Result<String, String> {
    let (id, state, reference) = (met.write.id, met.write.state, &met.write.reference);
    let now = SystemClock.now().timestamp_millis();
    let put = match store {
        Some(store) => store.requeue(id, state, now).await.map_err(|error| error.to_string())?,
        None => false,
    };
    Ok(match (put, state) {
        (false, _) => format!("{reference} is being worked on just now, and stays as it is\n"),
        (true, State::Unclear) => format!("{reference} is due now, and may be done twice; a server that runs makes it\n"),
        (true, _) => format!("{reference} is due now; a server that runs makes it\n"),
    })
}

fn drop_it(flags: &DropFlags) -> ExitCode {
    with_store(&flags.project, async |_, store| {
        let met = the_one(store, &flags.reference, flags.connection.as_deref()).await?;
        let (named, state) = (&met.write.reference, met.write.state);
        let wish = match (state, met.write.promised) {
            (State::Done | State::Failed | State::Undone, _) => {
                return Err(format!(
                    "{named} has ended ({}) and is no part of the outbox: it is kept so that it is not made twice",
                    state.name()
                ));
            }
            (State::Unclear, _) => "nobody will look any more whether it was done",
            (_, true) => "the user was told that it will be done, and is not told that it is given up",
            (_, false) => "nobody will make it",
        };
        if !flags.yes {
            return Err(format!(
                "{named} is {}: dropped, {wish}. `legwork outbox drop {named} --yes` does it",
                state.name()
            ));
        }
        let now = SystemClock.now().timestamp_millis();
        let dropped = match store {
            Some(store) => store.remove(met.write.id, state, now).await.map_err(|error| error.to_string())?,
            None => false,
        };
        match dropped {
            true => {
                print(&format!("{named} is dropped: {wish}\n"));
                Ok(ExitCode::SUCCESS)
            }
            false => Err(format!("{named} is being worked on just now: try again in a minute")),
        }
    })
}
