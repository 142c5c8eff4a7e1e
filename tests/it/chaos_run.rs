//! The judge of the chaos run, held against records that were made up: each kind of wrong has to be seen, and nothing else. The
//! plan of a run and its weather.

#[path = "../chaos/judge.rs"]
mod judge;
#[path = "../chaos/plan.rs"]
mod plan;
#[path = "../chaos/reading.rs"]
mod reading;
#[path = "../chaos/record.rs"]
mod record;
#[path = "../chaos/weather.rs"]
mod weather;

use std::collections::BTreeSet;
use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use self::judge::{Limits, Verdict, judge};
use self::plan::{Options, Plan, Repeat, Wish};
use self::record::{Action, Call, Effect, End, Listed, READ, Record, Turn, Vendor, WRITES};
use self::weather::{Forecast, Lie, Weather};

const LIMITS: Limits =
    Limits { first: Duration::from_secs(1), second: Duration::from_secs(2), margin: Duration::from_millis(250) };

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The action with these writes.
fn writing(writes: &[Vendor]) -> Action {
    WRITES.into_iter().find(|action| action.writes == writes).unwrap()
}

/// A record of one turn for the order `a`.
fn record(action: Action) -> Record {
    let turn = Turn { sender: "s".to_owned(), action, order: "a".to_owned(), left: false };
    Record { turns: vec![turn], ..Record::default() }
}

/// The answer of a turn that went so, with these slots.
fn said(outcome: &str, slots: Value) -> Value {
    let slots = slots.as_object().unwrap().clone();
    let event = |(name, value)| json!({ "event": "slot", "name": name, "value": value });
    let slots = slots.into_iter().chain([("action_outcome".to_owned(), json!(outcome))]).map(event);
    json!({ "events": slots.collect::<Vec<_>>(), "responses": [{ "text": "Well." }] })
}

fn slow(action: Action) -> Value {
    json!({ "events": [{ "event": "followup", "name": action.name }], "responses": [{ "text": "One moment." }] })
}

/// The same as a second answer.
fn as_second(action: Action, mut answer: Value) -> Value {
    let opening =
        [json!({ "event": "undo" }), json!({ "event": "undo" }), json!({ "event": "action", "name": action.name })];
    answer["events"].as_array_mut().unwrap().splice(0..0, opening);
    answer
}

impl Record {
    /// A first call that took 10 ms, sent so many milliseconds after the begin.
    fn first(mut self, at: u64, body: Value) -> Self {
        self.calls.push(call(false, at, End::Answer { status: 200, body }));
        self
    }

    fn second(mut self, at: u64, body: Value) -> Self {
        self.calls.push(call(true, at, End::Answer { status: 200, body }));
        self
    }

    fn ends(mut self, end: End) -> Self {
        self.calls.push(call(false, 0, end));
        self
    }

    /// What a vendor did for the order `a`.
    fn did(mut self, vendor: Vendor, id: &str) -> Self {
        self.effects.push(Effect { vendor, order: "a".to_owned(), id: id.to_owned() });
        self
    }

    fn judged(&self) -> Verdict {
        judge(self, LIMITS)
    }
}

fn call(second: bool, at: u64, end: End) -> Call {
    Call { turn: 0, second, sent: ms(at), took: ms(10), ended: ms(at + 10), end }
}

/// That it is wrong, and nothing but this.
#[track_caller]
fn wrong(verdict: &Verdict, text: &str) {
    assert!(!verdict.sound());
    assert!(matches!(&verdict.problems[..], [one] if one.contains(text)), "{:#?}", verdict.problems);
}

#[track_caller]
fn sound(verdict: &Verdict) {
    assert!(verdict.sound(), "{:#?}", verdict.problems);
}

#[test]
fn a_write_that_was_acknowledged_was_done_once() {
    for vendor in Vendor::ALL {
        let told = || record(writing(&[vendor])).first(0, said("ok", json!({ vendor.slot(): "x-1" })));
        let once = told().did(vendor, "x-1").judged();
        sound(&once);
        assert_eq!((once.turns, once.calls, once.good, once.outcomes["ok"]), (1, 1, 1, 1));
        let lost = told().judged();
        wrong(&lost, "lost");
        assert_eq!((lost.lost, lost.doubled), (1, 0));
        let doubled = told().did(vendor, "x-1").did(vendor, "x-2").judged();
        wrong(&doubled, "doubled");
        assert_eq!((doubled.lost, doubled.doubled), (0, 1));
        wrong(&told().did(vendor, "x-7").judged(), "knows nothing of x-1");
    }
}

