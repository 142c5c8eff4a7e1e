//! `legwork messages`: every message, with the place that words it and with its buttons.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{DESK, legwork, project};

const PROJECT: &[(&str, &str)] = &[
    (
        "legwork.yml",
        "connections: { desk: { connector: desk } }
messages:
  human_intent: person
  ticket_intent: note
  en:
    denied: { text: Not I., buttons: [{ title: Why?, payload: why }] }
    conflict: \"\"
  fr:
    timeout: Trop tard.
contact: { en: Call 123. }
",
    ),
    DESK,
    ("domain.yml", "intents: [person]\nactions: [action_x, action_y]\n"),
    (
        "actions/action_x.yml",
        "messages:
  en: { invalid: \"Not so, {{ slots }}.\" }
steps:
  - choose:
      - when: now
        steps:
          - call: desk.end
            with: { how: well }
            as: ended
            outcomes:
              not_found:
                - say: { text: Where?, buttons: [{ title: \"{{ now }}\", intent: person, entities: { a: 1, b: 2 } }] }
                - call: desk.count
                  outcomes: { stale: [], otherwise: utter_x }
              otherwise: [{ continue: null }]
",
    ),
    ("actions/action_y.yml", "steps: [{ use: note }]\n"),
    ("actions/shared/note.yml", "steps: [{ call: desk.note, with: { text: a }, outcomes: { denied: Never. } }]\n"),
];

#[test]
fn every_message_is_printed_with_where_it_comes_from() {
    let files: Vec<_> = PROJECT.iter().filter(|(path, _)| *path != "domain.yml").copied().collect();
    let ran = legwork(project(&files).path(), &["messages", "--locale", "de-AT"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    let german = ran.printed.split("\n\n").next().unwrap();
    assert_eq!(
        german.lines().take(10).collect::<Vec<_>>().join("\n"),
        "de-AT
  not_found         built-in
    Das habe ich nicht gefunden. Stimmen die Angaben?
    when fault.done and not partly: Zumindest ein Teil davon ist aber erledigt.
    [Mit jemandem sprechen] /person
  ambiguous         built-in
    Dazu habe ich mehrere Treffer. Können Sie es genauer angeben?
    [Mit jemandem sprechen] /person
  invalid           built-in
    when fault.message: Das wurde nicht angenommen: {{ fault.message }}"
    );
    let ran = legwork(project(&files).path(), &["messages"]);
    let (locales, actions) = ran.printed.split_once("\n\naction_x, en\n").unwrap();
    let headings: Vec<_> = locales.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).collect();
    assert_eq!(headings, ["de", "en", "fr"]);
    assert!(locales.contains(
        "
  denied            legwork.yml:6
    Not I.
    [Why?] why
    contact: Call 123.
  conflict          built-in
    when fault.message: {{ fault.message }}
    when not fault.message: That isn't possible in its present state.
    when fault.done and not partly: At least a part of it was done, though.
    contact: Call 123.
    [Talk to a person] /person
"
    ));
    assert!(locales.contains(
        "
  timeout           legwork.yml:9
    Trop tard.
    contact: Call 123.
    [Try again] the same message once more  [Talk to a person] /person  [Leave a message] /note
"
    ));
    assert_eq!(
        actions,
        "  invalid           actions/action_x.yml:2
    Not so, {{ slots }}.
    [Talk to a person] /person

action_x, desk.end
  not_found         actions/action_x.yml:11
    Where?
    [{{ now }}] /person{\"a\":…,\"b\":…}

action_x, desk.count
  stale             actions/action_x.yml:14
    (says nothing: goes on)
  otherwise         actions/action_x.yml:14
    utter_x

action_x, desk.end
  otherwise         actions/action_x.yml:15
    (says nothing: continue)

desk.note
  denied            actions/shared/note.yml:1
    Never.
"
    );
}

#[test]
fn programs_get_a_line_of_json_each() {
    let domain = [
        PROJECT,
        &[("domain.yml", "intents: [person]\nactions: [action_x, action_y]\nresponses: { utter_x: [{ text: x }] }\n")],
    ]
    .concat();
    let ran = legwork(project(&domain).path(), &["messages", "--locale", "en", "--format", "json"]);
    let rows: Vec<Value> = ran.printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let row = |name: &str| rows.iter().find(|row| row["message"] == name).unwrap();
    assert_eq!(
        row("unavailable"),
        &json!({
            "message": "unavailable", "locale": "en", "action": null, "call": null, "at": null,
            "says": [
                {
                    "when": null, "buttons": [],
                    "text": "I'm having trouble accessing that right now. Please try again in a few minutes.",
                },
                { "when": "fault.done and not partly", "buttons": [], "text": "At least a part of it was done, though." },
            ],
            "steps": [],
            // The domain lacks the intent of a message.
            "offers": [{ "title": "Try again", "payload": null }, { "title": "Talk to a person", "payload": "/person" }],
            "contact": "Call 123.",
        })
    );
    assert_eq!(row("otherwise")["call"], "desk.count");
    assert_eq!(rows.iter().filter(|row| row["message"] == "denied").count(), 2);
}

#[test]
fn a_project_that_is_wrong_says_so() {
    let wrong = project(&[("actions/action_x.yml", "steps: [{ sya: x }]\n")]);
    let ran = legwork(wrong.path(), &["messages"]);
    assert_eq!((ran.code, ran.printed.as_str()), (Some(1), ""));
    assert!(ran.complained.contains("unknown-key"), "{}", ran.complained);
}
