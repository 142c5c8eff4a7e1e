//! A small system of the tests' own, whose operations end as they are told.

/// legwork.yml with the system as `desk`, and the sandbox as `shop`.
pub const CONNECTED: (&str, &str) =
    ("legwork.yml", "connections: { desk: { connector: desk }, shop: { connector: sandbox } }\n");

/// `end` ends as its input says, and `change` does so after it wrote; `echo` answers its inputs, `note` and `notes` write and
/// read, `count` keeps its answer, `last` keeps the latest note and ends as that says, and `endless` has no answer.
pub const DESK: (&str, &str) = (
    "connectors/desk.yml",
    r#"
kind: sql
description: Ends as it is told.
database: ":memory:"
tables:
  - create: create table notes (id integer primary key, text text)
operations:
  end:
    inputs: { how: { required: true } }
    steps:
      - as: told
        sql: select :how as how
        take: one
        outcomes:
          not_found: told.how == 'not_found'
          ambiguous: told.how == 'ambiguous'
          invalid: told.how == 'invalid'
          denied: { when: told.how == 'denied', say: "Only for {{ told.how | length }} letters." }
          conflict: told.how == 'conflict'
          rate_limited: told.how == 'rate_limited'
          unavailable: told.how == 'unavailable'
          misconfigured: told.how == 'misconfigured'
    answer: { how: "{{ told.how }}" }
  change:
    kind: write
    inputs: { how: { required: true } }
    steps:
      - sql: insert into notes (text) values (:how)
        take: none
      - as: told
        sql: select :how as how
        take: one
        outcomes:
          denied: told.how == 'denied'
          rate_limited: told.how == 'rate_limited'
          unavailable: told.how == 'unavailable'
    answer: { how: "{{ told.how }}" }
  last:
    inputs: { of: {} }
    cache: { fresh: 30m, stale: 1d }
    steps:
      - as: told
        sql: select coalesce((select text from notes order by id desc limit 1), 'nothing') as how, :of as whose
        take: one
        outcomes:
          not_found: told.how == 'not_found'
          denied: told.how == 'denied'
          rate_limited: told.how == 'rate_limited'
          unavailable: told.how == 'unavailable'
          misconfigured: told.how == 'misconfigured'
    answer: { how: "{{ told.how }}" }
  echo:
    inputs: { value: {} }
    sql: select :value as value, typeof(:value) as type
    take: one
  note:
    kind: write
    inputs: { text: { required: true } }
    sql: insert into notes (text) values (:text)
    take: none
  endless:
    sql: with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n
    take: value
  count:
    cache: { fresh: 1h, stale: 1d }
    sql: select count(*) from notes
    take: value
  notes:
    sql: select text from notes order by id
"#,
);
