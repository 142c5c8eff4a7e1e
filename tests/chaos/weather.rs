//! What goes wrong at a vendor: the kinds of misbehaviour, and when how much of it is about.
//!
//! It is not known here what a vendor does, nor how a connection is broken.

use std::time::Duration;

use fastrand::Rng;

/// How it stands with a vendor for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nearly all is well.
    Fine,
    /// Everything goes wrong now and then.
    Rough,
    /// Most answers take their time.
    Slow,
    /// Most requests are too many.
    Limited,
    /// Nobody listens.
    Refusing,
    /// Connections are taken and broken off.
    HangingUp,
}

/// The weather of a run.
#[derive(Debug, Clone)]
pub struct Forecast(Vec<(Duration, Weather)>);

impl Forecast {
    /// Of phases and their begins, in order.
    pub const fn new(phases: Vec<(Duration, Weather)>) -> Self {
        Self(phases)
    }

    /// The weather at a time since the begin, and when it changes.
    pub fn at(&self, time: Duration) -> (Weather, Option<Duration>) {
        let next = self.0.partition_point(|(begins, _)| *begins <= time);
        let weather = next.checked_sub(1).map_or(Weather::Fine, |now| self.0[now].1);
        (weather, self.0.get(next).map(|(begins, _)| *begins))
    }
}

/// What goes wrong with one request. Where it is done, it is done once and for all: only the answer suffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ill {
    /// It is done late; whether it is done at all when nobody waits any more is the vendor's to say.
    SlowToDo(Duration),
    /// It is done, and answered late.
    SlowToAnswer(Duration),
    /// The connection is reset, and nothing is done.
    ResetBefore,
    /// It is done, and the connection is reset.
    ResetAfter,
    /// It is done, and the answer breaks off in the middle.
    Truncated,
    /// It is done, and the answer is something else.
    LieAfter(Lie),
    /// It is not done, and the answer is something else, with a 200.
    LieInstead(Lie),
    /// It is not done; to be tried again after so many seconds.
    TooMany(u8),
    /// It is not done, and a 500.
    FailedBefore,
    /// It is done, and a 500.
    FailedAfter,
}

/// An answer that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// A page for people.
    Page,
    /// Nothing at all.
    Empty,
    /// An object of something else.
    Other,
    /// A list of something else.
    List,
}

impl Weather {
    /// What goes wrong with the next request.
    pub fn ill(self, rng: &mut Rng) -> Option<Ill> {
        let often = match self {
            Self::Fine => 4,
            Self::Rough => 55,
            Self::Slow | Self::Limited => 80,
            Self::Refusing | Self::HangingUp => return Some(Ill::ResetBefore),
        };
        if rng.u8(..100) >= often {
            return None;
        }
        Some(match self {
            Self::Slow => slow(rng),
            Self::Limited => Ill::TooMany(rng.u8(..3)),
            _ => any(rng),
        })
    }
}

fn slow(rng: &mut Rng) -> Ill {
    let time = Duration::from_millis(rng.u64(500..8000));
    if rng.bool() { Ill::SlowToDo(time) } else { Ill::SlowToAnswer(time) }
}

fn any(rng: &mut Rng) -> Ill {
    let lie = [Lie::Page, Lie::Empty, Lie::Other, Lie::List][rng.usize(..4)];
    match rng.u8(..10) {
        0 | 1 => slow(rng),
        2 => Ill::ResetBefore,
        3 => Ill::ResetAfter,
        4 => Ill::Truncated,
        5 => Ill::LieAfter(lie),
        6 => Ill::LieInstead(lie),
        7 => Ill::TooMany(rng.u8(..3)),
        8 => Ill::FailedBefore,
        _ => Ill::FailedAfter,
    }
}

impl Ill {
    /// Its name in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowToDo(_) => "done late",
            Self::SlowToAnswer(_) => "answered late",
            Self::ResetBefore => "reset, not done",
            Self::ResetAfter => "done, then reset",
            Self::Truncated => "done, cut short",
            Self::LieAfter(_) => "done, wrong answer",
            Self::LieInstead(_) => "not done, wrong answer",
            Self::TooMany(_) => "too many",
            Self::FailedBefore => "500, not done",
            Self::FailedAfter => "done, then 500",
        }
    }
}

impl Lie {
    /// Its body and content type.
    pub const fn body(self) -> (&'static str, &'static str) {
        match self {
            Self::Page => ("<html><body>We are rebuilding.</body></html>", "text/html"),
            Self::Empty => ("", "application/json"),
            Self::Other => (r#"{"message":"hello"}"#, "application/json"),
            Self::List => (r#"[{"message":"hello"}]"#, "application/json"),
        }
    }
}
