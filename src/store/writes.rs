//! Writes, from before they are sent until some time after they are settled: the ledger, and the queue of those for later.
//!
//! One row is one write, known by its key: whoever comes with the same key finds the row. Another message of the user that
//! means the same has the same *purpose*, and finds the row as long as that is current. Whoever sends a write holds a lease on
//! its row; what another process has taken over since cannot be settled any more. Rows of one *lane* are delivered in order.

mod over;
mod taking;

use super::StoreError;
use super::db::{Arg, Row, Sql};
use super::durable::Store;

pub use taking::Reach;

/// Who works on something, and until when nobody else may.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// The process.
    pub owner: &'a str,
    /// The time now.
    pub now: i64,
    /// When the lease runs out.
    pub until: i64,
}

/// What a write is begun with.
#[derive(Debug, Clone, Copy)]
pub struct NewWrite<'a> {
    /// Its key.
    pub key: &'a str,
    /// What it has in common with another try of the user.
    pub purpose: &'a str,
    /// The turn that it belongs to.
    pub turn: &'a str,
    /// In which order it is delivered, should it be queued.
    pub lane: &'a str,
    /// What the user can quote.
    pub reference: &'a str,
    /// Who calls.
    pub caller: &'a str,
    /// The conversation.
    pub sender: &'a str,
    /// The action.
    pub action: &'a str,
    /// The connection.
    pub connection: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// Its inputs and whatever else is needed to make it later.
    pub payload: &'a [u8],
    /// Whether it is queued at once where others of its lane are.
    pub behind: bool,
    /// Rows of its purpose that ended well by then are over.
    pub joins_since: i64,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is on its way, or was when its process ended.
    Sending,
    /// It ended well.
    Done,
    /// It ended otherwise, and the user was told.
    Failed,
    /// It is to be made later.
    Queued,
    /// Nobody can find out whether it was done.
    Unclear,
    /// It was to be made later, and cannot be.
    Dead,
    /// It was taken back: what came after it in its turn could not be done.
    Undone,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Sending, Self::Done, Self::Failed, Self::Queued, Self::Unclear, Self::Dead, Self::Undone];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Queued => "queued",
            Self::Unclear => "unclear",
            Self::Dead => "dead",
            Self::Undone => "undone",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A write as it is kept. It has no `Debug`: it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Its number in the store.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// What the user can quote.
    pub reference: String,
    /// Who called.
    pub caller: String,
    /// The conversation.
    pub sender: String,
    /// The action.
    pub action: String,
    /// The connection.
    pub connection: String,
    /// The operation.
    pub operation: String,
    /// What it was begun with.
    pub payload: Vec<u8>,
    /// What it ended with.
    pub result: Option<Vec<u8>>,
    /// What became of it.
    pub state: State,
    /// Whether it may have been done although it did not end well.
    pub unsettled: bool,
    /// Whether the user was told that it will be done.
    pub promised: bool,
    /// Until when somebody works on it.
    pub lease_until: i64,
    /// When it was begun.
    pub begun_at: i64,
    /// When it ended last; 0 while it has not.
    pub ended_at: i64,
    /// When it is to be made, where it is queued.
    pub due_at: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// How often telling of its end was tried.
    pub tells: i64,
}

/// What came of beginning a write.
pub enum Begun {
    /// It is this process's to send.
    New(i64),
    /// It has to wait for others of its lane, and is queued.
    Behind(i64),
    /// It was begun before, by this key or for the same purpose.
    Known(Box<Written>),
}

/// How a write ended.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// What became of it.
    pub state: State,
    /// What it ended with.
    pub result: Option<&'a [u8]>,
    /// When.
    pub now: i64,
    /// When it is to be made again, where it is queued.
    pub due_at: i64,
    /// Whether it may have been done although it did not end well.
    pub unsettled: bool,
    /// Whether another message for the same purpose is to find it.
    pub current: bool,
    /// Whether the conversation is told of it, if the user was promised that it will be done.
    pub tell: bool,
}

/// How many writes there are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The state.
    pub state: State,
    /// How many.
    pub count: i64,
    /// When the oldest of them was begun; the end of time where there is none.
    pub oldest: i64,
}

macro_rules! columns {
    () => {
        "id, key, reference, caller, sender, action, connection, operation, payload, result, state, unsettled, promised, \
         lease_until, begun_at, ended_at, due_at, attempts, tells"
    };
}
pub(super) use columns;

const OVER: &str = "update legwork_writes set current = null where purpose = $1 and current = 1 and state = 'done' \
                    and held = 0 and ended_at <= $2";

