//! What users proved and the codes under way, as two processes see them; and the store in memory beside them, which keeps to
//! the same steps.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use pretty_assertions::assert_eq;

use super::super::verifications::HOUR;
use super::*;
use crate::name::CallerName;

const SENDING: Sending = Sending { resend_after: std::time::Duration::from_secs(30), per_hour: 3 };

fn who(sender: &str) -> Who {
    Who { caller: CallerName::anonymous(), sender: sender.to_owned() }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

fn challenge(address: &str, until: DateTime<Utc>) -> Challenge {
    Challenge { address: address.to_owned(), digest: vec![1, 2, 3], salt: [7; 16], until, attempts: 2 }
}

fn proved(email: &str) -> Proved {
    Proved { email: Some(email.to_owned()), phone: None, customer: Some("17".to_owned()), by: By::Code, at: Some(at(5)) }
}

/// Runs a test on each database, and in memory as tests of a project do.
async fn all(test: impl AsyncFn(&dyn VerificationStore, &dyn VerificationStore, &'static str)) {
    let memory = MemoryVerifications::default();
    test(&memory, &memory, "without a store").await;
    each(async |pair: &Pair| test(&*pair.one, &*pair.other, pair.what()).await).await;
}

fn tried(attempt: Attempt) -> Option<u32> {
    match attempt {
        Attempt::Try(challenge) => Some(challenge.attempts),
        Attempt::Exhausted => None,
        Attempt::Nothing => panic!("there is no code"),
    }
}

#[tokio::test]
async fn a_code_that_one_process_sent_is_tried_at_another_as_often_as_is_allowed() {
    all(async |one: &dyn VerificationStore, other: &dyn VerificationStore, what| {
        let sarah = who("sarah");
        assert!(matches!(other.attempt(&sarah, at(0)).await.unwrap(), Attempt::Nothing));
        assert!(one.begin(&sarah, challenge("s@example.com", at(600)), SENDING, at(0)).await.unwrap());
        let Attempt::Try(found) = other.attempt(&sarah, at(599)).await.unwrap() else { panic!("{what}: no code") };
        assert_eq!(
            (found.address.as_str(), found.digest.as_slice(), found.salt),
            ("s@example.com", [1, 2, 3].as_slice(), [7; 16])
        );
        assert_eq!((found.until, found.attempts), (at(600), 1), "{what}");
        assert_eq!(tried(one.attempt(&sarah, at(599)).await.unwrap()), Some(0));
        assert_eq!(tried(other.attempt(&sarah, at(599)).await.unwrap()), None, "{what}");
        assert!(matches!(one.attempt(&sarah, at(600)).await.unwrap(), Attempt::Nothing), "{what}: it is too old");
        assert!(matches!(one.attempt(&who("tom"), at(10)).await.unwrap(), Attempt::Nothing), "{what}: it is hers");
        let keys = (one.key().await.unwrap(), other.key().await.unwrap());
        let digest = |key| aws_lc_rs::hmac::sign(key, b"123456").as_ref().to_vec();
        assert_eq!(digest(&keys.0), digest(&keys.1), "{what}");
    })
    .await;
}

#[tokio::test]
async fn what_was_proved_is_known_everywhere_while_it_lasts_and_ends_the_code() {
    all(async |one: &dyn VerificationStore, other: &dyn VerificationStore, what| {
        let sarah = who("sarah");
        assert!(one.begin(&sarah, challenge("s@example.com", at(600)), SENDING, at(0)).await.unwrap());
        one.prove(&sarah, proved("s@example.com"), at(5), at(1_800)).await.unwrap();
        assert!(matches!(other.attempt(&sarah, at(10)).await.unwrap(), Attempt::Nothing), "{what}");
        assert!(other.proved(&sarah, at(1_799)).await.unwrap() == Some(proved("s@example.com")), "{what}");
        assert!(other.proved(&sarah, at(1_800)).await.unwrap().is_none());
        assert!(other.proved(&who("tom"), at(10)).await.unwrap().is_none());
        // Another code takes nothing back, and proves something else in the end.
        assert!(one.begin(&sarah, challenge("x@example.com", at(900)), SENDING, at(60)).await.unwrap());
        assert!(other.proved(&sarah, at(70)).await.unwrap().is_some());
        other.prove(&sarah, proved("x@example.com"), at(70), at(100)).await.unwrap();
        assert!(one.proved(&sarah, at(99)).await.unwrap() == Some(proved("x@example.com")), "{what}");
    })
    .await;
}

#[tokio::test]
async fn codes_are_counted_by_sender_and_by_address_over_an_hour() {
    all(async |one: &dyn VerificationStore, other: &dyn VerificationStore, what| {
        let begin = async |store: &dyn VerificationStore, sender: &str, address: &str, now: i64| {
            store.begin(&who(sender), challenge(address, at(now + 600)), SENDING, at(now)).await.unwrap()
        };
        assert!(begin(one, "a", "x", 0).await);
        assert!(!begin(other, "a", "y", 29).await, "{what}: too early for the sender");
        assert!(!begin(other, "b", "x", 29).await, "{what}: too early for the address");
        // What was refused has not counted, nor changed anything: of b's, and of y, it is the first.
        assert!(begin(other, "b", "y", 29).await, "{what}");
        assert!(matches!(one.attempt(&who("a"), at(29)).await.unwrap(), Attempt::Try(it) if it.address == "x"), "{what}");
        assert!(begin(one, "a", "z", 30).await);
        assert!(begin(other, "a", "x", 60).await);
        assert!(!begin(one, "a", "x", 90).await, "{what}: three in an hour");
        assert!(!begin(one, "a", "x", 3_599).await);
        assert!(begin(one, "c", "x", 3_600).await, "{what}: the first is an hour old");
        assert!(begin(one, "a", "v", 3_600).await);
        assert!(!begin(other, "a", "w", 3_629).await, "{what}");
        assert!(begin(other, "a", "w", 3_630).await);
    })
    .await;
}

#[tokio::test]
async fn tries_and_codes_at_the_same_time_are_counted_one_by_one() {
    each(async |pair: &Pair| {
        let (stores, what) = ([&pair.one, &pair.other], pair.what());
        let sarah = who("sarah");
        let few = Challenge { attempts: 5, ..challenge("s@example.com", at(600)) };
        assert!(pair.one.begin_code(&sarah, few, SENDING, at(0)).await.unwrap());
        let tries = join_all((0..20).map(|number| stores[number % 2].attempt(&sarah, at(1)))).await;
        let mut left: Vec<_> = tries.into_iter().filter_map(|attempt| tried(attempt.unwrap())).collect();
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, 3, 4], "{what}");
        let senders: Vec<_> = (0..20).map(|number| who(&number.to_string())).collect();
        let begun = senders.iter().enumerate().map(|(number, sender)| {
            stores[number % 2].begin_code(sender, challenge("t@example.com", at(600)), SENDING, at(2))
        });
        let begun = join_all(begun).await.into_iter().filter(|begun| *begun == Ok(true)).count();
        assert_eq!(begun, 1, "{what}: one address, one code");
    })
    .await;
}

