//! What can run and is hardly meant: conditions that always come out the same, numbers that a message shows whole, payments
//! that leave the user alone, slots of forms that nothing looks at.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Compiler;
use super::names::{Names, Possible};
use crate::diag::{Code, Diagnostic, Span};
use crate::name::ActionName;
use crate::plan::action::{Call, On};
use crate::plan::connector::OperationKind;
use crate::plan::unwritten::SLOT_MAPPINGS;
use crate::rasa::Mapping;
use crate::spec::Text;
use crate::template::{Comparison, Expression, Scope, Template};

/// The ends of the names of what nobody should read over somebody's shoulder, each with the filter that masks it; none for
/// what is not for showing at all.
const NUMBERS: [(&str, Option<&str>); 13] = [
    ("card_number", Some("mask_card")),
    ("cardnumber", Some("mask_card")),
    ("card_no", Some("mask_card")),
    ("credit_card", Some("mask_card")),
    ("creditcard", Some("mask_card")),
    ("debit_card", Some("mask_card")),
    ("iban", Some("mask")),
    ("bank_account", Some("mask_card")),
    ("ssn", Some("mask_card")),
    ("social_security_number", Some("mask_card")),
    ("cvv", None),
    ("cvc", None),
    ("card_pin", None),
];

impl Compiler<'_> {
    /// A condition: an expression that is meant to come out one way or the other.
    pub(super) fn condition(&mut self, text: &Text, names: &Names) -> Option<Expression> {
        let expression = self.expression(text, names)?;
        // What is called may give another value each time.
        let constant = expression.references().is_empty() && !expression.source().contains('(');
        if let (true, Ok(holds)) = (constant, expression.truth(&Scope::new(Arc::new(())))) {
            let (message, cure) = match holds {
                true => (
                    "this condition always holds",
                    "take it out, or compare a name with something; names have no quotes around them",
                ),
                false => (
                    "this condition never holds",
                    "take the step out, or compare a name with something: `order.status == 'shipped'`",
                ),
            };
            self.out.push(Diagnostic::at(Code::ConstantCondition, &text.span, message).help(cure));
        }
        Some(expression)
    }

    /// Holds values that names are compared with against what these can be; `offset` is where the source begins in the text.
    pub(super) fn comparisons(&mut self, compared: &[Comparison], text: &Text, offset: usize, names: &Names) {
        for Comparison { path, value, range } in compared {
            let possible = match path.as_slice() {
                [root, slot] if root == "slots" && names.knows(root) => self.slot_holds(slot, value),
                _ => names.possible(path),
            };
            let Some(possible) = possible.filter(|possible| !possible.takes(value)) else { continue };
            let written = text.value.get(range.start + offset..range.end + offset).unwrap_or_default();
            let place = text.part(range.start + offset..range.end + offset);
            let message = format!("`{}` is never `{written}`", path.join("."));
            let diagnostic = Diagnostic::at(Code::ConstantCondition, &place, message);
            self.out.push(match &possible {
                Possible::OneOf(values) => {
                    let given = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    diagnostic.did_you_mean(&given, values.iter().map(String::as_str))
                }
                Possible::Bool => diagnostic.help("it is true or false: write the name alone, or `not` before it"),
                Possible::Number => diagnostic.help("it is a number: write one without quotes"),
                Possible::Text => diagnostic.help(format!("it is a text: write '{written}', in quotes")),
            });
        }
    }

    /// What a slot can hold, where the domain says it and that leaves no room for this value. Rasa keeps a value of a
    /// categorical slot as it came, whatever its case.
    fn slot_holds(&self, name: &str, value: &Json) -> Option<Possible> {
        let slot = self.domain?.rasa.slots.get(name)?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let same = |listed: &String| value.as_str().is_some_and(|value| value.to_lowercase() == listed.to_lowercase());
        match slot.kind.as_str() {
            "bool" => Some(Possible::Bool),
            "categorical" => {
                let listed: Option<Vec<String>> = slot.values.iter().map(text).collect();
                listed.filter(|listed| !listed.iter().any(same)).map(Possible::OneOf)
            }
            _ => None,
        }
    }

    /// Reports names in what is said whose value should not be seen whole.
    pub(super) fn shown(&mut self, template: Option<&Template>, text: &Text) {
        let shown = template.into_iter().flat_map(Template::references).filter(|reference| reference.whole);
        for reference in shown {
            let name = reference.path.last().map(String::as_str).unwrap_or_default();
            let is = |end: &str| name == end || name.strip_suffix(end).is_some_and(|before| before.ends_with('_'));
            let Some((_, filter)) = NUMBERS.iter().find(|(end, _)| is(end)) else { continue };
            let place = text.part(reference.range.clone());
            let message = format!("this shows `{}` whole", reference.dotted());
            self.out.push(Diagnostic::at(Code::UnmaskedNumber, &place, message).help(match filter {
                Some(filter) => format!("write `{} | {filter}`", reference.dotted()),
                None => "leave it out: nobody needs to read it".to_owned(),
            }));
        }
    }

    /// Reports a payment without words for when its system is away, unless the action has its own for all its calls.
    pub(super) fn unanswered(&mut self, call: &Call, kind: OperationKind, at: &Span) {
        let answered = call.handles_absence() || call.outcomes.iter().any(|handler| handler.on == On::Otherwise);
        if kind == OperationKind::Payment && !answered && !self.reworded {
            let message = format!("this pays, and says nothing of its own when `{}` is away", call.connection);
            self.out.push(Diagnostic::at(Code::UnansweredWrite, at, message).help(
                "add to its `outcomes`: `unavailable: \"Nothing was paid: …\"`, so that users know about their money",
            ));
        }
    }

    /// Reports slots that a form fills with whatever the user types and that no file of the project looks at. `validated` has
    /// the slots of each validation, and is none for one that cannot be read.
    pub(super) fn unvalidated(&mut self, validations: &[(ActionName, Option<BTreeSet<String>>)]) {
        let Some(domain) = self.domain else { return };
        let of =
            |name: &str| validations.iter().find(|(action, _)| action.as_str() == name).map(|(_, slots)| slots.as_ref());
        // The validation of a form by another name is perhaps that of a form without one, which was said.
        let astray = |action: &ActionName| {
            action.as_str().strip_prefix("validate_").is_some_and(|it| !domain.rasa.forms.contains_key(it))
        };
        let astray = validations.iter().any(|(action, _)| astray(action));
        for (form, slots) in domain.forms() {
            let validator = format!("validate_{form}");
            // Written elsewhere, or not readable: nothing is known of it then.
            let elsewhere = of(&validator).is_none() && (astray || domain.listed().any(|listed| listed == validator));
            if elsewhere || matches!(of(&validator), Some(None)) || matches!(of(SLOT_MAPPINGS), Some(None)) {
                continue;
            }
            let looked_at = |slot: &str| {
                [validator.as_str(), SLOT_MAPPINGS]
                    .iter()
                    .any(|name| of(name).flatten().is_some_and(|slots| slots.contains(slot)))
            };
            for slot in slots.iter().filter(|slot| !looked_at(&slot.value)) {
                let mappings = domain.rasa.slots.get(&slot.value).map(|slot| slot.mappings.as_slice()).unwrap_or_default();
                if !mappings.iter().any(|mapping| takes_everything(mapping, form)) {
                    continue;
                }
                let message =
                    format!("`{form}` takes whatever the user types for `{}`, and nothing looks at it", slot.value);
                let cure = match of(&validator) {
                    Some(_) => format!(
                        "add `{0}: {{ format: … }}` to `slots` in {validator}.yml, or `{0}: {{}}` where everything is right",
                        slot.value
                    ),
                    None => format!("run `legwork new form {form}`, which writes {validator}.yml"),
                };
                self.out.push(Diagnostic::at(Code::UnvalidatedSlot, &slot.span, message).help(cure));
            }
        }
    }
}

/// Whether a mapping fills its slot with any text while the form is active.
fn takes_everything(mapping: &Mapping, form: &str) -> bool {
    let here = |wanted: &Option<Option<String>>| wanted.as_ref().is_none_or(|wanted| wanted.as_deref() == Some(form));
    mapping.kind == "from_text"
        && (mapping.conditions.is_empty() || mapping.conditions.iter().any(|condition| here(&condition.active_loop)))
}
