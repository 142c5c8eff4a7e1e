//! What operators ask of writes and answers: by state, by reference, all of them one page after the other, and to put one back
//! into the queue or take it out.
//!
//! A row that does not open is shown as far as it can be: who looks has to know that there is something they cannot see.

use super::StoreError;
use super::db::{Arg, Row};
use super::durable::Store;
use super::turns;
use super::writes::{State, Written, columns, maybe_sent, unopened};

/// A write as a search meets it.
pub struct Met {
    /// The write; without what it was begun with and ended with when that does not open.
    pub write: Written,
    /// The key of its turn.
    pub turn: String,
    /// Why it does not open.
    pub unreadable: Option<StoreError>,
}

/// The answer of a turn as a search meets it.
pub struct MetTurn {
    /// The turn's key.
    pub key: String,
    /// The answer, or why it does not open.
    pub reply: Result<Vec<u8>, StoreError>,
    /// Until when it is kept.
    pub keep_until: i64,
}

const SEARCH: &str = concat!(
    "select ",
    columns!(),
    ", turn from legwork_writes where id > $1 and $2 like '% ' || state || ' %' and ($3 = '' or connection = $3) \
     order by id limit $4"
);

const CALLED: &str = concat!("select ", columns!(), ", turn from legwork_writes where reference = $1 order by id limit 10");

