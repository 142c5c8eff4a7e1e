//! `legwork rehearse`: what users would hear of each action while each of its systems fails, and after how long.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::{ProjectFlags, block_on, cannot, complain, complain_of, print};
use crate::app;
use crate::diag::similar;
use crate::name::ActionName;
use crate::plan::connector::Staged;
use crate::qa::{Rehearsal, Wanted, WantedFault};
use crate::time::{Clock, SystemClock};

#[derive(Debug, Args)]
pub(super) struct RehearseFlags {
    /// Only these actions
    #[arg(id = "names", value_name = "ACTION")]
    names: Vec<String>,
    /// Only this fault: down, slow:6s, rate_limited, rate_limited:30s, wrong_data or flaky:30%, of each system in turn; or of
    /// one: CONNECTION=FAULT, CONNECTION.OPERATION=FAULT. May be given several times
    #[arg(long = "fault", value_name = "FAULT", value_parser = fault)]
    faults: Vec<WantedFault>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    project: ProjectFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON object
    Json,
}

fn fault(text: &str) -> Result<WantedFault, String> {
    match text.contains('=') {
        true => text.parse().map(WantedFault::At),
        false => Staged::parse(text).map(WantedFault::Any).map_err(|wrong| format!("{wrong}: {}", wrong.cure())),
    }
}

pub(super) fn run(flags: &RehearseFlags) -> ExitCode {
    let place = flags.project.place();
    let folder = place.folder();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let no_action = |name: &String| {
        let near = similar(name, project.actions.keys().map(ActionName::as_str));
        let cure = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        (!project.actions.contains_key(name.as_str())).then(|| format!("there is no action `{name}`{cure}"))
    };
    let nowhere = |fault: &WantedFault| match fault {
        WantedFault::Any(_) => None,
        WantedFault::At(at) => app::nowhere(&project, at),
    };
    let mut wrong: Vec<_> = flags.names.iter().filter_map(no_action).collect();
    wrong.extend(flags.faults.iter().filter_map(nowhere));
    if !wrong.is_empty() {
        return cannot(&wrong);
    }
    let connections = match app::test_connections(&project, &folder) {
        Ok(connections) => connections,
        Err(missing) => return cannot(&missing),
    };
    let project = Arc::new(project);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let rehearsal = Rehearsal::new(&project, &connections, &folder, &clock);
    let wanted = Wanted { actions: flags.names.clone(), faults: flags.faults.clone() };
    let played = match block_on(rehearsal.play(&wanted)) {
        Ok(played) => played,
        Err(code) => return code,
    };
    if played.scenes.is_empty() && played.without.is_empty() {
        complain("legwork: nothing to rehearse: none of these actions calls a system that these faults are of\n");
        return ExitCode::from(2);
    }
    print(&match flags.format {
        Format::Human => played.human(),
        Format::Json => format!("{:#}\n", serde_json::json!(played)),
    });
    if played.are_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
