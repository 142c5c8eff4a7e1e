//! `legwork new`: drafts of actions, validations of forms and connectors, tried before they are written.
//!
//! What is written passes `check`, and its tests pass; a file that is there already is never touched. What the flags leave open
//! is asked where somebody sits at a terminal.

mod action;
mod ask;
mod connector;
mod form;
mod import;
mod openapi;
mod prove;
mod text;

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::ask::Ask;
use self::prove::{Proof, prove};
use super::{ProjectFlags, cannot, complain, complain_of, print};
use crate::app::{self, Ground, Place};
use crate::diag::similar;
use crate::name::{ActionName, ConnectionName, OperationName};
use crate::plan::domain::Domain;

#[derive(Debug, Args)]
pub(super) struct NewFlags {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An action that calls one operation
    Action(ActionFlags),
    /// The validation of a form of the domain
    Form(FormFlags),
    /// A connector from the description of an API (OpenAPI 3.0 or 3.1), with the operations that you pick
    Connector(import::ConnectorFlags),
}

#[derive(Debug, Default, Args)]
struct ActionFlags {
    /// The action's name, such as action_track_parcel
    name: Option<String>,
    /// The operation that it calls, such as shop.find_order
    #[arg(long, value_name = "CONNECTION.OPERATION")]
    call: Option<String>,
    /// The slot that has the value of an input, where the two have different names; may be given several times
    #[arg(long, value_name = "INPUT=SLOT", value_parser = pair)]
    with: Vec<(String, String)>,
    #[command(flatten)]
    project: ProjectFlags,
}

#[derive(Debug, Default, Args)]
struct FormFlags {
    /// The form, as the domain has it
    name: Option<String>,
    #[command(flatten)]
    project: ProjectFlags,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (input, slot) = text.split_once('=').ok_or("write INPUT=SLOT")?;
    Ok((input.trim().to_owned(), slot.trim().to_owned()))
}

/// A file that is to be.
struct Draft {
    /// Where.
    path: PathBuf,
    /// Everything but the tests.
    head: String,
    /// The tests, each as text.
    tests: Vec<String>,
    /// What is left to do for a person.
    next: Vec<String>,
}

impl Draft {
    fn text(&self) -> String {
        let tests: String = self.tests.concat();
        format!("{}{}{tests}", self.head, if tests.is_empty() { "" } else { "tests:\n" })
    }
}

pub(super) fn run(flags: &NewFlags) -> ExitCode {
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    let there = stdin.is_terminal() && stderr.is_terminal();
    let mut lines = stdin.lock();
    let mut ask = Ask::new(&mut lines, &mut stderr, there);
    let done = match &flags.what {
        Some(What::Action(flags)) => action(flags, &mut ask),
        Some(What::Form(flags)) => form(flags, &mut ask),
        Some(What::Connector(flags)) => import::connector(flags, &mut ask),
        None => {
            let kinds = [
                ("action", "calls an operation"),
                ("form", "validates a form of the domain"),
                ("connector", "a system, from the description of its API"),
            ];
            let kinds = kinds.map(|(name, words)| (name.to_owned(), words.to_owned()));
            ask.choice("What shall it be?", &kinds, "`legwork new action`, `new form` or `new connector`").and_then(|kind| {
                match kind.as_str() {
                    "action" => action(&ActionFlags::default(), &mut ask),
                    "connector" => import::connector(&import::ConnectorFlags::default(), &mut ask),
                    _ => form(&FormFlags::default(), &mut ask),
                }
            })
        }
    };
    done.unwrap_or_else(|reason| cannot(&[reason]))
}

