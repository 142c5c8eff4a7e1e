//! A project written into a folder of its own, compiled and served as `legwork serve` does it, and calls to it as Rasa makes
//! them.

use std::io::{self, Write};
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use legwork::app::{self, Place};
use legwork::engine::Natives;
use legwork::plan::Project;
use legwork::server::{Drain, Facts, Options, Serving, router, serve};
use legwork::telemetry::Metrics;
use legwork::time::FixedClock;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::client::request;

/// The time at which every turn happens, a Tuesday.
pub const NOW: &str = "2026-01-20T12:00:00Z";

/// A served project. When it is dropped it stops, and no error may have been logged but those that were expected.
pub struct Bot {
    address: SocketAddr,
    stop: Arc<Notify>,
    served: Mutex<Option<JoinHandle<io::Result<()>>>>,
    log: Log,
    expected: Mutex<Vec<String>>,
    clock: FixedClock,
    project: Arc<Project>,
    root: std::path::PathBuf,
    engine: Arc<legwork::engine::Engine>,
    _logging: DefaultGuard,
    _folder: TempDir,
}

/// The log of one bot. Its server runs on the test's own thread, so that tests beside it do not write into it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

/// Files of a project: path and text.
pub type Files<'a> = &'a [(&'a str, &'a str)];

/// Writes a project into a folder.
pub fn written(files: Files<'_>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("actions")).unwrap();
    std::fs::write(folder.path().join("legwork.yml"), "").unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Where a project in a folder lies.
pub fn place(folder: &Path) -> Place {
    Place { config: Some(folder.join("legwork.yml")), ..Place::default() }
}

/// What is wrong in a project: a line each, as `CODE FILE:LINE MESSAGE`.
pub fn problems(files: Files<'_>) -> Vec<String> {
    let folder = written(files);
    let (_, problems) = app::load(&place(folder.path()));
    let line = |problem: &legwork::diag::Diagnostic| {
        let at = problem.span.as_ref().map(|span| span.place().to_string()).unwrap_or_default();
        format!("{} {at} {}", problem.code.name(), problem.message)
    };
    problems.iter().map(line).collect()
}

fn compiled(place: &Place) -> Project {
    let (project, problems) = app::load(place);
    let Some(project) = project else {
        panic!("{}", legwork::diag::render(&problems, legwork::diag::Format::Human { color: false }))
    };
    project
}

impl Bot {
    /// Serves a project of these files.
    pub async fn with(files: Files<'_>) -> Self {
        let folder = written(files);
        let config = place(folder.path());
        Self::serving(&config, folder).await
    }

    /// Serves a project of these files, and actions in Rust.
    pub async fn native(files: Files<'_>, natives: Natives) -> Self {
        let folder = written(files);
        Self::serving(&Place { natives, ..place(folder.path()) }, folder).await
    }

    /// Serves a project that lies in the source tree, by its legwork.yml.
    pub async fn of(config: &str) -> Self {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join(config);
        Self::serving(&Place { config: Some(config), ..Place::default() }, tempfile::tempdir().unwrap()).await
    }

    /// Serves a project that lies in a folder, which stays when the server is gone.
    pub async fn at(folder: &Path) -> Self {
        Self::serving(&place(folder), tempfile::tempdir().unwrap()).await
    }

    /// Why a project in a folder is not served.
    pub async fn refused(folder: &Path) -> String {
        let clock = Arc::new(FixedClock::at(NOW.parse::<DateTime<Utc>>().unwrap()));
        let refused = app::engine(Arc::new(compiled(&place(folder))), &place(folder), clock).await;
        refused.err().expect("it is served").join("\n")
    }

    async fn serving(place: &Place, folder: TempDir) -> Self {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::INFO).with_writer(log.clone());
        let logging = tracing::subscriber::set_default(subscriber.finish());
        let project = Arc::new(compiled(place));
        let auth = app::callers(&project, &place.folder()).unwrap();
        let clock = FixedClock::at(NOW.parse::<DateTime<Utc>>().unwrap());
        let engine = Arc::new(app::engine(Arc::clone(&project), place, Arc::new(clock.clone())).await.unwrap());
        let drain = Drain::default();
        let facts = Facts { config: Value::Null, metrics: Metrics::install(), draining: drain.draining.clone() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let door = router(Arc::clone(&engine), Options { auth, ..Options::default() }, facts);
        let kept = Arc::clone(&engine);
        let serving = async move {
            let settled = engine.settled();
            let serving = Serving { drain, ..Serving::default() };
            serve(listener, door, serving, async move { stopped.notified().await }, settled).await
        };
        let served = Mutex::new(Some(tokio::spawn(serving)));
        Self {
            address,
            stop,
            served,
            log,
            expected: Mutex::default(),
            clock,
            project,
            root: place.folder(),
            engine: kept,
            _logging: logging,
            _folder: folder,
        }
    }

    /// Lets so many minutes and a third of one pass between two calls, for what is kept of them: a slow machine does not make
    /// another minute of it.
    pub async fn later(&self, minutes: u64) {
        tokio::time::pause();
        tokio::time::advance(std::time::Duration::from_secs(60 * minutes + 20)).await;
        tokio::time::resume();
    }

    /// Puts the wall clock forward.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
    }

    /// Makes what was to be made later and is due, as the worker of a server does every second.
    pub async fn delivers(&self) {
        let clock: Arc<dyn legwork::time::Clock> = Arc::new(self.clock.clone());
        while self.engine.deliver(app::assistants(&self.project, &self.root, &clock).unwrap()).await {}
    }

    /// Puts the wall clock forward to that of the commands, which go by the machine's.
    pub fn catches_up(&self) {
        let ahead = legwork::time::Clock::now(&legwork::time::SystemClock) - legwork::time::Clock::now(&self.clock);
        self.clock.advance(ahead.to_std().unwrap_or_default());
    }

    /// Forgets what was kept long enough, as a server does every minute.
    pub async fn tidies(&self) {
        self.engine.tidy().await;
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets an error with this text be logged; one has to be.
    pub fn expect_error(&self, text: &str) {
        self.expected.lock().unwrap().push(text.to_owned());
    }

    /// Stops the server, and waits until it has.
    pub async fn stop(&self) {
        self.stop.notify_one();
        let served = self.served.lock().unwrap().take().expect("it was stopped before");
        served.await.unwrap().unwrap();
    }

    /// The lines that were logged so far.
    pub fn log(&self) -> String {
        self.log.lines().join("\n")
    }

    /// A call of an action, in a conversation that has nothing in it yet.
    pub fn call(&self, action: &str) -> Call<'_> {
        Call::to(self.address, action)
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.stop.notify_one();
        if std::thread::panicking() {
            return;
        }
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let errors: Vec<_> = self.log.lines().into_iter().filter(|line| line.contains("ERROR")).collect();
        for text in expected.iter() {
            assert!(errors.iter().any(|line| line.contains(text)), "no error says {text:?}: {errors:#?}");
        }
        let unforeseen: Vec<_> = errors.iter().filter(|line| !expected.iter().any(|text| line.contains(text))).collect();
        assert!(unforeseen.is_empty(), "errors were logged: {unforeseen:#?}");
    }
}

