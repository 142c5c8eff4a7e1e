//! Runs recordings again, on the answers that were recorded, and says where the action answers otherwise now.
//!
//! Nothing is asked of a system. The time is that of the recording, and what the user had proved then is proved.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::answer::differences;
use super::file::{Asked, Recording, Said};
use super::taken::told;
use crate::connector::{Answered, Ended, StoodIn, Tape};
use crate::engine::{Entry, Trace};
use crate::name::{ConnectionName, OperationName};
use crate::plan::Project;
use crate::plan::connector::Connection;
use crate::qa::Failure;
use crate::qa::bench::{Bench, at_a_time};
use crate::qa::suite::problem;
use crate::qa::turn::{as_one, take};
use crate::rasa::Reply;
use crate::time::{Clock, FixedClock, paused};

/// What became of all recordings.
#[derive(Debug, Default)]
pub struct Replays(pub Vec<Replayed>);

/// What became of one recording.
#[derive(Debug)]
pub struct Replayed {
    /// Its file.
    pub file: String,
    /// Its action.
    pub action: String,
    /// Why it was not run again.
    pub skipped: Option<String>,
    /// What is other than it was.
    pub failures: Vec<Failure>,
    /// What helps to understand it: calls that were not recorded, and what in the project's files failed.
    pub notes: Vec<String>,
}

/// A turn that was run again.
pub(super) struct Played {
    pub(super) reply: Option<Reply>,
    pub(super) trace: Arc<Trace>,
}

impl Recording {
    /// The answers in it, to be given once more.
    ///
    /// # Errors
    /// What is no name of a connection or an operation.
    pub fn tape(&self) -> Result<Tape, String> {
        let (mut ended, mut stood_in) = (Vec::new(), Vec::new());
        for asked in &self.asked {
            let Asked { connection, operation, inputs, .. } = asked;
            let wrong = || format!("{connection}.{operation} is no operation of a connection");
            let connection = ConnectionName::parse(connection).ok_or_else(wrong)?;
            let operation = OperationName::parse(operation).ok_or_else(wrong)?;
            let age = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
            if let Some(last) = &asked.stood_in {
                let answered = Answered { value: last.answer.clone(), age: Some(age(last.age_seconds)) };
                let (connection, operation, inputs) = (connection.clone(), operation.clone(), inputs.clone());
                stood_in.push(StoodIn { connection, operation, inputs, answered });
            }
            let answered = match (&asked.fault, &asked.answer) {
                (Some(fault), _) => Err(fault.fault()),
                (None, answer) => {
                    Ok(Answered { value: answer.clone().unwrap_or_default(), age: asked.age_seconds.map(age) })
                }
            };
            ended.push(Ended { connection, operation, inputs: inputs.clone(), ended: answered });
        }
        Ok(Tape::new(ended, stood_in))
    }
}

/// Runs recordings again on a project, as many at a time as there are processors; in their order.
pub async fn replay(
    project: &Arc<Project>,
    connections: &[Connection],
    folder: &Path,
    clock: &Arc<dyn Clock>,
    recordings: Vec<(String, Recording)>,
) -> Replays {
    let bench = Bench::new(project, connections, folder, clock);
    let running = stream::iter(recordings).map(|(file, recording)| one(Arc::clone(&bench), file, recording));
    Replays(running.buffered(at_a_time()).collect().await)
}

/// Runs one recording on a project, and gives its answer and what it did.
///
/// # Errors
/// Why it cannot be run.
pub async fn play(
    project: &Arc<Project>,
    connections: &[Connection],
    folder: &Path,
    clock: &Arc<dyn Clock>,
    recording: &Recording,
) -> Result<(Option<Reply>, Arc<Trace>), String> {
    let bench = Bench::new(project, connections, folder, clock);
    let tape = Arc::new(recording.tape()?);
    let played = played(bench, recording.clone(), tape).await.map_err(|failure| failure.came)?;
    Ok((played.reply, played.trace))
}

async fn one(bench: Arc<Bench>, file: String, recording: Recording) -> Replayed {
    let action = recording.action.clone();
    let mut replayed =
        Replayed { file, action, skipped: recording.only_to_read.clone(), failures: Vec::new(), notes: Vec::new() };
    if replayed.skipped.is_some() {
        return replayed;
    }
    if !bench.project.actions.contains_key(replayed.action.as_str()) {
        replayed.failures.push(Failure::differs("action", "it is there", "the project has no such action"));
        return replayed;
    }
    let tape = match recording.tape() {
        Ok(tape) => Arc::new(tape),
        Err(reason) => {
            replayed.failures.push(Failure::differs("recording", "it can be run", reason));
            return replayed;
        }
    };
    match played(bench, recording.clone(), Arc::clone(&tape)).await {
        Ok(played) => {
            let entries = played.trace.entries();
            let came = played.reply.as_ref().and_then(told).unwrap_or_default();
            let came = Said { references: references(&entries), ..came };
            replayed.failures = differences(&recording.told, &came);
            let missed = tape.missed().into_iter().map(|what| format!("{what} was not recorded with the inputs it has now"));
            let unasked = tape.unasked().into_iter().map(|what| format!("{what} was recorded, and is not asked now"));
            let problems = entries.into_iter().filter_map(problem);
            let problems = problems.map(|(place, message)| format!("at {}: {message}", place.place()));
            replayed.notes = missed.chain(unasked).chain(problems).collect();
        }
        Err(failure) => replayed.failures.push(failure),
    }
    replayed
}

