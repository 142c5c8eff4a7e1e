//! The id of a request: the one it came with when that is fit for a log line, else a new one. Ids of one process differ.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use uuid::Uuid;

/// Makes ids: a part of the process and a number.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        Self { process: Uuid::new_v4().as_fields().0, next: AtomicU64::new(1) }
    }

    /// The id of the request with these headers.
    pub(super) fn of(&self, headers: &HeaderMap) -> Arc<str> {
        if let Some(given) = headers.get("x-request-id").and_then(|value| value.to_str().ok()).filter(|id| is_fit(id)) {
            return Arc::from(given);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::from(format!("{:08x}-{number:x}", self.process))
    }
}

/// Short, and without anything that could end a line or look like another field.
fn is_fit(id: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=100).contains(&id.len()) && id.bytes().all(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_id_is_kept_and_others_are_replaced() {
        let ids = RequestIds::new();
        let with = |id: &str| ids.of(&[("x-request-id".parse().unwrap(), id.parse().unwrap())].into_iter().collect());
        assert_eq!(&*with("a-1"), "a-1");
        let long = "x".repeat(101);
        for unfit in ["", "a b", "a\"b", long.as_str()] {
            assert_ne!(&*with(unfit), unfit);
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