/// Whether a write has to wait for others of its lane.
macro_rules! waits {
    () => {
        "$12 = 1 and exists (select 1 from legwork_writes where lane = $4 and state = 'queued')"
    };
}

/// What has to wait is nobody's: whoever delivers next takes it.
const BEGIN: &str = concat!(
    "insert into legwork_writes (key, purpose, current, turn, lane, reference, caller, sender, action, connection, operation, \
     payload, result, state, unsettled, promised, held, owner, lease_until, begun_at, ended_at, due_at, attempts, tell_at, \
     tells) values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, null, case when ",
    waits!(),
    " then 'queued' else 'sending' end, 0, 0, 1, $13, case when ",
    waits!(),
    " then 0 else $14 end, $15, 0, $15, 0, null, 0) on conflict do nothing returning id, state"
);

const FOUND: &str = concat!(
    "select ",
    columns!(),
    // What did nothing stands behind another try of the same.
    " from legwork_writes where key = $1 or (purpose = $2 and current = 1) \
     order by case when key = $1 and (current = 1 or state <> 'failed') then 0 when key <> $1 then 1 else 2 end limit 1"
);

/// What somebody worked on and did not end may have been sent; what is put back although nobody knows that counts as not sent.
macro_rules! maybe_sent {
    () => {
        "unsettled = case when state = 'unclear' then 0 when state = 'sending' or (state = 'queued' and lease_until > 0) then 1 \
         else unsettled end"
    };
}
pub(super) use maybe_sent;

const RENEW: Sql = Sql {
    sqlite: "update legwork_writes set lease_until = $2 where owner = $1 and lease_until > 0 \
             and id in (select value from json_each($3))",
    postgres: "update legwork_writes set lease_until = $2 where owner = $1 and lease_until > 0 \
               and id in (select json_array_elements_text($3::json)::bigint)",
};

impl Store {
    /// Begins a write, unless it was begun before.
    ///
    /// # Errors
    /// When it cannot be kept: then nothing was begun.
    pub async fn begin(&self, write: &NewWrite<'_>, lease: &Lease<'_>) -> Result<Begun, StoreError> {
        let payload = self.seal(&place(write.key, "inputs"), write.payload)?;
        self.db.run(OVER, &[Arg::Text(write.purpose), Arg::Number(write.joins_since)]).await?;
        // What was found may be gone by the time it is looked at, but not again and again.
        for _ in 0..3 {
            let args = [
                Arg::Text(write.key),
                Arg::Text(write.purpose),
                Arg::Text(write.turn),
                Arg::Text(write.lane),
                Arg::Text(write.reference),
                Arg::Text(write.caller),
                Arg::Text(write.sender),
                Arg::Text(write.action),
                Arg::Text(write.connection),
                Arg::Text(write.operation),
                Arg::Bytes(Some(&payload)),
                Arg::Number(i64::from(write.behind)),
                Arg::Text(lease.owner),
                Arg::Number(lease.until),
                Arg::Number(lease.now),
            ];
            if let Some(row) = self.db.row(BEGIN, &args).await? {
                let id = row.number(0)?;
                return Ok(if row.text(1)? == State::Queued.name() { Begun::Behind(id) } else { Begun::New(id) });
            }
            if let Some(row) = self.db.row(FOUND, &[Arg::Text(write.key), Arg::Text(write.purpose)]).await? {
                return self.written(&row).map(|found| Begun::Known(Box::new(found)));
            }
        }
        Err(StoreError::Unavailable("a write is begun and dropped again and again".to_owned()))
    }

