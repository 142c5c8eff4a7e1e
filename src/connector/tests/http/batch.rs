//! Several calls that are one request.

use pretty_assertions::assert_eq;

use super::*;
use crate::connector::Answered;

const DEPOT: &str = r#"
kind: http
settings: { url: { default: "https://depot.example" } }
base: https://depot.example/api
retry: { attempts: 1 }
timeout: 150ms
operations:
  find:
    inputs: { number: { required: true, pattern: "[A-Z0-9]+" }, country: {} }
    cache: { fresh: 1m }
    request: GET /parcels/{{ number }}
    query: { country: "{{ country }}" }
    rows: body.parcel
    take: one
    outcomes: { denied: { when: row.secret, say: "{{ number }} is secret." } }
    answer: { number: "{{ row.number }}", asked: "{{ number }}", state: "{{ row.state }}" }
    batch:
      of: number
      by: row.number
      most: 3
      request: GET /parcels
      query: { numbers: "{{ number | join(',') }}", country: "{{ country }}" }
      rows: body.parcels
    examples:
      - inputs: { number: [A1, B2] }
        sends: { request: GET /api/parcels, query: { numbers: "A1,B2" } }
        receives: { json: { parcels: [{ number: A1, state: sent }] } }
        answer: [{ number: A1, state: sent }, null]
"#;

fn depot() -> Arc<Connector> {
    own_connector("own", DEPOT, Path::new("."))
}

fn parcels(parcels: &Value) -> Answers {
    json(200, &[], &json!({ "parcels": parcels }))
}

async fn many(depot: &Connections, calls: &[Value]) -> Vec<Result<Answered, Fault>> {
    let (connection, operation) = (ConnectionName::parse("own").unwrap(), OperationName::parse("find").unwrap());
    let calls = calls.iter().map(|inputs| inputs.as_object().unwrap().clone()).collect();
    depot.call_many(&connection, &operation, calls, how()).await
}

fn shown(ended: &Result<Answered, Fault>) -> Value {
    match ended {
        Ok(answered) => answered.value["state"].clone(),
        Err(fault) => json!(fault.outcome.name()),
    }
}

fn targets(vendor: &Vendor) -> Vec<String> {
    vendor.seen().iter().map(|seen| seen.target.clone()).collect()
}

#[tokio::test]
async fn calls_that_differ_in_one_input_are_one_request() {
    let answer = parcels(&json!([
        { "number": "C3", "state": "here" }, { "number": "A1", "state": "sent" }, { "number": "D4", "state": "x" },
    ]));
    let (vendor, depot) = played(&depot(), vec![answer]).await;
    let ended = many(&depot, &[json!({"number": "A1"}), json!({"number": "B2"}), json!({"number": "C3"})]).await;
    assert_eq!(ended.iter().map(shown).collect::<Vec<_>>(), [json!("sent"), json!("not_found"), json!("here")]);
    assert_eq!(ended[0].as_ref().unwrap().value["asked"], "A1");
    assert_eq!(targets(&vendor), ["/api/parcels?numbers=A1%2CB2%2CC3"]);
}

#[tokio::test]
async fn each_call_ends_as_it_would_alone() {
    let answer = parcels(&json!([
        { "number": "A1", "state": "sent", "secret": true }, { "number": "B2", "state": "x" }, { "number": "B2", "state": "y" },
    ]));
    let (vendor, depot) = played(&depot(), vec![answer]).await;
    let ended = many(&depot, &[json!({"number": "A1"}), json!({"number": "B2"}), json!({"number": "b-2"})]).await;
    assert_eq!(ended.iter().map(shown).collect::<Vec<_>>(), [json!("denied"), json!("ambiguous"), json!("invalid")]);
    assert_eq!(ended[0].as_ref().unwrap_err().public.as_deref(), Some("A1 is secret."));
    assert_eq!(targets(&vendor), ["/api/parcels?numbers=A1%2CB2"], "what is refused is not asked for");
}

#[tokio::test]
async fn what_an_operation_refuses_is_not_asked_for() {
    let refusing = DEPOT.replace("    take: one\n", "    take: one\n    refuses: { denied: number == 'X9' }\n");
    let depot = own_connector("own", &refusing, Path::new("."));
    let (vendor, depot) = played(&depot, vec![parcels(&json!([{ "number": "A1", "state": "sent" }]))]).await;
    let ended = many(&depot, &[json!({"number": "X9"}), json!({"number": "A1"}), json!({"number": "B2"})]).await;
    assert_eq!(ended.iter().map(shown).collect::<Vec<_>>(), [json!("denied"), json!("sent"), json!("not_found")]);
    assert_eq!(targets(&vendor), ["/api/parcels?numbers=A1%2CB2"]);
}

