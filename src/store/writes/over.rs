//! Writes that are over: their turn has come to its end with all of them, or has taken them back, or it was long ago.

use super::super::StoreError;
use super::super::db::Arg;
use super::super::durable::Store;
use super::State;

impl Store {
    /// Forgets what is settled and was begun by the first of these times, and dead ones begun by the second.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn forget_writes(&self, settled: i64, dead: i64) -> Result<u64, StoreError> {
        let delete = "delete from legwork_writes where tell_at is null and \
                      ((state in ('done', 'failed', 'unclear', 'undone') and begun_at <= $1) or (state = 'dead' and begun_at <= $2) \
                      or (state = 'sending' and promised = 0 and lease_until <= $1 and begun_at <= $1))";
        self.db.run(delete, &[Arg::Number(settled), Arg::Number(dead)]).await
    }

    /// Lets the writes of a turn go that came to its end, and those of earlier turns that it went on from: the same again is a
    /// new one, once it is not a repeat any more.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn release(&self, turn: &str, joined: &[i64]) -> Result<(), StoreError> {
        let update = "update legwork_writes set held = 0 where turn = $1 and held = 1";
        self.db.run(update, &[Arg::Text(turn)]).await?;
        for id in joined {
            self.db.run("update legwork_writes set held = 0 where id = $1 and held = 1", &[Arg::Number(*id)]).await?;
        }
        Ok(())
    }

    /// Notes of a write that it was taken back, so that the same wish makes it anew, or that nobody knows whether it was. One
    /// that is still queued leaves the queue, and its conversation is not told of it. False when it cannot be taken back: it is
    /// being made, or did not end well.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn taken_back(&self, id: i64, sure: bool, now: i64) -> Result<bool, StoreError> {
        let state = if sure { State::Undone } else { State::Unclear };
        let update = "update legwork_writes set state = $2, current = case when $3 = 1 then null else current end, \
                      ended_at = $4, tell_at = null, lease_until = 0 where id = $1 \
                      and (state = 'done' or (state = 'queued' and lease_until <= $4))";
        let args = [Arg::Number(id), Arg::Text(state.name()), Arg::Number(i64::from(sure)), Arg::Number(now)];
        Ok(self.db.run(update, &args).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lease, write};
    use super::super::{Begun, End, NewWrite, Reach};
    use super::*;

    const DONE: End<'_> =
        End { state: State::Done, result: None, now: 2, due_at: 2, unsettled: false, current: true, tell: false };

    /// A store that knows a write of the key and purpose `a`, and its number.
    async fn ended(end: &End<'_>) -> (Store, i64) {
        let store = Store::in_memory().await.unwrap();
        let Begun::New(id) = store.begin(&write("a", true), &lease("one", 1)).await.unwrap() else {
            panic!("nothing is before it")
        };
        assert!(store.settle(id, "a", "one", end).await.unwrap());
        (store, id)
    }

    /// What another message of the same purpose finds after that time.
    async fn another(store: &Store, now: i64) -> Begun {
        let other = NewWrite { purpose: "a", joins_since: now, ..write("b", true) };
        store.begin(&other, &lease("one", now)).await.unwrap()
    }

    #[tokio::test]
    async fn a_turn_that_went_on_from_another_lets_its_writes_go() {
        let (store, id) = ended(&DONE).await;
        assert!(matches!(another(&store, 9).await, Begun::Known(met) if met.id == id));
        store.release("b", &[]).await.unwrap();
        assert!(matches!(another(&store, 9).await, Begun::Known(met) if met.id == id), "it is another turn's");
        store.release("b", &[id]).await.unwrap();
        assert!(matches!(another(&store, 9).await, Begun::New(_)));
    }

    #[tokio::test]
    async fn what_was_taken_back_is_made_anew_and_what_may_have_been_is_not() {
        let (store, id) = ended(&DONE).await;
        assert!(store.taken_back(id, true, 3).await.unwrap());
        assert_eq!(store.write(id).await.unwrap().unwrap().state, State::Undone);
        assert!(!store.taken_back(id, true, 4).await.unwrap(), "once");
        assert!(matches!(another(&store, 5).await, Begun::New(_)));
        let (store, id) = ended(&DONE).await;
        assert!(store.taken_back(id, false, 3).await.unwrap());
        assert!(matches!(another(&store, 9).await, Begun::Known(met) if met.state == State::Unclear));
    }

    #[tokio::test]
    async fn what_is_queued_leaves_the_queue_unless_it_is_being_made_and_what_failed_stays() {
        let queued = End { state: State::Queued, due_at: 3, ..DONE };
        let (store, id) = ended(&queued).await;
        assert!(store.taken_back(id, true, 3).await.unwrap());
        assert!(store.take_due(&lease("two", 9), &Reach::ALL, 10).await.unwrap().is_empty());
        let (store, id) = ended(&queued).await;
        assert_eq!(store.take_due(&lease("two", 9), &Reach::ALL, 10).await.unwrap().len(), 1);
        assert!(!store.taken_back(id, true, 10).await.unwrap());
        let (store, id) = ended(&End { state: State::Failed, ..DONE }).await;
        assert!(!store.taken_back(id, true, 10).await.unwrap());
    }
}
