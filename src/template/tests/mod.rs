//! Tests of templates and expressions, from source to value.

mod filters;

use std::collections::HashMap;
use std::sync::Arc;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;

fn scope(values: serde_json::Value) -> Scope {
    let map: HashMap<String, Value> =
        values.as_object().unwrap().iter().map(|(key, value)| (key.clone(), from_json(value))).collect();
    Scope::new(Arc::new(map))
}

fn order() -> Scope {
    scope(json!({
        "order": {"number": 1001, "total": 55.0, "lines": [{"name": "Blue T-Shirt"}, {"name": "Black Jeans"}], "note": null},
        "slots": {"order-id": "1001", "text": "{{ 7*7 }}", "count": "5"},
        "yes": true,
    }))
}

fn value(src: &str) -> serde_json::Value {
    let template = Template::compile(src).unwrap();
    to_json(&template.eval(&order()).unwrap()).unwrap()
}

fn text(src: &str) -> String {
    Template::compile(src).unwrap().text(&order()).unwrap()
}

fn failed(src: &str) -> Failed {
    Template::compile(src).unwrap().text(&order()).unwrap_err()
}

#[test]
fn everything_is_shareable() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<Expression>();
    shareable::<Template>();
    shareable::<Scope>();
    shareable::<Wrong>();
    shareable::<Failed>();
}

#[test]
fn an_expression_alone_keeps_its_type() {
    assert_eq!(value("{{ order.lines | map(attribute='name') }}"), json!(["Blue T-Shirt", "Black Jeans"]));
    assert_eq!(value("  {{ order.total }}\n"), json!(55.0));
    assert_eq!(value("{{ order.number }}"), json!(1001));
    assert_eq!(value("{{ order.note }}"), json!(null));
    assert_eq!(value("{{ yes }}"), json!(true));
    assert_eq!(value("{{ order.number }} "), json!(1001));
    assert_eq!(value("{{ order.number }}{{ order.number }}"), json!("10011001"));
    assert_eq!(value("{{ {'a': [1, 2.0]} }}"), json!({"a": [1, 2.0]}));
    assert_eq!(value("{{ 'x' if not yes }}"), json!(null));
}

#[test]
fn a_text_prints_values_as_people_write_them() {
    assert_eq!(text("{{ yes }} {{ order.total }} {{ order.number }} [{{ order.note }}]"), "true 55.0 1001 []");
    assert_eq!(
        text("{{ order.lines }} {{ [none, 'a\"b', 1.5, true] }}"),
        r#"[{"name":"Blue T-Shirt"},{"name":"Black Jeans"}] [null,"a\"b",1.5,true]"#
    );
    assert_eq!(text("a{# note #}{{ '' }}b"), "ab");
    assert_eq!(text("{{ order.note ~ 1 ~ true ~ 2.0 ~ [1] }}!"), "1true2.0[1]!");
    assert_eq!(
        text("{% for line in order.lines %}{{ loop.index }}. {{ line.name }}{{ ', ' if not loop.last }}{% endfor %}"),
        "1. Blue T-Shirt, 2. Black Jeans"
    );
    assert_eq!(text("<b>{{ '<&>' }}</b>"), "<b><&></b>");
}

#[test]
fn text_without_expressions_is_not_parsed() {
    let template = Template::compile("100 % sure {# really #} }}").unwrap();
    assert_eq!(template.as_constant().and_then(Value::as_str), Some("100 % sure {# really #} }}"));
    let constant = Template::constant(json!({"a": "{{ 7*7 }}"}));
    assert_eq!(to_json(&constant.eval(&order()).unwrap()).unwrap(), json!({"a": "{{ 7*7 }}"}));
}

#[test]
fn values_are_never_evaluated() {
    assert_eq!(text("{{ slots.text }} and {{ slots.text | upper }}"), "{{ 7*7 }} and {{ 7*7 }}");
}

