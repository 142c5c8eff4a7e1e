//! Tests of two levels: what processes share, and what becomes of it when the second level is slow, down or forgets.

use std::sync::atomic::AtomicBool;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;
use tokio::time::sleep;

use super::*;
use crate::resilience::Looked;
use crate::store::StoreError;
use crate::time::FixedClock;

/// A second level in memory, which does as it is told.
#[derive(Clone)]
struct Shared(Arc<Inside>);

struct Inside {
    kept: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    generations: Mutex<HashMap<ReadOf, i64>>,
    told: broadcast::Sender<(usize, Vec<ReadOf>)>,
    processes: AtomicUsize,
    looks: AtomicUsize,
    slow: Mutex<Duration>,
    down: AtomicBool,
    deaf: AtomicBool,
    clock: FixedClock,
}

/// One process's way to it.
struct Way(Shared, usize);

impl Shared {
    fn new() -> Self {
        Self(Arc::new(Inside {
            kept: Mutex::default(),
            generations: Mutex::default(),
            told: broadcast::channel(64).0,
            processes: AtomicUsize::default(),
            looks: AtomicUsize::default(),
            slow: Mutex::default(),
            down: AtomicBool::default(),
            deaf: AtomicBool::default(),
            clock: FixedClock::at("2026-01-20T12:00:00Z".parse().unwrap()),
        }))
    }

    /// The cache of another process in front of it, which has connected.
    async fn process(&self) -> ReadCache {
        let number = self.0.processes.fetch_add(1, Ordering::SeqCst);
        let cache = ReadCache::new(1 << 20).in_front_of(Arc::new(Way(self.clone(), number)), Arc::new(self.0.clock.clone()));
        meanwhile().await;
        cache
    }

    fn looks(&self) -> usize {
        self.0.looks.load(Ordering::SeqCst)
    }

    fn kept(&self) -> usize {
        locked(&self.0.kept).len()
    }

    fn slow(&self, by: Duration) {
        *locked(&self.0.slow) = by;
    }

    fn down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    /// Lets time pass, on the wall as well.
    async fn pass(&self, by: Duration) {
        self.0.clock.advance(by);
        sleep(by).await;
    }

    fn generations(&self, reads: &[ReadOf]) -> Vec<i64> {
        let mut all = locked(&self.0.generations);
        let beginning = (1 << 40) * (1 + i64::try_from(all.len() + self.looks()).unwrap());
        reads.iter().map(|read| *all.entry(read.clone()).or_insert(beginning)).collect()
    }

    async fn answers(&self) -> Result<(), StoreError> {
        let slow = *locked(&self.0.slow);
        sleep(slow).await;
        match self.0.down.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("as told".to_owned())),
            false => Ok(()),
        }
    }
}

impl SecondLevel for Way {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn look<'a>(&'a self, name: &'a [u8], reads: &'a [ReadOf]) -> BoxFuture<'a, Result<Looked, StoreError>> {
        async move {
            self.0.0.looks.fetch_add(1, Ordering::SeqCst);
            self.0.answers().await?;
            let kept = locked(&self.0.0.kept).get(name).cloned();
            Ok(Looked { kept, generations: self.0.generations(reads) })
        }
        .boxed()
    }

    fn empty(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            self.0.answers().await?;
            locked(&self.0.0.kept).clear();
            Ok(())
        }
        .boxed()
    }

    fn put<'a>(&'a self, name: &'a [u8], bytes: &'a [u8], _: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.0.answers().await?;
            locked(&self.0.0.kept).insert(name.to_vec(), bytes.to_vec());
            Ok(())
        }
        .boxed()
    }

    fn outdate<'a>(&'a self, reads: &'a [ReadOf]) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.0.answers().await?;
            self.0.generations(reads);
            for read in reads {
                *locked(&self.0.0.generations).get_mut(read).unwrap() += 1;
            }
            let _ = self.0.0.told.send((self.1, reads.to_vec()));
            Ok(())
        }
        .boxed()
    }

    fn reached(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.answers().boxed()
    }

    fn hear<'a>(&'a self, outdated: &'a (dyn Fn(&[ReadOf]) + Send + Sync)) -> BoxFuture<'a, StoreError> {
        async move {
            let mut told = self.0.0.told.subscribe();
            while let Ok((from, reads)) = told.recv().await {
                if from != self.1 && !self.0.0.deaf.load(Ordering::SeqCst) {
                    outdated(&reads);
                }
            }
            StoreError::Unavailable("ended".to_owned())
        }
        .boxed()
    }
}

/// Lets what goes on in the background come to its end.
async fn meanwhile() {
    sleep(Duration::from_millis(1)).await;
}

async fn asked(cache: &ReadCache, vendor: &Vendor) -> (Value, u64, bool) {
    let Read { answer, kept } = cache.read(&key(), KEEP, false, || vendor.answers()).await;
    let cached = answer.unwrap();
    meanwhile().await;
    ((*cached.value).clone(), cached.age.as_secs(), kept)
}

