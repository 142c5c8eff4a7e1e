//! Holds what was answered against what the vendors did.
//!
//! It knows a run only by its record, and forgives nothing in it: a write that was acknowledged or promised was done exactly
//! once, any other at most once, and every call that reached a live server got a good answer in time. It does not know why.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::reading::{Said, read};
use super::record::{Call, Effect, End, Record, Turn, Vendor, status_of};

/// What is demanded of the times of answers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest that a first call waits.
    pub first: Duration,
    /// The longest that a second call waits.
    pub second: Duration,
    /// How much later an answer may come: the way there and back, on a machine that has other things to do.
    pub margin: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Turns with a call that reached a live server.
    pub turns: usize,
    /// Calls that reached a live server and waited for their answer.
    pub calls: usize,
    /// Those that got a good one in time.
    pub good: usize,
    /// Writes that were acknowledged or promised, and not done.
    pub lost: usize,
    /// Writes that were done more than once.
    pub doubled: usize,
    /// Writes that were promised, that nobody can make again, and that are listed as unclear.
    pub open: usize,
    /// Writes that are still to be done, or given up.
    pub left: usize,
    /// The longest that an answer took beyond its limit.
    pub over: Duration,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
    /// How many final answers said what.
    pub outcomes: BTreeMap<String, usize>,
    /// How long first answers took, in order.
    pub first: Vec<Duration>,
    /// How long second answers took, in order.
    pub second: Vec<Duration>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn sound(&self) -> bool {
        self.problems.is_empty() && self.good == self.calls && self.turns > 0
    }

    fn wrong(&mut self, what: String) {
        self.problems.push(what);
    }
}

/// What an answer says of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// Done, and known by this.
    Done(String),
    /// Noted or under way: it will be done, and the user can quote this.
    Promised(String),
    /// Anything else, or nothing.
    Denied(String),
}

/// Of one write: in which calls it was told of, and what.
type Tellings<'a> = BTreeMap<(&'a str, Vendor), Vec<(&'a Call, Told)>>;
/// What was done of one write.
type Done<'a> = HashMap<(Vendor, &'a str), Vec<&'a Effect>>;

/// Judges a run.
pub fn judge(record: &Record, limits: Limits) -> Verdict {
    let mut verdict = Verdict::default();
    let mut done = Done::new();
    for effect in &record.effects {
        done.entry((effect.vendor, &effect.order)).or_default().push(effect);
    }
    let mut told = Tellings::new();
    let (mut reached, mut ended, mut good) = (BTreeSet::new(), BTreeSet::new(), HashSet::new());
    for call in &record.calls {
        let Some(turn) = record.turns.get(call.turn) else {
            verdict.wrong(format!("a call is of the turn {}, which there is not", call.turn));
            continue;
        };
        if matches!(call.end, End::Dead | End::Dropped) {
            continue;
        }
        reached.insert(call.turn);
        verdict.calls += 1;
        let limit = if call.second { limits.second } else { limits.first };
        if call.second { &mut verdict.second } else { &mut verdict.first }.push(call.took);
        let over = call.took.saturating_sub(limit);
        verdict.over = verdict.over.max(over);
        let said = match answer(turn, call) {
            Ok(said) => said,
            Err(what) => {
                ended.insert(call.turn);
                verdict.wrong(format!("{}: {what}", name(turn, call)));
                continue;
            }
        };
        let late = (over > limits.margin).then(|| format!("it came after {:?}, {over:?} too late", call.took));
        let wrong = late.into_iter().chain(untrue(turn, &said, &done)).collect::<Vec<_>>();
        if wrong.is_empty() {
            good.insert(std::ptr::from_ref(call));
        }
        for what in wrong {
            verdict.wrong(format!("{}: {what}", name(turn, call)));
        }
        if let Said::Done { outcome, slots } = said {
            ended.insert(call.turn);
            for (vendor, what) in tellings(turn, &outcome, &slots) {
                told.entry((&turn.order, vendor)).or_default().push((call, what));
            }
            *verdict.outcomes.entry(outcome).or_default() += 1;
        }
    }
    verdict.turns = reached.len();
    for turn in reached.difference(&ended).filter(|turn| !record.turns[**turn].left) {
        verdict.wrong(format!("turn {turn}: {} never had an end", record.turns[*turn].action.name));
    }
    for call in contradictions(record, &mut told, &mut verdict) {
        good.remove(&std::ptr::from_ref(call));
    }
    verdict.good = good.len();
    effects(record, &told, &done, &mut verdict);
    for listed in record.listed.iter().filter(|listed| listed.is_left()) {
        verdict.left += 1;
        verdict.wrong(format!("{} is {} in the end", listed.reference, listed.state));
    }
    verdict.first.sort_unstable();
    verdict.second.sort_unstable();
    verdict
}

/// The answer of a call, as it is meant.
fn answer(turn: &Turn, call: &Call) -> Result<Said, String> {
    match &call.end {
        End::Answer { status, body } => read(turn, call.second, *status, body),
        End::Broken(why) => Err(format!("a live server gave no answer: {why}")),
        End::Dead | End::Dropped => Err("nobody waited for an answer".to_owned()),
    }
}

