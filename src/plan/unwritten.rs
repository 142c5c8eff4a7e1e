//! What can be said of an action by its name alone, without a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::{Action, Body, Changes};
use super::domain::Domain;
use crate::diag::{File, Span};
use crate::name::ActionName;
use crate::rasa::Slot;

/// The action that maps slots outside of forms.
pub const SLOT_MAPPINGS: &str = "action_validate_slot_mappings";

/// Whether Rasa heeds a followup of an action: not inside of its session start, its slot mappings, its forms.
#[must_use]
pub fn can_follow_up(name: &ActionName, domain: Option<&Domain>) -> bool {
    let (name, domain) = (name.as_str(), domain.map(|domain| &domain.rasa));
    let of_form = name.strip_prefix("validate_").is_some_and(|form| domain.is_none_or(|it| it.forms.contains_key(form)));
    let of_slot = |slot: &Slot| slot.mappings.iter().any(|mapping| mapping.action.as_deref() == Some(name));
    !of_form
        && !["action_session_start", SLOT_MAPPINGS].contains(&name)
        && !name.starts_with("action_ask_")
        && !domain.is_some_and(|domain| domain.slots.values().any(of_slot))
}

impl Action {
    /// An action that no file says, of which only its name is known.
    pub(super) fn without_file(name: ActionName, body: Body, follows_up: bool, asks: BTreeSet<String>) -> Self {
        Self {
            place: Span::start_of(&File::new(name.to_string(), String::new())),
            name,
            description: None,
            inputs: Vec::new(),
            require: Vec::new(),
            limits: None,
            messages: Arc::default(),
            follows_up,
            body,
            changes: Changes::Nothing,
            asks,
            tests: Vec::new(),
        }
    }
}