#[tokio::test(start_paused = true)]
async fn what_one_process_read_the_other_has_with_its_age() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let (one, other) = (shared.process().await, shared.process().await);
    assert_eq!(asked(&one, &vendor).await, (json!(1), 0, false));
    shared.pass(Duration::from_secs(40)).await;
    assert_eq!(asked(&other, &vendor).await, (json!(1), 40, true));
    let looks = shared.looks();
    assert_eq!(asked(&other, &vendor).await, (json!(1), 40, true));
    assert_eq!(shared.looks(), looks, "what is kept here needs no look");
    // An age counts from the arrival at whoever asked.
    shared.pass(Duration::from_secs(20)).await;
    assert_eq!(asked(&other, &vendor).await, (json!(2), 0, false));
    assert_eq!((asked(&one, &vendor).await, vendor.asked()), ((json!(2), 0, true), 2));
}

#[tokio::test(start_paused = true)]
async fn a_write_outdates_what_the_other_keeps_at_once() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let (one, other) = (shared.process().await, shared.process().await);
    asked(&one, &vendor).await;
    asked(&other, &vendor).await;
    write(&one);
    meanwhile().await;
    assert_eq!(asked(&other, &vendor).await.0, json!(2));
    assert_eq!((asked(&one, &vendor).await, vendor.asked()), ((json!(2), 0, true), 2), "whoever wrote finds the new one");
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_hear_of_a_write_sees_it_within_ten_seconds() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let (one, other) = (shared.process().await, shared.process().await);
    asked(&other, &vendor).await;
    shared.0.deaf.store(true, Ordering::SeqCst);
    write(&one);
    shared.pass(BELIEVED - Duration::from_millis(2)).await;
    assert_eq!(asked(&other, &vendor).await.0, json!(1));
    shared.pass(Duration::from_millis(2)).await;
    assert!(other.last(&key()).await.is_some());
    assert_eq!(asked(&other, &vendor).await.0, json!(2));
    assert_eq!((asked(&other, &vendor).await.0, asked(&one, &vendor).await.0, vendor.asked()), (json!(2), json!(2), 2));
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_write_elsewhere_is_not_kept_after_it() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let (one, other) = (shared.process().await, Arc::new(shared.process().await));
    let (go, gone) = oneshot::channel::<()>();
    let reading = tokio::spawn({
        let other = Arc::clone(&other);
        let call = async move { gone.await.map(|()| json!("before")).map_err(|_| Fault::new(Outcome::Unexpected, "gone")) };
        async move { other.read(&key(), KEEP, false, || call).await.answer.unwrap().value }
    });
    meanwhile().await;
    write(&one);
    meanwhile().await;
    go.send(()).unwrap();
    assert_eq!(*reading.await.unwrap(), json!("before"));
    meanwhile().await;
    assert_eq!(shared.kept(), 1, "it was put there, for a generation that is over");
    assert_eq!((asked(&one, &vendor).await.0, asked(&other, &vendor).await.0), (json!(1), json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_goes_past_both_levels_and_renews_both() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let (one, other) = (shared.process().await, shared.process().await);
    asked(&one, &vendor).await;
    let fresh = other.read(&key(), KEEP, true, || vendor.answers()).await;
    assert_eq!((&*fresh.answer.unwrap().value, fresh.kept), (&json!(2), false));
    meanwhile().await;
    assert_eq!(asked(&shared.process().await, &vendor).await.0, json!(2));
    assert_eq!(asked(&one, &vendor).await.0, json!(1), "its own, which it believes");
    shared.pass(BELIEVED).await;
    assert_eq!((asked(&one, &vendor).await.0, vendor.asked()), (json!(2), 2));
}

#[tokio::test(start_paused = true)]
async fn absence_large_answers_and_what_only_this_machine_has_stay_here() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let one = shared.process().await;
    assert!(one.read(&key(), KEEP, false, || vendor.fails(Outcome::NotFound)).await.answer.is_err());
    let large = || async { Ok(json!("x".repeat(65 << 10))) };
    assert!(one.read(&key_of(json!({"number": 2})), KEEP, false, large).await.answer.is_ok());
    meanwhile().await;
    let looks = shared.looks();
    let own = key_of(json!({"number": 3})).only_here();
    assert!(one.read(&own, KEEP, false, || vendor.answers()).await.answer.is_ok());
    meanwhile().await;
    assert_eq!((shared.kept(), shared.looks()), (0, looks));
    assert!(one.fresh(&key()).await.is_some_and(|it| it.is_err()), "absence is believed here");
    asked(&shared.process().await, &vendor).await;
    shared.pass(BELIEVED).await;
    assert!(one.fresh(&key()).await.is_some_and(|it| it.is_ok()), "until somebody else has found it");
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_of_another_process_stands_in() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    asked(&shared.process().await, &vendor).await;
    shared.pass(FRESH).await;
    let other = shared.process().await;
    assert!(other.read(&key(), KEEP, false, || vendor.fails(Outcome::Unavailable)).await.answer.is_err());
    let last = other.last(&key()).await.unwrap();
    assert_eq!((&*last.value, last.age.as_secs()), (&json!(1), FRESH.as_secs()));
    shared.down(true);
    assert!(other.last(&key()).await.is_some(), "it is kept here now");
    assert!(shared.process().await.last(&key()).await.is_none());
    shared.down(false);
    shared.pass(STALE).await;
    assert!(other.last(&key()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_slow_second_level_costs_little_and_is_left_alone_then() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let one = shared.process().await;
    shared.slow(Duration::from_secs(60));
    let begun = Instant::now();
    for number in 0..20 {
        let read = one.read(&key_of(json!({ "number": number })), KEEP, false, || vendor.answers()).await;
        assert_eq!(*read.answer.unwrap().value, json!(number + 1));
    }
    let (waited, looks) = (begun.elapsed(), shared.looks());
    assert!(waited <= Duration::from_millis(150) && looks <= 3, "{looks} looks took {waited:?}");
    let state = one.second_level().unwrap();
    assert_eq!((state.state, state.detail.as_deref()), ("down", Some("it takes too long to answer")));
    shared.slow(Duration::ZERO);
    shared.pass(Duration::from_secs(10)).await;
    assert_eq!(one.second_level().unwrap().state, "ok");
    assert!(!asked(&shared.process().await, &vendor).await.2, "nothing was put there meanwhile");
    let looks = shared.looks();
    asked(&one, &vendor).await;
    assert_eq!(shared.looks(), looks + 1);
}

#[tokio::test(start_paused = true)]
async fn without_its_second_level_a_process_answers_as_if_it_had_none() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let one = shared.process().await;
    asked(&one, &vendor).await;
    shared.down(true);
    shared.pass(FRESH - Duration::from_secs(1)).await;
    assert_eq!((asked(&one, &vendor).await.2, one.second_level().unwrap().state), (true, "down"));
    shared.pass(Duration::from_secs(1)).await;
    assert_eq!(asked(&one, &vendor).await, (json!(2), 0, false));
    // What came meanwhile belongs to no generation: it is asked for again, since somebody may have written.
    shared.down(false);
    shared.pass(Duration::from_secs(10)).await;
    assert_eq!(asked(&one, &vendor).await.0, json!(3));
    assert_eq!(asked(&one, &vendor).await.0, json!(3));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_it_does_not_know_of_is_owed_to_it() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let (one, other) = (shared.process().await, shared.process().await);
    asked(&other, &vendor).await;
    shared.down(true);
    write(&one);
    let begun = Instant::now();
    one.settled().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "nobody waits longer than that");
    shared.down(false);
    let looks = shared.looks();
    assert_eq!(asked(&one, &vendor).await.0, json!(2));
    assert_eq!(shared.looks(), looks, "what it has there is from before the write");
    shared.pass(Duration::from_secs(7)).await;
    one.settled().await;
    assert_eq!(asked(&other, &vendor).await.0, json!(3), "it knows of the write now");
    shared.pass(BELIEVED).await;
    assert_eq!((asked(&one, &vendor).await.0, vendor.asked()), (json!(3), 3));
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_before_the_second_level_forgot_stands_in_and_no_more() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let one = shared.process().await;
    asked(&one, &vendor).await;
    locked(&shared.0.kept).clear();
    locked(&shared.0.generations).clear();
    shared.pass(BELIEVED).await;
    assert!(one.read(&key(), KEEP, false, || vendor.fails(Outcome::Unavailable)).await.answer.is_err());
    assert_eq!(*one.last(&key()).await.unwrap().value, json!(1));
    assert_eq!(asked(&one, &vendor).await.0, json!(3));
}

