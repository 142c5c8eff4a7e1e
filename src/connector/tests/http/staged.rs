//! What is staged goes wrong where the vendor is: repeats, times, breaker and limits go by it. In paused time, with a real
//! vendor behind a socket.

use std::num::NonZeroU32;

use pretty_assertions::assert_eq;
use tokio::time::Instant;

use super::*;
use crate::plan::connector::Patience;
use crate::resilience::BreakerRules;
use crate::time::paused;

/// The vendor that answers so, and [`SHOP`] with a whole attempt's time and `faults`.
async fn staged(faults: &[&str], answers: Vec<Answers>, rules: Rules) -> (Vendor, Connections) {
    let connector = own_connector("own", &SHOP.replace("timeout: 150ms", "timeout: 12s"), Path::new("."));
    let (vendor, systems) = played_by(&connector, answers, rules).await;
    faults.iter().for_each(|fault| systems.stage(&fault.parse().unwrap()));
    paused::begin();
    (vendor, systems)
}

/// What a call comes to, after how many whole seconds, and how many requests the vendor got.
fn came(faults: &[&str], call: &str, answers: Vec<Answers>) -> (Result<Value, Outcome>, u64, usize) {
    let inputs = if call == "own.find" { json!({"number": 1}) } else { json!({}) };
    let work = async {
        let (vendor, systems) = staged(faults, answers, Rules::default()).await;
        let begun = Instant::now();
        let how = How::by(Deadline::after(Duration::from_secs(15)));
        let ended = answered(&systems, call, inputs, how).await;
        let ended = ended.map(|answered| answered.value["number"].clone()).map_err(|fault| fault.outcome);
        let took = begun.elapsed().as_millis();
        (ended, u64::try_from((took + 500) / 1000).unwrap(), vendor.seen().len())
    };
    paused::run(work).unwrap()
}

fn made() -> Answers {
    json(201, &[], &json!({"id": 1}))
}

#[test]
fn each_fault_is_what_a_call_meets() {
    let found = Ok(json!("7"));
    for (faults, call, answers, ended, seconds, requests) in [
        (&["own=slow:6s"][..], "own.find", vec![order()], found.clone(), 6, 1),
        // Its first attempt is given up after 12 seconds, the second with the turn.
        (&["own=slow:20s"], "own.find", vec![order(), order()], Err(Outcome::Timeout), 15, 2),
        // What writes has its own time, whoever waits for it.
        (&["own=slow:20s"], "own.make", vec![made(), made(), made()], Err(Outcome::Timeout), 30, 3),
        (&["own=slow:20s"], "own.again", vec![made()], Err(Outcome::Timeout), 12, 1),
        (&["own=down"], "own.find", vec![], Err(Outcome::Unavailable), 0, 0),
        (&["own=rate_limited"], "own.find", vec![], Err(Outcome::RateLimited), 0, 0),
        (&["own=rate_limited:5s"], "own.find", vec![], Err(Outcome::RateLimited), 10, 0),
        (&["own=wrong_data"], "own.make", vec![made()], Err(Outcome::Unexpected), 0, 1),
        (&["own=slow:3s", "own=wrong_data"], "own.find", vec![order()], Err(Outcome::Unexpected), 3, 1),
        (&["own.find=down"], "own.again", vec![made()], Ok(Value::Null), 0, 1),
        (&["own.again=down"], "own.find", vec![order()], found, 0, 1),
    ] {
        assert_eq!(came(faults, call, answers), (ended, seconds, requests), "{faults:?} {call}");
    }
}

#[test]
fn as_many_calls_fail_as_a_flaky_system_says_and_the_same_at_every_run() {
    let run = || {
        paused::run(async {
            let (vendor, systems) = staged(&["own=flaky:30%"], vec![order(); 100], Rules::default()).await;
            let mut down = Vec::new();
            for call in 0..100 {
                let ended = ask(&systems, "own.find", json!({"number": call})).await;
                down.extend(ended.err().map(|fault| (call, fault.outcome)));
                // The breaker looks back over so long; calls that come faster would open it.
                tokio::time::sleep(BreakerRules::default().window).await;
            }
            assert!(down.iter().all(|(_, outcome)| *outcome == Outcome::Unavailable), "{down:?}");
            assert_eq!(vendor.seen().len(), 100 - down.len());
            down
        })
        .unwrap()
    };
    let down = run();
    assert!((20..=40).contains(&down.len()), "{down:?}");
    assert_eq!(run(), down);
}

#[test]
fn breaker_and_limits_hear_of_it() {
    let breaker = BreakerRules { calls: NonZeroU32::new(3).unwrap(), ..BreakerRules::default() };
    let patience = Patience { breaker: Some(breaker), ..Patience::default() };
    let rules = Rules { patience, ..Rules::default() };
    let states = paused::run(async {
        let mut states = Vec::new();
        for fault in ["own=down", "own=rate_limited:30s"] {
            // Each with a breaker of its own; time stays paused.
            let (vendor, systems) = staged(&[fault], vec![], rules.clone()).await;
            let mut operators = Vec::new();
            for _ in 0..2 {
                operators.push(ask(&systems, "own.find", json!({"number": 1})).await.unwrap_err().operator);
            }
            let open = systems.one(&ConnectionName::parse("own").unwrap()).unwrap();
            assert_eq!(vendor.seen().len(), 0);
            states.push((open.chain.breaker().unwrap().state, open.chain.spared().held_back, operators.remove(1)));
        }
        states
    });
    let left_alone = "own is left alone until 12:00:10 UTC: its breaker is open".to_owned();
    let enough = "own is asked as much as it allows".to_owned();
    assert_eq!(states.unwrap(), [("open", 1, left_alone), ("closed", 1, enough)]);
}
