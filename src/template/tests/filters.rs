//! Tests of the filters, functions and tests that templates offer.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;

fn project(locale: &str) -> Scope {
    scope(json!({
        "null": null,
        "locale": locale,
        "timezone": "Europe/Vienna",
        "now": "2026-01-20T13:00:00+01:00",
        "random": 7,
        "unit": "month",
        "rows": [
            {"name": "b", "total": 10, "at": "2026-01-20T12:00:00Z", "by": {"name": "Zoe"}},
            {"name": "A", "total": 2.5, "at": "2026-01-20T12:30:00+01:00", "by": {"name": "Adam"}},
            {"name": "c", "total": null, "at": null, "by": null},
        ],
        "text": "I was charged twice, my CARD is 4111 1111 1111 1111 (sarah@example.com)",
        "legwork": {
            "labels": {"shipped": "unterwegs"}, "region": "AT", "currency": "EUR",
            "words": {"billing": ["charged*", "invoice"],
                "severity": {"en": {"high": ["twice"]}, "de": {"urgent": ["twice"]}}},
        },
    }))
}

fn check(locale: &str, table: &[(&str, &str)]) {
    let scope = project(locale);
    for (expression, expected) in table {
        let template = Template::compile(&format!("{{{{ {expression} }}}}")).map_err(|wrong| wrong.to_string());
        let printed = template.and_then(|template| template.text(&scope).map_err(|failed| failed.to_string()));
        assert_eq!(printed.as_deref(), Ok(*expected), "{expression}");
    }
}

fn failures(table: &[(&str, &str)]) {
    let scope = project("en");
    for (expression, expected) in table {
        let failed = Template::compile(&format!("{{{{ {expression} }}}}")).unwrap().text(&scope).unwrap_err();
        assert!(failed.message.contains(expected), "{expression}: {failed}");
    }
}

#[test]
fn dates() {
    check(
        "en",
        &[
            ("now | date", "January 20th"),
            ("'2025-12-31T23:30:00Z' | date", "January 1st"),
            ("'2025-12-31T23:30:00Z' | drop_offset | date", "December 31st, 2025"),
            ("'2025-12-31T23:30:00Z' | date(zone='America/New_York')", "December 31st, 2025"),
            ("now | date('%d.%m.%Y %H:%M')", "20.01.2026 13:00"),
            ("now | time", "1:00 pm"),
            ("now | time('%H:%M')", "13:00"),
            ("'2026-01-20T12:00:00Z' | to_zone('America/New_York') | drop_offset | time", "7:00 am"),
            ("'2026-01-20T12:00:00' | to_zone('UTC')", "2026-01-20T11:00:00+00:00"),
            ("1768910400.5 | iso", "2026-01-20T13:00:00.500+01:00"),
            ("1768910400 | date", "January 20th"),
            ("'2026-01-31' | add(1, unit)", "2026-02-28"),
            ("'2026-01-31' | add('2', 'Wochen')", "2026-02-14"),
            ("'2026-01-31' | add(months=1, days=-1)", "2026-02-27"),
            ("now | add(hours=-3) | relative", "3 hours ago"),
            ("'2026-03-28T10:00:00+01:00' | add(days=1) | time", "10:00 am"),
            ("'tomorrow at 3pm' | parse_datetime", "2026-01-21T15:00:00+01:00"),
            ("'gibberish' | parse_date is none", "true"),
            ("'March' | parse_date", "2026-03-01"),
            ("now | weekday ~ ' ' ~ (now | hour)", "Tuesday 13"),
            ("'2026-01-20T12:00:00Z' < '2026-01-20T12:30:00+01:00'", "false"),
            ("'2026-01-20' < now", "true"),
            ("'2026-01-21' > now and now >= '2026-01-20T12:00:00Z'", "true"),
            ("now is same_moment('2026-01-20T12:00:00Z')", "true"),
            ("'2026-01-19' | days_until", "-1"),
            ("[now, 'x'] | select('date') | list | length", "1"),
            ("rows | map(attribute='at') | reject('none') | map('time') | join(' ')", "1:00 pm 12:30 pm"),
            ("null | date", ""),
            ("null | relative is none", "true"),
        ],
    );
    check(
        "de",
        &[
            ("now | date", "20. Januar"),
            ("now | time", "13:00"),
            ("now | date('%A, %-d. %B')", "Dienstag, 20. Januar"),
            ("now | add(minutes=-12) | relative", "vor 12 Minuten"),
            ("now | weekday", "Dienstag"),
            ("'nächsten Freitag um 15 Uhr' | parse_datetime", "2026-01-23T15:00:00+01:00"),
        ],
    );
    failures(&[
        ("'soon' | date", "an ISO date is needed"),
        ("true | date", "a date is needed"),
        ("1e300 | date", "seconds since 1970"),
        ("now | add(1, unit ~ 'x')", "unit of time"),
        ("now | add(1)", "add(2, 'days')"),
        ("now | add(days=1.5)", "whole units"),
        ("now | add(years=99999)", "years 1 to 9999"),
        ("now | add(dayz=1)", "keyword"),
        ("now | date('%' ~ 'Q')", "not a date format"),
        ("'2026-01-20' | time", "no time of day"),
        ("now | to_zone('Wien')", "Europe/Vienna"),
        ("missing | date", "absent"),
    ]);
}

