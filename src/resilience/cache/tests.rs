//! Tests of the cache: freshness, single flight, and what drops an entry.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::advance;

use super::*;

mod second;

const FRESH: Duration = Duration::from_secs(60);
const STALE: Duration = Duration::from_secs(3600);
const KEEP: Keep = Keep::new(FRESH, STALE);

/// A system that counts how often it is asked and answers with the count.
#[derive(Clone, Default)]
struct Vendor(Arc<AtomicUsize>);

impl Vendor {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn answers(&self) -> impl Future<Output = Result<Value, Fault>> + Send + 'static + use<> {
        let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(json!(count)) }
    }

    fn fails(&self, outcome: Outcome) -> impl Future<Output = Result<Value, Fault>> + Send + 'static + use<> {
        self.0.fetch_add(1, Ordering::SeqCst);
        async move { Err(Fault::new(outcome, "as told")) }
    }
}

fn key_of(inputs: Value) -> Key {
    let (shop, find) = (ConnectionName::parse("shop").unwrap(), OperationName::parse("find_order").unwrap());
    Key::new(&shop, &find, inputs.as_object().unwrap())
}

fn key() -> Key {
    key_of(json!({"number": "1001"}))
}

fn cache() -> ReadCache {
    ReadCache::new(1 << 20)
}

async fn ask(cache: &ReadCache, vendor: &Vendor) -> Value {
    let cached = cache.read(&key(), KEEP, false, || vendor.answers()).await.answer.unwrap();
    (*cached.value).clone()
}

