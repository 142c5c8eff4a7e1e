//! A call as it arrives.
use std::ops::Range;

use bytes::Bytes;
use serde::de::DeserializeOwned;

/// One call of the webhook. Its parts are slices of one shared body.
#[derive(Debug, Clone)]
pub struct Call {
    /// The action to run; none when the client sent none.
    pub next_action: Option<String>,
    /// The conversation's id; `default` when the client sent none.
    pub sender_id: String,
    /// The conversation so far.
    pub tracker: Tracker,
    /// The assistant's whole domain, when the client sent it.
    pub domain: Option<Raw>,
    /// The fingerprint that Rasa Pro sends in place of the domain.
    pub domain_digest: Option<String>,
    /// Which client calls.
    pub version: ClientVersion,
}

/// The conversation as the call tells it. A part that the client left out is [`Raw::absent`].
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// Object: slot name to value.
    pub slots: Raw,
    /// Object or null: the last user message.
    pub latest_message: Raw,
    /// List: every event so far. Long.
    pub events: Raw,
    /// Object: `{}` or `{"name": …}`; `active_form` of older clients lands here as well.
    pub active_loop: Raw,
    /// List: the dialogue stack of Rasa Pro.
    pub stack: Raw,
    /// The action that an earlier answer's `followup` asked for.
    pub followup_action: Option<String>,
    /// The action that ran last.
    pub latest_action_name: Option<String>,
    /// The channel the user writes on, such as `rest` or `slack`.
    pub latest_input_channel: Option<String>,
    /// Rasa Pro's id of the user.
    pub user_id: Option<String>,
}

/// JSON text that was not parsed yet: valid UTF-8 whose brackets and quotes are balanced.
#[derive(Debug, Clone, Default)]
pub struct Raw(Bytes);

/// A version of the client, as far as answers depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ClientVersion {
    /// Such as 3 of `3.6.21`.
    pub major: u32,
    /// Such as 6 of `3.6.21`.
    pub minor: u32,
}
