//! `legwork connectors test`: opens the project's connections and says of each whether it works, or what to do.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::connections::Format;
use super::{ProjectFlags, block_on, cannot, complain_of, print};
use crate::app;
use crate::connector::{Tested, handbook};
use crate::diag::similar;
use crate::name::ConnectionName;
use crate::plan::Project;
use crate::time::{Clock, SystemClock};

#[derive(Debug, Args)]
pub(super) struct TestFlags {
    /// The connections, by their names in legwork.yml; all of them without any
    connections: Vec<String>,
    #[command(flatten)]
    project: ProjectFlags,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(flags: &TestFlags) -> ExitCode {
    let place = flags.project.place();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let unknown: Vec<_> = flags.connections.iter().filter_map(|name| unknown(name, &project)).collect();
    if !unknown.is_empty() {
        return cannot(&unknown);
    }
    let wanted = |name: &ConnectionName| {
        flags.connections.is_empty() || flags.connections.iter().any(|wanted| wanted == name.as_str())
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tested = match block_on(app::probe(&project, &place.folder(), &clock, &wanted)) {
        Ok(tested) => tested,
        Err(code) => return code,
    };
    match flags.format {
        Format::Human => print(&handbook::tests(&tested)),
        Format::Json => print(&format!("{:#}\n", serde_json::json!(tested))),
    }
    if tested.iter().all(Tested::passed) { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// What is said of a name that no connection has.
fn unknown(name: &str, project: &Project) -> Option<String> {
    let known = || project.wires.iter().map(|wire| wire.name.as_str());
    if known().any(|known| known == name) {
        return None;
    }
    let near = similar(name, known());
    let cure = near.map_or_else(|| "`legwork connections` lists all".to_owned(), |near| format!("did you mean `{near}`?"));
    Some(format!("legwork.yml has no connection `{name}`: {cure}"))
}
