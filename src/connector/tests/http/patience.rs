//! How patiently a vendor is asked: breaker, budget, second requests, limits, and what is kept.

use std::num::NonZeroU32;
use std::time::Duration;

use pretty_assertions::assert_eq;

use super::*;
use crate::connector::{Answered, Pulse};
use crate::plan::connector::{CacheRule, Keeping, Patience};
use crate::resilience::{BreakerRules, BudgetRules, HedgeAfter, SenderRate, Share};

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Rules with one attempt and this patience.
fn patient(patience: Patience) -> Rules {
    Rules { patience, ..Rules::default() }
}

/// A breaker that opens at half of four calls and closes after one.
fn touchy() -> Option<BreakerRules> {
    Some(BreakerRules { calls: number(4), probes: number(1), ..BreakerRules::default() })
}

fn down() -> Answers {
    json(503, &[], &Value::Null)
}

async fn find(shop: &Connections) -> Result<Answered, Fault> {
    answered(shop, "own.find", json!({"number": 1}), how()).await
}

/// What operators see of the connection's breaker, and how much was repeated and held back.
async fn seen(shop: Connections) -> (Value, Value) {
    let health = Pulse::new(Arc::new(shop)).health(Deadline::after(Duration::ZERO)).await;
    let one = serde_json::to_value(&health.connections[0]).unwrap();
    (one["breaker"].clone(), one["spared"].clone())
}

