//! What a run is going to do, made of its seed alone: who asks for what, what goes wrong at the vendors, who is killed when.
//!
//! Two runs of one seed have the same plan. How far they come with it, and what meets what, is a matter of time.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use fastrand::Rng;

use super::record::{Action, READ, WRITES};
use super::weather::{Forecast, Weather};

/// What is written on the command line.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// The turns that users begin by themselves, those in which they try again not counted.
    pub turns: usize,
    pub senders: usize,
    /// How long turns are begun.
    pub seconds: u64,
}

/// What a user is going to say.
#[derive(Debug, Clone)]
pub struct Wish {
    pub action: Action,
    pub order: String,
    /// How long the user thinks before saying it.
    pub think: Duration,
    pub repeat: Repeat,
    /// How often the user tries again when it did not work.
    pub tries: u8,
    /// Whether the user says it again though it was promised.
    pub insists: bool,
    /// Whether the user goes when it takes longer.
    pub leaves: bool,
    /// Whether the channel gives its messages an id.
    pub has_id: bool,
}

/// How a call comes more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    Never,
    /// Once more behind the answer.
    After,
    /// Twice at the same time.
    Together,
    /// Once more behind the next turn.
    Late,
    /// The line breaks after this time, and the call is made again.
    HangUp(Duration),
    /// The second call of a slow turn twice at the same time, and once more behind it.
    Second,
}

/// The whole of it.
#[derive(Debug)]
pub struct Plan {
    pub senders: Vec<Vec<Wish>>,
    /// For the shop that is read, and for each vendor.
    pub forecasts: Vec<Forecast>,
    /// When which replica is killed.
    pub kills: Vec<(Duration, usize)>,
}

impl Plan {
    pub fn new(options: &Options, vendors: usize, replicas: usize) -> Self {
        let each = options.turns.div_ceil(options.senders.max(1));
        let senders = (0..options.senders).map(|number| wishes(&mut rng(options.seed, "sender", number), number, each));
        let forecasts = (0..vendors).map(|number| forecast(&mut rng(options.seed, "vendor", number), options.seconds));
        let kills = kills(&mut rng(options.seed, "kills", 0), options.seconds, replicas);
        Self { senders: senders.collect(), forecasts: forecasts.collect(), kills }
    }

    /// A number that two equal plans share.
    pub fn digest(&self) -> u64 {
        let mut text = String::new();
        // Writing into a text does not fail.
        let _ = write!(text, "{self:?}");
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        hasher.finish()
    }
}

/// Random numbers for one thing of a run.
pub fn rng(seed: u64, what: &str, number: usize) -> Rng {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(seed);
    hasher.write(what.as_bytes());
    hasher.write_usize(number);
    Rng::with_seed(hasher.finish())
}

fn between(rng: &mut Rng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.u64(from..to))
}

fn wishes(rng: &mut Rng, sender: usize, turns: usize) -> Vec<Wish> {
    let wish = |turn: usize| {
        let reads = rng.u8(..100) < 25;
        let action = if reads { READ } else { WRITES[rng.usize(..WRITES.len())] };
        let order = if reads { format!("{}", 1001 + rng.u32(..20)) } else { format!("s{sender:03}-t{turn:04}") };
        let repeat = match rng.u8(..100) {
            0..=59 => Repeat::Never,
            60..=67 => Repeat::After,
            68..=75 => Repeat::Together,
            76..=83 => Repeat::Late,
            84..=91 => Repeat::HangUp(between(rng, 5, 1200)),
            _ => Repeat::Second,
        };
        Wish {
            action,
            order,
            think: between(rng, 100, 2000),
            repeat,
            tries: rng.u8(..3),
            insists: rng.u8(..100) < 30,
            leaves: rng.u8(..100) < 5,
            has_id: rng.bool(),
        }
    };
    (0..turns).map(wish).collect()
}

fn forecast(rng: &mut Rng, seconds: u64) -> Forecast {
    let (mut at, mut phases) = (Duration::ZERO, Vec::new());
    while at < Duration::from_secs(seconds) {
        let (weather, lasts) = match rng.u8(..100) {
            0..=34 => (Weather::Fine, between(rng, 2000, 8000)),
            35..=64 => (Weather::Rough, between(rng, 2000, 8000)),
            65..=77 => (Weather::Slow, between(rng, 1000, 5000)),
            78..=87 => (Weather::Limited, between(rng, 500, 2500)),
            88..=93 => (Weather::Refusing, between(rng, 500, 4000)),
            _ => (Weather::HangingUp, between(rng, 500, 4000)),
        };
        phases.push((at, weather));
        at += lasts;
    }
    Forecast::new(phases)
}

/// One every few seconds; the last in good time before the end, so that turns go on behind it.
fn kills(rng: &mut Rng, seconds: u64, replicas: usize) -> Vec<(Duration, usize)> {
    let (mut at, mut kills) = (between(rng, 2000, 5000), Vec::new());
    while at + Duration::from_secs(2) < Duration::from_secs(seconds) {
        kills.push((at, rng.usize(..replicas.max(1))));
        at += between(rng, 2500, 9000);
    }
    kills
}
