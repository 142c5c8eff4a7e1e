//! What goes wrong between here and the server: locks, deadlines, full pools, deadlocks, restarts.

use pretty_assertions::assert_eq;

use super::*;

const T: &str = "create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)";

const OPERATIONS: &str = "
operations:
  bump: { kind: write, inputs: { id: {} }, sql: update t set n = n + 1 where id = :id, take: none }
  sum: { sql: select sum(n) from t, take: value }
  sleep: { inputs: { seconds: {} }, sql: 'select pg_sleep(:seconds)' }
  slow_write:
    kind: write
    steps: [{ sql: update t set n = n + 1 where id = 1, take: none }, { sql: select pg_sleep(30) }]
  many: { sql: 'select i from generate_series(1, 6000000) i' }
  everything: { sql: select * from t order by id }
  both:
    kind: write
    inputs: { first: {}, second: {} }
    steps:
      - { sql: update t set n = n + 1 where id = :first, take: none }
      - { sql: 'select pg_sleep(0.3)' }
      - { sql: update t set n = n + 1 where id = :second, take: none }
";

fn pool(rules: &str) -> String {
    format!("pool: {{ {rules} }}\n{OPERATIONS}")
}

/// How many statements the server is running in this database for others.
async fn running(base: &Base) -> i64 {
    base.number(
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' \
         and pid <> pg_backend_pid()",
    )
    .await
}

#[tokio::test]
async fn a_lock_held_by_somebody_else_ends_in_time_and_the_pool_goes_on() {
    let Some(base) = Base::new(T).await else { return };
    let own = base.open(&pool("size: 1, statement_timeout: 300ms")).await;
    let mut other = base.session().await;
    let mut holds = other.begin().await.unwrap();
    sqlx::raw_sql("update t set n = 100 where id = 1").execute(&mut *holds).await.unwrap();
    let fault = ask(&own, "own.bump", json!({"id": 1})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Timeout, "{fault}");
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 0, "readers do not wait");
    holds.rollback().await.unwrap();
    assert_eq!(ask(&own, "own.bump", json!({"id": 1})).await.unwrap()["changed"], 1);
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 1);
}

#[tokio::test]
async fn at_the_deadline_the_statement_is_stopped_and_nothing_stays() {
    let Some(base) = Base::new(T).await else { return };
    let own = base.open(&pool("size: 2")).await;
    for call in ["own.sleep", "own.slow_write"] {
        let inputs = if call == "own.sleep" { json!({"seconds": 30}) } else { json!({}) };
        let fault = answered(&own, call, inputs, within(Duration::from_millis(400))).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Timeout, "{fault}");
        until(async || (running(&base).await == 0).then_some(())).await;
    }
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 0);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_is_stopped() {
    let Some(base) = Base::new(T).await else { return };
    let own = Arc::new(base.open(&pool("size: 1")).await);
    let asked = {
        let own = Arc::clone(&own);
        tokio::spawn(async move { ask(&own, "own.sleep", json!({"seconds": 30})).await })
    };
    until(async || (running(&base).await == 1).then_some(())).await;
    asked.abort();
    until(async || (running(&base).await == 0).then_some(())).await;
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 0, "its place in the pool is free again");
}

#[tokio::test]
async fn a_full_pool_says_so_and_recovers() {
    let Some(base) = Base::new(T).await else { return };
    let own = Arc::new(base.open(&pool("size: 1")).await);
    let busy = {
        let own = Arc::clone(&own);
        tokio::spawn(async move { ask(&own, "own.sleep", json!({"seconds": 1})).await })
    };
    until(async || (running(&base).await == 1).then_some(())).await;
    let fault = answered(&own, "own.sum", json!({}), within(Duration::from_millis(100))).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unavailable);
    assert!(fault.operator.contains("all 1 connections"), "{fault}");
    let waits = ask(&own, "own.sum", json!({})).await;
    assert_eq!(waits.unwrap(), 0, "who has the time waits");
    busy.await.unwrap().unwrap();
    let many = (0..40).map(|_| ask(&own, "own.bump", json!({"id": 2})));
    assert!(futures_util::future::join_all(many).await.iter().all(Result::is_ok));
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 40);
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let Some(base) = Base::new(T).await else { return };
    let own = base.open(OPERATIONS).await;
    let both = |first: i64, second: i64| ask(&own, "own.both", json!({"first": first, "second": second}));
    let (one, other) = tokio::join!(both(1, 2), both(2, 1));
    one.unwrap();
    other.unwrap();
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 4, "both were done, each once");
}

#[tokio::test]
async fn more_rows_than_anybody_reads_are_refused_and_the_pool_goes_on() {
    let Some(base) = Base::new(T).await else { return };
    let own = base.open(&pool("size: 1")).await;
    for _ in 0..3 {
        let fault = ask(&own, "own.many", json!({})).await.unwrap_err();
        assert!(fault.operator.contains("give it a `limit`"), "{fault}");
        assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_table_may_change_under_a_prepared_statement() {
    let Some(base) = Base::new(T).await else { return };
    let own = base.open(&pool("size: 1")).await;
    assert_eq!(ask(&own, "own.everything", json!({})).await.unwrap()[0], json!({"id": 1, "n": 0}));
    base.does("alter table t add column word text default 'x'; alter table t alter column n type text").await;
    assert_eq!(ask(&own, "own.everything", json!({})).await.unwrap()[0], json!({"id": 1, "n": "0", "word": "x"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_down_and_comes_back() {
    if server().is_none() {
        return;
    }
    let server = Server::start();
    let yaml = format!(
        "kind: sql\ndatabase: '{}'\ntables: [{{ create: '{T}' }}]\n{}",
        server.url,
        pool("size: 3, connect_timeout: 2s")
    );
    let connector = own_connector("own", &yaml, Path::new("."));
    let connections = [connection("own", &connector, &[])];
    let own = Arc::new(open(&connections, Path::new(".")).await.unwrap());
    // Several connections lie idle when the server goes.
    let calls = (0..3).map(|_| ask(&own, "own.sleep", json!({"seconds": 0.05})));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    server.does("restart");
    assert_eq!(ask(&own, "own.sum", json!({})).await.unwrap(), 0, "the next call finds the new server");
    // A write in the middle of the restart.
    let writing = {
        let own = Arc::clone(&own);
        tokio::spawn(async move { ask(&own, "own.slow_write", json!({})).await })
    };
    let options: PgConnectOptions = server.url.parse().unwrap();
    let busy = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()";
    until(async || {
        let mut other = options.connect().await.unwrap();
        (sqlx::query(busy).fetch_one(&mut other).await.unwrap().get::<i64, _>(0) > 0).then_some(())
    })
    .await;
    server.does("stop");
    let fault = writing.await.unwrap().unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unavailable, "{fault}");
    let fault = ask(&own, "own.sum", json!({})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unavailable, "{fault}");
    // Whoever starts now works as soon as the server is there.
    let problems = open(&connections, Path::new(".")).await.unwrap().verify().await;
    assert!(problems.len() == 1 && problems[0].passing, "{problems:?}");
}
