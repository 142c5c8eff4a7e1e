//! How much memory a turn holds while it waits, in the real binary: the difference that a thousand of them make.
//!
//! `cargo bench --bench memory` has the figures for ten thousand, of a release build.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::support::{Exchange, HELD, Held, connect, request, written};

/// So many wait before the difference is taken, which leaves out what a server needs that works at all.
const BEFORE: usize = 400;
const MORE: usize = 1000;
/// How much a turn may cost while a call waits for it, its connection included, in a build without optimisation: 14 on a machine
/// that has nothing else to do, up to 20 on one that is slow to give memory back.
const LIMIT_KIB: u64 = 25;
/// What stands for a conversation's name.
const SENDER: &str = "the-sender";
/// How often memory is looked at until it is what it may be: connections give theirs back after a while.
const LOOKS: usize = 2000;

/// The server; it ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// What it holds, in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// A call of Rasa's after 40 turns, 71 KB, with a mark where the conversation is named.
fn recorded() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rasa/recorded/action_fetch_order__long-tracker-40-turns.json");
    let mut recorded: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let body = &mut recorded["request"]["body"]["json"];
    assert!(body["tracker"]["events"].as_array().unwrap().len() > 100);
    body["next_action"] = json!("action_x");
    body["sender_id"] = json!(SENDER);
    body["tracker"]["latest_message"]["message_id"] = json!(SENDER);
    body.to_string()
}

/// Sends a call and leaves the connection open for the answer.
async fn send(address: SocketAddr, recorded: &str, sender: usize) -> TcpStream {
    let body = recorded.replace(SENDER, &format!("sender-{sender}"));
    let mut stream = connect(address).await;
    let length = body.len();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

/// Waits until so many turns wait.
async fn waiting(address: SocketAddr, turns: usize) {
    let line = format!("legwork_turns_running {turns}");
    while !request(address, "GET /metrics", &[], b"").await.body.lines().any(|it| it == line) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_turn_that_waits_holds_little() {
    legwork::app::open_more_files();
    let held = Held::open().await;
    let times = "turn: { slow_after: 10m, give_up_after: 20m }";
    // What is measured are calls that wait for the system, and not a queue that is full.
    let patience = "allow_private: [127.0.0.1], timeout: 20m, breaker: off, limits: { queue: 20000 }";
    let folder = written(&[
        ("legwork.yml", &held.settings(times).replace("allow_private: [127.0.0.1]", patience)),
        HELD,
        (
            "actions/action_x.yml",
            "steps: [{ say: Let me see. }, { call: desk.look, as: number }, { say: \"{{ number }}\" }]",
        ),
    ]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut command = Command::new(env!("CARGO_BIN_EXE_legwork"));
    command.args(["serve", "--quiet", "-p", &port.to_string()]).current_dir(folder.path());
    let server = Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    while TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let recorded = recorded();

    let mut calls = Vec::new();
    let mut before = 0;
    for sender in 1..=BEFORE + MORE {
        calls.push(send(address, &recorded, sender).await);
        // Paced, so that what is measured are turns that wait, and not bodies that are all read at the same time.
        if sender % 20 == 0 {
            waiting(address, sender).await;
        }
        if sender == BEFORE {
            before = server.memory();
        }
    }
    let mut each = u64::MAX;
    for _ in 0..LOOKS {
        each = server.memory().saturating_sub(before) / MORE as u64;
        if each < LIMIT_KIB {
            break;
        }
        assert_eq!(request(address, "GET /health", &[], b"").await.status, 200);
    }
    println!("{each} KiB a turn");
    assert!(each < LIMIT_KIB, "{each} KiB a turn");
    for _ in &calls {
        held.release();
    }
    for mut call in calls {
        assert_eq!(Exchange::read(&mut call).await.texts().len(), 2);
    }
}
