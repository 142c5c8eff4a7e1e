//! Replays every recorded call that the reference answered: status and JSON have to be the same.
//!
//! Left out are the recordings in which the recorder answered in the reference's place, and the reference's 500s, which
//! repeat the whole request to the caller. One value differs by rule: the number of a ticket, which each server makes up.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::future::join_all;
use pretty_assertions::assert_eq;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::{Bot, Exchange, connect};

/// Writes JSON as Python does: a blank after commas and colons, and nothing beyond ASCII.
struct Python;

impl serde_json::ser::Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

struct Recording {
    name: String,
    request: Value,
    response: Value,
}

/// The recordings whose answer is the reference's own.
fn recordings() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rasa/recorded");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut recordings = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "json")) {
        let mut record: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        if record["injected"].is_null() && record["response"]["status"] != 500 {
            let name = record["name"].as_str().unwrap().to_owned();
            recordings.push(Recording { name, request: record["request"].take(), response: record["response"].take() });
        }
    }
    recordings
}

/// The body as it was before it was deflated, byte for byte.
fn body(request: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    match request["body"].get("text") {
        Some(text) => body.extend_from_slice(text.as_str().unwrap().as_bytes()),
        None => request["body"]["json"].serialize(&mut serde_json::Serializer::with_formatter(&mut body, Python)).unwrap(),
    }
    assert_eq!(
        body.len() as u64,
        request["plain_body_bytes"].as_u64().unwrap(),
        "the body is not the one that was recorded"
    );
    body
}

/// Sends the request with its own line and headers, deflated and in chunks where it was.
async fn send(bot: &Bot, request: &Value) -> Exchange {
    let mut body = body(request);
    if request["content_decoding"] == "zlib" {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body).unwrap();
        body = encoder.finish().unwrap();
    }
    let mut head = format!("{}\r\n", request["line"].as_str().unwrap());
    for header in request["headers"].as_array().unwrap() {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        // The answer is read to the end of the connection, and as plain text.
        if !["connection", "accept-encoding", "content-length"].contains(&name.to_lowercase().as_str()) {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
    }
    head.push_str("Connection: close\r\n");
    let mut sent = Vec::new();
    if request["chunk_sizes"].as_array().is_some_and(|sizes| !sizes.is_empty()) {
        let (first, rest) = body.split_at(2);
        for chunk in [first, rest, b""] {
            write!(sent, "{:x}\r\n", chunk.len()).unwrap();
            sent.extend_from_slice(chunk);
            sent.extend_from_slice(b"\r\n");
        }
    } else {
        write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        sent = body;
    }
    head.push_str("\r\n");
    let mut stream = connect(bot.address()).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&sent).await.unwrap();
    Exchange::read(&mut stream).await
}

/// The answer without the number that each server makes up for a new ticket; it has the form `T-` and four digits.
fn comparable(mut body: Value) -> Value {
    let events = body.get_mut("events").and_then(Value::as_array_mut);
    for event in events.into_iter().flatten().filter(|event| event["name"] == "ticket_id" && event["value"].is_string()) {
        let number = event["value"].as_str().unwrap_or_default().strip_prefix("T-").unwrap_or_default();
        assert!(number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()), "{event}");
        event["value"] = json!("T-0000");
    }
    body
}

#[tokio::test]
async fn every_recorded_call_gets_the_reference_servers_answer() {
    let bot = Bot::of("tests/rasa/legwork.yml").await;
    let recordings = recordings();
    let exchanges = join_all(recordings.iter().map(|recording| send(&bot, &recording.request))).await;
    for (recording, exchange) in recordings.iter().zip(exchanges) {
        assert_eq!(json!(exchange.status), recording.response["status"], "{}: {}", recording.name, exchange.body);
        assert_eq!(exchange.header("content-type"), Some("application/json"), "{}", recording.name);
        assert_eq!(
            comparable(exchange.json()),
            comparable(recording.response["body"]["json"].clone()),
            "{}",
            recording.name
        );
    }
    assert!(recordings.len() >= 24, "only {} calls were replayed", recordings.len());
    // Shown by --nocapture.
    let _ = writeln!(io::stdout(), "{} recorded calls were answered as the reference answered them", recordings.len());
}
