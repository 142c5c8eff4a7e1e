//! Projects' own SQLite files, CSV and JSON tables behind `connectors/NAME.yml`.

use pretty_assertions::assert_eq;

use super::*;

/// A folder with a `connectors` folder and an SQLite file that somebody else made.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("connectors")).unwrap();
        Self { folder }
    }

    fn file(self, path: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join("connectors").join(path), text).unwrap();
        self
    }

    /// Makes an SQLite file, by a connector that has nothing else to do.
    async fn database(self, path: &str, script: &str) -> Self {
        let yaml = format!(
            "kind: sql\ndatabase: {path}\ntables: [{{ create: {} }}]\noperations: {{ none: {{ sql: select 1 }} }}\n",
            serde_json::to_string(script).unwrap()
        );
        let maker = own_connector("maker", &yaml, self.folder.path());
        open(&[connection("maker", &maker, &[])], self.folder.path()).await.unwrap();
        self
    }

    fn connector(&self, yaml: &str) -> Arc<Connector> {
        own_connector("own", yaml, &self.folder.path().join("connectors"))
    }

    async fn open(&self, yaml: &str) -> Connections {
        open(&[connection("own", &self.connector(yaml), &[])], self.folder.path()).await.unwrap()
    }

    async fn refuses(&self, yaml: &str) -> String {
        let problems = open(&[connection("own", &self.connector(yaml), &[])], self.folder.path()).await.err().unwrap();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

const ACCOUNTS: &str = "
    create table accounts (id integer primary key, owner text not null, balance real not null check (balance >= 0), open boolean);
    insert into accounts values (1, 'sarah', 100.5, 1), (2, 'tom', 20, 0), (3, 'tom', 7, null);
    create table transfers (at text, source integer, target integer, amount real);
";

const BANK: &str = "
kind: sql
settings:
  file: { default: bank.db, pattern: '[a-z]+\\.db' }
database: '{{ settings.file }}'
operations:
  account:
    inputs: { id: { required: true }, owner: {} }
    sql: select * from accounts where id = :id [[and owner = :owner]]
    take: one
  accounts_of:
    inputs: { owner: {} }
    sql: select id, open from accounts [[where owner = :owner]] order by id
  the_account_of:
    inputs: { owner: {} }
    sql: select id from accounts where owner = :owner
    take: one
  maybe:
    inputs: { owner: {} }
    sql: select id from accounts where owner = :owner
    take: optional
  first_of:
    inputs: { owner: {} }
    sql: select id from accounts where owner = :owner order by id
    take: first
  sum:
    sql: select sum(balance) from accounts
    take: value
  echo:
    inputs: { value: {} }
    sql: select :value as value, typeof(:value) as type
    take: one
  transfer:
    kind: write
    inputs: { from: { required: true }, to: { required: true }, amount: { required: true } }
    steps:
      - sql: insert into transfers values (:now, :from, :to, :amount)
        take: none
      - as: target
        sql: update accounts set balance = balance + :amount where id = :to
        take: none
        outcomes: { not_found: 'target.changed == 0' }
      - as: source
        sql: select * from accounts where id = :from
        take: one
        outcomes:
          denied: { when: 'not source.open', say: 'The account of {{ source.owner }} is closed.' }
      - sql: update accounts set balance = balance - :amount where id = :source.id
        take: none
      - as: left
        sql: select balance from accounts where id = :source.id
        take: value
    answer: { left: '{{ left }}', moved: '{{ amount }}', note: 'To {{ to }}', always: true }
  log:
    sql: select * from transfers
  wrong:
    kind: write
    model: Ticket
    sql: update accounts set balance = 0 returning 'T-1' as number, 'x' as subject, 'sekret' as status
    take: first
  odd:
    inputs: { id: {} }
    steps:
      - as: account
        sql: select id from accounts where id = :id
        take: optional
      - sql: select :account.id as id, :account.owner as owner
        take: one
";

async fn bank() -> (Project, Connections) {
    let project = Project::new().database("bank.db", ACCOUNTS).await;
    let bank = project.open(BANK).await;
    assert_eq!(bank.verify().await, []);
    (project, bank)
}

#[tokio::test]
async fn an_optional_condition_counts_when_its_value_is_there() {
    let (_project, bank) = bank().await;
    let account = ask(&bank, "own.account", json!({"id": 1})).await.unwrap();
    assert_eq!(account, json!({"id": 1, "owner": "sarah", "balance": 100.5, "open": true}));
    assert!(ask(&bank, "own.account", json!({"id": 1, "owner": "sarah"})).await.is_ok());
    assert_eq!(outcome(&bank, "own.account", json!({"id": 1, "owner": "tom"})).await, Outcome::NotFound);
    let all = ask(&bank, "own.accounts_of", json!({})).await.unwrap();
    assert_eq!(all, json!([{"id": 1, "open": true}, {"id": 2, "open": false}, {"id": 3, "open": null}]));
    assert_eq!(ask(&bank, "own.accounts_of", json!({"owner": "nobody"})).await.unwrap(), json!([]));
}

#[tokio::test]
async fn take_says_what_of_the_rows_counts() {
    let (_project, bank) = bank().await;
    let owner = |name: &str| json!({"owner": name});
    assert_eq!(outcome(&bank, "own.the_account_of", owner("tom")).await, Outcome::Ambiguous);
    assert_eq!(outcome(&bank, "own.the_account_of", owner("nobody")).await, Outcome::NotFound);
    assert_eq!(ask(&bank, "own.first_of", owner("tom")).await.unwrap(), json!({"id": 2}));
    assert_eq!(outcome(&bank, "own.first_of", owner("nobody")).await, Outcome::NotFound);
    assert_eq!(ask(&bank, "own.maybe", owner("nobody")).await.unwrap(), Value::Null);
    assert_eq!(outcome(&bank, "own.maybe", owner("tom")).await, Outcome::Ambiguous);
    assert_eq!(ask(&bank, "own.sum", json!({})).await.unwrap(), json!(127.5));
}

#[tokio::test]
async fn a_value_is_bound_in_its_type_and_never_read_as_sql() {
    let (_project, bank) = bank().await;
    let cases = [
        (json!("1 or 1=1"), "text", json!("1 or 1=1")),
        (json!("'; drop table accounts; --"), "text", json!("'; drop table accounts; --")),
        (json!(9_007_199_254_740_993_i64), "integer", json!(9_007_199_254_740_993_i64)),
        (json!(1.0), "real", json!(1.0)),
        (json!(true), "integer", json!(1)),
        (json!(null), "null", json!(null)),
        (json!(["a", {"b": 1}]), "text", json!("[\"a\",{\"b\":1}]")),
    ];
    for (value, sql_type, back) in cases {
        let echo = ask(&bank, "own.echo", json!({"value": value})).await.unwrap();
        assert_eq!(echo, json!({"value": back, "type": sql_type}));
    }
    assert_eq!(outcome(&bank, "own.account", json!({"id": "1 or 1=1"})).await, Outcome::NotFound);
}

#[tokio::test]
async fn several_writes_happen_all_or_not_at_all() {
    let (_project, bank) = bank().await;
    let moved = ask(&bank, "own.transfer", json!({"from": 1, "to": 2, "amount": 50})).await.unwrap();
    assert_eq!(moved, json!({"left": 50.5, "moved": 50, "note": "To 2", "always": true}));
    let transfer =
        async |from: i64, to: i64| ask(&bank, "own.transfer", json!({"from": from, "to": to, "amount": 60})).await;
    assert_eq!(transfer(1, 9).await.unwrap_err().outcome, Outcome::NotFound);
    let broke = transfer(1, 2).await.unwrap_err();
    assert_eq!(broke.outcome, Outcome::Invalid, "{broke}");
    let closed = transfer(2, 1).await.unwrap_err();
    assert_eq!((closed.outcome, closed.public.as_deref()), (Outcome::Denied, Some("The account of tom is closed.")));
    assert!(!closed.operator.contains("tom"));
    assert_eq!(outcome(&bank, "own.wrong", json!({})).await, Outcome::Unexpected);
    assert_eq!(ask(&bank, "own.log", json!({})).await.unwrap().as_array().unwrap().len(), 1);
    assert_eq!(ask(&bank, "own.sum", json!({})).await.unwrap(), json!(127.5));
}

#[tokio::test]
async fn a_part_of_null_is_null_and_an_unknown_part_is_a_fault() {
    let (_project, bank) = bank().await;
    assert_eq!(ask(&bank, "own.odd", json!({"id": 99})).await.unwrap(), json!({"id": null, "owner": null}));
    let fault = ask(&bank, "own.odd", json!({"id": 1})).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unexpected);
    assert!(fault.operator.contains(":account.owner"), "{fault}");
}

