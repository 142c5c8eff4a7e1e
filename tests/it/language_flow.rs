//! How an action goes: steps, conditions, branches, lists, steps at the same time, shared steps, and every way to end.

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Bot, CONNECTED, DESK, problems};

async fn bot(action: &str) -> Bot {
    Bot::with(&[CONNECTED, DESK, ("actions/action_x.yml", action)]).await
}

#[tokio::test]
async fn stop_ends_an_action_and_keeps_what_was_said_and_set() {
    let bot = bot("
steps:
  - set: { seen: true }
  - say: Before.
  - stop: true
    when: slots.done
  - say: After.
")
    .await;
    let answer = bot.call("action_x").slot("done", true).send().await;
    assert_eq!((answer.said(), answer.slots()), (vec!["Before."], json!([["seen", true]])));
    assert_eq!(bot.call("action_x").slot("done", false).send().await.said(), ["Before.", "After."]);
    assert_eq!(bot.call("action_x").send().await.said(), ["Before.", "After."], "a slot that is not there is null");
}

#[tokio::test]
async fn stop_may_have_a_last_word() {
    let bot = bot("
steps:
  - stop: \"Bye, {{ sender_id }}.\"
    when: slots.how == 'text'
  - choose:
      - when: slots.how == 'message'
        steps: [{ stop: [{ text: Bye., buttons: [{ title: Again, intent: greet }] }, See you.] }]
  - say: Still here.
")
    .await;
    assert_eq!(bot.call("action_x").slot("how", "text").send().await.said(), ["Bye, default."]);
    assert_eq!(bot.call("action_x").slot("how", "message").send().await.said(), ["Bye.", "See you."]);
    assert_eq!(bot.call("action_x").send().await.said(), ["Still here."]);
}

#[tokio::test]
async fn every_step_may_have_a_condition_and_what_it_would_name_is_null() {
    let bot = bot("
steps:
  - when: slots.go
    let: { a: 1 }
  - when: slots.go
    call: desk.echo
    with: { value: x }
    as: b
  - when: slots.go
    each: \"[1, 2]\"
    as: item
    collect: \"{{ item }}\"
    into: c
  - say: \"{{ a is none }} {{ b is none }} {{ c is none }}\"
")
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["true true true"]);
    assert_eq!(bot.call("action_x").slot("go", 1).send().await.said(), ["false false false"]);
}

#[tokio::test]
async fn the_first_branch_that_holds_is_taken_and_otherwise_the_last() {
    let bot = bot("
steps:
  - choose:
      - when: slots.n > 10
        steps: [{ let: { size: large, big: true } }]
      - when: slots.n > 5
        steps: [{ let: { size: medium } }, { choose: [{ when: slots.n == 7, steps: [{ say: Seven! }] }] }]
      - otherwise: [{ let: { size: small } }]
  - say: \"{{ size }} {{ big }}\"
")
    .await;
    assert_eq!(bot.call("action_x").slot("n", 11).send().await.said(), ["large true"]);
    assert_eq!(bot.call("action_x").slot("n", 7).send().await.said(), ["Seven!", "medium "]);
    assert_eq!(bot.call("action_x").slot("n", 1).send().await.said(), ["small "]);
}

#[tokio::test]
async fn branches_on_the_type_of_a_value() {
    let bot = bot("
steps:
  - choose:
      - { when: slots.v is string, steps: [{ say: text }] }
      - { when: slots.v is boolean, steps: [{ say: yes or no }] }
      - { when: slots.v is number, steps: [{ say: number }] }
      - { when: slots.v is list, steps: [{ say: list }] }
      - { when: slots.v is map, steps: [{ say: map }] }
      - otherwise: [{ say: nothing }]
")
    .await;
    for (value, kind) in [
        (json!("5"), "text"),
        (json!(false), "yes or no"),
        (json!(5.5), "number"),
        (json!([]), "list"),
        (json!({}), "map"),
        (json!(null), "nothing"),
    ] {
        assert_eq!(bot.call("action_x").slot("v", value).send().await.said(), [kind]);
    }
}

#[tokio::test]
async fn each_maps_keeps_and_takes_the_first() {
    let bot = bot("
steps:
  - each: slots.orders
    as: order
    collect: \"#{{ order.number }}\"
    into: numbers
  - each: slots.orders
    as: order
    keep: order.total > 20
    into: dear
  - each: slots.orders
    as: order
    steps: [{ let: { double: \"{{ order.total * 2 }}\" } }]
    keep: double >= 60
    collect: { number: \"{{ order.number }}\", double: \"{{ double }}\" }
    first: true
    into: found
  - each: slots.orders
    as: order
    keep: order.total > 1000
    first: true
    into: none_found
  - each: slots.nothing
    as: order
    collect: 1
    into: empty
  - set: { numbers: \"{{ numbers }}\", dear: \"{{ dear | map(attribute='number') }}\", found: \"{{ found }}\", none_found: \"{{ none_found }}\", empty: \"{{ empty }}\" }
")
    .await;
    let orders = json!([{ "number": 1, "total": 10 }, { "number": 2, "total": 30 }, { "number": 3, "total": 40 }]);
    let answer = bot.call("action_x").slot("orders", orders).send().await;
    let expected = json!([
        ["numbers", ["#1", "#2", "#3"]],
        ["dear", [2, 3]],
        ["found", { "number": 2, "double": 60 }],
        ["none_found", null],
        ["empty", []],
    ]);
    assert_eq!(answer.slots(), expected);
}

#[tokio::test]
async fn each_says_sets_and_calls_for_every_item_and_nests() {
    let bot = bot("
steps:
  - each: slots.rows
    as: row
    steps:
      - each: row
        as: cell
        steps:
          - call: desk.echo
            with: { value: \"{{ cell }}\" }
            as: echoed
          - say: \"{{ row | length }}:{{ echoed.value }}\"
          - set: { count: \"{{ (slots.count or 0) + 1 }}\" }
  - say: \"{{ slots.count }} in all\"
")
    .await;
    let answer = bot.call("action_x").slot("rows", json!([["a", "b"], ["c"]])).send().await;
    assert_eq!(answer.said(), ["2:a", "2:b", "1:c", "3 in all"]);
    assert_eq!(answer.slots(), json!([["count", 1], ["count", 2], ["count", 3]]));
}

#[tokio::test]
async fn names_given_inside_of_each_stay_inside() {
    let inside = "steps:\n  - each: \"[1]\"\n    as: item\n    steps: [{ let: { a: 1 } }]\n  - say: \"{{ a }}{{ item }}\"\n";
    let found = problems(&[("actions/action_x.yml", inside)]);
    assert_eq!(found.iter().filter(|line| line.starts_with("unknown-name")).count(), 2, "{found:?}");
    // And at run time: the second item does not see what the first one named.
    let bot = bot("
steps:
  - each: \"[1, 2]\"
    as: item
    steps:
      - let: { first: \"{{ item }}\" }
        when: item == 1
      - say: \"{{ item }} {{ first is none }}\"
")
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["1 false", "2 true"]);
}

#[tokio::test]
async fn what_is_not_a_list_cannot_be_gone_over() {
    let bot = bot("steps:\n  - say: Hm.\n  - each: slots.text\n    as: item\n    steps: [{ say: \"{{ item }}\" }]\n").await;
    bot.expect_error("a list is needed to go over");
    let answer = bot.call("action_x").slot("text", "abc").send().await;
    assert_eq!(answer.said()[0], "Hm.");
    assert!(answer.said()[1].starts_with("Something went wrong on our side"), "{:?}", answer.said());
}

#[tokio::test]
async fn steps_at_the_same_time_keep_the_order_written() {
    let bot = bot("
steps:
  - together:
      - choose: [{ otherwise: [{ wait: 80ms }, { say: slow }, { set: { a: slow, both: first } }, { let: { x: 1 } }] }]
      - choose: [{ otherwise: [{ say: quick }, { set: { b: quick, both: second } }, { event: pause }] }]
      - call: desk.echo
        with: { value: 5 }
        as: y
  - say: \"{{ x }} {{ y.value }} {{ slots.a }} {{ slots.b }} {{ slots.both }}\"
")
    .await;
    let answer = bot.call("action_x").send().await;
    assert_eq!(answer.said(), ["slow", "quick", "1 5 slow quick second"]);
    assert_eq!(answer.slots(), json!([["a", "slow"], ["both", "first"], ["b", "quick"], ["both", "second"]]));
    assert_eq!(answer.events()[4], json!({ "event": "pause" }));
}

#[tokio::test]
async fn one_of_the_steps_at_the_same_time_ends_the_action_and_the_others_still_come_to_their_end() {
    let bot = bot("
steps:
  - together:
      - call: desk.end
        with: { how: not_found }
        outcomes: { not_found: Nothing there. }
      - choose: [{ otherwise: [{ wait: 50ms }, { set: { late: true } }] }]
  - say: Never.
")
    .await;
    let answer = bot.call("action_x").send().await;
    assert_eq!((answer.said(), answer.slots()), (vec!["Nothing there."], json!([["late", true]])));
}

#[tokio::test]
async fn every_mistake_of_steps_at_the_same_time_is_logged() {
    let bot = bot("steps:\n  - together:\n      - say: \"{{ 1 + slots.a }}\"\n      - say: fine\n      - say: \"{{ slots.b | sum }}\"\n").await;
    bot.expect_error("action_x.yml:3");
    bot.expect_error("action_x.yml:5");
    let answer = bot.call("action_x").slot("a", "x").slot("b", json!(["y"])).send().await;
    assert_eq!(answer.said().len(), 2);
    assert_eq!(answer.said()[0], "fine");
}

const GREET: (&str, &str) = (
    "actions/shared/greet.yml",
    "
inputs:
  name: { missing: Who? }
  greeting: { default: Hello }
  loud: {}
steps:
  - let: { text: \"{{ greeting }}, {{ name }}\" }
  - set: { greeted: \"{{ name }}\" }
  - say: \"{{ text | upper if loud else text }} ({{ slots.greeted }})\"
result: { said: \"{{ text }}\", length: \"{{ text | length }}\" }
",
);

#[tokio::test]
async fn shared_steps_have_inputs_and_give_back_a_result() {
    let bot = Bot::with(&[
        GREET,
        (
            "actions/action_x.yml",
            "
steps:
  - use: greet
    with: { name: \"{{ slots.who }}\", loud: true }
    as: greeting
  - say: \"{{ greeting.said }}: {{ greeting.length }} {{ slots.greeted }}\"
  - use: greet
    with: { name: Tom, greeting: \" Hi \" }
",
        ),
    ])
    .await;
    let answer = bot.call("action_x").slot("who", "Sarah").send().await;
    assert_eq!(answer.said(), ["HELLO, SARAH (Sarah)", "Hello, Sarah: 12 Sarah", "Hi, Tom (Tom)"]);
    assert_eq!(answer.slots(), json!([["greeted", "Sarah"], ["greeted", "Tom"]]));
    // An input that is missing ends the action that uses the steps.
    assert_eq!(bot.call("action_x").slot("who", "  ").send().await.said(), ["Who?"]);
}

#[tokio::test]
async fn shared_steps_see_nothing_of_the_action_and_name_nothing_in_it() {
    let hidden = [
        ("actions/shared/peek.yml", "steps: [{ say: \"{{ secret }}\" }, { let: { own: 1 } }]\n"),
        ("actions/action_x.yml", "steps: [{ let: { secret: 1 } }, { use: peek }, { say: \"{{ own }}\" }]\n"),
    ];
    let found = problems(&hidden);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("unknown-name actions/shared/peek.yml:1")), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("unknown-name actions/action_x.yml:1")), "{found:?}");
}

#[tokio::test]
async fn inputs_of_shared_steps_come_from_with_unless_they_say_otherwise() {
    let bot = Bot::with(&[
        ("domain.yml", "slots: { email: { type: text }, out: { type: any } }\nactions: [action_x]\n"),
        // `recipient` is no slot of the domain, and need not be one.
        (
            "actions/shared/send.yml",
            "
inputs: { recipient: {}, email: { from: slot }, text: { from: \"{{ user_text }}\" } }
steps: [{ set: { out: [\"{{ recipient }}\", \"{{ email }}\", \"{{ text }}\"] } }]
",
        ),
        ("actions/action_x.yml", "steps: [{ use: send }, { use: send, with: { recipient: Ann, email: e, text: t } }]\n"),
    ])
    .await;
    let answer = bot.call("action_x").slot("email", "a@b.c").slot("recipient", "not this").text("hi").send().await;
    assert_eq!(answer.slots(), json!([["out", [null, "a@b.c", "hi"]], ["out", ["Ann", "e", "t"]]]));
}

#[tokio::test]
async fn what_ends_shared_steps_ends_the_action() {
    let bot = Bot::with(&[
        (
            "actions/shared/end.yml",
            "
inputs: { how: {} }
steps:
  - set: { reached: true }
  - stop: true
    when: how == 'stop'
  - each: \"[1, 2]\"
    as: n
    steps: [{ say: \"{{ n }}\" }, { stop: true, when: how == 'each' }]
  - reject: Not mine.
    when: how == 'reject'
result: went on
",
        ),
        (
            "actions/action_x.yml",
            "steps: [{ use: end, with: { how: \"{{ slots.how }}\" }, as: came }, { say: \"{{ came }}\" }]\n",
        ),
    ])
    .await;
    let stopped = bot.call("action_x").slot("how", "stop").send().await;
    assert_eq!((stopped.said(), stopped.slots()), (vec![], json!([["reached", true]])));
    assert_eq!(bot.call("action_x").slot("how", "each").send().await.said(), ["1"]);
    assert_eq!(bot.call("action_x").slot("how", "none").send().await.said(), ["1", "2", "went on"]);
    let rejected = bot.call("action_x").slot("how", "reject").send().await;
    assert_eq!((rejected.status, rejected.json), (400, json!({ "error": "Not mine.", "action_name": "action_x" })));
}

#[tokio::test]
async fn shared_steps_may_use_others_but_never_come_back_to_themselves() {
    let bot = Bot::with(&[
        ("actions/shared/inner.yml", "inputs: { n: {} }\nsteps: [{ say: \"inner {{ n }}\" }]\nresult: \"{{ n + 1 }}\"\n"),
        ("actions/shared/outer.yml", "steps: [{ use: inner, with: { n: 1 }, as: a }, { use: inner, with: { n: \"{{ a }}\" }, as: b }]\nresult: \"{{ b }}\"\n"),
        ("actions/action_x.yml", "steps: [{ use: outer, as: c }, { say: \"{{ c }}\" }]\n"),
    ])
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["inner 1", "inner 2", "3"]);

    let found = problems(&[
        ("actions/shared/a.yml", "steps: [{ say: a }, { use: b }]\n"),
        ("actions/shared/b.yml", "steps: [{ use: c }]\n"),
        ("actions/shared/c.yml", "steps: [{ use: a }]\n"),
        ("actions/shared/self.yml", "steps: [{ each: \"[1]\", as: i, steps: [{ use: self }] }]\n"),
        ("actions/action_x.yml", "steps: [{ use: a }, { use: self }]\n"),
    ]);
    let expected = [
        "shared-cycle actions/shared/c.yml:1 `a` uses itself by way of `b`, `c`",
        "shared-cycle actions/shared/self.yml:1 `self` uses itself",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_long_row_of_shared_files_is_refused_and_a_wide_one_is_compiled_once() {
    let deep: Vec<_> =
        (0..200).map(|n| (format!("actions/shared/s{n}.yml"), format!("steps: [{{ use: s{} }}]\n", n + 1))).collect();
    let mut files: Vec<_> = deep.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("actions/shared/s200.yml", "steps: [{ say: end }]\n"));
    files.push(("actions/action_x.yml", "steps: [{ use: s0 }]\n"));
    assert!(problems(&files).iter().all(|line| line.starts_with("shared-cycle")));
    assert!(!problems(&files).is_empty());
    // Every file uses the next one four times: compiled anew at each use, 4 to the power of 24 steps would be made.
    let wide: Vec<_> = (0..24)
        .map(|n| {
            (
                format!("actions/shared/s{n:02}.yml"),
                format!("steps: [{}]\n", vec![format!("{{ use: s{:02} }}", n + 1); 4].join(", ")),
            )
        })
        .collect();
    let mut files: Vec<_> = wide.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("actions/shared/s24.yml", "steps: [{ stop: true }]\n"));
    files.push(("actions/action_x.yml", "steps: [{ use: s00 }]\n"));
    assert_eq!(problems(&files), [""; 0]);
}

#[tokio::test]
async fn shared_values_are_constants_whose_absent_keys_are_null() {
    let bot = Bot::with(&[
        ("actions/shared/rates.yml", "values: { gold: { rate: 0.1, perks: [lounge] }, basic: { rate: 0 } }\n"),
        ("actions/shared/colors.yml", "values: [red, green]\n"),
        ("actions/action_x.yml", "
inputs: { tier: {} }
steps:
  - use: rates
  - use: colors
    as: palette
  - set: { rate: \"{{ rates[tier].rate if rates[tier] else null }}\", perks: \"{{ rates.gold.perks }}\", absent: \"{{ rates.gold.nothing }}\", second: \"{{ palette[1] }}\" }
"),
    ])
    .await;
    let answer = bot.call("action_x").slot("tier", "gold").send().await;
    assert_eq!(answer.slots(), json!([["rate", 0.1], ["perks", ["lounge"]], ["absent", null], ["second", "green"]]));
    assert_eq!(bot.call("action_x").slot("tier", "platinum").send().await.slot("rate"), &json!(null));
    let found = problems(&[
        ("actions/shared/rates.yml", "values: { gold: 1 }\n"),
        ("actions/action_x.yml", "steps: [{ use: rates, with: { x: 1 } }, { use: rats }]\n"),
    ]);
    assert!(found[0].starts_with("misplaced-key") && found[1].starts_with("unknown-shared"), "{found:?}");
}

#[tokio::test]
async fn a_wait_that_is_meant_waits_and_one_past_the_end_of_the_turn_ends_it() {
    let bot = Bot::with(&[
        ("legwork.yml", "turn: { give_up_after: 10s, channels: { hasty: { give_up_after: 50ms } } }\n"),
        ("actions/action_x.yml", "steps: [{ wait: 100ms }, { say: done }]\n"),
        (
            "actions/action_own.yml",
            "turn: { give_up_after: 60ms }\nsteps: [{ say: hold on }, { wait: 10m }, { say: never }]\n",
        ),
    ])
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["done"]);
    let late = "That is taking longer than it should, and I have no answer right now. Please try again in a few minutes.";
    assert_eq!(bot.call("action_x").channel("hasty").send().await.said(), [late]);
    assert_eq!(bot.call("action_own").send().await.said(), ["hold on", late]);
}

#[tokio::test]
async fn a_mistake_of_the_author_leaves_what_was_said_and_tells_the_operator_where() {
    let bot = bot("
steps:
  - set: { a: 1 }
  - say: So far so good.
  - event: pause
  - say: \"{{ slots.text | money }}\"
  - say: Never.
")
    .await;
    bot.expect_error("actions/action_x.yml:6");
    let answer = bot.call("action_x").slot("text", "no number").send().await;
    let wrong = "Something went wrong on our side, so I'd rather not tell you anything wrong. Please try again later.";
    assert_eq!(answer.said(), ["So far so good.", wrong]);
    assert_eq!(answer.events(), json!([{ "event": "slot", "name": "a", "value": 1 }, { "event": "pause" }]));
    assert!(!bot.log().contains("no number"), "a value of the user is in the log");
}

#[tokio::test]
async fn steps_that_cannot_run_or_do_two_things_are_found() {
    for (steps, code) in [
        ("[{ stop: true }, { say: never }]", "unreachable-step"),
        ("[{ say: a, set: { b: 1 } }]", "step-verb"),
        ("[{ when: slots.a }]", "step-verb"),
        ("[{ say: a, as: b }]", "misplaced-key"),
        ("[{ continue: 1 }]", "misplaced-key"),
        ("[{ accept: value }]", "misplaced-key"),
        ("[{ each: slots.a }]", "missing-key"),
        ("[{ each: slots.a, as: b, collect: 1 }]", "missing-key"),
        ("[{ choose: [{ otherwise: [{ stop: true }] }, { when: slots.a, steps: [{ say: a }] }] }]", "step-verb"),
        ("[{ let: { a: 1 } }, { let: { a: 2 } }]", "shadowed-name"),
        ("[{ let: { slots: 1 } }]", "shadowed-name"),
        ("[{ together: [{ let: { a: 1 } }, { let: { a: 2 } }] }]", "shadowed-name"),
        ("[{ together: [{ let: { a: 1 } }, { say: \"{{ a }}\" }] }]", "unknown-name"),
    ] {
        let text = format!("steps: {steps}\n");
        let found = problems(&[("actions/action_x.yml", &text)]);
        assert!(found.iter().any(|line| line.starts_with(code)), "{steps}: {found:?}");
    }
}
