//! What is staged to be wrong with a system: one grammar for `given:` of tests and for `--fault`.
//!
//! `down`, `slow 6s`, `rate_limited`, `rate_limited 30s`, `wrong_data`, `flaky 30%`; a colon may stand for the blank. What it
//! does to calls is the connector's part.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Faults, Percent};
use crate::name::{ConnectionName, OperationName};
use crate::time;

/// Something that is wrong with a system on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staged {
    /// It cannot be reached.
    Down,
    /// Each of its answers takes so long.
    Slow(Duration),
    /// It refuses every request as one too many; with the time after which it may be asked again, where it says so.
    RateLimited(Option<Duration>),
    /// Its answers make no sense.
    WrongData,
    /// That share of the calls finds it down.
    Flaky(Percent),
}

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotStaged {
    /// There is no fault of that name.
    Name(String),
    /// What stands behind the name does not fit.
    Value {
        /// What is wrong.
        wrong: String,
        /// What to write.
        write: &'static str,
    },
}

/// A fault and the calls that it is for, as `--fault` has it: `shop=slow:8s`, or of one operation `shop.find_order=down`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedAt {
    /// Of which connection.
    pub connection: ConnectionName,
    /// Of which of its operations; of all without one.
    pub operation: Option<OperationName>,
    /// What is wrong.
    pub fault: Staged,
}

impl Staged {
    /// Their names.
    pub const NAMES: [&'static str; 5] = ["down", "slow", "rate_limited", "wrong_data", "flaky"];

    /// Reads a fault.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, NotStaged> {
        let text = text.trim();
        match text.split_once([' ', ':']) {
            None => Self::of(text, None),
            Some((name, value)) => Self::of(name, Some(value.trim())),
        }
    }

    /// The fault of that name, with what is said more of it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn of(name: &str, value: Option<&str>) -> Result<Self, NotStaged> {
        let wrong = |wrong: String, write| NotStaged::Value { wrong, write };
        let alone = |fault, write| match value {
            None => Ok(fault),
            Some(_) => Err(wrong(format!("`{name}` has nothing behind it"), write)),
        };
        let span = |value, write| match time::duration(value) {
            Ok(span) if span.is_zero() => Err(wrong(format!("`{value}` is no time at all"), write)),
            Ok(span) => Ok(span),
            Err(_) => Err(wrong(format!("`{value}` is not a duration"), write)),
        };
        const SLOW: &str = "write how long each answer takes: slow 6s";
        const FLAKY: &str = "write for how many of the calls it is down: flaky 30%";
        match name {
            "down" => alone(Self::Down, "write `down`"),
            "wrong_data" => alone(Self::WrongData, "write `wrong_data`"),
            "slow" => span(value.unwrap_or_default(), SLOW).map(Self::Slow),
            "rate_limited" => match value {
                None => Ok(Self::RateLimited(None)),
                Some(value) => span(value, "write after how long it may be asked again: rate_limited 30s")
                    .map(|wait| Self::RateLimited(Some(wait))),
            },
            "flaky" => {
                let value = value.unwrap_or_default();
                Percent::parse(value).map(Self::Flaky).map_err(|_| wrong(format!("`{value}` is not a share"), FLAKY))
            }
            other => Err(NotStaged::Name(other.to_owned())),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Slow(_) => "slow",
            Self::RateLimited(_) => "rate_limited",
            Self::WrongData => "wrong_data",
            Self::Flaky(_) => "flaky",
        }
    }
}

impl fmt::Display for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Slow(span) | Self::RateLimited(Some(span)) => write!(f, " {}", time::shown(*span)),
            Self::Flaky(share) => write!(f, " {}%", share.get()),
            Self::Down | Self::RateLimited(None) | Self::WrongData => Ok(()),
        }
    }
}

