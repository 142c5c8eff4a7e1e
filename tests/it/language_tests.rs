//! `tests:` blocks as `legwork test` runs them, what it prints when they fail, and what `legwork try` shows.

use std::path::Path;
use std::process::Command;

use pretty_assertions::assert_eq;

use crate::support::{problems, written};

/// Runs the program in a project's folder: its exit code and what it prints.
fn legwork(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_legwork")).args(arguments).current_dir(folder).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    (ran.status.code(), printed)
}

const DOMAIN: (&str, &str) = (
    "domain.yml",
    "
slots: { order_id: { type: text }, size: { type: text }, note: { type: any } }
forms: { order_form: { required_slots: [size] } }
actions: [action_order, action_events, validate_order_form]
responses: { utter_which: [{ text: Which? }] }
intents: [affirm]
",
);

const ORDER: &str = "
inputs: { order_id: { missing: utter_which } }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
  - say:
      - text: \"Order {{ order.number }} of {{ order.placed_at | relative }}: {{ order.status | label }}.\"
      - text: Anything else?
        buttons: [{ title: Yes, intent: affirm }]
  - set: { note: { number: \"{{ order.number }}\", lines: \"{{ order.lines | length }}\" } }
";

#[test]
fn tests_say_what_has_to_come_in_every_way() {
    let order = format!(
        "{ORDER}tests:
  - it: tells the status
    now: 2026-01-21T11:20:00Z
    slots: {{ order_id: '1001' }}
    expect:
      said: [\"Order 1001 of 1 day ago: …\", {{ text: /else/, buttons: [{{ title: Yes, payload: /affirm }}] }}]
      slots: {{ note: {{ number: '1001', lines: 2.0 }} }}
      unset: [order_id]
      events: []
  - it: asks which
    expect: {{ said: utter_which, slots: {{}} }}
  - it: is sorry
    slots: {{ order_id: '1001' }}
    given: {{ shop: down }}
    expect: {{ said: [/trouble/], unset: [note] }}
  - it: sees what was done before
    slots: {{ order_id: '1002' }}
    before: [{{ call: shop.cancel_order, with: {{ number: '1002' }} }}]
    expect: {{ said: [/cancelled/, …] }}
  - it: and undoes it for the next
    slots: {{ order_id: '1002' }}
    expect: {{ said: [/pending/, …] }}
"
    );
    let events = "
steps:
  - choose:
      - when: intent == 'affirm' and user_text == 'yes' and entities[0].value == 5 and metadata.vip and sender_id == 'me' and channel == 'sms' and active_loop.name == 'order_form' and events | length == 3
        steps: [{ event: pause }, { set: { note: 1 } }, { event: { followup: action_listen } }, { event: { reminder: { intent: affirm, date_time: 2026-03-01T08:00:00Z, name: r } } }]
      - when: user_text == 'no'
        steps: [{ reject: \"not {{ user_text }}\" }]
tests:
  - it: sends events in order
    text: 'yes'
    intent: affirm
    entities: { n: 5 }
    metadata: { vip: true }
    sender: me
    channel: sms
    active_loop: order_form
    events: [{ event: action, name: action_listen }, { event: bot, text: hi }]
    expect: { events: [pause, { followup: action_listen }, { reminder: { name: r, date_time: 2026… } }] }
  - { it: declines, text: 'no', expect: { rejected: not … } }
  - { it: does nothing, text: hm, entities: [{ entity: n, value: 5, role: a }], expect: { nothing: true } }
";
    let form = "
slots: { size: { format: { enum: [S, M] }, refuse: S or M? } }
tests:
  - { it: takes sizes, offered: { size: s }, expect: { slots: { size: S }, said: [] } }
  - { it: refuses others, offered: { size: XL }, expect: { slots: { size: null }, said: \"S or M?\" } }
";
    let files = [
        DOMAIN,
        ("actions/action_order.yml", &order),
        ("actions/action_events.yml", events),
        ("actions/validate_order_form.yml", form),
    ];
    assert_eq!(problems(&files), [""; 0]);
    let folder = written(&files);
    let (code, printed) = legwork(folder.path(), &["test"]);
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(0),
            "\
ok   action_events: sends events in order
ok   action_events: declines
ok   action_events: does nothing
ok   action_order: tells the status
ok   action_order: asks which
ok   action_order: is sorry
ok   action_order: sees what was done before
ok   action_order: and undoes it for the next
ok   validate_order_form: takes sizes
ok   validate_order_form: refuses others

10 passed, 0 failed
"
        )
    );
    let (_, chosen) = legwork(folder.path(), &["test", "--name", "refuses"]);
    assert_eq!(chosen, "ok   validate_order_form: refuses others\n\n1 passed, 0 failed\n");
    let (_, chosen) = legwork(folder.path(), &["test", "actions/action_events.yml"]);
    assert!(chosen.ends_with("3 passed, 0 failed\n"), "{chosen}");
}

#[test]
fn a_failure_shows_what_was_expected_beside_what_came() {
    let order = format!(
        "{ORDER}tests:
  - it: is wrong in every way
    now: 2026-01-21T11:20:00Z
    slots: {{ order_id: '1001' }}
    expect:
      said: [\"Order 1002 …\", {{ buttons: [] }}, Bye.]
      slots: {{ note: 1, size: S }}
      unset: [note]
      events: [pause]
      nothing: true
  - it: should have declined
    slots: {{ order_id: '1001' }}
    expect: {{ rejected: no }}
"
    );
    let wrong = "
steps:
  - say: Hm.
  - say: \"{{ slots.note | sum }}\"
tests: [{ it: adds up, slots: { note: [a] }, expect: { said: [Hm., \"1\"] } }]
";
    let declines = "steps: [{ reject: not now }]\ntests: [{ it: runs, expect: { said: [hi] } }]\n";
    let bare = "steps: [{ say: hi }]\n";
    let folder = written(&[
        ("actions/action_order.yml", &order),
        ("actions/action_wrong.yml", wrong),
        ("actions/action_declines.yml", declines),
        ("actions/action_bare.yml", bare),
    ]);
    let (code, printed) = legwork(folder.path(), &["test"]);
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(1),
            "\
FAIL action_declines: runs
     actions/action_declines.yml:2
       rejected
         expected  the action runs
         came      it declined: not now
       said[0]
         expected  hi
         came      (nothing)
FAIL action_order: is wrong in every way
     actions/action_order.yml:13
       said[0]
         expected  Order 1002 …
         came      Order 1001 of 1 day ago: shipped.
       said[1]
         expected  buttons: []
         came      Anything else?  [Yes] /affirm
       said[2]
         expected  Bye.
         came      (nothing)
       slots.note
         expected  1
         came      {\"number\":\"1001\",\"lines\":2}
       slots.size
         expected  \"S\"
         came      (not set)
       slots.note
         expected  (not set)
         came      {\"number\":\"1001\",\"lines\":2}
       events[0]
         expected  {\"event\":\"pause\"}
         came      (nothing)
       nothing
         expected  no message and no event
         came      2 messages and 1 events
FAIL action_order: should have declined
     actions/action_order.yml:22
       rejected
         expected  no
         came      the action ran
FAIL action_wrong: adds up
     actions/action_wrong.yml:5
       said[1]
         expected  1
         came      Something went wrong on our side, so I'd rather not tell you anything wrong. Please try again later.
       at actions/action_wrong.yml:4: only numbers can be summed, not a text in `slots.note | sum`

without a test: action_bare

0 passed, 4 failed
"
        )
    );
}

#[test]
fn all_tests_may_happen_at_one_time() {
    let action = "
steps: [{ say: \"{{ now | date }}\" }]
tests:
  - { it: happens then, expect: { said: [March 4th] } }
  - { it: or at its own time, now: 2030-05-06T00:00:00Z, expect: { said: [May 6th] } }
";
    let folder = written(&[("legwork.yml", "tests: { now: 2026-03-04T10:00:00Z }\n"), ("actions/action_x.yml", action)]);
    let (code, printed) = legwork(folder.path(), &["test"]);
    assert_eq!((code, printed.ends_with("2 passed, 0 failed\n")), (Some(0), true), "{printed}");
}

#[test]
fn many_tests_run_at_the_same_time_and_report_in_order() {
    let tests: String = (0..40)
        .map(|n| format!("  - {{ it: number {n:02}, slots: {{ n: {n} }}, expect: {{ said: [\"{n}\"] }} }}\n"))
        .collect();
    let folder = written(&[(
        "actions/action_x.yml",
        &format!("inputs: {{ n: {{}} }}\nsteps: [{{ wait: 20ms }}, {{ say: \"{{{{ n }}}}\" }}]\ntests:\n{tests}"),
    )]);
    let (code, printed) = legwork(folder.path(), &["test"]);
    let numbers: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("ok   action_x: number ")).collect();
    assert_eq!((code, numbers.len()), (Some(0), 40));
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn try_shows_each_step_with_what_was_asked_and_answered() {
    let action = "
inputs:
  order_id: { format: order_number }
  name: { from: entity, default: you }
steps:
  - let: { a: 1 }
    when: slots.never
  - call: shop.check_stock
    with: { product: \"{{ order_id }}\" }
    as: stock
    outcomes:
      not_found:
        - say: { text: \"Nothing for {{ name }}.\", buttons: [{ title: Ok, intent: affirm }] }
        - set: { order_id: null }
  - say: never
";
    let settings = "formats: { order_number: { pattern: '#?([0-9]+)', examples: { '#1': '1' } } }\n";
    let folder = written(&[
        ("legwork.yml", settings),
        ("actions/action_x.yml", action),
        ("actions/action_no.yml", "steps: [{ reject: not now }]\n"),
        ("actions/action_bad.yml", "inputs: { a: {} }\nsteps: [{ say: \"{{ a | sum }}\" }]\n"),
    ]);
    let (code, printed) = legwork(folder.path(), &["try", "action_x", "--slot", "order_id=#42"]);
    // How long it took is another each time.
    let printed = regex::Regex::new(r"(?m), \d+ ms$|^took .*\n\n").unwrap().replace_all(&printed, "").into_owned();
    let place = |line: u32, rest: &str| format!("{:<40} {rest}\n", format!("actions/action_x.yml:{line}"));
    let expected = [
        place(3, "order_id = \"42\", from the slot `order_id`"),
        place(4, "name = \"you\", from its default, since the entity `name` holds nothing"),
        place(6, "let, skipped: its `when` is false"),
        place(8, "call"),
        "    shop.check_stock {\"product\":\"42\"}\n    → not_found: the statement `rows` ended with not_found\n".to_owned(),
        place(13, "say"),
        place(14, "set"),
        "\nsaid\n  Nothing for you.  [Ok] /affirm\nevents\n  {\"event\":\"slot\",\"timestamp\":null,\"name\":\"order_id\",\"value\":null}\n".to_owned(),
    ]
    .concat();
    assert_eq!((code, printed), (Some(0), expected));
    let (code, printed) = legwork(folder.path(), &["try", "action_no"]);
    assert_eq!((code, printed.ends_with("declined: not now\n")), (Some(0), true), "{printed}");
    let (code, printed) = legwork(folder.path(), &["try", "action_bad", "--slot", "a=text"]);
    assert_eq!(code, Some(1));
    assert!(printed.contains("FAILED: only numbers") || printed.contains("FAILED: "), "{printed}");
    let (code, printed) = legwork(folder.path(), &["try", "action_y"]);
    assert_eq!((code, printed.as_str()), (Some(2), "legwork: there is no action `action_y`: did you mean `action_x`?\n"));
}

#[test]
fn what_was_known_before_a_system_went_down_is_there_when_a_test_says_so() {
    let action = "
steps:
  - call: shop.find_order
    with: { number: \"1001\" }
    as: order
  - say: \"{{ order.number }} at {{ now | time }}\"
tests:
  - { it: is down, given: { shop: down }, expect: { said: [/trouble/] } }
  - { it: is down all the same, given: { shop: { down: true } }, expect: { said: [/trouble/] } }
  - { it: is up, given: { shop: { down: false } }, expect: { said: [\"1001 at …\"] } }
  - it: was asked before
    now: 2026-01-20T12:00:00Z
    given: { shop: { down: true, known: 9m } }
    expect: { said: [/as of 9 minutes ago/, \"1001 at 12:00 pm\"] }
  - { it: was asked too long before, given: { shop: { down: true, known: 11m } }, expect: { said: [/trouble/] } }
  - it: does not help by what was called before
    before: [{ call: shop.find_order, with: { number: \"1001\" } }]
    given: { shop: down }
    expect: { said: [/trouble/] }
  - { it: has another system down, given: { crm: { down: true, known: 1m } }, expect: { said: [/1001/] } }
";
    let files = [("actions/action_x.yml", action)];
    assert_eq!(problems(&files), [""; 0]);
    let (code, printed) = legwork(written(&files).path(), &["test"]);
    assert!(code == Some(0) && printed.ends_with("7 passed, 0 failed\n"), "{printed}");
    let of = |given: &str| {
        let text = format!("steps: []\ntests:\n  - {{ it: x, given: {{ {given} }}, expect: {{ said: [] }} }}\n");
        problems(&[("actions/action_x.yml", &text)])
    };
    assert_eq!(of("shop: slow"), ["bad-value actions/action_x.yml:3 `` is not a duration"]);
    assert_eq!(of("shop: dwon"), ["unknown-fault actions/action_x.yml:3 there is no fault `dwon`"]);
    assert_eq!(of("shop: { known: 5m }"), ["missing-key actions/action_x.yml:3 nothing is wrong with the system here"]);
    assert_eq!(of("shop: { flaky: 30 }"), ["bad-value actions/action_x.yml:3 `30` is not a share"]);
    assert_eq!(of("sohp: down"), ["unknown-connection actions/action_x.yml:3 legwork.yml has no connection `sohp`"]);
    assert_eq!(
        of("shop.find_oder: down"),
        ["unknown-operation actions/action_x.yml:3 the connector `sandbox` of `shop` has no operation `find_oder`"]
    );
    assert_eq!(
        of("shop-1: down"),
        ["bad-name actions/action_x.yml:3 `shop-1` names neither a connection nor an operation of one"]
    );
    assert_eq!(of("shop: { slow: 6s, rate_limited: true, wrong_data: false, flaky: 30% }"), [""; 0]);
    assert_eq!(of("shop: { down: true, known: 5 }"), ["bad-value actions/action_x.yml:3 `5` is not a duration"]);
    assert_eq!(
        of("shop: { down: true, known: 5m }, crm: { down: true, known: 6m }"),
        ["bad-value actions/action_x.yml:3 two times at which the user asked the same before"]
    );
}
