//! Records the turns of a server: looks on at the door, and leaves the work to a thread of its own.
//!
//! A turn is answered first and recorded then, and nothing of the answer depends on it. So many may wait to be written; what is
//! more is left out, counted and said.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::folder::Folder;
use super::mask::Mask;
use super::replay::settled;
use super::taken::recorded;
use super::vocabulary::Vocabulary;
use crate::engine::{Context, Trace};
use crate::plan::Project;
use crate::plan::connector::Connection;
use crate::qa::bench::Bench;
use crate::qa::turn::{asks_again, without_opening};
use crate::rasa::{Call, Malformed, Reply};
use crate::server::Answering;
use crate::telemetry::{TurnRecorded, unseen};
use crate::time::{Clock, Deadline};

/// How many turns may be under way and waiting to be written; the body of each call is held for so long.
const ROOM: usize = 256;
/// How many turns may wait for Rasa's second call.
const SLOW: usize = 64;
/// How often old recordings are looked for, and left-out turns are said.
const TIDY: Duration = Duration::from_secs(60);

/// What has to be known of a project, to record its turns.
pub struct Learned {
    /// The words that its files write.
    pub words: Vocabulary,
    /// Its connections, of which none is asked.
    pub connections: Vec<Connection>,
}

/// Takes turns to be recorded. When it and all of its [`Recorded`] are gone, what waits is written and the thread ends.
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    left_out: AtomicU64,
}

enum Job {
    Turn(Box<Turn>),
    Stop,
}

/// A turn that was answered.
struct Turn {
    call: Call,
    trace: Arc<Trace>,
    reply: Reply,
    _room: OwnedSemaphorePermit,
}

/// What answers calls, with somebody who looks on.
pub struct Recorded<E> {
    inner: Arc<E>,
    shared: Arc<Shared>,
}

