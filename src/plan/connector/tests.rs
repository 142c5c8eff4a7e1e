//! What is wrong with a connector's file is said with its place, its code and a cure.

use super::*;
use crate::diag::{Code, Diagnostic, Diagnostics, File};
use crate::format::Format;
use crate::spec::{Shape as _, connector as spec, yaml};

fn compiled(text: &str) -> (Option<Connector>, Vec<Diagnostic>) {
    let files = Files::from([
        ("orders.csv".to_owned(), Ok("no,total\n1,2.5\n".to_owned())),
        ("ragged.csv".to_owned(), Ok("a,b\n1\n".to_owned())),
        ("gone.csv".to_owned(), Err("there is no such file".to_owned())),
    ]);
    let mut out = Diagnostics::default();
    let written = spec::Connector::read(&yaml::parse(&File::new("own.yml", text)).unwrap(), &mut out).unwrap();
    assert!(out.is_empty(), "{:?}", out.into_sorted());
    compile_connector("own", &written, &Beside { files: &files, formats: Some(&Formats::new()) })
}

/// A connector whose one operation is `operation`, YAML in flow style.
fn with(operation: &str) -> String {
    format!("kind: sql\ndatabase: ':memory:'\noperations:\n  other: {{ sql: select 1 }}\n  find: {operation}\n")
}

fn sound(text: &str) -> Connector {
    let (connector, diagnostics) = compiled(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    connector.unwrap()
}

/// What is said of a file: code, the text at the place, message, cure.
fn said(text: &str) -> Vec<(Code, String, String, String)> {
    let (connector, diagnostics) = compiled(text);
    let errors = diagnostics.iter().any(|d| d.severity() == crate::diag::Severity::Error);
    assert_eq!(connector.is_none(), errors, "{diagnostics:?}");
    let place = |d: &Diagnostic| {
        let span = d.span.as_ref().unwrap();
        span.file.text[span.range.clone()].to_owned()
    };
    diagnostics.iter().map(|d| (d.code, place(d), d.message.clone(), d.help.clone().unwrap_or_default())).collect()
}

/// Expects exactly one diagnostic, whose place is `at` and whose message and cure hold `says`.
#[track_caller]
fn one(text: &str, code: Code, at: &str, says: &str) {
    let said = said(text);
    assert_eq!(said.len(), 1, "{said:#?}");
    let (found, place, message, help) = &said[0];
    assert_eq!((*found, place.trim_start_matches("{ ")), (code, at), "{message}");
    assert!(format!("{message}; {help}").contains(says), "{message}; {help}");
}

#[test]
fn a_sound_file_becomes_a_connector() {
    let connector = sound(
        "
kind: sql
description: Orders in a file.
settings: { file: { default: a.db, pattern: '[a-z]+\\.db', description: Where. } }
database: '{{ settings.file }}'
tables: [{ csv: orders.csv, name: o }, { create: create table x (a) }]
operations:
  find:
    inputs: { number: { required: true, format: integer, description: Which. }, kind: { format: { enum: [a, b] }, default: a } }
    model: [Order]
    cache: { fresh: 30s }
    sql: select * from o where no = :number and :kind is not null
    outcomes: { denied: { when: 'not rows', say: 'No {{ number }}.' } }
    answer: { number: '{{ row.no }}', status: shipped, placed_at: '{{ now }}', total: { amount: '{{ row.total }}', currency: EUR } }
    examples: [{ inputs: { number: 1 }, outcome: denied }]
  cancel: { kind: payment, drops: [find], steps: [{ as: gone, sql: delete from o, take: none, when: now }], answer: '{{ gone.changed }}' }
",
    );
    let find = &connector.operations["find"];
    assert_eq!((find.kind, find.many, find.model.map(|model| model.name)), (OperationKind::Read, true, Some("Order")));
    assert!(find.input("number").is_some_and(|input| input.required && input.doc == "Which."));
    assert!(matches!(&find.input("kind").unwrap().format, Some(Format::Enum(choices)) if choices.len() == 2));
    let Some(CacheRule::Own(keep)) = find.cache else { panic!("{:?}", find.cache) };
    assert_eq!((keep.fresh, keep.stale), (keep.missing, keep.fresh));
    assert_eq!(find.examples[0].place, "own.yml:15");
    assert_eq!(connector.operations["cancel"].drops[0].as_str(), "find");
    assert!(connector.setting("file").is_some_and(|file| file.accepts("b.db").is_ok() && file.accepts("../b.db").is_err()));
    let System::Sql(system) = &connector.system else { panic!("it is of `kind: sql`") };
    let names: Vec<_> = system.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["o", "create table x (a)"]);
}

