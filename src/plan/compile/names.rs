//! The names that an expression may use at a place, and what is known of their values.
//!
//! A name is known from where it is defined to the end of its block; after `choose`, `when` and the like it is still known,
//! being null when its step did not run.

use std::collections::BTreeMap;

use super::trust::{self, Origins};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, similar};
use crate::model::{Kind, Model, Money};
use crate::spec::Text;
use crate::template::{Sort, filters};

/// What every expression can use, with a line on each.
pub const OFFERED: &[(&str, &str)] = &[
    ("verified", "what the user has proved: `verified.email`, `.phone`, `.customer`, `.by` and `.at`; null when nothing"),
    ("slots", "the slots by name; one that is not set is null"),
    ("sender_id", "the conversation's id"),
    ("channel", "the input channel, such as `rest`"),
    ("metadata", "what the channel sent with the message"),
    ("latest_message", "the last user message as Rasa sends it"),
    ("user_text", "the text of the last user message"),
    ("intent", "the name of its intent"),
    ("entities", "its entities, each with all its fields"),
    ("active_loop", "the active form: `active_loop.name`"),
    ("stack", "the dialogue stack of Rasa Pro"),
    ("events", "every event of the conversation so far"),
    ("transcript", "who said what: a list of `who` (`user` or `bot`) and `text`"),
    ("latest_action_name", "the action that ran last"),
    ("now", "the time of the call"),
    ("data_age", "how many seconds old the oldest answer is that was kept from an earlier call; null when all are new"),
    ("as_of", "the time that this answer is from; null when all are new"),
    ("timezone", "the project's time zone"),
    ("locale", "the language of this conversation"),
    ("legwork", "the project's labels, word lists, region and currency"),
];

/// Those of them that are there when the conversation is not.
const LASTING: [&str; 4] = ["now", "timezone", "locale", "legwork"];

/// The names that the engine gives at some places and that no user can write.
const OF_SYSTEMS: [&str; 5] = ["fault", "partly", "reference", "address", "code"];

/// What is known of a value.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// Nothing.
    Any,
    /// It is one of a model.
    One(&'static Model),
    /// It is a list of a model.
    Many(&'static Model),
}

/// What a value can be, as far as a comparison goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Possible {
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Bool,
}

impl Possible {
    /// Whether it can be this value; anything can be null.
    pub fn takes(&self, value: &serde_json::Value) -> bool {
        match self {
            _ if value.is_null() => true,
            Self::OneOf(values) => value.as_str().is_some_and(|value| values.iter().any(|one| one == value)),
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Bool => value.is_boolean(),
        }
    }
}

#[derive(Debug, Clone)]
struct Known {
    at: Option<Span>,
    kind: Type,
    conditional: bool,
    /// What it can be, where its format says it.
    possible: Option<Possible>,
    /// What of the conversation its value may come from.
    origins: Origins,
}

/// The names known at a place.
#[derive(Debug, Clone)]
pub struct Names {
    known: BTreeMap<String, Known>,
}

impl Names {
    /// What the conversation offers everywhere.
    #[must_use]
    pub fn offered() -> Self {
        let known =
            |name| Known { at: None, kind: Type::Any, conditional: false, possible: None, origins: trust::of_offered(name) };
        Self { known: OFFERED.iter().map(|(name, _)| ((*name).to_owned(), known(name))).collect() }
    }

    /// What is there when the conversation is not.
    #[must_use]
    pub fn lasting() -> Self {
        let mut names = Self::offered();
        names.known.retain(|name, _| LASTING.contains(&name.as_str()));
        names
    }

    /// Adds a name that the engine gives at this place, such as `value` in a slot's rule.
    #[must_use]
    pub fn and(mut self, name: &str) -> Self {
        let origins = if OF_SYSTEMS.contains(&name) { Origins::new() } else { trust::of_offered(name) };
        self.known.insert(name.to_owned(), Known { at: None, kind: Type::Any, conditional: false, possible: None, origins });
        self
    }

    /// Notes where the value of a name may come from.
    pub fn comes_from(&mut self, name: &str, origins: Origins) {
        if let Some(known) = self.known.get_mut(name) {
            known.origins.extend(origins);
        }
    }

    /// What of the conversation the value of a name may come from.
    #[must_use]
    pub fn origins(&self, name: &str) -> Origins {
        self.known.get(name).map(|known| known.origins.clone()).unwrap_or_default()
    }

    /// Defines a name; one that is certainly defined already would be hidden, and is reported.
    pub fn define(&mut self, name: &Text, kind: Type, conditional: bool, out: &mut Diagnostics) {
        if let Some(earlier) = self.known.get(&name.value)
            && !(earlier.conditional && earlier.at.is_some())
        {
            let message = format!("the name `{}` is taken", name.value);
            let diagnostic = Diagnostic::at(Code::ShadowedName, &name.span, message).help("choose another name");
            out.push(match &earlier.at {
                Some(at) => diagnostic.related(at, "given here first"),
                None => diagnostic.label("every expression has this name already"),
            });
            return;
        }
        if filters().any(|known| known.sort == Sort::Function && known.name == name.value) {
            let message = format!("the name `{}` would hide the function `{}()`", name.value, name.value);
            out.push(Diagnostic::at(Code::ShadowedName, &name.span, message).help("choose another name"));
        }
        // Where both steps may have run, the value may be either's.
        let origins = self.origins(&name.value);
        self.known
            .insert(name.value.clone(), Known { at: Some(name.span.clone()), kind, conditional, possible: None, origins });
    }

