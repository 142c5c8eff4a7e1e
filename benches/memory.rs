//! How much memory many slow turns hold at the same time, and what a quick turn takes meanwhile.
//!
//! `cargo bench --bench memory` prints figures and asserts nothing. The real binary runs as a process of its own, so that what
//! the callers hold does not count, beside a system that accepts every request and answers none until it is let. In turns of
//! Rasa's after 40 messages, 71 KB each, every one in a conversation and on a connection of its own:
//! - `queued`: all turns wait for a place at the system, of which there are 16;
//! - `open`: the requests of 8000 turns are open at the system, a connection each;
//! - `default`: the settings are the defaults, so most are refused: how soon is what counts then.
//!
//! `LEGWORK_MEMORY_TURNS` (10000) is how many turns there are; each needs a file descriptor here and one in the server, with
//! `open` two. `cargo bench --bench memory open` measures one of the three. `LEGWORK_BINARY` measures another build.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How many quick turns one after the other make a figure.
const QUICK: usize = 1000;
const SENDERS: usize = 4;
/// How many requests are open at the system at most: twice as many files are still fewer than what most machines allow.
const OPEN: usize = 8000;
const SLOW_AFTER: Duration = Duration::from_secs(40);

fn main() -> Fallible<()> {
    let turns = setting("LEGWORK_MEMORY_TURNS")?.unwrap_or(10_000);
    legwork::app::open_more_files();
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let calls = Recorded::read()?;
    let open = turns.min(OPEN);
    for (name, turns, limits) in [
        ("queued", turns, format!("limits: {{ queue: {} }}", turns * 2)),
        ("open", open, format!("limits: {{ concurrent: {open}, queue: {open} }}")),
        ("default", turns, String::new()),
    ] {
        if only.as_ref().is_none_or(|only| only == name) {
            println!("\n{name}: {turns} turns");
            let scene = Scene::set(&limits, &calls)?;
            match name {
                "default" => scene.refused(turns)?,
                _ => scene.waiting(turns)?,
            }
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
fn now() -> Instant {
    Instant::now()
}

fn setting(name: &str) -> Fallible<Option<usize>> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment what to measure")]
    let given = std::env::var(name);
    given.ok().map(|text| Ok(text.parse()?)).transpose()
}

/// The server, the system behind it, and what is sent.
struct Scene<'a> {
    server: Server,
    system: System,
    calls: &'a Recorded,
}

impl<'a> Scene<'a> {
    fn set(limits: &str, calls: &'a Recorded) -> Fallible<Self> {
        let system = System::open()?;
        let server = Server::start(&system, limits)?;
        Ok(Self { server, system, calls })
    }

    /// First calls that wait, turns that are slow, second calls that wait, results.
    fn waiting(&self, turns: usize) -> Fallible<()> {
        let idle = self.server.memory("VmRSS:")?;
        self.report("idle", idle, idle, turns)?;
        let began = now();
        let first = self.send(turns, false)?;
        let sent = began.elapsed();
        println!("  sent within {:.1} s", sent.as_secs_f64());
        self.report("first calls wait", idle, self.server.memory("VmRSS:")?, turns)?;
        println!("  {} requests open at the system", self.system.count());
        if sent > SLOW_AFTER {
            println!("  (some were slow before the last were sent)");
        }
        let said = answers(first)?;
        println!("  {said}");
        self.report("slow, nobody waits", idle, self.server.memory("VmRSS:")?, turns)?;
        let second = self.send(turns, true)?;
        self.report("second calls wait", idle, self.server.memory("VmRSS:")?, turns)?;
        let began = now();
        self.system.release();
        println!("  {} within {:.1} s", answers(second)?, began.elapsed().as_secs_f64());
        self.report("results are kept", idle, self.server.memory("VmRSS:")?, turns)?;
        println!("  the most it ever had: {} MiB", self.server.memory("VmHWM:")? >> 10);
        Ok(())
    }

    /// Far more calls than there are places.
    fn refused(&self, turns: usize) -> Fallible<()> {
        let idle = self.server.memory("VmRSS:")?;
        self.report("idle", idle, idle, turns)?;
        let began = now();
        let first = self.send(turns, false)?;
        println!("  sent within {:.1} s", began.elapsed().as_secs_f64());
        self.report("first calls", idle, self.server.memory("VmRSS:")?, turns)?;
        println!("  {} requests open at the system", self.system.count());
        println!("  {}", answers(first)?);
        println!("  the last was answered after {:.1} s", began.elapsed().as_secs_f64());
        self.report("answered", idle, self.server.memory("VmRSS:")?, turns)?;
        println!("  the most it ever had: {} MiB", self.server.memory("VmHWM:")? >> 10);
        Ok(())
    }

    /// Sends calls as fast as they are taken, and leaves their connections open for the answers.
    fn send(&self, turns: usize, second: bool) -> Fallible<Vec<TcpStream>> {
        let call = if second { &self.calls.second } else { &self.calls.first };
        let next = AtomicUsize::new(0);
        let sent = std::thread::scope(|scope| -> Fallible<Vec<TcpStream>> {
            let senders: Vec<_> = (0..SENDERS)
                .map(|_| {
                    scope.spawn(|| -> Fallible<Vec<TcpStream>> {
                        let mut sent = Vec::new();
                        loop {
                            let sender = next.fetch_add(1, Ordering::Relaxed);
                            if sender >= turns {
                                return Ok(sent);
                            }
                            let mut stream = TcpStream::connect(self.server.address(sender))?;
                            stream.write_all(&request(&call.replace(SENDER, &format!("sender-{sender}"))))?;
                            sent.push(stream);
                        }
                    })
                })
                .collect();
            let mut all = Vec::with_capacity(turns);
            for sender in senders {
                all.extend(sender.join().map_err(|_| "a sender panicked")??);
            }
            Ok(all)
        })?;
        Ok(sent)
    }

    fn report(&self, what: &str, idle: u64, memory: u64, turns: usize) -> Fallible<()> {
        let (middle, worst) = self.quick()?;
        let each = (memory - idle.min(memory)) as f64 / turns as f64;
        println!(
            "  {what:<20} {:>4} MiB, {each:>5.1} KiB a turn; a quick turn takes {middle:.2} ms, 99 of 100 within {worst:.2} ms",
            memory >> 10
        );
        Ok(())
    }

    /// What quick turns take, in milliseconds: the middle, and what 99 of 100 keep.
    fn quick(&self) -> Fallible<(f64, f64)> {
        let call = request(&self.calls.quick);
        let mut taken = Vec::with_capacity(QUICK);
        for number in 0..QUICK {
            let began = now();
            let mut stream = TcpStream::connect(self.server.address(number))?;
            stream.write_all(&call)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            taken.push(began.elapsed().as_secs_f64() * 1000.0);
            if !answer.contains("Quick.") {
                return Err(format!("a quick turn is answered: {answer}").into());
            }
        }
        taken.sort_by(f64::total_cmp);
        Ok((taken[QUICK / 2], taken[QUICK * 99 / 100]))
    }
}

/// Reads every answer, and says how many said what.
fn answers(streams: Vec<TcpStream>) -> Fallible<String> {
    let mut said: Vec<(String, usize)> = Vec::new();
    for mut stream in streams {
        let mut answer = String::new();
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let text = match stream.read_to_string(&mut answer) {
            Ok(_) => {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, "null"));
                let body: Value = serde_json::from_str(body).unwrap_or_default();
                let last = body["responses"].as_array().and_then(|all| all.last());
                let text = last.and_then(|last| last["text"].as_str()).unwrap_or_default();
                let text: String = text.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
                format!("{} {text:?}", head.split(' ').nth(1).unwrap_or("no answer"))
            }
            Err(error) => error.to_string(),
        };
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => said.push((text, 1)),
        }
    }
    let mut all = String::new();
    for (text, count) in said {
        let _ = write!(all, "{}{count} × {text}", if all.is_empty() { "" } else { ", " });
    }
    Ok(all)
}

