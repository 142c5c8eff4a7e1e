//! Refresh tokens that stay and refresh tokens that rotate, with a store that fails and processes that end.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use tokio::sync::Semaphore;

use super::*;
use crate::store::{KeptToken, Keys, Lease, NoTokens, Place, Store, StoreError};

/// A vendor that takes a refresh token once, and gives another one.
struct Rotating {
    fake: Fake,
    /// The one that it would take now.
    good: Arc<Mutex<String>>,
}

impl Rotating {
    async fn new() -> Self {
        let good = Arc::new(Mutex::new("hunter2-0".to_owned()));
        let (count, taken) = (AtomicUsize::new(0), Arc::clone(&good));
        let fake = Fake::answering(move |seen| {
            let mut good = taken.lock().unwrap();
            if seen.field("grant_type").unwrap() != "refresh_token" || seen.field("refresh_token").unwrap() != *good {
                return fake::json(400, &json!({ "error": "invalid_grant" }));
            }
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            *good = format!("hunter2-{number}");
            fake::json(200, &json!({ "access_token": format!("token-{number}"), "refresh_token": *good, "expires_in": 600 }))
        })
        .await;
        Self { fake, good }
    }

    fn auth(&self) -> String {
        auth(&self.fake, "true")
    }
}

fn auth(fake: &Fake, rotates: &str) -> String {
    let url = fake.url("/oauth/tokens");
    format!(
        "oauth2:\n  grant: refresh_token\n  token_url: '{{{{ \"{url}\" }}}}'\n  client_id: client\n  \
         refresh_token: '{{{{ settings.refresh }}}}'\n  rotates: {rotates}\n"
    )
}

fn house() -> House {
    House::new(&[("refresh", "hunter2-0")])
}

fn past_its_end(house: &House) {
    house.clock.advance(Duration::from_secs(600));
}

#[tokio::test]
async fn one_that_stays_is_used_again_and_nothing_is_stored() {
    let fake = counting(json!(600)).await;
    let house = House { store: Arc::new(NoTokens), ..house() };
    let auth = house.open(&auth(&fake, "false"));
    assert_eq!(authorization(&auth).await, "Bearer token-1");
    past_its_end(&house);
    assert_eq!(authorization(&auth).await, "Bearer token-2");
    assert!(fake.seen().iter().all(|seen| seen.field("refresh_token").unwrap() == "hunter2-0"));
}

#[tokio::test]
async fn one_that_rotates_needs_a_store() {
    let vendor = Rotating::new().await;
    let house = House { store: Arc::new(NoTokens), ..house() };
    let refused = house.try_open(&vendor.auth()).unwrap_err();
    assert!(refused.contains("`stores.key`") && refused.contains("openssl rand -base64 32"), "{refused}");
    assert!(vendor.fake.seen().is_empty());
}

#[tokio::test]
async fn one_that_rotates_outlives_the_process() {
    let vendor = Rotating::new().await;
    let folder = tempfile::tempdir().unwrap();
    let opened = async || {
        let keys = Keys::new(&[Secret::new("a passphrase, long enough".to_owned())]).unwrap();
        House {
            store: Arc::new(Store::open(&Place::File(&folder.path().join("legwork.db")), Some(keys)).await.unwrap()),
            ..house()
        }
    };
    let house = opened().await;
    let auth = house.open(&vendor.auth());
    assert_eq!(authorization(&auth).await, "Bearer token-1");
    past_its_end(&house);
    assert_eq!(authorization(&auth).await, "Bearer token-2");
    drop((auth, house));
    assert_eq!(authorization(&opened().await.open(&vendor.auth())).await, "Bearer token-3");
}

/// A store that can be made to fail, and notes when it was written to.
#[derive(Default)]
struct Watched {
    inner: MemoryTokens,
    broken: AtomicBool,
    puts: AtomicUsize,
}

