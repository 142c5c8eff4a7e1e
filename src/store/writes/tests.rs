//! Tests of what writes are begun and found by.

use pretty_assertions::assert_eq;

use super::*;

const LANE: &str = "lane";

pub(super) fn write<'a>(key: &'a str, behind: bool) -> NewWrite<'a> {
    NewWrite {
        key,
        purpose: key,
        turn: key,
        lane: LANE,
        reference: "R",
        caller: "anonymous",
        sender: "s",
        action: "action_x",
        connection: "desk",
        operation: "make",
        payload: b"{}",
        behind,
        joins_since: 0,
    }
}

pub(super) fn lease(owner: &str, now: i64) -> Lease<'_> {
    Lease { owner, now, until: now + 100 }
}

async fn due(store: &Store, owner: &str, now: i64) -> Vec<String> {
    let due = store.take_due(&lease(owner, now), &Reach::ALL, 10).await.unwrap();
    due.into_iter().map(|written| written.key).collect()
}

#[tokio::test]
async fn what_waits_for_others_of_its_lane_is_delivered_behind_them_by_whoever_is_next() {
    let store = Store::in_memory().await.unwrap();
    let Begun::New(first) = store.begin(&write("a", true), &lease("one", 1)).await.unwrap() else {
        panic!("nothing is before it")
    };
    let queued = End { state: State::Queued, result: None, now: 2, due_at: 3, unsettled: false, current: true, tell: false };
    assert!(store.settle(first, "a", "one", &queued).await.unwrap());
    assert!(matches!(store.begin(&write("b", true), &lease("one", 2)).await.unwrap(), Begun::Behind(_)));
    // The process that noted it lives on, and keeps its leases.
    store.renew(&[first], &lease("one", 50)).await.unwrap();
    assert_eq!(due(&store, "one", 50).await, ["a"]);
    let done = End { state: State::Done, now: 51, ..queued };
    assert!(store.settle(first, "a", "one", &done).await.unwrap());
    store.renew(&[first], &lease("one", 52)).await.unwrap();
    assert_eq!(due(&store, "two", 52).await, ["b"]);
    assert_eq!(due(&store, "one", 53).await, [""; 0]);
}

#[tokio::test]
async fn what_failed_and_is_tried_again_is_found_by_another_message_of_its_purpose() {
    let store = Store::in_memory().await.unwrap();
    let (one, other) = (write("a", false), NewWrite { purpose: "a", ..write("b", false) });
    let begin = async |write, now| store.begin(write, &lease("one", now)).await.unwrap();
    let Begun::New(first) = begin(&one, 1).await else { panic!("nothing is before it") };
    // It did nothing: another message begins anew.
    let failed =
        End { state: State::Failed, result: None, now: 2, due_at: 2, unsettled: false, current: false, tell: false };
    assert!(store.settle(first, "a", "one", &failed).await.unwrap());
    assert!(store.take_over(first, &lease("one", 3)).await.unwrap().is_some());
    // It is on its way again, so another message waits for it.
    assert!(matches!(begin(&other, 4).await, Begun::Known(met) if met.id == first));
    assert!(store.settle(first, "a", "one", &End { now: 5, ..failed }).await.unwrap());
    let Begun::New(second) = begin(&other, 6).await else { panic!("the first did nothing") };
    // Now it is the first that waits.
    assert!(matches!(begin(&one, 7).await, Begun::Known(met) if met.id == second));
    assert!(store.take_over(first, &lease("one", 8)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_a_process_was_delivering_when_it_ended_may_have_been_done() {
    let store = Store::in_memory().await.unwrap();
    let Begun::New(id) = store.begin(&write("a", true), &lease("one", 1)).await.unwrap() else {
        panic!("nothing is before it")
    };
    let queued = End { state: State::Queued, result: None, now: 2, due_at: 3, unsettled: false, current: true, tell: false };
    let taken = async |owner, now| {
        let due = store.take_due(&lease(owner, now), &Reach::ALL, 10).await.unwrap();
        due.iter().map(|written| written.unsettled).collect::<Vec<_>>()
    };
    assert!(store.settle(id, "a", "one", &queued).await.unwrap());
    assert_eq!(taken("one", 10).await, [false]);
    // It came back undone, which is known.
    assert!(store.settle(id, "a", "one", &queued).await.unwrap());
    assert_eq!(taken("one", 20).await, [false]);
    assert_eq!(taken("two", 119).await, [false; 0]);
    assert_eq!(taken("two", 120).await, [true]);
}

#[tokio::test]
async fn what_was_promised_does_not_just_fail() {
    let store = Store::in_memory().await.unwrap();
    let Begun::New(id) = store.begin(&write("a", true), &lease("one", 1)).await.unwrap() else {
        panic!("nothing is before it")
    };
    assert!(store.promise(id).await.unwrap());
    let failed = End { state: State::Failed, result: None, now: 2, due_at: 3, unsettled: true, current: true, tell: false };
    assert!(!store.settle(id, "a", "one", &failed).await.unwrap());
    assert!(store.settle(id, "a", "one", &End { state: State::Queued, ..failed }).await.unwrap());
    assert_eq!(due(&store, "two", 50).await, ["a"]);
}
