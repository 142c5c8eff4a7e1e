//! How many turns a second, beside a floor and beside the reference server, in one run.
//!
//! `cargo bench --bench turns` prints figures and asserts nothing. Three servers run as processes of their own and take
//! turns: legwork with the actions of `tests/rasa`; the floor, which is the same HTTP stack reading the body and answering a
//! constant; and, when `LEGWORK_RASA_PYTHON` names a Python that has `rasa-sdk`, that with one worker and the same action.
//! The bodies are two recorded calls, of 7 KB and 72 KB, and one of 1 MB with the events of the second many times over.
//! Every call is a new connection, as with Rasa. `LEGWORK_BENCH_SECONDS` (3) is how long each pair of server and body is
//! measured in all, `LEGWORK_BENCH_THREADS` (4) how many callers there are.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ROUNDS: u32 = 3;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--floor") {
        return floor(arguments.next().unwrap_or_default().parse()?);
    }
    let seconds = setting("LEGWORK_BENCH_SECONDS", 3.0)?;
    let threads = setting("LEGWORK_BENCH_THREADS", 4.0)? as usize;
    let bodies = bodies()?;
    let servers = servers()?;
    let mut table = vec![vec![Tally::default(); servers.len()]; bodies.len()];
    let share = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    for _ in 0..ROUNDS {
        for (row, (_, body)) in table.iter_mut().zip(&bodies) {
            for (tally, server) in row.iter_mut().zip(&servers) {
                tally.add(&drive(server, body, share, threads)?);
            }
        }
    }
    report(&bodies, &servers, &table)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
fn now() -> Instant {
    Instant::now()
}

fn setting(name: &str, default: f64) -> Fallible<f64> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment how long to run")]
    let given = std::env::var(name);
    given.map_or(Ok(default), |text| Ok(text.parse()?))
}

fn report(bodies: &[(&str, Vec<u8>)], servers: &[Server], table: &[Vec<Tally>]) -> Fallible<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:>8} {:>10} {:>12} {:>10} {:>10}", "body", "server", "turns/s", "median ms", "of floor")?;
    for ((name, body), row) in bodies.iter().zip(table) {
        let floor = row.first().map_or(f64::NAN, Tally::rate);
        for (server, tally) in servers.iter().zip(row) {
            let (rate, median) = (tally.rate(), tally.median() * 1e3);
            writeln!(out, "{name:>8} {:>10} {rate:>12.0} {median:>10.3} {:>10.2}", server.name, rate / floor)?;
        }
        writeln!(out, "         ({} bytes)", body.len())?;
    }
    Ok(())
}

/// The calls of one server with one body.
#[derive(Clone, Default)]
struct Tally {
    seconds: f64,
    latencies: Vec<f32>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.latencies.extend_from_slice(&other.latencies);
    }

    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    fn median(&self) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).copied().map_or(f64::NAN, f64::from)
    }
}

/// A server as a process, ended when this is dropped.
struct Server {
    name: &'static str,
    process: Child,
    port: u16,
    /// What its answers have to hold.
    says: &'static str,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The whole group: the reference server has workers, which outlive a parent that is killed.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.process.id())]).status();
        let _ = self.process.wait();
    }
}