#[test]
fn a_write_that_was_promised_was_done_once() {
    for outcome in ["queued", "pending"] {
        let told = || record(writing(&[Vendor::Desk])).first(0, said(outcome, json!({ "reference": "R" })));
        sound(&told().did(Vendor::Desk, "desk-1").judged());
        let lost = told().judged();
        wrong(&lost, "lost");
        assert_eq!(lost.lost, 1);
        wrong(&told().did(Vendor::Desk, "desk-1").did(Vendor::Desk, "desk-2").judged(), "doubled");
    }
}

#[test]
fn a_promise_that_cannot_be_kept_without_doing_it_twice_is_in_the_list_for_a_person() {
    let told = |vendor: Vendor| record(writing(&[vendor])).first(0, said("queued", json!({ "reference": "R" })));
    let listed = |state: &str| Listed { reference: "R".to_owned(), state: state.to_owned(), promised: true };
    let with = |vendor: Vendor, state: &str| Record { listed: vec![listed(state)], ..told(vendor) };
    for vendor in [Vendor::Post, Vendor::List] {
        sound(&with(vendor, "unclear").judged());
        assert_eq!(with(vendor, "unclear").judged().open, 1);
        wrong(&with(vendor, "failed").judged(), "lost");
        wrong(&told(vendor).judged(), "lost");
        sound(&with(vendor, "unclear").first(20, said("unclear", json!({ "reference": "R" }))).judged());
        let done = with(vendor, "done").did(vendor, "x-1").first(5, said("ok", json!({ vendor.slot(): "x-1" })));
        sound(&done.judged());
        let denied = Record { listed: Vec::new(), ..done }.first(40, said("unclear", json!({ "reference": "R" })));
        wrong(&denied.judged(), "of what was acknowledged");
    }
    wrong(&with(Vendor::Crm, "unclear").judged(), "lost");
    let nothing = record(writing(&[Vendor::Desk])).first(0, said("queued", json!({}))).did(Vendor::Desk, "desk-1");
    wrong(&nothing.judged(), "nothing to quote");
    for (state, promised) in [("queued", true), ("dead", true), ("sending", true)] {
        let left = Listed { promised, ..listed(state) };
        let left = Record { listed: vec![left], ..told(Vendor::Desk).did(Vendor::Desk, "desk-1") }.judged();
        wrong(&left, &format!("R is {state} in the end"));
        assert_eq!(left.left, 1);
    }
    let begun = Listed { promised: false, ..listed("sending") };
    sound(&Record { listed: vec![begun], ..told(Vendor::Desk).did(Vendor::Desk, "desk-1") }.judged());
}

#[test]
fn a_write_that_was_not_acknowledged_was_done_once_at_most() {
    for outcome in ["unavailable", "timeout", "rate_limited", "unexpected", "unclear"] {
        let told = || record(writing(&[Vendor::Post])).first(0, said(outcome, json!({ "reference": "R" })));
        sound(&told().judged());
        sound(&told().did(Vendor::Post, "post-1").judged());
        wrong(&told().did(Vendor::Post, "post-1").did(Vendor::Post, "post-2").judged(), "doubled");
    }
    let unknown = record(writing(&[Vendor::Post])).ends(End::Dead);
    wrong(
        &unknown.did(Vendor::Crm, "crm-1").first(0, said("unclear", json!({ "reference": "R" }))).judged(),
        "nobody asked crm",
    );
}

#[test]
fn of_two_writes_the_first_without_its_slot_is_what_the_outcome_is_of() {
    let both = writing(&[Vendor::Desk, Vendor::Crm]);
    let queued = || {
        record(both).first(0, said("queued", json!({ "ticket": "desk-1", "reference": "R" }))).did(Vendor::Desk, "desk-1")
    };
    sound(&queued().did(Vendor::Crm, "crm-1").judged());
    wrong(&queued().judged(), "crm never did it");
    // Nothing is said of what comes behind.
    sound(&record(both).first(0, said("queued", json!({ "reference": "R" }))).did(Vendor::Desk, "desk-1").judged());
    let failed = record(both).first(0, said("unavailable", json!({ "ticket": "desk-1" })));
    wrong(&failed.judged(), "desk never did it");
    let half = record(both).first(0, said("ok", json!({ "ticket": "desk-1" }))).did(Vendor::Desk, "desk-1");
    wrong(&half.judged(), "not what crm did");
}

