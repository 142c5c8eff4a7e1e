//! What an action of a story does: the project's own is called, Rasa's own are played, and the rest is somebody else's.

use serde_json::{Value, json};

use super::{Player, REQUESTED, Sort, Step, Told, What};
use crate::diag::{Span, similar};
use crate::name::ActionName;
use crate::qa::tracker::{looped, ran, slot};

/// Rasa stops a turn that goes on and on.
const MOST: usize = 10;

impl Player<'_> {
    /// An action runs.
    pub(super) async fn act(&mut self, name: &str, place: &Span) {
        let domain = self.domain();
        let own = self.project.actions.contains_key(name) || self.play.stubs.contains_key(name);
        match name {
            _ if name.starts_with("utter_") && !own => {
                self.tracker.take(ran(name));
                if domain.texts(name).is_empty() && !domain.rasa.responses.iter().any(|it| it == name) {
                    self.unknown(name, place);
                }
                self.utter(name);
            }
            _ if domain.rasa.forms.contains_key(name) => self.form(name, place).await,
            "action_restart" if !own => self.tracker.take(json!({ "event": "restart", "timestamp": null })),
            "action_deactivate_loop" if !own => {
                for event in [ran(name), looped(None), slot(REQUESTED, &Value::Null)] {
                    self.tracker.take(event);
                }
            }
            "action_back" if !own => {
                for _ in 0..2 {
                    self.tracker.take(json!({ "event": "rewind" }));
                }
            }
            _ => self.custom(name, own, place).await,
        }
    }

    async fn custom(&mut self, name: &str, own: bool, place: &Span) {
        if own && let Some(missing) = self.unanswered() {
            self.note(format!("{name} was not run: the story does not say what {missing}"));
            self.tracker.take(ran(name));
            self.turn.by = None;
            return;
        }
        match self.call(name).await {
            Told::Answer(answer) => {
                self.tracker.take(ran(name));
                self.apply(name, answer);
                self.turn.by = Some(name.to_owned());
            }
            Told::Declined(reason) => {
                self.differs(place, name, "it runs", format!("it declines: {reason}"));
                self.turn.by = None;
            }
            Told::Absent => {
                self.tracker.take(ran(name));
                self.turn.by = None;
                if self.domain().custom_actions().any(|action| action.value == name) {
                    self.seen.absent.insert(name.to_owned());
                } else if !self.domain().runs(name) {
                    self.unknown(name, place);
                }
            }
        }
    }

    /// The name is of nothing that the assistant could run.
    fn unknown(&mut self, name: &str, place: &Span) {
        // Without a domain, nobody knows what the assistant can run.
        if self.project.domain.is_none() {
            self.seen.absent.insert(name.to_owned());
            return;
        }
        let domain = self.domain();
        let known = self.project.actions.keys().map(ActionName::as_str).chain(domain.listed());
        let known = known.chain(domain.rasa.responses.iter().map(String::as_str));
        let known = known.chain(domain.rasa.forms.keys().map(String::as_str));
        let came = similar(name, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        self.differs(
            place,
            name,
            "an action, a form or a response of the domain",
            format!("there is none of that name{came}"),
        );
    }

    /// What the form whose answers the story leaves out would have asked, as long as that is not known.
    fn unanswered(&self) -> Option<String> {
        let form = self.unanswered.as_ref()?;
        let required = &self.domain().rasa.forms.get(form)?.required_slots;
        let missing: Vec<_> = required.iter().filter(|slot| self.tracker.slot(slot).is_null()).map(String::as_str).collect();
        (!missing.is_empty()).then(|| format!("`{form}` was told ({})", missing.join(", ")))
    }

    /// What the last answer asks for next is run at once, as Rasa does; a story has to know of it.
    pub(super) async fn followed(&mut self, action: &str, place: &Span, then: &[Step]) {
        let mut asks = action.to_owned();
        for _ in 0..MOST {
            let next = self.tracker.followup.take().filter(|next| next != "action_listen");
            let Some(next) = next else { return };
            let acting = then.iter().find(|step| matches!(step.what, What::Action(_) | What::User(..)));
            match acting.map(|step| &step.what) {
                Some(What::Action(known)) if *known == next => return,
                Some(What::Action(other)) if self.play.kind != Sort::Case => {
                    let came = format!("`{next}`, for which `{asks}` asks");
                    self.differs(place, "what runs next", format!("`{other}`"), came);
                    return;
                }
                _ => {}
            }
            Box::pin(self.act(&next, place)).await;
            asks = next;
        }
    }
}