    /// Takes over a write that did not end well, or whose process ended; none when somebody else works on it. It is unsettled
    /// where it may have been sent.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn take_over(&self, id: i64, lease: &Lease<'_>) -> Result<Option<Written>, StoreError> {
        // Now another message for the same purpose is to find it again; unless it has found another.
        let update = concat!(
            "update legwork_writes set state = 'sending', owner = $2, lease_until = $3, current = 1, ",
            maybe_sent!(),
            " where id = $1 and (state in ('failed', 'dead') or (state = 'sending' and lease_until <= $4)) \
             and not exists (select 1 from legwork_writes o where o.purpose = legwork_writes.purpose \
             and o.current = 1 and o.id <> legwork_writes.id) returning ",
            columns!()
        );
        let args = [Arg::Number(id), Arg::Text(lease.owner), Arg::Number(lease.until), Arg::Number(lease.now)];
        self.db.row(update, &args).await?.map(|row| self.written(&row)).transpose()
    }

    /// Notes how a write ended; false when another process has taken it over, and when it failed that the user was told will be
    /// done.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn settle(&self, id: i64, key: &str, owner: &str, end: &End<'_>) -> Result<bool, StoreError> {
        let sealed = end.result.map(|result| self.seal(&place(key, "result"), result)).transpose()?;
        let update = "update legwork_writes set state = $3, result = $4, ended_at = $5, due_at = $6, unsettled = $7, \
                      current = case when $8 = 1 then current else null end, lease_until = 0, attempts = attempts + 1, \
                      tell_at = case when promised = 1 and $9 = 1 then $5 else tell_at end, \
                      promised = case when $3 = 'queued' then 1 else promised end \
                      where id = $1 and owner = $2 and state in ('sending', 'queued') and (promised = 0 or $3 <> 'failed')";
        let args = [
            Arg::Number(id),
            Arg::Text(owner),
            Arg::Text(end.state.name()),
            Arg::Bytes(sealed.as_deref()),
            Arg::Number(end.now),
            Arg::Number(end.due_at),
            Arg::Number(i64::from(end.unsettled)),
            Arg::Number(i64::from(end.current)),
            Arg::Number(i64::from(end.tell)),
        ];
        Ok(self.db.run(update, &args).await? > 0)
    }

    /// Notes that the user was told that a write will be done; false when it has ended meanwhile.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn promise(&self, id: i64) -> Result<bool, StoreError> {
        let update = "update legwork_writes set promised = 1 where id = $1 and state in ('sending', 'queued')";
        Ok(self.db.run(update, &[Arg::Number(id)]).await? > 0)
    }

    /// Keeps the leases of a process that lives on what it works on: what it began and lost sight of is nobody's in a while.
    /// One that has run out is its own again where nobody took it over.
    ///
    /// # Errors
    /// When they cannot be kept.
    pub async fn renew(&self, works_on: &[i64], lease: &Lease<'_>) -> Result<(), StoreError> {
        if works_on.is_empty() {
            return Ok(());
        }
        let ids = serde_json::to_string(works_on).unwrap_or_default();
        let args = [Arg::Text(lease.owner), Arg::Number(lease.until), Arg::Text(&ids)];
        self.db.run(RENEW, &args).await.map(|_| ())
    }

    /// How many writes there are in each state, also in those in which there is none: what is shown of them has to go back to 0.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub async fn tally(&self) -> Result<Vec<Tally>, StoreError> {
        let query = "select state, count(*), min(begun_at) from legwork_writes group by state order by state";
        let rows = self.db.rows(query, &[]).await?;
        let mut all = State::ALL.map(|state| Tally { state, count: 0, oldest: i64::MAX });
        for row in &rows {
            let (name, count, oldest) = (row.text(0)?, row.number(1)?, row.number(2)?);
            for one in all.iter_mut().filter(|one| one.state.name() == name) {
                (one.count, one.oldest) = (count, oldest);
            }
        }
        Ok(all.to_vec())
    }

    pub(super) fn written(&self, row: &Row) -> Result<Written, StoreError> {
        let mut written = unopened(row)?;
        (written.payload, written.result) = self.contents(&written.key, row)?;
        Ok(written)
    }

    /// What a write was begun with, and what it ended with.
    pub(super) fn contents(&self, key: &str, row: &Row) -> Result<(Vec<u8>, Option<Vec<u8>>), StoreError> {
        let payload = self.unseal(&place(key, "inputs"), &row.bytes(8)?)?;
        let result = row.maybe_bytes(9)?.map(|sealed| self.unseal(&place(key, "result"), &sealed)).transpose()?;
        Ok((payload, result))
    }
}

/// A write without what is sealed of it.
pub(super) fn unopened(row: &Row) -> Result<Written, StoreError> {
    let state = row.text(10)?;
    let state = State::parse(&state)
        .ok_or_else(|| StoreError::Misconfigured("the store was made by another version of legwork".to_owned()))?;
    Ok(Written {
        id: row.number(0)?,
        reference: row.text(2)?,
        caller: row.text(3)?,
        sender: row.text(4)?,
        action: row.text(5)?,
        connection: row.text(6)?,
        operation: row.text(7)?,
        payload: Vec::new(),
        result: None,
        state,
        unsettled: row.number(11)? == 1,
        promised: row.number(12)? == 1,
        lease_until: row.number(13)?,
        begun_at: row.number(14)?,
        ended_at: row.number(15)?,
        due_at: row.number(16)?,
        attempts: row.number(17)?,
        tells: row.number(18)?,
        key: row.text(1)?,
    })
}

/// What a part of a write is sealed for.
fn place(key: &str, part: &str) -> String {
    format!("write/{key}/{part}")
}

#[cfg(test)]
mod tests;
