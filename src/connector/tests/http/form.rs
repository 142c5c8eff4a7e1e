//! The words of requests, of `let` and of examples, on a connector that uses them all.

use pretty_assertions::assert_eq;

use super::*;

const DESK: &str = r#"
kind: http
settings:
  team: { default: red, example: blue }
  fields: { kind: map, default: {}, example: { cf_1: chat } }
  statuses: { kind: map, default: {}, example: { parked: on_hold, open: waiting } }
  field: { default: null, example: Email__c }
  note_field: { default: null }
base: https://{{ where }}.example/api
headers: { Accept-Language: en, X-Team: "{{ settings.team }}" }
codes:
  statuses: { open: open, done: solved }
  priorities: { high: high }
let:
  where: "{{ settings.team ~ '-desk' }}"
  statuses: "{{ codes.statuses | chain(settings.statuses) }}"
  named: { team: "{{ settings.team }}", at: "{{ where }}" }
operations:
  make:
    kind: write
    inputs:
      subject: { required: true }
      lines: { default: [] }
      note: {}
      tags: { default: [] }
    let:
      short: "{{ subject | truncate(6) }}"
      labels: [chat, "{{ short }}"]
    request: POST /tickets
    headers: { Accept-Language: null }
    query: { include?: { $odata: "note eq {{ note }}" }, tag: "{{ tags }}", only: [a, "{{ short }}"] }
    json:
      subject: "{{ short }}"
      labels: "{{ labels }}"
      from: "{{ named }}"
      body?: { $html: "<p>{{ note }}</p>" }
      lines: { $each: lines, $as: line, $when: line.count > 0, sku: "{{ line.sku }}", text?: { $html: "{{ line.text }}" } }
      custom:
        $merge:
          - { cf_1: usual, cf_2: "{{ short }}" }
          - "{{ settings.fields }}"
          - "{{ {settings.note_field: note} if settings.note_field and note else none }}"
    idempotency: none
    answer: { number: "{{ body.id }}", short: "{{ short }}" }
    examples:
      - inputs: { subject: Parcel is wet }
        sends:
          request: POST /api/tickets
          query: { only: [a, Parce…] }
          headers: { Accept-Language: null, X-Team: blue }
          json: { subject: "Parce…", labels: [chat, "Parce…"], from: { team: blue, at: blue-desk }, lines: [], custom: { cf_1: chat, cf_2: "Parce…" } }
        receives: { status: 201, json: { id: 7 } }
        answer: { number: 7, short: "Parce…" }
      - description: What is given is there, and the settings of this example are others.
        settings: { team: null, fields: { cf_2: mine }, note_field: cf_9 }
        inputs:
          subject: Wet
          note: <b>
          tags: [x, "y&z"]
          lines: [{ sku: A, count: 1, text: a & b }, { sku: B, count: 0, text: null }, { sku: C, count: 2, text: null }]
        sends:
          request: POST /api/tickets
          query: { include: "note eq '<b>'", tag: [x, "y&z"], only: [a, Wet] }
          headers: { X-Team: red }
          json:
            subject: Wet
            labels: [chat, Wet]
            from: { team: red, at: red-desk }
            body: <p>&lt;b&gt;</p>
            lines: [{ sku: A, text: a &amp; b }, { sku: C }]
            custom: { cf_1: usual, cf_2: mine, cf_9: <b> }
        receives: { status: 201, json: { id: 8 } }
        answer: { number: 8 }
  file:
    kind: write
    inputs: { ids: { default: [] }, note: {} }
    request: POST /files
    form:
      $merge:
        - { id: { $each: ids, $as: it, $text: "no {{ it }}" }, note: "{{ note }}" }
        - "{{ settings.fields }}"
    idempotency: none
    answer: "{{ body }}"
    examples:
      - inputs: { ids: [1, 2] }
        sends: { request: POST /api/files, form: { id: [no 1, no 2], cf_1: chat } }
        receives: { json: ok }
        answer: ok
  ask:
    inputs: { variables: {} }
    request: POST /graphql
    graphql:
      query: "query { a }"
      variables: { all: { $each: variables, $as: it, id: "{{ it }}" }, q?: { $shopify: "name:{{ variables | first | default(none) }}" } }
    rows: body.data
    answer: "{{ rows }}"
    examples:
      - inputs: { variables: [a] }
        sends: { request: POST /api/graphql, json: { query: "query { a }", variables: { all: [{ id: a }], q: 'name:"a"' } } }
        receives: { json: { data: 1 } }
        answer: 1
      - inputs: {}
        sends: { request: POST /api/graphql, json: { query: "query { a }", variables: { all: [] } } }
        receives: { json: { data: 2 } }
        answer: 2
  find:
    inputs: { email: {}, status: {} }
    request: GET /query
    query:
      q: { $soql: "select Id from Ticket where open = true [[and {{ settings.field | identifier }} = {{ email }}]] [[ and Status = {{ status }}]]" }
      also?: { $jql: "[[status = {{ status }}]]" }
    rows: body.rows
    answer: "{{ rows }}"
    examples:
      - inputs: { email: o'neil@example.com }
        sends: { request: GET /api/query, query: { q: "select Id from Ticket where open = true and Email__c = 'o\\'neil@example.com' " } }
        receives: { json: { rows: [1] } }
        answer: [1]
      - description: Without the setting, nothing is asked by it.
        settings: { field: null }
        inputs: { email: o'neil@example.com, status: done }
        sends: { request: GET /api/query, query: { q: "select Id from Ticket where open = true   and Status = 'done'", also: 'status = "done"' } }
        receives: { json: { rows: [] } }
        answer: []
  today:
    request: GET /day
    query: { since: "{{ now }}", before: "{{ now | rfc2822 }}" }
    answer: "{{ body.at | parse_rfc2822 }}"
    examples:
      - now: "2024-02-29T23:00:00Z"
        sends: { request: GET /api/day, query: { since: "2024-02-29T23:00:00Z", before: "Thu, 29 Feb 2024 23:00:00 +0000" } }
        receives: { json: { at: "Thu, 29 Feb 2024 23:00:00 -0100" } }
        answer: "2024-02-29T23:00:00-01:00"
  ticket:
    inputs: { number: { required: true } }
    model: Ticket
    request: GET /tickets/{{ number }}
    answer:
      number: "{{ body.id }}"
      subject: "{{ body.subject }}"
      status: "{{ statuses[body.status] }}"
      priority: "{{ codes.priorities[body.priority] if body.priority else none }}"
      group: "{{ settings.fields[body.group] }}"
      created_at: "2026-01-20T12:00:00Z"
"#;

fn desk() -> Arc<Connector> {
    own_connector("own", DESK, Path::new("."))
}

#[tokio::test]
async fn every_word_of_a_request_does_what_it_says() {
    assert_eq!(run_examples(&desk(), Path::new("."), clock()).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_example_that_expects_other_fields_fails() {
    for (from, to, says) in [
        ("tag: [x, \"y&z\"]", "tag: [\"y&z\", x]", "its query has tag=x"),
        ("only: [a, Wet]", "only: a", "only=Wet besides"),
        ("headers: { X-Team: red }", "headers: { X-Team: null }", "its header X-Team is red"),
        ("form: { id: [no 1, no 2], cf_1: chat }", "form: { id: [no 1, no 2, no 3], cf_1: chat }", "no id, where no 3"),
        ("settings: { field: null }", "settings: { field: Name }", "Name = "),
    ] {
        // The first place is the example's, the request's own stands before it.
        let at = DESK.rfind(from).unwrap();
        let text = format!("{}{to}{}", &DESK[..at], &DESK[at + from.len()..]);
        let wrong = run_examples(&own_connector("own", &text, Path::new(".")), Path::new("."), clock()).await;
        assert!(wrong.len() == 1 && wrong[0].contains(says), "{to}: {wrong:?}");
    }
}

#[tokio::test]
async fn a_code_that_the_file_does_not_know_is_no_silent_null() {
    let ticket = |status: &str, priority: Value| {
        json(200, &[], &json!({"id": 7, "subject": "Wet", "status": status, "priority": priority, "group": "nobody"}))
    };
    let answers = vec![
        ticket("parked", json!("high")),
        ticket("open", Value::Null),
        ticket("lost", json!("high")),
        ticket("done", json!("extreme")),
        ticket("done", json!(3)),
    ];
    let (_vendor, own) = played(&desk(), answers).await;
    let asked = async || ask(&own, "own.ticket", json!({"number": 7})).await;
    let first = asked().await.unwrap();
    assert_eq!((&first["status"], &first["priority"], &first["group"]), (&json!("on_hold"), &json!("high"), &Value::Null));
    // The company's own word goes before the file's.
    assert_eq!(asked().await.unwrap()["status"], "waiting");
    for place in ["status", "priority", "priority"] {
        let fault = asked().await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Unexpected, "{fault}");
        assert!(fault.operator.contains(&format!("{place}: ")), "{fault}");
    }
}

#[tokio::test]
async fn a_setting_that_is_no_name_of_a_field_is_said_when_the_connection_is_opened() {
    for (value, opens) in [("Email__c", true), ("Owner.Email", true), ("Email or 1", false), ("1a", false), ("a'b", false)] {
        let connection = connection("own", &desk(), &[("field", value)]);
        let rules = Rules { stand_in: Some("http://127.0.0.1:1".to_owned()), ..Rules::default() };
        let opened = open(&[Connection { rules, ..connection }], Path::new(".")).await;
        match opened {
            Ok(_) => assert!(opens, "{value}"),
            Err(problems) => {
                assert!(!opens && problems[0].text.contains("`settings.field` is not the name"), "{value}: {problems:?}");
                assert!(!problems[0].text.contains(value), "{problems:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_is_not_set_where_one_is_needed_is_the_settings_fault() {
    let text = DESK.replace(
        "[[and {{ settings.field | identifier }} = {{ email }}]]",
        "and {{ settings.field | identifier }} = 1 [[and a = {{ email }}]]",
    );
    let connection = connection("own", &own_connector("own", &text, Path::new(".")), &[]);
    let rules = Rules { stand_in: Some("http://127.0.0.1:1".to_owned()), ..Rules::default() };
    let own = open(&[Connection { rules, ..connection }], Path::new(".")).await.unwrap();
    assert_eq!(outcome(&own, "own.find", json!({})).await, Outcome::Misconfigured);
}

#[tokio::test]
async fn what_cannot_be_joined_or_gone_through_is_unexpected() {
    let (vendor, own) = played(&desk(), Vec::new()).await;
    for (inputs, expected, says) in [
        (json!({"subject": "a", "lines": {"a": 1}}), Outcome::Unexpected, "lines: `$each` goes through a list"),
        (json!({"subject": "a", "tags": [{"a": 1}]}), Outcome::Invalid, "the field tag"),
        (json!({"subject": [], "lines": [1]}), Outcome::Unexpected, "lines: one side of > is absent"),
    ] {
        let fault = ask(&own, "own.make", inputs).await.unwrap_err();
        assert_eq!(fault.outcome, expected, "{fault}");
        assert!(fault.operator.contains(says), "{fault}");
    }
    let wrong = DESK.replace("named: {", "wrong: \"{{ settings.fields + 1 }}\"\n  named: {");
    let connection =
        examples::connection(&own_connector("own", &wrong, Path::new(".")), Some("http://127.0.0.1:1".to_owned()));
    let problems = open(&[connection.unwrap()], Path::new(".")).await.err().unwrap();
    assert!(problems[0].text.contains("`let` wrong: cannot add"), "{problems:?}");
    assert_eq!(vendor.seen().len(), 0);
}
