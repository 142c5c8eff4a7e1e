//! Stories, rules and test cases as `legwork test` plays them: what is held, what is taken, and what is printed.

use pretty_assertions::assert_eq;

use crate::support::{legwork, project};

const DOMAIN: &str = "
intents: [greet, order_status, inform, open, chitchat, restart]
entities: [order_id, city]
slots:
  order_id: { type: text, mappings: [{ type: from_entity, entity: order_id }] }
  order_status: { type: text, mappings: [{ type: custom }] }
  size: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: size_form, requested_slot: size }] }] }
  from: { type: text, mappings: [{ type: from_entity, entity: city, role: from }] }
  tier: { type: text, mappings: [{ type: custom, action: action_tier }] }
  mood: { type: text, mappings: [{ type: from_llm }] }
forms: { size_form: { required_slots: [size], ignored_intents: [chitchat] } }
responses:
  utter_greet: [{ text: Hello! }]
  utter_ask_size: [{ text: Which size? }]
  utter_known: [{ text: \"It is {order_status}.\" }]
actions: [action_session_start, action_order, action_first, action_second, action_theirs, action_sized, action_tier, validate_size_form]
";

const ACTIONS: [(&str, &str); 7] = [
    ("actions/action_session_start.yml", "steps: [{ set: { order_status: none yet } }]\n"),
    (
        "actions/action_order.yml",
        "inputs: { order_id: {} }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
    outcomes: { not_found: [{ reject: not that one }] }
  - set: { order_status: \"{{ order.status }}\" }
  - say: [\"{{ order.number }}\", { response: utter_known, with: { order_status: \"{{ order.status }}\" } }]
",
    ),
    ("actions/action_first.yml", "steps: [{ say: One moment. }, { event: { followup: action_second } }]\n"),
    ("actions/action_second.yml", "steps: [{ set: { mood: \"{{ metadata.mood or 'fine' }}\" } }, { say: Done. }]\n"),
    ("actions/action_sized.yml", "inputs: { size: {} }\nsteps: [{ say: \"Size {{ size }}.\" }]\n"),
    ("actions/action_tier.yml", "steps: [{ set: { tier: \"{{ 'gold' if slots.order_id else 'none' }}\" } }]\n"),
    ("actions/validate_size_form.yml", "slots: { size: { format: { enum: [S, M] }, refuse: S or M? } }\n"),
];

/// Runs these files in a project with the actions above: exit code, and what was printed and complained.
fn test_with(files: &[(&str, &str)], words: &[&str]) -> (Option<i32>, String) {
    let all: Vec<_> =
        ACTIONS.iter().copied().chain([("domain.yml", DOMAIN), ("legwork.yml", "")]).chain(files.iter().copied()).collect();
    let folder = project(&all);
    let ran = legwork(folder.path(), &[&["test"], words].concat());
    (ran.code, ran.printed + &ran.complained)
}

/// Plays a file of stories.
fn play(name: &str, text: &str) -> (Option<i32>, String) {
    test_with(&[(name, text)], &[name])
}

#[test]
fn what_actions_set_and_say_is_held_against_the_story() {
    let (code, printed) = play(
        "s/test_a.yml",
        "
stories:
  - story: all is as it says
    steps:
      - slot_was_set: [order_status: none yet]
      - user: \"where is [1001](order_id) from [Rome]{\\\"entity\\\": \\\"city\\\", \\\"role\\\": \\\"from\\\"}\"
        intent: order_status
      - slot_was_set: [order_id: '1001', from: Rome, tier: gold]
      - action: action_order
      - slot_was_set: [order_status: shipped]
      - bot: '1001'
      - bot: It is shipped.
      - intent: greet
      - action: utter_greet
      - action: action_first
      - action: action_second
      - slot_was_set: [mood]
      - bot: Done.
  - story: nothing is
    steps:
      - user: where is [1002](order_id)
        intent: order_status
      - slot_was_set: [order_id: '7']
      - action: action_order
      - slot_was_set: [order_status: shipped]
      - bot: Hi.
      - action: action_first
      - action: action_order
      - action: action_ordr
      - slot_was_set: [oder_id: 1]
      - user: '/order_status{\"order_id\": \"9999\"}'
        intent: order_status
      - action: action_order
",
    );
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(1),
            "\
ok   test story: all is as it says
FAIL test story: nothing is
     s/test_a.yml:19
       s/test_a.yml:23: slot_was_set `order_id` after the message
         expected  \"7\"
         came      \"1002\"
       s/test_a.yml:25: slot_was_set `order_status` after `action_order`
         expected  \"shipped\"
         came      \"pending\"
       s/test_a.yml:26: what is said
         expected  Hi.
         came      1002  (action_order)
                   It is pending.  (action_order)
       s/test_a.yml:27: what runs next
         expected  `action_order`
         came      `action_second`, for which `action_first` asks
       s/test_a.yml:29: action_ordr
         expected  an action, a form or a response of the domain
         came      there is none of that name; did you mean `action_order`?
       s/test_a.yml:30: slot `oder_id`
         expected  a slot of the domain
         came      there is none of that name; did you mean `order_id`?
       s/test_a.yml:33: action_order
         expected  it runs
         came      it declines: not that one

not known here, so taken from the stories: 2 × what a text means

1 passed, 1 failed
"
        )
    );
}

#[test]
fn forms_are_played_and_end_by_themselves() {
    let (code, printed) = play(
        "test_f.yml",
        "
stories:
  - story: to the end
    steps:
      - { user: a shirt, intent: open }
      - action: size_form
      - active_loop: size_form
      - bot: Which size?
      - { user: huge, intent: inform }
      - action: size_form
      - slot_was_set: [requested_slot: size, size: null]
      - bot: S or M?
      - { user: by the way, intent: chitchat }
      - action: utter_greet
      - action: size_form
      - bot: Which size?
      - { user: m, intent: inform }
      - action: size_form
      - active_loop: null
      - slot_was_set: [size: M, requested_slot: null]
      - action: action_sized
      - bot: Size M.
  - story: not there yet
    steps:
      - { user: a shirt, intent: open }
      - action: size_form
      - active_loop: null
      - { user: by the way, intent: chitchat }
      - action: size_form
",
    );
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(1),
            "\
ok   test story: to the end
FAIL test story: not there yet
     test_f.yml:23
       test_f.yml:27: active_loop
         expected  no form
         came      `size_form`
       test_f.yml:29: size_form
         expected  the form goes on
         came      it declines, since nothing in the message fills `size`, and Rasa looks for something else to do

not known here, so taken from the stories: 6 × what a text means

1 passed, 1 failed
"
        )
    );
}

