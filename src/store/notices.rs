//! What every process that serves has to hear: notices in the store, sealed, each heard by its number.
//!
//! Numbers become visible in their order, so that whoever has heard one need not look for a smaller one again.

use super::StoreError;
use super::db::{Arg, Row, Sql};
use super::durable::Store;

/// A notice.
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// What it says, or why it does not open.
    pub text: Result<Vec<u8>, StoreError>,
}

/// Two that are given at the same time on a server could else become visible in the other order.
const TELL: Sql = Sql {
    sqlite: "insert into legwork_notices (at, sealed) values ($1, $2)",
    postgres: "with turn as materialized (select pg_advisory_xact_lock(7150427814)) \
               insert into legwork_notices (at, sealed) select $1, $2 from turn",
};

impl Store {
    /// Tells every process that serves.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn tell(&self, text: &[u8], now: i64) -> Result<(), StoreError> {
        let sealed = self.seal(&place(now), text)?;
        self.db.run(TELL, &[Arg::Number(now), Arg::Bytes(Some(&sealed))]).await.map(|_| ())
    }

    /// The notices behind a number, in their order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn notices_after(&self, id: i64) -> Result<Vec<Notice>, StoreError> {
        let query = "select id, at, sealed from legwork_notices where id > $1 order by id";
        let notice = |row: &Row| {
            let text = self.unseal(&place(row.number(1)?), &row.bytes(2)?);
            Ok(Notice { id: row.number(0)?, text })
        };
        self.db.rows(query, &[Arg::Number(id)]).await?.iter().map(notice).collect()
    }

    /// Forgets the notices that were given by then.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub async fn forget_notices(&self, given: i64) -> Result<u64, StoreError> {
        self.db.run("delete from legwork_notices where at <= $1", &[Arg::Number(given)]).await
    }
}

/// What a notice is sealed for.
fn place(at: i64) -> String {
    format!("notice/{at}")
}