async fn pass(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_vendor_that_fails_is_left_alone_and_tried_again() {
    let rules = patient(Patience { attempts: Some(number(1)), breaker: touchy(), ..Patience::default() });
    let answers = vec![order(), order(), down(), down(), down(), order(), order()];
    let (vendor, shop) = played_by(&shop(), answers, rules).await;
    for ended in [None, None, Some(Outcome::Unavailable), Some(Outcome::Unavailable)] {
        assert_eq!(find(&shop).await.err().map(|fault| fault.outcome), ended);
    }
    let fault = find(&shop).await.unwrap_err();
    let (until, why) = fault.operator.split_once(" UTC: ").unwrap();
    assert!(until.starts_with("own is left alone until 12:00:"), "{fault}");
    assert_eq!(why, "its breaker is open");
    assert_eq!((fault.outcome, vendor.seen().len()), (Outcome::Unavailable, 4));
    assert!(fault.retry_after.is_some_and(|wait| wait > Duration::from_secs(8)), "{fault:?}");
    pass(Duration::from_secs(10)).await;
    assert_eq!(find(&shop).await.unwrap_err().outcome, Outcome::Unavailable);
    assert_eq!(vendor.seen().len(), 5, "the probe failed");
    assert!(find(&shop).await.is_err());
    assert_eq!(vendor.seen().len(), 5);
    pass(Duration::from_secs(10)).await;
    assert!(find(&shop).await.is_ok() && find(&shop).await.is_ok());
    let (breaker, spared) = seen(shop).await;
    assert_eq!(breaker, json!({"state": "closed", "until": null}));
    assert_eq!(spared, json!({"retries": 0, "hedges": 0, "held_back": 2}));
}

#[tokio::test]
async fn refusals_and_limits_of_the_vendor_open_nothing() {
    let soon = [("Retry-After", "0")];
    for answer in [json(404, &[], &Value::Null), json(403, &[], &Value::Null), json(429, &[], &Value::Null)]
        .into_iter()
        .chain([json(429, &soon, &Value::Null), json(503, &soon, &Value::Null)])
    {
        let rules = patient(Patience { attempts: Some(number(1)), breaker: touchy(), ..Patience::default() });
        let (vendor, shop) = played_by(&shop(), vec![answer.clone(); 9], rules).await;
        for _ in 0..9 {
            assert!(find(&shop).await.is_err());
        }
        assert_eq!(vendor.seen().len(), 9, "{answer:?}");
        assert_eq!(seen(shop).await.0["state"], "closed");
    }
}

#[tokio::test]
async fn three_calls_that_fail_do_not_open_a_breaker_of_which_nothing_was_said() {
    let (vendor, shop) = played(&shop(), vec![down(); 9]).await;
    for _ in 0..3 {
        assert_eq!(find(&shop).await.unwrap_err().outcome, Outcome::Unavailable);
    }
    assert_eq!(vendor.seen().len(), 9);
    assert_eq!(seen(shop).await.0["state"], "closed");
}

#[tokio::test]
async fn a_breaker_that_opens_between_attempts_does_not_hide_what_was_sent() {
    let breaker = Some(BreakerRules { calls: number(1), ..BreakerRules::default() });
    let (vendor, shop) = played_by(&shop(), vec![down(); 3], patient(Patience { breaker, ..Patience::default() })).await;
    let fault = ask(&shop, "own.make", json!({"name": "a"})).await.unwrap_err();
    assert!(fault.operator.contains("503") && fault.operator.contains("; then own is left alone"), "{fault}");
    assert_eq!(vendor.seen().len(), 1);
}

#[tokio::test]
async fn repeats_end_with_the_budget() {
    let budget = BudgetRules { share: Share::new(50).unwrap(), floor: 0 };
    let rules = patient(Patience { budget, breaker: None, ..Patience::default() });
    let (vendor, shop) = played_by(&shop(), vec![down(); 60], rules).await;
    for _ in 0..20 {
        assert_eq!(find(&shop).await.unwrap_err().outcome, Outcome::Unavailable);
    }
    assert_eq!(vendor.seen().len(), 30, "twenty calls, and half as many repeats");
    let (breaker, spared) = seen(shop).await;
    assert_eq!((breaker, &spared["retries"], &spared["held_back"]), (Value::Null, &json!(10), &json!(20)));
}

#[tokio::test]
async fn a_read_that_takes_long_is_asked_beside_and_a_write_is_not() {
    let hedge = Some(HedgeAfter::Span(Duration::from_millis(30)));
    let rules = || {
        let (timeout, attempts) = (Some(Duration::from_secs(5)), Some(number(1)));
        patient(Patience { hedge, timeout, attempts, ..Patience::default() })
    };
    let (vendor, own) = played_by(&shop(), vec![Answers::Stalls(Vec::new()), order()], rules()).await;
    assert_eq!(find(&own).await.unwrap().value["number"], "7");
    assert_eq!(vendor.seen().len(), 2);
    assert_eq!(seen(own).await.1, json!({"retries": 0, "hedges": 1, "held_back": 0}));
    // Out of budget: the first attempt is waited for.
    let budget = BudgetRules { share: Share::new(1).unwrap(), floor: 0 };
    let Rules { patience, .. } = rules();
    let spent = patient(Patience { budget, timeout: Some(Duration::from_millis(150)), ..patience });
    let (vendor, own) = played_by(&shop(), vec![Answers::Stalls(Vec::new()), order()], spent).await;
    assert_eq!((find(&own).await.unwrap_err().outcome, vendor.seen().len()), (Outcome::Timeout, 1));
    // Nor is a write asked twice.
    let Rules { patience, .. } = rules();
    let brief = patient(Patience { timeout: Some(Duration::from_millis(150)), ..patience });
    let (vendor, own) = played_by(&shop(), vec![Answers::Stalls(Vec::new()), order()], brief).await;
    assert_eq!(outcome(&own, "own.make", json!({"name": "a"})).await, Outcome::Timeout);
    assert_eq!(vendor.seen().len(), 1);
}

#[tokio::test]
async fn who_finds_no_room_to_wait_is_refused_at_once() {
    let (concurrent, queue) = (Some(number(1)), 0);
    let rules = patient(Patience { concurrent, queue, attempts: Some(number(1)), ..Patience::default() });
    let (vendor, shop) = played_by(&shop(), vec![Answers::Stalls(Vec::new())], rules).await;
    let (one, two) = tokio::join!(find(&shop), answered(&shop, "own.find", json!({"number": 2}), how()));
    let outcomes = [one, two].map(|ended| ended.unwrap_err().outcome);
    assert!(outcomes.contains(&Outcome::RateLimited) && outcomes.contains(&Outcome::Timeout), "{outcomes:?}");
    assert_eq!(vendor.seen().len(), 1);
}

#[tokio::test]
async fn one_sender_gets_no_more_than_its_calls_and_what_is_kept_is_free() {
    let sender = Some(SenderRate { calls: number(2), per: Duration::from_secs(60) });
    let kept = CacheRule::Own(Keep::new(Duration::from_secs(60), Duration::from_secs(60)));
    let find = OperationName::parse("find").unwrap();
    let keeping = Keeping { off: false, operations: [(find, Some(kept))].into() };
    let rules = patient(Patience { sender, keeping, ..Patience::default() });
    let (vendor, shop) = played_by(&shop(), vec![order(); 9], rules).await;
    let asked = async |sender: &str, number: u32| {
        let how = How { sender: Some(sender), ..how() };
        answered(&shop, "own.find", json!({"number": number}), how).await
    };
    for number in [1, 1, 1, 2, 1, 2] {
        assert!(asked("anna", number).await.is_ok(), "{number}");
    }
    let fault = asked("anna", 3).await.unwrap_err();
    assert_eq!((fault.outcome, fault.too_often), (Outcome::RateLimited, true));
    assert!(!fault.operator.contains("anna"), "{fault}");
    assert!(asked("anna", 1).await.is_ok() && asked("bert", 3).await.is_ok() && asked("anna", 3).await.is_ok());
    assert_eq!(vendor.seen().len(), 3);
    pass(Duration::from_secs(30)).await;
    assert!(asked("anna", 4).await.is_ok());
    assert!(answered(&shop, "own.find", json!({"number": 5}), how()).await.is_ok(), "nobody in particular is not limited");
}

#[tokio::test]
async fn a_connection_says_what_is_kept() {
    let kept = CacheRule::Own(Keep::new(Duration::from_secs(60), Duration::from_secs(60)));
    let find_ = OperationName::parse("find").unwrap();
    let keeping = |off, rule| Keeping { off, operations: [(find_.clone(), rule)].into() };
    for (keeping, sent) in [(Keeping::default(), 3), (keeping(false, Some(kept)), 1), (keeping(true, Some(kept)), 3)] {
        let rules = patient(Patience { keeping, ..Patience::default() });
        let (vendor, shop) = played_by(&shop(), vec![order(); 3], rules).await;
        for _ in 0..3 {
            assert!(find(&shop).await.is_ok());
        }
        assert_eq!(vendor.seen().len(), sent);
    }
}

#[tokio::test]
async fn a_refresh_goes_past_what_is_kept_and_absence_is_kept_briefly() {
    let kept = CacheRule::Own(Keep::new(Duration::from_secs(600), Duration::from_secs(900)));
    let keeping = Keeping { off: false, operations: [(OperationName::parse("find").unwrap(), Some(kept))].into() };
    let gone = json(404, &[], &Value::Null);
    let rules = patient(Patience { keeping, ..Patience::default() });
    let (vendor, shop) = played_by(&shop(), vec![gone, order(), order()], rules).await;
    for _ in 0..2 {
        assert_eq!(find(&shop).await.unwrap_err().outcome, Outcome::NotFound);
    }
    assert_eq!(vendor.seen().len(), 1);
    pass(Duration::from_secs(31)).await;
    assert!(find(&shop).await.is_ok() && find(&shop).await.unwrap().age.is_some());
    assert_eq!(vendor.seen().len(), 2);
    let fresh = answered(&shop, "own.find", json!({"number": 1}), How { refresh: true, ..how() }).await.unwrap();
    assert_eq!((fresh.age, vendor.seen().len()), (None, 3));
}