#[tokio::test(start_paused = true)]
async fn a_composed_result_is_shared_and_outdated_with_any_of_its_reads() {
    let shared = Shared::new();
    let (one, other) = (shared.process().await, shared.process().await);
    let read = |operation| (ConnectionName::parse("shop").unwrap(), OperationName::parse(operation).unwrap());
    let whole = Key::composed("card", &[read("find_customer"), read("find_order")], &serde_json::Map::new());
    let place = one.place(&whole);
    assert!(one.fresh_at(&place).await.is_none());
    one.keep(place.clone(), json!("a card"), Duration::from_secs(20), KEEP).await;
    meanwhile().await;
    let found = other.fresh_at(&other.place(&whole)).await.unwrap();
    assert_eq!((&*found.value, found.age.as_secs()), (&json!("a card"), 20));
    write(&one);
    meanwhile().await;
    assert!(other.fresh_at(&other.place(&whole)).await.is_none());
    // It was begun before the write.
    one.keep(place, json!("an old card"), Duration::ZERO, KEEP).await;
    meanwhile().await;
    assert!(other.fresh_at(&other.place(&whole)).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn equal_reads_share_one_look() {
    let (shared, vendor) = (Shared::new(), Vendor::default());
    let one = shared.process().await;
    let key = key();
    let read = || one.read(&key, KEEP, false, || vendor.answers());
    let reads = futures_util::future::join_all((0..50).map(|_| read())).await;
    assert!(reads.iter().all(|read| *read.answer.as_ref().unwrap().value == json!(1)));
    assert_eq!((shared.looks(), vendor.asked()), (1, 1));
}
