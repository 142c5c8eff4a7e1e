//! Operations that write more than once, or not at all: keys, what was done before a fault, refusals, dry runs.

use pretty_assertions::assert_eq;

use super::*;
use crate::connector::{Fate, Wire, WriteKey};

/// A desk whose operations write several times.
const DESK: &str = r#"
kind: http
settings: { closed: { default: "no" }, token: { secret: true, default: null } }
base: https://desk.example/api
auth: { query: { name: token, value: "{{ settings.token }}" } }
errors: [{ status: 422, outcome: invalid, say: "{{ body.message }}" }]
timeout: 150ms
retry: { attempts: 2, first: 1ms, most: 2ms }
operations:
  reopen:
    kind: write
    inputs: { number: { required: true }, text: {} }
    steps:
      - as: ticket
        refuses: { denied: { when: settings.closed == 'yes', say: "The desk is closed to {{ number }}." } }
        request: GET /tickets/{{ number }}
      - as: comment
        when: text
        request: POST /comments
        json: { text: "{{ text }}", id: "{{ key }}" }
        idempotency: key
      - as: state
        refuses: { conflict: ticket.state == 'gone' }
        request: POST /states
        json: { id: "{{ key }}" }
        idempotency: none
      - { as: after, request: GET /after }
    answer: "{{ after.ok }}"
  save:
    kind: write
    inputs: { name: {} }
    steps:
      - { as: found, request: GET /people, rows: body.found, take: optional }
      - { as: changed, when: found, request: "PUT /people/{{ found.id }}", json: { name: "{{ name }}" }, idempotency: none }
      - { as: made, instead_of: [changed], request: POST /people, json: { name: "{{ name }}" }, idempotency: none }
    answer: "{{ (made or changed).id }}"
  pay:
    kind: payment
    request: POST /payments
    json: { reference: "{{ key }}" }
    idempotency: { lookup: { request: GET /payments, query: { reference: "{{ key }}" }, rows: body.found, take: optional } }
    rows: body.payment
    take: one
    answer: "{{ row.id }}"
"#;

fn desk() -> Arc<Connector> {
    own_connector("own", DESK, Path::new("."))
}

fn ok(body: Value) -> Answers {
    json(200, &[], &body)
}

fn open_ticket() -> Answers {
    ok(json!({"state": "open"}))
}

fn sent(vendor: &Vendor) -> Vec<String> {
    vendor.seen().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
}

fn body(vendor: &Vendor, at: usize) -> Value {
    serde_json::from_slice(&vendor.seen()[at].body).unwrap()
}

#[tokio::test]
async fn a_write_that_is_answered_with_nothing_is_not_one_that_found_nothing() {
    for (answer, outcome) in [
        (Answers::whole(200, &[], b""), Outcome::Unexpected),
        (ok(Value::Null), Outcome::Unexpected),
        (ok(json!({"paid": 1})), Outcome::Unexpected),
        (ok(json!({"payment": null})), Outcome::NotFound),
        (ok(json!({"payment": []})), Outcome::NotFound),
    ] {
        let (_vendor, desk) = played(&desk(), vec![answer]).await;
        let fault = answered(&desk, "own.pay", json!({}), how()).await.unwrap_err();
        assert_eq!((fault.outcome, fault.unsettled), (outcome, outcome == Outcome::Unexpected), "{fault}");
    }
}

#[tokio::test]
async fn each_write_has_a_key_of_its_own_and_the_same_call_has_the_same_keys() {
    let answers = || vec![open_ticket(), ok(json!({})), ok(json!({})), ok(json!({"ok": 1}))];
    let mut keys = Vec::new();
    for key in [Some(WriteKey::of("a")), Some(WriteKey::of("a").again()), Some(WriteKey::of("b")), None] {
        let (vendor, desk) = played(&desk(), answers()).await;
        let inputs = json!({"number": 7, "text": "x"});
        assert_eq!(answered(&desk, "own.reopen", inputs, How { key, ..how() }).await.unwrap().value, 1);
        keys.push([body(&vendor, 1)["id"].clone(), body(&vendor, 2)["id"].clone()]);
    }
    assert_eq!(keys[0], keys[1]);
    let all: std::collections::BTreeSet<String> = keys.iter().flatten().map(Value::to_string).collect();
    assert_eq!(all.len(), 6, "{keys:?}");
}

#[tokio::test]
async fn a_fault_after_a_write_says_what_was_done() {
    let inputs = || json!({"number": 7, "text": "x"});
    for (state, outcome, says) in [
        (json(422, &[], &json!({"message": "No."})), Outcome::Invalid, "`comment` was done before, `state` was not"),
        (Answers::Stalls(Vec::new()), Outcome::Timeout, "`comment` was done before, whether `state` was is not known"),
    ] {
        let (_vendor, desk) = played(&desk(), vec![open_ticket(), ok(json!({})), state]).await;
        let fault = ask(&desk, "own.reopen", inputs()).await.unwrap_err();
        assert_eq!((fault.outcome, fault.done.as_slice()), (outcome, ["comment".to_owned()].as_slice()), "{fault}");
        assert!(fault.operator.contains(says), "{fault}");
    }
    let (_vendor, desk_) = played(&desk(), vec![ok(json!({})), ok(json!({}))]).await;
    let fault = ask(&desk_, "own.reopen", inputs()).await.unwrap_err();
    assert!(fault.operator.ends_with("`comment` was done before, `state` was not"), "nothing of it was sent: {fault}");
    let ended = vec![ok(json!({"state": "gone"})), ok(json!({}))];
    let (_vendor, desk_) = played(&desk(), ended).await;
    let fault = ask(&desk_, "own.reopen", inputs()).await.unwrap_err();
    assert_eq!((fault.outcome, fault.done), (Outcome::Conflict, vec!["comment".to_owned()]));
    let unread = vec![open_ticket(), ok(json!({})), ok(json!({})), json(404, &[], &Value::Null)];
    let (_vendor, desk_) = played(&desk(), unread).await;
    let fault = ask(&desk_, "own.reopen", inputs()).await.unwrap_err();
    assert_eq!((fault.outcome, fault.done.len()), (Outcome::NotFound, 2), "{fault}");
    assert!(fault.operator.contains("it ended at `after`"), "{fault}");
    let (_vendor, desk_) = played(&desk(), vec![open_ticket(), json(422, &[], &json!({"message": "No."}))]).await;
    let fault = ask(&desk_, "own.reopen", inputs()).await.unwrap_err();
    assert_eq!((fault.done.len(), fault.operator.contains("done before")), (0, false), "{fault}");
}