#[test]
fn what_a_training_story_leaves_out_is_not_held_against_actions() {
    let (code, printed) = play(
        "data/stories.yml",
        "
stories:
  - story: the answers of the form are left out
    steps:
      - intent: open
      - action: size_form
      - active_loop: size_form
      - active_loop: null
      - action: action_sized
      - bot: Size M.
  - story: the slot is told
    steps:
      - intent: open
      - action: size_form
      - active_loop: size_form
      - active_loop: null
      - slot_was_set: [size: M]
      - action: action_sized
      - bot: Size M.
  - story: another server's action
    steps:
      - intent: order_status
        entities: [order_id: '1001']
      - action: action_theirs
      - slot_was_set: [mood: good]
      - action: action_order
      - slot_was_set: [mood: good, order_status: shipped]
  - story: only another's
    steps: [{ intent: greet }, { action: action_theirs }]
rules:
  - rule: only words
    steps: [{ intent: greet }, { action: utter_greet }]
  - rule: after the form
    condition: [{ active_loop: size_form }, { slot_was_set: [size: S] }]
    steps: [..., { action: size_form }, { active_loop: null }, { action: action_sized }]
",
    );
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(0),
            "\
ok   story: the answers of the form are left out
     note: action_sized was not run: the story does not say what `size_form` was told (size)
ok   story: the slot is told
ok   story: another server's action
     note: not run, since the project does not have it: action_theirs
skip story: only another's (the project does not have action_theirs)
skip rule: only words (it runs no action of the project)
ok   rule: after the form

not known here, so taken from the stories: 2 × the value of a slot, 1 × a message of the assistant's own

4 passed, 0 failed, 2 skipped
"
        )
    );
}

