//! Guards, and whether what they rely on is out of the users' hands.
//!
//! Every name carries the parts of the conversation that its value may come from; the answers of systems count as the
//! systems' own. Once all files are compiled it is known which actions set a slot from what, and only then guards are judged:
//! a slot is trusted when its mappings leave it to custom actions, and every action of the project that sets it does so from
//! what is trusted.

use std::collections::{BTreeMap, BTreeSet};

use super::Compiler;
use super::names::Names;
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::action::Guard;
use crate::plan::reading;
use crate::rasa;
use crate::spec::action as spec;
use crate::template::Reference;

/// A part of the conversation that a value may come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A slot.
    Slot(String),
    /// Some slot, whose name is not written out.
    AnySlot,
    /// Another part, which users can write.
    Said(String),
    /// What `with` gives to the shared steps that are being compiled.
    With(String),
}

/// Where a value may come from.
pub type Origins = BTreeSet<Origin>;

/// What is offered everywhere and no user can write.
const TRUSTED: [&str; 6] = ["verified", "now", "data_age", "as_of", "timezone", "legwork"];

/// Where the value of a name comes from that is there without being given.
pub(super) fn of_offered(name: &str) -> Origins {
    match name {
        "slots" => Origins::from([Origin::AnySlot]),
        _ if TRUSTED.contains(&name) => Origins::new(),
        _ => Origins::from([Origin::Said(name.to_owned())]),
    }
}

/// Slots that Rasa fills from what users do, whatever the domain says.
const USERS_OWN: [&str; 2] = ["requested_slot", "session_started_metadata"];

/// What one guard relies on.
struct Relied {
    on: Origin,
    place: Span,
    /// The guard, where it stands in a shared file and the place is that which gives it its values.
    guard: Option<Span>,
}

/// What is known of trust while files are compiled.
#[derive(Default)]
pub(super) struct Trust {
    /// What the expressions compiled by now read, with the place of the first that does.
    read: BTreeMap<Origin, Span>,
    relied: Vec<Relied>,
    /// The inputs of the shared file being compiled that its guards rely on, with the guard's place.
    pub(super) inputs: Vec<(String, Span)>,
    /// What slots are set from.
    written: BTreeMap<String, Origins>,
    /// What `continue` gives to the call whose outcomes are being compiled.
    pub(super) continued: Origins,
    /// A guard or an expression reads `verified`, and where the first guard does.
    wants_verified: Option<Span>,
}