#[tokio::test]
async fn csv_and_json_files_are_tables_with_types() {
    let project = Project::new()
        .file(
            "orders.csv",
            "no;status;placed;total\n0042;shipped;2026-01-20T11:20:00+01:00;19.90\n0043;pending;2026-01-21T09:00:00Z;5\n",
        )
        .file("lines.json", r#"[{"no": "0042", "goods": [{"name": "Mug", "quantity": 2}], "gift": true}]"#);
    let shop = project
        .open(
            "
kind: sql
database: ':memory:'
tables: [{ csv: orders.csv }, { json: lines.json, name: order_goods }]
operations:
  find_order:
    inputs: { number: { required: true } }
    model: Order
    steps:
      - { as: row, sql: 'select * from orders where no = :number', take: one }
      - { as: goods, sql: 'select * from order_goods where no = :number', take: optional }
    answer:
      number: '{{ row.no }}'
      status: '{{ row.status }}'
      placed_at: '{{ row.placed }}'
      lines: '{{ goods.goods if goods else [] }}'
      total: { amount: '{{ row.total }}', currency: EUR }
  orders:
    model: [Order]
    sql: select * from orders order by no
    answer: { number: '{{ row.no }}', status: '{{ row.status }}', placed_at: '{{ row.placed }}' }
  gift:
    sql: select gift from order_goods
    take: one
",
        )
        .await;
    assert_eq!(shop.verify().await, []);
    let order = ask(&shop, "own.find_order", json!({"number": "0042"})).await.unwrap();
    assert_eq!(order["placed_at"], "2026-01-20T10:20:00Z");
    assert_eq!(order["total"], json!({"amount": 19.9, "currency": "EUR"}));
    assert_eq!(order["lines"][0]["quantity"], 2);
    assert_eq!(order["shipment"], Value::Null);
    assert_eq!(ask(&shop, "own.find_order", json!({"number": "0043"})).await.unwrap()["lines"], json!([]));
    assert_eq!(ask(&shop, "own.orders", json!({})).await.unwrap()[1]["number"], "0043");
    assert_eq!(ask(&shop, "own.gift", json!({})).await.unwrap(), json!({"gift": true}));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_its_model_is_unexpected_and_says_where() {
    let shop = Project::new()
        .open(
            "
kind: sql
database: ':memory:'
operations:
  wrong: { model: Order, sql: \"select '1' as number, 'sekret' as status, '2026-01-20T00:00:00Z' as placed_at\", take: one }
  bytes: { sql: \"select x'00' as picture\" }
  no_json: { sql: \"select 'sekret' as lines_json\" }
  template: { inputs: { a: {} }, sql: select 1 as b, take: one, answer: { c: '{{ row.sekret }}', d: '{{ a }}' } }
",
        )
        .await;
    for (call, says) in [
        ("own.wrong", "the answer of wrong does not fit Order: status should be one of pending"),
        ("own.bytes", "the column picture holds neither text nor number"),
        ("own.no_json", "the column lines_json holds no JSON text"),
        ("own.template", "the answer of template: "),
    ] {
        let fault = ask(&shop, call, json!({})).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Unexpected);
        assert!(fault.operator.starts_with(says), "{fault}");
        assert!(call == "own.template" || !fault.operator.contains("sekret"), "{fault}");
    }
}

#[tokio::test]
async fn rows_of_a_newcomer_are_made_at_first_use_and_once() {
    let project = Project::new();
    let pots = project
        .open(
            "
kind: sql
database: pots.db
tables: [{ create: 'create table pots (owner text, name text, amount real)' }]
first_use:
  of: owner
  unless: select 1 from pots where owner = :owner
  sql:
    - insert into pots values (:owner, 'savings', 100)
    - insert into pots values (:owner, 'holiday', 20)
operations:
  pots: { inputs: { owner: {} }, sql: 'select name, amount from pots where owner = :owner order by name' }
  count: { sql: select count(*) from pots, take: value }
  spend:
    kind: write
    inputs: { owner: { required: true }, amount: { required: true } }
    sql: update pots set amount = amount - :amount where owner = :owner and name = 'holiday'
    take: none
",
        )
        .await;
    assert_eq!(ask(&pots, "own.count", json!({})).await.unwrap(), 0);
    let spent = ask(&pots, "own.spend", json!({"owner": "sarah", "amount": 5})).await.unwrap();
    assert_eq!(spent["changed"], 1);
    let same = (0..8).map(|_| ask(&pots, "own.pots", json!({"owner": "tom"})));
    for rows in futures_util::future::join_all(same).await {
        assert_eq!(rows.unwrap()[0], json!({"name": "holiday", "amount": 20.0}));
    }
    assert_eq!(ask(&pots, "own.pots", json!({"owner": "sarah"})).await.unwrap()[0]["amount"], 15.0);
    ask(&pots, "own.pots", json!({})).await.unwrap();
    assert_eq!(ask(&pots, "own.count", json!({})).await.unwrap(), 4);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_or_its_tables_is_said_at_the_start() {
    let project = Project::new().database("bank.db", ACCOUNTS).await;
    let missing = project.refuses(&BANK.replace("bank.db", "bonk.db")).await;
    assert_eq!(missing, "own: there is no file bonk.db; a connector without `tables` does not make one");
    std::fs::write(project.folder.path().join("text.db"), "not a database at all, but long enough to be looked at").unwrap();
    let text = project.refuses(&BANK.replace("bank.db", "text.db")).await;
    assert_eq!(text, "own: text.db cannot be opened: file is not a database");
    let tables = "kind: sql\ndatabase: ':memory:'\ntables: [{ create: 'create tabel t (a)' }]\noperations: { a: { sql: select 1 } }\n";
    assert!(project.refuses(tables).await.contains("cannot be made: near \"tabel\": syntax error"));
    let wrong = project.open(&BANK.replace("balance from accounts where id", "balanse from acounts where id")).await;
    let problems: Vec<_> = wrong.verify().await.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["own.transfer: the statement `left`: no such table: acounts"]);
}

#[tokio::test]
async fn a_statement_that_does_not_end_is_stopped_and_the_database_goes_on() {
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let yaml = format!(
        "kind: sql\ndatabase: ':memory:'\ntables: [{{ create: create table t (a) }}]\noperations:\n  endless: {{ sql: '{endless}' }}\n  \
         fill: {{ kind: write, steps: [{{ sql: insert into t values (1) }}, {{ sql: '{endless}' }}] }}\n  \
         pour: {{ kind: write, steps: [{{ sql: insert into t values (1) }}, {{ sql: 'insert into t {endless}' }}] }}\n  \
         add: {{ kind: write, steps: [{{ sql: insert into t values (1) }}] }}\n  \
         count: {{ sql: select count(*) from t, take: value }}\n  many: {{ sql: '{}' }}\n",
        endless.replace("count(*) from n", "i from n limit 100000"),
    );
    let own = Project::new().open(&yaml).await;
    let briefly = How::by(Deadline::after(Duration::from_millis(50)));
    for (there, call) in ["own.endless", "own.fill", "own.pour"].into_iter().enumerate() {
        let fault = answered(&own, call, json!({}), briefly).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Timeout, "{fault}");
        assert_eq!(ask(&own, "own.count", json!({})).await.unwrap(), there, "{call}");
        ask(&own, "own.add", json!({})).await.unwrap();
    }
    let fault = ask(&own, "own.many", json!({})).await.unwrap_err();
    assert!(fault.operator.contains("give it a `limit`"), "{fault}");
}

#[tokio::test]
async fn a_database_that_another_process_writes_to_is_unavailable() {
    use sqlx::{ConnectOptions as _, Connection as _};

    let project = Project::new().database("bank.db", ACCOUNTS).await;
    let bank = project.open(BANK).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(project.folder.path().join("bank.db"));
    let mut other = options.connect().await.unwrap();
    let holds = other.begin_with("begin immediate").await.unwrap();
    let transfer = json!({"from": 1, "to": 2, "amount": 1});
    assert_eq!(outcome(&bank, "own.transfer", transfer.clone()).await, Outcome::Unavailable);
    assert!(ask(&bank, "own.sum", json!({})).await.is_ok(), "readers do not wait");
    holds.rollback().await.unwrap();
    assert!(ask(&bank, "own.transfer", transfer).await.is_ok());
}

#[tokio::test]
async fn what_is_tried_out_on_scratch_data_never_reaches_a_file() {
    let project = Project::new().database("bank.db", ACCOUNTS).await;
    let own = connection("own", &project.connector(BANK), &[]);
    let sandbox = connection("shop", &sandbox_connector(), &[("file", "shop.db")]);
    let scratch = open_scratch(&[own.clone(), sandbox.clone()], project.folder.path()).await.unwrap();
    ask(&scratch, "own.transfer", json!({"from": 1, "to": 2, "amount": 50})).await.unwrap();
    assert_eq!(ask(&scratch, "own.account", json!({"id": 1})).await.unwrap()["balance"], 50.5);
    ask(&scratch, "shop.create_ticket", json!({"subject": "Hello"})).await.unwrap();
    assert!(!project.folder.path().join("shop.db").exists());
    let real = open(&[own, sandbox.clone()], project.folder.path()).await.unwrap();
    assert_eq!(ask(&real, "own.account", json!({"id": 1})).await.unwrap()["balance"], 100.5);
    assert_eq!(ask(&real, "shop.create_ticket", json!({"subject": "Hello"})).await.unwrap()["number"], "T-1042");
    let scratch = open_scratch(&[sandbox], project.folder.path()).await.unwrap();
    let ticket = ask(&scratch, "shop.create_ticket", json!({"subject": "Hello"})).await.unwrap();
    assert_eq!(ticket["number"], "T-1042", "the sandbox begins anew, whatever its file has gathered");
    let gone = connection("own", &project.connector(&BANK.replace("bank.db", "gone.db")), &[]);
    assert!(open_scratch(&[gone], project.folder.path()).await.is_err());
}

#[tokio::test]
async fn a_statement_refuses_before_it_runs_and_another_stands_in_for_it() {
    let own = "
kind: sql
database: ':memory:'
tables: [{ create: 'create table t (name text primary key, times integer)' }]
operations:
  count:
    kind: write
    drops: [times]
    inputs: { name: { required: true } }
    steps:
      - { as: found, sql: select times from t where name = :name, take: optional }
      - as: made
        when: not found
        refuses: { invalid: { when: name | length > 5, say: 'That is too long, {{ name }}.' } }
        sql: insert into t values (:name, 1)
        take: none
      - { as: more, instead_of: [made], sql: update t set times = times + 1 where name = :name, take: none }
    answer: { made: '{{ made.changed | default(0) }}', more: '{{ more.changed | default(0) }}' }
  times: { sql: select 1, cache: { fresh: 1m } }
  times@2: { sql: select * from t, cache: { fresh: 1m } }
";
    let connector = own_connector("own", own, Path::new("."));
    let own = open(&[connection("own", &connector, &[])], Path::new(".")).await.unwrap();
    assert_eq!(ask(&own, "own.times@2", json!({})).await.unwrap(), json!([]));
    assert_eq!(ask(&own, "own.count", json!({"name": "a"})).await.unwrap(), json!({"made": 1, "more": 0}));
    assert_eq!(ask(&own, "own.count", json!({"name": "a"})).await.unwrap(), json!({"made": 0, "more": 1}));
    let fault = ask(&own, "own.count", json!({"name": "abcdef"})).await.unwrap_err();
    assert_eq!((fault.outcome, fault.public.as_deref()), (Outcome::Invalid, Some("That is too long, abcdef.")));
    // What a write drops is dropped in all versions.
    assert_eq!(ask(&own, "own.times@2", json!({})).await.unwrap(), json!([{"name": "a", "times": 2}]));
}

#[cfg(not(feature = "postgres"))]
#[tokio::test]
async fn a_build_without_postgresql_says_so() {
    let yaml = "kind: sql\ndatabase: postgres://u:hunter2@localhost/d\noperations: { a: { sql: select 1 } }\n";
    let said = Project::new().refuses(yaml).await;
    assert_eq!(said, "own: this legwork was built without PostgreSQL; build it with the feature `postgres`");
}

#[tokio::test]
async fn addresses_that_go_nowhere_are_said_and_not_shown() {
    for (keys, says) in [
        ("database: mysql://u:hunter2@h/d", "own: `database` is no address of a PostgreSQL server"),
        ("database: ':memory:'\nreads: postgres://u:hunter2@h/d", "own: `reads` is of a PostgreSQL server"),
        ("database: postgres://u:hunter2@h/d\nreads: bank.db", "own: `reads` is no address of a PostgreSQL server"),
    ] {
        let said = Project::new().refuses(&format!("kind: sql\n{keys}\noperations: {{ a: {{ sql: select 1 }} }}\n")).await;
        assert!(said.starts_with(says) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_database_that_hangs_is_left_alone() {
    use std::num::NonZeroU32;

    use crate::plan::connector::Patience;
    use crate::resilience::BreakerRules;

    const SLOW: &str = "
kind: sql
database: ':memory:'
operations:
  count: { take: value, sql: 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c' }
  one: { take: value, sql: select 1 }
";
    let connector = own_connector("slow", SLOW, Path::new("."));
    let calls = NonZeroU32::new(2).unwrap();
    let breaker = Some(BreakerRules { calls, ..BreakerRules::default() });
    let patience = Patience { timeout: Some(Duration::from_millis(50)), breaker, ..Patience::default() };
    let mut own = connection("own", &connector, &[]);
    own.rules.patience = patience;
    let own = open(&[own], Path::new(".")).await.unwrap();
    assert_eq!(ask(&own, "own.one", json!({})).await, Ok(json!(1)));
    assert_eq!(outcome(&own, "own.count", json!({})).await, Outcome::Timeout);
    let fault = ask(&own, "own.one", json!({})).await.unwrap_err();
    assert!(fault.operator.starts_with("own is left alone until 12:00:"), "{fault}");
    assert_eq!(fault.outcome, Outcome::Unavailable);
}
