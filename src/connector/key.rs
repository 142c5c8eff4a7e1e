//! The key of one write, by which a vendor knows it again when it is asked for once more.
//!
//! A key is a digest: what it was made of cannot be read out of it, so it may be sent to a vendor and written into a log.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// The letters of a reference.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The key of one call that writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WriteKey {
    digest: [u8; 32],
    again: bool,
}

impl WriteKey {
    /// The key of what `text` says of a call: equal texts give equal keys, in every process and version.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { digest: hashed(&[b"legwork write", text.as_bytes()]), again: false }
    }

    /// A key that no other call has.
    #[must_use]
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        Self { digest: hashed(&[b"legwork random write", &rng.u128(..).to_be_bytes()]), again: false }
    }

    /// The same key for a call that may have been made before: a write that can be looked for is then looked for before it is
    /// made, not only before it is repeated.
    #[must_use]
    pub const fn again(self) -> Self {
        Self { again: true, ..self }
    }

    /// Whether the call may have been made before.
    #[must_use]
    pub const fn is_again(self) -> bool {
        self.again
    }

    /// The key as it is kept: hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key that was kept as `hex`; none when that is none.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let digits = hex.get(..64).filter(|digits| digits.len() == hex.len())?;
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self { digest, again: false })
    }

    /// What a user can quote of it: eight letters and digits that are not taken for one another when they are read out.
    #[must_use]
    pub fn reference(&self) -> String {
        self.digest
            .iter()
            .take(8)
            .filter_map(|byte| LETTERS.get(usize::from(byte & 31)))
            .map(|letter| char::from(*letter))
            .collect()
    }

    /// The reference that somebody quotes, in any case, apart or with what the letters are taken for; none when it is none.
    #[must_use]
    pub fn quoted(text: &str) -> Option<String> {
        let letter = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let read: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).map(letter).collect();
        let known = |c: char| u8::try_from(c).is_ok_and(|byte| LETTERS.contains(&byte));
        (read.len() == 8 && read.chars().all(known)).then_some(read)
    }

    /// The key that the vendor gets with the operation's write of that place, counted from 0: a UUID, since some vendors take
    /// nothing else.
    #[must_use]
    pub fn of_write(self, place: usize) -> String {
        let digest = hashed(&[&self.digest, place.to_string().as_bytes()]);
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = digest;
        let bytes = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
        uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }
}

impl fmt::Debug for WriteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of_write(0))
    }
}

/// A digest of parts that cannot run into one another.
fn hashed(parts: &[&[u8]]) -> [u8; 32] {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, &all).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_key_is_the_same_for_the_same_call_and_differs_by_write() {
        let key = WriteKey::of("acme/default/action_pay/17");
        assert_eq!(key.of_write(0), "305a73e4-c614-8691-a950-059c559a9345", "keys are the same in every version");
        assert_eq!(key.of_write(1), WriteKey::of("acme/default/action_pay/17").again().of_write(1));
        assert_eq!(WriteKey::parse(&key.hex()), Some(key));
        assert_eq!(WriteKey::parse("ab"), None);
        assert_eq!(key.reference().len(), 8);
        let mut rng = fastrand::Rng::with_seed(1);
        let others =
            [key, WriteKey::of("acme/default/action_pay/18"), WriteKey::random(&mut rng), WriteKey::random(&mut rng)];
        let all: BTreeSet<_> = others.iter().flat_map(|key| (0..3).map(|place| key.of_write(place))).collect();
        assert_eq!(all.len(), 12);
        assert!(!format!("{key:?}").contains("acme"));
    }

    #[test]
    fn a_reference_is_known_as_it_is_read_out() {
        for (said, meant) in [
            ("K7Q2M4XD", Some("K7Q2M4XD")),
            (" k7q2-m4xd ", Some("K7Q2M4XD")),
            ("oil0 K7Q2", Some("0110K7Q2")),
            ("K7Q2M4X", None),
            ("K7Q2M4XDD", None),
            ("K7Q2M4XU", None),
            ("K7Q2M4Xé", None),
        ] {
            assert_eq!(WriteKey::quoted(said).as_deref(), meant, "{said}");
        }
    }
}
