//! Results of shared steps that are kept as one for all conversations.

use pretty_assertions::assert_eq;

use crate::support::{Bot, problems};

/// Nothing of its own is kept: whatever is the same as before was kept as a part of a result.
pub const DIARY: (&str, &str) = (
    "connectors/diary.yml",
    "
kind: sql
description: Notes and who wrote them.
database: ':memory:'
tables: [{ create: 'create table notes (who text, text text)' }]
operations:
  notes: { inputs: { who: {} }, sql: select text from notes where who = :who order by text }
  people: { sql: select distinct who from notes order by who }
  strict:
    inputs: { who: {} }
    sql: select text from notes where who = :who limit 1
    take: one
  note: { kind: write, inputs: { who: {}, text: {} }, sql: 'insert into notes values (:who, :text)', take: none, drops: [notes] }
  secretly: { kind: write, inputs: { who: {}, text: {} }, sql: 'insert into notes values (:who, :text)', take: none, drops: [] }
",
);

const SHARED: &str = "
inputs: { who: {} }
steps:
  - together:
      - { call: diary.notes, with: { who: '{{ who }}' }, as: notes }
      - { call: diary.people, as: people }
result: '{{ notes | length }} of {{ people | length }}'
cache: 15m
";

const TELL: (&str, &str) = (
    "actions/tell.yml",
    "steps: [{ use: summary, with: { who: '{{ slots.who }}' }, as: known }, { say: 'Known: {{ known }}.' }]\n",
);

fn write(operation: &str) -> String {
    format!("steps: [{{ call: diary.{operation}, with: {{ who: '{{{{ slots.who }}}}', text: x }} }}]\n")
}

async fn bot(settings: &str, shared: &str) -> Bot {
    let (note, secretly) = (write("note"), write("secretly"));
    Bot::with(&[
        ("legwork.yml", settings),
        DIARY,
        TELL,
        ("actions/shared/summary.yml", shared),
        ("actions/note.yml", &note),
        ("actions/secretly.yml", &secretly),
    ])
    .await
}

const PLAIN: &str = "connections: { diary: { connector: diary } }\n";

async fn told(bot: &Bot, who: &str) -> Vec<String> {
    let answer = bot.call("tell").slot("who", who).sender(&format!("conversation of {who}")).send().await;
    answer.said().into_iter().map(str::to_owned).collect()
}

async fn does(bot: &Bot, action: &str, who: &str) {
    let answer = bot.call(action).slot("who", who).send().await;
    assert_eq!(answer.said(), [""; 0]);
}

#[tokio::test]
async fn a_result_is_kept_for_its_inputs_until_a_write_outdates_a_part_of_it() {
    let bot = bot(PLAIN, SHARED).await;
    assert_eq!(told(&bot, "anna").await, ["Known: 0 of 0."]);
    does(&bot, "secretly", "anna").await;
    assert_eq!(told(&bot, "anna").await, ["Known: 0 of 0."], "what nobody said was changed is kept");
    assert_eq!(told(&bot, "bert").await, ["Known: 0 of 1."], "other inputs are another result");
    does(&bot, "note", "bert").await;
    assert_eq!(told(&bot, "anna").await, ["Known: 1 of 2."]);
    assert_eq!(told(&bot, "bert").await, ["Known: 1 of 2."]);
}

#[tokio::test]
async fn a_result_is_as_good_as_new_for_its_time_and_its_age_is_said() {
    let bot = bot(PLAIN, SHARED).await;
    assert_eq!(told(&bot, "anna").await, ["Known: 0 of 0."]);
    does(&bot, "secretly", "anna").await;
    bot.later(14).await;
    assert_eq!(told(&bot, "anna").await, ["This is as of 14 minutes ago.", "Known: 0 of 0."]);
    bot.later(1).await;
    assert_eq!(told(&bot, "anna").await, ["Known: 1 of 1."]);
}

#[tokio::test]
async fn a_result_with_a_part_that_did_not_end_well_is_not_kept() {
    let shared = "
inputs: { who: {} }
steps:
  - call: diary.strict
    with: { who: '{{ who }}' }
    as: note
    outcomes: { not_found: [{ continue: null }] }
result: '{{ note.text if note else none }}'
cache: 15m
";
    let bot = bot(PLAIN, shared).await;
    assert_eq!(told(&bot, "anna").await, ["Known: ."]);
    does(&bot, "secretly", "anna").await;
    assert_eq!(told(&bot, "anna").await, ["Known: x."]);
}

