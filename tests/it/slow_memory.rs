//! How much memory many slow turns hold, in the real binary. It is not run with the others: it opens 20,000 sockets and takes
//! minutes. `cargo test --test it slow_memory -- --ignored --nocapture` prints what it measured.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::support::{Exchange, HELD, Held, connect, request, written};

const TURNS: usize = 10_000;
/// How much a turn may cost while a call waits for it, its connection included.
const LIMIT_KIB: u64 = 48;

/// The server; it ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// A figure of its memory, in MiB.
    fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// A call of Rasa's after 40 turns, 72 KB, in a conversation of its own.
fn body(recorded: &Value, sender: usize, second: bool) -> Vec<u8> {
    let mut body = recorded.clone();
    body["next_action"] = json!("action_x");
    body["sender_id"] = json!(format!("sender-{sender}"));
    body["tracker"]["latest_message"]["message_id"] = json!(format!("message-{sender}"));
    if second {
        body["tracker"]["followup_action"] = json!("action_x");
        body["tracker"]["latest_action_name"] = json!("action_x");
    }
    body.to_string().into_bytes()
}

/// Sends a call and leaves the connection open for the answer.
async fn send(address: SocketAddr, body: Vec<u8>, room: Arc<Semaphore>) -> TcpStream {
    let _room = room.acquire().await.unwrap();
    let mut stream = connect(address).await;
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    stream
}

async fn all(address: SocketAddr, recorded: &Value, second: bool) -> Vec<TcpStream> {
    let room = Arc::new(Semaphore::new(100));
    let mut sent = Vec::with_capacity(TURNS);
    // Paced, so that what is measured are turns that wait, and not bodies that are all read at the same time.
    for batch in (0..TURNS).collect::<Vec<_>>().chunks(20) {
        let calls = batch.iter().map(|sender| send(address, body(recorded, *sender, second), Arc::clone(&room)));
        sent.extend(join_all(calls).await);
        assert_eq!(request(address, "GET /health", &[], b"").await.status, 200);
    }
    sent
}

/// The middle and the worst of some quick turns, in milliseconds.
async fn quick(address: SocketAddr) -> (f64, f64) {
    let call = json!({ "next_action": "action_quick", "sender_id": "q", "tracker": { "sender_id": "q" } }).to_string();
    let mut taken = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        let answer = request(address, "POST /webhook", &["content-type: application/json"], call.as_bytes()).await;
        assert_eq!(answer.texts(), ["Quick."]);
        taken.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    taken.sort_by(f64::total_cmp);
    (taken[taken.len() / 2], taken[taken.len() - 1])
}

#[tokio::test]
#[ignore = "opens 20,000 sockets and takes minutes"]
async fn ten_thousand_slow_turns_at_once() {
    let held = Held::open().await;
    let times = "turn: { slow_after: 120s, give_up_after: 20m }";
    // What is measured are calls that wait for the system, and not a queue that is full.
    let patience = "allow_private: [127.0.0.1], timeout: 20m, breaker: off, limits: { queue: 20000 }";
    let settings = held.settings(times).replace("allow_private: [127.0.0.1]", patience);
    let folder = written(&[
        ("legwork.yml", &settings),
        HELD,
        (
            "actions/action_x.yml",
            "steps: [{ say: Let me see. }, { call: desk.look, as: number }, { say: \"{{ number }}\" }]",
        ),
        ("actions/action_quick.yml", "steps: [{ say: Quick. }]"),
    ]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let binary = env!("CARGO_BIN_EXE_legwork");
    let mut command = Command::new(binary);
    command.args(["serve", "--quiet", "-p", &port.to_string()]).current_dir(folder.path());
    let server = Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    while TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rasa/recorded/action_fetch_order__long-tracker-40-turns.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let recorded = &recorded["request"]["body"];

    let idle = quick(address).await;
    let empty = server.memory("VmRSS");
    println!("idle: {empty} MiB; a quick turn takes {:.1} ms, at worst {:.1} ms", idle.0, idle.1);
    let began = Instant::now();
    let first = all(address, recorded, false).await;
    let sent = began.elapsed();
    let held_first = server.memory("VmRSS");
    let busy = quick(address).await;
    println!(
        "{TURNS} first calls wait: {held_first} MiB, sent within {sent:.0?}; a quick turn takes {:.1} ms, at worst {:.1} ms",
        busy.0, busy.1
    );
    assert!(sent < Duration::from_secs(120), "the first were slow before the last were sent");
    for mut stream in first {
        assert_eq!(Exchange::read(&mut stream).await.texts(), ["I'm still checking. One moment, please."]);
    }
    println!("{TURNS} turns are slow, nobody waits: {} MiB", server.memory("VmRSS"));
    let second = all(address, recorded, true).await;
    let busy = quick(address).await;
    println!(
        "{TURNS} second calls wait: {} MiB; a quick turn takes {:.1} ms, at worst {:.1} ms",
        server.memory("VmRSS"),
        busy.0,
        busy.1
    );
    for _ in 0..TURNS {
        held.release();
    }
    for mut stream in second {
        assert_eq!(Exchange::read(&mut stream).await.texts().len(), 2);
    }
    println!("{TURNS} results wait: {} MiB; the most it ever had: {} MiB", server.memory("VmRSS"), server.memory("VmHWM"));
    assert!((held_first - empty) * 1024 / (TURNS as u64) < LIMIT_KIB);
}
