//! What is wrong with a file of kind http is said with its place, its code and a cure.

use super::super::{Beside, Connector, Files, Formats, System, compile_connector};
use super::*;
use crate::diag::{Code, Diagnostic, Diagnostics, File};
use crate::spec::{Shape as _, connector as spec, yaml};

fn compiled(text: &str) -> (Option<Connector>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let written = spec::Connector::read(&yaml::parse(&File::new("own.yml", text)).unwrap(), &mut out).unwrap();
    assert!(out.is_empty(), "{:?}", out.into_sorted());
    compile_connector("own", &written, &Beside { files: &Files::new(), formats: Some(&Formats::new()) })
}

/// A connector with settings, codes and a way of paging, whose one operation is `operation`, YAML in flow style.
fn with(operation: &str) -> String {
    format!(
        "kind: http\nsettings: {{ team: {{}}, token: {{ secret: true }} }}\nbase: https://a.example\n\
         codes: {{ states: {{ a: b }} }}\npages: {{ usual: {{ next: body.next, query: after }} }}\n\
         operations:\n  find: {operation}\n"
    )
}

/// Expects exactly one diagnostic, which has a cure.
#[track_caller]
fn one(text: &str, code: Code, says: &str) {
    let (_, diagnostics) = compiled(text);
    let said: Vec<_> = diagnostics.iter().map(|it| (it.code, it.message.as_str())).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    let cure = diagnostics[0].help.as_deref().unwrap_or_else(|| panic!("no cure: {said:?}"));
    assert!(said[0].0 == code && format!("{}; {cure}", said[0].1).contains(says), "{said:?}; {cure}");
}

