//! Validations of forms and slot mappings.

use super::Compiler;
use super::names::Names;
use super::steps::Block;
use super::trust::{Origin, Origins};
use crate::diag::{Code, Diagnostic, Span};
use crate::name::ActionName;
use crate::plan::action::{Rule, Step, Unavailable, Validation, Verb};
use crate::plan::unwritten::SLOT_MAPPINGS;
use crate::spec::action as spec;

impl Compiler<'_> {
    pub(super) fn validation(&mut self, name: &ActionName, written: &spec::Action, names: &Names) -> Validation {
        if !written.steps.is_empty() {
            let place = written.key("steps").map_or(&written.span, |key| &key.span);
            let diagnostic =
                Diagnostic::at(Code::MisplacedKey, place, "a validation has `slots`, `required` and `after`, no `steps`");
            self.out.push(diagnostic.help("steps that run after all slots were checked go under `after`"));
        }
        let form = self.form(name, written);
        self.asks.insert("slots".to_owned());
        let rules = written
            .slots
            .iter()
            .filter_map(|(slot, rule)| {
                let rule = self.rule(rule, names);
                self.slot_set(&slot.value, Origins::from([Origin::Said("value".to_owned())]));
                Some((self.slot_name(slot)?, rule))
            })
            .collect();
        let required = written
            .required
            .iter()
            .filter_map(|(slot, condition)| {
                let condition = self.expression(condition, names);
                self.slot_name(slot).zip(condition)
            })
            .collect();
        let mut own = names.clone().and("offered").and("accepted").and("refused");
        let after = self.steps(&written.after, &mut own, Block::Action);
        Validation { form, rules, required, after, place: written.span.clone() }
    }

    /// The form that the action validates; none for `action_validate_slot_mappings`.
    fn form(&mut self, name: &ActionName, written: &spec::Action) -> Option<String> {
        let form = name.as_str().strip_prefix("validate_");
        if name.as_str() == SLOT_MAPPINGS {
            if let Some((_, condition)) = written.required.iter().next() {
                let message = "only a form has required slots";
                self.out.push(
                    Diagnostic::at(Code::MisplacedKey, &condition.span, message)
                        .help("put `required` into `validate_FORM.yml`"),
                );
            }
            return None;
        }
        match form {
            Some(form) => self.known_form(form, &written.span),
            None => {
                let message = "only `validate_FORM` and `action_validate_slot_mappings` validate slots";
                self.out.push(
                    Diagnostic::at(Code::MisplacedKey, &written.span, message)
                        .help("name the file after the form, or use `steps`"),
                );
            }
        }
        form.map(str::to_owned)
    }

    /// Reports a form that the domain does not have; without a domain there is nothing to hold it against.
    pub(super) fn known_form(&mut self, form: &str, place: &Span) {
        if let Some(domain) = self.domain.filter(|domain| !domain.rasa.forms.contains_key(form)) {
            let diagnostic = Diagnostic::at(Code::UnknownForm, place, format!("the domain has no form `{form}`"));
            self.out.push(diagnostic.did_you_mean(form, domain.rasa.forms.keys().map(String::as_str)));
        }
    }

    fn rule(&mut self, rule: &spec::SlotRule, names: &Names) -> Rule {
        let extract = rule.extract.as_ref().and_then(|node| self.value(node, names));
        let mut own = names.clone().and("value");
        let format = rule.format.as_ref().and_then(|format| self.format(format));
        let accept = rule.accept.as_ref().and_then(|condition| self.expression(condition, &own));
        let call = rule.call.as_ref().and_then(|_| self.lookup(rule, &own));
        if let (Some((_, kind)), Some(name)) = (&call, &rule.r#as) {
            self.define(name, *kind, false, &mut own);
        }
        let refuse = rule.refuse.as_ref().map(|say| self.say(say, &own));
        let set = self.slots(&rule.set, &own);
        let steps = self.steps(&rule.steps, &mut own, Block::Validator);
        if !rule.steps.is_empty() && !always_ends(&steps) {
            let place = rule.key("steps").map_or(&rule.span, |key| &key.span);
            let diagnostic = Diagnostic::at(Code::ValidatorEnd, place, "these steps can end without `accept` or `reject`");
            self.out.push(diagnostic.help("end them with `- accept: value`"));
        }
        let unavailable = rule.unavailable.as_ref().map_or_else(Unavailable::default, |text| match text.value.as_str() {
            "accept" => Unavailable::Accept,
            "reject" => Unavailable::Reject,
            "stop" => Unavailable::Stop,
            other => {
                let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("`unavailable` cannot be `{other}`"));
                self.out.push(diagnostic.did_you_mean(other, ["accept", "reject", "stop"]));
                Unavailable::default()
            }
        });
        Rule {
            format,
            accept,
            call: call.map(|(call, _)| call),
            unavailable,
            refuse,
            set,
            extract,
            steps,
            place: rule.span.clone(),
        }
    }
}

/// Whether every way through the steps comes to an end.
fn always_ends(steps: &[Step]) -> bool {
    steps.iter().any(|step| {
        step.when.is_none()
            && match &step.verb {
                Verb::Accept(_) | Verb::Reject(_) | Verb::Stop(_) => true,
                Verb::Choose(branches) => {
                    branches.iter().any(|branch| branch.when.is_none())
                        && branches.iter().all(|branch| always_ends(&branch.steps))
                }
                _ => false,
            }
    })
}