/// The floor first: it is what the others are measured by.
fn servers() -> Fallible<Vec<Server>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rasa");
    let start = |name, says, port: u16, command: &mut Command| -> Fallible<Server> {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()?;
        let server = Server { name, process, port, says };
        wait_for(port).map_err(|error| format!("{name} does not come up: {error}"))?;
        Ok(server)
    };
    let port = free_port()?;
    let mut servers =
        vec![start("floor", "{", port, Command::new(std::env::current_exe()?).args(["--floor", &port.to_string()]))?];
    let port = free_port()?;
    let mut legwork = Command::new(env!("CARGO_BIN_EXE_legwork"));
    legwork.args(["serve", "--host", "0.0.0.0", "-p", &port.to_string(), "--config"]).arg(tests.join("legwork.yml"));
    servers.push(start("legwork", "utter_order_status", port, &mut legwork)?);
    #[expect(clippy::disallowed_methods, reason = "a benchmark is told by its environment what to measure against")]
    let python = std::env::var("LEGWORK_RASA_PYTHON");
    if let Ok(python) = python {
        let port = free_port()?;
        let mut sdk = Command::new(python);
        sdk.args(["-m", "rasa_sdk", "--actions", "actions", "-p", &port.to_string()]).current_dir(tests.join("reference"));
        sdk.env("PYTHONDONTWRITEBYTECODE", "1");
        servers.push(start("rasa-sdk", "utter_order_status", port, &mut sdk)?);
    }
    Ok(servers)
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait_for(port: u16) -> Fallible<()> {
    let patience = now();
    loop {
        let answer =
            call(SocketAddr::from(([127, 0, 0, 1], port)), b"GET /health HTTP/1.1\r\nHost: bench\r\n\r\n", &mut Vec::new());
        match answer {
            Ok(true) => return Ok(()),
            _ if patience.elapsed() > Duration::from_secs(60) => return Err("no answer within a minute".into()),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Calls a server from so many threads for so long.
fn drive(server: &Server, body: &[u8], time: Duration, threads: usize) -> Fallible<Tally> {
    let mut request = format!(
        "POST /webhook HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\
         User-Agent: Python/3.10 aiohttp/3.9.5\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    let over = AtomicBool::new(false);
    let began = now();
    let latencies = std::thread::scope(|scope| -> Fallible<Vec<f32>> {
        let callers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let (request, over) = (&request, &over);
                    move || caller(server, request, over, thread)
                })
            })
            .collect();
        std::thread::sleep(time);
        over.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for caller in callers {
            all.extend(caller.join().map_err(|_| "a caller panicked")??);
        }
        Ok(all)
    })?;
    Ok(Tally { seconds: began.elapsed().as_secs_f64(), latencies })
}

fn caller(server: &Server, request: &[u8], over: &AtomicBool, thread: usize) -> Fallible<Vec<f32>> {
    let mut latencies = Vec::new();
    let mut answer = Vec::new();
    let mut count = thread;
    while !over.load(Ordering::Relaxed) {
        // A closed connection holds its pair of ports for a while; several addresses have several times as many.
        let address = SocketAddr::from(([127, 0, 0, 1 + (count % 16) as u8], server.port));
        count += 1;
        let began = now();
        let fine = call(address, request, &mut answer)?;
        latencies.push(began.elapsed().as_secs_f32());
        if !fine || !String::from_utf8_lossy(&answer).contains(server.says) {
            return Err(format!("{} answers {}", server.name, String::from_utf8_lossy(&answer)).into());
        }
    }
    Ok(latencies)
}

/// One connection, one request, one response by its length; whether that was a 200.
fn call(address: SocketAddr, request: &[u8], answer: &mut Vec<u8>) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(request)?;
    answer.clear();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk)?;
        answer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(head) = head.map(|at| at + 4) else {
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse().ok());
        if read == 0 || length.is_some_and(|length: usize| answer.len() >= head + length) {
            return Ok(text.starts_with("http/1.1 200"));
        }
    }
}

/// Reads the body and answers a constant, on the stack that the door stands on.
fn floor(port: u16) -> Fallible<()> {
    const ANSWER: &str =
        r#"{"events":[{"event":"slot","timestamp":null,"name":"order_status","value":"shipped"}],"responses":[]}"#;
    async fn read(body: Body) -> impl IntoResponse {
        let read = to_bytes(body, 20 << 20).await;
        let answer = if read.is_ok() { ANSWER } else { "null" };
        ([(header::CONTENT_TYPE, "application/json")], answer)
    }
    let router = Router::new().route("/webhook", post(read)).route("/health", get(async || "{}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("0.0.0.0", port)).await?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        Ok(tokio::spawn(async move { axum::serve(listener, router).await }).await??)
    })
}

/// The bodies, written as Python writes them.
fn bodies() -> Fallible<Vec<(&'static str, Vec<u8>)>> {
    let recorded = |name: &str| -> Fallible<Value> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rasa/recorded").join(name);
        let recording: Value = serde_json::from_slice(&std::fs::read(path)?)?;
        Ok(recording["request"]["body"]["json"].clone())
    };
    let short = recorded("action_fetch_order__response-template-and-slot.json")?;
    let long = recorded("action_fetch_order__long-tracker-40-turns.json")?;
    let mut huge = long.clone();
    let events = long["tracker"]["events"].as_array().cloned().unwrap_or_default();
    let times = 1_000_000 / python(&Value::from(events.clone()))?.len() + 1;
    huge["tracker"]["events"] = (0..times).flat_map(|_| events.clone()).collect();
    Ok(vec![("7 KB", python(&short)?), ("72 KB", python(&long)?), ("1 MB", python(&huge)?)])
}

/// Blanks after commas and colons.
struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn python(value: &Value) -> Fallible<Vec<u8>> {
    let mut out = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Python))?;
    Ok(out)
}
