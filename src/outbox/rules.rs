//! How long writes are known and tried, as the project says.

use std::time::Duration;

use super::verdict::Patience;
use crate::plan::settings::Settings;

/// The rules of a project.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub(super) patience: Patience,
    pub(super) repeat_within: Duration,
    pub(super) keep_ledger: Duration,
    pub(super) keep_dead: Duration,
    /// Whether conversations are told of the end of what they were promised.
    pub(super) tells: bool,
}

impl Rules {
    /// The rules in these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let (outbox, stores) = (settings.outbox, &settings.stores);
        Self {
            patience: Patience {
                attempts: outbox.attempts,
                first_wait: outbox.first_wait,
                longest_wait: outbox.longest_wait,
                give_up_after: outbox.give_up_after,
            },
            repeat_within: outbox.repeat_within,
            keep_ledger: stores.keep_ledger,
            keep_dead: stores.keep_dead,
            tells: !settings.assistants.is_empty(),
        }
    }
}
