//! Secrets, slot values and the bodies of vendors are in no log, metric, status page or error text, however a vendor answers.
//!
//! The real binary logs all that it can, against a vendor that says back everything it was told, in every way of failing.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::Instant;

use super::support::{legwork, project, request};

/// What must be seen nowhere but in requests. Every text has this in it, or is made of it.
const SECRET: &str = "hunter2";
/// In slots and messages of the user.
const PERSONAL: &str = "sarah-4111";
/// In every body and header of the vendor.
const VENDORS: &str = "vendors-own-words";

/// The ways in which a vendor answers.
const WAYS: [&str; 16] = [
    "fine", "html", "moved", "broken", "wrong", "headers", "reset", "empty", "400", "401", "403", "404", "409", "422",
    "429", "503",
];

/// The ways in which requests prove who we are; each is a connector.
const PROOFS: [(&str, &str); 9] = [
    ("header", "header: { name: X-Key, value: '{{ settings.secret }}' }"),
    ("bearer", "bearer: '{{ settings.secret }}'"),
    ("basic", "basic: { user: us, password: '{{ settings.secret }}' }"),
    ("query", "query: { name: key, value: '{{ settings.secret }}' }"),
    ("path", "path: { before: '/hooks/{{ settings.secret }}' }"),
    (
        "client",
        "oauth2: { grant: client_credentials, token_url: '{{ settings.address }}/token', client_id: us, client_secret: '{{ settings.secret }}' }",
    ),
    (
        "refused",
        "oauth2: { grant: client_credentials, token_url: '{{ settings.address }}/refused', client_id: us, client_secret: '{{ settings.secret }}' }",
    ),
    (
        "refresh",
        "oauth2: { grant: refresh_token, rotates: true, token_url: '{{ settings.address }}/token', client_id: us, client_secret: '{{ settings.secret }}', refresh_token: '{{ settings.secret }}' }",
    ),
    ("aws", "aws: { service: x, region: eu-central-1, access_key_id: us, secret_access_key: '{{ settings.secret }}' }"),
];

/// Says back what it is told.
async fn vendor(request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let told = format!("{VENDORS} {} {} {}", head.uri, headers(&head.headers), String::from_utf8_lossy(&body));
    let way = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let answer = Response::builder().header("content-type", "application/json").header("x-told", told.as_str());
    let json = |value: serde_json::Value| Body::from(value.to_string());
    let built = match way.as_str() {
        "token" => {
            let granted = json!({ "access_token": format!("{SECRET}-access"), "refresh_token": format!("{SECRET}-next"), "expires_in": 0 });
            answer.body(json(granted))
        }
        "refused" => answer.status(400).body(json(json!({ "error": "invalid_client", "error_description": told }))),
        "fine" => answer.body(json(json!({ "text": "fine", "told": told }))),
        "html" => Response::builder().header("content-type", "text/html").body(Body::from(format!("<p>{told}</p>"))),
        "moved" => answer.status(302).header("location", format!("/other?told={SECRET}&{VENDORS}")).body(Body::empty()),
        "broken" => answer.body(Body::from(format!("{{\"text\": \"{}", told.replace('"', "'")))),
        "wrong" => answer.body(json(json!({ "text": { "told": told } }))),
        "headers" => {
            let said = format!("{VENDORS} {SECRET}");
            let answer = answer.header("deprecation", said.as_str()).header("sunset", said.as_str());
            answer.status(429).header("retry-after", said.as_str()).body(json(json!({ "told": told })))
        }
        "reset" => {
            let cut = Err::<Vec<u8>, _>(std::io::Error::other("cut off"));
            let begun = Ok(format!("{{\"told\": \"{}\"", told.replace('"', "'")).into_bytes());
            answer.body(Body::from_stream(futures_util::stream::iter([begun, cut])))
        }
        "empty" => answer.status(204).body(Body::empty()),
        status => answer.status(status.parse().unwrap_or(500)).body(json(json!({ "message": told, "errors": [told] }))),
    };
    built.unwrap()
}

fn headers(headers: &HeaderMap) -> String {
    let line = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        format!("{name}={}", value.to_str().unwrap_or_default())
    };
    headers.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn connector(proof: &str) -> String {
    format!(
        r#"
kind: http
description: Says back what it is told.
api: {{ version: v1 }}
settings:
  address: {{ description: Where it is., example: "https://echo.example" }}
  secret: {{ description: The secret., secret: true, example: secret }}
base: "{{{{ settings.address }}}}"
auth: {{ {proof} }}
quota: [x-told]
retry: {{ attempts: 2, first: 1ms }}
operations:
  ask:
    inputs: {{ way: {{ required: true }}, who: {{ required: true }} }}
    request: POST /{{{{ way }}}}
    json: {{ who: "{{{{ who }}}}" }}
    query: {{ who: "{{{{ who }}}}" }}
    headers: {{ X-Who: "{{{{ who }}}}" }}
    take: one
    answer: {{ text: "{{{{ row.text }}}}" }}
    model: TicketComment
"#
    )
}