#[test]
fn absent_fails_where_it_is_used_and_null_does_not() {
    for src in [
        "{{ missing }}",
        "a {{ missing }}",
        "{{ order.missing }}",
        "{{ missing.x }}",
        "{% for x in missing %}{% endfor %}",
        "{{ missing | upper }}",
        "{{ missing ~ 'a' }}",
        "{{ missing + 1 }}",
        "{{ missing < 1 }}",
        "{{ order.note.x }}",
    ] {
        assert_eq!(failed(src).kind, FailedKind::Undefined, "{src}");
    }
    assert_eq!(text("{{ missing is defined }} {{ order.note is defined }} {{ order.note is none }}"), "false true true");
    assert_eq!(
        text("{{ missing | default('x') }}{{ order.note | default('y') }}{{ order.note | default('z', true) }}"),
        "xz"
    );
    assert_eq!(
        text(
            "{% if missing %}a{% else %}b{% endif %}{{ 'c' if missing.x is defined else 'd' if missing else 'e' }}"
                .replace("missing.x", "order.x")
                .as_str()
        ),
        "be"
    );
    assert!(!Expression::compile("missing").unwrap().truth(&order()).unwrap());
    assert!(!Expression::compile("order.missing and order.missing > 3").unwrap().truth(&order()).unwrap());
    assert_eq!(Expression::compile(" missing").unwrap().eval(&order()).unwrap_err().message, "`missing` is absent");
}

#[test]
fn a_failure_names_the_source_and_never_a_value() {
    let scope = scope(json!({"secret": "hunter2", "huge": 9.9e307}));
    for (src, contains) in [
        ("a {{ secret + 1 }}", "cannot add a text and a number"),
        ("a {{ secret * secret }}", "cannot multiply"),
        ("a {{ secret - 1 }}", "unsupported types"),
        ("a {{ secret < 1 }}", "`text | to_number`"),
        ("a {{ secret.missing }}", "secret.missing"),
        ("a {{ 1 // 0 if secret }}", "`1 // 0`"),
        ("a {{ secret | int }}", "secret | int"),
        ("a {{ secret | length(3) }}", ""),
    ] {
        let failed = Template::compile(src).unwrap().text(&scope).unwrap_err();
        assert!(failed.message.contains(contains), "{src}: {failed}");
        assert!(!failed.message.contains("hunter2"), "{src}: {failed}");
    }
}

#[test]
fn mistakes_are_found_when_compiling_with_place_and_cure() {
    let kind = |src: &str| Template::compile(src).map(|_| ()).unwrap_err();
    let wrong = kind("Hi {{ name | uper }}!");
    assert_eq!(wrong.range, Some(13..17));
    assert_eq!(wrong.kind, WrongKind::UnknownFilter { name: "uper".into() });
    assert_eq!(wrong.message, "there is no filter `uper`");
    assert_eq!(wrong.help.as_deref(), Some("did you mean `upper`?"));
    assert_eq!(kind("{% if a is definde %}{% endif %}").range, Some(11..18));
    assert_eq!(kind("{{ rnge(3) }}").help.as_deref(), Some("did you mean `range`?"));
    assert_eq!(kind("{{ name.upper() }}").message, "values have no methods, and `.upper()` is one");
    assert!(matches!(kind("{{ xs | map('uper') }}").kind, WrongKind::UnknownFilter { .. }));
    assert!(matches!(kind("{{ xs | selectattr('a', 'equal') }}").kind, WrongKind::UnknownTest { .. }));
    for src in [
        "{{ a",
        "{{ a b }}",
        "{% if a %}",
        "{{ }}",
        "{% include 'x' %}",
        "{% macro a() %}{% endmacro %}",
        "{% do f() %}",
        "{% autoescape true %}{% endautoescape %}",
        "{% set a.b = 1 %}",
        "{% extends 'x' %}",
        "{{ (1)(2) }}",
    ] {
        let wrong = kind(src);
        assert!(wrong.range.is_some(), "{src}: {wrong:?}");
    }
    let wrong = Expression::compile("{{ order.total > 1 }}").map(|_| ()).unwrap_err();
    assert!(wrong.help.is_some_and(|help| help.contains("bare expression")));
    assert!(Expression::compile("  ").is_err());
    let wrong = Template::compile("é {{ ü | }}").map(|_| ()).unwrap_err();
    assert!("é {{ ü | }}".get(wrong.range.unwrap()).is_some());
}