impl Store {
    /// A write, by its number.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn write(&self, id: i64) -> Result<Option<Written>, StoreError> {
        let query = concat!("select ", columns!(), " from legwork_writes where id = $1");
        self.db.row(query, &[Arg::Number(id)]).await?.map(|row| self.written(&row)).transpose()
    }

    /// Writes behind a number in one of these states, of one connection or of all, in the order in which they were begun, as
    /// many at most.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn search(
        &self,
        after: i64,
        states: &[State],
        connection: Option<&str>,
        most: i64,
    ) -> Result<Vec<Met>, StoreError> {
        let states = states.iter().map(|state| format!(" {} ", state.name())).collect::<String>();
        let connection = connection.unwrap_or_default();
        let args = [Arg::Number(after), Arg::Text(&states), Arg::Text(connection), Arg::Number(most)];
        self.db.rows(SEARCH, &args).await?.iter().map(|row| self.met(row)).collect()
    }

    /// The writes that have a reference: nearly always one.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn called(&self, reference: &str) -> Result<Vec<Met>, StoreError> {
        self.db.rows(CALLED, &[Arg::Text(reference)]).await?.iter().map(|row| self.met(row)).collect()
    }

    /// The answers of turns whose keys come after that one, as many at most.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn turns_after(&self, key: &str, most: i64) -> Result<Vec<MetTurn>, StoreError> {
        let query = "select key, reply, keep_until from legwork_turns where key > $1 and reply is not null \
                     order by key limit $2";
        let rows = self.db.rows(query, &[Arg::Text(key), Arg::Number(most)]).await?;
        let met = |row: &Row| {
            let (key, sealed) = (row.text(0)?, row.bytes(1)?);
            let reply = self.unseal(&turns::place(&key), &sealed);
            Ok(MetTurn { key, reply, keep_until: row.number(2)? })
        };
        rows.iter().map(met).collect()
    }

    /// Forgets the answer of a turn that has one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn forget_turn(&self, key: &str) -> Result<bool, StoreError> {
        let delete = "delete from legwork_turns where key = $1 and reply is not null";
        Ok(self.db.run(delete, &[Arg::Text(key)]).await? > 0)
    }

    /// Puts a write that cannot be made, or of which nobody knows whether it was, back into the queue, due now; one that is
    /// queued is due now. False when there is none of that number in that state, or somebody works on it.
    ///
    /// An unclear one counts as one that was not done. Another that may have been done, as one may whose delivery broke off,
    /// stays as old as it is: its age says whether its system still knows it again.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn requeue(&self, id: i64, state: State, now: i64) -> Result<bool, StoreError> {
        let update = concat!(
            "update legwork_writes set state = 'queued', due_at = $3, attempts = 0, promised = 1, lease_until = 0, \
             begun_at = case when state <> 'unclear' and (unsettled = 1 or lease_until > 0) then begun_at else $3 end, \
             tell_at = null, ",
            maybe_sent!(),
            " where id = $1 and state = $2 and state in ('dead', 'unclear', 'queued') and lease_until <= $3"
        );
        Ok(self.db.run(update, &[Arg::Number(id), Arg::Text(state.name()), Arg::Number(now)]).await? > 0)
    }

    /// Removes a write in that state that nobody works on.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove(&self, id: i64, state: State, now: i64) -> Result<bool, StoreError> {
        let delete = "delete from legwork_writes where id = $1 and state = $2 \
                      and (lease_until <= $3 or state not in ('sending', 'queued'))";
        Ok(self.db.run(delete, &[Arg::Number(id), Arg::Text(state.name()), Arg::Number(now)]).await? > 0)
    }

    fn met(&self, row: &Row) -> Result<Met, StoreError> {
        let mut write = unopened(row)?;
        let unreadable = match self.contents(&write.key, row) {
            Ok((payload, result)) => {
                (write.payload, write.result) = (payload, result);
                None
            }
            Err(error) => Some(error),
        };
        Ok(Met { write, turn: row.text(19)?, unreadable })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::store::{Begun, End, Lease, NewWrite, Reach};

    /// A write that ended in a state at the time 10, and may have been done by then.
    async fn ended(store: &Store, key: &str, state: State, unsettled: bool) -> i64 {
        let lease = Lease { owner: "me", now: 10, until: 20 };
        let new = NewWrite {
            key,
            purpose: key,
            turn: "turn",
            lane: key,
            reference: "REF",
            caller: "anonymous",
            sender: "s",
            action: "action_x",
            connection: "shop",
            operation: "make",
            payload: b"inputs",
            behind: false,
            joins_since: 0,
        };
        let Ok(Begun::New(id)) = store.begin(&new, &lease).await else { panic!("it is new") };
        let end = End { state, result: None, now: 10, due_at: 50, unsettled, current: true, tell: true };
        assert_eq!(store.settle(id, key, "me", &end).await, Ok(true));
        id
    }

    #[tokio::test]
    async fn a_page_has_what_is_in_the_states_that_are_asked_for() {
        let store = Store::in_memory().await.unwrap();
        for (key, state) in [("a", State::Dead), ("b", State::Done), ("c", State::Dead), ("d", State::Queued)] {
            ended(&store, key, state, false).await;
        }
        let keys = async |after, states: &[State], connection, most| {
            let met = store.search(after, states, connection, most).await.unwrap();
            met.into_iter().map(|met| met.write.key).collect::<String>()
        };
        assert_eq!(keys(0, &State::ALL, None, 3).await, "abc");
        assert_eq!(keys(3, &State::ALL, None, 3).await, "d");
        assert_eq!(keys(0, &[State::Dead, State::Queued], Some("shop"), 9).await, "acd");
        assert_eq!(keys(0, &[State::Dead], Some("desk"), 9).await + &keys(0, &[], None, 9).await, "");
        assert_eq!(store.called("REF").await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn what_goes_back_into_the_queue_is_as_old_as_its_system_knows_it() {
        let store = Store::in_memory().await.unwrap();
        let id = ended(&store, "undone", State::Dead, false).await;
        assert_eq!(store.requeue(id, State::Dead, 99).await, Ok(true));
        assert_eq!(store.write(id).await.unwrap().unwrap().begun_at, 99);
        for (state, again, begun_at, unsettled) in [
            (State::Dead, true, 10, true),
            (State::Queued, true, 10, true),
            (State::Unclear, true, 99, false),
            (State::Done, false, 10, true),
            (State::Failed, false, 10, true),
        ] {
            let id = ended(&store, state.name(), state, true).await;
            assert_eq!(store.requeue(id, State::Sending, 99).await, Ok(false), "{}", state.name());
            assert_eq!(store.requeue(id, state, 99).await, Ok(again), "{}", state.name());
            let write = store.write(id).await.unwrap().unwrap();
            assert_eq!((write.begun_at, write.unsettled, write.due_at), (begun_at, unsettled, if again { 99 } else { 50 }));
        }
    }

    #[tokio::test]
    async fn what_somebody_works_on_is_not_removed() {
        let store = Store::in_memory().await.unwrap();
        let id = ended(&store, "a", State::Queued, false).await;
        let lease = Lease { owner: "other", now: 60, until: 70 };
        assert_eq!(store.take_due(&lease, &Reach::ALL, 9).await.map(|taken| taken.len()), Ok(1));
        assert_eq!(store.remove(id, State::Queued, 69).await, Ok(false));
        assert_eq!(store.requeue(id, State::Queued, 69).await, Ok(false));
        assert_eq!(store.remove(id, State::Dead, 99).await, Ok(false));
        // Whoever took it is gone, and may have made it.
        assert_eq!(store.requeue(id, State::Queued, 99).await, Ok(true));
        let write = store.write(id).await.unwrap().unwrap();
        assert_eq!((write.begun_at, write.unsettled), (10, true));
        assert_eq!(store.remove(id, State::Queued, 99).await, Ok(true));
    }
}