fn write(cache: &ReadCache) {
    cache.outdate(&ConnectionName::parse("shop").unwrap(), [&OperationName::parse("find_order").unwrap()]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_fresh_for_its_time_and_says_its_age() {
    let (cache, vendor) = (cache(), Vendor::default());
    assert_eq!(ask(&cache, &vendor).await, json!(1));
    advance(FRESH - Duration::from_secs(1)).await;
    let kept = cache.read(&key(), KEEP, false, || vendor.answers()).await.answer.unwrap();
    assert_eq!((&*kept.value, kept.age), (&json!(1), Duration::from_secs(59)));
    advance(Duration::from_secs(1)).await;
    assert_eq!(ask(&cache, &vendor).await, json!(2));
}

#[tokio::test(start_paused = true)]
async fn refresh_goes_past_what_is_kept_and_renews_it() {
    let (cache, vendor) = (cache(), Vendor::default());
    ask(&cache, &vendor).await;
    let renewed = cache.read(&key(), KEEP, true, || vendor.answers()).await.answer.unwrap();
    assert_eq!(*renewed.value, json!(2));
    assert_eq!(ask(&cache, &vendor).await, json!(2));
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_survives_failing_calls_until_its_time() {
    let (cache, vendor) = (cache(), Vendor::default());
    ask(&cache, &vendor).await;
    advance(FRESH * 2).await;
    let fault = cache.read(&key(), KEEP, false, || vendor.fails(Outcome::Unavailable)).await.answer.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unavailable);
    let last = cache.last(&key()).await.unwrap();
    assert_eq!((&*last.value, last.age), (&json!(1), FRESH * 2));
    advance(STALE).await;
    assert_eq!(cache.last(&key()).await, None);
}

#[tokio::test(start_paused = true)]
async fn faults_are_asked_again_and_absence_is_believed_briefly() {
    let (cache, vendor) = (cache(), Vendor::default());
    for _ in 0..2 {
        cache.read(&key(), KEEP, false, || vendor.fails(Outcome::Timeout)).await.answer.unwrap_err();
    }
    assert_eq!(vendor.asked(), 2);
    for _ in 0..2 {
        cache.read(&key(), KEEP, false, || vendor.fails(Outcome::NotFound)).await.answer.unwrap_err();
    }
    assert_eq!(vendor.asked(), 3);
    assert_eq!(cache.last(&key()).await, None, "absence never stands in for a system that is down");
    advance(KEEP.missing).await;
    assert_eq!(ask(&cache, &vendor).await, json!(4));
}

#[tokio::test(start_paused = true)]
async fn equal_reads_under_way_share_one_call_and_its_fault() {
    let (cache, vendor) = (cache(), Vendor::default());
    let slow = || {
        let answer = vendor.fails(Outcome::Unavailable);
        async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            answer.await
        }
    };
    let key = key();
    let reads = (0..10).map(|_| cache.read(&key, KEEP, false, slow));
    let faults = futures_util::future::join_all(reads).await;
    assert!(faults.iter().all(|read| read.answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unavailable)));
    assert_eq!(vendor.asked(), 1);
    assert!(cache.calls.len() == 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_outlives_whoever_began_it_and_ends_with_the_last_who_waits() {
    let (cache, vendor) = (Arc::new(cache()), Vendor::default());
    let (alive, mut gone) = oneshot::channel::<()>();
    let mut alive = Some(alive);
    let mut slow = || {
        let (answer, alive) = (vendor.answers(), alive.take());
        async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            drop(alive);
            answer.await
        }
    };
    let key = key();
    let first = tokio::time::timeout(Duration::from_secs(1), cache.read(&key, KEEP, false, &mut slow));
    let second = cache.read(&key, KEEP, false, || vendor.answers());
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!((*second.answer.unwrap().value).clone(), json!(1));
    assert!(gone.try_recv().is_err());

    let (alive_again, mut gone) = oneshot::channel::<()>();
    let never = || async move {
        let _alive = alive_again;
        std::future::pending().await
    };
    let waits = tokio::time::timeout(Duration::from_secs(1), cache.read(&key, KEEP, true, never));
    assert!(waits.await.is_err());
    assert_eq!(gone.try_recv(), Err(oneshot::error::TryRecvError::Closed), "nobody waits, so the call was dropped");
    assert_eq!(ask(&cache, &vendor).await, json!(1), "and what was kept is still there");
}

#[tokio::test(start_paused = true)]
async fn a_write_outdates_what_is_kept_and_what_is_under_way() {
    let (cache, vendor) = (cache(), Vendor::default());
    ask(&cache, &vendor).await;
    write(&cache);
    assert_eq!(cache.last(&key()).await, None);
    assert_eq!(ask(&cache, &vendor).await, json!(2));

    let key = key();
    let slow = || {
        let answer = vendor.answers();
        async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            answer.await
        }
    };
    let read = cache.read(&key, KEEP, true, slow);
    let writes = async {
        advance(Duration::from_secs(1)).await;
        write(&cache);
    };
    let (read, ()) = tokio::join!(read, writes);
    assert_eq!(*read.answer.unwrap().value, json!(3), "the reader is told what it asked for");
    assert_eq!(ask(&cache, &vendor).await, json!(4), "nobody after the write is");
}

#[tokio::test]
async fn what_is_kept_is_bounded_by_its_weight() {
    let (cache, vendor) = (ReadCache::new(100_000), Vendor::default());
    for number in 0..200 {
        let big = || async { Ok(json!("x".repeat(5_000))) };
        cache.read(&key_of(json!({"number": number})), KEEP, false, big).await.answer.unwrap();
    }
    cache.entries.run_pending_tasks().await;
    assert!(cache.entries.weighted_size() <= 100_000);
    assert!(cache.entries.entry_count() < 20);
    assert_eq!(vendor.asked(), 0);
}

#[test]
fn a_key_is_its_inputs_whatever_their_order_and_shows_none_of_them() {
    let key = key_of(json!({"email": "sarah@example.com", "number": "1001", "limit": null}));
    assert_eq!(key, key_of(json!({"number": "1001", "email": "sarah@example.com"})));
    assert_ne!(key, key_of(json!({"number": 1001, "email": "sarah@example.com"})));
    assert_ne!(key_of(json!({"a": "1\nb=\"2\""})), key_of(json!({"a": "1", "b": "2"})));
    assert_eq!(format!("{key:?}"), "shop.find_order(…)");
}

