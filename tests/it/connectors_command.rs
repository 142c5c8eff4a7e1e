//! `connectors`, `connections` and `connectors test` as people and programs call them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use legwork::app::{self, Place};
use legwork::connector::catalog;
use legwork::diag::{Format, Severity, render};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{legwork, project};

/// A connector with something of everything that people are told.
const DEPOT: &str = r#"kind: http
description: The depot's parcels. It knows no customers.
api: { version: v3, supported_until: "2020-01-31", docs: "https://depot.example/docs" }
rights:
  - { name: "parcels:read", for: finding parcels }
  - { name: hold }
lacks:
  find_customer: parcels have a name and no account
  delivery dates: the depot does not deliver
settings:
  region: { description: Where the depot is., pattern: "eu|us", default: eu }
  places: { description: "Your shelves: { a: 1 }.", kind: map, default: {}, example: { a: 1 } }
  key: { description: "The key: Account, Keys.", secret: true, example: hidden }
base: https://{{ settings.region }}.depot.example/v3
auth: { header: { name: X-Key, value: "{{ settings.key }}" } }
limits: { concurrent: 4, requests: 10, per: 1s }
test: rooms
operations:
  rooms:
    description: The rooms there are.
    request: GET /rooms
    cache: { fresh: 10m, stale: 1d }
    examples:
      - description: Two rooms.
        sends: { request: GET /v3/rooms }
        receives: { json: [north, south] }
        answer: [north, south]
  find_parcel:
    description: Where a parcel is.
    inputs:
      number: { description: Its number., required: true, pattern: "[A-Z0-9]+" }
      day: { format: date }
      size: { format: { enum: [small, large] }, default: small }
    request: GET /parcels/{{ number }}
    query: { day: "{{ day }}", size: "{{ size }}" }
  hold_parcel:
    kind: write
    description: Keeps a parcel.
    inputs: { number: { required: true } }
    request: POST /parcels/{{ number }}/hold
    idempotency: { header: Idempotency-Key, kept: 2h }
    drops: [find_parcel]
"#;

const CONNECTED: &str = "connections:\n  yard: { connector: depot, key: '${NEVER_SET}', mode: read_only, share: 10%, \
                         faults: { latency: 2s, errors: 5% } }\n  shop: { connector: sandbox }\n";

