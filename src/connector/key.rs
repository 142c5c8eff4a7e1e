//! The key of one write, by which a vendor knows it again when it is asked for once more.
//!
//! A key is a digest: what it was made of cannot be read out of it, so it may be sent to a vendor and written into a log.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

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
        let mut rng = fastrand::Rng::with_seed(1);
        let others =
            [key, WriteKey::of("acme/default/action_pay/18"), WriteKey::random(&mut rng), WriteKey::random(&mut rng)];
        let all: BTreeSet<_> = others.iter().flat_map(|key| (0..3).map(|place| key.of_write(place))).collect();
        assert_eq!(all.len(), 12);
        assert!(!format!("{key:?}").contains("acme"));
    }
}