#[tokio::test]
async fn what_is_kept_is_not_asked_for_and_what_comes_is_kept() {
    let first = parcels(&json!([{ "number": "A1", "state": "sent" }]));
    let second = parcels(&json!([{ "number": "C3", "state": "here" }]));
    let (vendor, depot) = played(&depot(), vec![first, second]).await;
    many(&depot, &[json!({"number": "A1"}), json!({"number": "B2"})]).await;
    let ended = many(&depot, &[json!({"number": "B2"}), json!({"number": "A1"}), json!({"number": "C3"})]).await;
    assert_eq!(ended.iter().map(shown).collect::<Vec<_>>(), [json!("not_found"), json!("sent"), json!("here")]);
    assert!(ended[1].as_ref().unwrap().age.is_some() && ended[2].as_ref().unwrap().age.is_none());
    assert_eq!(ask(&depot, "own.find", json!({"number": "C3"})).await.unwrap()["state"], "here");
    assert_eq!(targets(&vendor), ["/api/parcels?numbers=A1%2CB2", "/api/parcels?numbers=C3"]);
}

#[tokio::test]
async fn other_inputs_and_too_many_values_are_requests_of_their_own() {
    let (vendor, depot) = played(&depot(), vec![parcels(&json!([])), parcels(&json!([])), parcels(&json!([]))]).await;
    let mut calls: Vec<_> = ["A", "B", "C", "D", "A"].map(|number| json!({"number": number})).to_vec();
    calls.push(json!({"number": "A", "country": "AT"}));
    assert_eq!(many(&depot, &calls).await.len(), 6);
    let mut targets = targets(&vendor);
    targets.sort();
    assert_eq!(
        targets,
        ["/api/parcels?numbers=A%2CB%2CC", "/api/parcels?numbers=A&country=AT", "/api/parcels?numbers=D%2CA"]
    );
}

#[tokio::test]
async fn a_request_that_fails_fails_for_all() {
    let (_vendor, depot) = played(&depot(), vec![json(503, &[], &Value::Null)]).await;
    let ended = many(&depot, &[json!({"number": "A1"}), json!({"number": "B2"})]).await;
    assert_eq!(ended.iter().map(shown).collect::<Vec<_>>(), [json!("unavailable"), json!("unavailable")]);
    let (_vendor, depot) = played(&self::depot(), vec![json(200, &[], &json!({"parcels": {"number": 1}}))]).await;
    let ended = many(&depot, &[json!({"number": "A1"}), json!({"number": "B2"})]).await;
    assert!(ended[0].as_ref().unwrap_err().operator.contains("its `rows` are no list"));
}

#[tokio::test]
async fn examples_show_batches() {
    let wrong = run_examples(&depot(), Path::new("."), clock()).await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn a_call_is_asked_for_by_what_counts_of_it_or_by_itself() {
    let text = r#"
kind: http
settings: { url: { default: "https://depot.example" } }
base: https://depot.example/api
operations:
  find:
    inputs: { number: {} }
    let: { bare: "{{ (number or '') | replace('#', '') }}" }
    steps:
      - as: found
        request: GET /parcel
        query: { number: "{{ number }}" }
        rows: body.parcel
        take: one
        outcomes: { not_found: found.hidden }
    answer: { state: "{{ row.state }}", asked: "{{ number }}" }
    batch: { of: number, value: bare, when: bare != 'X9', by: row.number, request: GET /parcels, query: { n: "{{ number | join('.') }}" }, rows: body.parcels }
"#;
    let parcels = json!([{ "number": "A1", "state": "sent" }, { "number": "B2", "state": "x", "hidden": true }]);
    let either = json!({ "parcels": parcels, "parcel": { "state": "alone" } });
    let answers = vec![json(200, &[], &either), json(200, &[], &either)];
    let (vendor, depot) = played(&own_connector("own", text, Path::new(".")), answers).await;
    let calls = ["#A1", "A1", "B2", "#X9"].map(|number| json!({ "number": number }));
    let ended = many(&depot, &calls).await;
    assert_eq!(
        ended.iter().map(shown).collect::<Vec<_>>(),
        [json!("sent"), json!("sent"), json!("not_found"), json!("alone")]
    );
    assert_eq!(ended[0].as_ref().unwrap().value["asked"], "#A1");
    let mut targets = targets(&vendor);
    targets.sort();
    assert_eq!(targets, ["/api/parcel?number=%23X9", "/api/parcels?n=A1.B2"]);
}