impl TokenStore for Watched {
    fn usable(&self) -> Result<(), String> {
        Ok(())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<KeptToken>, StoreError>> {
        self.inner.get(name)
    }

    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret, over: i64) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            if self.broken.load(Ordering::Relaxed) {
                return Err(StoreError::Unavailable("the store legwork.db fails: disk full".to_owned()));
            }
            let put = self.inner.put(name, secret, over).await?;
            self.puts.fetch_add(1, Ordering::Relaxed);
            Ok(put)
        }
        .boxed()
    }

    fn lock<'a>(&'a self, name: &'a str, lease: Lease<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.lock(name, lease)
    }

    fn unlock<'a>(&'a self, name: &'a str, owner: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.unlock(name, owner)
    }
}

#[tokio::test]
async fn what_is_not_stored_is_not_used_and_not_lost() {
    let vendor = Rotating::new().await;
    let store = Arc::new(Watched::default());
    let house = House { store: Arc::<Watched>::clone(&store), ..house() };
    let auth = house.open(&vendor.auth());
    store.broken.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let fault = applied(&auth, get()).await.unwrap_err();
        assert_eq!(fault, Fault::new(Outcome::Unavailable, "the store legwork.db fails: disk full"));
    }
    assert_eq!(vendor.fake.seen().len(), 1, "the vendor is not asked again with a token that it has replaced");
    store.broken.store(false, Ordering::Relaxed);
    assert_eq!(authorization(&auth).await, "Bearer token-1");
    assert_eq!((vendor.fake.seen().len(), store.puts.load(Ordering::Relaxed)), (1, 1));
}

#[tokio::test]
async fn a_process_that_ends_before_it_used_the_token_has_stored_it() {
    let vendor = Rotating::new().await;
    let store = Arc::new(Watched::default());
    let house = House { store: Arc::<Watched>::clone(&store), ..house() };
    let auth = house.open(&vendor.auth());
    // The caller goes before the vendor has answered; nobody is left to use the token.
    assert!(auth.apply(&mut get(), soon()).now_or_never().is_none());
    until(|| store.puts.load(Ordering::Relaxed) == 1).await;
    drop(auth);
    // Another process begins with what the settings say, which the vendor has replaced long ago.
    assert_eq!(authorization(&house.open(&vendor.auth())).await, "Bearer token-2");
    assert_eq!(vendor.fake.seen().len(), 2);
}

#[tokio::test]
async fn the_token_of_another_process_is_taken_over() {
    let vendor = Rotating::new().await;
    let house = house();
    let (one, other) = (house.open(&vendor.auth()), house.open(&vendor.auth()));
    assert_eq!(authorization(&one).await, "Bearer token-1");
    assert_eq!(authorization(&other).await, "Bearer token-2");
    past_its_end(&house);
    assert_eq!(authorization(&one).await, "Bearer token-3");
}

/// A vendor that takes a refresh token once, and holds its first answer, before or after it has taken the token.
struct Slow {
    fake: Fake,
    go: Arc<Semaphore>,
}

