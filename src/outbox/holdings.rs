//! What the store holds of a customer or a conversation: shown as a whole, or removed as a whole.
//!
//! A write is theirs when its conversation is, or when any of what it was begun or ended with names them; so is the answer of
//! its turn, one that mentions them, and what they proved. What a server works on at the moment is left, and said. Servers hear of a removal and
//! forget what they keep in memory ([`super::Notices`]).

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::Subject;
use super::look::{PAGE, Seen, Values, at, each_write};
use crate::store::{Met, MetProof, MetTurn, State, Store, StoreError, Written};

/// What is held.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Holdings {
    /// Writes, done and not done.
    pub writes: Vec<Seen>,
    /// The answers of turns.
    pub answers: Vec<HeldAnswer>,
    /// What they proved, and where codes for it went.
    pub proofs: Vec<HeldProof>,
    /// How many more entries cannot be opened with the keys that are configured: nobody can tell whose they are.
    pub unreadable: usize,
}

/// An answer that is held.
#[derive(Debug, PartialEq, Serialize)]
pub struct HeldAnswer {
    /// Until when, as RFC 3339.
    pub kept_until: String,
    /// The answer.
    pub reply: Value,
}

/// What is known of a conversation's user.
#[derive(Debug, PartialEq, Serialize)]
pub struct HeldProof {
    /// The conversation.
    pub sender: String,
    /// Until when, as RFC 3339.
    pub kept_until: String,
    /// What was proved, and where a code went.
    pub known: Vec<String>,
}

/// What becomes of writes that a user was promised, or that wait for somebody to look at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wishes {
    /// They are left.
    Kept,
    /// They are removed with the rest: nobody will do them.
    GivenUp,
}

/// What was removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many writes were, by the names of their states.
    pub writes: BTreeMap<&'static str, usize>,
    /// How many answers were.
    pub answers: usize,
    /// Of how many conversations it was removed what their users proved.
    pub proofs: usize,
    /// The references of writes that were left, because a server works on them or because they are wishes to be kept.
    pub left: Vec<String>,
    /// How many more entries could not be opened, and so were not looked into.
    pub unreadable: usize,
}

/// What is held of them.
///
/// # Errors
/// When the store cannot be read.
pub async fn holdings(store: &Store, subject: &Subject, now: DateTime<Utc>) -> Result<Holdings, StoreError> {
    let (mut held, mut turns) = (Holdings::default(), HashSet::new());
    let look = |met: Met| {
        if is_theirs(subject, &met.write) {
            held.writes.push(Seen::of(&met, Values::Shown, now));
            turns.insert(met.turn);
        } else {
            held.unreadable += usize::from(met.unreadable.is_some());
        }
    };
    each_write(store, &State::ALL, None, look).await?;
    let look = |met: &MetTurn| match &met.reply {
        Ok(reply) => {
            let reply: Value = serde_json::from_slice(reply).unwrap_or_default();
            if turns.contains(&met.key) || subject.mentioned(&reply) {
                held.answers.push(HeldAnswer { kept_until: at(met.keep_until), reply });
            }
        }
        Err(_) => held.unreadable += usize::from(!turns.contains(&met.key)),
    };
    each_answer(store, look).await?;
    let look = |met: MetProof| {
        let theirs = is_known(subject, &met);
        match met.known {
            known if theirs => {
                let known = known.unwrap_or_default();
                held.proofs.push(HeldProof { sender: met.sender, kept_until: at(met.until), known });
            }
            Ok(_) => {}
            Err(_) => held.unreadable += 1,
        }
    };
    each_proof(store, look).await?;
    Ok(held)
}

/// Removes what is held of them, and tells every server to forget what it keeps in memory.
///
/// # Errors
/// When the store cannot be read, or something cannot be removed; then some of it may be gone.
pub async fn purge(store: &Store, subject: &Subject, now: DateTime<Utc>, wishes: Wishes) -> Result<Purged, StoreError> {
    let now = now.timestamp_millis();
    // First, so that nothing is made of what is kept while it is being removed.
    store.tell(&subject.told(), now).await?;
    let (mut purged, mut theirs) = (Purged::default(), Vec::new());
    let look = |met: Met| {
        if is_theirs(subject, &met.write) {
            let keep = is_wish(&met.write) && wishes == Wishes::Kept;
            theirs.push((met.write.id, met.write.state, met.write.reference, met.turn, keep));
        } else {
            purged.unreadable += usize::from(met.unreadable.is_some());
        }
    };
    each_write(store, &State::ALL, None, look).await?;
    let mut turns = HashSet::new();
    for (id, state, reference, turn, keep) in theirs {
        if keep || !store.remove(id, state, now).await? {
            purged.left.push(reference);
        } else {
            *purged.writes.entry(state.name()).or_default() += 1;
        }
        turns.insert(turn);
    }
    let look = |met: &MetTurn| match &met.reply {
        Ok(reply) => {
            let reply: Value = serde_json::from_slice(reply).unwrap_or_default();
            if subject.mentioned(&reply) {
                turns.insert(met.key.clone());
            }
        }
        Err(_) => purged.unreadable += usize::from(!turns.contains(&met.key)),
    };
    each_answer(store, look).await?;
    for turn in turns {
        purged.answers += usize::from(store.forget_turn(&turn).await?);
    }
    let mut proofs = Vec::new();
    let look = |met: MetProof| match is_known(subject, &met) {
        true => proofs.push((met.caller, met.sender)),
        false => purged.unreadable += usize::from(met.known.is_err()),
    };
    each_proof(store, look).await?;
    for (caller, sender) in proofs {
        purged.proofs += usize::from(store.forget_proof(&caller, &sender).await?);
    }
    store.scrub().await?;
    Ok(purged)
}

/// Whether a write is one that its user relies on, or that waits for somebody to look at it.
fn is_wish(write: &Written) -> bool {
    match write.state {
        State::Queued | State::Dead | State::Unclear => true,
        State::Sending => write.promised,
        State::Done | State::Failed | State::Undone => false,
    }
}

fn is_theirs(subject: &Subject, write: &Written) -> bool {
    let owns = |bytes: &[u8]| serde_json::from_slice(bytes).is_ok_and(|value| subject.owns(&value));
    subject.is_sender(&write.sender) || owns(&write.payload) || write.result.as_deref().is_some_and(owns)
}

fn is_known(subject: &Subject, met: &MetProof) -> bool {
    let known = met.known.as_deref().unwrap_or_default();
    subject.is_sender(&met.sender) || known.iter().any(|known| subject.owns(&Value::from(known.as_str())))
}

async fn each_proof(store: &Store, mut look: impl FnMut(MetProof)) -> Result<(), StoreError> {
    let (mut caller, mut sender) = (String::new(), String::new());
    loop {
        let page = store.proofs_after(&caller, &sender, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        (caller, sender) = (last.caller.clone(), last.sender.clone());
        page.into_iter().for_each(&mut look);
    }
}

async fn each_answer(store: &Store, mut look: impl FnMut(&MetTurn)) -> Result<(), StoreError> {
    let mut seen = String::new();
    loop {
        let page = store.turns_after(&seen, PAGE).await?;
        page.iter().for_each(&mut look);
        match page.into_iter().next_back() {
            Some(last) => seen = last.key,
            None => return Ok(()),
        }
    }
}