#[test]
fn names_that_nothing_gives_a_value_are_found_everywhere() {
    let inputs = "inputs: { number: {} }";
    one(
        &with(&format!("{{ {inputs}, sql: 'select :number, :nmuber' }}")),
        Code::UnknownName,
        ":nmuber",
        "did you mean `number`?",
    );
    one(
        &with(&format!("{{ {inputs}, sql: 'select :number', take: one, answer: {{ a: ['{{{{ rwo.x }}}}'] }} }}")),
        Code::UnknownName,
        "rwo.x",
        "did you mean `row`?",
    );
    one(&with("{ sql: select 1, outcomes: { denied: 'rows and sekret' } }"), Code::UnknownName, "sekret", "`sekret`");
    one(&with("{ steps: [{ sql: 'select :b' }, { as: b, sql: select 1 }] }"), Code::UnknownName, ":b", "nothing gives `:b`");
    one(&with("{ steps: [{ when: b, sql: select 1, as: b }] }"), Code::UnknownName, "b", "nothing gives `b`");
    one(
        "kind: sql\ndatabase: '{{ settings.fiel }}'\nsettings: { file: {} }\noperations: { a: { sql: select 1 } }\n",
        Code::UnknownName,
        "settings.fiel",
        "`file`",
    );
}

#[test]
fn statements_that_cannot_be_bound_safely_are_refused() {
    one(&with("{ inputs: { a: {} }, sql: \"select '{{ a }}'\" }"), Code::BadSql, "{{", "spliced");
    one(&with("{ sql: select 1; drop table x }"), Code::BadSql, "d", "one `sql` is one statement");
    one(&with("{ sql: delete from x }"), Code::BadSql, "delete from x", "kind: write");
    one(&with("{ kind: write, sql: select 1 }"), Code::BadSql, "find", "changes nothing");
    let on = |database: &str| {
        format!(
            "kind: sql\ndatabase: '{database}'\nsettings: {{ it: {{}} }}\noperations: {{ find: {{ kind: write, sql: select book(1) }} }}\n"
        )
    };
    one(&on("data/{{ settings.it }}.db"), Code::BadSql, "find", "changes nothing");
    for server in ["{{ settings.it }}", "postgres://localhost/shop", "postgresql://{{ settings.it }}/shop"] {
        assert_eq!(said(&on(server)).len(), 0, "a function of a server may change something: {server}");
    }
    one(&with("{ inputs: { a: {} }, sql: 'select 1 [[and a = :a' }"), Code::BadSql, "[[", "`]]`");
}

#[test]
fn what_an_operation_promises_is_held_against_the_model() {
    one(&with("{ model: Odrer, sql: select 1, take: one }"), Code::UnknownModel, "Odrer", "`Order`");
    one(&with("{ model: Order, sql: select 1 }"), Code::WrongType, "find", "`take` has to be `one`");
    one(&with("{ model: [Order], sql: select 1, take: first }"), Code::WrongType, "find", "`take` has to be `all`");
    let answer =
        |fields: &str| with(&format!("{{ model: Ticket, sql: select 1, answer: {{ number: a, subject: b, {fields} }} }}"));
    one(&answer("status: new, prioritty: low"), Code::UnknownField, "prioritty", "`priority`");
    one(&answer("status: opne"), Code::BadValue, "opne", "did you mean `open`?");
    one(&answer("status: new, requester: { mail: x }"), Code::UnknownField, "mail", "Contact");
    one(&answer("status: new, comments: [{ text: x, at: y }]"), Code::UnknownField, "at", "TicketComment");
    one(&answer("status: { a: b }"), Code::WrongType, "a: b", "one of new, open");
    let missing = said(&with("{ model: Ticket, sql: select 1, answer: { number: a } }"));
    assert_eq!(missing[0].0, Code::MissingKey);
    assert!(missing[0].2.contains("`subject`, `status`"), "{missing:?}");
}

