//! Holds what a story says against what happened. Nothing is held against what was not played: that is taken as the story has it.

use serde_json::Value;

use super::{Player, REQUESTED, Spoken};
use crate::diag::{Span, similar};
use crate::qa::compare::same;
use crate::qa::script::{Heard, Sort, Wanted};
use crate::qa::tracker::{looped, slot};

impl Player<'_> {
    /// Slots hold what the story says.
    pub(super) fn hold_slots<'s>(&mut self, slots: impl IntoIterator<Item = &'s Wanted>) {
        for Wanted { name, value: wanted, place } in slots {
            if !self.has_slot(name, place) {
                continue;
            }
            let came = self.tracker.slot(name).clone();
            if fits(wanted.as_ref(), &came) {
                continue;
            }
            if self.turn.by.is_some() || self.turn.filled.contains(name) {
                let after = self.turn.by.as_ref().map_or_else(|| "the message".to_owned(), |by| format!("`{by}`"));
                self.differs(
                    place,
                    format!("slot_was_set `{name}` after {after}"),
                    written(wanted.as_ref()),
                    came.to_string(),
                );
            } else {
                self.take_slot(name, wanted.as_ref());
            }
        }
    }

    /// The story knows a value that nothing here could.
    pub(super) fn take_slot(&mut self, name: &str, wanted: Option<&Value>) {
        // Without a value it is set to something, and nobody knows to what.
        let Some(value) = wanted else { return };
        self.tracker.take(slot(name, value));
        self.seen.taken.slots += usize::from(name != REQUESTED);
    }

    /// Slots do not hold what the story says.
    pub(super) fn hold_no_slots(&mut self, slots: &[Wanted]) {
        for Wanted { name, value: wanted, place } in slots {
            let came = self.tracker.slot(name).clone();
            let holds = match wanted {
                Some(value) => same(value, &came),
                None => !came.is_null(),
            };
            if self.has_slot(name, place) && holds {
                let expected = wanted.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("anything but {value}"));
                self.differs(place, format!("slot_was_not_set `{name}`"), expected, came.to_string());
            }
        }
    }

    /// A form is active, or none is.
    pub(super) fn hold_loop(&mut self, form: Option<&str>, place: &Span) {
        let came = self.tracker.active_loop().map(str::to_owned);
        if came.as_deref() == form {
            return;
        }
        // Stories leave out what a form is told, and only say that it ended.
        let left_out = form.is_none() && self.play.kind != Sort::TestStory;
        if self.turn.by.is_some() && !left_out {
            let shown = |form: Option<&str>| form.map_or_else(|| "no form".to_owned(), |form| format!("`{form}`"));
            self.differs(place, "active_loop", shown(form), shown(came.as_deref()));
            return;
        }
        self.tracker.take(looped(form));
        if form.is_none() {
            self.tracker.take(slot(REQUESTED, &Value::Null));
            self.unanswered = came;
            self.turn.by = None;
        }
    }

    /// Something is said since the last message.
    pub(super) fn hold_heard(&mut self, heard: &Heard, place: &Span) {
        if self.turn.said.iter().any(|spoken| is_said(heard, spoken)) {
            return;
        }
        // What no action of the project said may be what the assistant says by itself.
        if self.turn.by.is_none() || self.may_be_the_assistants(heard) {
            self.seen.taken.messages += 1;
            return;
        }
        let came = self.turn.said.iter().map(shown).collect::<Vec<_>>().join("\n");
        self.differs(place, "what is said", shown_heard(heard), if came.is_empty() { "(nothing)".to_owned() } else { came });
    }

    /// Something is not said since the last message.
    pub(super) fn hold_unheard(&mut self, heard: &Heard, place: &Span) {
        if let Some(spoken) = self.turn.said.iter().find(|spoken| is_said(heard, spoken)) {
            let came = shown(spoken);
            self.differs(place, "what is not said", format!("not {}", shown_heard(heard)), came);
        }
    }

    /// Whether the assistant could say it without an action: a response of the domain.
    fn may_be_the_assistants(&self, heard: &Heard) -> bool {
        if self.play.kind != Sort::Case {
            return false;
        }
        let domain = self.domain();
        match (&heard.response, &heard.text) {
            (Some(response), _) => domain.rasa.responses.contains(response),
            (None, Some(text)) => {
                let none = serde_json::Map::new();
                domain.rasa.responses.iter().flat_map(|name| self.rendered(name, &none)).any(|one| text.matches(&one))
            }
            (None, None) => false,
        }
    }

    fn has_slot(&mut self, name: &str, place: &Span) -> bool {
        let domain = self.domain();
        if self.project.domain.is_none() || domain.has_slot(name) {
            return true;
        }
        let near = similar(name, domain.rasa.slots.keys().map(String::as_str));
        let cure = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        self.differs(place, format!("slot `{name}`"), "a slot of the domain", format!("there is none of that name{cure}"));
        false
    }
}

/// Whether a slot holds what is wanted.
pub(super) fn fits(wanted: Option<&Value>, came: &Value) -> bool {
    wanted.map_or(!came.is_null(), |wanted| same(wanted, came))
}

fn written(wanted: Option<&Value>) -> String {
    wanted.map_or_else(|| "a value".to_owned(), Value::to_string)
}

pub(in crate::qa) fn is_said(heard: &Heard, spoken: &Spoken) -> bool {
    let part = |wanted: &Option<String>, came: &str| wanted.as_ref().is_none_or(|wanted| wanted == came);
    heard.response.as_ref().is_none_or(|name| spoken.response.as_ref() == Some(name))
        && heard.text.as_ref().is_none_or(|text| spoken.texts.iter().any(|came| text.matches(came)))
        && (heard.buttons.is_empty()
            || heard.buttons.len() == spoken.buttons.len()
                && heard
                    .buttons
                    .iter()
                    .zip(&spoken.buttons)
                    .all(|((title, payload), button)| part(title, &button.title) && part(payload, &button.payload)))
}

pub(in crate::qa) fn shown_heard(heard: &Heard) -> String {
    let buttons = heard
        .buttons
        .iter()
        .map(|(title, payload)| format!("[{}] {}", title.as_deref().unwrap_or("…"), payload.as_deref().unwrap_or("…")));
    let parts = heard.response.iter().cloned().chain(heard.text.iter().map(|text| text.written.clone())).chain(buttons);
    parts.collect::<Vec<_>>().join("  ")
}

pub(in crate::qa) fn shown(spoken: &Spoken) -> String {
    let buttons = spoken.buttons.iter().map(|button| format!("[{}] {}", button.title, button.payload));
    let text = spoken.texts.first().cloned().or_else(|| spoken.response.clone());
    let by = spoken.by.iter().map(|by| format!("({by})"));
    text.into_iter().chain(buttons).chain(by).collect::<Vec<_>>().join("  ")
}
