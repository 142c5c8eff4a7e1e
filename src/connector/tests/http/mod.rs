//! Systems of kind http, against vendors on this machine.

use pretty_assertions::assert_eq;

use super::*;
use crate::connector::examples::vendor::{Answers, Vendor};
use crate::plan::connector::Mode;

mod batch;
mod catalogue;
mod faults;
mod form;
mod hostile;
mod notices;
mod patience;
mod staged;
mod writes;

/// A connector with one operation of each sort, whose waits are short.
pub(super) const SHOP: &str = r#"
kind: http
settings: { team: { default: red }, token: { secret: true, default: null } }
base: https://{{ settings.team }}.example/api
errors:
  - { status: 400, when: "body.code == 'gone'", outcome: not_found }
  - { status: 200, when: body.error, outcome: conflict, say: "{{ body.error }}" }
  - { status: 403, when: "body[0].errorCode == 'REQUEST_LIMIT_EXCEEDED'", outcome: rate_limited, retry: false }
  - { status: [400, 422], outcome: invalid, say: "{{ body.message }}" }
wait:
  - { header: X-Reset-Ms, unit: ms }
  - { header: X-Reset-At, unit: time }
  - { value: body.wait }
quota: [X-Left]
timeout: 150ms
retry: { attempts: 3, first: 1ms, most: 2ms }
codes: { statuses: { sent: shipped, open: pending } }
operations:
  find:
    inputs: { number: { required: true } }
    model: Order
    request: GET /orders/{{ number }}
    rows: body.order
    take: one
    answer: { number: "{{ row.no }}", status: "{{ codes.statuses[row.state] }}", placed_at: "{{ row.at }}" }
  make:
    kind: write
    inputs: { name: {} }
    request: POST /orders
    json: { name: "{{ name }}" }
    idempotency: { header: Idempotency-Key }
  again:
    kind: write
    request: POST /orders
    idempotency: none
  pay:
    kind: payment
    request: POST /payments
    json: { reference: "{{ key }}" }
    idempotency: { lookup: { request: GET /payments, query: { reference: "{{ key }}" }, rows: body.found, take: optional } }
    rows: body.payment
    take: one
    answer: "{{ row.id }}"
  pages:
    inputs: { enough: { format: integer } }
    request: GET /all
    pages: { next: "http.links.next | default(none)", link: true, most: 3, enough: enough }
    rows: body.items
"#;

pub(super) fn json(status: u16, headers: &[(&str, &str)], body: &Value) -> Answers {
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    Answers::whole(status, &headers, body.to_string().as_bytes())
}

/// The order that [`SHOP`] finds.
pub(super) fn order() -> Answers {
    json(200, &[], &json!({"order": {"no": 7, "state": "sent", "at": "2026-01-20T11:00:00Z"}}))
}

/// A vendor that answers so, and connections to `own` that is played by it.
pub(super) async fn played(connector: &Arc<Connector>, answers: Vec<Answers>) -> (Vendor, Connections) {
    played_by(connector, answers, Rules::default()).await
}

pub(super) async fn played_by(connector: &Arc<Connector>, answers: Vec<Answers>, rules: Rules) -> (Vendor, Connections) {
    let vendor = Vendor::open(answers).await.unwrap();
    let rules = Rules { stand_in: Some(vendor.address()), ..rules };
    let connection = Connection { rules, ..examples::connection(connector, None).unwrap() };
    let connection = Connection { name: ConnectionName::parse("own").unwrap(), ..connection };
    let connections = open(&[connection], Path::new(".")).await.unwrap();
    (vendor, connections)
}

pub(super) fn shop() -> Arc<Connector> {
    own_connector("own", SHOP, Path::new("."))
}

#[tokio::test]
async fn a_request_is_sent_and_its_answer_becomes_the_model() {
    let (vendor, shop) = played(&shop(), vec![order()]).await;
    let found = ask(&shop, "own.find", json!({"number": "a/b ü"})).await.unwrap();
    assert_eq!((&found["number"], &found["status"]), (&json!("7"), &json!("shipped")));
    let seen = vendor.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("GET", "/api/orders/a%2Fb%20%C3%BC"));
    assert_eq!(shop.facts()[0].system, "http");
}