impl From<Staged> for Faults {
    fn from(staged: Staged) -> Self {
        let all = Percent::new(100).ok();
        let none = Self::default();
        match staged {
            Staged::Down => Self { errors: all, ..none },
            Staged::Slow(span) => Self { latency: Some(span), ..none },
            Staged::RateLimited(wait) => Self { rate_limited: Some(wait), ..none },
            Staged::WrongData => Self { malformed: all, ..none },
            Staged::Flaky(share) => Self { errors: Some(share), ..none },
        }
    }
}

impl fmt::Display for NotStaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "there is no fault `{name}`"),
            Self::Value { wrong, .. } => f.write_str(wrong),
        }
    }
}

impl NotStaged {
    /// What to do about it, in a line by itself.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Name(name) => match crate::diag::similar(name, Staged::NAMES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", Staged::NAMES.join(", ")),
            },
            Self::Value { write, .. } => (*write).to_owned(),
        }
    }
}

impl FromStr for StagedAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, fault) = text.split_once('=').ok_or("write CONNECTION=FAULT, such as shop=down or shop=slow:8s")?;
        let fault = Staged::parse(fault).map_err(|wrong| format!("{wrong}: {}", wrong.cure()))?;
        let (connection, operation) = place_of(place.trim()).ok_or_else(|| {
            format!("`{}` names neither a connection nor an operation: write shop, or shop.find_order", place.trim())
        })?;
        Ok(Self { connection, operation, fault })
    }
}

impl fmt::Display for StagedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.connection)?;
        self.operation.iter().try_for_each(|operation| write!(f, ".{operation}"))?;
        write!(f, " {}", self.fault)
    }
}

/// The connection, and the operation where one is named, of `shop` or `shop.find_order`.
pub fn place_of(text: &str) -> Option<(ConnectionName, Option<OperationName>)> {
    match text.split_once('.') {
        None => Some((ConnectionName::parse(text)?, None)),
        Some((connection, operation)) => Some((ConnectionName::parse(connection)?, Some(OperationName::parse(operation)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_name_and_what_belongs_to_it() {
        for (text, shown) in [
            ("down", "down"),
            (" slow 6s ", "slow 6s"),
            ("slow:1500ms", "slow 1500ms"),
            ("slow 90s", "slow 90s"),
            ("slow:  2m", "slow 2m"),
            ("rate_limited", "rate_limited"),
            ("rate_limited 30s", "rate_limited 30s"),
            ("wrong_data", "wrong_data"),
            ("flaky 30%", "flaky 30%"),
        ] {
            let fault = Staged::parse(text).unwrap();
            assert_eq!(fault.to_string(), shown);
            assert_eq!(Staged::parse(shown), Ok(fault));
        }
    }

    #[test]
    fn what_is_no_fault_says_what_to_write() {
        for (text, said) in [
            ("dwon", "there is no fault `dwon`: did you mean `down`?"),
            ("", "there is no fault ``: write one of down, slow, rate_limited, wrong_data, flaky"),
            ("slow", "`` is not a duration: write how long each answer takes: slow 6s"),
            ("slow 0s", "`0s` is no time at all: write how long each answer takes: slow 6s"),
            ("slow soon", "`soon` is not a duration: write how long each answer takes: slow 6s"),
            ("down 6s", "`down` has nothing behind it: write `down`"),
            (
                "rate_limited often",
                "`often` is not a duration: write after how long it may be asked again: rate_limited 30s",
            ),
            ("flaky 101%", "`101%` is not a share: write for how many of the calls it is down: flaky 30%"),
        ] {
            let wrong = Staged::parse(text).unwrap_err();
            assert_eq!(format!("{wrong}: {}", wrong.cure()), said);
        }
    }

    #[test]
    fn a_fault_has_a_place() {
        let one: StagedAt = "shop.find_order@2=slow:8s".parse().unwrap();
        assert_eq!((one.connection.as_str(), one.to_string().as_str()), ("shop", "shop.find_order@2 slow 8s"));
        assert_eq!("shop = down".parse::<StagedAt>().unwrap().to_string(), "shop down");
        for wrong in ["shop", "shop=", "=down", "my shop=down", "shop.=down"] {
            assert!(wrong.parse::<StagedAt>().is_err(), "{wrong}");
        }
    }
}