#[test]
fn times_that_contradict_each_other_are_put_right() {
    let keep = Keep::new(Duration::from_secs(20), Duration::from_secs(5));
    assert_eq!((keep.stale, keep.missing), (Duration::from_secs(20), Duration::from_secs(20)));
}

#[tokio::test(start_paused = true)]
async fn a_composed_result_is_as_old_as_its_oldest_part_and_outdated_with_any() {
    let cache = ReadCache::new(1 << 20);
    let shop = ConnectionName::parse("shop").unwrap();
    let [orders, customer, other] = ["orders", "customer", "other"].map(|name| OperationName::parse(name).unwrap());
    let reads = [(shop.clone(), orders.clone()), (shop.clone(), customer.clone())];
    let key = |id: i32| Key::composed("overview", &reads, json!({"id": id}).as_object().unwrap());
    let keep = Keep::new(Duration::from_secs(60), Duration::from_secs(60));
    let known = async |id: i32| cache.fresh_at(&cache.place(&key(id))).await.map(|kept| (kept.value, kept.age.as_secs()));
    cache.keep(cache.place(&key(1)), json!("one"), Duration::from_secs(40), keep).await;
    assert_eq!(known(1).await, Some((Arc::new(json!("one")), 40)));
    assert_eq!(known(2).await, None);
    cache.outdate(&shop, [&other]);
    tokio::time::advance(Duration::from_secs(19)).await;
    assert_eq!(known(1).await, Some((Arc::new(json!("one")), 59)));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(known(1).await, None);
    for outdated in [&orders, &customer] {
        let before = cache.place(&key(1));
        cache.keep(before.clone(), json!("one"), Duration::ZERO, keep).await;
        assert!(known(1).await.is_some());
        cache.outdate(&shop, [outdated]);
        assert_eq!(known(1).await, None);
        cache.keep(before, json!("late"), Duration::ZERO, keep).await;
        assert_eq!(known(1).await, None, "what was begun before a write is not found after it");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_known_by_its_inputs_or_its_answer_and_the_rest_stays() {
    let cache = cache();
    let composed = Key::composed("overview", &[], json!({"email": "jane"}).as_object().unwrap());
    let (by_input, by_answer, other) =
        (key_of(json!({"email": "jane", "n": 1})), key_of(json!({"n": 2})), key_of(json!({"n": 3, "jane": "email"})));
    for (key, answer) in [(&by_input, "x"), (&by_answer, "jane"), (&other, "y")] {
        cache.read(key, KEEP, false, || async move { Ok(json!(answer)) }).await.answer.unwrap();
    }
    cache.keep(cache.place(&composed), json!("z"), Duration::ZERO, KEEP).await;
    let is = |value: &Value| *value == json!("jane");
    assert_eq!(cache.forget(|key, answer| answer.is_some_and(is) || key.inputs().any(|input| is(&input))).await, 3);
    for (key, kept) in [(&by_input, false), (&by_answer, false), (&composed, false), (&other, true)] {
        assert_eq!(cache.fresh(key).await.is_some(), kept, "{key:?}");
        assert_eq!(cache.last(key).await.is_some(), kept, "{key:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_before_something_is_forgotten_is_not_kept_after_it() {
    let (cache, vendor) = (cache(), Vendor::default());
    let (key, composed) = (key(), Key::composed("overview", &[], &serde_json::Map::new()));
    let place = cache.place(&composed);
    let slow = || {
        let answer = vendor.answers();
        async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            answer.await
        }
    };
    let forgets = async {
        advance(Duration::from_secs(1)).await;
        assert_eq!(cache.forget(|_, _| false).await, 0);
    };
    let (read, ()) = tokio::join!(cache.read(&key, KEEP, false, slow), forgets);
    assert_eq!(*read.answer.unwrap().value, json!(1), "the reader is told what it asked for");
    assert_eq!(ask(&cache, &vendor).await, json!(2), "and nobody else");
    cache.keep(place, json!("late"), Duration::ZERO, KEEP).await;
    assert!(cache.fresh(&composed).await.is_none());
}