/// A call of Rasa's after 40 messages, with marks where the conversation is named.
struct Recorded {
    first: String,
    second: String,
    quick: String,
}

/// What stands for a conversation's name.
const SENDER: &str = "the-sender";

impl Recorded {
    fn read() -> Fallible<Self> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rasa/recorded/action_fetch_order__long-tracker-40-turns.json");
        let recording: Value = serde_json::from_slice(&std::fs::read(path)?)?;
        let mut body = recording["request"]["body"]["json"].clone();
        body["next_action"] = json!("action_look");
        body["sender_id"] = json!(SENDER);
        body["tracker"]["sender_id"] = json!(SENDER);
        body["tracker"]["latest_message"]["message_id"] = json!(SENDER);
        body["tracker"]["slots"]["order_id"] = json!(SENDER);
        let first = body.to_string();
        body["tracker"]["followup_action"] = json!("action_look");
        body["tracker"]["latest_action_name"] = json!("action_look");
        let second = body.to_string();
        body["next_action"] = json!("action_quick");
        Ok(Self { first, second, quick: body.to_string() })
    }
}

fn request(body: &str) -> Vec<u8> {
    let mut request = format!(
        "POST /webhook HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAccept: */*\r\nConnection: close\r\n\
         User-Agent: Python/3.10 aiohttp/3.9.5\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body.as_bytes());
    request
}

/// The server as a process, in a folder of its own; both end with this.
struct Server {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Server {
    fn start(system: &System, limits: &str) -> Fallible<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("memory-{}-{port}", std::process::id()));
        let slow = SLOW_AFTER.as_secs();
        let times =
            if limits.is_empty() { String::new() } else { format!("turn: {{ slow_after: {slow}s, give_up_after: 20m }}\n") };
        let patience = if limits.is_empty() { "" } else { "timeout: 20m, breaker: off, " };
        let files = [
            (
                "legwork.yml",
                format!(
                    "server: {{ host: 0.0.0.0 }}\n{times}connections:\n  desk: {{ connector: held, address: \"http://127.0.0.1:{}\", \
                     allow_private: [127.0.0.1], {patience}{limits} }}\n",
                    system.port
                ),
            ),
            ("connectors/held.yml", CONNECTOR.to_owned()),
            ("actions/action_look.yml", ACTION.to_owned()),
            ("actions/action_quick.yml", "description: Says one thing.\nsteps: [{ say: Quick. }]\n".to_owned()),
        ];
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            std::fs::write(path, text)?;
        }
        #[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment what to measure")]
        let binary = std::env::var("LEGWORK_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_legwork").to_owned());
        let mut command = Command::new(binary);
        command.args(["serve", "--quiet", "-p", &port.to_string()]).current_dir(&folder);
        let log = std::fs::File::create(folder.join("log"))?;
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let server = Self { process, port, folder };
        let patience = now();
        while TcpStream::connect(server.address(0)).is_err() {
            if patience.elapsed() > Duration::from_secs(20) {
                return Err(std::fs::read_to_string(server.folder.join("log"))?.into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// A closed connection holds its pair of ports for a while; several addresses have several times as many.
    fn address(&self, number: usize) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1 + (number % 16) as u8], self.port))
    }

    /// A figure of the process' memory, in KiB.
    fn memory(&self, figure: &str) -> Fallible<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).ok_or("the system tells no such figure")?;
        Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
    }
}