impl Recorder {
    /// Begins to record into a folder the turns of the project at `place`. `learn` reads what has to be known of it, each time
    /// that it is another.
    ///
    /// # Errors
    /// When the machine gives neither a thread nor randomness, or the folder cannot be read.
    pub fn begin(
        folder: Folder,
        place: &Path,
        learn: impl Fn(&Project) -> Learned + Send + 'static,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mask = Mask::new(Arc::default())?;
        let _ = folder.tidy(clock.now()).map_err(|error| format!("the folder of recordings cannot be read: {error}"))?;
        let (jobs, waiting) = mpsc::channel();
        let shared = Arc::new(Shared { jobs, room: Arc::new(Semaphore::new(ROOM)), left_out: AtomicU64::new(0) });
        let (learn, place) = (Box::new(learn), place.to_path_buf());
        let writer = Writer { folder, place, learn, clock, mask, bench: None, slow: VecDeque::new() };
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("record".to_owned()).spawn(move || writer.work(&waiting, &theirs));
        let thread = thread.map_err(|error| format!("no thread can be started: {error}"))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What engines are recorded with, as often as the project changes.
    #[must_use]
    pub fn records(&self) -> Records {
        Records(Arc::clone(&self.shared))
    }
}

/// Records engines.
#[derive(Clone)]
pub struct Records(Arc<Shared>);

impl Records {
    /// The same engine, whose turns are recorded.
    #[must_use]
    pub fn of<E>(&self, inner: Arc<E>) -> Recorded<E> {
        Recorded { inner, shared: Arc::clone(&self.0) }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.shared.jobs.send(Job::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<E: Answering> Answering for Recorded<E> {
    fn run(&self, call: Call, context: Context) -> impl Future<Output = Result<Reply, Malformed>> + Send {
        let room = Arc::clone(&self.shared.room).try_acquire_owned().ok();
        if room.is_none() {
            self.shared.left_out.fetch_add(1, Ordering::Relaxed);
        }
        let taken = room.map(|room| (call.clone(), Arc::<Trace>::default(), room));
        let trace = taken.as_ref().map(|(_, trace, _)| Arc::clone(trace));
        let running = self.inner.run(call, Context { trace, ..context });
        async move {
            let ended = running.await;
            if let (Some((call, trace, room)), Ok(reply)) = (taken, &ended) {
                // When the thread is gone, so is the server.
                let turn = Turn { call, trace, reply: reply.clone(), _room: room };
                let _ = self.shared.jobs.send(Job::Turn(Box::new(turn)));
            }
            ended
        }
    }

    fn actions(&self, until: Deadline) -> impl Future<Output = Vec<String>> + Send {
        self.inner.actions(until)
    }

    fn status(&self) -> Value {
        self.inner.status()
    }

    fn stores_down(&self) -> Vec<&'static str> {
        self.inner.stores_down()
    }

    fn health(&self, until: Deadline) -> impl Future<Output = Value> + Send {
        self.inner.health(until)
    }
}

struct Writer {
    folder: Folder,
    /// The project's folder.
    place: PathBuf,
    learn: Box<dyn Fn(&Project) -> Learned + Send>,
    clock: Arc<dyn Clock>,
    mask: Mask,
    /// Of the project that the mask's vocabulary is of.
    bench: Option<Arc<Bench>>,
    /// Turns whose first answer was that they take longer.
    slow: VecDeque<Box<Turn>>,
}

impl Writer {
    fn work(mut self, jobs: &mpsc::Receiver<Job>, shared: &Shared) {
        let mut tidied = Instant::now();
        loop {
            match jobs.recv_timeout(TIDY) {
                Ok(Job::Turn(turn)) => self.survives(turn),
                Ok(Job::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if tidied.elapsed() >= TIDY {
                tidied = Instant::now();
                say(shared);
                // A folder that cannot be read says so when something is written into it.
                let _ = self.folder.tidy(self.clock.now());
            }
        }
        // Whatever came before the end.
        while let Ok(Job::Turn(turn)) = jobs.try_recv() {
            self.survives(turn);
        }
        say(shared);
    }

    /// Writes a turn down; a bug in that costs one recording.
    fn survives(&mut self, turn: Box<Turn>) {
        if catch_unwind(AssertUnwindSafe(|| self.turn(turn))).is_err() {
            TurnRecorded::Failed(io::ErrorKind::Other).emit();
        }
    }

    fn turn(&mut self, turn: Box<Turn>) {
        if asks_again(&turn.reply, turn.call.next_action.as_deref().unwrap_or_default()) {
            if self.slow.len() == SLOW {
                self.slow.pop_front();
                TurnRecorded::LeftOut(1).emit();
            }
            self.slow.push_back(turn);
            return;
        }
        let (sender, action) = (&turn.call.sender_id, &turn.call.next_action);
        // The result of a slow turn: it began with the first call.
        let first = self
            .slow
            .iter()
            .position(|slow| slow.call.sender_id == *sender && slow.call.next_action == *action)
            .and_then(|at| self.slow.remove(at));
        let written = match first {
            Some(first) if turn.trace.begun().is_none() => self.write(&first.call, &first.trace, &as_one(&turn.reply)),
            _ => self.write(&turn.call, &turn.trace, &turn.reply),
        };
        match written {
            Ok(true) => TurnRecorded::Written.emit(),
            Ok(false) => {}
            Err(error) => TurnRecorded::Failed(error.kind()).emit(),
        }
    }

    /// Writes a turn; not one for which nothing ran, such as a repeat, or that has to be left out.
    fn write(&mut self, call: &Call, trace: &Trace, reply: &Reply) -> io::Result<bool> {
        let Some(begun) = trace.begun() else { return Ok(false) };
        let bench = self.bench(&begun.project);
        let Some(recording) = recorded(call, begun, &trace.entries(), reply) else { return Ok(false) };
        let recording = unseen(|| settled(&bench, recording.masked(&self.mask)));
        self.folder.write(&recording).map(|_| true)
    }

    fn bench(&mut self, project: &Arc<Project>) -> Arc<Bench> {
        if let Some(bench) = self.bench.as_ref().filter(|bench| Arc::ptr_eq(&bench.project, project)) {
            return Arc::clone(bench);
        }
        let Learned { words, connections } = (self.learn)(project);
        self.mask = self.mask.knowing(Arc::new(words));
        let bench = Bench::new(project, &connections, &self.place, &self.clock);
        self.bench = Some(Arc::clone(&bench));
        bench
    }
}

/// Says how many turns were left out since it was said last.
fn say(shared: &Shared) {
    match shared.left_out.swap(0, Ordering::Relaxed) {
        0 => {}
        count => TurnRecorded::LeftOut(count).emit(),
    }
}

/// The second answer of a slow turn as if it had been the only one.
fn as_one(reply: &Reply) -> Reply {
    let mut reply = reply.clone();
    if let Reply::Answer(answer) = &mut reply {
        without_opening(answer);
    }
    reply
}
