//! `legwork test`: runs the `tests:` blocks of a project's actions, and plays stories and test cases with them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::{ProjectFlags, block_on, cannot, complain, complain_of, print};
use crate::app;
use crate::connector::assistant::Talk;
use crate::diag::Severity;
use crate::fault::Fault;
use crate::plan::connector::StagedAt;
use crate::qa::{self, Report, Selection, Stories};
use crate::secret::Secret;
use crate::time::{Clock, SystemClock};

#[derive(Debug, Args)]
pub(super) struct TestFlags {
    #[command(flatten)]
    project: ProjectFlags,
    /// Only the tests, stories, rules and end-to-end test cases of these files or folders, which may lie outside the project.
    /// Without any: every `tests:` block, and the stories under `data` and `tests`, or where legwork.yml has them
    paths: Vec<PathBuf>,
    /// Only tests whose action or words hold this, and stories whose name does
    #[arg(long, short = 'n', value_name = "TEXT")]
    name: Option<String>,
    /// Run the recordings of this folder again, on the answers in them
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    replay: Option<PathBuf>,
    /// End after the first that fails
    #[arg(long)]
    fail_fast: bool,
    /// Play stories while a system fails: CONNECTION=FAULT, CONNECTION.OPERATION=FAULT with down, slow:6s, rate_limited,
    /// wrong_data or flaky:30%. May be given several times
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<StagedAt>,
    /// Say it to a running assistant at this address, over its REST channel, and hold its tracker against the stories in place of
    /// playing them; it needs --enable-api for all but what is said
    #[arg(long, value_name = "URL", conflicts_with = "faults")]
    rasa: Option<String>,
    /// The token of the assistant's API
    #[arg(long, env = "LEGWORK_RASA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    rasa_token: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the results as JUnit's XML as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON object a line
    Json,
    /// Annotations for GitHub's reviews
    Github,
}

pub(super) fn run(flags: &TestFlags) -> ExitCode {
    if let Some(recordings) = &flags.replay {
        return super::record::replay(recordings, flags.name.as_deref(), &flags.project);
    }
    let place = flags.project.place();
    let folder = place.folder();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let nowhere: Vec<_> = flags.faults.iter().filter_map(|fault| app::nowhere(&project, fault)).collect();
    if !nowhere.is_empty() {
        return cannot(&nowhere);
    }
    let connections = match app::test_connections(&project, &folder) {
        Ok(connections) => connections,
        Err(missing) => return cannot(&missing),
    };
    let app::StoryFiles { files, mut problems } = match app::stories(&place, &project, &flags.paths) {
        Ok(found) => found,
        Err(reasons) => return cannot(&reasons),
    };
    let (stories, more) = Stories::read(&files);
    problems.extend(more);
    complain_of(&problems);
    if problems.iter().any(|problem| problem.severity() == Severity::Error) {
        return ExitCode::from(1);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if let Some(url) = &flags.rasa {
        return with_rasa(flags, url, &stories, &clock);
    }
    let project = Arc::new(project);
    let selection = Selection {
        paths: flags.paths.iter().map(|path| path.strip_prefix(&folder).unwrap_or(path).to_path_buf()).collect(),
        name: flags.name.clone(),
        stories,
        faults: flags.faults.clone(),
        fail_fast: flags.fail_fast,
    };
    // A selection is of actions; without one, everything that says how it works is held to it.
    let all = flags.paths.is_empty() && flags.name.is_none();
    let ran = block_on(async {
        let mut report = qa::run(&project, &connections, &folder, &clock, &selection).await;
        if all && report.left == 0 {
            report.examples = qa::examples(&project, &folder, &clock).await;
        }
        report
    });
    match ran {
        Ok(report) if report.results.is_empty() && report.examples.is_empty() => {
            complain(
                "legwork: no test was found: `tests:` blocks stand in the files of actions, stories under `data` and `tests`\n",
            );
            ExitCode::from(2)
        }
        Ok(report) => told(flags, &report),
        Err(code) => code,
    }
}

/// Holds the conversations with a running assistant.
fn with_rasa(flags: &TestFlags, url: &str, stories: &Stories, clock: &Arc<dyn Clock>) -> ExitCode {
    let talk = match Talk::at(url, flags.rasa_token.clone().map(Secret::new), clock) {
        Ok(talk) => talk,
        Err(reason) => return cannot(&[format!("--rasa: {reason}")]),
    };
    // A conversation that was held before is not gone on with.
    let run = format!("legwork-{:08x}", fastrand::Rng::new().u32(..));
    let held = block_on(async {
        talk.reached().await?;
        Ok::<_, Fault>(qa::live(&talk, stories, flags.name.as_deref(), flags.fail_fast, &run).await)
    });
    match held {
        Ok(Err(fault)) => cannot(&[format!("--rasa: {fault}")]),
        Ok(Ok(report)) if report.results.is_empty() => cannot(&["no story was found".to_owned()]),
        Ok(Ok(report)) => told(flags, &report),
        Err(code) => code,
    }
}

fn told(flags: &TestFlags, report: &Report) -> ExitCode {
    print(&match flags.format {
        Format::Human => report.human(),
        Format::Json => report.json(),
        Format::Github => report.github(),
    });
    if let Some(path) = &flags.junit
        && let Err(error) = std::fs::write(path, report.junit())
    {
        return cannot(&[format!("{} cannot be written: {error}", path.display())]);
    }
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
