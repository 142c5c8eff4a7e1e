//! `legwork new connector`: reads the description of an API, lets operations be picked, tries the draft and writes it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use super::super::{ProjectFlags, block_on, complain, complain_of, print};
use super::ask::Ask;
use super::connector::{Drafted, Head, head, operation};
use super::openapi::Description;
use super::write;
use crate::app;
use crate::connector::{catalog, run_examples};
use crate::diag::{Diagnostic, File, Severity, similar};
use crate::plan::connector::{Connector, Formats};
use crate::spec::yaml;
use crate::time::{Clock, SystemClock};

#[derive(Debug, Default, Args)]
pub(super) struct ConnectorFlags {
    /// The connector's name, such as parcels
    name: Option<String>,
    /// The description of the API, JSON or YAML
    #[arg(long, value_name = "FILE")]
    openapi: Option<PathBuf>,
    /// An operation, by its operationId or as in "GET /pets/{id}"; may be given several times
    #[arg(long = "operation", value_name = "ID")]
    operations: Vec<String>,
    #[command(flatten)]
    project: ProjectFlags,
}

pub(super) fn connector(flags: &ConnectorFlags, ask: &mut Ask<'_>) -> Result<ExitCode, String> {
    let place = flags.project.place();
    let file = match &flags.openapi {
        Some(file) => file.clone(),
        None => ask.text("Which file describes the API?", "--openapi FILE")?.into(),
    };
    let description = read(&file)?;
    let all = description.operations();
    let options: Vec<_> =
        all.iter().map(|it| (it.id(), format!("{} {}  {}", it.method.to_uppercase(), it.path, it.doc()))).collect();
    let mut wanted = flags.operations.clone();
    while wanted.is_empty() {
        wanted.push(ask.choice("Which operation?", &options, "--operation ID")?);
        while let Some(more) = ask.optional("Which one more? Nothing when that is all:") {
            let numbered = more.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
            wanted.push(numbered.map_or(more.clone(), |(id, _)| id.clone()));
        }
    }
    let name = match &flags.name {
        Some(name) => name.clone(),
        None => ask.text("What is the connector called?", "its NAME: `legwork new connector NAME`")?,
    };
    let free = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(free) {
        return Err(format!("`{name}` cannot be the name of a connector: write small letters, digits and _"));
    }
    let above = head(&name, &description);
    let mut drafted: Vec<Drafted> = Vec::new();
    for id in &wanted {
        let plain = |it: &super::openapi::Described<'_>| format!("{} {}", it.method.to_uppercase(), it.path);
        let Some(found) = all.iter().find(|it| it.id() == *id || plain(it) == *id) else {
            let near = similar(id, options.iter().map(|(id, _)| id.as_str()));
            let cure =
                near.map_or_else(|| format!("it has {} operations", all.len()), |near| format!("did you mean `{near}`?"));
            return Err(format!("{} has no operation `{id}`: {cure}", file.display()));
        };
        let one = operation(found, &above)?;
        if drafted.iter().all(|other| other.name != one.name) {
            drafted.push(one);
        }
    }
    let ground = app::ground(&place);
    let folder = app::folders(&place, ground.sources.settings.as_ref()).connectors;
    let path = folder.join(format!("{name}.yml"));
    if path.exists() {
        return Err(format!("{} is there already, and nothing was written", path.display()));
    }
    let formats = ground.settings.as_ref().map(|written| crate::plan::formats(&written.formats)).unwrap_or_default();
    let draft = Draft { name: &name, above: &above, folder: &folder, formats: &formats };
    let (mut examples, mut unheld) = (0, Vec::new());
    for one in &mut drafted {
        match draft.holds(one)? {
            Ok(count) => examples += count,
            Err(()) => {
                one.examples.clear();
                unheld.push(one.name.clone());
            }
        }
    }
    let text = draft.text(&drafted);
    if let Err(problems) = draft.compiled(&text) {
        complain_of(&problems);
        complain("legwork: nothing was written, because of the errors above\n");
        return Ok(ExitCode::from(1));
    }
    write(&path, &text)?;
    let shown = path.strip_prefix(place.folder()).unwrap_or(&path).display().to_string();
    print(&format!("wrote {shown} ({} operations, {examples} examples hold)\n\nnext\n", drafted.len()));
    for name in unheld {
        print(&format!("  - give {name} an example: what the description says did not make one\n"));
    }
    print(&format!("  - search {shown} for DECIDE\n  - connect it in legwork.yml, under `connections:`\n"));
    let settings: Vec<_> = above.settings.iter().map(|(key, value)| format!(", {key}: {value}")).collect();
    print(&format!("      {name}: {{ connector: {name}{}, mode: read_only }}\n", settings.concat()));
    let first = drafted.first().map(|one| one.name.as_str()).unwrap_or_default();
    print(&format!("  - `legwork connectors test`, then `legwork new action action_{first} --call {name}.{first}`\n"));
    Ok(ExitCode::SUCCESS)
}

/// Reads a description, JSON or YAML.
fn read(path: &Path) -> Result<Description, String> {
    let wrong = |reason: String| format!("{} cannot be used: {reason}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let whole: Value = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?,
        false => {
            let file = File::new(path.display().to_string(), text);
            let place = |problem: &Diagnostic| problem.span.as_ref().map(|span| format!("line {}: ", span.line_column().0));
            yaml::parse(&file)
                .map_err(|problem| wrong(format!("{}{}", place(&problem).unwrap_or_default(), problem.message)))?
                .to_json()
        }
    };
    Description::new(whole).map_err(wrong)
}

/// What is tried.
struct Draft<'a> {
    name: &'a str,
    above: &'a Head,
    folder: &'a Path,
    formats: &'a Formats,
}

impl Draft<'_> {
    fn text(&self, operations: &[Drafted]) -> String {
        let one = |it: &Drafted| format!("  {}:\n{}{}", it.name, it.text, it.examples);
        format!("{}operations:\n{}", self.above.text, operations.iter().map(one).collect::<Vec<_>>().join("\n"))
    }

    fn compiled(&self, text: &str) -> Result<Connector, Vec<Diagnostic>> {
        let file = File::new(format!("connectors/{}.yml", self.name), text);
        let (connector, problems) = catalog::read(self.name, &file, self.folder, Some(self.formats));
        let errors: Vec<_> = problems.into_iter().filter(|problem| problem.severity() == Severity::Error).collect();
        connector.filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// How many examples of one operation hold; the error within says that not all do.
    fn holds(&self, one: &Drafted) -> Result<Result<usize, ()>, String> {
        let alone = Drafted { name: one.name.clone(), text: one.text.clone(), examples: one.examples.clone() };
        let Ok(connector) = self.compiled(&self.text(&[alone])).map(Arc::new) else { return Ok(Err(())) };
        let count = connector.operations.values().map(|operation| operation.examples.len()).sum();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let wrong =
            block_on(run_examples(&connector, self.folder, clock)).map_err(|_| "the examples cannot be run".to_owned())?;
        Ok(if wrong.is_empty() { Ok(count) } else { Err(()) })
    }
}
