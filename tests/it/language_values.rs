//! What expressions can say of texts, numbers, lists and free text, asked for through an action.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Bot, problems};

const SETTINGS: (&str, &str) = (
    "legwork.yml",
    "
locale: \"{{ slots.language or 'en' }}\"
labels: { en: { vip: very important }, de: { vip: sehr wichtig } }
words:
  topics:
    en: [refund*, \"late delivery\", broken]
    de: [rückerstattung, kaputt]
  plain: [one, two]
formats:
  order_number:
    pattern: '(?i)(?:order)?\\s*#?\\s*([a-z]?\\d{3,8})'
    upper: true
    strip: '.'
    pad: { width: 6, with: '0' }
    examples: { \"order #12.34\": \"001234\", \"a123\": \"00A123\", \"nothing\": null }
",
);

/// Evaluates expressions one by one, and holds each against what it has to be.
async fn expressions(slots: Value, table: &[(&str, Value)]) {
    let mut action = String::from("steps:\n");
    for (at, (expression, _)) in table.iter().enumerate() {
        action += &format!("  - set: {{ v{at}: {} }}\n", Value::String(format!("{{{{ {expression} }}}}")));
    }
    let bot = Bot::with(&[SETTINGS, ("actions/action_x.yml", &action)]).await;
    let mut call = bot.call("action_x");
    for (name, value) in slots.as_object().unwrap() {
        call = call.slot(name, value.clone());
    }
    let answer = call.send().await;
    let came = answer.slots();
    for (at, (expression, expected)) in table.iter().enumerate() {
        // A number is told from another by how it is written: 55 is not 55.0.
        assert_eq!(came[at][1].to_string(), expected.to_string(), "{expression}: {}", answer.json);
    }
}

#[tokio::test]
async fn texts() {
    expressions(
        json!({ "name": "  sarah JOHNSON ", "tags": "red, green,blue" }),
        &[
            ("slots.name | trim | title", json!("Sarah Johnson")),
            ("slots.name | lower | trim", json!("sarah johnson")),
            ("slots.tags | split(',') | map('trim')", json!(["red", "green", "blue"])),
            ("slots.name | replace('JOHNSON', 'Jones') | trim", json!("sarah Jones")),
            ("slots.tags | regex_find('[a-z]+ee[a-z]')", json!("green")),
            ("slots.tags | regex_find('x+')", json!(null)),
            ("slots.tags | regex_replace(',\\\\s*', '; ')", json!("red; green; blue")),
            ("'blue' in slots.tags", json!(true)),
            ("'BLUE' is in_ci(slots.tags | split(','))", json!(true)),
            ("'vip' | label", json!("very important")),
            ("slots.name | length", json!(16)),
            ("'ab' ~ 5 ~ true ~ null", json!("ab5true")),
        ],
    )
    .await;
}

#[tokio::test]
async fn lists() {
    let orders = json!([
        { "n": 1, "city": "Wien", "total": 10.5 },
        { "n": 2, "city": "Berlin", "total": 30 },
        { "n": 3, "city": "Wien", "total": 30 },
    ]);
    expressions(
        json!({ "orders": orders, "sizes": ["S", "M", "s", "L"], "empty": null }),
        &[
            ("slots.sizes | and_list", json!("S, M, s and L")),
            ("slots.sizes | or_list", json!("S, M, s or L")),
            ("slots.sizes | and_list('as well as')", json!("S, M, s as well as L")),
            ("'m' is in_ci(slots.sizes)", json!(true)),
            ("slots.sizes | distinct", json!(["S", "M", "L"])),
            ("slots.sizes | distinct(case_sensitive=true)", json!(["S", "M", "s", "L"])),
            ("slots.orders | sort('-total', 'n') | map(attribute='n')", json!([2, 3, 1])),
            ("slots.orders | sort('city', '-n') | map(attribute='n')", json!([2, 3, 1])),
            ("slots.sizes | slice(1, 3)", json!(["M", "s"])),
            ("slots.sizes | slice(-2)", json!(["s", "L"])),
            ("slots.orders | sum(attribute='total')", json!(70.5)),
            ("slots.orders | average(attribute='total') | round(1)", json!(23.5)),
            ("slots.orders | max(attribute='total') | attr('n')", json!(2)),
            ("slots.orders | selectattr('city', 'eq', 'Wien') | map(attribute='n') | list", json!([1, 3])),
            ("slots.orders | groupby('city') | map('first') | list", json!(["Berlin", "Wien"])),
            ("slots.empty | length", json!(0)),
            ("slots.empty | and_list", json!("")),
            ("slots.orders[0].city", json!("Wien")),
            ("[slots.sizes | pick] | length", json!(1)),
            ("slots.sizes | sample(2) | length", json!(2)),
            ("random_int(3, 3)", json!(3)),
            ("(slots.sizes | random) in slots.sizes", json!(true)),
        ],
    )
    .await;
}

#[tokio::test]
async fn numbers() {
    expressions(
        json!({ "price": "$1,250.50", "n": 55, "f": 55.0, "half": 64.625, "text": "12" }),
        &[
            ("slots.half | decimals(2)", json!("64.62")),
            ("slots.price | to_number", json!(1250.5)),
            ("slots.price | digits", json!("125050")),
            ("slots.n", json!(55)),
            ("slots.f", json!(55.0)),
            ("slots.n ~ ' ' ~ slots.f", json!("55 55.0")),
            ("slots.n | money('USD')", json!("$55.00")),
            ("1234567.891 | number(2)", json!("1,234,567.89")),
            ("(slots.text | int) + 1", json!(13)),
            ("7 // 2", json!(3)),
            ("7 / 2", json!(3.5)),
            ("-7 % 5", json!(3)),
            ("slots.n | string", json!("55")),
            ("slots.n == slots.f", json!(true)),
            ("plural(slots.n, one='# item', other='# items')", json!("55 items")),
        ],
    )
    .await;
}

#[tokio::test]
async fn free_text() {
    expressions(
        json!({ "text": "My order is BROKEN, I want refunds! Reach me at sarah@example.com or +1 415 555 0123." }),
        &[
            ("slots.text | keywords('topics')", json!(["refund*", "broken"])),
            ("slots.text | keywords(['order', 'parcel'])", json!(["order"])),
            ("'one of two' | keywords('plain')", json!(["one", "two"])),
            ("'We were hacked!' | severity", json!("urgent")),
            ("slots.text | mask", json!("My order is BROKEN, I want refunds! Reach me at s…h@example.com or …0123.")),
            ("'sarah@example.com' | mask_email", json!("s…h@example.com")),
            ("'4111 1111 1111 1111' | mask_card", json!("…1111")),
        ],
    )
    .await;
    expressions(
        json!({ "language": "de", "text": "Es ist kaputt, und ich will eine Rückerstattung." }),
        &[
            ("slots.text | keywords('topics')", json!(["rückerstattung", "kaputt"])),
            ("['a', 'b'] | and_list", json!("a und b")),
            ("'vip' | label", json!("sehr wichtig")),
            ("1250.5 | number(2)", json!("1.250,50")),
        ],
    )
    .await;
}

#[tokio::test]
async fn null_is_apart_from_absent() {
    let bot = Bot::with(&[
        (
            "actions/action_x.yml",
            "
inputs:
  given: { from: metadata, default: fallback }
  deep: { from: \"{{ metadata.customer.tier }}\", default: basic }
  city: { from: entity, default: nowhere }
  slot: { default: unset }
steps:
  - set: { out: [\"{{ given }}\", \"{{ deep }}\", \"{{ city }}\", \"{{ slot }}\", \"{{ metadata.given | default('absent') }}\", \"{{ metadata.given is defined }}\"] }
",
        ),
    ])
    .await;
    let absent = bot.call("action_x").send().await;
    assert_eq!(absent.slot("out"), &json!(["fallback", "basic", "nowhere", "unset", "absent", false]));
    let null = bot
        .call("action_x")
        .metadata(json!({ "given": null, "customer": {} }))
        .entity("city", json!(null))
        .slot("slot", json!(null))
        .send()
        .await;
    assert_eq!(null.slot("out"), &json!([null, "basic", null, "unset", null, true]));
    let there = bot
        .call("action_x")
        .metadata(json!({ "given": 0, "customer": { "tier": "gold" } }))
        .entity("city", "Wien")
        .slot("slot", false);
    assert_eq!(there.send().await.slot("out"), &json!([0, "gold", "Wien", false, 0, true]));
}

#[tokio::test]
async fn metadata_and_messages_that_are_null_are_empty() {
    let bot = Bot::with(&[(
        "actions/action_x.yml",
        "steps: [{ set: { out: [\"{{ metadata.a | default('none') }}\", \"{{ user_text }}\", \"{{ entities }}\", \"{{ intent }}\", \"{{ latest_message.text }}\"] } }]\n",
    )])
    .await;
    let nothing = json!(["none", null, [], null, null]);
    for message in [json!(null), json!({}), json!({ "text": null, "intent": null, "entities": null, "metadata": null })] {
        assert_eq!(bot.call("action_x").latest_message(message).send().await.slot("out"), &nothing);
    }
}

#[tokio::test]
async fn values_keep_their_type_alone_and_are_text_in_text() {
    expressions(
        json!({ "list": [1, "b"], "map": { "z": 1, "a": [true, null] }, "n": 5, "no": false }),
        &[
            ("slots.list", json!([1, "b"])),
            ("slots.map", json!({ "z": 1, "a": [true, null] })),
            ("slots.no", json!(false)),
            ("slots.n > 4", json!(true)),
        ],
    )
    .await;
    let bot = Bot::with(&[(
        "actions/action_x.yml",
        "steps: [{ set: { a: \"{{ slots.n }} of {{ slots.list }}\", b: { deep: [\"{{ slots.map }}\", 7, null, true, text] }, c: 007, d: \"7\" } }]\n",
    )])
    .await;
    let answer =
        bot.call("action_x").slot("list", json!([1, "b"])).slot("n", 5).slot("map", json!({ "k": 1.0 })).send().await;
    assert_eq!(
        answer.slots(),
        json!([["a", "5 of [1,\"b\"]"], ["b", { "deep": [{ "k": 1.0 }, 7, null, true, "text"] }], ["c", 7], ["d", "7"]])
    );
}

#[tokio::test]
async fn template_syntax_in_a_value_stays_text() {
    let bot = Bot::with(&[(
        "actions/action_x.yml",
        "inputs: { a: {} }\nsteps: [{ say: \"{{ a }}\" }, { let: { b: \"{{ a }}\" } }, { set: { c: \"{{ b }}!\" } }]\n",
    )])
    .await;
    let answer = bot.call("action_x").slot("a", "{{ 7*7 }} {% for x in y %} {# #} ${HOME}").send().await;
    assert_eq!(answer.said(), ["{{ 7*7 }} {% for x in y %} {# #} ${HOME}"]);
    assert_eq!(answer.slot("c"), &json!("{{ 7*7 }} {% for x in y %} {# #} ${HOME}!"));
}

#[tokio::test]
async fn a_slot_may_hold_a_megabyte() {
    let steps: String = (0..12).map(|n| format!("  - set: {{ s{n}: null }}\n")).collect();
    let action = format!(
        "inputs: {{ big: {{}} }}\nsteps:\n{steps}  - set: {{ copy: \"{{{{ big }}}}\", size: \"{{{{ slots.big | length }}}}\" }}\n"
    );
    let bot = Bot::with(&[("actions/action_x.yml", &action)]).await;
    let big = "ä{{".repeat(1 << 18);
    let answer = bot.call("action_x").slot("big", big.as_str()).send().await;
    assert_eq!(answer.slot("size"), &json!(3 << 18));
    assert_eq!(answer.slot("copy"), &json!(big));
}

#[tokio::test]
async fn a_template_without_end_and_one_without_bound_end_the_action_with_words() {
    let bot = Bot::with(&[
        (
            "actions/action_long.yml",
            "steps: [{ say: \"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}\" }]\n",
        ),
        ("actions/action_large.yml", "steps: [{ let: { a: \"{{ 'x' * 1000000000 }}\" } }, { say: \"{{ a }}\" }]\n"),
    ])
    .await;
    bot.expect_error("action_long.yml:1");
    bot.expect_error("action_large.yml:1");
    for action in ["action_long", "action_large"] {
        assert!(bot.call(action).send().await.said()[0].starts_with("Something went wrong on our side"));
    }
}

#[tokio::test]
async fn inputs_are_trimmed_formatted_and_asked_for() {
    let bot = Bot::with(&[
        SETTINGS,
        ("domain.yml", "responses: { utter_ask_email: [{ text: hi }] }\nactions: [action_x]\nslots: { language: { type: text }, order: { type: text }, size: { type: text }, phone: { type: text }, day: { type: text }, email: { type: text }, out: { type: any } }\n"),
        ("actions/action_x.yml", "
inputs:
  email: { format: email, missing: utter_ask_email, invalid: \"{{ email }} is no address.\" }
  order: { format: order_number, default: order 4711 }
  size: { format: { enum: { S: [small, klein], M: [medium], L: [large] } }, invalid: [{ text: S, buttons: [{ title: M, payload: M }] }] }
  phone: { format: { phone: AT } }
  day: { format: date }
steps:
  - set: { out: [\"{{ email }}\", \"{{ order }}\", \"{{ size }}\", \"{{ phone }}\", \"{{ day }}\"] }
"),
    ])
    .await;
    let call = || bot.call("action_x").slot("email", " Sarah@Example.COM ");
    assert_eq!(call().send().await.slot("out"), &json!(["Sarah@example.com", "004711", null, null, null]));
    let all = call()
        .slot("order", "Order #12.34 ")
        .slot("size", "Klein")
        .slot("phone", "0664 1234567")
        .slot("day", "next Friday")
        .send()
        .await;
    assert_eq!(all.slot("out"), &json!(["Sarah@example.com", "001234", "S", "+436641234567", "2026-01-23"]));
    assert_eq!(bot.call("action_x").slot("email", "   ").send().await.messages()[0]["response"], json!("utter_ask_email"));
    assert_eq!(bot.call("action_x").slot("email", "nobody").send().await.said(), ["nobody is no address."]);
    assert_eq!(call().slot("size", "huge").send().await.messages()[0]["buttons"], json!([{ "title": "M", "payload": "M" }]));
    // Without words of its own, what is invalid is said in legwork's.
    let unsaid = call().slot("phone", "12").send().await;
    assert_eq!(
        (unsaid.said(), unsaid.slots()),
        (vec!["Something in what you gave me wasn't accepted. Could you check it?"], json!([]))
    );
}

#[tokio::test]
async fn a_choice_of_the_project_is_a_format_everywhere() {
    let bot = Bot::with(&[
        ("legwork.yml", "formats: { urgency: { enum: { high: [asap, right now], low: [whenever] }, examples: { ASAP: high, never: null } } }\n"),
        ("actions/action_x.yml", "inputs: { a: { format: urgency } }\nsteps: [{ say: \"{{ a }}\" }]\n"),
    ])
    .await;
    assert_eq!(bot.call("action_x").slot("a", "Right now").send().await.said(), ["high"]);
    assert_eq!(bot.call("action_x").slot("a", "LOW").send().await.said(), ["low"]);
    assert_eq!(bot.call("action_x").slot("a", "never").send().await.said().len(), 1);
    assert_eq!(
        bot.call("action_x").slot("a", "never").send().await.said()[0].split('.').next(),
        Some("Something in what you gave me wasn't accepted")
    );
}

#[tokio::test]
async fn inputs_see_those_before_them() {
    let bot = Bot::with(&[(
        "actions/action_x.yml",
        "
inputs:
  first: { from: entity }
  both: { from: \"{{ first }} {{ slots.last }}\" }
  third: { default: \"{{ both | upper }}\", missing: \"never\" }
steps: [{ say: \"{{ third }}\" }]
",
    )])
    .await;
    // The last entity of a name counts.
    assert_eq!(
        bot.call("action_x").entity("first", "Tom").entity("first", "Ann").slot("last", "Lee").send().await.said(),
        ["ANN LEE"]
    );
    let found = problems(&[(
        "actions/action_x.yml",
        "inputs: { a: { from: \"{{ b }}\" }, b: {} }\nsteps: [{ say: \"{{ a }}{{ b }}\" }]\n",
    )]);
    assert!(found[0].starts_with("unknown-name"), "{found:?}");
}

#[tokio::test]
async fn every_format_reads_what_people_write() {
    let table = [
        ("text", json!(5), json!("5")),
        ("email", json!("ann@Example.COM"), json!("ann@example.com")),
        ("phone", json!("(415) 555-0123"), json!("+14155550123")),
        ("date", json!("next Friday"), json!("2026-01-23")),
        ("time", json!("half past 4 pm"), json!("16:30")),
        ("datetime", json!("next Friday 3pm"), json!("2026-01-23T15:00:00+00:00")),
        ("number", json!("1,250.5"), json!(1250.5)),
        ("integer", json!("42"), json!(42)),
        ("money", json!("$1,250.50"), json!({ "amount": 1250.5, "currency": "USD" })),
        ("yes_no", json!("yes please"), json!(true)),
    ];
    assert_eq!(table.each_ref().map(|(format, ..)| *format), legwork::format::Format::NAMES);
    for (format, written, read) in table {
        let action = format!("inputs: {{ a: {{ format: {format} }} }}\nsteps: [{{ set: {{ out: \"{{{{ a }}}}\" }} }}]\n");
        let bot = Bot::with(&[("actions/action_x.yml", &action)]).await;
        assert_eq!(bot.call("action_x").slot("a", written).send().await.slot("out"), &read, "{format}");
    }
}
