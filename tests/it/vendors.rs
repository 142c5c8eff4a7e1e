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

/// Runs the shipped action, its steps as they are, with other `tests:` and one connection changed.
async fn passes(action: &str, connection: &str, system: &str, tests: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = root();
    copy(&root.join("actions/shared"), &folder.path().join("actions/shared"));
    std::fs::copy(root.join("domain.yml"), folder.path().join("domain.yml")).unwrap();
    let settings = std::fs::read_to_string(root.join("legwork.yml")).unwrap();
    let sandbox = format!("{connection}: {{ connector: sandbox }}");
    assert!(settings.contains(&sandbox));
    std::fs::write(folder.path().join("legwork.yml"), settings.replace(&sandbox, &format!("{connection}: {system}")))
        .unwrap();
    let file = folder.path().join(format!("actions/{action}.yml"));
    let text = std::fs::read_to_string(root.join(format!("actions/{action}.yml"))).unwrap();
    let (steps, _) = text.split_once("\ntests:\n").unwrap();
    std::fs::write(&file, format!("{steps}\ntests:\n{tests}")).unwrap();
    let (project, mut problems) = app::load(&Place { config: Some(folder.path().join("legwork.yml")), ..Place::default() });
    // The other actions of the shipped domain are not here.
    problems.retain(|problem| problem.code != Code::UnimplementedAction);
    assert!(problems.is_empty(), "{}", render(&problems, Format::Human { color: false }));
    let project = Arc::new(project.unwrap());
    let connections = app::test_connections(&project, folder.path()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at("2026-01-23T12:00:00Z".parse().unwrap()));
    let report = qa::run(&project, &connections, folder.path(), &clock, &Selection::default()).await;
    let text = report.human();
    let own: Vec<_> = text.lines().filter(|line| line.contains(action)).collect();
    assert!(!own.is_empty() && own.iter().all(|line| line.starts_with("ok")), "{text}");
}

const ZENDESK: &str = "{ connector: zendesk, subdomain: acme, client_id: legwork, client_secret: '${NEVER_SET}' }";
const SHOPIFY: &str = "{ connector: shopify, shop: acme, client_id: legwork, client_secret: '${NEVER_SET}' }";

#[tokio::test]
async fn a_ticket_is_opened_at_zendesk() {
    let tests = r#"  - it: opens a ticket
    slots: { email: sarah@example.com, ticket_subject: Parcel is wet, ticket_description: The box was soaked., ticket_priority: high }
    expect:
      said: ["Thank you. Your ticket is 35436, and we'll write to s…h@example.com by January 23rd, 8:00 pm."]
      slots: { ticket_id: "35436", ticket_status: new }
"#;
    passes("action_create_ticket", "helpdesk", ZENDESK, tests).await;
}

#[tokio::test]
async fn an_order_is_found_at_shopify() {
    let tests = r##"  - it: tells what was shipped, and how
    slots: { order_id: "#1001" }
    expect:
      said:
        - "I found order 1001, placed on January 20th: Blue T-Shirt (M) and Black Jeans."
        - "It was shipped via UPS, tracking number 1Z999AA10123456784, and should arrive by January 24th."
      slots: { order_id: "1001", order_status: shipped }
  - it: does not find the order of somebody else, and forgets the number
    slots: { order_id: "1001", order_status: shipped, email: tom@example.com }
    expect:
      said: ["I can't find an order 1001 under t…m@example.com. Could you check the number?"]
      slots: { order_id: null, order_status: null }
"##;
    passes("action_fetch_order", "shop", SHOPIFY, tests).await;
}
