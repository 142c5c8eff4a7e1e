//! `legwork schema`: the JSON Schemas of the files that people write, for editors.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{cannot, print};
use crate::spec::action::{Action, Shared};
use crate::spec::connector::Connector;
use crate::spec::document;
use crate::spec::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct SchemaFlags {
    /// Which file's schema; all of them with --out
    #[arg(value_enum, required_unless_present = "out")]
    kind: Option<Kind>,
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

    fn text(self) -> String {
        format!("{:#}\n", self.schema())
    }
}

pub(super) fn run(flags: &SchemaFlags) -> ExitCode {
    if let Some(kind) = flags.kind {
        print(&kind.text());
    }
    let Some(folder) = &flags.out else { return ExitCode::SUCCESS };
    if let Err(error) = std::fs::create_dir_all(folder) {
        return cannot(&[format!("{} cannot be made: {error}", folder.display())]);
    }
    for kind in Kind::value_variants() {
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let path = folder.join(format!("{name}.schema.json"));
        if let Err(error) = std::fs::write(&path, kind.text()) {
            return cannot(&[format!("{} cannot be written: {error}", path.display())]);
        }
    }
    ExitCode::SUCCESS
}
