//! `legwork purge` and `legwork export`: what is held of a customer or a conversation. What was typed to name them is not
//! repeated.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::outbox::with_store;
use super::{ProjectFlags, cannot, complain, print};
use crate::app;
use crate::outbox::{Holdings, Purged, Seen, Subject, Wishes, holdings, purge as purge_from};
use crate::plan::Project;
use crate::store::State;
use crate::time::{Clock as _, SystemClock};

#[derive(Debug, Args)]
struct Whose {
    /// A customer, by e-mail, phone or number
    #[arg(long, value_name = "CUSTOMER", required_unless_present = "sender")]
    customer: Option<String>,
    /// A conversation
    #[arg(long, value_name = "SENDER")]
    sender: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct PurgeFlags {
    #[command(flatten)]
    whose: Whose,
    /// Also what the user was promised and what waits for somebody: nobody will do it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    project: ProjectFlags,
}

#[derive(Debug, Args)]
pub(super) struct ExportFlags {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    project: ProjectFlags,
}

impl Whose {
    fn subject(&self, project: &Project) -> Result<Subject, String> {
        let subject = Subject::new(self.customer.as_deref(), self.sender.as_deref(), &project.settings.region);
        subject.ok_or_else(|| "nobody is named: --customer or --sender is empty".to_owned())
    }
}

pub(super) fn export(flags: &ExportFlags) -> ExitCode {
    with_store(&flags.project, async |project, store| {
        let subject = flags.whose.subject(project)?;
        let held = match store {
            Some(store) => holdings(store, &subject, SystemClock.now()).await.map_err(|error| error.to_string())?,
            None => Holdings::default(),
        };
        print(&format!("{:#}\n", json!(held)));
        Ok(unread(held.unreadable))
    })
}

pub(super) fn purge(flags: &PurgeFlags) -> ExitCode {
    with_store(&flags.project, async |project, store| {
        let subject = flags.whose.subject(project)?;
        let Some(store) = store else {
            print("there is no store yet, and so nothing in it\n");
            print(heard(project));
            return Ok(ExitCode::SUCCESS);
        };
        let now = SystemClock.now();
        if !flags.yes {
            let held = holdings(store, &subject, now).await.map_err(|error| error.to_string())?;
            if let Some(wishes) = wishes(&held) {
                return Ok(cannot(&[wishes]));
            }
        }
        let wishes = if flags.yes { Wishes::GivenUp } else { Wishes::Kept };
        let purged = purge_from(store, &subject, now, wishes).await.map_err(|error| error.to_string())?;
        print(&told(&purged));
        print(heard(project));
        let unread = unread(purged.unreadable);
        Ok(if purged.left.is_empty() { unread } else { ExitCode::from(1) })
    })
}

/// What is asked before wishes of a user are given up; none when there are none.
fn wishes(held: &Holdings) -> Option<String> {
    let mut parts = Vec::new();
    for state in [State::Queued, State::Dead, State::Unclear, State::Sending] {
        let mine = |seen: &&Seen| seen.state == state.name() && (state != State::Sending || seen.promised && !seen.working);
        let theirs: Vec<_> = held.writes.iter().filter(mine).collect();
        if !theirs.is_empty() {
            let references: Vec<_> = theirs.iter().map(|seen| seen.reference.as_str()).collect();
            parts.push(format!("{} {} ({})", theirs.len(), state.name(), references.join(", ")));
        }
    }
    (!parts.is_empty()).then(|| {
        format!(
            "nothing is removed yet. Of what is theirs, these writes wait or need somebody: {}. Removed, nobody makes them, \
             and users are not told; see them with `legwork outbox show REFERENCE`, or add --yes",
            parts.join(", ")
        )
    })
}

fn told(purged: &Purged) -> String {
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let states: Vec<_> = purged.writes.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let writes = count(purged.writes.values().sum(), "write");
    let (answers, proofs) = (count(purged.answers, "answer"), count(purged.proofs, "proof"));
    let mut text = format!("removed: {writes}{states}, {answers}, {proofs} of who they are\n");
    if !purged.left.is_empty() {
        let left = purged.left.join(", ");
        let _ = writeln!(text, "left, since a server works on it or it came just now: {left}; purge again in a minute");
    }
    text
}

/// What becomes of what servers keep in memory.
fn heard(project: &Project) -> &'static str {
    match app::keeps(project) {
        true => "servers that run forget what they keep in memory within a few seconds\n",
        false => {
            "this project's servers keep nothing in a store and cannot be told: restart them, and what they keep in memory \
             is gone\n"
        }
    }
}

/// How a command ends that could not look into everything.
fn unread(count: usize) -> ExitCode {
    if count == 0 {
        return ExitCode::SUCCESS;
    }
    complain(&format!(
        "legwork: {count} entries do not open with the keys of `stores.key`, so nobody can tell whose they are: add the key \
         that they were sealed with\n"
    ));
    ExitCode::from(1)
}
