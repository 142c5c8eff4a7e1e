//! Takes writes that are to be made or told now, by whichever process comes first and knows how.

use super::super::StoreError;
use super::super::db::{Arg, Sql};
use super::super::durable::Store;
use super::{Lease, Written, columns, maybe_sent};

/// Which writes are somebody's to take: a process leaves those of an operation that it does not know, as a replica of another
/// version may, to one that does.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// The operations that it knows, as a list in JSON: `["helpdesk.create_ticket"]`.
    pub knows: &'a str,
    /// What was begun by then is anybody's, since it seems that nobody knows it.
    pub anybodys: i64,
}

#[cfg(test)]
impl Reach<'static> {
    pub(in crate::store) const ALL: Self = Self { knows: "[]", anybodys: i64::MAX };
}

/// Takes rows: where there can be several processes, each passes over what another is taking. A server is asked for them once
/// and by name, as it may otherwise look for them again for each row that it changes. $5 are the operations that somebody
/// knows, $6 is the time by which what nobody knows is taken even so.
macro_rules! taking {
    ($set:expr, $which:expr, $order:expr) => {
        Sql {
            sqlite: concat!(
                "update legwork_writes set owner = $1, lease_until = $2",
                $set,
                " where id in (",
                $which,
                " and (connection || '.' || operation in (select value from json_each($5)) or begun_at <= $6) order by ",
                $order,
                " limit $4) returning ",
                columns!()
            ),
            postgres: concat!(
                "with due (number) as materialized (",
                $which,
                " and (connection || '.' || operation in (select json_array_elements_text($5::json)) or begun_at <= $6) order by ",
                $order,
                " limit $4 for update skip locked) update legwork_writes set owner = $1, lease_until = $2",
                $set,
                " from due where id = number returning ",
                columns!()
            ),
        }
    };
}

const TAKE: Sql = taking!(
    concat!(", ", maybe_sent!()),
    "select id from legwork_writes w \
     where ((state = 'queued' and due_at <= $3) or (state = 'sending' and promised = 1)) and lease_until <= $3 \
     and not exists (select 1 from legwork_writes e where e.lane = w.lane and e.state = 'queued' and e.id < w.id)",
    "due_at, id"
);

const TAKE_TO_TELL: Sql =
    taking!("", "select id from legwork_writes where tell_at <= $3 and lease_until <= $3", "tell_at, id");

impl Store {
    /// Takes writes that are to be made now, as many at most: the queued ones that are due, the first of each lane, and those
    /// that were promised and whose process ended.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn take_due(&self, lease: &Lease<'_>, reach: &Reach<'_>, most: i64) -> Result<Vec<Written>, StoreError> {
        self.taken(TAKE, lease, reach, most).await
    }

    /// Takes writes of whose end the conversation is to be told now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn take_to_tell(&self, lease: &Lease<'_>, reach: &Reach<'_>, most: i64) -> Result<Vec<Written>, StoreError> {
        self.taken(TAKE_TO_TELL, lease, reach, most).await
    }

    async fn taken(&self, sql: Sql, lease: &Lease<'_>, reach: &Reach<'_>, most: i64) -> Result<Vec<Written>, StoreError> {
        let args = [
            Arg::Text(lease.owner),
            Arg::Number(lease.until),
            Arg::Number(lease.now),
            Arg::Number(most),
            Arg::Text(reach.knows),
            Arg::Number(reach.anybodys),
        ];
        let mut taken = Vec::new();
        for row in self.db.rows(sql, &args).await? {
            match self.written(&row) {
                Ok(written) => taken.push(written),
                // It keeps none of the others from being made.
                Err(error) => {
                    tracing::error!(reference = row.text(2)?, %error, "a write in the store cannot be read, and waits");
                }
            }
        }
        taken.sort_by_key(|write| (write.due_at, write.id));
        Ok(taken)
    }

    /// Notes that the conversation was told, or is to be told later.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn told(&self, id: i64, owner: &str, again_at: Option<i64>) -> Result<(), StoreError> {
        let (update, at) = match again_at {
            Some(at) => (
                "update legwork_writes set tell_at = $3, tells = tells + 1, lease_until = 0 where id = $1 and owner = $2",
                at,
            ),
            None => (
                "update legwork_writes set tell_at = null, tells = tells + $3, lease_until = 0 where id = $1 and owner = $2",
                1,
            ),
        };
        self.db.run(update, &[Arg::Number(id), Arg::Text(owner), Arg::Number(at)]).await.map(|_| ())
    }
}
