//! Every statement about writes, by two processes.

use pretty_assertions::assert_eq;

use super::*;

async fn keys(store: &Store, owner: &str, now: i64, most: i64) -> Vec<String> {
    let taken = store.take_due(&lease(owner, now), &Reach::ALL, most).await.unwrap();
    taken.into_iter().map(|written| written.key).collect()
}

/// Begins writes of one lane, and queues them.
async fn queued(store: &Store, lane: &str, keys: &[&str]) -> Vec<i64> {
    let mut ids = Vec::new();
    for key in keys {
        let begun = store.begin(&NewWrite { lane, ..write(key) }, &lease("a", 1)).await.unwrap();
        ids.push(new(begun));
        assert!(store.settle(ids[ids.len() - 1], key, "a", &end(State::Queued, 2)).await.unwrap());
    }
    ids
}

#[tokio::test]
async fn a_write_is_new_once_and_known_to_everybody_after() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        let whole = NewWrite { purpose: "p", lane: "l", payload: b"inputs", ..write("k1") };
        let id = new(one.begin(&whole, &lease("a", 10)).await.unwrap());
        for again in [whole, NewWrite { key: "k2", ..whole }] {
            let found = known(other.begin(&again, &lease("b", 20)).await.unwrap());
            assert_eq!((found.id, found.key.as_str(), found.state), (id, "k1", State::Sending), "{}", pair.what());
            assert_eq!((found.lease_until, found.begun_at, found.payload.as_slice()), (110, 10, b"inputs".as_slice()));
        }
        let other_purpose = NewWrite { key: "k3", purpose: "q", ..whole };
        new(other.begin(&other_purpose, &lease("b", 20)).await.unwrap());
        assert!(one.settle(id, "k1", "a", &end(State::Done, 30)).await.unwrap());
        let found = known(other.begin(&NewWrite { key: "k2", ..whole }, &lease("b", 40)).await.unwrap());
        assert_eq!((found.state, found.result.as_deref(), found.ended_at), (State::Done, Some(b"it".as_slice()), 30));
        // The key goes before the purpose.
        let both = NewWrite { key: "k3", ..whole };
        assert_eq!(known(other.begin(&both, &lease("b", 40)).await.unwrap()).key, "k3");
    })
    .await;
}

#[tokio::test]
async fn a_purpose_is_over_some_time_after_its_turn_has_ended() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        let of = |key, joins_since| NewWrite { key, purpose: "p", turn: "t", joins_since, ..write("k") };
        let id = new(one.begin(&of("k1", 0), &lease("a", 10)).await.unwrap());
        assert!(one.settle(id, "k1", "a", &end(State::Done, 20)).await.unwrap());
        // The turn has not come to its end: however late, another message finds it.
        assert_eq!(known(other.begin(&of("k2", 5_000), &lease("b", 9_000)).await.unwrap()).key, "k1");
        one.release("t", &[]).await.unwrap();
        assert_eq!(known(other.begin(&of("k2", 19), &lease("b", 9_000)).await.unwrap()).key, "k1", "within the window");
        new(other.begin(&of("k2", 20), &lease("b", 9_000)).await.unwrap());
        assert_eq!(known(one.begin(&of("k1", 20), &lease("a", 9_000)).await.unwrap()).key, "k1", "its own key is for ever");
        assert_eq!(known(one.begin(&of("k3", 20), &lease("a", 9_000)).await.unwrap()).key, "k2");
    })
    .await;
}

