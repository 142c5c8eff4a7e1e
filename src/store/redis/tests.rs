//! Tests of the Redis behind the cache, as far as they need one on that which `LEGWORK_TEST_REDIS` names.

use std::io::Write as _;
use std::path::Path;
use std::sync::Once;

use super::*;
use crate::secret::Reference;

fn opened(address: &str, keys: bool) -> Result<RedisCache, String> {
    let keys = keys.then(|| Keys::new(&[Secret::new("a passphrase that is long enough".to_owned())]).unwrap());
    RedisCache::new(&Secret::new(address.to_owned()), keys, &[b"project"], fastrand::Rng::with_seed(1))
}

#[test]
fn nothing_goes_to_another_machine_in_the_open() {
    for fine in [
        "redis://127.0.0.1:6379",
        "redis://:hunter2@localhost/1",
        "redis://[::1]:6379/0",
        "rediss://u:hunter2@cache.example",
    ] {
        assert!(opened(fine, false).is_ok(), "{fine}");
    }
    assert!(opened("redis://cache.example:6379", true).is_ok(), "what is sealed may go anywhere");
    for (address, keys, says) in [
        ("redis://cache.example", false, "customers' data would be sent in the open"),
        ("redis://:hunter2@cache.example", false, "password would be sent in the open"),
        ("redis://u:hunter2@10.0.0.5:6379", true, "password would be sent in the open"),
        ("rediss://u:hunter2@cache.example/#insecure", true, "not one of a Redis"),
        ("redis://u:hunter2@localhost/?protocol=resp3", true, "not one of a Redis"),
        ("unix:///hunter2", true, "not one of a Redis"),
        ("hunter2", true, "not one of a Redis"),
        ("redis://", true, "not one of a Redis"),
    ] {
        let refused = opened(address, keys).unwrap_err();
        assert!(refused.contains(says) && !refused.contains("hunter2"), "{address}: {refused}");
    }
}

#[test]
fn a_name_tells_nothing_and_belongs_to_one_project() {
    let name = b"shop.find_customer email=sarah@example.com";
    let here = opened("redis://localhost", false).unwrap();
    let place = here.place(name);
    assert_eq!((place.len(), place.as_str()), (NAMES.len() + 8 + 64, here.place(name).as_str()));
    assert!(!place.contains("sarah") && place != here.place(b"another"));
    let address = Secret::new("redis://localhost".to_owned());
    let other = |scope: &[&[u8]]| RedisCache::new(&address, None, scope, fastrand::Rng::with_seed(2)).unwrap().place(name);
    assert_eq!(other(&[b"project"]), place);
    assert!(other(&[b"proj", b"ect"]) != place && other(&[b"another"]) != place);
}

#[test]
fn with_a_key_only_what_it_sealed_is_believed() {
    let (open, sealed) = (opened("redis://localhost", false).unwrap(), opened("redis://localhost", true).unwrap());
    let bytes = sealed.keys.as_ref().unwrap().seal("a", b"answer").unwrap();
    assert_eq!(sealed.unsealed("a", bytes.clone()).as_deref(), Some(&b"answer"[..]));
    assert_eq!((sealed.unsealed("b", bytes.clone()), open.unsealed("a", bytes)), (None, None));
    assert_eq!(open.unsealed("a", b"\0answer".to_vec()).as_deref(), Some(&b"answer"[..]));
    assert_eq!(sealed.unsealed("a", b"\0answer".to_vec()), None);
}

#[test]
fn what_was_outdated_is_read_as_it_was_written() {
    let read = (ConnectionName::parse("shop").unwrap(), OperationName::parse("find_order").unwrap());
    assert_eq!(read_of("shop.find_order"), Some(read));
    assert!(read_of("shop").is_none() && read_of("").is_none());
}