fn action(flags: &ActionFlags, ask: &mut Ask<'_>) -> Result<ExitCode, String> {
    let place = flags.project.place();
    let mut ground = app::ground(&place);
    let options: Vec<_> = ground
        .connections
        .iter()
        .flat_map(|(name, connector)| {
            connector.operations.values().map(move |it| (format!("{name}.{}", it.name), it.description.clone()))
        })
        .collect();
    let call = match &flags.call {
        Some(call) => call.clone(),
        None => ask.choice("Which operation does it call?", &options, "--call CONNECTION.OPERATION")?,
    };
    let found = call.split_once('.').and_then(|(connection, operation)| {
        let connector = ground.connections.iter().find(|(name, _)| name == connection).map(|(_, connector)| connector)?;
        let operation = connector.operations.get(&OperationName::parse(operation)?)?;
        Some((ConnectionName::parse(connection)?, connector, operation.name.clone()))
    });
    let Some((connection, connector, operation)) = found.map(|(a, b, c)| (a, std::sync::Arc::clone(b), c)) else {
        let near = similar(&call, options.iter().map(|(name, _)| name.as_str()));
        let cure = near.map_or_else(
            || "`legwork connections` and `legwork connectors NAME` list what there is".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(format!("there is no operation `{call}`: {cure}"));
    };
    let Some(operation) = connector.operations.get(&operation) else {
        return Err(format!("there is no operation `{call}`"));
    };
    let name = match &flags.name {
        Some(name) => name.clone(),
        None => ask.text(
            &format!("What is the action called, such as action_{}?", operation.name.plain()),
            "its NAME: `legwork new action NAME`",
        )?,
    };
    let name = ActionName::parse(&name)
        .ok_or_else(|| format!("`{name}` cannot be the name of an action: write {}", ActionName::RULE))?;
    let mut with = flags.with.clone();
    for (input, _) in &with {
        if !operation.inputs.iter().any(|known| known.name.as_str() == input) {
            let near = similar(input, operation.inputs.iter().map(|input| input.name.as_str()));
            let cure = near.map_or_else(|| format!("`{call}` has no such input"), |near| format!("did you mean `{near}`?"));
            return Err(format!("--with {input}=…: {cure}"));
        }
    }
    if let Some(domain) = &ground.domain {
        let open = operation.inputs.iter().filter(|it| it.required && !domain.has_slot(it.name.as_str()));
        for input in open {
            if !with.iter().any(|(named, _)| named == input.name.as_str()) {
                let question =
                    format!("Which slot has `{}` ({})? Nothing for an entity of that name:", input.name, input.doc);
                with.extend(ask.optional(&question).map(|slot| (input.name.to_string(), slot)));
            }
        }
    }
    let wanted = action::Wanted { connection: &connection, operation, domain: ground.domain.as_ref(), with: &with };
    let (head, tests) = action::draft(&wanted);
    let mut next = declared(ground.domain.as_ref(), &name);
    if head.contains("from: entity") {
        next.push(
            "it takes entities where the domain has no slot of the operation's name; `--with INPUT=SLOT` names one"
                .to_owned(),
        );
    }
    next.push("say it in your own words, and add what else it should do: docs/actions.md has the language".to_owned());
    next.push(format!("`legwork try {name}` shows a run step by step"));
    let path = app::folders(&place, ground.sources.settings.as_ref()).actions.join(format!("{name}.yml"));
    finish(&place, &mut ground, Draft { path, head, tests, next })
}

fn form(flags: &FormFlags, ask: &mut Ask<'_>) -> Result<ExitCode, String> {
    let place = flags.project.place();
    let mut ground = app::ground(&place);
    let Some(domain) = &ground.domain else {
        return Err("there is no domain to take a form from: name it in legwork.yml (`domain:`) or with --domain".to_owned());
    };
    let forms: Vec<_> =
        domain.rasa.forms.iter().map(|(name, form)| (name.clone(), form.required_slots.join(", "))).collect();
    let form = match &flags.name {
        Some(name) => name.clone(),
        None if forms.is_empty() => return Err("the domain has no form".to_owned()),
        None => ask.choice("Which form is it for?", &forms, "its NAME: `legwork new form NAME`")?,
    };
    if !domain.rasa.forms.contains_key(&form) {
        let near = similar(&form, forms.iter().map(|(name, _)| name.as_str()));
        let cure = near
            .map_or_else(|| "add it to `forms:` of the domain first".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(format!("the domain has no form `{form}`: {cure}"));
    }
    let name =
        ActionName::parse(&format!("validate_{form}")).ok_or_else(|| format!("`{form}` cannot be the name of a form"))?;
    let (head, tests) = form::draft(&form, domain, ground.settings.as_ref());
    let mut next = declared(Some(domain), &name);
    next.push("look at each slot: the draft goes by names and types, and knows nothing of what is right for you".to_owned());
    let path = app::folders(&place, ground.sources.settings.as_ref()).actions.join(format!("{name}.yml"));
    finish(&place, &mut ground, Draft { path, head, tests, next })
}

/// What to do so that Rasa calls the action.
fn declared(domain: Option<&Domain>, name: &ActionName) -> Vec<String> {
    let missing = domain.is_some_and(|domain| !domain.calls(name.as_str()));
    missing.then(|| format!("add `- {name}` to `actions:` of the domain, so that Rasa calls it")).into_iter().collect()
}

/// Tries a draft, writes it, and says what comes next.
fn finish(place: &Place, ground: &mut Ground, mut draft: Draft) -> Result<ExitCode, String> {
    let folder = place.folder();
    let shown = draft.path.strip_prefix(&folder).unwrap_or(&draft.path).display().to_string().replace('\\', "/");
    let same = |path: &str| Path::new(path).file_stem() == draft.path.file_stem();
    if let Some(other) = ground.sources.actions.iter().find(|file| same(&file.path)) {
        return Err(format!("{} is there already, and nothing was written", other.path));
    }
    let tried = match prove(place, ground, &mut draft, &shown)? {
        Proof::Wrong(problems) => {
            complain_of(&problems);
            complain("legwork: nothing was written, because of the errors above\n");
            return Ok(ExitCode::from(1));
        }
        Proof::Untried(reason) => format!("not tried: {reason}"),
        Proof::Passed(1) => "1 test passes".to_owned(),
        Proof::Passed(count) => format!("{count} tests pass"),
    };
    write(&draft.path, &draft.text())?;
    print(&format!("wrote {shown} ({tried})\n\nnext\n"));
    for step in &draft.next {
        print(&format!("  - {step}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let said = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{} is there already, and nothing was written", path.display()),
        _ => format!("{} cannot be written: {error}", path.display()),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(said)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(said)?;
    file.write_all(text.as_bytes()).map_err(said)
}