#[test]
fn names_are_dotted_and_placed() {
    let src = "{{ order.lines[0].name }} {{ slots['order-id'] }} \
        {% for line in order.lines %}{{ line.name }}{{ loop.index }}{{ range(limit) }}{% endfor %}\
        {% set x = y %}{{ x }}{{ z.a if w }}";
    let template = Template::compile(src).unwrap();
    let names: Vec<String> = template.names().into_iter().collect();
    assert_eq!(names, ["limit", "order.lines", "slots.order-id", "w", "y", "z.a"]);
    for reference in template.references() {
        assert!(src[reference.range.clone()].starts_with(&reference.path[0]), "{reference:?}");
    }
    let expression = Expression::compile("  slots.a > other").unwrap();
    assert_eq!(&"  slots.a > other"[expression.references()[0].range.clone()], "slots.a");
    assert_eq!(text("{{ slots['order-id'] }}{{ slots.count | default('x') }}"), "10015");
}

#[test]
fn orderings_do_not_guess() {
    assert_eq!(text("{{ 1 < 2.5 }}{{ 'a' < 'b' }}{{ 3 >= 3.0 }}{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}"), "truetruetruetruefalse");
    for src in ["{{ slots.count < 10 }}", "{{ order.note < 1 }}", "{{ order > 1 }}", "{{ true < 1 }}"] {
        assert_eq!(failed(src).kind, FailedKind::Unsuitable, "{src}");
    }
    assert_eq!(text("{{ 2 in [1, 2] }}{{ 3 not in [1, 2] }}{{ 1 == 1.0 }}{{ '1' == 1 }}"), "truetruetruefalse");
}

#[test]
fn arithmetic_keeps_whole_numbers_whole() {
    assert_eq!(value("{{ 2 + 3 }}"), json!(5));
    assert_eq!(value("{{ 2 * 3.0 }}"), json!(6.0));
    assert_eq!(value("{{ 'ab' * 2 + 'c' }}"), json!("ababc"));
    assert_eq!(value("{{ [1] * 2 + [3] }}"), json!([1, 1, 3]));
    assert_eq!(value("{{ -(2 ** 10) // 3 % 5 }}"), json!(3));
    assert_eq!(failed("{{ 170141183460469231731687303715884105727 + 1 }}").kind, FailedKind::Unsuitable);
    assert_eq!(failed("{{ true + 1 }}").kind, FailedKind::Unsuitable);
}

#[test]
fn bounds_hold() {
    let long = "x".repeat(1_000_000);
    let big = scope(json!({"big": long, "n": 99_999_999}));
    let cases = [
        ("{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}", FailedKind::TooLong),
        (
            "{% for a in range(9000) %}{% for b in range(9000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
            FailedKind::TooLarge,
        ),
        ("{{ 'x' * 99999999 }}", FailedKind::TooLarge),
        ("a {{ 'x' * n }}", FailedKind::TooLarge),
        ("{{ big ~ big }}", FailedKind::TooLarge),
        ("a {{ big }}", FailedKind::TooLarge),
        ("{{ [1] * 99999999 }}", FailedKind::TooLarge),
        (
            "{% set a %}{% for x in range(9000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}{% endset %}",
            FailedKind::TooLarge,
        ),
        (
            "{% set a %}{% for x in range(9000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endset %}",
            FailedKind::TooLarge,
        ),
        (
            "{% set a = 'x' * 99999 %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{% set a = a ~ a %}{{ a }}",
            FailedKind::TooLarge,
        ),
        ("{% for x in range(9000) %}{% set y = range(9000) | list %}{% endfor %}", FailedKind::TooLong),
        ("{% for x in range(9000) %}{% set y = big | upper %}{% endfor %}", FailedKind::TooLong),
        ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", FailedKind::Unsuitable),
    ];
    for (src, kind) in cases {
        let failed = Template::compile(src).unwrap().text(&big).unwrap_err();
        assert_eq!(failed.kind, kind, "{src}: {failed}");
    }
    assert!(Template::compile("{{ 2 ** 99999 }}").unwrap().text(&big).is_err());
    for link_count in [200, 330, 480, 990, 3000] {
        for link in [
            "+1",
            "|upper",
            ".a",
            "[0]",
            " and 1",
            " if 1 else 1",
            "~1",
            " is none",
            "(1)",
            "<1",
            "[:]",
            " not",
            "- ",
            " or not 1",
        ] {
            for (before, after) in [("1", ""), ("", "1")] {
                let long = format!("{{{{ {before}{}{after} }}}}", link.repeat(link_count));
                let _ = Template::compile(&long).map(|template| template.text(&big));
                let _ = Expression::compile(&long[2..long.len() - 2]);
                assert!(link_count < 3000 || Template::compile(&long).is_err(), "{link}");
            }
        }
    }
    let deep = format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(Template::compile(&deep).is_err());
}