/// The server, ended with the test.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(folder: &Path) -> Self {
        let log = folder.join("log.jsonl");
        let child = Command::new(env!("CARGO_BIN_EXE_legwork"))
            .args(["serve", "-p", "0", "--log-filter", "trace", "--log-file"])
            .arg(&log)
            .current_dir(folder)
            .stderr(Stdio::from(std::fs::File::create(folder.join("stderr")).unwrap()))
            .spawn()
            .unwrap();
        let mut serving = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let until = Instant::now() + Duration::from_secs(60);
        while serving.address.port() == 0 {
            let starts = Instant::now() < until && serving.child.try_wait().unwrap().is_none();
            assert!(starts, "{}", std::fs::read_to_string(folder.join("stderr")).unwrap());
            std::thread::yield_now();
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let found = text.split_once("listening on http://").and_then(|(_, rest)| rest.split_once('/'));
            serving.address = found.map_or(serving.address, |(address, _)| address.parse().unwrap());
        }
        serving
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `text` shows one of the forms that `what` can take.
fn shows(text: &str, what: &str) -> Option<String> {
    let forms =
        [what.to_owned(), STANDARD.encode(what).trim_end_matches('=').to_owned(), STANDARD.encode(format!("us:{what}"))];
    let found = forms.iter().find_map(|form| text.find(&form[..form.len() - 2]))?;
    let from = text[..found].rfind('\n').map_or(0, |line| line + 1);
    Some(text[from..].lines().next().unwrap_or_default().chars().take(600).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_secret_a_slot_or_a_body_is_shown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let told_back = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(vendor)).await });

    let mut settings = "server: { auth: [{ name: bot, token: '${file:secret.txt}' }] }\n\
                        stores: { key: '${file:secret.txt}' }\nconnections:\n"
        .to_owned();
    let mut files: Vec<(String, String)> = Vec::new();
    for (name, proof) in PROOFS {
        settings.push_str(&format!(
            "  {name}: {{ connector: {name}, address: 'http://{told_back}', secret: '${{file:secret.txt}}', \
             allow_private: [127.0.0.1] }}\n"
        ));
        files.push((format!("connectors/{name}.yml"), connector(proof)));
        let action = format!(
            "inputs: {{ way: {{}}, who: {{}} }}\nsteps:\n  - call: {name}.ask\n    with: {{ way: '{{{{ way }}}}', who: '{{{{ who }}}}' }}\n    \
             as: order\n  - say: done\n"
        );
        files.push((format!("actions/ask_{name}.yml"), action));
    }
    files.push(("legwork.yml".to_owned(), settings));
    let secret = format!("{SECRET}-{SECRET}-{SECRET}");
    files.push(("secret.txt".to_owned(), secret.clone()));
    let written: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = project(&written);

    let serving = Serving::start(folder.path());
    let door = format!("token={secret}");
    let mut answers = String::new();
    for (name, _) in PROOFS {
        for way in WAYS {
            let call = json!({
                "next_action": format!("ask_{name}"), "sender_id": "one",
                "tracker": { "sender_id": "one", "slots": { "way": way, "who": PERSONAL },
                    "latest_message": { "text": format!("I am {PERSONAL}") }, "events": [] },
                "domain": {},
            });
            let (line, call) = (format!("POST /webhook?{door}"), call.to_string());
            let answer = request(serving.address, &line, &["content-type: application/json"], call.as_bytes()).await;
            assert_eq!(answer.status, 200, "{name} {way}: {}", answer.body);
            answers.push_str(&answer.body);
        }
    }
    let mut pages = String::new();
    for page in ["metrics", "status", "status/connections", "actions", "health"] {
        let page = request(serving.address, &format!("GET /{page}?{door}"), &[], b"").await;
        assert_eq!(page.status, 200);
        pages.push_str(&page.body);
    }
    drop(serving);
    let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    let tried: String = PROOFS
        .iter()
        .flat_map(|(name, _)| WAYS.map(|way| (name, way)))
        .filter(|(name, way)| **name == "basic" || *way == "fine" || *way == "401")
        .map(|(name, way)| {
            let slots = [format!("way={way}"), format!("who={PERSONAL}")];
            let ran = legwork(folder.path(), &["try", &format!("ask_{name}"), "--slot", &slots[0], "--slot", &slots[1]]);
            ran.printed + &ran.complained
        })
        .collect();

    for outcome in
        ["ok", "not_found", "invalid", "denied", "conflict", "rate_limited", "unavailable", "misconfigured", "unexpected"]
    {
        assert!(log.contains(&format!("\"outcome\":\"{outcome}\"")), "no call ended with {outcome}");
    }
    let seen = [("the log", &log), ("a page", &pages), ("an answer", &answers), ("`legwork try`", &tried)];
    for (place, text) in seen {
        assert_eq!(shows(text, SECRET), None, "{place} shows a secret");
        // What was asked and answered is what `try` is for.
        if place != "`legwork try`" {
            assert_eq!(shows(text, VENDORS), None, "{place} shows what a vendor said");
            assert_eq!(shows(text, PERSONAL), None, "{place} shows a slot");
        }
    }
}