fn depot() -> tempfile::TempDir {
    project(&[
        ("connectors/depot.yml", DEPOT),
        ("legwork.yml", CONNECTED),
        ("actions/action_a.yml", "steps: [{ say: Hello. }]\n"),
    ])
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn all_are_listed_with_what_uses_them() {
    let ran = legwork(depot().path(), &["connectors"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    let lines: Vec<_> = ran.printed.lines().collect();
    assert_eq!(lines.len(), 2 * (catalog::BUILT_IN.len() + 1));
    let at = lines.iter().position(|line| line.starts_with("depot ")).unwrap();
    assert_eq!(lines[at], "depot           The depot's parcels. (of this project)");
    assert_eq!(lines[at + 1], "                API v3, ENDED on 2020-01-31 · 2 reads, 1 write · used by yard");
    let at = lines.iter().position(|line| line.starts_with("sandbox ")).unwrap();
    assert!(lines[at + 1].ends_with(" · used by shop"), "{}", lines[at + 1]);
}

#[test]
fn without_a_project_they_are_listed_too() {
    let ran = legwork(project(&[]).path(), &["connectors"]);
    assert_eq!((ran.code, ran.complained.as_str()), (Some(0), ""));
    assert!(ran.printed.contains("used by shop, helpdesk, crm, hr\n"), "{}", ran.printed);
}

#[test]
fn everything_about_one_is_told() {
    let ran = legwork(depot().path(), &["connectors", "depot", "--examples"]);
    let expected = r#"depot: The depot's parcels. It knows no customers.
  API v3, ENDED on 2020-01-31
  https://depot.example/docs
  used by yard
  at most 4 requests at the same time, 10 in 1 s
  `legwork connectors test` runs rooms

The system does not offer
  find_customer: parcels have a name and no account
  delivery dates: the depot does not deliver

Least rights
  parcels:read  finding parcels
  hold

Settings
  region (optional)
    Where the depot is.
    matches eu|us
    without it: eu
  places (optional, a map)
    Your shelves: { a: 1 }.
    without it: {}
  key (required, a secret: write a reference such as ${NAME})
    The key: Account, Keys.

Operations
  rooms (read)
    The rooms there are.
    kept 10 min, 1 d while the system is down
    example: Two rooms.
      asked    {}
      sends    {"request":"GET /v3/rooms"}
      receives {"status":200,"json":["north","south"]}
      answers  ["north","south"]
  find_parcel (read)
    Where a parcel is.
    - number (required, matches [A-Z0-9]+): Its number.
    - day (optional, date)
    - size (optional, one of small, large, without it: "small")
  hold_parcel (write)
    Keeps a parcel.
    - number (required)
    repeatable: the vendor keeps the key 2 h
    outdates find_parcel

To paste into legwork.yml

connections:
  depot:
    connector: depot
    # The key: Account, Keys.
    key: "${DEPOT_KEY}"
    # Where the depot is. It matches eu|us
    # region: eu # without it: eu
    # Your shelves: { a: 1 }.
    # places: {"a":1} # without it: {}
    # What may be done: live, no_payments, read_only, dry_run or off.
    mode: read_only
"#;
    assert_eq!((ran.printed.as_str(), ran.code), (expected, Some(0)));
    assert!(!legwork(depot().path(), &["connectors", "depot"]).printed.contains("example:"));
}

#[test]
fn what_only_some_connections_need_and_what_is_past_is_marked() {
    let gate = r#"
kind: http
description: The gate.
settings:
  login: { description: How., pattern: key|app|open, default: key }
  key: { description: The key., secret: true, example: k }
  app: { description: The app., example: acme }
  both: { description: The company., example: c }
  word: { description: The word., secret: true, example: w }
base: https://gate.example
auth:
  by: settings.login
  ways:
    key: { header: { name: X-Key, value: "{{ settings.key }} {{ settings.both }}" } }
    app: { basic: { user: "{{ settings.app }}", password: "{{ settings.key }}" } }
    open: { basic: { user: "{{ settings.app }} {{ settings.both }}", password: "{{ settings.word }}" } }
operations:
  book:
    kind: write
    deprecated: call book@2
    steps:
      - { request: PUT /a, idempotency: upsert }
      - { request: POST /b, idempotency: none }
  book@2:
    kind: write
    steps:
      - { as: a, request: POST /a, idempotency: { header: Idempotency-Key, kept: 2h } }
      - { request: PUT /b, idempotency: upsert }
"#;
    let connected = "connections:\n  north: { connector: gate, key: '${NEVER_SET}', both: c }\n  \
                     south: { connector: gate, login: app, key: '${NEVER_SET}', app: '${NEVER_SET}' }\n";
    let folder = project(&[
        ("connectors/gate.yml", gate),
        ("legwork.yml", connected),
        ("actions/action_a.yml", "steps: [{ say: Hello. }]\n"),
    ]);
    let told = legwork(folder.path(), &["connectors", "gate"]).printed;
    for line in [
        "  key (needed when login is key or app, a secret: write a reference such as ${NAME})",
        "  app (needed when login is app or open)",
        "  book (write)",
        "    deprecated: call book@2",
        "    not repeated once its last write is sent, which the vendor cannot tell from a repeat",
        "  book@2 (write)",
        "    repeatable: doing it again changes nothing more",
        "    # The app. Needed when login is app or open.",
        "    # app: acme",
        "    key: \"${GATE_KEY}\"",
    ] {
        assert!(told.lines().any(|it| it == line), "no {line} in {told}");
    }
    let page = legwork(folder.path(), &["connectors", "gate", "--format", "markdown"]).printed;
    assert!(page.contains("| `app` | The app. |  | needed when login is app or open |"), "{page}");
    assert!(page.contains("| `book` | write |  Deprecated: call book@2. |"), "{page}");
    assert!(page.contains("  - call: gate.book@2\n"), "{page}");
    let shown = legwork(folder.path(), &["connections"]).printed;
    assert!(shown.contains("north  gate · gate.example · live"), "what another way needs is not missed: {shown}");
    assert!(shown.contains("south  gate · its address cannot be told"), "{shown}");
}

#[test]
fn programs_get_json() {
    let ran = legwork(depot().path(), &["connectors", "depot", "--format", "json"]);
    let told: Value = serde_json::from_str(&ran.printed).unwrap();
    assert_eq!(told["support"], "ended");
    assert_eq!(told["connections"], json!(["yard"]));
    assert_eq!(told["lacks"]["find_customer"], "parcels have a name and no account");
    assert_eq!(told["rights"][0], json!({"name": "parcels:read", "for": "finding parcels"}));
    assert_eq!(told["operations"][2]["repeats"], "repeatable: the vendor keeps the key 2 h");
    let key = told["settings"].as_array().unwrap().iter().find(|it| it["name"] == "key").unwrap();
    assert_eq!((&key["secret"], &key["example"]), (&json!(true), &Value::Null));
    let all: Value = serde_json::from_str(&legwork(depot().path(), &["connectors", "--format", "json"]).printed).unwrap();
    assert_eq!(all.as_array().unwrap().len(), catalog::BUILT_IN.len() + 1);
}

#[test]
fn what_was_meant_is_known() {
    let ran = legwork(depot().path(), &["connectors", "zendsk"]);
    let said = "legwork: there is no connector `zendsk`: did you mean `zendesk`?\n";
    assert_eq!((ran.complained.as_str(), ran.code), (said, Some(2)));
    let ran = legwork(depot().path(), &["connectors", "test", "yrad"]);
    let said = "legwork: legwork.yml has no connection `yrad`: did you mean `yard`?\n";
    assert!(ran.complained.ends_with(said), "{}", ran.complained);
    assert_eq!(ran.code, Some(2));
}

#[test]
fn check_says_what_a_system_does_not_offer() {
    let action = "steps: [{ call: yard.find_customer }]\n";
    let folder = depot();
    std::fs::write(folder.path().join("actions/action_b.yml"), action).unwrap();
    let ran = legwork(folder.path(), &["check", "--format", "json"]);
    let found = ran.printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: Vec<_> = found.filter(|it| it["code"] == "unknown-operation").map(|it| it["help"].clone()).collect();
    assert_eq!(found, [json!("the vendor's API does not offer it: parcels have a name and no account")]);
    let both = DEPOT.replace("  find_customer: parcels", "  find_parcel: parcels");
    std::fs::write(folder.path().join("connectors/depot.yml"), both).unwrap();
    let ran = legwork(folder.path(), &["check"]);
    let said = "`lacks` says that there is no `find_parcel`, which is an operation of this file";
    assert!(ran.printed.contains(said), "{}", ran.printed);
}

#[test]
fn connections_are_shown_without_their_secrets() {
    let ran = legwork(depot().path(), &["connections"]);
    let expected = "\
yard  depot · API v3 · eu.depot.example · read_only · for 10% of the senders
      an attempt may take 12 s · 3 attempts · 4 requests at the same time · 10 in 1 s
      left alone for 10 s when of 10 requests or more in 30 s 50% fail or 80% take 10 s
      kept: rooms (10 min, 1 d while it is down)
      goes wrong on purpose: 2 s later, 5% errors
shop  sandbox · memory · live
      kept: find_order, recent_orders (30 s, 10 min while it is down); search_products (5 min, 1 d while it is down); \
        search_articles, find_customer (10 min, 1 d while it is down)
";
    assert_eq!((ran.printed.as_str(), ran.code), (expected, Some(0)), "{}", ran.complained);
    let told: Value = serde_json::from_str(&legwork(depot().path(), &["connections", "--format", "json"]).printed).unwrap();
    assert_eq!(told[0]["address"], "eu.depot.example");
    assert_eq!(told[0]["faults"]["errors"], 5);
    assert_eq!(told[1]["limits"], Value::Null);
}

const TOKEN: &str = "s3cret-of-a-vendor";

/// Plays a vendor that answers every request with this status and with everything that it was sent.
fn echo(listener: TcpListener, status: u16) {
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut sent = vec![0; 8192];
            let length = stream.read(&mut sent).unwrap_or_default();
            let body = json!({ "you_sent": String::from_utf8_lossy(&sent[..length]) }).to_string();
            // Without the credentials it would have nothing to give away.
            let status = if body.contains(TOKEN) { status } else { 418 };
            let head = format!("HTTP/1.1 {status} {TOKEN}\r\ncontent-type: application/json\r\nx-token: {TOKEN}\r\n");
            let _ = write!(stream, "{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
}

const ECHO: &str = r#"kind: http
settings: { address: {}, key: { secret: true } }
base: "{{ settings.address }}"
auth: { bearer: "{{ settings.key }}" }
errors: [{ status: 422, outcome: invalid, say: "{{ body.you_sent }}" }]
test: me
operations:
  me: { request: GET /me, rows: body.you_sent, answer: "{{ rows | length }}" }
"#;

#[test]
fn testing_says_what_works_and_what_to_do_otherwise_and_never_a_secret() {
    let at = |status| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        echo(listener, status);
        format!("http://{address}")
    };
    let one = |name: &str, address: &str, more: &str| {
        let key = "'${file:token.txt}'";
        format!("  {name}: {{ connector: echo, address: '{address}', key: {key}, allow_private: [127.0.0.1]{more} }}\n")
    };
    let settings = [
        "connections:\n".to_owned(),
        one("good", &at(200), ""),
        one("stale_key", &at(401), ""),
        one("refusing", &at(422), ""),
        one("down", &at(503), ""),
        one("private", "https://10.0.0.1", ""),
        one("off", &at(200), ", mode: 'off'"),
        format!("  keyless: {{ connector: echo, address: '{}', key: '${{file:none.txt}}' }}\n", at(200)),
        "  data: { connector: sandbox }\n".to_owned(),
    ];
    let folder = project(&[
        ("legwork.yml", &settings.concat()),
        ("connectors/echo.yml", ECHO),
        ("token.txt", TOKEN),
        ("actions/action_a.yml", "steps: [{ say: Hello. }]\n"),
    ]);
    let ran = legwork(folder.path(), &["connectors", "test", "--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.complained);
    let told: Vec<Value> = serde_json::from_str(&ran.printed).unwrap();
    let outcomes: Vec<_> =
        told.iter().map(|it| (it["connection"].as_str().unwrap(), it["outcome"].as_str().unwrap())).collect();
    assert_eq!(
        outcomes,
        [
            ("good", "ok"),
            ("stale_key", "misconfigured"),
            ("refusing", "invalid"),
            ("down", "unavailable"),
            ("private", "misconfigured"),
            ("off", "unavailable"),
            ("keyless", "misconfigured"),
            ("data", "ok"),
        ]
    );
    for it in &told {
        let (works, cure) = (it["outcome"] == "ok", it["cure"].is_string());
        assert!(works != cure && works == it["detail"].is_null(), "{it}");
    }
    let human = legwork(folder.path(), &["connectors", "test"]);
    for said in ["`mode: off`", "10.0.0.1", "none.txt", "`legwork connectors echo` says where each is found"] {
        assert!(human.printed.contains(said), "{said} in {}", human.printed);
    }
    for output in [ran.printed, ran.complained, human.printed, human.complained] {
        assert!(!output.contains(TOKEN), "{output}");
    }
    let shown = legwork(folder.path(), &["connections"]).printed;
    assert!(!shown.contains(TOKEN) && shown.contains("127.0.0.1:"), "{shown}");
    let ran = legwork(folder.path(), &["connectors", "test", "good", "data"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.printed.lines().map(|line| line.split("  ").next().unwrap()).collect::<Vec<_>>(), ["good", "data"]);
}

#[test]
fn the_pages_are_those_of_the_files() {
    let folder = project(&[]);
    let ran = legwork(folder.path(), &["connectors", "--format", "markdown", "--out", "pages"]);
    assert_eq!((ran.code, ran.complained.as_str()), (Some(0), ""));
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    let (made, kept) = (folder.path().join("pages"), root().join("docs/connectors"));
    assert_eq!(names(&kept), names(&made), "legwork connectors --format markdown --out docs/connectors");
    for name in names(&made) {
        let [made, kept] = [&made, &kept].map(|folder| std::fs::read_to_string(folder.join(&name)).unwrap());
        assert_eq!(kept, made, "{name}: legwork connectors --format markdown --out docs/connectors");
    }
    let one = legwork(folder.path(), &["connectors", "zendesk", "--format", "markdown"]).printed;
    assert_eq!(one, std::fs::read_to_string(kept.join("zendesk.md")).unwrap());
    assert_eq!(legwork(folder.path(), &["connectors", "--out", "pages"]).code, Some(2));
}

/// What a page shows is pasted by people: both its files have to be right.
#[test]
fn the_files_of_the_pages_are_right() {
    for source in catalog::BUILT_IN {
        let page = std::fs::read_to_string(root().join(format!("docs/connectors/{}.md", source.name))).unwrap();
        let blocks: Vec<_> = page.split("```yaml\n# ").skip(1).map(|rest| rest.split_once('\n').unwrap()).collect();
        assert_eq!(blocks.len(), 2, "{}", source.name);
        let files: Vec<_> = blocks.iter().map(|(path, rest)| (*path, rest.split("```").next().unwrap())).collect();
        let folder = project(&files);
        let place = Place { config: Some(folder.path().join("legwork.yml")), ..Place::default() };
        let (compiled, problems) = app::load(&place);
        let wrong: Vec<_> = problems.into_iter().filter(|problem| problem.severity() == Severity::Error).collect();
        assert!(
            compiled.is_some() && wrong.is_empty(),
            "{}:\n{}",
            source.name,
            render(&wrong, Format::Human { color: false })
        );
        // What stands in comments may be taken out of them.
        let settings = files[0].1;
        let connector = catalog::built_in(source.name).unwrap().0.unwrap();
        let is_setting = |line: &str| line.split_once(": ").is_some_and(|(key, _)| connector.setting(key).is_some());
        let taken = settings.lines().map(|line| match line.strip_prefix("    # ") {
            Some(rest) if is_setting(rest) => format!("    {rest}"),
            _ => line.to_owned(),
        });
        let taken: String = taken.map(|line| line + "\n").collect();
        std::fs::write(folder.path().join("legwork.yml"), &taken).unwrap();
        let (_, problems) = app::load(&place);
        let wrong: Vec<_> = problems.into_iter().filter(|problem| problem.severity() == Severity::Error).collect();
        assert!(wrong.is_empty(), "{}:\n{}\n{taken}", source.name, render(&wrong, Format::Human { color: false }));
    }
}
