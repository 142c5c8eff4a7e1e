//! Many who want the same at the same time.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use tokio::task::JoinSet;

use super::*;

/// Does something fifty times at once, by turns in either process; what came of it.
async fn fifty<T: Send + 'static, F>(pair: &Pair, work: impl Fn(Arc<Store>, usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let store = Arc::clone(if number % 2 == 0 { &pair.one } else { &pair.other });
        tasks.spawn(work(store, number));
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_begin_one_is_new() {
    each(async |pair: &Pair| {
        for (round, same) in ["the key", "the purpose"].into_iter().enumerate() {
            let begun = fifty(pair, move |store, number| async move {
                let purpose = format!("p{round}");
                let key = if round == 0 { "k".to_owned() } else { format!("k{number}") };
                let write = NewWrite { key: &key, purpose: &purpose, ..write("k") };
                store.begin(&write, &lease(&number.to_string(), 10)).await.unwrap()
            });
            let news = begun.await.iter().filter(|begun| matches!(begun, Begun::New(_))).count();
            assert_eq!(news, 1, "{}: {same}", pair.what());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_take_over_one_does() {
    each(async |pair: &Pair| {
        let id = new(pair.one.begin(&write("k"), &lease("gone", 10)).await.unwrap());
        for round in 1..=3_i64 {
            let taken = fifty(pair, move |store, number| async move {
                store.take_over(id, &lease(&number.to_string(), round * 1_000)).await.unwrap().is_some()
            });
            assert_eq!(taken.await.into_iter().filter(|taken| *taken).count(), 1, "{}", pair.what());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_take_over_for_one_purpose_one_does() {
    each(async |pair: &Pair| {
        let mut ids = Vec::new();
        for number in 0..50 {
            let key = format!("k{number}");
            ids.push(new(pair.one.begin(&NewWrite { purpose: "p", ..write(&key) }, &lease("a", 10)).await.unwrap()));
            let failed = End { current: false, ..end(State::Failed, 20) };
            assert!(pair.one.settle(ids[number], &key, "a", &failed).await.unwrap());
        }
        let taken = fifty(pair, move |store, number| {
            let id = ids[number];
            async move { store.take_over(id, &lease(&number.to_string(), 30)).await.unwrap().is_some() }
        });
        assert_eq!(taken.await.into_iter().filter(|taken| *taken).count(), 1, "{}", pair.what());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_take_at_the_same_time_take_different_writes() {
    each(async |pair: &Pair| {
        for number in 0..60 {
            let (key, lane) = (format!("k{number}"), format!("l{}", number % 40));
            let write = NewWrite { lane: &lane, ..write(&key) };
            let id = new(pair.one.begin(&write, &lease("a", 1)).await.unwrap());
            assert!(pair.one.settle(id, &key, "a", &end(State::Queued, 2)).await.unwrap());
        }
        let taken = fifty(pair, |store, number| async move {
            let taken = store.take_due(&lease(&format!("o{number}"), 10), &Reach::ALL, 3).await.unwrap();
            taken.into_iter().map(|written| written.id).collect::<Vec<_>>()
        });
        let taken = taken.await;
        assert!(taken.iter().all(|ids| ids.len() <= 3), "{}: as many as are wanted", pair.what());
        let ids: Vec<_> = taken.into_iter().flatten().collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}", pair.what());
        // Whoever was passed over is taken in the next round; the first of each of 40 lanes, and no second.
        let rest = pair.one.take_due(&lease("z", 10), &Reach::ALL, 100).await.unwrap();
        assert_eq!(ids.len() + rest.len(), 40, "{}", pair.what());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn leases_that_are_kept_and_ends_that_are_noted_do_not_hinder_one_another() {
    each(async |pair: &Pair| {
        let mut ids = Vec::new();
        for number in 0..50 {
            let key = format!("k{number}");
            let write = NewWrite { turn: "t", ..write(&key) };
            ids.push(new(pair.one.begin(&write, &lease("a", 1)).await.unwrap()));
        }
        let ends = fifty(pair, move |store, number| {
            let mut ids = ids.clone();
            async move {
                if number % 10 == 0 {
                    ids.rotate_left(number);
                    store.renew(&ids, &lease("a", 5)).await.unwrap();
                    store.release("t", &[]).await.unwrap();
                }
                store.settle(ids[0], "k", "a", &end(State::Queued, 10)).await
            }
        });
        assert!(ends.await.iter().all(Result::is_ok), "{}", pair.what());
    })
    .await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_make_the_tables_once() {
    let Some(schema) = Schema::make().await else { return };
    let opened = futures_util::future::join_all((0..6).map(|_| schema.opened(None))).await;
    for store in &opened {
        store.turn_ended("t", 1, b"it", 0, 100).await.unwrap();
    }
    let steps = opened[0].db.row("select count(*) from legwork_steps", &[]).await.unwrap().unwrap();
    let again = schema.opened(None).await.db.row("select count(*) from legwork_steps", &[]).await.unwrap().unwrap();
    assert_eq!(steps.number(0), again.number(0));
    schema.drop().await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn whoever_may_not_make_tables_uses_those_that_are_there() {
    let Some(schema) = Schema::make().await else { return };
    let run = async |sql: String| sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&schema.admin).await;
    schema.opened(None).await;
    let name = &schema.name;
    let user = format!("user_{name}");
    if run(format!("create role {user} login")).await.is_err() {
        // The server that tests may play with does not let them make users.
        return schema.drop().await;
    }
    for grant in [
        format!("grant usage on schema {name} to {user}"),
        format!("grant select, insert, update, delete on all tables in schema {name} to {user}"),
    ] {
        run(grant).await.unwrap();
    }
    let (_, place) = schema.url.expose().split_once('@').unwrap();
    let url = Secret::new(format!("postgres://{user}@{place}"));
    let store = Store::open(&Place::Postgres(&url), None).await.unwrap();
    let id = new(store.begin(&write("k"), &lease("a", 1)).await.unwrap());
    assert!(store.settle(id, "k", "a", &end(State::Done, 2)).await.unwrap());
    store.turn_ended("t", 1, b"it", 0, 100).await.unwrap();
    store.close().await;
    run(format!("drop owned by {user}")).await.unwrap();
    run(format!("drop role {user}")).await.unwrap();
    schema.drop().await;
}
