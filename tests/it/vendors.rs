//! The shipped actions against other systems than the sandbox: only legwork.yml changes. The systems are played by the
//! examples of their connectors, so nothing leaves this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use legwork::app::{self, Place};
use legwork::diag::{Code, Format, render};
use legwork::qa::{self, Selection};
use legwork::time::{Clock, FixedClock};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// A system that other files than its own stand for: its connection, and what legwork.yml says of it.
struct System {
    name: &'static str,
    connection: &'static str,
    settings: &'static str,
}

const HELPDESKS: &[System] = &[
    System {
        name: "zendesk",
        connection: "helpdesk",
        settings: "subdomain: acme, client_id: legwork, client_secret: '${NEVER_SET}'",
    },
    System { name: "freshdesk", connection: "helpdesk", settings: "domain: acme, api_key: '${NEVER_SET}'" },
    System {
        name: "servicenow",
        connection: "helpdesk",
        settings: "instance: acme, client_id: legwork, client_secret: '${NEVER_SET}'",
    },
    System {
        name: "jira",
        connection: "helpdesk",
        settings: "site: acme, email: legwork@example.com, api_token: '${NEVER_SET}', project: HELP, service_desk: '10', \
                   request_type: '25'",
    },
];

const SHOPS: &[System] = &[
    System {
        name: "shopify",
        connection: "shop",
        settings: "shop: acme, client_id: legwork, client_secret: '${NEVER_SET}'",
    },
    System { name: "magento", connection: "shop", settings: "host: acme.example, token: '${NEVER_SET}', currency: USD" },
    System {
        name: "woocommerce",
        connection: "shop",
        settings: "site: acme.example, consumer_key: ck_1, consumer_secret: '${NEVER_SET}', currency: USD",
    },
    System { name: "bigcommerce", connection: "shop", settings: "store_hash: abc123, token: '${NEVER_SET}', currency: USD" },
];

/// Runs a shipped action with one connection changed, and its own `tests:` or others. Gives what does not hold, if anything.
async fn run(action: &str, system: &System, tests: Option<&str>) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let root = root();
    copy(&root.join("actions/shared"), &folder.path().join("actions/shared"));
    std::fs::copy(root.join("domain.yml"), folder.path().join("domain.yml")).unwrap();
    let settings = std::fs::read_to_string(root.join("legwork.yml")).unwrap();
    let System { name, connection, settings: own } = system;
    let sandbox = format!("\n  {connection}: {{ connector: sandbox }}\n");
    assert_eq!(settings.matches(&sandbox).count(), 1);
    let other = format!("\n  {connection}: {{ connector: {name}, {own} }}\n");
    std::fs::write(folder.path().join("legwork.yml"), settings.replace(&sandbox, &other)).unwrap();
    let file = format!("actions/{action}.yml");
    let text = std::fs::read_to_string(root.join(&file)).unwrap();
    let text = match tests {
        None => text,
        Some(tests) => format!("{}\ntests:\n{tests}", text.split_once("\ntests:\n").unwrap().0),
    };
    std::fs::write(folder.path().join(&file), text).unwrap();
    let (project, mut problems) = app::load(&Place { config: Some(folder.path().join("legwork.yml")), ..Place::default() });
    // The other actions of the shipped domain are not here.
    problems.retain(|problem| problem.code != Code::UnimplementedAction);
    assert!(problems.is_empty(), "{name}: {}", render(&problems, Format::Human { color: false }));
    let project = Arc::new(project.unwrap());
    let connections = app::test_connections(&project, folder.path()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at("2026-01-23T12:00:00Z".parse().unwrap()));
    let report = qa::run(&project, &connections, folder.path(), &clock, &Selection::default()).await;
    let text = report.human();
    let own: Vec<_> = text.lines().filter(|line| line.contains(action)).collect();
    if own.is_empty() || own.iter().any(|line| !line.starts_with("ok")) { Err(text) } else { Ok(()) }
}

async fn passes_everywhere(action: &str, systems: &[System]) {
    for system in systems {
        let ran = run(action, system, None).await;
        if let Err(what) = ran {
            panic!("{action} at {}:\n{what}", system.name);
        }
    }
}

#[tokio::test]
async fn the_tests_of_opening_a_ticket_hold_for_every_helpdesk() {
    passes_everywhere("action_create_ticket", HELPDESKS).await;
}

#[tokio::test]
async fn the_tests_of_finding_an_order_hold_for_every_shop() {
    passes_everywhere("action_fetch_order", SHOPS).await;
}

#[tokio::test]
async fn a_ticket_that_outlasts_its_turn_is_told_so_and_the_form_begins_anew() {
    let tests = r#"  - it: has sent it off
    slots: { email: sarah@example.com, ticket_subject: Parcel is wet, ticket_description: The box was soaked.,
      ticket_priority: high }
    given: { helpdesk: slow 20s }
    expect:
      said: ["I'm still checking. …", "I've sent your ticket off, but our helpdesk hasn't confirmed it yet. …"]
      slots: { ticket_subject: null, ticket_description: null }
      unset: [ticket_id]
"#;
    let jira = HELPDESKS.iter().find(|system| system.name == "jira").unwrap();
    run("action_create_ticket", jira, Some(tests)).await.unwrap_or_else(|what| panic!("{what}"));
}

#[tokio::test]
async fn a_shop_that_tells_days_is_held_to_them() {
    let sandbox = System { name: "sandbox", connection: "shop", settings: "file: ':memory:'" };
    let tests = r#"  - it: tells by when an order leaves
    slots: { order_id: "1002", email: Sarah@example.com }
    expect:
      said: ["…", "Your order is pending shipment and should be on its way by January 25th."]
      slots: { order_status: pending }
  - it: tells by when an order arrives
    slots: { order_id: "1001" }
    expect: { said: ["…", "… and should arrive by January 24th."] }
  - it: is sorry for an order that is late
    now: "2026-02-02T09:00:00Z"
    slots: { order_id: "1002" }
    expect: { said: ["…", "…", "That day has passed, and I'm sorry about it. …"] }
"#;
    run("action_fetch_order", &sandbox, Some(tests)).await.unwrap_or_else(|what| panic!("{what}"));
}
