//! Dates and times in expressions. Every turn happens on Tuesday, January 20th 2026, at noon UTC.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::Bot;

async fn expressions(settings: &str, slots: Value, table: &[(&str, Value)]) {
    let mut action = String::from("steps:\n");
    for (at, (expression, _)) in table.iter().enumerate() {
        action += &format!("  - set: {{ v{at}: {} }}\n", Value::String(format!("{{{{ {expression} }}}}")));
    }
    let bot = Bot::with(&[("legwork.yml", settings), ("actions/action_x.yml", &action)]).await;
    let mut call = bot.call("action_x");
    for (name, value) in slots.as_object().unwrap() {
        call = call.slot(name, value.clone());
    }
    let answer = call.send().await;
    for (at, (expression, expected)) in table.iter().enumerate() {
        assert_eq!(&answer.slots()[at][1], expected, "{expression}");
    }
}

#[tokio::test]
async fn iso_times_with_offsets_come_in_and_go_out() {
    let slots = json!({ "at": "2026-03-01T09:30:00+05:30", "plain": "2026-03-01T09:30:00", "day": "2026-03-01" });
    expressions(
        "",
        slots,
        &[
            ("slots.at | iso", json!("2026-03-01T09:30:00+05:30")),
            ("slots.at | to_zone('Europe/Vienna')", json!("2026-03-01T05:00:00+01:00")),
            ("slots.at | drop_offset", json!("2026-03-01T09:30:00")),
            ("slots.at | hour", json!(4)),
            ("slots.at | drop_offset | hour", json!(9)),
            ("slots.day | weekday", json!("Sunday")),
            ("slots.at | drop_offset | date('%d.%m.%Y %H:%M')", json!("01.03.2026 09:30")),
            ("slots.at | date", json!("March 1st")),
            ("'2024-03-01' | date", json!("March 1st, 2024")),
            ("slots.plain | time", json!("9:30 am")),
            ("1768910400 | iso", json!("2026-01-20T12:00:00+00:00")),
            ("slots.at is date", json!(true)),
            ("'yesterday-ish' is date", json!(false)),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_people_write_becomes_a_time() {
    expressions(
        "",
        json!({}),
        &[
            ("'next Friday 3pm' | parse_datetime", json!("2026-01-23T15:00:00+00:00")),
            ("'tomorrow' | parse_date", json!("2026-01-21")),
            ("'March' | parse_date", json!("2026-03-01")),
            ("'quarter past nonsense' | parse_time", json!(null)),
            ("'half past 4 pm' | parse_time", json!("16:30")),
        ],
    )
    .await;
}

#[tokio::test]
async fn times_are_moved_by_units_that_are_values_and_month_ends_are_clipped() {
    let units = ["seconds", "minutes", "hours", "days", "weeks", "months", "years"];
    let moved = [
        "2026-01-31T10:00:02",
        "2026-01-31T10:02:00",
        "2026-01-31T12:00:00",
        "2026-02-02T10:00:00",
        "2026-02-14T10:00:00",
        "2026-03-31T10:00:00",
        "2028-01-31T10:00:00",
    ];
    let table: Vec<_> = units.iter().map(|unit| format!("slots.at | add(2, '{unit}')")).collect();
    let table: Vec<_> = table.iter().zip(moved).map(|(expression, moved)| (expression.as_str(), json!(moved))).collect();
    expressions("", json!({ "at": "2026-01-31T10:00:00" }), &table).await;
    expressions(
        "",
        json!({ "unit": "month", "day": "2024-02-29" }),
        &[
            ("'2026-01-31' | add(1, slots.unit)", json!("2026-02-28")),
            ("slots.day | add(years=1)", json!("2025-02-28")),
            ("slots.day | add(days=-60)", json!("2023-12-31")),
        ],
    )
    .await;
}

#[tokio::test]
async fn times_are_compared_with_now_whatever_their_offset() {
    let slots = json!({ "later": "2026-01-20T08:00:00-05:00", "earlier": "2026-01-20T12:30:00+01:00", "same": "2026-01-20T13:00:00+01:00" });
    expressions(
        "",
        slots,
        &[
            ("slots.later is after(now)", json!(true)),
            ("slots.later > now", json!(true)),
            ("slots.earlier < now", json!(true)),
            ("slots.same is same_moment(now)", json!(true)),
            ("slots.later | relative", json!("in 1 hour")),
            ("now | add(minutes=-12) | relative", json!("12 minutes ago")),
            ("'2026-01-25' | days_until", json!(5)),
            ("now", json!("2026-01-20T12:00:00.000Z")),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_projects_zone_and_language_are_those_of_its_times() {
    let settings = "timezone: Europe/Berlin\nlocale: de\nregion: DE\n";
    expressions(
        settings,
        json!({ "at": "2026-01-20T23:30:00Z" }),
        &[
            ("slots.at | date", json!("21. Januar")),
            ("slots.at | time", json!("00:30")),
            ("slots.at | weekday", json!("Mittwoch")),
            ("'nächsten Freitag um 15 Uhr' | parse_datetime", json!("2026-01-23T15:00:00+01:00")),
            ("'3.2.2026' | parse_date", json!("2026-02-03")),
            ("timezone", json!("Europe/Berlin")),
        ],
    )
    .await;
}