#[test]
fn numbers() {
    check(
        "en",
        &[
            ("1250.5 | money", "€1,250.50"),
            ("{'amount': 5, 'currency': 'USD'} | money", "$5.00"),
            ("'12.5' | money('CHF')", "CHF 12.50"),
            ("1234567 | number", "1,234,567"),
            ("2 | number(2)", "2.00"),
            ("64.625 | decimals", "64.62"),
            ("64.625 | decimals(0)", "65"),
            ("55.0 ~ ' ' ~ 55", "55.0 55"),
            ("'$1,250.50' | to_number + 1", "1251.5"),
            ("'x' | to_number is none", "true"),
            ("'x5y' | digits | int + 1", "6"),
            ("-3.9 | int", "-3"),
            ("'4' | float", "4.0"),
            ("2.5 | round", "2.0"),
            ("1 | plural(one='# item', other='# items')", "1 item"),
            ("0 | plural(zero='nothing', one='# item', other='# items')", "nothing"),
            ("1000 | plural(one='# item', other='# items')", "1,000 items"),
            ("plural(rows | length, one='row', other='rows')", "rows"),
            ("null | money", ""),
            ("(2 ** 62) * 4", "18446744073709551616"),
        ],
    );
    check("de", &[("1250.5 | money", "1.250,50 €"), ("1250.5 | number", "1.250,5"), ("'1.250,5' | to_number", "1250.5")]);
    check("de-AT", &[("12.5 | money", "€ 12,50")]);
    failures(&[
        ("'five apples' | money", "the text is not one"),
        ("[] | number", "a number is needed"),
        ("(1e308 * 10) | number", "NaN or infinity"),
        ("5 | decimals(99)", "from 0 to 20"),
        ("1e300 | int", "too large"),
        ("3 | plural(one='a')", "other="),
    ]);
}

#[test]
fn lists() {
    check(
        "en",
        &[
            ("rows | map(attribute='name') | and_list", "b, A and c"),
            ("rows | and_list(attribute='name', last='as well as')", "b, A as well as c"),
            ("['a', 'b'] | or_list('nor')", "a nor b"),
            ("null | and_list", ""),
            ("rows | join(', ', attribute='name')", "b, A, c"),
            ("[1, null, true, 2.0] | join('-')", "1--true-2.0"),
            ("rows | sort('name') | map(attribute='name') | join", "Abc"),
            ("rows | sort('-name') | map(attribute='name') | join", "cbA"),
            ("rows | sort(attribute='name', case_sensitive=true) | map(attribute='name') | join", "Abc"),
            ("rows | sort('-total') | map(attribute='name') | join", "bAc"),
            ("rows | sort('total', reverse=true) | map(attribute='name') | join", "bAc"),
            ("rows | sort('at') | map(attribute='name') | join", "Abc"),
            ("rows | sort('by.name') | map(attribute='name') | join", "Abc"),
            ("rows | sort('missing', 'name') | map(attribute='name') | join", "Abc"),
            ("[3, 1, 2.5] | sort(reverse=true)", "[3,2.5,1]"),
            ("rows | min(attribute='total') | attr('name')", "A"),
            ("rows | max(attribute='at') | attr('name')", "b"),
            ("[] | max is none", "true"),
            ("[1, 2.5] | sum", "3.5"),
            ("rows | rejectattr('total', 'none') | sum(attribute='total')", "12.5"),
            ("null | sum", "0"),
            ("[1, 2, 4] | average | decimals(2)", "2.33"),
            ("[] | average is none", "true"),
            ("[1, 2, 3][1:] | first", "2"),
            ("[[], [{'a': [1]}]] | flatten | map(attribute='a') | flatten", "[1]"),
            ("[{'a': 1}, 'bc'] | flatten | length", "2"),
            ("(null | flatten) ~ ([] | flatten)", "[][]"),
            ("[null, 1] | flatten", "[1]"),
            ("[1, 2, 3] | slice(-2)", "[2,3]"),
            ("'Grüße' | slice(0, 3)", "Grü"),
            ("[1, 2] | slice(5, 9)", "[]"),
            ("null | length", "0"),
            ("[] | first | default('none')", "none"),
            ("['a', 'A', 'b'] | unique", "[\"a\",\"b\"]"),
            ("rows | groupby('total') | length", "3"),
            ("[1, 2, 3, 4][::-1]", "[4,3,2,1]"),
            ("[1, 2, 3, 4][0:2:-1]", "[]"),
            ("'abcd'[-3:-1] ~ 'abcd'[::2] ~ 'abcd'[9:1:-2]", "bcacd"),
            ("null[1:] ~ (null | unique) ~ (null | reverse) ~ (null | map('upper') | list)", "[][][][]"),
            ("1 in null or 'x' in {'x': 1} and 'x' not in []", "true"),
            ("[1, 2, 3] | select('gt', 1)", "[2,3]"),
            ("rows | selectattr('at') | selectattr('at', 'lt', '2026-01-20T11:45:00Z') | map(attribute='name') | join", "A"),
            ("rows | selectattr('name', 'in_ci', ['a', 'C']) | map(attribute='name') | join", "Ac"),
            ("'card' is in_ci(text)", "true"),
            ("[1, 2, 3] | select('gt' if false else 'odd') | list", "[1,3]"),
            ("rows | map(attribute='name') | map('upper') | join", "BAC"),
        ],
    );
    failures(&[
        ("[1, 'a'] | sort", "cannot be sorted"),
        ("rows | sort", "sort by one of its keys"),
        ("['a'] | sum", "only numbers"),
        ("'abc' | and_list", "a list is needed"),
        ("rows | sort(foo=1)", "keyword"),
        ("[1] | batch(0)", "from 1 to"),
        ("[] | first", "is absent"),
        ("5 in 'abc'", "a number is not in a text"),
        ("[1][::0]", "cannot be 0"),
        ("5[1:]", "cannot be sliced"),
    ]);
}