/// What an answer says that is not so.
fn untrue(turn: &Turn, said: &Said, done: &Done<'_>) -> Option<String> {
    let Said::Done { outcome, slots } = said else { return None };
    if turn.action.writes.is_empty() && matches!(outcome.as_str(), "ok" | "stale") {
        let status = slots.get("order_status");
        let truth = status_of(&turn.order);
        return (status.and_then(|value| value.as_str()) != Some(&truth))
            .then(|| format!("{outcome}, and the order is not {status:?}"));
    }
    for (vendor, told) in tellings(turn, outcome, slots) {
        let Told::Done(id) = told else { continue };
        // That there is none at all is a loss, which is counted as one.
        let known = done.get(&(vendor, turn.order.as_str()));
        if known.is_some_and(|known| known.iter().all(|effect| effect.id != id)) {
            return Some(format!("{} knows nothing of {id}", vendor.name()));
        }
    }
    if matches!(outcome.as_str(), "queued" | "pending") && !slots.contains_key("reference") {
        return Some(format!("it says {outcome}, and there is nothing to quote"));
    }
    let missing = turn.action.writes.iter().find(|vendor| outcome == "ok" && !slots.contains_key(vendor.slot()))?;
    Some(format!("it says ok, and not what {} did", missing.name()))
}

/// What a final answer says of the writes of its turn: what has its slot is done; the outcome is that of the first that has
/// not, and nothing is said of those behind it.
fn tellings(turn: &Turn, outcome: &str, slots: &BTreeMap<String, serde_json::Value>) -> Vec<(Vendor, Told)> {
    let mut told = Vec::new();
    for vendor in turn.action.writes {
        if let Some(id) = slots.get(vendor.slot()) {
            told.push((*vendor, Told::Done(id.as_str().unwrap_or_default().to_owned())));
            continue;
        }
        let reference = slots.get("reference").and_then(serde_json::Value::as_str).unwrap_or_default();
        let promised = matches!(outcome, "queued" | "pending");
        told.push((*vendor, if promised { Told::Promised(reference.to_owned()) } else { Told::Denied(outcome.to_owned()) }));
        break;
    }
    told
}

/// Nobody may be told that something failed after being told that it is done or will be.
fn contradictions<'a>(record: &Record, told: &mut Tellings<'a>, verdict: &mut Verdict) -> Vec<&'a Call> {
    let mut calls = Vec::new();
    for tellings in told.values_mut() {
        tellings.sort_by_key(|(call, _)| call.ended);
        // The first time that it was promised, and that it was said to be done.
        let (mut promised, mut done) = (None, None);
        let mut said_before = HashSet::new();
        for (call, what) in tellings.iter() {
            if let (Told::Denied(outcome), None) = (what, promised) {
                said_before.insert((call.turn, outcome.as_str()));
            }
            let ended = Some(call.ended);
            match what {
                Told::Done(_) => (promised, done) = (promised.or(ended), done.or(ended)),
                Told::Promised(_) => promised = promised.or(ended),
                Told::Denied(outcome) => {
                    // That nobody knows yet whether it was done takes nothing back of a promise.
                    let since = if outcome == "unclear" { done } else { promised };
                    let Some(since) = since.filter(|since| call.sent > *since) else { continue };
                    // Its turn was told so before; when that comes once more, it is told the same.
                    if said_before.contains(&(call.turn, outcome.as_str())) {
                        continue;
                    }
                    calls.push(*call);
                    verdict.wrong(format!(
                        "{}: it says {outcome:?} of what was acknowledged {:?} before",
                        name(&record.turns[call.turn], call),
                        call.sent.saturating_sub(since),
                    ));
                }
            }
        }
    }
    calls
}

/// Holds what was told against what was done.
fn effects(record: &Record, told: &Tellings<'_>, done: &Done<'_>, verdict: &mut Verdict) {
    let unclear = record.listed.iter().filter(|listed| listed.state == "unclear").map(|listed| listed.reference.as_str());
    let unclear: HashSet<_> = unclear.collect();
    for ((_, vendor), tellings) in told.iter().filter(|((order, vendor), _)| !done.contains_key(&(*vendor, order))) {
        // Where a repeat cannot be told, one that broke off is not made again: it is in the list, for a person to look at.
        let lost = tellings.iter().find(|(_, told)| match told {
            Told::Done(_) => true,
            Told::Promised(reference) => vendor.knows_repeats() || !unclear.contains(reference.as_str()),
            Told::Denied(_) => false,
        });
        if let Some((call, what)) = lost {
            verdict.lost += 1;
            let turn = &record.turns[call.turn];
            verdict.wrong(format!("{}: lost, {} never did it ({what:?})", name(turn, call), vendor.name()));
        } else if tellings.iter().any(|(_, told)| matches!(told, Told::Promised(_))) {
            verdict.open += 1;
        }
    }
    let wanted: BTreeSet<_> = record
        .turns
        .iter()
        .flat_map(|turn| turn.action.writes.iter().map(|vendor| (*vendor, turn.order.as_str())))
        .collect();
    for ((vendor, order), effects) in done {
        if effects.len() > 1 {
            verdict.doubled += 1;
            let ids: Vec<_> = effects.iter().map(|effect| effect.id.as_str()).collect();
            verdict.wrong(format!("order {order}: doubled at {}: {}", vendor.name(), ids.join(", ")));
        }
        if !wanted.contains(&(*vendor, *order)) {
            verdict.wrong(format!("order {order}: nobody asked {} for it", vendor.name()));
        }
    }
}

/// How a problem names a call.
fn name(turn: &Turn, call: &Call) -> String {
    let which = if call.second { "second" } else { "first" };
    let at = call.sent.as_secs_f64();
    format!("turn {}, {which} call at {at:.2} s, {} of {} for {}", call.turn, turn.action.name, turn.sender, turn.order)
}
