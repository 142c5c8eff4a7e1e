//! `legwork schema`: the JSON Schemas of the files that people write, for editors.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{ProjectFlags, cannot, print};
use crate::app;
use crate::spec::action::{Action, Shared};
use crate::spec::connector::Connector;
use crate::spec::settings::Settings;
use crate::spec::{Known, complete, document};
use crate::template::{Sort, filters};

#[derive(Debug, Args)]
pub(super) struct SchemaFlags {
    /// Which file's schema; all of them with --out
    #[arg(value_enum, required_unless_present = "out")]
    kind: Option<Kind>,
    /// With the names of this project: operations and their inputs, slots, responses, formats; with --out, also a file of
    /// snippets that completes filters and slots inside of texts
    #[arg(long)]
    project: bool,
    #[command(flatten)]
    place: ProjectFlags,
    /// A folder to write all schemas to, as KIND.schema.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// actions/NAME.yml
    Action,
    /// actions/shared/NAME.yml
    Shared,
    /// connectors/NAME.yml
    Connector,
    /// legwork.yml
    Settings,
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Action => document::<Action>("A legwork action"),
            Self::Shared => document::<Shared>("Steps or values that legwork actions share"),
            Self::Connector => document::<Connector>("A legwork connector"),
            Self::Settings => document::<Settings>("legwork.yml"),
        }
    }

    fn text(self, known: Option<&Known>) -> String {
        let mut schema = self.schema();
        if let Some(known) = known {
            complete(&mut schema, known);
        }
        format!("{schema:#}\n")
    }
}

pub(super) fn run(flags: &SchemaFlags) -> ExitCode {
    let known = flags.project.then(|| app::known(&flags.place.place()));
    if let Some(kind) = flags.kind {
        print(&kind.text(known.as_ref()));
    }
    let Some(folder) = &flags.out else { return ExitCode::SUCCESS };
    if let Err(error) = std::fs::create_dir_all(folder) {
        return cannot(&[format!("{} cannot be made: {error}", folder.display())]);
    }
    let named = |kind: &Kind| kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let schemas =
        Kind::value_variants().iter().map(|kind| (format!("{}.schema.json", named(kind)), kind.text(known.as_ref())));
    let snippets = known.as_ref().map(|known| ("legwork.code-snippets".to_owned(), format!("{:#}\n", snippets(known))));
    for (name, text) in schemas.chain(snippets) {
        let path = folder.join(name);
        if let Err(error) = std::fs::write(&path, text) {
            return cannot(&[format!("{} cannot be written: {error}", path.display())]);
        }
    }
    ExitCode::SUCCESS
}

/// What VS Code completes inside of texts, where no schema reaches: filters, functions and tests with what they do, and slots.
fn snippets(known: &Known) -> Value {
    let one = |prefix: &str, body: &str, description: String| json!({ "scope": "yaml", "prefix": prefix, "body": body, "description": description });
    let filters = filters().map(|it| {
        let (sort, body) = match it.sort {
            Sort::Filter => ("filter", it.name.to_owned()),
            Sort::Function => ("function", format!("{}($1)", it.name)),
            Sort::Test => ("test", it.name.to_owned()),
        };
        (format!("{sort} {}", it.name), one(it.name, &body, format!("{}: {} → {}", it.doc, it.example, it.prints)))
    });
    let slots = known.slots.iter().map(|slot| {
        let body = if slot.contains('-') { format!("slots[\"{slot}\"]") } else { format!("slots.{slot}") };
        (format!("slot {slot}"), one(&body, &body, "a slot of the domain".to_owned()))
    });
    Value::Object(filters.chain(slots).collect())
}