#[test]
fn texts() {
    check(
        "en",
        &[
            ("text | mask", "I was charged twice, my CARD is …1111 (s…h@example.com)"),
            ("'shipped' | label ~ '|' ~ ('not_yet' | label)", "unterwegs|not yet"),
            ("text | keywords('billing')", "[\"charged*\"]"),
            ("text | severity", "high"),
            ("text | severity({'urgent': ['card']})", "urgent"),
            ("'The site is down' | severity({})", "normal"),
            ("'a.b.c' | replace('.', '')", "abc"),
            ("10.5 | replace('.', ',')", "10,5"),
            ("null | upper is none", "true"),
            ("null | default('x') is none and null | default('x', true) == 'x'", "true"),
            ("null | default('x', boolean=true)", "x"),
            ("{}.gone | default(none) is none and {}.gone | default('x') == 'x'", "true"),
            ("'Größe' | truncate(4)", "Grö…"),
            ("'a1b22' | regex_findall('[0-9]+') | join(',')", "1,22"),
            ("'a1' | regex_find('x') is none", "true"),
            ("'a1b2' | regex_replace('([a-z])([0-9])', '$2$1')", "1a2b"),
            ("'ABC' is regex_match('(?i)^abc$') and 5 is not regex_match('5')", "true"),
            ("['a', 1, 2.5, true, null, [], {}] | map('type') | join(' ')", "text number number boolean null list map"),
            ("{'a': 'ü\"'} | json", "{\"a\":\"ü\\\"\"}"),
            ("'x' is text and 5 is number and true is boolean and [] is list and {} is map and null is none", "true"),
            ("'5' is of_type('text')", "true"),
        ],
    );
    check("de", &[("text | severity", "urgent")]);
    check("fr", &[("'x' | keywords('billing')", "[]")]);
    failures(&[
        ("'a' | replace('', 'b')", "a text to look for"),
        ("text | keywords('unknown')", "no such word list"),
        ("'a' | regex_find('(' ~ '')", "not a regular expression"),
        ("'x' | truncate(0)", "from 1"),
    ]);
}

#[test]
fn picks_follow_the_seed() {
    let draw = |src: &str| Template::compile(src).unwrap().text(&project("en")).unwrap();
    let src = "{{ range(100) | pick }} {{ range(100) | sample(3) }} {{ random_int(1, 6) }}";
    assert_eq!(draw(src), draw(src));
    assert_eq!(draw("{{ [] | pick | default('none') }}{{ [1] | sample(5) }}{{ null | sample(2) }}"), "none[1][]");
    let unseeded = Scope::new(Arc::new(()));
    let dice = Expression::compile("random_int(1, 6)").unwrap();
    for _ in 0..50 {
        assert!((1..=6).contains(&dice.eval(&unseeded).unwrap().as_i64().unwrap()));
    }
    failures(&[("random_int(6, 1)", "the smaller number first"), ("[1] | sample(-1)", "from 0")]);
}

