//! Every type in both directions, and values that mean harm.

use pretty_assertions::assert_eq;

use super::*;

const TYPES: &str = "
    create type mood as enum ('sad', 'it''s fine');
    create domain percent as int check (value between 0 and 100);
    create table types (
        id int primary key generated always as identity,
        a_bool bool, a_int2 int2, a_int4 int4, a_int8 int8, a_float4 float4, a_float8 float8, a_numeric numeric,
        a_money_like numeric(12, 2), a_text text, a_varchar varchar(20), a_char char(4), a_name name, a_date date, a_time time,
        a_timestamp timestamp, a_timestamptz timestamptz, a_uuid uuid, a_json json, a_jsonb jsonb, a_bytea bytea, a_mood mood,
        a_percent percent, a_xml xml, a_ints int[], a_texts text[], a_moods mood[], a_times timestamptz[], a_numerics numeric[]
    );
";

/// For each column: what is given, and what comes back.
fn values() -> Vec<(&'static str, Value, Value)> {
    let same = |name, value: Value| (name, value.clone(), value);
    vec![
        same("a_bool", json!(true)),
        ("a_bool", json!("no"), json!(false)),
        ("a_bool", json!(1), json!(true)),
        same("a_int2", json!(-32768)),
        ("a_int2", json!("7"), json!(7)),
        same("a_int4", json!(2_147_483_647)),
        ("a_int4", json!(" 42 "), json!(42)),
        ("a_int4", json!(55.0), json!(55)),
        same("a_int8", json!(9_007_199_254_740_993_i64)),
        ("a_int8", json!("-9223372036854775808"), json!(i64::MIN)),
        same("a_float4", json!(0.1)),
        same("a_float8", json!(-1.25e-7)),
        ("a_float8", json!("2.5"), json!(2.5)),
        same("a_numeric", json!(19.9)),
        same("a_numeric", json!("0.12345678901234567890123")),
        same("a_numeric", json!(-120_000)),
        ("a_numeric", json!("1e3"), json!(1000)),
        ("a_money_like", json!("19.90"), json!(19.9)),
        ("a_money_like", json!(20), json!(20.0)),
        same("a_text", json!("Grüße, \"Zoë\" 🦀 'x' \\ %_")),
        ("a_text", json!(12), json!("12")),
        ("a_text", json!(true), json!("true")),
        ("a_text", json!(["a", 1]), json!("[\"a\",1]")),
        same("a_text", json!("")),
        same("a_varchar", json!("short")),
        ("a_char", json!("ab"), json!("ab  ")),
        same("a_name", json!("a name")),
        same("a_date", json!("2026-01-31")),
        same("a_date", json!("1969-12-31")),
        ("a_date", json!("2026-01-31T23:30:00-05:00"), json!("2026-01-31")),
        ("a_time", json!("09:30"), json!("09:30:00")),
        same("a_time", json!("23:59:59.999999")),
        ("a_timestamp", json!("2026-01-31 09:30:00"), json!("2026-01-31T09:30:00Z")),
        ("a_timestamp", json!("2026-01-31T09:30:00+01:00"), json!("2026-01-31T08:30:00Z")),
        same("a_timestamptz", json!("2026-01-31T09:30:00.123456Z")),
        ("a_timestamptz", json!("2026-01-31T09:30:00-05:00"), json!("2026-01-31T14:30:00Z")),
        ("a_timestamptz", json!("2026-01-31"), json!("2026-01-31T00:00:00Z")),
        same("a_timestamptz", json!("1815-06-18T11:35:00Z")),
        ("a_uuid", json!("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        same("a_json", json!({"a": [1, "x", null], "b": {"c": 1.5}})),
        same("a_json", json!("a text")),
        same("a_jsonb", json!([{"deep": [true]}, "ü"])),
        same("a_bytea", json!("AAECAw==")),
        same("a_mood", json!("it's fine")),
        same("a_percent", json!(50)),
        same("a_xml", json!("<a>1</a>")),
        same("a_ints", json!([1, null, -3])),
        same("a_ints", json!([])),
        ("a_ints", json!(["1", 2.0]), json!([1, 2])),
        same("a_texts", json!(["a,b", "{x}", "\"", "\\", "null", null])),
        same("a_moods", json!(["sad"])),
        same("a_times", json!(["2026-01-31T09:30:00Z"])),
        same("a_numerics", json!([1.5, "0.12345678901234567890123"])),
    ]
}

#[tokio::test]
async fn every_type_goes_there_and_back() {
    let Some(base) = Base::new(TYPES).await else { return };
    let mut yaml = "operations:\n".to_owned();
    let mut columns: Vec<_> = values().iter().map(|(name, ..)| *name).collect();
    columns.dedup();
    for name in columns {
        yaml += &format!(
            "  put_{name}: {{ kind: write, inputs: {{ value: {{}} }}, sql: insert into types ({name}) values (:value) returning {name}, \
             take: value }}\n  find_{name}: {{ inputs: {{ value: {{}} }}, sql: select {name} from types where {name} is not distinct \
             from :value order by id desc, take: first }}\n"
        );
    }
    let own = base.open(&yaml).await;
    let looks_apart = ["a_json", "a_xml"];
    for (name, given, back) in values() {
        let put = ask(&own, &format!("own.put_{name}"), json!({"value": given})).await;
        assert_eq!(put.unwrap_or_else(|fault| panic!("{name} {given}: {fault}")), back, "{name} {given}");
        // Types without an equality cannot be looked for.
        if !looks_apart.contains(&name) {
            let found = ask(&own, &format!("own.find_{name}"), json!({"value": given})).await;
            assert_eq!(found.unwrap_or_else(|fault| panic!("{name} {given}: {fault}")), json!({name: back}), "{name}");
        }
        assert_eq!(ask(&own, &format!("own.put_{name}"), json!({"value": null})).await.unwrap(), Value::Null, "{name}");
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_invalid_and_only_its_name_is_told() {
    let Some(base) = Base::new(TYPES).await else { return };
    let columns = [
        ("a_bool", json!("sekret")),
        ("a_int2", json!(70_000)),
        ("a_int4", json!("sekret")),
        ("a_int8", json!(1.5)),
        ("a_float8", json!("sekret")),
        ("a_numeric", json!("sekret")),
        ("a_text", json!("sek\0ret")),
        ("a_varchar", json!("sekret that is too long for twenty")),
        ("a_date", json!("sekret")),
        ("a_time", json!("sekret")),
        ("a_timestamptz", json!("sekret")),
        ("a_uuid", json!("sekret")),
        ("a_jsonb", json!({"a": "sek\0ret"})),
        ("a_bytea", json!("sek ret")),
        ("a_mood", json!("sekret")),
        ("a_percent", json!(101)),
        ("a_ints", json!([1, "sekret"])),
        ("a_texts", json!(["sek\0ret"])),
        ("a_xml", json!("<sekret")),
    ];
    let operation = |name: &str| {
        format!(
            "  {name}: {{ kind: write, inputs: {{ value: {{}} }}, sql: insert into types ({name}) values (:value), take: none }}\n"
        )
    };
    let yaml: String = columns.iter().map(|(name, _)| operation(name)).collect();
    let own = base.open(&format!("pool: {{ size: 1 }}\noperations:\n{yaml}")).await;
    for (name, value) in columns {
        let fault = ask(&own, &format!("own.{name}"), json!({"value": value})).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Invalid, "{name}: {fault}");
        assert!(!fault.to_string().contains("sekret") && fault.public.is_none(), "{fault}");
        assert!(ask(&own, &format!("own.{name}"), json!({"value": null})).await.is_ok(), "{name}: the connection goes on");
    }
    let fault = ask(&own, "own.a_int4", json!({"value": "x"})).await.unwrap_err();
    assert_eq!(
        fault.operator,
        "statement 1: `:value` has to be a whole number of that size (int4)"
            .replace("statement 1", "the statement `written`")
    );
    assert_eq!(base.number("select count(*) from types where a_int4 is not null or a_text is not null").await, 0);
}

#[tokio::test]
async fn values_that_mean_harm_are_values() {
    let script = "create table notes (id int primary key generated always as identity, body text, tags text[], data jsonb);
                  insert into notes (body) values ('secret of somebody else')";
    let Some(base) = Base::new(script).await else { return };
    let own = base
        .open(
            "
operations:
  put:
    kind: write
    inputs: { body: {}, tag: {} }
    sql: insert into notes (body, tags, data) values (:body, array[:body, :tag], jsonb_build_object('v', :body::text))
      returning id, body, tags, data
    take: one
  find:
    inputs: { body: {}, also: {} }
    sql: select body from notes where body = :body [[and body like :also]]
  any_of:
    inputs: { bodies: {} }
    sql: select body from notes where body = any(:bodies)
",
        )
        .await;
    assert_eq!(own.verify().await, []);
    let harm = [
        "'; drop table notes; --",
        "' or '1'='1",
        "\\'; drop table notes; --",
        "\\\\",
        "$$; drop table notes; $$",
        "$1",
        ":body",
        "{{ body }}",
        "[[ or true ]]",
        "/* ' */ -- \"",
        "a\r\nb\tc",
        "\u{202e}\u{200b}ａ",
        "%' or body like '%",
        "{\"a\": \"}\"}",
        "NULL",
        "E'\\x27'",
    ];
    for body in harm {
        let row = ask(&own, "own.put", json!({"body": body, "tag": body})).await.unwrap();
        assert_eq!((&row["body"], &row["tags"], &row["data"]), (&json!(body), &json!([body, body]), &json!({"v": body})));
        assert_eq!(ask(&own, "own.find", json!({"body": body})).await.unwrap(), json!([{"body": body}]), "{body}");
        let none = ask(&own, "own.find", json!({"body": body, "also": "' or true --"})).await.unwrap();
        assert_eq!(none, json!([]), "{body}");
        assert_eq!(ask(&own, "own.any_of", json!({"bodies": [body]})).await.unwrap(), json!([{"body": body}]));
    }
    assert_eq!(outcome(&own, "own.find", json!({"body": "a\0b"})).await, Outcome::Invalid);
    assert_eq!(outcome(&own, "own.any_of", json!({"bodies": ["a\0b"]})).await, Outcome::Invalid);
    assert_eq!(base.number("select count(*) from notes").await, 1 + i64::try_from(harm.len()).unwrap());
}

#[tokio::test]
async fn a_type_without_a_form_says_what_to_write() {
    let Some(base) =
        Base::new("create table spans (span interval, at point); insert into spans values ('1 day', '(1,2)')").await
    else {
        return;
    };
    let own = base
        .open(
            "
operations:
  spans: { sql: select span from spans }
  as_text: { sql: 'select span::text, at::text from spans', take: one }
  longer: { inputs: { than: {} }, sql: 'select span::text from spans where span > :than' }
  longer_than: { inputs: { than: {} }, sql: 'select span::text from spans where span > :than::text::interval', take: one }
  endless: { sql: \"select 'infinity'::timestamptz as until\" }
  nothing: { sql: 'select pg_sleep(0) as slept', take: one }
",
        )
        .await;
    let said: Vec<_> = own.verify().await.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "own.spans: the statement `rows`: the column span is of the type interval, which has no form in JSON; write `span::text`",
            "own.longer: the statement `rows`: `:than` stands for a value of the type interval, which JSON does not have; write \
             `:than::text::interval`",
        ]
    );
    let fault = ask(&own, "own.spans", json!({})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unexpected);
    assert_eq!(ask(&own, "own.as_text", json!({})).await.unwrap(), json!({"span": "1 day", "at": "(1,2)"}));
    assert_eq!(outcome(&own, "own.longer", json!({"than": "1 hour"})).await, Outcome::Misconfigured);
    assert_eq!(ask(&own, "own.longer_than", json!({"than": "1 hour"})).await.unwrap(), json!({"span": "1 day"}));
    assert_eq!(outcome(&own, "own.endless", json!({})).await, Outcome::Unexpected);
    assert_eq!(ask(&own, "own.nothing", json!({})).await.unwrap(), json!({"slept": null}));
}