    /// Takes over what a block below defined, as conditional.
    pub fn absorb(&mut self, block: &Self) {
        for (name, known) in &block.known {
            let one = self.known.entry(name.clone()).or_insert_with(|| Known { conditional: true, ..known.clone() });
            one.origins.extend(known.origins.iter().cloned());
        }
    }

    /// Whether there is such a name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// What is known of the value of a dotted path.
    #[must_use]
    pub fn type_of(&self, path: &str) -> Type {
        let mut parts = path.split('.');
        let root = parts.next().and_then(|name| self.known.get(name)).map_or(Type::Any, |known| known.kind);
        parts.fold(root, |kind, part| match kind {
            Type::One(model) => model.field(part).map_or(Type::Any, |field| field_type(field.kind)),
            Type::Any | Type::Many(_) => Type::Any,
        })
    }

    /// Notes what the value of a name can be.
    pub fn only(&mut self, name: &str, possible: Option<Possible>) {
        if let Some(known) = self.known.get_mut(name) {
            known.possible = possible;
        }
    }

    /// What the value of a dotted path can be, where its format or its model says it.
    #[must_use]
    pub fn possible(&self, path: &[String]) -> Option<Possible> {
        let (name, keys) = path.split_first()?;
        let known = self.known.get(name)?;
        let Some((last, between)) = keys.split_last() else { return known.possible.clone() };
        let mut kind = known.kind;
        for key in between {
            let Type::One(model) = kind else { return None };
            kind = field_type(model.field(key)?.kind);
        }
        let Type::One(model) = kind else { return None };
        match model.field(last)?.kind {
            Kind::Code(codes) => Some(Possible::OneOf(codes.codes.iter().map(|code| code.code.to_owned()).collect())),
            Kind::Text => Some(Possible::Text),
            Kind::Number => Some(Possible::Number),
            Kind::Bool => Some(Possible::Bool),
            _ => None,
        }
    }

    /// What is wrong with a dotted path that an expression uses, as a message and a cure.
    #[must_use]
    pub fn wrong(&self, path: &[String]) -> Option<(Code, String, Option<String>)> {
        let mut parts = path.iter().map(String::as_str);
        let name = parts.next().unwrap_or_default();
        let Some(known) = self.known.get(name) else {
            let near = similar(name, self.known.keys().map(String::as_str));
            let cure = near.map_or_else(
                || "use an input, a name given by `as`, `let` or `into` before, or a slot as `slots.NAME`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Some((Code::UnknownName, format!("nothing gives `{name}` a value here"), Some(cure)));
        };
        let mut kind = known.kind;
        for part in parts {
            let Type::One(model) = kind else { return None };
            let Some(field) = model.field(part) else {
                let near = nested(model, part)
                    .or_else(|| similar(part, model.fields.iter().map(|field| field.name)).map(str::to_owned));
                let known = || model.fields.iter().map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ");
                let cure = near.map_or_else(|| format!("one of {}", known()), |near| format!("did you mean `{near}`?"));
                return Some((
                    Code::UnknownField,
                    format!("{} {} has no field `{part}`", article(model.name), model.name),
                    Some(cure),
                ));
            };
            kind = field_type(field.kind);
            if !matches!(field.kind, Kind::One(_) | Kind::Money) {
                return None;
            }
        }
        None
    }
}

/// The field of that name in a part of a model, as `shipment.carrier`.
fn nested(model: &Model, name: &str) -> Option<String> {
    model.fields.iter().find_map(|field| match field_type(field.kind) {
        Type::One(part) => part.field(name).map(|inner| format!("{}.{}", field.name, inner.name)),
        Type::Any | Type::Many(_) => None,
    })
}

fn field_type(kind: Kind) -> Type {
    match kind {
        Kind::One(model) => Type::One(model),
        Kind::Many(model) => Type::Many(model),
        Kind::Money => Type::One(Money::MODEL),
        _ => Type::Any,
    }
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Order;

    #[test]
    fn what_an_expression_offers_is_documented() {
        let names = Names::offered();
        assert!(OFFERED.iter().all(|(name, doc)| !doc.is_empty() && names.wrong(&[(*name).to_owned()]).is_none()));
        let page = Code::UnknownName.page();
        assert!(OFFERED.iter().all(|(name, _)| page.contains(&format!("`{name}`"))), "the page lists every name");
    }

    #[test]
    fn a_path_is_followed_into_the_model() {
        let mut names = Names::offered();
        let file = crate::diag::File::new("a.yml", "order");
        let name = Text { span: Span { file, range: 0..5 }, value: "order".into() };
        names.define(&name, Type::One(Order::MODEL), false, &mut Diagnostics::default());
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert!(names.wrong(&path("order.shipment.carrier")).is_none());
        let (code, message, help) = names.wrong(&path("order.shipment.carier")).unwrap();
        assert_eq!((code, help.as_deref()), (Code::UnknownField, Some("did you mean `carrier`?")));
        assert_eq!(message, "a Shipment has no field `carier`");
        let (_, _, help) = names.wrong(&path("order.carrier")).unwrap();
        assert_eq!(help.as_deref(), Some("did you mean `shipment.carrier`?"));
    }
}