impl Slow {
    async fn new(holds: Holds) -> Self {
        let (go, count) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let gate = Arc::clone(&go);
        let good = Arc::new(Mutex::new("hunter2-0".to_owned()));
        let fake = Fake::start(move |seen| {
            let (gate, good, number) = (Arc::clone(&gate), Arc::clone(&good), count.fetch_add(1, Ordering::Relaxed) + 1);
            async move {
                if number == 1 && holds == Holds::Request {
                    gate.acquire().await.unwrap().forget();
                }
                let answer = {
                    let mut good = good.lock().unwrap();
                    if seen.field("refresh_token").unwrap() != *good {
                        return fake::json(400, &json!({ "error": "invalid_grant" }));
                    }
                    *good = format!("hunter2-{number}");
                    json!({ "access_token": format!("token-{number}"), "refresh_token": *good })
                };
                if number == 1 && holds == Holds::Answer {
                    gate.acquire().await.unwrap().forget();
                }
                fake::json(200, &answer)
            }
            .boxed()
        })
        .await;
        Self { fake, go }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Request,
    Answer,
}

#[tokio::test]
async fn processes_that_need_a_token_at_the_same_time_use_it_one_after_the_other() {
    for holds in [Holds::Request, Holds::Answer] {
        let vendor = Slow::new(holds).await;
        let house = house();
        let (one, other) = (house.open(&auth(&vendor.fake, "true")), house.open(&auth(&vendor.fake, "true")));
        let first = tokio::spawn(async move { authorization(&one).await });
        until(|| vendor.fake.seen().len() == 1).await;
        let second = tokio::spawn(async move { authorization(&other).await });
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(vendor.fake.seen().len(), 1, "a vendor that is shown a token twice may end them all");
        vendor.go.add_permits(1);
        assert_eq!(
            (first.await.unwrap(), second.await.unwrap()),
            ("Bearer token-1".to_owned(), "Bearer token-2".to_owned())
        );
    }
}

#[tokio::test]
async fn a_process_that_lost_its_lock_reads_what_another_has_stored() {
    let vendor = Slow::new(Holds::Request).await;
    let house = house();
    let (one, other) = (house.open(&auth(&vendor.fake, "true")), house.open(&auth(&vendor.fake, "true")));
    let late = tokio::spawn(async move { authorization(&one).await });
    until(|| vendor.fake.seen().len() == 1).await;
    // It sleeps for so long that it counts as gone.
    house.clock.advance(Duration::from_secs(20));
    assert_eq!(authorization(&other).await, "Bearer token-2");
    vendor.go.add_permits(1);
    assert_eq!(late.await.unwrap(), "Bearer token-3");
}

#[tokio::test]
async fn a_token_that_comes_late_does_not_take_the_place_of_a_newer_one() {
    // The vendor answers both: it takes the same token twice, and the newest it gave is good.
    let (go, count) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::clone(&go);
    let fake = Fake::start(move |_| {
        let (gate, number) = (Arc::clone(&gate), count.fetch_add(1, Ordering::Relaxed) + 1);
        async move {
            if number == 1 {
                gate.acquire().await.unwrap().forget();
            }
            let granted = json!({ "access_token": format!("token-{number}"), "refresh_token": format!("hunter2-{number}") });
            fake::json(200, &granted)
        }
        .boxed()
    })
    .await;
    let house = house();
    let (one, other) = (house.open(&auth(&fake, "true")), house.open(&auth(&fake, "true")));
    let late = tokio::spawn(async move { authorization(&one).await });
    until(|| fake.seen().len() == 1).await;
    house.clock.advance(Duration::from_secs(20));
    assert_eq!(authorization(&other).await, "Bearer token-2");
    go.add_permits(1);
    assert_eq!(late.await.unwrap(), "Bearer token-3");
    let used: Vec<_> = fake.seen().iter().map(|seen| seen.field("refresh_token").unwrap()).collect();
    assert_eq!(used, ["hunter2-0", "hunter2-0", "hunter2-2"], "the newest that was stored is used, and none is lost");
}

#[tokio::test]
async fn a_new_token_in_the_settings_goes_before_what_came_of_the_old_one() {
    let vendor = Rotating::new().await;
    let old = house();
    assert_eq!(authorization(&old.open(&vendor.auth())).await, "Bearer token-1");
    "hunter2-new".clone_into(&mut vendor.good.lock().unwrap());
    let new = House { store: Arc::clone(&old.store), ..House::new(&[("refresh", "hunter2-new")]) };
    assert_eq!(authorization(&new.open(&vendor.auth())).await, "Bearer token-2");
}

#[tokio::test]
async fn one_that_is_over_is_told() {
    let vendor = Rotating::new().await;
    "hunter2-other".clone_into(&mut vendor.good.lock().unwrap());
    let auth = house().open(&vendor.auth());
    let faults = join_all((0..10).map(|_| applied(&auth, get()))).await;
    for fault in faults {
        let fault = fault.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Misconfigured);
        assert!(fault.operator.contains("the refresh token is no longer good: get a new one"), "{fault}");
    }
    assert_eq!(vendor.fake.seen().len(), 1);
}