#[test]
fn no_source_brings_it_down() {
    let pieces = [
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "if ",
        "else",
        "endif",
        "for ",
        "x",
        " in ",
        "endfor",
        "set ",
        " = ",
        "break",
        "continue",
        "loop",
        ".index",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "|",
        "upper",
        "is ",
        "not ",
        "defined",
        "1",
        "-",
        "'a'",
        "ü",
        "order",
        ".lines",
        "with ",
        "endwith",
        "endset",
        "recursive",
        "filter ",
        "endfilter",
        "raw",
        "endraw",
        "*",
        "~",
        "<",
        " and ",
        "{#",
        "#}",
        "map(",
        "\n",
        "\"",
        "\\",
        "1e999",
        "99999999999999999999999999999999999999999",
        "range(3)",
        "sort",
        "==",
        "**",
    ];
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let src: String = (0..random.usize(1..14)).filter_map(|_| random.choice(pieces)).collect();
        let around = format!("{{{{ {src} }}}}");
        let block = format!("{{% for x in order.lines %}}{src}{{% endfor %}}");
        for src in [&src, &around, &block] {
            match Template::compile(src) {
                Ok(template) => drop((template.text(&order()), template.names())),
                Err(wrong) => assert!(wrong.range.is_none_or(|range| src.get(range).is_some()), "{src}"),
            }
        }
        let _ = Expression::compile(&src).map(|expression| expression.eval(&order()));
    }
}

#[test]
fn a_scope_is_cheap_and_its_clones_are_apart() {
    let outer = order();
    let inner = outer.with("order", Value::from(1)).with("b", Value::from(2));
    assert!(outer.locals().is_empty());
    assert_eq!(inner.get("order"), Some(Value::from(1)));
    assert_eq!(inner.locals().keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["order", "b"]);
    assert_eq!(Template::compile("{{ order }} {{ b }} {{ yes }}").unwrap().text(&inner).unwrap(), "1 2 true");
    assert!(!format!("{inner:?}").contains('2'));
}

#[test]
fn json_goes_in_and_out_unchanged() {
    let json = json!({"b": [1, 2.0, -3, u64::MAX, 1e300], "a": null, "c": {"x": "ü", "y": false}});
    let back = to_json(&from_json(&json)).unwrap();
    assert_eq!(back.to_string(), json.to_string());
    assert_eq!(to_json(&Value::from(f64::NAN)).unwrap_err().kind, FailedKind::NotData);
    assert_eq!(to_json(&Value::UNDEFINED).unwrap_err().kind, FailedKind::Undefined);
    assert_eq!(to_json(&Value::from_function(|| 1)).unwrap_err().kind, FailedKind::NotData);
}

#[test]
fn an_open_map_says_null_for_what_is_absent() {
    let fields = json!({"a": 1});
    let scope = Scope::new(Arc::new(())).with("slots", open_map(fields.as_object().unwrap()));
    let text = |src: &str| Template::compile(src).unwrap().text(&scope).unwrap();
    assert_eq!(text("{{ slots.a }}[{{ slots.b }}]{{ slots.b is none }}{{ slots | length }}"), "1[]true1");
}

#[test]
fn every_example_of_the_documentation_holds() {
    let scope = examples();
    for described in filters() {
        let src = format!("{{{{ {} }}}}", described.example);
        let printed = Template::compile(&src).map_err(|wrong| wrong.to_string());
        let printed = printed.and_then(|template| template.text(&scope).map_err(|failed| failed.to_string()));
        assert_eq!(printed.as_deref(), Ok(described.prints), "{:?} {}", described.sort, described.example);
        assert!(described.example.contains(described.name), "{}", described.name);
    }
}

fn examples() -> Scope {
    scope(json!({
        "null": null,
        "now": "2026-01-20T12:00:00Z",
        "legwork": {"labels": {"in_transit": "on its way"}, "region": "US"},
    }))
}
