//! `assistants` and `assistants test` as operators call them, with a stand-in for Rasa's HTTP API on the other side.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, legwork, legwork_with, project};

const TOKEN: &str = "s3cret-of-the-assistant";
const SENDER: &str = "whatsapp:+4917012345";
const TEXT: &str = "Your ticket is in: T-1234";

/// What a Rasa does with those who have the token.
#[derive(Clone, Copy)]
enum Mood {
    /// All is well, and users are on this channel.
    On(&'static str),
    /// It answers everything with this status, and with what it was sent.
    Status(u16),
    /// It takes requests, and does not answer.
    Hangs,
}

/// What was asked: method, path and query, body.
type Asked = (String, String, Value);

/// A stand-in for Rasa's HTTP API.
struct Rasa {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Rasa {
    fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                thread::spawn(move || serve(stream, mood, &noted));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, mood: Mood, noted: &Mutex<Vec<Asked>>) {
    // One connection brings several requests.
    while let Some((method, target, body)) = read(&mut stream) {
        noted.lock().unwrap().push((method, target.clone(), body.clone()));
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let reason = |reason: &str| json!({ "status": "failure", "reason": reason, "message": format!("{target} {body}") });
        let (status, answer) = match mood {
            Mood::Hangs => {
                let _ = stream.read(&mut [0]);
                return;
            }
            Mood::Status(status) => (status, reason("ConversationError")),
            Mood::On(_) if path == "/version" => (200, json!({ "version": "3.6.21" })),
            Mood::On(_) if !query.split('&').any(|pair| pair == format!("token={TOKEN}")) => {
                (401, reason("NotAuthenticated"))
            }
            Mood::On(_) if path == "/status" => (200, json!({ "model_file": "shop.tar.gz" })),
            Mood::On(channel) => {
                let state = json!({ "sender_id": SENDER, "latest_input_channel": channel });
                match path.strip_prefix(&format!("/conversations/{SENDER}/")) {
                    Some("tracker/events") => (200, state),
                    Some("trigger_intent") if body["name"] == "known" => (200, json!({ "tracker": state })),
                    Some("trigger_intent") => (404, reason("NotFound")),
                    _ => (404, json!({ "description": "Not Found", "status": 404, "message": target })),
                }
            }
        };
        let answer = answer.to_string();
        let head =
            format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", answer.len());
        let _ = write!(stream, "{head}x-told: {TOKEN}\r\n\r\n{answer}");
    }
}

/// The next request of a connection: method, path and query, body.
pub fn read(stream: &mut TcpStream) -> Option<(String, String, Value)> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let length = length.unwrap_or_default();
            if bytes.len() >= end + 4 + length {
                let first = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let mut words = first.lines().next()?.split(' ');
                let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or_default();
                return Some((words.next()?.to_owned(), words.next()?.to_owned(), body));
            }
        }
        match stream.read(&mut chunk).ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// A project with these settings, and the token in a file.
fn with(settings: &str) -> TempDir {
    project(&[
        ("legwork.yml", settings),
        ("token.txt", TOKEN),
        ("old.txt", "of-yesterday"),
        ("actions/action_a.yml", "steps: [{ say: Hello. }]\n"),
    ])
}

fn back_to(rasa: &Rasa) -> String {
    format!("assistant: {{ url: 'http://{}', token: '${{file:token.txt}}' }}\n", rasa.address)
}

/// Runs `assistants test …`, whose output has no secret, and nothing of what is said, in it.
fn test(folder: &TempDir, words: &[&str]) -> Ran {
    let ran = legwork(folder.path(), &[&["assistants", "test"], words].concat());
    for hidden in [TOKEN, "T-1234", "of-yesterday"] {
        assert!(!ran.printed.contains(hidden) && !ran.complained.contains(hidden), "{}{}", ran.printed, ran.complained);
    }
    ran
}

#[test]
fn the_ways_back_are_listed_without_their_secrets() {
    let settings = r#"
server:
  auth:
    - { name: shop, token: "${NEVER_SET}" }
    - { name: shop, token: "${NEVER_SET_EITHER}" }
    - { name: voice, bearer: "${NEVER_SET}" }
assistants:
  shop: { url: "http://localhost:5005", token: "${NEVER_SET}" }
  voice: { url: "${NEVER_SET}", jwt_secret: "${NEVER_SET}", output_channel: callback, timeout: 90s }
"#;
    let folder = with(settings);
    let ran = legwork(folder.path(), &["assistants"]);
    let expected = "shop   localhost:5005 · token · channel latest · 60 s\n\
                    voice  its address cannot be told: its reference leads nowhere · JWT · channel callback · 90 s\n";
    assert_eq!((ran.printed.as_str(), ran.code), (expected, Some(0)), "{}", ran.complained);
    let variables = [("NEVER_SET", Some("https://rasa.example/voice"))];
    let ran = legwork_with(folder.path(), &["assistants", "--format", "json"], &variables);
    let told: Value = serde_json::from_str(&ran.printed).unwrap();
    assert_eq!((&told[1]["address"], &told[1]["login"]), (&json!("rasa.example"), &json!("JWT")));
    let ran = legwork(with("").path(), &["assistants"]);
    assert!(ran.printed.contains("write `assistant: {"), "{}", ran.printed);
}

#[test]
fn the_way_is_tested_without_a_word_to_anybody() {
    let rasa = Rasa::start(Mood::On("callback"));
    let ran = test(&with(&back_to(&rasa)), &[]);
    assert!(ran.printed.starts_with("anonymous  ok  Rasa 3.6.21 · "), "{}", ran.printed);
    assert_eq!(ran.code, Some(0));
    let asked: Vec<_> = rasa.asked().into_iter().map(|(method, target, _)| format!("{method} {target}")).collect();
    assert_eq!(asked[0], format!("GET /status?token={TOKEN}"));
    assert!(asked[1].starts_with("GET /version"), "{asked:?}");
    assert_eq!(asked.len(), 2);
}

#[test]
fn something_is_said_in_a_conversation() {
    let rasa = Rasa::start(Mood::On("callback"));
    let folder = with(&back_to(&rasa));
    let ran = test(&folder, &["--sender", SENDER, "--say", TEXT, "--format", "json"]);
    let told: Value = serde_json::from_str(&ran.printed).unwrap();
    assert_eq!((&told[0]["outcome"], &told[0]["found"]), (&json!("ok"), &json!("on the channel `callback`")));
    let ran = test(&folder, &["--sender", SENDER, "--trigger", "known", "--entity", "order_id=1001"]);
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    let asked = rasa.asked();
    let query = format!("output_channel=latest&include_events=NONE&execute_side_effects=true&token={TOKEN}");
    assert_eq!(asked[0].1, format!("/conversations/{SENDER}/tracker/events?{query}"));
    assert_eq!(asked[0].2, json!([{ "event": "bot", "text": TEXT, "data": {}, "metadata": {} }]));
    assert_eq!(asked[1].2, json!({ "name": "known", "entities": { "order_id": "1001" } }));
    assert_eq!(asked.len(), 2);
}

#[test]
fn what_nobody_hears_is_not_called_well() {
    let rasa = Rasa::start(Mood::On("rest"));
    let ran = test(&with(&back_to(&rasa)), &["--sender", SENDER, "--say", TEXT]);
    assert!(ran.printed.starts_with("anonymous  unheard  it stands in the conversation, but"), "{}", ran.printed);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let fine = Rasa::start(Mood::On("callback"));
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = |rasa: &Rasa| format!("url: 'http://{}'", rasa.address);
    let token = "token: '${file:token.txt}'";
    for (settings, words, outcome, said) in [
        (format!("{}, token: '${{file:old.txt}}'", url(&fine)), &[][..], "misconfigured", "--auth-token"),
        (format!("{}, token: '${{file:none.txt}}'", url(&fine)), &[], "misconfigured", "none.txt"),
        (format!("{}/elsewhere', {token}", url(&fine).trim_end_matches('\'')), &[], "misconfigured", "--enable-api"),
        (format!("url: 'http://{down}', {token}"), &[], "unavailable", "cannot be reached"),
        (format!("{}, {token}", url(&Rasa::start(Mood::Status(409)))), &[], "unavailable", "no model"),
        (format!("{}, {token}", url(&Rasa::start(Mood::Status(500)))), &["--say"], "unavailable", "may be busy"),
        (format!("{}, {token}, timeout: 200ms", url(&Rasa::start(Mood::Hangs))), &["--say"], "timeout", "in time"),
        (format!("{}, {token}", url(&fine)), &["--trigger"], "not_found", "does not know the intent"),
    ] {
        let folder = with(&format!("assistant: {{ {settings} }}\n"));
        let there: Vec<_> = words.iter().flat_map(|word| [*word, TEXT, "--sender", SENDER]).collect();
        let ran = test(&folder, &there);
        let (first, cure) = ran.printed.split_once('\n').unwrap();
        assert!(first.starts_with(&format!("anonymous  {outcome}  ")) && first.contains(said), "{said}: {}", ran.printed);
        assert!(!cure.trim().is_empty());
        assert_eq!(ran.code, Some(1));
    }
    let folder = with(&back_to(&fine));
    let ran = test(&folder, &["--sender", "two words", "--say", TEXT]);
    assert!(ran.printed.starts_with("anonymous  invalid  the conversation cannot be called back"), "{}", ran.printed);
    for (words, said) in [
        (&["--sender", SENDER][..], "add --say TEXT"),
        (&["anonymuos"], "did you mean `anonymous`?"),
        (&["--say", TEXT], "--sender"),
    ] {
        let ran = test(&folder, words);
        assert!(ran.complained.contains(said), "{said}: {}", ran.complained);
        assert_eq!(ran.code, Some(2));
    }
}

#[test]
fn check_holds_the_ways_back_against_who_calls_and_what_may_travel() {
    let auth = "server: { auth: [{ name: shop, token: '${A}' }, { name: shop, token: '${B}' }] }\n";
    let several = "server: { auth: [{ name: shop, token: '${A}' }, { name: hr, token: '${B}' }] }\n";
    for (settings, said) in [
        ("assistant: { url: 'http://[::1]:5005', token: '${A}' }\n".to_owned(), ""),
        (format!("{auth}assistant: {{ url: 'http://localhost:5005', token: '${{A}}' }}\n"), ""),
        (format!("{several}assistants: {{ hr: {{ url: '${{A}}' }} }}\n"), ""),
        ("assistant: { url: 'http://rasa:5005', allow_private: [rasa] }\n".to_owned(), ""),
        (format!("{several}assistant: {{ url: 'https://rasa.example' }}\n"), "does not say which of the callers it is"),
        (format!("{auth}assistants: {{ hr: {{ url: '${{A}}' }} }}\n"), "`server.auth` has no caller `hr`"),
        ("assistants: { shop: { url: '${A}' } }\n".to_owned(), "callers have no names"),
        (
            format!("{auth}assistant: {{ url: '${{A}}' }}\nassistants: {{ shop: {{ url: '${{A}}' }} }}\n"),
            "stand beside one another",
        ),
        ("assistant: { url: 'http://rasa:5005' }\n".to_owned(), "what is said would be sent to rasa without TLS"),
        (
            "assistant: { url: 'http://rasa:5005', token: '${A}', allow_private: [rasa] }\n".to_owned(),
            "a secret would be sent to rasa without TLS",
        ),
        ("assistant:\n  url: 'https://rasa.example?token=hunter2'\n".to_owned(), "holds more than its place"),
        ("assistant:\n  url: 'https://u:hunter2@rasa.example'\n".to_owned(), "holds more than its place"),
        (
            "assistant:\n  url: 'https://rasa.example'\n  token: hunter2\n".to_owned(),
            "a secret is not written into the file",
        ),
        ("assistant: { url: '${A}', token: '${A}', jwt_secret: '${B}' }\n".to_owned(), "two ways in"),
        ("assistant: { url: '${A}', timeout: 0s }\n".to_owned(), "no assistant answers in no time"),
        ("assistant: { url: '${A}', output_channel: 'a b' }\n".to_owned(), "cannot be the name of a channel"),
        ("assistant: { url: '${A}', allow_private: ['http://a'] }\n".to_owned(), "a host's name or address is needed"),
        ("assistant: { token: '${A}' }\n".to_owned(), "`url`"),
    ] {
        let ran = legwork(with(&settings).path(), &["check"]);
        assert_eq!(ran.code, Some(i32::from(!said.is_empty())), "{settings}{}", ran.printed);
        assert!(ran.printed.contains(said) && !ran.printed.contains("hunter2"), "{said}: {}", ran.printed);
    }
}

#[test]
fn serve_refuses_to_start_without_what_it_needs_to_call_back() {
    let folder = with("assistant: { url: 'http://localhost:5005', token: '${file:none.txt}' }\n");
    let ran = legwork(folder.path(), &["serve", "--port", "0"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.complained.contains("the assistant `anonymous` cannot be called back"), "{}", ran.complained);
}
