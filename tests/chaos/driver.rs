//! The users, their assistant, and the proxy between it and the servers.
//!
//! The assistant follows up slow answers as Rasa does. The proxy sends each call to a server at random, sends some of them more
//! than once, and sends again what a server that was killed did not answer. Nobody here judges an answer; what cannot be read
//! ends its turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::plan::{Repeat, Wish};
use crate::reading::{Said, read};
use crate::record::{Call, End, Turn};
use crate::replica::Replica;
use crate::tracker::Tracker;
use crate::wire;

/// How long anybody waits for an answer; beyond all that is judged.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the proxy waits before it sends a call again that a dead server did not answer.
const AGAIN: Duration = Duration::from_millis(40);

/// What all users share.
pub struct Driver {
    pub begun: Instant,
    /// When nothing new is begun any more.
    pub until: Instant,
    pub replicas: Vec<Arc<Replica>>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    turns: Vec<Turn>,
    calls: Vec<Call>,
}

/// One user's conversation.
struct Conversation<'a> {
    driver: &'a Driver,
    sender: String,
    rng: Mutex<Rng>,
    tracker: Tracker,
    messages: u32,
    /// Calls that come once more later.
    late: Vec<(usize, bool, Vec<u8>)>,
}

impl Driver {
    pub fn new(begun: Instant, until: Instant, replicas: Vec<Arc<Replica>>) -> Self {
        Self { begun, until, replicas, noted: Mutex::default() }
    }

    /// The turns and their calls so far.
    pub fn noted(&self) -> (Vec<Turn>, Vec<Call>) {
        let noted = self.lock();
        (noted.turns.clone(), noted.calls.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a conversation to its end.
    pub async fn converse(&self, number: usize, wishes: &[Wish], rng: Rng) {
        let sender = format!("sender-{number:03}");
        let mut conversation = Conversation {
            driver: self,
            sender,
            rng: Mutex::new(rng),
            tracker: Tracker::new(),
            messages: 0,
            late: Vec::new(),
        };
        for wish in wishes {
            sleep(wish.think).await;
            if Instant::now() >= self.until {
                return;
            }
            conversation.wish(wish).await;
        }
    }
}

impl Conversation<'_> {
    /// A turn, those in which the user tries again, and what comes late of turns before.
    async fn wish(&mut self, wish: &Wish) {
        let late = std::mem::take(&mut self.late);
        let (mut tries, mut insists) = (wish.tries, wish.insists);
        loop {
            let outcome = self.turn(wish).await;
            let again = match outcome.as_deref() {
                None | Some("ok" | "stale") => false,
                Some("queued" | "pending" | "unclear") => std::mem::take(&mut insists),
                Some(_) => {
                    tries = tries.saturating_sub(1);
                    tries > 0
                }
            };
            if !again {
                break;
            }
            let think = Duration::from_millis(self.rng().u64(50..600));
            sleep(think).await;
        }
        for (turn, second, body) in late {
            self.asked(turn, second, &body).await;
        }
    }

    /// One turn: how it went, when that can be read.
    async fn turn(&mut self, wish: &Wish) -> Option<String> {
        self.messages += 1;
        let turn = Turn { sender: self.sender.clone(), action: wish.action, order: wish.order.clone(), left: false };
        let id = wish.has_id.then(|| format!("{}-{}", self.sender, self.messages));
        let body = self.tracker.first(&turn, id.as_deref());
        let bytes = body.to_string().into_bytes();
        let number = {
            let mut noted = self.driver.lock();
            noted.turns.push(turn.clone());
            noted.turns.len() - 1
        };
        if let Repeat::HangUp(after) = wish.repeat {
            self.once(number, false, &bytes, Some(after)).await;
        }
        let answer = if wish.repeat == Repeat::Together {
            let (one, other) = tokio::join!(self.asked(number, false, &bytes), self.asked(number, false, &bytes));
            one.or(other)
        } else {
            self.asked(number, false, &bytes).await
        };
        match wish.repeat {
            Repeat::After => _ = self.asked(number, false, &bytes).await,
            Repeat::Late => self.late.push((number, false, bytes)),
            _ => {}
        }
        let (status, answer) = answer?;
        if let Said::Done { outcome, .. } = read(&turn, false, status, &answer).ok()? {
            self.tracker.listen(&turn, &answer);
            return Some(outcome);
        }
        if wish.leaves {
            self.driver.lock().turns[number].left = true;
            return None;
        }
        let bytes = self.tracker.second(&turn, &body, &answer).to_string().into_bytes();
        let answer = if wish.repeat == Repeat::Second {
            let (one, other) = tokio::join!(self.asked(number, true, &bytes), self.asked(number, true, &bytes));
            self.asked(number, true, &bytes).await;
            one.or(other)
        } else {
            self.asked(number, true, &bytes).await
        };
        if wish.repeat == Repeat::Late {
            self.late.push((number, true, bytes));
        }
        let (status, answer) = answer?;
        self.tracker.listen(&turn, &answer);
        match read(&turn, true, status, &answer).ok()? {
            Said::Done { outcome, .. } => Some(outcome),
            Said::Slow => None,
        }
    }

    /// Makes a call until a server that lives answers it.
    async fn asked(&self, turn: usize, second: bool, body: &[u8]) -> Option<(u16, Value)> {
        loop {
            match self.once(turn, second, body, None).await {
                End::Answer { status, body } => return Some((status, body)),
                End::Dead => sleep(AGAIN).await,
                End::Broken(_) | End::Dropped => return None,
            }
        }
    }

    /// Makes a call to a server at random, once.
    async fn once(&self, turn: usize, second: bool, body: &[u8], hang_up: Option<Duration>) -> End {
        let (driver, chosen) = (self.driver, self.rng().usize(..self.driver.replicas.len()));
        let replica = &driver.replicas[chosen];
        let (before, sent) = (replica.state(), Instant::now());
        let calling = async {
            match replica.address() {
                Some(address) => wire::call(address, body).await,
                None => Err(std::io::ErrorKind::NotConnected.into()),
            }
        };
        let came = timeout(hang_up.unwrap_or(PATIENCE), calling).await;
        let after = replica.state();
        // One that ended by itself excuses nothing.
        let died = !after.ended && (before.up.is_none() || after.kills != before.kills);
        let end = match came {
            Ok(Ok((status, body))) => End::Answer { status, body },
            Ok(Err(_)) if died => End::Dead,
            Ok(Err(error)) => End::Broken(error.to_string()),
            Err(_) if hang_up.is_some() => End::Dropped,
            Err(_) if died => End::Dead,
            Err(_) => End::Broken(format!("none after {PATIENCE:?}")),
        };
        // What was sent to a server that was just starting waited for that first.
        let reached = if before.up.is_none() { after.up.map_or(sent, |up| up.max(sent)) } else { sent };
        let (sent, ended) = (sent - driver.begun, driver.begun.elapsed());
        let call = Call { turn, second, sent, took: reached.elapsed(), ended, end: end.clone() };
        driver.lock().calls.push(call);
        end
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