/// A call on its way.
pub struct Call<'a> {
    address: SocketAddr,
    /// The server is held as long as there are calls to it.
    server: PhantomData<&'a Bot>,
    action: Value,
    sender: String,
    slots: Map<String, Value>,
    message: Value,
    events: Vec<Value>,
    tracker: Map<String, Value>,
    further: Map<String, Value>,
    version: String,
    token: Option<String>,
}

impl Call<'_> {
    /// A call of an action at a server, in a conversation that has nothing in it yet.
    pub fn to(address: SocketAddr, action: &str) -> Self {
        Self {
            address,
            server: PhantomData,
            action: json!(action),
            sender: "default".to_owned(),
            slots: Map::new(),
            message: json!({ "text": "hello", "intent": { "name": "greet", "confidence": 1.0 }, "entities": [], "message_id": "m1", "metadata": {} }),
            events: Vec::new(),
            tracker: Map::new(),
            further: Map::new(),
            version: "3.6.21".to_owned(),
            token: None,
        }
    }

    pub fn slot(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.slots.insert(name.to_owned(), value.into());
        self
    }

    pub fn sender(mut self, sender: &str) -> Self {
        self.sender = sender.to_owned();
        self
    }

    /// The text of the last message.
    pub fn text(self, text: &str) -> Self {
        self.message("text", text)
    }

    pub fn intent(self, name: &str) -> Self {
        self.message("intent", json!({ "name": name, "confidence": 0.9 }))
    }

    /// An entity of the last message.
    pub fn entity(self, name: &str, value: impl Into<Value>) -> Self {
        self.entity_of(json!({ "entity": name, "value": value.into() }))
    }

    /// An entity with all its fields.
    pub fn entity_of(mut self, entity: Value) -> Self {
        self.message["entities"].as_array_mut().unwrap().push(entity);
        self
    }

    pub fn metadata(self, metadata: Value) -> Self {
        self.message("metadata", metadata)
    }

    /// A key of the last message.
    pub fn message(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.message[key] = value.into();
        self
    }

    /// The last message as a whole; null when there is none.
    pub fn latest_message(mut self, message: Value) -> Self {
        self.message = message;
        self
    }

    pub fn events(mut self, events: Value) -> Self {
        let Value::Array(events) = events else { panic!("events are a list") };
        self.events.extend(events);
        self
    }

    /// The candidates of a validation, in order: slot events at the end of the tracker; the tracker's slots have them too.
    pub fn offer(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.events.push(json!({ "event": "slot", "name": name, "value": value, "timestamp": 1.0 }));
        self.slot(name, value)
    }

    pub fn active_loop(self, name: &str) -> Self {
        self.tracker("active_loop", json!({ "name": name }))
    }

    pub fn channel(self, name: &str) -> Self {
        self.tracker("latest_input_channel", name)
    }

    /// A key of the tracker.
    pub fn tracker(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.tracker.insert(key.to_owned(), value.into());
        self
    }

    pub fn domain(self, domain: Value) -> Self {
        self.key("domain", domain)
    }

    pub fn digest(self, digest: &str) -> Self {
        self.key("domain_digest", digest)
    }

    /// A key of the body.
    pub fn key(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.further.insert(key.to_owned(), value.into());
        self
    }

    pub fn version(mut self, version: &str) -> Self {
        self.version = version.to_owned();
        self
    }

    /// Who calls, by the token that proves it.
    pub fn caller(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The action as it is, which need not be a name.
    pub fn action(mut self, action: Value) -> Self {
        self.action = action;
        self
    }

    /// Makes it the call that a slow answer asked for.
    pub fn second(self) -> Self {
        let action = self.action.clone();
        self.tracker("followup_action", action.clone()).tracker("latest_action_name", action)
    }

    pub async fn send(self) -> Answer {
        let (address, line, body) = self.written();
        let exchange = request(address, &line, &["content-type: application/json"], &body).await;
        Answer { status: exchange.status, json: exchange.json() }
    }

    /// Sends it from a task of its own, which another call may overtake.
    pub fn begin(self) -> JoinHandle<Answer> {
        let (address, line, body) = self.written();
        tokio::spawn(async move {
            let exchange = request(address, &line, &["content-type: application/json"], &body).await;
            Answer { status: exchange.status, json: exchange.json() }
        })
    }

    /// Where it goes, its first line and its body.
    fn written(self) -> (SocketAddr, String, Vec<u8>) {
        let mut events = vec![json!({ "event": "action", "name": "action_listen", "timestamp": 0.5 })];
        events.extend(self.events);
        let mut tracker = json!({
            "sender_id": self.sender,
            "slots": self.slots,
            "latest_message": self.message,
            "events": events,
            "paused": false,
            "followup_action": null,
            "active_loop": {},
            "latest_action_name": "action_listen",
            "latest_input_channel": "rest",
        });
        tracker.as_object_mut().unwrap().extend(self.tracker);
        let mut body =
            json!({ "next_action": self.action, "sender_id": self.sender, "tracker": tracker, "version": self.version });
        body.as_object_mut().unwrap().extend(self.further);
        let token = self.token.map_or_else(String::new, |token| format!("?token={token}"));
        let line = format!("POST /webhook{token}");
        (self.address, line, body.to_string().into_bytes())
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

impl Answer {
    fn list(&self, key: &str) -> &Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.json);
        self.json[key].as_array().unwrap_or_else(|| panic!("no {key} in {}", self.json))
    }

    /// The messages as they are.
    pub fn messages(&self) -> &Vec<Value> {
        self.list("responses")
    }

    /// What each message says: its text, or the name of its response.
    pub fn said(&self) -> Vec<&str> {
        self.messages()
            .iter()
            .map(|message| message["text"].as_str().or(message["response"].as_str()).unwrap_or("(neither)"))
            .collect()
    }

    /// The slots that are set, in order, as pairs of name and value.
    pub fn slots(&self) -> Value {
        let slots = self.list("events").iter().filter(|event| event["event"] == "slot");
        slots.map(|event| json!([event["name"], event["value"]])).collect()
    }

    /// The value that a slot is set to last.
    pub fn slot(&self, name: &str) -> &Value {
        let of_name = |event: &&Value| event["event"] == "slot" && event["name"] == name;
        let event = self.list("events").iter().rev().find(of_name);
        &event.unwrap_or_else(|| panic!("{name} is not set in {}", self.json))["value"]
    }

    /// Every event, without the keys that are null.
    pub fn events(&self) -> Value {
        let filled = |event: &Value| {
            let fields = event.as_object().unwrap().iter().filter(|(key, value)| !value.is_null() || (*key == "value"));
            Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        self.list("events").iter().map(filled).collect()
    }
}