#[test]
fn what_was_acknowledged_is_not_denied_later() {
    let desk = writing(&[Vendor::Desk]);
    let (ok, failed) = (said("ok", json!({ "ticket": "desk-1" })), said("timeout", json!({})));
    let told = || record(desk).did(Vendor::Desk, "desk-1");
    let denied = told().first(0, ok.clone()).first(20, failed.clone()).judged();
    wrong(&denied, "\"timeout\" of what was acknowledged");
    assert_eq!((denied.calls, denied.good), (2, 1));
    wrong(
        &told().first(0, said("queued", json!({ "reference": "R" }))).first(20, failed.clone()).judged(),
        "of what was acknowledged",
    );
    sound(&told().first(0, failed.clone()).first(20, ok.clone()).judged());
    sound(&told().first(0, ok.clone()).first(20, ok.clone()).judged());
    sound(&told().first(0, said("queued", json!({ "reference": "R" }))).first(20, ok.clone()).judged());
    // A turn that comes once more is told the same as before, whatever was done since.
    let mut again = told().first(0, failed.clone()).first(20, ok.clone()).first(40, failed.clone());
    again.turns.push(again.turns[0].clone());
    again.calls[1].turn = 1;
    sound(&again.judged());
    again.calls[2].turn = 1;
    wrong(&again.judged(), "of what was acknowledged");
    // Both were on their way at the same time.
    sound(&told().first(0, ok).first(5, failed).judged());
}

#[test]
fn every_call_that_reached_a_live_server_is_answered_well_and_in_time() {
    let ok = || said("ok", json!({ "order_status": "s-a" }));
    sound(&record(READ).first(0, ok()).ends(End::Dead).ends(End::Dropped).judged());
    wrong(&record(READ).first(0, ok()).ends(End::Broken("reset".to_owned())).judged(), "no answer: reset");
    wrong(&record(READ).first(0, ok()).ends(End::Answer { status: 500, body: json!({}) }).judged(), "it is a 500");
    let late = |second: bool, took: u64| {
        let body = if second { as_second(READ, ok()) } else { ok() };
        let mut late = record(READ).first(0, ok());
        let slow = Call { took: ms(took), ended: ms(took), ..call(second, 0, End::Answer { status: 200, body }) };
        late.calls.push(slow);
        late.judged()
    };
    sound(&late(false, 1250));
    sound(&late(true, 2250));
    wrong(&late(false, 1251), "too late");
    wrong(&late(true, 2251), "too late");
    assert_eq!(late(false, 1300).over, ms(300));
    assert_eq!((late(false, 1250).first, late(true, 2250).second), (vec![ms(10), ms(1250)], vec![ms(2250)]));
    assert!(!Record::default().judged().sound(), "nothing was tried");
}

#[test]
fn a_slow_turn_comes_to_its_end_unless_the_user_leaves() {
    let ok = said("ok", json!({ "order_status": "s-a" }));
    sound(&record(READ).first(0, slow(READ)).second(20, as_second(READ, ok.clone())).judged());
    let mut without = record(READ).first(0, slow(READ));
    wrong(&without.judged(), "never had an end");
    without.turns[0].left = true;
    sound(&without.judged());
}

