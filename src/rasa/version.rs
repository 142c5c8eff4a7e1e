//! Which client calls, and what that changes about answers.

use std::fmt;

/// A version of the client, as far as answers depend on it. The default, 0.0, is a client that does not say its version,
/// which the oldest ones do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ClientVersion {
    /// Such as 3 of `3.6.21`.
    pub major: u32,
    /// Such as 6 of `3.6.21`.
    pub minor: u32,
}

impl ClientVersion {
    /// The last version of Rasa Open Source; what is newer is Rasa Pro.
    const LAST_OPEN_SOURCE: Self = Self { major: 3, minor: 6 };

    /// Reads `3.6.21`, `3.13.0.dev1` or `3.8`; anything else is the oldest client.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut numbers = text.split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..digits).and_then(|digits| digits.parse().ok())
        });
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), minor) => Self { major, minor: minor.unwrap_or(0) },
            _ => Self::default(),
        }
    }

    /// Whether this is Rasa Pro: it knows 449 and the event `session_ended`, sends a `stack`, and renders a message's
    /// `response` rather than its `text` when both are set. Open Source, 3.6 and older, does none of that.
    #[must_use]
    pub fn is_pro(self) -> bool {
        self > Self::LAST_OPEN_SOURCE
    }
}

impl fmt::Display for ClientVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_source_ends_with_3_6() {
        assert!(!ClientVersion::parse("3.6.21").is_pro());
        assert!(!ClientVersion::parse("2.8.34").is_pro());
        assert!(!ClientVersion::default().is_pro());
        assert!(ClientVersion::parse("3.7.0b1").is_pro());
        assert!(ClientVersion::parse("3.21.0").is_pro());
        assert!(ClientVersion::parse("4").is_pro());
    }

    #[test]
    fn odd_versions_are_old() {
        for odd in ["", "latest", ".5", "99999999999.1"] {
            assert_eq!(ClientVersion::parse(odd), ClientVersion::default(), "{odd}");
        }
    }
}
