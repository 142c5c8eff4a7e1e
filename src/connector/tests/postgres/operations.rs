//! What an operation does on PostgreSQL: rows, writes, transactions, first use, two addresses.

use pretty_assertions::assert_eq;

use super::*;

const ACCOUNTS: &str = "
    create table accounts (id int primary key, owner text not null, balance numeric(12, 2) not null check (balance >= 0), open bool);
    insert into accounts values (1, 'sarah', 100.5, true), (2, 'tom', 20, false), (3, 'tom', 7, null);
    create table transfers (id bigint primary key generated always as identity, at timestamptz, source int references accounts,
        target int references accounts, amount numeric, note text unique);
    create function pay_in(account int, amount numeric) returns numeric language sql
        as 'update accounts set balance = balance + $2 where id = $1 returning balance';
";

const BANK: &str = "
operations:
  account:
    inputs: { id: { required: true }, owner: {} }
    sql: select * from accounts where id = :id [[and owner = :owner]]
    take: one
  accounts_of:
    inputs: { owner: {} }
    sql: select id, open from accounts [[where owner = :owner]] order by id
  the_account_of: { inputs: { owner: {} }, sql: 'select id from accounts where owner = :owner', take: one }
  first_of: { inputs: { owner: {} }, sql: 'select id from accounts where owner = :owner order by id', take: first }
  maybe: { inputs: { owner: {} }, sql: 'select id from accounts where owner = :owner', take: optional }
  sum: { sql: select sum(balance) from accounts, take: value }
  some: { inputs: { ids: {} }, sql: 'select owner from accounts where id = any(:ids) order by id' }
  by_length: { inputs: { unit: {} }, sql: 'select left(owner, :unit) as o, count(*) from accounts group by left(owner, :unit) order by o' }
  lines: { sql: \"select '[1]' as a_json, '[2]'::jsonb as b_json\", take: one }
  log:
    kind: write
    inputs: { note: {}, source: {}, amount: {} }
    sql: insert into transfers (at, source, note, amount) values (:now, :source, :note, :amount)
    take: none
  log_id:
    kind: write
    inputs: { note: {} }
    sql: insert into transfers (at, note) values (:now, :note) returning id, note
    take: none
  log_row:
    kind: write
    inputs: { note: {} }
    sql: insert into transfers (at, note) values (:now, :note) returning note, at
    take: one
  pay_in:
    kind: write
    inputs: { id: {}, amount: {} }
    sql: select pay_in(:id, :amount)
    take: value
  close_all: { kind: write, sql: update accounts set open = false, take: none }
  transfer:
    kind: write
    inputs: { from: { required: true }, to: { required: true }, amount: { required: true } }
    steps:
      - sql: insert into transfers (at, source, target, amount) values (:now, :from, :to, :amount)
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
    answer: { left: '{{ left }}', moved: '{{ amount }}' }
  wrong:
    kind: write
    model: Ticket
    sql: update accounts set balance = 0 returning 'T-1' as number, 'x' as subject, 'sekret' as status
    take: first
";

async fn bank() -> Option<(Base, Connections)> {
    let base = Base::new(ACCOUNTS).await?;
    let bank = base.open(BANK).await;
    assert_eq!(bank.verify().await, []);
    let facts = &bank.facts()[0];
    assert_eq!((facts.system, facts.address.as_deref()), ("postgres", Some(base.server.get_host())));
    Some((base, bank))
}

#[tokio::test]
async fn rows_are_taken_as_the_file_says() {
    let Some((_base, bank)) = bank().await else { return };
    let account = ask(&bank, "own.account", json!({"id": "1"})).await.unwrap();
    assert_eq!(account, json!({"id": 1, "owner": "sarah", "balance": 100.5, "open": true}));
    assert_eq!(outcome(&bank, "own.account", json!({"id": 1, "owner": "tom"})).await, Outcome::NotFound);
    let all = ask(&bank, "own.accounts_of", json!({})).await.unwrap();
    assert_eq!(all, json!([{"id": 1, "open": true}, {"id": 2, "open": false}, {"id": 3, "open": null}]));
    let owner = |name: &str| json!({"owner": name});
    assert_eq!(outcome(&bank, "own.the_account_of", owner("tom")).await, Outcome::Ambiguous);
    assert_eq!(outcome(&bank, "own.the_account_of", owner("nobody")).await, Outcome::NotFound);
    assert_eq!(ask(&bank, "own.first_of", owner("tom")).await.unwrap(), json!({"id": 2}));
    assert_eq!(ask(&bank, "own.maybe", owner("nobody")).await.unwrap(), Value::Null);
    assert_eq!(ask(&bank, "own.sum", json!({})).await.unwrap(), json!(127.5));
    assert_eq!(
        ask(&bank, "own.some", json!({"ids": [1, "3"]})).await.unwrap(),
        json!([{"owner": "sarah"}, {"owner": "tom"}])
    );
    assert_eq!(ask(&bank, "own.some", json!({"ids": []})).await.unwrap(), json!([]));
    let grouped = ask(&bank, "own.by_length", json!({"unit": 1})).await.unwrap();
    assert_eq!(grouped, json!([{"o": "s", "count": 1}, {"o": "t", "count": 2}]), "a name that stands twice is one value");
    assert_eq!(ask(&bank, "own.lines", json!({})).await.unwrap(), json!({"a": [1], "b": [2]}));
}

#[tokio::test]
async fn writes_say_what_they_changed_and_refusals_what_they_are() {
    let Some((base, bank)) = bank().await else { return };
    let logged = ask(&bank, "own.log", json!({"note": "a"})).await.unwrap();
    assert_eq!(logged, json!({"changed": 1, "id": null}));
    assert_eq!(ask(&bank, "own.log_id", json!({"note": "b"})).await.unwrap(), json!({"changed": 1, "id": 2}));
    let row = ask(&bank, "own.log_row", json!({"note": "c"})).await.unwrap();
    assert_eq!(row, json!({"note": "c", "at": "2026-01-23T12:00:00Z"}));
    assert_eq!(ask(&bank, "own.close_all", json!({})).await.unwrap(), json!({"changed": 3, "id": null}));
    let cases = [
        (json!({"note": "a"}), Outcome::Conflict, "transfers_note_key"),
        (json!({"note": "d", "source": 99}), Outcome::Invalid, "transfers_source_fkey"),
    ];
    for (inputs, ends, names) in cases {
        let fault = ask(&bank, "own.log", inputs).await.unwrap_err();
        assert_eq!(fault.outcome, ends);
        assert!(fault.operator.contains(names), "{fault}");
        assert!(!fault.operator.contains("99") && !fault.operator.contains("(note)"), "{fault}");
    }
    assert_eq!(base.number("select count(*) from transfers").await, 3);
    assert_eq!(ask(&bank, "own.pay_in", json!({"id": 2, "amount": 5})).await.unwrap(), json!(25.0));
    assert_eq!(base.number("select balance::bigint from accounts where id = 2").await, 25, "what a function changes stays");
}

#[tokio::test]
async fn several_writes_happen_all_or_not_at_all() {
    let Some((base, bank)) = bank().await else { return };
    base.does("update accounts set open = true where id = 1").await;
    let moved = ask(&bank, "own.transfer", json!({"from": 1, "to": 2, "amount": 50})).await.unwrap();
    assert_eq!(moved, json!({"left": 50.5, "moved": 50}));
    let transfer =
        async |from: i64, to: i64| ask(&bank, "own.transfer", json!({"from": from, "to": to, "amount": 60})).await;
    assert_eq!(transfer(1, 9).await.unwrap_err().outcome, Outcome::Invalid, "a foreign key");
    let broke = transfer(1, 2).await.unwrap_err();
    assert_eq!(broke.outcome, Outcome::Invalid, "{broke}");
    let closed = transfer(2, 1).await.unwrap_err();
    assert_eq!((closed.outcome, closed.public.as_deref()), (Outcome::Denied, Some("The account of tom is closed.")));
    assert_eq!(outcome(&bank, "own.wrong", json!({})).await, Outcome::Unexpected);
    assert_eq!(base.number("select count(*) from transfers").await, 1);
    assert_eq!(ask(&bank, "own.sum", json!({})).await.unwrap(), json!(127.5));
}

#[tokio::test]
async fn a_read_cannot_change_anything() {
    let script = "create table visits (at timestamptz);
                  create function visit() returns int language sql as 'insert into visits values (now()) returning 1'";
    let Some(base) = Base::new(script).await else { return };
    let own = base.open("operations: { visit: { sql: select visit(), take: value } }").await;
    assert_eq!(outcome(&own, "own.visit", json!({})).await, Outcome::Misconfigured);
    assert_eq!(base.number("select count(*) from visits").await, 0);
}

#[tokio::test]
async fn rows_of_a_newcomer_are_made_once_whoever_asks() {
    let Some(base) = Base::new("").await else { return };
    let pots = "
tables: [{ create: 'create table pots (owner text, name text, amount float8)' }]
first_use:
  of: owner
  unless: select 1 from pots where owner = :owner
  sql:
    - insert into pots values (:owner, 'savings', 100)
    - insert into pots values (:owner, 'holiday', 20)
operations:
  pots: { inputs: { owner: {} }, sql: 'select name, amount from pots where owner = :owner order by name' }
  spend:
    kind: write
    inputs: { owner: { required: true }, amount: { required: true } }
    sql: update pots set amount = amount - :amount where owner = :owner and name = 'holiday'
    take: none
";
    let (one, other) = (base.open(pots).await, base.open(pots).await);
    assert_eq!(ask(&one, "own.spend", json!({"owner": "sarah", "amount": 5})).await.unwrap()["changed"], 1);
    let same = (0..12).map(|at| ask(if at % 2 == 0 { &one } else { &other }, "own.pots", json!({"owner": "tom"})));
    for rows in futures_util::future::join_all(same).await {
        assert_eq!(rows.unwrap(), json!([{"name": "holiday", "amount": 20.0}, {"name": "savings", "amount": 100.0}]));
    }
    assert_eq!(ask(&other, "own.pots", json!({"owner": "sarah"})).await.unwrap()[0]["amount"], 15.0);
    assert_eq!(base.number("select count(*) from pots").await, 4);
}

#[tokio::test]
async fn reads_go_to_their_own_address_and_writes_to_the_main_one() {
    let table = "create table t (a text); insert into t values";
    let Some(main) = Base::new(&format!("{table} ('main')")).await else { return };
    let reads = Base::new(&format!("{table} ('copy')")).await.unwrap();
    let yaml = format!(
        "
reads: '{}'
first_use: {{ of: who, unless: 'select 1 from t where a = :who', sql: ['insert into t values (:who)'] }}
operations:
  all: {{ sql: select a from t order by a }}
  of: {{ inputs: {{ who: {{}} }}, sql: 'select a from t where a = :who or true order by a' }}
  add:
    kind: write
    steps:
      - {{ sql: insert into t values ('new'), take: none }}
      - {{ as: rows, sql: select a from t order by a }}
",
        reads.url()
    );
    let own = main.open(&yaml).await;
    assert_eq!(own.verify().await, []);
    assert_eq!(ask(&own, "own.all", json!({})).await.unwrap(), json!([{"a": "copy"}]));
    let after = json!([{"a": "main"}, {"a": "new"}]);
    assert_eq!(ask(&own, "own.add", json!({})).await.unwrap(), after, "what follows a write sees it");
    assert_eq!(ask(&own, "own.all", json!({})).await.unwrap(), json!([{"a": "copy"}]));
    assert_eq!(reads.number("select count(*) from t").await, 1);
    assert_eq!(ask(&own, "own.of", json!({"who": "copy"})).await.unwrap(), json!([{"a": "copy"}]));
    let made = ask(&own, "own.of", json!({"who": "tom"})).await.unwrap();
    assert_eq!(made, json!([{"a": "main"}, {"a": "new"}, {"a": "tom"}]), "rows just made are read where they were made");
}
