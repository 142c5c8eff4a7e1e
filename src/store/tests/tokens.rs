//! Tokens that several processes replace.

use super::*;

fn keys() -> Keys {
    Keys::new(&[Secret::new("a passphrase, long enough".to_owned())]).unwrap()
}

async fn replaced(one: &dyn TokenStore, other: &dyn TokenStore, what: &str) {
    let secret = |text: &str| Secret::new(text.to_owned());
    let kept =
        async |store: &dyn TokenStore| store.get("t").await.unwrap().map(|it| (it.secret.expose().to_owned(), it.version));
    assert_eq!(kept(other).await, None);
    assert!(one.put("t", &secret("1"), 0).await.unwrap());
    assert!(!other.put("t", &secret("0"), 0).await.unwrap(), "{what}: it has not seen the first");
    assert_eq!(kept(other).await, Some(("1".to_owned(), 1)));
    assert!(other.put("t", &secret("2"), 1).await.unwrap());
    assert!(!one.put("t", &secret("late"), 1).await.unwrap(), "{what}: another is newer");
    assert_eq!(kept(one).await, Some(("2".to_owned(), 2)), "{what}");
    assert!(one.lock("t", lease("a", 10)).await.unwrap());
    assert!(!other.lock("t", lease("b", 109)).await.unwrap(), "{what}: another has it");
    assert!(other.lock("u", lease("b", 109)).await.unwrap());
    other.unlock("t", "b").await.unwrap();
    assert!(!other.lock("t", lease("b", 109)).await.unwrap(), "{what}: it is not its own");
    assert!(other.lock("t", lease("b", 110)).await.unwrap(), "{what}: whoever had it is gone");
    one.unlock("t", "a").await.unwrap();
    assert!(!one.lock("t", lease("a", 120)).await.unwrap());
    other.unlock("t", "b").await.unwrap();
    assert!(one.lock("t", lease("a", 120)).await.unwrap());
}

#[tokio::test]
async fn none_takes_the_place_of_one_that_was_not_seen_and_one_process_at_a_time_works() {
    let memory = MemoryTokens::default();
    replaced(&memory, &memory, "in memory").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("legwork.db");
    let opened = async || Store::open(&Place::File(&file), Some(keys())).await.unwrap();
    replaced(&opened().await, &opened().await, "in a file").await;
    #[cfg(feature = "postgres")]
    if let Some(schema) = Schema::make().await {
        replaced(&schema.opened(Some(keys())).await, &schema.opened(Some(keys())).await, "on PostgreSQL").await;
        schema.drop().await;
    }
}