#[test]
fn alternatives_and_checkpoints_make_ways() {
    let (code, printed) = play(
        "data/ways.yml",
        "
stories:
  - story: begin
    steps:
      - or: [{ intent: greet }, { intent: inform }]
      - action: action_second
      - checkpoint: then
  - story: one
    steps: [{ checkpoint: then }, { intent: greet }, { action: action_second }]
  - story: two
    steps: [{ checkpoint: then }, { intent: inform }, { action: action_second }, { checkpoint: then }]
  - story: alone
    steps: [{ checkpoint: nowhere }, { intent: greet }, { action: action_second }]
",
    );
    assert_eq!(code, Some(0), "{printed}");
    for line in [
        "ok   story: begin (greet) + one\n",
        "ok   story: begin (inform) + one\n",
        "ok   story: begin (greet) + two + one\n",
        "     note: nothing leads to its checkpoint `nowhere`: it begins there\n",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}

#[test]
fn test_cases_have_fixtures_metadata_stubs_and_assertions() {
    let (code, printed) = play(
        "e2e/cases.yml",
        "
fixtures: [{ known: [order_id: '1001'] }, { map: { mood: sad } }]
metadata: [{ vip: { mood: proud } }]
stub_custom_actions:
  action_theirs: { events: [{ event: slot, name: mood, value: stubbed }], responses: [{ text: From a stub. }] }
  special::action_theirs: { events: [], responses: [{ text: Only here. }] }
test_cases:
  - test_case: by assertions
    fixtures: [known]
    metadata: vip
    steps:
      - user: where is it
        assertions:
          - flow_started: { operator: all, flow_ids: [track] }
          - action_executed: action_order
          - slot_was_set: [{ name: order_status, value: shipped }, { name: tier }]
          - slot_was_not_set: [{ name: mood }]
          - bot_uttered: { text_matches: is ship+ed }
          - bot_uttered: { utter_name: utter_known }
          - bot_did_not_utter: { utter_name: utter_greet }
      - user: and now
        assertions: [{ action_executed: action_first }, { slot_was_set: [{ name: mood, value: proud }] }, { bot_uttered: { text_matches: Done } }]
  - test_case: by steps
    steps:
      - user: where is 1001
      - slot_was_set: [order_id: '1001']
      - slot_was_set: [order_status: shipped]
      - utter: utter_greet
      - bot: 1001
  - test_case: special
    steps: [{ user: x, assertions: [{ action_executed: action_theirs }, { action_executed: action_second }, { bot_uttered: { text_matches: ^Only here } }] }]
  - test_case: wrong
    fixtures: [map]
    steps:
      - user: x
        assertions: [{ action_executed: action_second }, { slot_was_set: [{ name: mood, value: sad }] }, { slot_was_not_set: [{ name: mood, value: fine }] }, { bot_did_not_utter: { text_matches: Done } }]
",
    );
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(1),
            "\
ok   test case: by assertions
ok   test case: by steps
     note: no step names an action after message 1: action_order was run, which alone sets what is set then
ok   test case: special
FAIL test case: wrong
     e2e/cases.yml:32
       e2e/cases.yml:36: slot_was_set `mood` after `action_second`
         expected  \"sad\"
         came      \"fine\"
       e2e/cases.yml:36: slot_was_not_set `mood`
         expected  anything but \"fine\"
         came      \"fine\"
       e2e/cases.yml:36: what is not said
         expected  not Done
         came      Done.  (action_second)

not known here, so taken from the stories: 5 × what a text means, 1 × the value of a slot, 1 × a message of the assistant's own, 1 × an assertion that needs a model

3 passed, 1 failed
"
        )
    );
}

#[test]
fn files_are_found_chosen_and_reported_in_every_form() {
    let story = |name: &str, status: &str| {
        format!(
            "stories:\n  - story: {name}\n    steps:\n      - intent: order_status\n        entities: [order_id: '1001']\n      - action: action_order\n      - slot_was_set: [order_status: {status}]\n"
        )
    };
    let (good, bad) = (story("good", "shipped"), story("bad <&>", "lost"));
    let files = [("data/good.yml", good.as_str()), ("data/nlu.yml", "nlu: [\n"), ("tests/deep/bad.yml", bad.as_str())];
    let (code, printed) = test_with(&files, &["--format", "github"]);
    assert_eq!(
        (code, printed.as_str()),
        (
            Some(1),
            "::error file=tests/deep/bad.yml,line=7,col=24,title=story%3A bad <&>::slot_was_set `order_status` after `action_order`%0Aexpected  \"lost\"%0Acame      \"shipped\"\n1 passed, 1 failed\n"
        )
    );
    let (code, printed) = test_with(&files, &["data", "--format", "json"]);
    let first: serde_json::Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    assert_eq!((code, &first["outcome"], &first["at"]["line"]), (Some(0), &"passed".into(), &2.into()));
    let (code, printed) = test_with(&files, &["-n", "good"]);
    assert!(code == Some(0) && printed.ends_with("1 passed, 0 failed\n"), "{printed}");
    let (code, printed) = test_with(&files, &["data", "--fault", "shop=down"]);
    assert!(code == Some(1) && printed.contains("came      \"none yet\""), "{printed}");
    let (_, printed) = test_with(&files, &["tests", "data", "--fail-fast"]);
    assert!(printed.ends_with("0 passed, 1 failed, 1 not run\n"), "{printed}");
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("out.xml");
    let (code, _) = test_with(&files, &["--junit", junit.to_str().unwrap()]);
    let written = std::fs::read_to_string(&junit).unwrap();
    assert!(code == Some(1) && written.contains("<testcase name=\"bad &lt;&amp;&gt;\" classname=\"story\""), "{written}");
}

#[test]
fn what_cannot_be_played_is_said() {
    let (code, printed) = play("bad.yml", "stories:\n  - story: s\n    steps: [{ intnt: greet }]\n");
    assert!(code == Some(1) && printed.contains("did you mean `intent`?"), "{printed}");
    let (code, printed) = play(
        "cases.yml",
        "test_cases: [{ test_case: a, fixtures: [ther], steps: [{ user: x }] }]\nfixtures: [{ there: [] }]\n",
    );
    assert!(code == Some(1) && printed.contains("did you mean `there`?"), "{printed}");
    for words in [["nowhere.yml"], ["domain.yml"], ["--fault=shp=down"]] {
        let (code, printed) = test_with(&[], &words);
        assert_eq!(code, Some(2), "{printed}");
    }
    let (code, _) = test_with(&[("empty/x.yml", "a: 1\n")], &["empty"]);
    assert_eq!(code, Some(2));
}