#[tokio::test]
async fn a_write_whose_answer_makes_no_sense_was_done_all_the_same() {
    let (_vendor, shop) = played(&desk(), vec![ok(json!({"payment": {}}))]).await;
    let fault = ask(&shop, "own.pay", json!({})).await.unwrap_err();
    assert_eq!((fault.outcome, fault.done), (Outcome::Unexpected, vec!["POST /payments".to_owned()]));
}

#[tokio::test]
async fn of_two_writes_that_exclude_one_another_one_is_made() {
    let found = ok(json!({"found": [{"id": 3}]}));
    let (vendor, desk_) = played(&desk(), vec![found, ok(json!({"id": 3}))]).await;
    assert_eq!(ask(&desk_, "own.save", json!({"name": "A"})).await.unwrap(), 3);
    assert_eq!(sent(&vendor), ["GET /api/people", "PUT /api/people/3"]);
    let (vendor, desk_) = played(&desk(), vec![ok(json!({"found": []})), ok(json!({"id": 4}))]).await;
    assert_eq!(ask(&desk_, "own.save", json!({"name": "A"})).await.unwrap(), 4);
    assert_eq!(sent(&vendor), ["GET /api/people", "POST /api/people"]);
}

#[tokio::test]
async fn a_call_that_may_have_been_made_looks_before_it_writes() {
    let again = How { key: Some(WriteKey::of("a").again()), ..how() };
    let (vendor, desk_) = played(&desk(), vec![ok(json!({"found": [{"id": "p1"}]}))]).await;
    assert_eq!(answered(&desk_, "own.pay", json!({}), again).await.unwrap().value, "p1");
    assert_eq!(sent(&vendor), [format!("GET /api/payments?reference={}", WriteKey::of("a").of_write(0))]);
    let (vendor, desk_) = played(&desk(), vec![ok(json!({"found": []})), ok(json!({"payment": {"id": "p2"}}))]).await;
    assert_eq!(answered(&desk_, "own.pay", json!({}), again).await.unwrap().value, "p2");
    assert_eq!(vendor.seen().len(), 2);
}

#[tokio::test]
async fn what_a_step_refuses_is_refused_before_anything_is_sent() {
    let closed = own_connector("own", &DESK.replace("default: \"no\"", "default: \"yes\""), Path::new("."));
    let (vendor, desk) = played(&closed, Vec::new()).await;
    let fault = ask(&desk, "own.reopen", json!({"number": 7})).await.unwrap_err();
    assert_eq!((fault.outcome, fault.public.as_deref()), (Outcome::Denied, Some("The desk is closed to 7.")));
    assert_eq!(vendor.seen().len(), 0);
}

#[tokio::test]
async fn a_dry_run_reads_up_to_the_first_write_and_says_which_it_is() {
    let rules = || Rules { mode: Mode::DryRun, ..Rules::default() };
    let (vendor, desk_) = played_by(&desk(), vec![ok(json!({"state": "open"}))], rules()).await;
    let wire = Arc::<Wire>::default();
    let inputs = json!({"number": 7, "text": "a secret matter"});
    let fault = answered(&desk_, "own.reopen", inputs, How { wire: Some(&wire), ..how() }).await.unwrap_err();
    assert_eq!((fault.outcome, sent(&vendor)), (Outcome::Denied, vec!["GET /api/tickets/7".to_owned()]));
    assert!(fault.operator.contains("reopen, a write, would be done with number, text: POST /comments;"), "{fault}");
    assert!(!fault.operator.contains("matter"), "{fault}");
    let noted = wire.noted().requests;
    assert_eq!(noted.iter().map(|it| it.fate).collect::<Vec<_>>(), [Fate::Answered(200), Fate::Kept]);
    assert!(noted[1].line.starts_with("POST http") && noted[1].line.ends_with("/api/comments"), "{noted:?}");
    assert!(noted[1].body.as_ref().unwrap().contains("matter"), "{noted:?}");
    // What a read finds out is what the user hears, and a call without a write left to make is made.
    let (_vendor, desk_) = played_by(&desk(), vec![json(404, &[], &Value::Null)], rules()).await;
    assert_eq!(outcome(&desk_, "own.reopen", json!({"number": 7})).await, Outcome::NotFound);
    let sandbox = Connection { rules: rules(), ..connection("own", &sandbox_connector(), &[]) };
    let sandbox = open_scratch(&[sandbox], Path::new(".")).await.unwrap();
    let fault = ask(&sandbox, "own.cancel_order", json!({"number": "1001"})).await.unwrap_err();
    assert!(fault.outcome == Outcome::Denied && fault.operator.contains("would be done with number"), "{fault}");
}