/// A business system that answers nothing until it is released, then everything.
struct System {
    port: u16,
    held: Arc<Mutex<Vec<TcpStream>>>,
    released: Arc<AtomicBool>,
}

impl System {
    fn open() -> Fallible<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let (held, released) = (Arc::<Mutex<Vec<TcpStream>>>::default(), Arc::new(AtomicBool::new(false)));
        let (streams, free) = (Arc::clone(&held), Arc::clone(&released));
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let mut held = streams.lock().unwrap_or_else(PoisonError::into_inner);
                if free.load(Ordering::SeqCst) {
                    drop(held);
                    let _ = answer(stream);
                } else {
                    held.push(stream);
                }
            }
        });
        Ok(Self { port, held, released })
    }

    fn count(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn release(&self) {
        let held = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            self.released.store(true, Ordering::SeqCst);
            std::mem::take(&mut *held)
        };
        for stream in held {
            let _ = answer(stream);
        }
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request)?;
    let body = r#"{"order":{"number":"1001","status":"shipped"}}"#;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const ACTION: &str = r#"
description: Tells where an order is.
inputs:
  order_id: { format: text, missing: Which order? }
steps:
  - say: Let me see.
  - call: desk.look
    with: { number: "{{ order_id }}" }
    as: order
  - say: "Order {{ order.number }} is {{ order.status }}."
  - set: { order_status: "{{ order.status }}" }
"#;

const CONNECTOR: &str = r#"
kind: http
description: Answers when it is let.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://held.example" }
base: "{{ settings.address }}"
operations:
  look:
    inputs: { number: { description: Which. } }
    request: GET /orders/{{ number }}
    rows: body.order
    examples:
      - inputs: { number: "1" }
        sends: { request: GET /orders/1 }
        receives: { json: { order: { number: "1" } } }
        answer: { number: "1" }
"#;
