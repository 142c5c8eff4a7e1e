//! A part of a hundred that a policy is about: never nothing, never more than all.

/// A part of a hundred, from 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// That part of a hundred.
    ///
    /// # Errors
    /// A text for the author, when it is nothing or more than all.
    pub fn new(number: u8) -> Result<Self, String> {
        if (1..=100).contains(&number) { Ok(Self(number)) } else { Err("a share from 1% to 100% is needed here".to_owned()) }
    }

    /// One that is known when this is built.
    pub(super) const fn of(number: u8) -> Self {
        assert!(number >= 1 && number <= 100);
        Self(number)
    }

    /// How many of a hundred.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether `part` is at least so much of `all`.
    pub(super) fn reached(self, part: u32, all: u32) -> bool {
        u64::from(part) * 100 >= u64::from(all) * u64::from(self.0)
    }
}