#[test]
fn keys_that_do_not_go_together_are_said() {
    one(
        &with("{ sql: delete from x, kind: write, cache: { fresh: 1s } }"),
        Code::MisplacedKey,
        "fresh: 1s",
        "only answers of a read",
    );
    one(&with("{ sql: select 1, drops: [other] }"), Code::MisplacedKey, "other", "outdates nothing");
    one(&with("{ kind: write, sql: delete from x, drops: [othre] }"), Code::UnknownOperation, "othre", "`other`");
    one(&with("{ sql: select 1, steps: [{ sql: select 2 }] }"), Code::MisplacedKey, "select 1", "either `sql` or `steps`");
    one(&with("{ take: one, steps: [{ sql: select 2 }] }"), Code::MisplacedKey, "take", "`take` belongs to one of them");
    one(&with("{ description: x }"), Code::MissingKey, "find", "does nothing");
    one(&with("{ inputs: { a: { required: true, default: 1 } }, sql: 'select :a' }"), Code::MisplacedKey, "1", "default");
    one(&with("{ sql: select 1, cache: porfiles }"), Code::BadValue, "porfiles", "`profiles`");
    one(&with("{ sql: select 1, cache: { fresh: 5 } }"), Code::BadValue, "5", "unit");
    one(&with("{ sql: select 1, take: some }"), Code::BadValue, "some", "`one`");
    one(&with("{ kind: wriet, sql: select 1 }"), Code::BadValue, "wriet", "`write`");
}

#[test]
fn a_statement_can_refuse_and_stand_in_for_another() {
    let connector = sound(&with(
        "{ inputs: { a: {} }, steps: [{ as: b, when: a, sql: 'select :a' }, \
         { instead_of: [b], refuses: { denied: not a }, sql: select 2 }] }",
    ));
    let Work::Sql(statements) = &connector.operations["find"].work else { panic!("it is of `kind: sql`") };
    assert_eq!((statements[1].instead_of.as_slice(), statements[1].refusals.len()), ([0].as_slice(), 1));
    one(&with("{ refuses: { denied: rows }, sql: select 1 }"), Code::UnknownName, "rows", "`rows`");
}

#[test]
fn names_and_examples_are_checked() {
    one(&with("{ inputs: { now: {} }, sql: 'select :now' }"), Code::BadName, "now", "neither `now` nor `row`");
    one(
        &with("{ steps: [{ as: a, sql: select 1 }, { as: a, sql: select 2 }] }"),
        Code::ShadowedName,
        "a",
        "has a value already",
    );
    one(&with("{ inputs: { a: {} }, sql: select 1 }"), Code::UnusedInput, "a", "not used");
    one(&with("{ inputs: { a: { format: emial } }, sql: 'select :a' }"), Code::UnknownFormat, "emial", "`email`");
    one(&with("{ inputs: { a: { format: { enum: [] } } }, sql: 'select :a' }"), Code::BadValue, "[", "at least one value");
    one(&with("{ sql: select 1, outcomes: { not_fuond: rows } }"), Code::UnknownOutcome, "not_fuond", "`not_found`");
    one(&with("{ sql: select 1, examples: [{ inputs: { a: 1 }, answer: [] }] }"), Code::UnknownInput, "a", "no input `a`");
    one(&with("{ sql: select 1, examples: [{ outcome: gone }] }"), Code::UnknownOutcome, "gone", "no outcome");
    one(
        &with("{ sql: select 1, examples: [{ description: nothing }] }"),
        Code::MissingKey,
        "description: nothing",
        "either an `answer`",
    );
    one(&with("{ sql: select 1, outcomes: { denied: 'rows |' } }"), Code::BadTemplate, "|", "identifier");
    one(&with("{ sql: select 1, answer: '{{ rows | frist }}' }"), Code::UnknownFilter, "frist", "`first`");
}