#[tokio::test]
async fn what_failed_stands_in_nobodys_way_and_may_be_taken_over() {
    each(async |pair: &Pair| {
        let (one, other, what) = (&pair.one, &pair.other, pair.what());
        let first = NewWrite { purpose: "p", ..write("k1") };
        let id = new(one.begin(&first, &lease("a", 10)).await.unwrap());
        assert!(one.settle(id, "k1", "a", &End { current: false, ..end(State::Failed, 20) }).await.unwrap());
        assert_eq!(known(other.begin(&first, &lease("b", 30)).await.unwrap()).state, State::Failed);
        assert!(other.take_over(id, &lease("b", 30)).await.unwrap().is_some());
        assert!(one.take_over(id, &lease("a", 31)).await.unwrap().is_none(), "{what}: it is on its way");
        assert!(other.settle(id, "k1", "b", &End { current: false, ..end(State::Failed, 40) }).await.unwrap());
        let second = new(one.begin(&NewWrite { key: "k2", ..first }, &lease("a", 50)).await.unwrap());
        assert!(other.take_over(id, &lease("b", 50)).await.unwrap().is_none(), "{what}: another stands for its purpose");
        assert_eq!(known(other.begin(&first, &lease("b", 50)).await.unwrap()).id, second);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_works_on_is_theirs_until_the_lease_runs_out() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        let id = new(one.begin(&write("k"), &lease("a", 10)).await.unwrap());
        assert!(other.take_over(id, &lease("b", 109)).await.unwrap().is_none());
        one.renew(&[id], &lease("a", 50)).await.unwrap();
        assert!(other.take_over(id, &lease("b", 149)).await.unwrap().is_none(), "{}", pair.what());
        // What it does not work on any more is let go, though the process lives.
        one.renew(&[], &lease("a", 100)).await.unwrap();
        one.renew(&[id + 1], &lease("a", 100)).await.unwrap();
        assert!(other.take_over(id, &lease("b", 150)).await.unwrap().is_some());
        assert!(!one.settle(id, "k", "a", &end(State::Done, 160)).await.unwrap(), "it is not its own any more");
        one.renew(&[id], &lease("a", 160)).await.unwrap();
        assert_eq!(one.write(id).await.unwrap().unwrap().lease_until, 250);
        assert!(other.settle(id, "k", "b", &end(State::Done, 170)).await.unwrap());
        assert!(!other.settle(id, "k", "b", &end(State::Failed, 180)).await.unwrap(), "it has ended");
        other.renew(&[id], &lease("b", 180)).await.unwrap();
        let ended = one.write(id).await.unwrap().unwrap();
        assert_eq!((ended.state, ended.lease_until, ended.attempts), (State::Done, 0, 1));
        for state in [State::Done, State::Unclear] {
            assert!(one.take_over(id, &lease("a", 9_000)).await.unwrap().is_none(), "{}", state.name());
        }
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ran_out_and_that_nobody_took_is_kept_again() {
    each(async |pair: &Pair| {
        let id = new(pair.one.begin(&write("k"), &lease("a", 10)).await.unwrap());
        // The store was away for a while.
        pair.one.renew(&[id], &lease("a", 500)).await.unwrap();
        assert!(pair.other.take_over(id, &lease("b", 599)).await.unwrap().is_none(), "{}", pair.what());
        assert!(pair.one.settle(id, "k", "a", &end(State::Done, 600)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_is_queued_is_made_in_the_order_of_its_lane_one_at_a_time() {
    each(async |pair: &Pair| {
        let (one, other, what) = (&pair.one, &pair.other, pair.what());
        let ids = queued(one, "l", &["k1", "k2", "k3"]).await;
        queued(other, "m", &["n1", "n2"]).await;
        assert_eq!(keys(one, "a", 10, 10).await, ["k1", "n1"], "{what}");
        assert_eq!(keys(other, "b", 10, 10).await, [""; 0], "{what}: the others wait for those");
        assert!(one.settle(ids[0], "k1", "a", &end(State::Done, 20)).await.unwrap());
        assert_eq!(keys(other, "b", 20, 10).await, ["k2"], "{what}");
        let later = End { due_at: 500, ..end(State::Queued, 30) };
        assert!(other.settle(ids[1], "k2", "b", &later).await.unwrap());
        assert_eq!(keys(one, "a", 60, 10).await, [""; 0], "{what}: the third does not pass by the second");
        assert_eq!(keys(other, "b", 110, 10).await, ["n1"], "{what}: whoever had it is gone");
        assert_eq!(keys(other, "b", 500, 1).await, ["n1"], "{what}: as many as are wanted, the oldest first");
        assert_eq!(keys(one, "a", 500, 10).await, ["k2"], "{what}");
        assert!(one.settle(ids[1], "k2", "a", &end(State::Dead, 510)).await.unwrap());
        assert_eq!(keys(one, "a", 510, 10).await, ["k3"], "{what}");
        let third = one.write(ids[2]).await.unwrap().unwrap();
        assert_eq!((third.promised, third.attempts, third.lease_until), (true, 1, 610));
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_its_lane_is_queued_at_once_and_made_behind_the_others() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        queued(one, "l", &["k1"]).await;
        let behind = NewWrite { lane: "l", behind: true, ..write("k2") };
        let Begun::Behind(id) = other.begin(&behind, &lease("b", 10)).await.unwrap() else { panic!("it does not wait") };
        assert!(other.promise(id).await.unwrap());
        // One that is not to wait, and one of another lane, do not.
        new(other.begin(&NewWrite { behind: false, key: "k3", purpose: "k3", ..behind }, &lease("b", 10)).await.unwrap());
        new(other.begin(&NewWrite { lane: "m", key: "k4", purpose: "k4", ..behind }, &lease("b", 10)).await.unwrap());
        assert_eq!(keys(one, "a", 200, 10).await, ["k1"], "{}", pair.what());
    })
    .await;
}

#[tokio::test]
async fn what_was_promised_is_made_by_others_when_its_process_is_gone() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        let promised = new(one.begin(&write("k1"), &lease("a", 10)).await.unwrap());
        new(one.begin(&write("k2"), &lease("a", 10)).await.unwrap());
        assert!(one.promise(promised).await.unwrap());
        assert_eq!(keys(other, "b", 109, 10).await, [""; 0]);
        let taken = other.take_due(&lease("b", 110), &Reach::ALL, 10).await.unwrap();
        assert_eq!(taken.len(), 1, "{}: nobody waits for the other", pair.what());
        assert_eq!((taken[0].id, taken[0].state), (promised, State::Sending));
        assert!(!one.settle(promised, "k1", "a", &end(State::Done, 120)).await.unwrap());
        assert!(other.settle(promised, "k1", "b", &end(State::Done, 120)).await.unwrap());
        assert!(!one.promise(promised).await.unwrap(), "it has ended");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_what_was_promised_is_told_by_one() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        let ids = queued(one, "l", &["k1"]).await;
        let unpromised = new(one.begin(&write("k2"), &lease("a", 10)).await.unwrap());
        let told = |state, now| End { tell: true, ..end(state, now) };
        assert!(one.settle(unpromised, "k2", "a", &told(State::Done, 11)).await.unwrap());
        assert_eq!(keys(other, "b", 12, 1).await, ["k1"]);
        assert!(other.settle(ids[0], "k1", "b", &told(State::Done, 13)).await.unwrap());
        let tell = async |store: &Store, owner: &str, now: i64| -> Vec<(String, i64)> {
            let taken = store.take_to_tell(&lease(owner, now), &Reach::ALL, 10).await.unwrap();
            taken.into_iter().map(|written| (written.key, written.tells)).collect()
        };
        assert_eq!(tell(one, "a", 20).await, [("k1".to_owned(), 0)], "{}", pair.what());
        assert_eq!(tell(other, "b", 20).await, []);
        one.told(ids[0], "b", None).await.unwrap();
        one.told(ids[0], "a", Some(300)).await.unwrap();
        assert_eq!(tell(other, "b", 299).await, []);
        assert_eq!(tell(other, "b", 300).await, [("k1".to_owned(), 1)]);
        assert_eq!(one.forget_writes(9_000, 9_000).await.unwrap(), 1, "what is to be told is kept");
        other.told(ids[0], "b", None).await.unwrap();
        assert_eq!(tell(one, "a", 9_000).await, []);
        assert_eq!(one.forget_writes(9_000, 9_000).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_settled_is_forgotten_in_its_time_and_what_is_open_is_not() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        for (at, state) in [(1, State::Done), (2, State::Failed), (3, State::Unclear), (4, State::Dead), (5, State::Queued)]
        {
            let key = format!("k{at}");
            let id = new(one.begin(&write(&key), &lease("a", at)).await.unwrap());
            assert!(one.settle(id, &key, "a", &end(state, at)).await.unwrap());
        }
        let lost = new(one.begin(&write("lost"), &lease("a", 6)).await.unwrap());
        let promised = new(one.begin(&write("promised"), &lease("a", 7)).await.unwrap());
        assert!(one.promise(promised).await.unwrap());
        let tally = other.tally().await.unwrap();
        let mut tally: Vec<_> = tally.iter().map(|it| (it.state.name(), it.count, it.oldest)).collect();
        tally.sort_unstable();
        let counted = [
            ("dead", 1, 4),
            ("done", 1, 1),
            ("failed", 1, 2),
            ("queued", 1, 5),
            ("sending", 2, 6),
            ("unclear", 1, 3),
            ("undone", 0, i64::MAX),
        ];
        assert_eq!(tally, counted, "{}", pair.what());
        assert_eq!(other.forget_writes(2, 2).await.unwrap(), 2);
        assert_eq!(other.forget_writes(105, 3).await.unwrap(), 1, "a lease that holds keeps what it is on");
        assert_eq!(other.forget_writes(106, 4).await.unwrap(), 2);
        assert!(one.write(lost).await.unwrap().is_none());
        let left: Vec<_> =
            one.search(0, &State::ALL, None, 10).await.unwrap().into_iter().map(|met| met.write.key).collect();
        assert_eq!(left, ["k5", "promised"]);
        let ids: Vec<_> = one.search(0, &State::ALL, None, 1).await.unwrap().into_iter().map(|met| met.write.id).collect();
        let next: Vec<_> =
            one.search(ids[0], &State::ALL, None, 10).await.unwrap().into_iter().map(|met| met.write.key).collect();
        assert_eq!(next, ["promised"]);
    })
    .await;
}

#[tokio::test]
async fn an_operator_may_put_back_what_is_dead_and_remove_what_nobody_works_on() {
    each(async |pair: &Pair| {
        let (one, other) = (&pair.one, &pair.other);
        let ids = queued(one, "l", &["k1"]).await;
        assert_eq!(keys(one, "a", 10, 10).await, ["k1"]);
        assert!(!other.requeue(ids[0], State::Queued, 50).await.unwrap(), "somebody works on it");
        assert!(!other.remove(ids[0], State::Queued, 50).await.unwrap());
        assert!(one.settle(ids[0], "k1", "a", &end(State::Dead, 60)).await.unwrap());
        assert!(other.requeue(ids[0], State::Dead, 1_000).await.unwrap());
        let taken = one.take_due(&lease("a", 1_000), &Reach::ALL, 10).await.unwrap();
        assert_eq!((taken.len(), taken[0].attempts, taken[0].begun_at), (1, 0, 1_000), "{}", pair.what());
        assert!(one.settle(ids[0], "k1", "a", &end(State::Done, 1_010)).await.unwrap());
        assert!(!other.requeue(ids[0], State::Done, 2_000).await.unwrap(), "what is done is done");
        assert!(other.remove(ids[0], State::Done, 2_000).await.unwrap());
        assert!(!other.remove(ids[0], State::Done, 2_000).await.unwrap() && one.write(ids[0]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn what_may_have_been_sent_is_unsettled_for_whoever_takes_it() {
    each(async |pair: &Pair| {
        let (one, other, what) = (&pair.one, &pair.other, pair.what());
        let open = async |now: i64| -> Vec<bool> {
            let taken = other.take_due(&lease("b", now), &Reach::ALL, 10).await.unwrap();
            taken.into_iter().map(|written| written.unsettled).collect()
        };
        let ids = queued(one, "l", &["k1"]).await;
        assert_eq!(open(10).await, [false], "{what}: it waited");
        assert_eq!(open(200).await, [true], "{what}: whoever delivered it is gone");
        assert!(other.settle(ids[0], "k1", "b", &end(State::Queued, 210)).await.unwrap());
        assert_eq!(open(220).await, [false], "{what}: it is known that it was not");
        assert!(!other.requeue(ids[0], State::Queued, 319).await.unwrap());
        assert!(other.requeue(ids[0], State::Queued, 400).await.unwrap());
        assert_eq!(open(400).await, [true], "{what}: an operator does not know it either");
        let id = new(one.begin(&write("k2"), &lease("a", 1)).await.unwrap());
        let again = async |now: i64| other.take_over(id, &lease("b", now)).await.unwrap().unwrap().unsettled;
        assert!(again(200).await, "{what}");
        assert!(other.settle(id, "k2", "b", &end(State::Failed, 210)).await.unwrap());
        assert!(!again(220).await, "{what}");
    })
    .await;
}

#[tokio::test]
async fn a_write_that_cannot_be_read_keeps_no_other_from_being_made() {
    each(async |pair: &Pair| {
        let ids = queued(&pair.one, "l", &["k1"]).await;
        queued(&pair.one, "m", &["k2"]).await;
        let spoil = "update legwork_writes set payload = $2 where id = $1";
        pair.one.db.run(spoil, &[db::Arg::Number(ids[0]), db::Arg::Bytes(Some(b"\x01spoilt"))]).await.unwrap();
        assert_eq!(keys(&pair.other, "b", 10, 10).await, ["k2"], "{}", pair.what());
    })
    .await;
}

#[tokio::test]
async fn what_a_process_does_not_know_is_left_to_one_that_does_until_nobody_seems_to() {
    each(async |pair: &Pair| {
        let knowing = Reach { knows: r#"["desk.read","desk.make"]"#, anybodys: 0 };
        let unknowing = Reach { knows: r#"["desk.read"]"#, anybodys: 0 };
        let ids = queued(&pair.one, "l", &["a"]).await;
        let due =
            async |store: &Store, reach: &Reach<'_>, now| store.take_due(&lease("b", now), reach, 10).await.unwrap().len();
        assert_eq!(due(&pair.other, &unknowing, 10).await, 0, "{}", pair.what());
        assert_eq!(due(&pair.one, &knowing, 10).await, 1, "{}", pair.what());
        // Its process ended; it was begun at 1.
        assert_eq!(due(&pair.other, &unknowing, 500).await, 0);
        assert_eq!(due(&pair.other, &Reach { anybodys: 1, ..unknowing }, 500).await, 1);
        assert!(pair.other.settle(ids[0], "a", "b", &End { tell: true, ..end(State::Dead, 501) }).await.unwrap());
        let told =
            async |store: &Store, reach: &Reach<'_>| store.take_to_tell(&lease("b", 600), reach, 10).await.unwrap().len();
        assert_eq!(told(&pair.other, &unknowing).await, 0);
        assert_eq!(told(&pair.one, &knowing).await, 1);
    })
    .await;
}