#[test]
fn an_answer_is_what_rasa_takes_for_what_is_meant() {
    let ok = || said("ok", json!({ "order_status": "s-a" }));
    let bad = |second: bool, body: Value, text: &str| {
        let good = record(READ).first(0, ok());
        let verdict = if second { good.second(0, body) } else { good.first(0, body) }.judged();
        wrong(&verdict, text);
    };
    let with = |key: &str, value: Value| {
        let mut body = ok();
        body[key] = value;
        body
    };
    let event = |event: Value| {
        let mut body = ok();
        body["events"].as_array_mut().unwrap().push(event);
        body
    };
    bad(false, Value::Null, "`events` is no list");
    bad(false, with("responses", Value::Null), "`responses` is no list");
    bad(false, json!({ "events": [], "responses": [] }), "nothing is said or done");
    bad(false, with("responses", json!([])), "nothing is said");
    bad(false, with("responses", json!(["text"])), "no object");
    bad(false, event(json!({ "event": "slot", "name": "a" })), "Rasa refuses");
    bad(false, event(json!({ "event": "undo", "timestamp": "now" })), "Rasa refuses");
    bad(false, event(json!({ "event": "sleep" })), "Rasa refuses");
    bad(false, as_second(READ, ok()), "takes back what the user said");
    bad(true, ok(), "does not open as one run");
    bad(true, as_second(READ, event(json!({ "event": "undo" }))), "does not open as one run");
    bad(true, as_second(READ, slow(READ)), "follows up otherwise");
    bad(false, slow(WRITES[0]), "follows up otherwise");
    bad(false, with("events", json!([{ "event": "slot", "name": "a", "value": 1 }])), "how it went");
    bad(false, said("not_found", json!({})), "cannot be");
    bad(false, said("queued", json!({})), "cannot be");
    bad(false, said("ok", json!({ "order_status": "s-b" })), "the order is not");
    bad(false, said("stale", json!({})), "the order is not");
    let stale = record(writing(&[Vendor::Desk]))
        .first(0, said("unclear", json!({ "reference": "R" })))
        .first(0, said("stale", json!({})));
    wrong(&stale.judged(), "cannot be");
}

#[test]
fn the_same_seed_makes_the_same_plan() {
    let options = Options { seed: 7, turns: 400, senders: 20, seconds: 60 };
    let plan = Plan::new(&options, 5, 2);
    assert_eq!(plan.digest(), Plan::new(&options, 5, 2).digest());
    assert_ne!(plan.digest(), Plan::new(&Options { seed: 8, ..options }, 5, 2).digest());
    assert_eq!(plan.senders.iter().map(Vec::len).sum::<usize>(), 400);
    let wishes = || plan.senders.iter().flatten();
    let orders: BTreeSet<_> = wishes().filter(|wish| !wish.action.writes.is_empty()).map(|wish| &wish.order).collect();
    assert_eq!(
        orders.len(),
        wishes().filter(|wish| !wish.action.writes.is_empty()).count(),
        "an order is one write's alone"
    );
    assert!(plan.kills.iter().all(|(at, replica)| *at < Duration::from_secs(58) && *replica < 2));
    assert!(plan.kills.len() > 5 && plan.forecasts.len() == 5);
    let all: BTreeSet<_> = wishes().map(|wish| wish.action.name).collect();
    assert_eq!(all.len(), WRITES.len() + 1);
    let users = |of: fn(&Wish) -> bool| wishes().any(of) && !wishes().all(of);
    assert!(
        users(|wish| wish.has_id) && users(|wish| wish.leaves) && users(|wish| wish.insists) && users(|wish| wish.tries > 1)
    );
    assert!(wishes().all(|wish| wish.think < Duration::from_secs(2)));
    let hung_up = |wish: &Wish| matches!(wish.repeat, Repeat::HangUp(_));
    assert!(wishes().any(hung_up));
    for repeat in [Repeat::Never, Repeat::After, Repeat::Together, Repeat::Late, Repeat::Second] {
        assert!(wishes().any(|wish| wish.repeat == repeat), "{repeat:?}");
    }
}

#[test]
fn the_weather_changes_as_forecast_and_rough_weather_has_everything() {
    let forecast = Forecast::new(vec![(ms(0), Weather::Fine), (ms(500), Weather::Rough)]);
    assert_eq!(forecast.at(ms(499)), (Weather::Fine, Some(ms(500))));
    assert_eq!(forecast.at(ms(500)), (Weather::Rough, None));
    let mut rng = plan::rng(1, "weather", 0);
    let ills: BTreeSet<_> = (0..2000).filter_map(|_| Weather::Rough.ill(&mut rng)).map(weather::Ill::name).collect();
    assert_eq!(ills.len(), 10, "{ills:?}");
    for lie in [Lie::Page, Lie::Empty, Lie::Other, Lie::List] {
        assert!(!lie.body().0.contains("\"id\""), "a lie looks like the truth: {lie:?}");
    }
}
