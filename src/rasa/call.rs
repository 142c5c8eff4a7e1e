//! A call as it arrives. [`Call::decode`] is the one place that makes one of a body.

use bytes::Bytes;

use super::{ClientVersion, Raw};

/// One call of the webhook. Its parts are slices of one shared body.
#[derive(Debug, Clone, Default)]
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
    /// The whole body, as it was sent.
    pub whole: Bytes,
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
