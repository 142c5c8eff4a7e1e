//! The action server that is asked for actions which the project does not have.
//!
//! It is where a team's actions were before: one after the other comes into the project, and the assistant notices nothing.

use super::assistant::Address;

/// The action server behind this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Its webhook.
    pub url: Address,
    /// The hosts that may have private addresses and be talked to without TLS, beside this machine.
    pub allow_private: Vec<String>,
}