#[test]
fn the_connector_itself_is_checked() {
    let operations = "operations: { a: { sql: select 1 } }\n";
    one(&format!("kind: queue\n{operations}"), Code::BadValue, "queue", "not built into this version");
    one(&format!("kind: sqlite\n{operations}"), Code::BadValue, "sqlite", "does not exist");
    one(&format!("kind: sql\n{operations}"), Code::MissingKey, "sql", "`database`");
    one(
        &format!("kind: sql\ndatabase: a.db\nsettings: {{ a: {{ pattern: '(' }} }}\n{operations}"),
        Code::BadValue,
        "'('",
        "regular expression",
    );
    one(&format!("kind: sql\ndatabase: a.db\nsettings: {{ mode: {{}} }}\n{operations}"), Code::BadName, "mode", "`mode`");
    one(
        &format!("kind: sql\ndatabase: a.db\nsettings: {{ a: {{ pattern: x, default: y }} }}\n{operations}"),
        Code::BadValue,
        "y",
        "match",
    );
    one("kind: sql\ndatabase: a.db\noperations: { a b: { sql: select 1 } }\n", Code::BadName, "a b", "letters");
    let pool = |keys: &str| format!("kind: sql\ndatabase: a.db\npool: {{ {keys} }}\n{operations}");
    one(&pool("size: 0"), Code::BadValue, "0", "from 1 to 500");
    one(&pool("size: 501"), Code::BadValue, "501", "from 1 to 500");
    one(&pool("connect_timeout: 0s"), Code::BadValue, "0s", "longer than nothing");
    one(&pool("statement_timeout: soon"), Code::BadValue, "soon", "duration");
    let reads = format!("kind: sql\ndatabase: a.db\nreads: '{{{{ settings.copy }}}}'\n{operations}");
    one(&reads, Code::UnknownName, "settings.copy", "no setting `copy`");
    let tables = |entries: &str| format!("kind: sql\ndatabase: a.db\ntables: [{entries}]\n{operations}");
    one(&tables("{ csv: gone.csv }"), Code::Unreadable, "gone.csv", "there is no such file");
    one(&tables("{ csv: ragged.csv }"), Code::BadValue, "ragged.csv", "line 2 has 1 fields");
    one(&tables("{ csv: orders.csv, json: x }"), Code::WrongType, "csv: orders.csv, json: x", "exactly one");
    one(&tables("{ csv: orders.csv }, { create: x, name: orders }"), Code::DuplicateName, "orders", "another `name`");
    one(&tables("{ csv: orders.csv, name: my table }"), Code::BadName, "my table", "letters");
}

#[test]
fn first_use_belongs_to_an_input() {
    let text = |first_use: &str| {
        format!(
            "kind: sql\ndatabase: a.db\nfirst_use: {{ {first_use} }}\noperations: {{ a: {{ inputs: {{ owner: {{}} }}, sql: 'select :owner' }} }}\n"
        )
    };
    sound(&text("of: owner, unless: 'select 1 from p where o = :owner', sql: ['insert into p values (:owner, :now)']"));
    one(&text("of: onwer, unless: select 1, sql: []"), Code::UnknownInput, "onwer", "`owner`");
    one(&text("of: owner, unless: delete from p, sql: []"), Code::BadSql, "delete from p", "cannot change any");
    one(&text("of: owner, unless: 'select :x', sql: []"), Code::UnknownName, ":x", "`:x`");
}

#[test]
fn every_mistake_of_a_file_is_said_at_once() {
    let text = "
kind: sql
database: '{{ x }}'
operations:
  a: { sql: 'select :b', model: Ordr, take: on }
  b: { sql: drop table x }
";
    let codes: Vec<_> = said(text).into_iter().map(|(code, ..)| code).collect();
    assert_eq!(codes, [Code::UnknownName, Code::UnknownName, Code::UnknownModel, Code::BadValue, Code::BadSql]);
}