#[tokio::test]
async fn what_a_connection_does_not_keep_is_not_kept_in_a_result() {
    for rule in ["cache: off", "cache: { people: off }"] {
        let bot = bot(&format!("connections: {{ diary: {{ connector: diary, {rule} }} }}\n"), SHARED).await;
        assert_eq!(told(&bot, "anna").await, ["Known: 0 of 0."]);
        does(&bot, "secretly", "anna").await;
        assert_eq!(told(&bot, "anna").await, ["Known: 1 of 1."], "{rule}");
    }
}

#[test]
fn only_what_comes_of_reads_and_inputs_can_be_kept() {
    let call = "{ call: diary.people, as: people }";
    for (shared, wrong) in [
        (format!("steps: [{call}]\nresult: '{{{{ people }}}}'\ncache: soon\n"), "bad-value actions/shared/summary.yml:3"),
        (format!("steps: [{call}]\ncache: 1m\n"), "missing-key actions/shared/summary.yml:2 only a `result` can be kept"),
        (
            format!("steps: [{call}, {{ say: Hi. }}]\nresult: '{{{{ people }}}}'\ncache: 1m\n"),
            "misplaced-key actions/shared/summary.yml:1 `say` does something",
        ),
        (
            format!("steps: [{call}, {{ call: diary.note }}]\nresult: '{{{{ people }}}}'\ncache: 1m\n"),
            "misplaced-key actions/shared/summary.yml:1 note changes something",
        ),
        (
            "steps: [{ call: diary.people, as: people, refresh: true }]\nresult: '{{ people }}'\ncache: 1m\n".to_owned(),
            "misplaced-key actions/shared/summary.yml:1 the call goes past what is kept",
        ),
        (
            format!("steps: [{call}]\nresult: '{{{{ people }}}} {{{{ slots.who }}}}'\ncache: 1m\n"),
            "misplaced-key actions/shared/summary.yml:3 what is kept for all conversations cannot depend on `slots`",
        ),
        (
            format!("steps: [{call}]\nresult: '{{{{ people }}}} {{{{ verified.email }}}}'\ncache: 1m\n"),
            "misplaced-key actions/shared/summary.yml:3 what is kept for all conversations cannot depend on `verified`",
        ),
        (
            "steps: [{ call: diary.people, as: people, require: verified }]\nresult: '{{ people }}'\ncache: 1m\n".to_owned(),
            "misplaced-key actions/shared/summary.yml:3 what is kept for all conversations cannot depend on `verified`",
        ),
        (
            format!("steps: [{{ use: own, as: own }}, {call}]\nresult: '{{{{ own }}}} {{{{ people }}}}'\ncache: 1m\n"),
            "misplaced-key actions/shared/summary.yml:3 what is kept for all conversations cannot depend on `verified`",
        ),
        (
            format!("steps: [{{ verify_code: '123' }}, {call}]\nresult: '{{{{ people }}}}'\ncache: 1m\n"),
            "misplaced-key actions/shared/summary.yml:1 `verify_code` does something",
        ),
        ("values: { a: 1 }\ncache: 1m\n".to_owned(), "misplaced-key actions/shared/summary.yml:1 a shared file has"),
    ] {
        let tell = ("actions/tell.yml", "steps: [{ use: summary, as: known }, { say: '{{ known }}' }]\n");
        let own =
            ("actions/shared/own.yml", "require: verified\nsteps: [{ call: diary.people, as: p }]\nresult: '{{ p }}'\n");
        let found = problems(&[("legwork.yml", PLAIN), DIARY, tell, own, ("actions/shared/summary.yml", &shared)]);
        assert!(found.iter().any(|line| line.starts_with(wrong)), "{shared}{found:?}");
    }
    let sound = "inputs: { who: { from: '{{ slots.who }}' } }\nsteps: [{ call: diary.notes, with: { who: '{{ who }}' }, as: \
                 notes }]\nresult: '{{ notes | length }} {{ locale }}'\ncache: 1m\n";
    let tell = ("actions/tell.yml", "steps: [{ use: summary, as: known }, { say: '{{ known }}' }]\n");
    let found = problems(&[("legwork.yml", PLAIN), DIARY, tell, ("actions/shared/summary.yml", sound)]);
    assert_eq!(found, [""; 0]);
}