impl Compiler<'_> {
    /// Notes where a name that an expression uses comes from.
    pub(super) fn comes_from(&mut self, reference: &Reference, place: &Span, names: &Names) {
        let origins = match (reference.path.first().map(String::as_str), reference.path.get(1)) {
            (Some("slots"), Some(slot)) => Origins::from([Origin::Slot(slot.clone())]),
            (Some(root), _) => names.origins(root),
            (None, _) => return,
        };
        for origin in origins {
            self.trust.read.entry(origin).or_insert_with(|| place.clone());
        }
    }

    /// Compiles something, and says what it reads.
    pub(super) fn tracing<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> (T, Origins) {
        let (compiled, read) = self.placed(compile);
        (compiled, read.into_keys().collect())
    }

    fn placed<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> (T, BTreeMap<Origin, Span>) {
        let outer = std::mem::take(&mut self.trust.read);
        let compiled = compile(self);
        (compiled, std::mem::replace(&mut self.trust.read, outer))
    }

    /// Compiles guards.
    pub(super) fn guards(&mut self, written: &spec::Require, names: &Names) -> Vec<Guard> {
        written.0.iter().filter_map(|guard| self.guard(guard, names, names)).collect()
    }

    /// Compiles a guard; what it says sees only the names that are there when it refuses.
    pub(super) fn guard(&mut self, written: &spec::Guard, names: &Names, refused: &Names) -> Option<Guard> {
        let (that, read) = self.placed(|compiler| {
            let (that, offset) = reading::guard(&written.that, &mut compiler.out)?;
            compiler.check_names(that.references(), &written.that, offset, names);
            Some(that)
        });
        let that = that?;
        for (on, place) in read {
            self.relies(on, place, None);
        }
        if that.references().iter().any(|reference| reference.path.first().is_some_and(|root| root == "verified")) {
            self.trust.wants_verified.get_or_insert_with(|| written.that.span.clone());
        }
        let say = written.say.as_ref().map(|say| self.say(say, refused));
        Some(Guard { that, say, place: written.that.span.clone() })
    }

    /// Notes that a guard relies on something.
    fn relies(&mut self, on: Origin, place: Span, guard: Option<Span>) {
        match on {
            Origin::With(input) => self.trust.inputs.push((input, guard.unwrap_or(place))),
            on => self.trust.relied.push(Relied { on, place, guard }),
        }
    }

    /// Notes that guards of shared steps rely on what `with` gives here.
    pub(super) fn relies_on_given(&mut self, origins: &Origins, place: &Span, guard: &Span) {
        for on in origins {
            self.relies(on.clone(), place.clone(), Some(guard.clone()));
        }
    }

    /// Notes what a slot is set from.
    pub(super) fn slot_set(&mut self, slot: &str, origins: Origins) {
        self.trust.written.entry(slot.to_owned()).or_default().extend(origins);
    }

    /// Reports guards that rely on what users can write, once every file is compiled.
    pub(super) fn judge_guards(&mut self, verifies: bool) {
        for Relied { on, place, guard } in std::mem::take(&mut self.trust.relied) {
            let Some(how) = self.in_users_hands(&on, &mut BTreeSet::new()) else { continue };
            let what = match &on {
                Origin::Slot(slot) => format!("the slot `{slot}`"),
                Origin::AnySlot => "slots".to_owned(),
                Origin::Said(name) | Origin::With(name) => format!("`{name}`"),
            };
            let diagnostic = Diagnostic::at(Code::UntrustedGuard, &place, format!("a guard relies on {what}: {how}"));
            let diagnostic = diagnostic
                .help("compare with `verified`, such as `verified.email`, or with the answer of a system; see docs/verification.md");
            self.out.push(match &guard {
                Some(guard) => diagnostic.related(guard, "this is the guard"),
                None => diagnostic,
            });
        }
        if let Some(place) = self.trust.wants_verified.take().filter(|_| !verifies && !self.blind) {
            let diagnostic =
                Diagnostic::at(Code::NobodyVerified, &place, "this guard asks for `verified`, which nobody ever is");
            self.out.push(
                diagnostic.help("say under `verify:` of legwork.yml how users prove who they are: by `metadata` or `code`"),
            );
        }
    }

    /// How a user can write something; none when no user can.
    fn in_users_hands(&self, origin: &Origin, seen: &mut BTreeSet<String>) -> Option<String> {
        let slot = match origin {
            Origin::Slot(slot) => slot,
            Origin::AnySlot => return Some("which of them is not written out, and users fill slots".to_owned()),
            Origin::Said(name) | Origin::With(name) => return Some(said(name).to_owned()),
        };
        if !seen.insert(slot.clone()) {
            return None;
        }
        if USERS_OWN.contains(&slot.as_str()) {
            return Some("Rasa fills it from what users send".to_owned());
        }
        let Some(domain) = self.domain else {
            return Some("no domain is there to say that users cannot fill it".to_owned());
        };
        // One that is unknown was reported.
        let known = domain.rasa.slots.get(slot)?;
        filled_by_users(slot, known, &domain.rasa).or_else(|| {
            let set = self.trust.written.get(slot)?;
            let from = set.iter().find(|from| self.in_users_hands(from, seen).is_some())?;
            Some(match from {
                Origin::Slot(other) => format!("an action sets it from the slot `{other}`"),
                Origin::AnySlot => "an action sets it from other slots".to_owned(),
                Origin::Said(name) | Origin::With(name) => format!("an action sets it from `{name}`"),
            })
        })
    }
}

/// Why a part of the conversation is not to be relied on.
fn said(name: &str) -> &'static str {
    match name {
        "metadata" => "whoever talks to the channel can send any, unsigned as it is",
        "sender_id" => "on many channels the user's own program chooses it",
        "channel" => "on some channels the user's own program chooses it",
        "locale" => "it may come from the conversation",
        "active_loop" | "stack" | "latest_action_name" | "intent" => "users bring it about by what they say",
        _ => "it holds what users write",
    }
}

/// How Rasa lets a user fill a slot, by its mappings. Rasa Open Source fills from entities, texts and intents, which buttons
/// send as well; a slot without mappings is filled from the entity of its name by versions before 3, and by the language
/// model in Rasa Pro. There, commands set slots too, whatever their mappings say.
fn filled_by_users(name: &str, slot: &rasa::Slot, domain: &rasa::Domain) -> Option<String> {
    if slot.mappings.is_empty() {
        return Some("it has no `mappings`, so Rasa fills it from what users say".to_owned());
    }
    if let Some(mapping) = slot.mappings.iter().find(|mapping| mapping.kind != "custom") {
        let kind = if mapping.kind.is_empty() { "a mapping without a type" } else { &mapping.kind };
        return Some(format!("its mapping is `{kind}`, so users can fill it"));
    }
    if let Some((form, _)) = domain.forms.iter().find(|(_, form)| form.required_slots.iter().any(|slot| slot == name)) {
        return Some(format!("the form `{form}` asks users for it"));
    }
    let by_command = |mapping: &rasa::Mapping| matches!(mapping.kind.as_str(), "from_llm" | "controlled");
    let pro = domain.slots.values().flat_map(|slot| &slot.mappings).any(by_command);
    pro.then(|| "in an assistant driven by flows, commands of users can set slots".to_owned())
}