/// The references to writes that a run gave.
fn references(entries: &[Entry]) -> Vec<String> {
    let of = |entry: &Entry| match entry {
        Entry::Call { result: Err(fault), .. } => fault.reference.as_deref().map(str::to_owned),
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

async fn played(bench: Arc<Bench>, recording: Recording, tape: Arc<Tape>) -> Result<Played, Failure> {
    // Paused time is a thread's own, and so is its runtime.
    let running = tokio::task::spawn_blocking(move || turn(&bench, &recording, tape));
    let broken = || Failure::differs("run", "it comes to an end", "a bug in legwork ended it; the log has more");
    running.await.unwrap_or_else(|_| Err(broken()))
}

/// Takes the turn of a recording on this thread. Blocks.
fn turn(bench: &Bench, recording: &Recording, tape: Arc<Tape>) -> Result<Played, Failure> {
    let turn = async {
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(recording.at));
        let engine = bench.open(&clock, Some(tape)).await?;
        let trace = Arc::<Trace>::default();
        paused::begin();
        let (body, situation) = (recording.call.body(&recording.action), recording.call.situation());
        let told = take(&engine, body, &situation.verified, &trace).await;
        let told = told.map_err(|wrong| Failure::differs("call", "a call that Rasa could make", wrong.to_string()))?;
        Ok(Played { reply: as_one(told), trace })
    };
    paused::run(turn).unwrap_or_else(|error| Err(Failure::differs("run", "it can be begun", error.to_string())))
}

/// A masked recording with what the action asks and says on its values, which is what it is held against later: what an
/// action makes of a value, such as the end of a number or its own mask, is made of the masked one then. Where it goes another
/// way on them, the recording is only to read. Blocks.
pub(super) fn settled(bench: &Bench, mut recording: Recording) -> Recording {
    if recording.only_to_read.is_some() {
        return recording;
    }
    let shape = |said: &Said| {
        let slot = |event: &Value| (event.get("event").cloned(), event.get("name").cloned());
        (said.responses.len(), said.events.iter().map(slot).collect::<Vec<_>>(), said.rejected.is_some())
    };
    let run = || {
        let tape = Arc::new(recording.tape().ok()?.in_order());
        let played = turn(bench, &recording, Arc::clone(&tape)).ok()?;
        let references = references(&played.trace.entries());
        let told = Said { references, ..told(played.reply.as_ref()?)? };
        let as_it_went = tape.missed().is_empty() && tape.unasked().is_empty() && shape(&told) == shape(&recording.told);
        as_it_went.then(|| (told, tape.given()))
    };
    match run() {
        Some((told, given)) => {
            recording.told = told;
            for (asked, inputs) in recording.asked.iter_mut().zip(given) {
                asked.inputs = inputs.unwrap_or_default();
            }
        }
        None => recording.only_to_read = Some("with masked values the action goes another way than it went".to_owned()),
    }
    recording
}

impl Replays {
    /// Whether every recording that was run came out as it was.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.0.iter().all(|replayed| replayed.failures.is_empty())
    }

    /// For people: each recording, what differs with both sides, and a last line that counts.
    #[must_use]
    pub fn human(&self) -> String {
        let mut text = String::new();
        for Replayed { file, action, skipped, failures, notes } in &self.0 {
            let mark = match (skipped, failures.is_empty()) {
                (Some(_), _) => "skip",
                (None, true) => "ok  ",
                (None, false) => "FAIL",
            };
            let _ = writeln!(text, "{mark} {action}: {file}");
            if let Some(reason) = skipped {
                let _ = writeln!(text, "       {reason}");
            }
            for failure in failures {
                let further = |text: &str| text.replace('\n', "\n                   ");
                let _ = writeln!(text, "       {}", failure.what);
                let _ = writeln!(text, "         recorded  {}", further(&failure.expected));
                let _ = writeln!(text, "         now       {}", further(&failure.came));
            }
            notes.iter().filter(|_| !failures.is_empty()).for_each(|note| {
                let _ = writeln!(text, "       {note}");
            });
        }
        let count = |is: fn(&Replayed) -> bool| self.0.iter().filter(|replayed| is(replayed)).count();
        let (failed, skipped) = (count(|it| !it.failures.is_empty()), count(|it| it.skipped.is_some()));
        let same = self.0.len() - failed - skipped;
        let _ = writeln!(text, "\n{same} as recorded, {failed} otherwise, {skipped} not run");
        text
    }
}