#[tokio::test]
async fn what_is_outdated_is_forgotten_and_nothing_tells_who_it_was() {
    each(async |pair: &Pair| {
        let (one, what) = (&pair.one, pair.what());
        let rows = async |table: &str| {
            let sql: &'static str = match table {
                "sent" => "select count(*) from legwork_sent",
                _ => "select count(*) from legwork_proofs",
            };
            pair.other.db.row(sql, &[]).await.unwrap().unwrap().number(0).unwrap()
        };
        assert!(one.begin_code(&who("a"), challenge("s@example.com", at(600)), SENDING, at(0)).await.unwrap());
        one.prove(&who("b"), proved("s@example.com"), at(0), at(1_800)).await.unwrap();
        one.forget_proofs(at(599)).await.unwrap();
        assert_eq!((rows("sent").await, rows("proofs").await), (2, 2), "{what}");
        let found = one.db.rows("select subject from legwork_sent", &[]).await.unwrap();
        assert!(found.iter().all(|row| row.text(0).unwrap().chars().all(|c| c.is_ascii_hexdigit())));
        one.forget_proofs(at(600)).await.unwrap();
        assert_eq!((rows("sent").await, rows("proofs").await), (2, 1), "{what}: limits are kept for an hour");
        one.forget_proofs(at(0) + HOUR).await.unwrap();
        assert_eq!((rows("sent").await, rows("proofs").await), (0, 0), "{what}");
    })
    .await;
}

#[tokio::test]
async fn what_is_personal_is_sealed_and_the_keys_may_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("legwork.db");
    let opened = async |keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|key| Secret::new(format!("{key}, a passphrase that is long enough"))).collect();
        Store::open(&Place::File(&file), Some(Keys::new(&keys).unwrap())).await.unwrap()
    };
    let digest = async |store: &Store| aws_lc_rs::hmac::sign(&store.key().await.unwrap(), b"1").as_ref().to_vec();
    let old = opened(&["old"]).await;
    let first = digest(&old).await;
    assert!(old.begin_code(&who("a"), challenge("hunter2@example.com", at(600)), SENDING, at(0)).await.unwrap());
    old.prove(&who("b"), proved("hunter2@example.com"), at(0), at(1_800)).await.unwrap();
    old.close().await;
    let kept = std::fs::read(&file).unwrap();
    assert!(!kept.windows(7).any(|part| part == b"hunter2"));
    // The key of digests is sealed anew as soon as it is read.
    assert_eq!(digest(&opened(&["new", "old"]).await).await, first);
    assert_eq!(digest(&opened(&["new"]).await).await, first);
    let other = opened(&["another"]).await.key().await;
    assert!(matches!(other, Err(StoreError::Misconfigured(text)) if text.contains("not configured any more")));
}
