//! What a connection of legwork.yml allows, whatever its connector: what may be changed, for whom, and which private hosts it
//! may talk to.

use std::time::Duration;

use super::{OperationKind, Patience};
use crate::secret::Reference;

/// What a connection allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// What may be done.
    pub mode: Mode,
    /// For how many of a hundred senders; all without it.
    pub share: Option<Percent>,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// The hosts that may have private addresses and may be talked to without TLS.
    pub allow_private: Vec<String>,
    /// Where requests go in place of the vendor, without credentials: `http://127.0.0.1:4010`. For rehearsals.
    pub stand_in: Option<String>,
    /// How the hosts are reached and trusted.
    pub reach: Reach,
    /// How patiently the system is asked.
    pub patience: Patience,
}

/// How the hosts of a connection are reached and trusted; files are in the project's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// A PEM file with the only authorities that are trusted, in place of the machine's.
    pub authorities: Option<String>,
    /// The certificate that says who we are.
    pub identity: Option<Certificate>,
    /// The proxy that requests go through.
    pub proxy: Option<Proxy>,
}

/// PEM files with a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, with the chain behind it.
    pub file: String,
    /// Its private key.
    pub key: String,
    /// Where the password of the key is, when it is encrypted.
    pub password: Option<Reference>,
}

/// The address of a proxy, `http://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// As written, without a password.
    Written(String),
    /// Where the address is that has a password in it.
    Kept(Reference),
}

/// What may be done on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    #[default]
    Live,
    /// Everything but moving money.
    NoPayments,
    /// Reading.
    ReadOnly,
    /// Reading; of anything else it is only said what would be done.
    DryRun,
    /// Nothing.
    Off,
}

impl Mode {
    /// Each with its name in files.
    pub const ALL: [(&'static str, Self); 5] = [
        ("live", Self::Live),
        ("no_payments", Self::NoPayments),
        ("read_only", Self::ReadOnly),
        ("dry_run", Self::DryRun),
        ("off", Self::Off),
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }

    /// Whether an operation of that kind reaches the system.
    #[must_use]
    pub const fn allows(self, kind: OperationKind) -> bool {
        match self {
            Self::Live => true,
            Self::NoPayments => !matches!(kind, OperationKind::Payment),
            Self::ReadOnly | Self::DryRun => !kind.writes(),
            Self::Off => false,
        }
    }
}

/// A part of a hundred, from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// That part of a hundred.
    ///
    /// # Errors
    /// When it is more than all.
    pub fn new(number: u8) -> Result<Self, String> {
        if number > 100 { Err("a share is from 0% to 100%".to_owned()) } else { Ok(Self(number)) }
    }

    /// How many of a hundred.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Reads `10%`.
    ///
    /// # Errors
    /// A text for the author.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a share: write `10%`");
        text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok()).ok_or_else(wrong).and_then(Self::new)
    }

    /// Whether `name` belongs to it. It is the same at every call and in every process, and who belongs to a share belongs to
    /// every larger one.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        place(name) < u64::from(self.0)
    }

    /// Whether a throw of the dice falls into it.
    #[must_use]
    pub fn falls(self, rng: &mut fastrand::Rng) -> bool {
        rng.u8(0..100) < self.0
    }
}

/// Where a name stands among a hundred: FNV-1a with its bits mixed, which is the same on every machine and in every version.
fn place(name: &str) -> u64 {
    let hash =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = mixed ^ (mixed >> 33);
    ((mixed >> 32) * 100) >> 32
}

/// What goes wrong on purpose, to rehearse it; `profile: production` refuses it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every answer comes so much later.
    pub latency: Option<Duration>,
    /// How many calls find the system down.
    pub errors: Option<Percent>,
    /// How many answers make no sense.
    pub malformed: Option<Percent>,
    /// How many answers break off.
    pub resets: Option<Percent>,
    /// Every request is refused as one too many; with the time after which there may be another, where that is said.
    pub rate_limited: Option<Option<Duration>>,
}

impl Faults {
    /// Whether anything goes wrong on purpose.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// These and others; where both say something of the same, the others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self {
            latency: others.latency.or(self.latency),
            errors: others.errors.or(self.errors),
            malformed: others.malformed.or(self.malformed),
            resets: others.resets.or(self.resets),
            rate_limited: others.rate_limited.or(self.rate_limited),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_stable_and_grows() {
        let senders: Vec<_> = (0..2000).map(|number| format!("sender-{number}")).collect();
        let share = |percent: u8| senders.iter().filter(|name| Percent::new(percent).unwrap().has(name)).count();
        assert_eq!((share(0), share(100)), (0, 2000));
        assert!((150..=250).contains(&share(10)), "{}", share(10));
        let (ten, fifty) = (Percent::new(10).unwrap(), Percent::new(50).unwrap());
        assert!(senders.iter().filter(|name| ten.has(name)).all(|name| fifty.has(name)));
        assert_eq!((place("a"), place("b"), place("default")), (92, 30, 83), "the places are the same in every version");
    }

    #[test]
    fn modes_say_what_reaches_the_system() {
        let kinds = [OperationKind::Read, OperationKind::Write, OperationKind::Payment];
        let allowed = |mode: Mode| kinds.map(|kind| mode.allows(kind));
        assert_eq!(allowed(Mode::Live), [true, true, true]);
        assert_eq!(allowed(Mode::NoPayments), [true, true, false]);
        assert_eq!(allowed(Mode::ReadOnly), [true, false, false]);
        assert_eq!(allowed(Mode::DryRun), [true, false, false]);
        assert_eq!(allowed(Mode::Off), [false, false, false]);
    }

    #[test]
    fn shares_are_written_in_percent() {
        assert_eq!(Percent::parse("10%"), Percent::new(10));
        for text in ["10", "101%", "-1%", "a%", "1.5%"] {
            assert!(Percent::parse(text).is_err(), "{text}");
        }
    }
}
