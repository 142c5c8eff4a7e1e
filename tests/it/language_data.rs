//! Actions over a project's own data: plain rows and values, CSV, JSON and SQL files, rows for newcomers, transactions.

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::Bot;

const BANK: (&str, &str) = (
    "connectors/bank.yml",
    r#"
kind: sql
database: ":memory:"
tables:
  - sql: accounts.sql
  - csv: rates.csv
  - json: perks.json
first_use:
  of: owner
  unless: select 1 from accounts where owner = :owner
  sql: ["insert into accounts (owner, kind, balance) values (:owner, 'giro', 100)", "insert into accounts (owner, kind, balance) values (:owner, 'savings', 0)"]
operations:
  accounts:
    inputs: { owner: { required: true }, kind: {} }
    sql: select kind, balance from accounts where owner = :owner [[and kind = :kind]] order by kind
  balance:
    inputs: { owner: { required: true } }
    sql: select sum(balance) from accounts where owner = :owner
    take: value
  dearest:
    inputs: { owner: { required: true } }
    sql: select kind from accounts where owner = :owner order by balance desc
    take: first
  rate:
    inputs: { tier: { required: true } }
    sql: select rates.tier, rate, perks.lounge from rates left join perks using (tier) where rates.tier = :tier
    take: one
  move:
    kind: write
    inputs: { owner: { required: true }, amount: { required: true } }
    steps:
      - { sql: "update accounts set balance = balance + :amount where owner = :owner and kind = 'savings'", take: none }
      - { sql: "update accounts set balance = balance - :amount where owner = :owner and kind = 'giro'", take: none }
"#,
);

const FILES: [(&str, &str); 5] = [
    ("legwork.yml", "connections: { bank: { connector: bank } }\n"),
    BANK,
    ("connectors/accounts.sql", "create table accounts (owner text, kind text, balance real check (balance >= 0));\n"),
    ("connectors/rates.csv", "tier,rate\ngold,0.1\nbasic,0.5\n"),
    ("connectors/perks.json", "[{\"tier\": \"gold\", \"lounge\": true}]"),
];

async fn bot(action: &str) -> Bot {
    let mut files = FILES.to_vec();
    files.push(("actions/action_x.yml", action));
    Bot::with(&files).await
}

#[tokio::test]
async fn rows_values_and_the_first_row_of_a_projects_own_tables() {
    let bot = bot("
steps:
  - call: bank.accounts
    with: { owner: \"{{ sender_id }}\", kind: \"{{ slots.kind }}\" }
    as: accounts
  - call: bank.balance
    with: { owner: \"{{ sender_id }}\" }
    as: total
  - call: bank.dearest
    with: { owner: \"{{ sender_id }}\" }
    as: dearest
  - call: bank.rate
    with: { tier: gold }
    as: rate
  - set: { kinds: \"{{ accounts | map(attribute='kind') | list }}\", total: \"{{ total }}\", dearest: \"{{ dearest.kind }}\", rate: \"{{ rate }}\" }
")
    .await;
    let answer = bot.call("action_x").sender("newcomer").send().await;
    let rate = json!({ "tier": "gold", "rate": 0.1, "lounge": true });
    assert_eq!(
        answer.slots(),
        json!([["kinds", ["giro", "savings"]], ["total", 100.0], ["dearest", "giro"], ["rate", rate]])
    );
    let one = bot.call("action_x").sender("newcomer").slot("kind", "savings").send().await;
    assert_eq!(one.slot("kinds"), &json!(["savings"]));
    // What a user writes is a value and never SQL.
    assert_eq!(
        bot.call("action_x").sender("x' or 1=1 --").slot("kind", "' or '1'='1").send().await.slot("kinds"),
        &json!([])
    );
}

#[tokio::test]
async fn several_writes_happen_all_or_not_at_all() {
    let bot = bot("
inputs: { amount: {} }
steps:
  - call: bank.move
    with: { owner: sarah, amount: \"{{ amount }}\" }
    outcomes: { invalid: [{ say: You have not got as much. }, { continue: null }] }
  - call: bank.accounts
    with: { owner: sarah }
    as: accounts
  - say: \"{{ accounts | map(attribute='balance') | join(' ') }}\"
")
    .await;
    assert_eq!(bot.call("action_x").slot("amount", 30).send().await.said(), ["70.0 30.0"]);
    assert_eq!(bot.call("action_x").slot("amount", 80).send().await.said(), ["You have not got as much.", "70.0 30.0"]);
}

#[tokio::test]
async fn what_is_written_stays_for_the_next_call_and_of_several_connections() {
    let bot = Bot::with(&[
        (
            "actions/action_x.yml",
            "
steps:
  - call: helpdesk.create_ticket
    with: { subject: Late, description: \"{{ user_text }}\", email: sarah@example.com }
    as: ticket
  - say: \"{{ ticket.subject }}\"
",
        ),
        (
            "actions/action_y.yml",
            "
steps:
  - call: helpdesk.open_tickets
    with: { email: sarah@example.com }
    as: tickets
  - each: tickets
    as: ticket
    keep: ticket.subject == 'Late'
    into: late
  - say: \"{{ late | length }}\"
",
        ),
    ])
    .await;
    assert_eq!(bot.call("action_y").send().await.said(), ["0"]);
    assert_eq!(bot.call("action_x").text("where is it").send().await.said(), ["Late"]);
    assert_eq!(bot.call("action_y").send().await.said(), ["1"]);
}
