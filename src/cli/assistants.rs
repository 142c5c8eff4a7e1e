//! `legwork assistants`: the ways back to the assistants that call, and whether they are right.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use tokio::time::Instant;

use super::connections::Format;
use super::{ProjectFlags, block_on, cannot, complain_of, print};
use crate::app;
use crate::connector::Assistant;
use crate::connector::assistant::{Tested, list};
use crate::diag::similar;
use crate::name::CallerName;
use crate::rasa::{Message, Object};
use crate::time::{Clock, SystemClock};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AssistantsFlags {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Test whether an assistant's API answers and takes the credentials; or say something in a conversation
    Test(TestFlags),
}

#[derive(Debug, Args)]
struct TestFlags {
    /// The assistants, by the names of their callers; all of them without any
    assistants: Vec<String>,
    /// The conversation to say something in, or to start a turn in
    #[arg(long, value_name = "SENDER")]
    sender: Option<String>,
    /// What to say there
    #[arg(long, value_name = "TEXT", requires = "sender", conflicts_with = "trigger")]
    say: Option<String>,
    /// The intent that starts a turn there, as if the user had meant it
    #[arg(long, value_name = "INTENT", requires = "sender")]
    trigger: Option<String>,
    /// An entity of that intent
    #[arg(long, value_name = "NAME=VALUE", requires = "trigger", value_parser = entity)]
    entity: Vec<(String, String)>,
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(flags: &AssistantsFlags) -> ExitCode {
    if let Some(Command::Test(flags)) = &flags.command {
        return test(flags);
    }
    let place = flags.project.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let facts = app::assistant_facts(&project, &place.folder());
    match flags.format {
        Format::Human if facts.is_empty() => print(NONE),
        Format::Human => print(&list(&facts)),
        Format::Json => print(&format!("{:#}\n", json!(facts))),
    }
    ExitCode::SUCCESS
}

/// What is said where legwork.yml gives no way back.
const NONE: &str = "legwork.yml gives no way back to an assistant: write \
                    `assistant: { url: \"http://localhost:5005\", token: \"${RASA_TOKEN}\" }`\n";

fn test(flags: &TestFlags) -> ExitCode {
    let place = flags.project.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut all = app::each_assistant(&project, &place.folder(), &clock);
    let unknown: Vec<_> = flags.assistants.iter().filter_map(|name| unknown(name, &all)).collect();
    if !unknown.is_empty() {
        return cannot(&unknown);
    }
    all.retain(|(caller, _)| flags.assistants.is_empty() || flags.assistants.iter().any(|name| name == caller.as_str()));
    let told = flags.say.is_some() || flags.trigger.is_some();
    let wrong = match &flags.sender {
        Some(_) if !told => Some("--sender names a conversation: add --say TEXT or --trigger INTENT"),
        Some(_) if all.len() > 1 => Some("a conversation belongs to one assistant: name it"),
        _ if all.is_empty() => Some(NONE.trim_end()),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return cannot(&[wrong.to_owned()]);
    }
    let tested = match block_on(each(all, flags)) {
        Ok(tested) => tested,
        Err(code) => return code,
    };
    match flags.format {
        Format::Human => print(&Tested::human(&tested)),
        Format::Json => print(&format!("{:#}\n", json!(tested))),
    }
    if tested.iter().all(Tested::passed) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

async fn each(all: Vec<(CallerName, Result<Assistant, String>)>, flags: &TestFlags) -> Vec<Tested> {
    let mut tested = Vec::new();
    for (caller, opened) in all {
        tested.push(match opened {
            Err(reason) => Tested::unopened(&caller, reason),
            Ok(assistant) => one(&assistant, flags).await,
        });
    }
    tested
}

async fn one(assistant: &Assistant, flags: &TestFlags) -> Tested {
    let started = Instant::now();
    match (&flags.sender, &flags.say, &flags.trigger) {
        (Some(sender), Some(text), _) => assistant.tested(started, assistant.say(sender, &[Message::text(text)]).await),
        (Some(sender), None, Some(intent)) => {
            let entities: Object = flags.entity.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            assistant.tested(started, assistant.trigger(sender, intent, &entities).await)
        }
        _ => assistant.test().await,
    }
}

/// What is said of a name that no assistant has.
fn unknown<T>(name: &str, all: &[(CallerName, T)]) -> Option<String> {
    let known = || all.iter().map(|(caller, _)| caller.as_str());
    if known().any(|known| known == name) {
        return None;
    }
    let near = similar(name, known());
    let cure = near.map_or_else(|| "`legwork assistants` lists all".to_owned(), |near| format!("did you mean `{near}`?"));
    Some(format!("legwork.yml gives no way back to `{name}`: {cure}"))
}

fn entity(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