fn sound(text: &str) -> HttpSystem {
    let (connector, diagnostics) = compiled(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let System::Http(system) = connector.unwrap().system else { panic!("it is of `kind: http`") };
    *system
}

#[test]
fn a_file_says_as_much_as_it_has_to() {
    let system = sound(&with("{ request: GET /all, pages: usual, rows: body.items }"));
    assert_eq!((system.timeout.as_secs(), system.retry.attempts.get(), system.limits.concurrent.get()), (12, 3, 16));
}

#[test]
fn a_value_cannot_be_put_where_it_would_be_read_as_more() {
    one(&with("{ inputs: { a: {} }, request: GET /x, query: { q: 'a:{{ a }}' } }"), Code::UnsafeText, "$text");
    one(
        &with("{ inputs: { a: {} }, request: GET /x, query: { q: { $soql: \"A = '{{ a }}'\" } } }"),
        Code::UnsafeText,
        "quotes",
    );
    one(
        &with("{ inputs: { a: {} }, request: POST /x, graphql: { query: 'query { a(b: \"{{ a }}\") }' } }"),
        Code::UnsafeText,
        "variables",
    );
    one(&with("{ inputs: { a: {} }, request: POST /x, form: { q: 'a:{{ a }}' } }"), Code::UnsafeText, "$text");
    one(&with("{ inputs: { a: {} }, request: GET /x, query: { q: { $sql: '{{ a }}' } } }"), Code::BadValue, "`$soql`");
    one(&with("{ inputs: { a: {} }, request: 'GET /x{% if a %}y{% endif %}' }"), Code::BadTemplate, "only values");
    one(&with("{ inputs: { a: {} }, request: POST /x, json: { t: { $adf: 'x {{ a }}' } } }"), Code::BadValue, "one value");
    sound(&with("{ inputs: { a: {} }, request: POST /x, json: { q: 'a {{ a }}', r: { $jql: 'p = {{ a }}' } } }"));
}

#[test]
fn a_host_comes_from_settings_and_a_secret_goes_into_auth() {
    let base = |base: &str| {
        format!(
            "kind: http\nsettings: {{ team: {{}}, token: {{ secret: true }} }}\nbase: {base}\noperations: {{ a: {{ request: GET /a }} }}\n"
        )
    };
    one(&base("http://a.example"), Code::BadValue, "https");
    one(&base("https://{{ host }}/a"), Code::UnknownName, "`host`");
    one(&base("https://{{ settings.token }}.example"), Code::UnknownName, "`auth`");
    one(&base("https://{{ settings.taem }}.example"), Code::UnknownName, "`team`");
    one(&base("https://a.example/?x=1"), Code::BadValue, "query");
    one("kind: http\noperations: { a: { request: GET /a } }\n", Code::MissingKey, "`base: https://");
    sound(&base("'{{ settings.team }}'"));
}

#[test]
fn a_request_is_one_and_says_whether_it_can_be_repeated() {
    one(&with("{ request: tickets }"), Code::BadRequest, "GET /tickets");
    one(&with("{ request: GET /a?b=c }"), Code::BadRequest, "`query`");
    one(&with("{ request: GET /a, json: { a: 1 } }"), Code::BadRequest, "no body");
    one(&with("{ request: POST /a, json: { a: 1 }, text: b }"), Code::BadRequest, "one body");
    one(&with("{ request: DELETE /a }"), Code::BadRequest, "`kind: write`");
    one(&with("{ request: POST /a, graphql: { query: 'mutation { a }' } }"), Code::BadRequest, "`kind: write`");
    one(&with("{ kind: write, request: GET /a }"), Code::BadRequest, "take `kind` out");
    one(&with("{ kind: write, request: POST /a }"), Code::MissingKey, "`none`");
    one(&with("{ kind: write, request: POST /a, idempotency: key }"), Code::BadRequest, "{{ key }}");
    one(&with("{ kind: write, request: POST /a, idempotency: usert }"), Code::BadValue, "`upsert`");
    let two = "{ kind: write, steps: [{ request: POST /a, idempotency: none }, { request: POST /b, idempotency: none }] }";
    one(&with(two), Code::BadRequest, "`reads: true`");
    one(&with(&two.replacen("none", "key", 1)), Code::BadRequest, "{{ key }}");
    sound(&with(&two.replacen("none", "upsert", 1)));
    let either = "{ kind: write, steps: [{ as: a, request: POST /a, idempotency: none }, \
                  { instead_of: [a], request: POST /b, idempotency: none }] }";
    sound(&with(either));
    one(&with(&either.replace("[a]", "[b]")), Code::UnknownName, "`a`");
    let third = either.replace("none }] }", "upsert }, { request: POST /c, idempotency: none }] }");
    one(&with(&third), Code::BadRequest, "another one that writes may follow");
    sound(&with("{ inputs: { a: {} }, refuses: { invalid: { when: not a, say: No. } }, request: GET /a }"));
    one(&with("{ refuses: { invalid: body.x }, request: GET /a }"), Code::UnknownName, "`body`");
    one(&with("{ refuses: { invalid: now }, steps: [{ request: GET /a }] }"), Code::MisplacedKey, "`refuses`");
    sound(&with("{ kind: write, steps: [{ request: POST /a, reads: true }, { request: POST /b, idempotency: none }] }"));
    one(&with("{ description: x }"), Code::MissingKey, "does nothing");
    one(&with("{ sql: select 1, request: GET /a }"), Code::MisplacedKey, "`sql`");
    one(&with("{ request: GET /a, pages: unusual }"), Code::UnknownName, "`usual`");
    one(&with("{ request: GET /a, pages: { next: body.x } }"), Code::BadRequest, "exactly one place");
    one(&with("{ request: GET /a, take: value }"), Code::BadValue, "`optional`");
}

#[test]
fn names_and_rules_are_checked() {
    one(&with("{ inputs: { body: {} }, request: 'GET /{{ body }}' }"), Code::BadName, "body");
    one(&with("{ inputs: { z: {} }, request: GET /a }"), Code::UnusedInput, "`{{ name }}`");
    one(&with("{ request: GET /a, answer: '{{ codes.sates.a }}' }"), Code::UnknownName, "`states`");
    one(&with("{ request: GET /a, answer: '{{ bdy }}' }"), Code::UnknownName, "`body`");
    one(&with("{ request: GET /a, model: Order }"), Code::MissingKey, "`answer`");
    one(&with("{ request: GET /a, errors: [{ status: 99, outcome: denied }] }"), Code::BadValue, "5xx");
    one(&with("{ request: GET /a, errors: [{ outcome: denied }] }"), Code::MissingKey, "`status`");
    one(&with("{ request: GET /a, errors: [{ status: 404, outcome: gone }] }"), Code::UnknownOutcome, "gone");
    let connector = |keys: &str| {
        format!(
            "kind: http\nbase: https://a.example\n{keys}\noperations: {{ a: {{ request: GET /a, inputs: {{ b: {{ required: true }} }}, query: {{ b: '{{{{ b }}}}' }} }} }}\n"
        )
    };
    one(&connector("limits: { requests: 5 }"), Code::MissingKey, "`per`");
    one(&connector("limits: { concurrent: 0 }"), Code::BadValue, "from 1");
    one(&connector("wait: [{ unit: ms }]"), Code::MissingKey, "`header`");
    one(&connector("wait: [{ header: Retry-After, unit: hours }]"), Code::BadValue, "no unit");
    one(&connector("quota: ['a b']"), Code::BadName, "header");
    one(&connector("test: b"), Code::UnknownOperation, "`b`");
    one(&connector("test: a"), Code::BadValue, "takes no inputs");
    one(&connector("database: a.db"), Code::MisplacedKey, "`kind: sql`");
    one(&connector("api: { version: v1, supported_until: soon }"), Code::BadValue, "2027-06-30");
}

#[test]
fn the_words_of_a_tree_are_checked_wherever_it_stands() {
    let json = |json: &str| with(&format!("{{ inputs: {{ a: {{}} }}, request: 'POST /x/{{{{ a }}}}', json: {json} }}"));
    one(&json("{ l: { $each: a, $as: a, x: 1 } }"), Code::BadName, "`$as`");
    one(&json("{ l: { $each: [1], x: 1 } }"), Code::WrongType, "an expression");
    one(&json("{ l: { $each: a, $when: b, x: 1 } }"), Code::UnknownName, "`b`");
    one(&json("{ l: { $meerge: [] } }"), Code::BadValue, "`$merge`");
    one(&json("{ $merge: { b: 1 } }"), Code::WrongType, "is a list");
    one(&json("{ $merge: [{ b: 1 }], c: 2 }"), Code::MisplacedKey, "`c`");
    one(&json("{ $merge: [text] }"), Code::WrongType, "joins mappings");
    one(&json("{ $merge: [[1]] }"), Code::WrongType, "joins mappings");
    one(&json("{ $merge: [{ $html: '{{ a }}' }] }"), Code::WrongType, "joins mappings");
    sound(&json("{ $merge: [{ b?: 1 }, null, '{{ a }}', '{{ {settings.team: a} }}', { $merge: [] }] }"));
    let form = |form: &str| with(&format!("{{ inputs: {{ a: {{}} }}, request: 'POST /x/{{{{ a }}}}', form: {form} }}"));
    one(&form("{ f: { b: 1 } }"), Code::WrongType, "a list of values");
    one(&form("{ f: [[1]] }"), Code::WrongType, "a list of values");
    one(&form("{ $merge: [{ f: { b: 1 } }] }"), Code::WrongType, "a list of values");
    one(&form("{ f: ['x {{ a }}'] }"), Code::UnsafeText, "$text");
    sound(&form("{ f: [1, '{{ a }}'], $top: 2, g: { $each: a, $text: 'n {{ item }}' } }"));
    sound(&with("{ inputs: { a: {} }, request: GET /x, query: { $filter: { $odata: 'b eq {{ a }}' } } }"));
    let answer = |answer: &str| with(&format!("{{ request: GET /x, answer: {answer} }}"));
    one(&answer("{ l: { $html: '{{ body }}' } }"), Code::BadValue, "`$html`");
    sound(&answer("{ $merge: ['{{ body }}', { a?: '{{ settings.team }}' }] }"));
    let model = |answer: &str| with(&format!("{{ request: GET /x, model: Article, answer: {answer} }}"));
    one(&model("{ $merge: ['{{ body }}', { titel: a }] }"), Code::UnknownField, "titel");
}

#[test]
fn names_of_fields_come_from_settings_and_optional_parts_have_values() {
    let query =
        |text: &str| with(&format!("{{ inputs: {{ a: {{}} }}, request: 'GET /x/{{{{ a }}}}', query: {{ q: {text} }} }}"));
    one(&query("{ $soql: '{{ a | identifier }} = 1' }"), Code::BadTemplate, "settings only");
    one(&query("{ $soql: '{{ settings.taem | identifier }} = 1' }"), Code::UnknownName, "`team`");
    one(&query("{ $html: '{{ settings.team | identifier }}' }"), Code::BadTemplate, "no names of fields");
    one(&query("{ $soql: 'a = 1 [[and b = 2]]' }"), Code::BadTemplate, "by a value");
    one(&query("{ $soql: 'a = 1 [[and b = {{ a }}' }"), Code::BadTemplate, "`]]`");
    one(&query("{ $soql: \"a = 1 [[and b = '{{ a }}']]\" }"), Code::UnsafeText, "quotes");
    one(&query("'{{ settings.team | identifier }}'"), Code::BadTemplate, "`{ $soql: … }`");
    sound(&query("{ $jql: '{{ settings.team | identifier }} = {{ a }} [[and b = {{ a }}]]' }"));
}

#[test]
fn what_let_names_is_new_and_made_of_what_is_known() {
    let connector = |lets: &str, operation: &str| {
        format!(
            "kind: http\nsettings: {{ team: {{}}, token: {{ secret: true }} }}\nbase: https://a.example\n\
                 let: {lets}\noperations:\n  find: {operation}\n"
        )
    };
    one(&connector("{ body: 1 }", "{ request: GET /a }"), Code::BadName, "body");
    one(&connector("{ a: '{{ b }}', b: 1 }", "{ request: GET /a }"), Code::UnknownName, "`b`");
    one(&connector("{ a: '{{ settings.token }}' }", "{ request: GET /a }"), Code::UnknownName, "`auth`");
    let input = "{ inputs: { a: {} }, request: 'GET /{{ a }}' }";
    one(&connector("{ a: 1 }", input), Code::ShadowedName, "another name");
    one(&connector("{ a: 1 }", "{ let: { a: 2 }, request: GET /a }"), Code::ShadowedName, "`a`");
    one(&connector("{}", "{ inputs: { a: {} }, let: { a: 2 }, request: 'GET /{{ a }}' }"), Code::ShadowedName, "`a`");
    one(&connector("{}", "{ let: { b: '{{ body }}' }, request: GET /a }"), Code::UnknownName, "`body`");
    one(&connector("{ a: 1 }", "{ steps: [{ as: a, request: GET /a }] }"), Code::ShadowedName, "`a`");
    one(
        "kind: sql\ndatabase: ':memory:'\nlet: { a: 1 }\noperations: { b: { sql: select 1 } }\n",
        Code::MisplacedKey,
        "`let`",
    );
    one(
        "kind: sql\ndatabase: ':memory:'\noperations: { b: { sql: select 1, let: { a: 1 } } }\n",
        Code::MisplacedKey,
        "`let`",
    );
    let system = sound(&connector(
        "{ a: '{{ settings.team }}', b: { c: '{{ a }}' } }",
        "{ inputs: { d: {} }, let: { e: '{{ d ~ b.c }}' }, request: 'GET /{{ e }}', headers: { X: null, Y: '{{ a }}' } }",
    ));
    assert_eq!(system.lets.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn what_an_example_changes_is_checked() {
    let example = |example: &str| with(&format!("{{ request: GET /a, examples: [{{ answer: 1, {example} }}] }}"));
    one(&example("settings: { taem: a }"), Code::UnknownSetting, "`team`");
    one(&example("settings: { team: { a: 1 } }"), Code::WrongType, "a text is needed");
    one(&example("now: tomorrow"), Code::BadValue, "2026-01-23T12:00:00Z");
    sound(&example("settings: { team: null, token: x }, now: '2026-01-23T12:00:00Z'"));
}

#[test]
fn an_input_may_have_a_format_of_the_project() {
    let text = with("{ inputs: { a: { format: order_number } }, request: 'GET /{{ a }}' }");
    one(&text, Code::UnknownFormat, "order_number");
    let mut out = Diagnostics::default();
    let written = spec::Connector::read(&yaml::parse(&File::new("own.yml", text)).unwrap(), &mut out).unwrap();
    let formats = Formats::from([("order_number".to_owned(), Some(crate::format::Format::Integer))]);
    let (connector, said) = compile_connector("own", &written, &Beside { files: &Files::new(), formats: Some(&formats) });
    assert!(said.is_empty(), "{said:?}");
    let input = &connector.unwrap().operations[0].inputs[0];
    assert!(matches!(input.format, Some(crate::format::Format::Integer)));
}

#[test]
fn only_a_read_of_one_request_can_be_batched() {
    let batch = "batch: { of: b, by: row.b, request: GET /b, query: { b: \"{{ b }}\" } }";
    one(
        &with(&format!(
            "{{ inputs: {{ b: {{}} }}, steps: [{{ request: GET /a }}, {{ request: 'GET /a/{{{{ b }}}}' }}], {batch} }}"
        )),
        Code::MisplacedKey,
        "a read that is one request",
    );
    one(
        &with(&format!(
            "{{ kind: write, inputs: {{ b: {{}} }}, request: 'POST /a/{{{{ b }}}}', idempotency: none, {batch} }}"
        )),
        Code::MisplacedKey,
        "a read that is one request",
    );
    one(
        &with("{ inputs: { a: {} }, request: 'GET /a/{{ a }}', batch: { of: b, by: row.b, request: GET /b } }"),
        Code::UnknownInput,
        "no input `b`",
    );
    let first =
        "{ inputs: { a: {} }, request: 'GET /a/{{ a }}', batch: { of: a, by: row.a, request: GET /b, take: first } }";
    one(&with(first), Code::MisplacedKey, "is the operation's to say");
}
