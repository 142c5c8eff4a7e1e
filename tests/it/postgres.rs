//! A project on PostgreSQL, as its people run it: `check`, `test` and `try`, with a server, without one, and with a wrong one.

use std::io::Write as _;
use std::sync::Once;

use pretty_assertions::assert_eq;
use tempfile::TempDir;

use crate::support::{legwork_with, project};

const TEST_SERVER: &str = "LEGWORK_TEST_POSTGRES";
const URL: &str = "LENDING_DATABASE_URL";

const CONNECTOR: &str = r#"
kind: sql
settings:
  url: { description: Where the library's database is., secret: true, example: "postgres://legwork@localhost/library" }
database: "{{ settings.url }}"
tables:
  - create: create temporary table loans (book text primary key, due date)
operations:
  lend:
    kind: write
    inputs: { book: { required: true }, due: { required: true } }
    sql: insert into loans values (:book, :due) returning due
    take: value
    examples:
      - { inputs: { book: Walden, due: "2026-02-01" }, answer: "2026-02-01" }
      - { inputs: { book: Walden, due: soon }, outcome: invalid }
"#;

const ACTION: &str = r#"
inputs: { book: { from: "{{ slots.book }}" } }
steps:
  - call: library.lend
    with: { book: "{{ book }}", due: "2026-02-01" }
    as: due
  - say: "Yours until {{ due }}."
tests:
  - it: lends a book
    slots: { book: Emma }
    expect: { said: ["Yours until 2026-02-01."] }
"#;

fn library(connector: &str) -> TempDir {
    let settings = format!("connections: {{ library: {{ connector: lending, url: \"${{{URL}}}\" }} }}\n");
    project(&[
        ("actions/action_lend.yml", ACTION),
        ("connectors/lending.yml", connector),
        ("domain.yml", "actions: [action_lend]\nslots: { book: { type: text } }\n"),
        ("legwork.yml", &settings),
    ])
}

/// The server that tests may play with. Without one they say so once, past the harness that keeps what passing tests print.
fn server() -> Option<String> {
    static SAID: Once = Once::new();
    let url = std::env::var_os(TEST_SERVER).map(|url| url.into_string().unwrap());
    if url.is_none() {
        let skipped = "SKIPPED: the tests on PostgreSQL: LEGWORK_TEST_POSTGRES names no server; scripts/test starts one";
        SAID.call_once(|| writeln!(std::io::stderr(), "{skipped}").unwrap());
    }
    url
}

#[test]
fn tests_without_a_server_say_what_they_need() {
    let ran = legwork_with(library(CONNECTOR).path(), &["test"], &[(TEST_SERVER, None), (URL, None)]);
    assert_eq!(ran.code, Some(1));
    let says = "tests do not reach a connection's own PostgreSQL server; set LEGWORK_TEST_POSTGRES";
    assert!(ran.printed.contains(says), "{}", ran.printed);
}

#[test]
fn tests_run_on_the_server_for_tests_and_leave_nothing_there() {
    let Some(url) = server() else { return };
    let real = "postgres://nobody:hunter2@127.0.0.1:1/production";
    for _ in 0..2 {
        let ran = legwork_with(library(CONNECTOR).path(), &["test"], &[(TEST_SERVER, Some(&url)), (URL, Some(real))]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.printed, ran.complained);
    }
}

#[test]
fn a_check_looks_at_the_statements_where_the_server_is() {
    let Some(url) = server() else { return };
    let look = |connector: &str, url: Option<&str>| {
        let ran = legwork_with(library(connector).path(), &["check"], &[(URL, url)]);
        assert!(!ran.printed.contains("hunter2"), "{}", ran.printed);
        (ran.code, ran.printed)
    };
    let own = CONNECTOR.replace("tables:\n  - create: create temporary table loans (book text primary key, due date)\n", "");
    let (code, printed) = look(&own, Some(&url));
    assert_eq!(code, Some(1));
    assert!(
        printed.contains("error[bad-sql]: library.lend: the statement `value`: relation \"loans\" does not exist"),
        "{printed}"
    );
    let catalog = own
        .replace(
            "insert into loans values (:book, :due) returning due",
            "select relname from pg_class where relname = :book",
        )
        .replace("kind: write\n", "kind: read\n")
        .replace(", due: { required: true }", "");
    let catalog = catalog.split("    examples:").next().unwrap();
    let action = ("actions/action_lend.yml", "steps: [{ say: Hello. }]\n");
    let settings = format!("connections: {{ library: {{ connector: lending, url: \"${{{URL}}}\" }} }}\n");
    let sound = project(&[action, ("connectors/lending.yml", catalog), ("legwork.yml", &settings)]);
    let ran = legwork_with(sound.path(), &["check"], &[(URL, Some(&url))]);
    assert!(ran.printed.ends_with("nothing is wrong\n"), "{}", ran.printed);
    let (code, printed) = look(CONNECTOR, Some(&url));
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("warning[unreachable-database]: library: no statement was looked at"), "{printed}");
    let (code, printed) = look(CONNECTOR, Some("postgres://u:hunter2@127.0.0.1:1/d"));
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("nobody listens there"), "{printed}");
    let (code, printed) = look(CONNECTOR, Some("postgres://u:hunter2@db.example.com/d?password=hunter2"));
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("error[bad-value]: library: `database` has the parameter `password`"), "{printed}");
    let (code, printed) = look(CONNECTOR, None);
    assert_eq!(
        (code, printed.as_str()),
        (Some(0), "1 action: nothing is wrong\n"),
        "without the secret, nothing is looked at"
    );
}

#[test]
fn a_server_that_is_down_does_not_keep_legwork_from_starting() {
    let down = "postgres://u:hunter2@127.0.0.1:1/d";
    let words = ["try", "action_lend", "--slot", "book=Emma"];
    let ran = legwork_with(library(CONNECTOR).path(), &words, &[(URL, Some(down))]);
    let all = format!("{}{}", ran.printed, ran.complained);
    assert!(all.contains("nobody listens there") && !all.contains("hunter2"), "{all}");
}