#[tokio::test]
async fn pages_are_joined_and_more_of_them_than_allowed_is_no_silent_end() {
    let page = |number: u32, more: bool| {
        let link = format!("<https://red.example/api/all?page={}>; rel=\"next\"", number + 1);
        let headers = if more { vec![("Link", link.as_str())] } else { Vec::new() };
        json(200, &headers, &json!({"items": [number]}))
    };
    let relative = json(200, &[("Link", "</api/all?page=2>; rel=\"next\"")], &json!({"items": [1]}));
    let last = page(2, false);
    let (vendor, shop_) = played(&shop(), vec![relative.clone(), last.clone()]).await;
    assert_eq!(ask(&shop_, "own.pages", json!({})).await.unwrap(), json!([1, 2]));
    assert_eq!(vendor.seen()[1].target, "/api/all?page=2");
    let (_vendor, shop_) = played(&shop(), vec![relative.clone()]).await;
    assert_eq!(ask(&shop_, "own.pages", json!({"enough": 1})).await.unwrap(), json!([1]));
    let (_vendor, shop_) = played(&shop(), vec![relative.clone(), relative.clone(), relative]).await;
    let fault = ask(&shop_, "own.pages", json!({})).await.unwrap_err();
    assert!(fault.operator.contains("more than 3 pages"), "{fault}");
    let (vendor, shop_) = played(&shop(), vec![page(1, true)]).await;
    let fault = ask(&shop_, "own.pages", json!({})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unexpected, "{fault}");
    assert_eq!(vendor.seen().len(), 1, "a page at another host is not asked for");
}

#[tokio::test]
async fn a_connection_s_mode_keeps_from_the_system_what_it_does_not_allow() {
    for (mode, reads, writes, pays) in [
        (Mode::NoPayments, None, None, Some(Outcome::Denied)),
        (Mode::ReadOnly, None, Some(Outcome::Denied), Some(Outcome::Denied)),
        (Mode::DryRun, None, Some(Outcome::Denied), Some(Outcome::Denied)),
        (Mode::Off, Some(Outcome::Unavailable), Some(Outcome::Unavailable), Some(Outcome::Unavailable)),
    ] {
        let rules = Rules { mode, ..Rules::default() };
        let (vendor, shop) = played_by(&shop(), vec![order(), json(201, &[], &json!({}))], rules).await;
        let ends = async |call: &str| ask(&shop, call, json!({})).await.err().map(|fault| fault.outcome);
        let read = ask(&shop, "own.find", json!({"number": 1})).await.err().map(|fault| fault.outcome);
        assert_eq!((read, ends("own.make").await, ends("own.pay").await), (reads, writes, pays), "{mode:?}");
        let allowed = [reads, writes, pays].iter().filter(|it| it.is_none()).count();
        assert_eq!(vendor.seen().len(), allowed, "{mode:?}");
        assert_eq!(shop.facts()[0].mode, mode.name());
    }
}

#[tokio::test]
async fn a_connection_is_there_for_its_share_of_the_senders() {
    let rules = Rules { share: crate::plan::connector::Percent::new(50).ok(), ..Rules::default() };
    let (_vendor, shop) = played_by(&shop(), vec![order(); 40], rules).await;
    let mut there = 0;
    for sender in 0..40 {
        let sender = format!("sender-{sender}");
        let how = How { sender: Some(&sender), ..how() };
        match answered(&shop, "own.find", json!({"number": 1}), how).await {
            Ok(_) => there += 1,
            Err(fault) => assert!(fault.operator.contains("`share`"), "{fault}"),
        }
    }
    assert!((10..=30).contains(&there), "{there}");
    assert!(ask(&shop, "own.find", json!({"number": 1})).await.is_ok(), "who asks for nobody in particular is let through");
}

#[tokio::test]
async fn a_test_never_reaches_a_remote_system() {
    let connector = sound(catalog::built_in("shopify").unwrap());
    let shop = open_scratch(&[connection("shop", &connector, &[("shop", "acme")])], Path::new(".")).await.unwrap();
    assert_eq!(shop.facts()[0].system, "examples");
    assert_eq!(ask(&shop, "shop.find_order", json!({"number": "1001"})).await.unwrap()["status"], "shipped");
    let fault = ask(&shop, "shop.find_order", json!({"number": "4711"})).await.unwrap_err();
    assert!(fault.outcome == Outcome::Unavailable && fault.operator.contains("none of them has these inputs"), "{fault}");
}

#[tokio::test]
async fn a_connection_is_tested_by_the_operation_that_its_connector_names() {
    let connector = sound(catalog::built_in("shopify").unwrap());
    let name = ConnectionName::parse("own").unwrap();
    let shop_named = json(200, &[], &json!({"data": {"shop": {"name": "Acme"}}}));
    let (vendor, own) = played(&connector, vec![shop_named, json(401, &[], &Value::Null)]).await;
    let deadline = || Deadline::after(Duration::from_secs(5));
    assert!(own.test(&name, deadline()).await.unwrap().is_ok());
    assert_eq!(own.test(&name, deadline()).await.unwrap().unwrap_err().outcome, Outcome::Misconfigured);
    assert_eq!(vendor.seen().len(), 2);
    let (_vendor, own) = played(&shop(), Vec::new()).await;
    assert!(own.test(&name, deadline()).await.is_none(), "its file names none");
}
