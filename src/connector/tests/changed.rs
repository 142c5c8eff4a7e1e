//! The connections of a project that changes while it is served: what stays, and what is opened anew.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::plan::connector::Mode;

async fn changed(before: &Connections, connections: &[Connection], folder: &Path) -> Connections {
    before.changed(connections, around(folder, false)).await.unwrap()
}

const TICKET: &str = "helpdesk.create_ticket";

fn ticket() -> Value {
    json!({ "subject": "It rains", "description": "In here.", "email": "jane@example.com" })
}

#[tokio::test]
async fn a_database_in_memory_stays_as_long_as_its_connector_does() {
    let (folder, sandbox) = (Path::new("."), sandbox_connector());
    let [shop, mut helpdesk] = ["shop", "helpdesk"].map(|name| connection(name, &sandbox, &[]));
    let first = open(&[shop.clone(), helpdesk.clone()], folder).await.unwrap();
    let made = ask(&first, TICKET, ticket()).await.unwrap();
    let same = changed(&first, &[shop.clone(), helpdesk.clone()], folder).await;
    assert_eq!(same.follow(&first), (2, 0));
    helpdesk.rules.mode = Mode::ReadOnly;
    let other = changed(&same, &[shop.clone(), helpdesk.clone()], folder).await;
    assert_eq!(other.follow(&same), (1, 1));
    assert_eq!(outcome(&other, TICKET, ticket()).await, Outcome::Denied);
    let find = json!({ "number": made["number"] });
    assert_eq!(ask(&other, "helpdesk.find_ticket", find.clone()).await.unwrap()["subject"], "It rains");
    // What runs on the connections of before goes on.
    assert!(ask(&first, TICKET, ticket()).await.is_ok());
    // A file of its own is another database.
    let elsewhere = tempfile::tempdir().unwrap();
    let anew = connection("helpdesk", &sandbox, &[("file", "other.db")]);
    let anew = changed(&other, &[shop, anew], elsewhere.path()).await;
    assert_eq!(outcome(&anew, "helpdesk.find_ticket", find).await, Outcome::NotFound);
}

#[tokio::test]
async fn a_file_that_a_connection_names_is_a_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = include_str!("../../../tests/it/tls/authority.pem");
    std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
    let yaml = "kind: http\napi: { version: v1 }\nbase: https://own.example\noperations:\n  me: { request: GET /me }\n";
    let connector = own_connector("own", yaml, folder.path());
    let mut own = connection("own", &connector, &[]);
    own.rules.reach.authorities = Some("ca.pem".to_owned());
    let first = open(std::slice::from_ref(&own), folder.path()).await.unwrap();
    let again = own_connector("own", yaml, folder.path());
    own.connector = again;
    let same = changed(&first, std::slice::from_ref(&own), folder.path()).await;
    assert_eq!(same.follow(&first), (1, 0), "a file that was only read again");
    std::fs::write(folder.path().join("ca.pem"), format!("{authority}\n")).unwrap();
    let other = changed(&same, std::slice::from_ref(&own), folder.path()).await;
    assert_eq!(other.follow(&same), (0, 1));
    own.connector = own_connector("own", &yaml.replace("/me", "/us"), folder.path());
    let other = changed(&other, &[own], folder.path()).await;
    assert_eq!(other.follow(&same), (0, 1));
}

#[tokio::test]
async fn what_is_staged_stays() {
    let (folder, sandbox) = (Path::new("."), sandbox_connector());
    let mut shop = connection("shop", &sandbox, &[]);
    let first = open(std::slice::from_ref(&shop), folder).await.unwrap();
    first.stage(&"shop=down".parse().unwrap());
    shop.rules.mode = Mode::ReadOnly;
    let other = changed(&first, &[shop], folder).await;
    assert_eq!(outcome(&other, "shop.find_order", json!({ "number": "1001" })).await, Outcome::Unavailable);
}