#[test]
fn filters_cannot_make_more_than_the_bounds_allow() {
    let scope = scope(json!({"big": "x".repeat(200_000), "n": 99_999_999, "many": vec!["y".repeat(60); 9000]}));
    for src in [
        "{{ big | replace('x', big) }}",
        "{{ many | join(big) }}",
        "{{ many | join }}",
        "{{ many | and_list }}",
        "{{ big | regex_replace('x', big) }}",
        "{{ big | regex_replace('(x+)', '$1$1$1$1') }}",
        "{{ big | regex_findall('x') }}",
        "{{ many | json }}",
        "{{ many | string }}",
        "{{ range(n) | list }}",
        "{{ [1] | batch(n) }}",
        "{% for x in range(9000) %}{% set y = many | sort %}{% endfor %}",
    ] {
        assert!(Template::compile(src).unwrap().text(&scope).is_err(), "{src}");
    }
    let pattern = Template::compile("{{ 'a' | regex_find('a{1000}{1000}') }}").map(|_| ()).unwrap_err();
    assert!(pattern.message.contains("too large"), "{pattern}");
}

#[test]
fn what_is_written_out_is_checked_when_compiling() {
    for (src, range) in [
        ("{{ x | regex_find('(') }}", 18..21),
        ("{{ x is regex_match('[') }}", 20..23),
        ("{{ x | date('%Q') }}", 12..16),
        ("{{ x | add(1, 'fortnight') }}", 14..25),
    ] {
        assert_eq!(Template::compile(src).map(|_| ()).unwrap_err().range, Some(range), "{src}");
    }
}

#[test]
fn chained_maps_answer_as_the_last_that_has_the_key() {
    let fields = |json: serde_json::Value| json.as_object().unwrap().clone();
    let scope = scope(json!({"codes": {"open": "open", "done": "solved"}}))
        .with("settings", open_map(&fields(json!({"open": "waiting", "parked": null}))));
    let eval = |expression: &str| {
        let value = Expression::compile(expression).unwrap().eval(&scope);
        value.and_then(|value| to_json(&value)).map_err(|failed| failed.kind)
    };
    // An open map has null for what it does not have, which hides nothing of the other.
    assert_eq!(eval("(codes | chain(settings)).done"), Ok(json!("solved")));
    assert_eq!(eval("(settings | chain(codes)).done"), Ok(json!("solved")));
    assert_eq!(eval("(codes | chain(settings)).open"), Ok(json!("waiting")));
    assert_eq!(eval("(settings | chain(codes))['open']"), Ok(json!("open")));
    // A key that is null is there.
    assert_eq!(eval("(codes | chain(settings)).parked"), Ok(json!(null)));
    // What is in neither is absent, unless all of them are open.
    assert_eq!(eval("(codes | chain(settings)).lost"), Err(FailedKind::Undefined));
    assert_eq!(eval("(settings | chain(codes)).lost"), Err(FailedKind::Undefined));
    assert_eq!(eval("(settings | chain(settings)).lost"), Ok(json!(null)));
    assert_eq!(eval("settings.lost"), Ok(json!(null)));
    assert_eq!(eval("codes.lost"), Err(FailedKind::Undefined));
    assert_eq!(eval("{'b': 1} | chain({'a': 2}, {'b': 3})"), Ok(json!({"b": 3, "a": 2})));
    assert_eq!(eval("[1] | chain([2]) | list"), Ok(json!([1, 2])));
}

#[test]
fn what_vendors_write_is_read_or_null() {
    check(
        "en",
        &[
            ("'Thu, 29 Feb 2024 23:00:00 -0100' | parse_rfc2822", "2024-02-29T23:00:00-01:00"),
            ("'Tue, 20 Jan 2026 12:00:00 GMT' | parse_rfc2822", "2026-01-20T12:00:00+00:00"),
            ("'2026-01-20' | parse_rfc2822 is none", "true"),
            ("null | parse_rfc2822 is none", "true"),
            ("'2026-01-20T12:00:00' | rfc2822", "Tue, 20 Jan 2026 12:00:00 +0100"),
            ("'0664 1234567' | e164", "+436641234567"),
            ("'(650) 253-0000' | e164('us')", "+16502530000"),
            ("'call me' | e164 is none", "true"),
            ("null | e164 is none", "true"),
        ],
    );
    failures(&[("'2026-01-20' | rfc2822", "no moment"), ("'1' | e164('Austria')", "two letters")]);
}