#[tokio::test]
async fn without_a_connection_it_fails_at_once_and_says_why_there_is_none() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("redis://:hunter2@{}", listener.local_addr().unwrap());
    drop(listener);
    let cache = opened(&nobody, false).unwrap();
    assert_eq!(cache.get(b"name", &[]).await, Err(StoreError::Unavailable("Redis is not connected".to_owned())));
    let says = "Redis cannot be reached: nobody listens there";
    assert_eq!(cache.reached().await, Err(StoreError::Unavailable(says.to_owned())));
    assert_eq!(cache.listen(&|_| {}).await, StoreError::Unavailable(says.to_owned()));
}

/// The Redis that tests may use. Without one they say so once, past the harness that keeps what passing tests print.
fn server() -> Option<Secret> {
    static SAID: Once = Once::new();
    let skipped = "SKIPPED: the tests on Redis: LEGWORK_TEST_REDIS names no server; scripts/test starts one";
    match Reference::Env("LEGWORK_TEST_REDIS".to_owned()).resolve(Path::new(".")) {
        Ok(address) => Some(address),
        Err(_) => {
            SAID.call_once(|| writeln!(std::io::stderr(), "{skipped}").unwrap());
            None
        }
    }
}

/// One process of a project, connected.
async fn process(address: &Secret, scope: &str, seed: u64) -> RedisCache {
    let cache = RedisCache::new(address, None, &[scope.as_bytes()], fastrand::Rng::with_seed(seed)).unwrap();
    cache.reached().await.unwrap();
    cache
}

#[tokio::test]
async fn answers_and_generations_are_there_for_all_processes_of_a_project() {
    let Some(address) = server() else { return };
    let scope = format!("{:032x}", fastrand::u128(..));
    let reads = ["a", "b"].map(|name| {
        let operation = OperationName::parse(&format!("{name}_{scope}")).unwrap();
        (ConnectionName::parse("shop").unwrap(), operation)
    });
    let (one, other) = (process(&address, &scope, 1).await, process(&address, &scope, 2).await);
    let (nothing, begun) = one.get(b"name", &reads).await.unwrap();
    assert_eq!((nothing, begun.iter().all(|it| BEGINNINGS.contains(it))), (None, true));
    one.set(b"name", b"\xffanswer", Duration::from_secs(60)).await.unwrap();
    assert_eq!(other.get(b"name", &reads).await.unwrap(), (Some(b"\xffanswer".to_vec()), begun.clone()));
    assert_eq!(process(&address, "another", 3).await.get(b"name", &reads).await.unwrap(), (None, begun.clone()));

    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let hears = |reads: &[ReadOf]| tell.send(reads.to_vec()).unwrap();
    let writes = async {
        // Until it is heard, whenever the other has begun to listen; what a process says itself, it does not hear.
        let mut times = 0;
        loop {
            one.move_on(&reads[..1]).await.unwrap();
            other.move_on(&reads[1..]).await.unwrap();
            times += 1;
            let heard = std::iter::from_fn(|| told.try_recv().ok()).flatten().collect::<Vec<_>>();
            if let Some(first) = heard.iter().find(|(_, operation)| operation.as_str().ends_with(&scope)) {
                assert_eq!((first, heard.contains(&reads[1])), (&reads[0], false));
                return times;
            }
        }
    };
    let times = tokio::select! {
        times = writes => times,
        broken = other.listen(&hears) => panic!("{broken}"),
    };
    let moved: Vec<_> = begun.iter().map(|generation| generation + times).collect();
    assert_eq!(one.get(b"name", &reads).await.unwrap().1, moved);

    // One that Redis forgot begins somewhere else.
    let mut forget = pipe();
    forget.cmd("DEL").arg(generation(&reads[0])).ignore();
    one.ask::<()>(&forget).await.unwrap();
    let (_, anew) = other.get(b"name", &reads).await.unwrap();
    assert_eq!((anew[0].abs_diff(moved[0]) > 1 << 32, anew[1]), (true, moved[1]));
}
