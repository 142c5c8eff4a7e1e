//! Tests of projects write nothing, whatever they do.

use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn what_is_tried_out_never_reaches_a_server() {
    let Some(base) = Base::new("create table orders (no text)").await else { return };
    let yaml = "
tables: [{ create: create table legwork_scratch_orders (no text primary key) }]
operations:
  add:
    kind: write
    inputs: { no: {} }
    sql: insert into legwork_scratch_orders values (:no)
    take: none
    examples: [{ inputs: { no: A }, answer: { changed: 1 } }]
  all: { sql: select no from legwork_scratch_orders order by no, examples: [{ answer: [] }] }
";
    let connector = base.connector(yaml);
    let own = connection("own", &connector, &[]);
    let scratch = open_scratch(std::slice::from_ref(&own), Path::new(".")).await.unwrap();
    let other = open_scratch(&[own], Path::new(".")).await.unwrap();
    assert_eq!(ask(&scratch, "own.add", json!({"no": "A"})).await.unwrap()["changed"], 1);
    assert_eq!(outcome(&scratch, "own.add", json!({"no": "A"})).await, Outcome::Conflict);
    assert_eq!(ask(&scratch, "own.add", json!({"no": "B"})).await.unwrap()["changed"], 1);
    assert_eq!(ask(&scratch, "own.all", json!({})).await.unwrap(), json!([{"no": "A"}, {"no": "B"}]));
    assert_eq!(ask(&other, "own.all", json!({})).await.unwrap(), json!([]), "each has data of its own");
    assert_eq!(run_examples(&connector, Path::new("."), clock()).await, Vec::<String>::new());
    let tables = "select count(*) from pg_class where relname in ('legwork_scratch_orders', 'legwork_made') \
                  and relpersistence <> 't'";
    assert_eq!(base.number(tables).await, 0, "not in the connection's own database");
    let mut test_server = server().unwrap().connect().await.unwrap();
    let row = sqlx::query(AssertSqlSafe(tables)).fetch_one(&mut test_server).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 0, "and not where the test ran");
    let said: Vec<_> = scratch.verify().await.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["own: no statement was looked at: the connector's `tables` are made at the first start, and are not yet there"]
    );
}

#[tokio::test]
async fn not_even_a_table_that_is_there_is_written_to() {
    let Some(server) = server() else { return };
    let mut admin = server.connect().await.unwrap();
    let table = format!("legwork_kept_{:016x}", fastrand::u64(..));
    let run =
        async |admin: &mut PgConnection, sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(admin).await.unwrap();
    run(&mut admin, format!("create table {table} (n int); insert into {table} values (1)")).await;
    let yaml = format!(
        "kind: sql\ndatabase: postgres://nobody:hunter2@127.0.0.1:1/production\noperations:\n  \
         add: {{ kind: write, sql: insert into {table} values (2), take: none }}\n  \
         sum: {{ sql: select sum(n) from {table}, take: value }}\n"
    );
    let own = connection("own", &own_connector("own", &yaml, Path::new(".")), &[]);
    let scratch = open_scratch(&[own], Path::new(".")).await.unwrap();
    assert_eq!(ask(&scratch, "own.sum", json!({})).await.unwrap(), 1);
    assert_eq!(ask(&scratch, "own.add", json!({})).await.unwrap()["changed"], 1);
    assert_eq!(ask(&scratch, "own.sum", json!({})).await.unwrap(), 3);
    drop(scratch);
    let rows = run(&mut admin, format!("select sum(n)::int8 from {table}")).await;
    assert_eq!(rows[0].get::<i64, _>(0), 1);
    run(&mut admin, format!("drop table {table}")).await;
}
