//! The answers of turns that wrote something, and of slow ones where several processes answer the same assistant.
//!
//! A turn that is being worked on is known by its lease: when that has run out, nobody works on it any more.

use super::db::{Arg, Sql};
use super::durable::Store;
use super::{Lease, StoreError};

/// What is known of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptTurn {
    /// A process works on it, until its lease runs out, and has told or tells its caller that it is slow.
    Running {
        /// As that of [`Self::Ended`].
        stamp: i64,
    },
    /// It ended with this answer.
    Ended {
        /// Of which of the turn's calls: those that are repeats of one another have the same.
        stamp: i64,
        /// The answer.
        reply: Vec<u8>,
    },
}

const RENEW: Sql = Sql {
    sqlite: "update legwork_turns set lease_until = $2, keep_until = $2 where owner = $1 and reply is null \
             and key in (select value from json_each($3))",
    postgres: "update legwork_turns set lease_until = $2, keep_until = $2 where owner = $1 and reply is null \
               and key in (select json_array_elements_text($3::json))",
};

impl Store {
    /// What is known of a turn at that time.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn turn(&self, key: &str, now: i64) -> Result<Option<KeptTurn>, StoreError> {
        let query = "select stamp, reply, lease_until from legwork_turns where key = $1 and keep_until > $2";
        let Some(row) = self.db.row(query, &[Arg::Text(key), Arg::Number(now)]).await? else { return Ok(None) };
        match row.maybe_bytes(1)? {
            Some(sealed) => {
                let reply = self.unseal(&place(key), &sealed)?;
                Ok(Some(KeptTurn::Ended { stamp: row.number(0)?, reply }))
            }
            None => {
                let stamp = row.number(0)?;
                Ok((row.number(2)? > now).then_some(KeptTurn::Running { stamp }))
            }
        }
    }

    /// Says that a turn is being worked on, unless it was answered meanwhile.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn turn_runs(&self, key: &str, stamp: i64, lease: &Lease<'_>) -> Result<(), StoreError> {
        let upsert = "insert into legwork_turns (key, stamp, reply, owner, lease_until, keep_until) \
                      values ($1, $2, null, $3, $4, $4) on conflict (key) do update set stamp = excluded.stamp, reply = null, \
                      owner = excluded.owner, lease_until = excluded.lease_until, keep_until = excluded.keep_until \
                      where legwork_turns.reply is null or legwork_turns.stamp <> excluded.stamp";
        let args = [Arg::Text(key), Arg::Number(stamp), Arg::Text(lease.owner), Arg::Number(lease.until)];
        self.db.run(upsert, &args).await.map(|_| ())
    }

    /// Keeps saying so of turns that this process works on.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub async fn turns_run(&self, keys: &[String], lease: &Lease<'_>) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let keys = serde_json::to_string(keys).unwrap_or_default();
        self.db.run(RENEW, &[Arg::Text(lease.owner), Arg::Number(lease.until), Arg::Text(&keys)]).await.map(|_| ())
    }

    /// Keeps the answer of a turn until then, unless there is one to the same of its calls: whichever comes first counts, and is
    /// given back in the place of a later one.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn turn_ended(
        &self,
        key: &str,
        stamp: i64,
        reply: &[u8],
        now: i64,
        until: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed = self.seal(&place(key), reply)?;
        let upsert = "insert into legwork_turns (key, stamp, reply, owner, lease_until, keep_until) \
                      values ($1, $2, $3, '', 0, $4) on conflict (key) do update set stamp = excluded.stamp, \
                      reply = excluded.reply, owner = '', lease_until = 0, keep_until = excluded.keep_until \
                      where legwork_turns.reply is null or legwork_turns.stamp <> excluded.stamp \
                      or legwork_turns.keep_until <= $5";
        let args = [Arg::Text(key), Arg::Number(stamp), Arg::Bytes(Some(&sealed)), Arg::Number(until), Arg::Number(now)];
        if self.db.run(upsert, &args).await? > 0 {
            return Ok(None);
        }
        Ok(match self.turn(key, now).await? {
            Some(KeptTurn::Ended { reply, .. }) => Some(reply),
            _ => None,
        })
    }

    /// Forgets the answers that were to be kept until now.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub async fn forget_turns(&self, now: i64) -> Result<u64, StoreError> {
        self.db.run("delete from legwork_turns where keep_until <= $1", &[Arg::Number(now)]).await
    }
}

/// What an answer is sealed for.
pub(super) fn place(key: &str) -> String {
    format!("turn/{key}")
}
