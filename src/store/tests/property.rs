//! Whatever happens in whatever order, no two processes may send a write at the same time, and none is done twice.
//!
//! A process here does as the outbox does: it sends while its lease holds, never sends what another may have sent, begins nothing
//! that it is at already, and may end at any moment, between the effect and the note of it too.

use std::collections::BTreeMap;

use super::*;

/// A write that a process works on.
struct Job {
    id: i64,
    key: String,
    owner: String,
    until: i64,
    /// Another may have sent it.
    open: bool,
    sent: bool,
}

struct World<'a> {
    pair: &'a Pair,
    rng: fastrand::Rng,
    now: i64,
    processes: Vec<String>,
    born: usize,
    jobs: Vec<Job>,
    /// Whose each write was last.
    holders: BTreeMap<i64, String>,
    effects: BTreeMap<String, u32>,
    told: Vec<String>,
}

impl World<'_> {
    fn store(&mut self) -> &Store {
        if self.rng.bool() { &self.pair.one } else { &self.pair.other }
    }

    fn owner(&mut self) -> String {
        let at = self.rng.usize(..self.processes.len());
        self.processes[at].clone()
    }

    /// What a process works on already.
    fn has(&self, id: i64, owner: &str) -> Option<usize> {
        self.jobs.iter().position(|job| job.id == id && job.owner == owner)
    }

    fn works(&mut self, id: i64, key: &str, owner: &str, open: bool) {
        if let Some(at) = self.has(id, owner) {
            // It got hold again of what it had lost to nobody.
            self.jobs[at].until = self.now + 100;
            return;
        }
        self.holders.insert(id, owner.to_owned());
        self.jobs.push(Job { id, key: key.to_owned(), owner: owner.to_owned(), until: self.now + 100, open, sent: false });
        let valid = self.jobs.iter().filter(|job| job.id == id && job.until > self.now).count();
        assert_eq!(valid, 1, "{}: {} of them may send {key}: {:?}", self.pair.what(), valid, self.told);
    }

    async fn begins(&mut self) {
        let (owner, number, now) = (self.owner(), self.rng.u8(..8), self.now);
        let (key, purpose, lane) = (format!("k{number}"), format!("p{}", number / 2), format!("l{}", number / 4));
        let write =
            NewWrite { purpose: &purpose, lane: &lane, behind: self.rng.bool(), joins_since: now - 200, ..write(&key) };
        let begun = self.store().begin(&write, &lease(&owner, now)).await;
        match begun.unwrap() {
            Begun::New(id) => self.works(id, &key, &owner, false),
            Begun::Behind(id) => {
                self.store().promise(id).await.unwrap();
            }
            Begun::Known(found) => {
                let over = found.state == State::Sending && found.lease_until <= now;
                if self.has(found.id, &owner).is_some() || !(over || matches!(found.state, State::Failed | State::Dead)) {
                    return;
                }
                if let Some(found) = self.store().take_over(found.id, &lease(&owner, now)).await.unwrap() {
                    self.works(found.id, &found.key, &owner, found.unsettled);
                }
            }
        }
    }

    async fn takes(&mut self) {
        let (owner, now) = (self.owner(), self.now);
        for found in self.store().take_due(&lease(&owner, now), &Reach::ALL, 2).await.unwrap() {
            self.works(found.id, &found.key, &owner, found.unsettled);
        }
    }

    /// Sends, if it may.
    fn sends(&mut self) {
        let Some(at) = self.job() else { return };
        let job = &mut self.jobs[at];
        if job.until > self.now && !job.open && !job.sent {
            job.sent = true;
            let effects = self.effects.entry(job.key.clone()).or_default();
            *effects += 1;
            assert_eq!(*effects, 1, "{}: {} is done twice: {:?}", self.pair.what(), job.key, self.told);
        }
    }

    async fn settles(&mut self) {
        let Some(at) = self.job() else { return };
        let job = self.jobs.swap_remove(at);
        let state = match (job.open, job.sent) {
            (true, _) => State::Unclear,
            (false, true) => State::Done,
            (false, false) => [State::Failed, State::Queued][self.rng.usize(..2)],
        };
        let end = End { current: state != State::Failed, ..end(state, self.now) };
        if self.store().settle(job.id, &job.key, &job.owner, &end).await.unwrap() && self.rng.bool() {
            // Its turn has come to its end. As turns go here, one has the name of its only write.
            self.store().release(&job.key, &[]).await.unwrap();
        }
    }

    async fn renews(&mut self) {
        let (owner, now) = (self.owner(), self.now);
        let ids: Vec<_> = self.jobs.iter().filter(|job| job.owner == owner).map(|job| job.id).collect();
        self.store().renew(&ids, &lease(&owner, now)).await.unwrap();
        for at in 0..self.jobs.len() {
            if self.jobs[at].owner == owner {
                let id = self.jobs[at].id;
                let kept = self.store().write(id).await.unwrap();
                let kept = kept.filter(|it| it.lease_until == now + 100 && self.holders.get(&id) == Some(&owner));
                self.jobs[at].until = kept.map_or(0, |it| it.lease_until);
            }
        }
    }

    fn crashes(&mut self) {
        let at = self.rng.usize(..self.processes.len());
        let gone = std::mem::replace(&mut self.processes[at], format!("o{}", self.born));
        self.born += 1;
        self.jobs.retain(|job| job.owner != gone);
    }

    fn job(&mut self) -> Option<usize> {
        (!self.jobs.is_empty()).then(|| self.rng.usize(..self.jobs.len()))
    }
}

#[tokio::test]
async fn no_two_may_send_and_nothing_is_done_twice() {
    each(async |pair: &Pair| {
        let mut effects = 0;
        for seed in 0..12 {
            clear(pair).await;
            let processes = (0..3).map(|number| format!("o{number}")).collect();
            let rng = fastrand::Rng::with_seed(seed);
            let mut world = World {
                pair,
                rng,
                now: 1_000,
                processes,
                born: 3,
                jobs: Vec::new(),
                holders: BTreeMap::new(),
                effects: BTreeMap::new(),
                told: vec![format!("seed {seed}")],
            };
            for _ in 0..150 {
                let what = world.rng.u8(..12);
                world.told.push(format!("{} at {}", what, world.now));
                match what {
                    0..=2 => world.begins().await,
                    3 => world.takes().await,
                    4..=6 => world.sends(),
                    7 | 8 => world.settles().await,
                    9 => world.renews().await,
                    10 => world.crashes(),
                    _ => world.now += world.rng.i64(0..80),
                }
            }
            effects += world.effects.len();
        }
        assert!(effects > 20, "{}: only {effects} came of it all", pair.what());
    })
    .await;
}

async fn clear(pair: &Pair) {
    pair.one.db.run("delete from legwork_writes", &[]).await.unwrap();
}
