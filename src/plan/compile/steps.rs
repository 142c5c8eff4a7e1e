//! Steps: one verb each, with the keys that go with it and no others.

use super::names::{Names, Type};
use super::shared::Used;
use super::Compiler;
use crate::diag::{Code, Diagnostic, Span};
use crate::name::{Local, SlotName};
use crate::plan::action::{Branch, Each, EventPlan, Step, Use, Verb};
use crate::plan::value::Value;
use crate::rasa::EventKind;
use crate::spec::action as spec;
use crate::spec::{Kind, Map, Node, Text};
use crate::template::Template;

/// What may stand in a list of steps besides the usual.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// An action's own steps.
    Action,
    /// The steps of an outcome: may end in `continue`.
    Outcome,
    /// The steps that check a slot: end in `accept` or `reject`.
    Validator,
    /// The steps of an outcome within those: may end in any of the three.
    ValidatorOutcome,
}

impl Block {
    /// What the steps of an outcome are here.
    pub(super) const fn outcome(self) -> Self {
        match self {
            Self::Action | Self::Outcome => Self::Outcome,
            Self::Validator | Self::ValidatorOutcome => Self::ValidatorOutcome,
        }
    }
}

/// Every verb, and the keys that go with it besides `when`.
const VERBS: &[(&str, &[&str])] = &[
    ("call", &["with", "as", "outcomes", "refresh"]),
    ("say", &[]),
    ("set", &[]),
    ("clear", &[]),
    ("let", &[]),
    ("event", &[]),
    ("choose", &[]),
    ("together", &[]),
    ("each", &["as", "steps", "keep", "collect", "first", "into"]),
    ("use", &["with", "as"]),
    ("wait", &[]),
    ("reject", &[]),
    ("stop", &[]),
    ("continue", &[]),
    ("accept", &[]),
];

impl Compiler<'_> {
    pub(super) fn steps(&mut self, steps: &[spec::Step], names: &mut Names, block: Block) -> Vec<Step> {
        let mut plan = Vec::with_capacity(steps.len());
        let mut ended: Option<(&'static str, Span)> = None;
        for step in steps {
            if let Some((verb, at)) = &ended {
                let diagnostic = Diagnostic::at(Code::UnreachableStep, &step.span, "this step can never run");
                self.out.push(diagnostic.related(at, format!("`{verb}` ends it here")).help("take it out, or give the step before a `when`"));
                break;
            }
            let Some(compiled) = self.step(step, names, block) else { continue };
            if step.when.is_none() && matches!(compiled.verb, Verb::Stop(_) | Verb::Reject(_) | Verb::Continue(_) | Verb::Accept(_)) {
                ended = Some((compiled.verb.name(), step.span.clone()));
            }
            plan.push(compiled);
        }
        plan
    }

    fn step(&mut self, step: &spec::Step, names: &mut Names, block: Block) -> Option<Step> {
        let verb = self.verb_of(step)?;
        let when = step.when.as_ref().and_then(|when| self.expression(when, names));
        let conditional = step.when.is_some();
        let mut defines = Vec::new();
        let verb = match verb {
            "call" => {
                let bind = step.r#as.as_ref();
                let (call, kind) = self.call(step, names, block)?;
                if let Some(name) = bind {
                    defines.extend(self.define(name, kind, conditional, names));
                }
                Verb::Call(Box::new(call))
            }
            "say" => Verb::Say(self.say(step.say.as_ref()?, names)),
            "set" => Verb::Set(self.slots(&step.set, names)),
            "clear" => {
                let null = |slot| (slot, Value::Leaf(Template::constant(serde_json::Value::Null)));
                Verb::Set(step.clear.iter().filter_map(|slot| self.slot_name(slot)).map(null).collect())
            }
            "let" => {
                let mut values = Vec::new();
                for (name, node) in step.r#let.iter() {
                    let value = self.value(node, names);
                    let kind = node.scalar_text().map_or(Type::Any, |text| names.type_of(text.trim_matches(['{', '}', ' '])));
                    let local = self.define(name, kind, conditional, names);
                    values.extend(local.zip(value));
                }
                defines.extend(values.iter().map(|(name, _)| name.clone()));
                Verb::Let(values)
            }
            "event" => Verb::Event(self.event(step.event.as_ref()?, names)?),
            "choose" => self.choose(step, names, block, &mut defines)?,
            "together" => {
                let before = names.clone();
                let mut steps = Vec::new();
                for inner in &step.together {
                    let mut own = before.clone();
                    steps.extend(self.step(inner, &mut own, block));
                    names.absorb(&own);
                }
                defines.extend(steps.iter().flat_map(|step| step.defines.iter().cloned()));
                Verb::Together(steps)
            }
            "each" => self.each(step, names, block, &mut defines)?,
            "use" => self.use_shared(step, names, conditional, &mut defines)?,
            "wait" => Verb::Wait(self.duration(step.wait.as_ref()?)?),
            "reject" => Verb::Reject(self.say(step.reject.as_ref()?, names)),
            "stop" => Verb::Stop(step.stop.as_ref()?.0.as_ref().map(|say| self.say(say, names))),
            "continue" => {
                if !matches!(block, Block::Outcome | Block::ValidatorOutcome) {
                    let diagnostic = Diagnostic::at(Code::MisplacedKey, &step.span, "`continue` stands only in the steps of an outcome");
                    self.out.push(diagnostic.help("it gives the call that failed another result, and the action goes on"));
                }
                Verb::Continue(self.value(step.r#continue.as_ref()?, names)?)
            }
            _ => {
                if !matches!(block, Block::Validator | Block::ValidatorOutcome) {
                    let diagnostic = Diagnostic::at(Code::MisplacedKey, &step.span, "`accept` stands only in the steps of a slot");
                    self.out.push(diagnostic.help("it takes a value for the slot that is being validated"));
                }
                Verb::Accept(self.expression(step.accept.as_ref()?, names)?)
            }
        };
        Some(Step { when, verb, place: step.span.clone(), defines })
    }

    /// The step's one verb; reports none, several, and keys of other verbs.
    fn verb_of(&mut self, step: &spec::Step) -> Option<&'static str> {
        let keys = present(step);
        let verbs: Vec<_> = VERBS.iter().filter(|(verb, _)| keys.contains(verb)).collect();
        let [(verb, own)] = verbs.as_slice() else {
            let all = VERBS.iter().map(|(verb, _)| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
            let diagnostic = match verbs.as_slice() {
                [] => Diagnostic::at(Code::StepVerb, &step.span, "this step says nothing to do").help(format!("a step has one of {all}")),
                [(first, _), (second, _), ..] => {
                    let message = format!("a step does one thing, this has `{first}` and `{second}`");
                    Diagnostic::at(Code::StepVerb, &step.span, message).help("make two steps of it, each with its own dash")
                }
                [_] => return None,
            };
            self.out.push(diagnostic);
            return None;
        };
        for key in keys.iter().filter(|key| **key != "when" && *key != verb && !own.contains(key)) {
            let owners: Vec<_> = VERBS.iter().filter(|(_, own)| own.contains(key)).map(|(verb, _)| format!("`{verb}`")).collect();
            let message = format!("`{key}` does not go with `{verb}`");
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &step.span, message);
            self.out.push(diagnostic.help(format!("it goes with {}", owners.join(", "))));
        }
        Some(verb)
    }

    pub(super) fn slots(&mut self, map: &Map<Node>, names: &Names) -> Vec<(SlotName, Value)> {
        let mut slots = Vec::new();
        for (name, node) in map.iter() {
            let slot = self.slot_name(name);
            let value = self.value(node, names);
            if let Some(value) = &value {
                self.fits_slot(name, node, value);
            }
            slots.extend(slot.zip(value));
        }
        slots
    }

    /// Holds a constant against the slot's type and values.
    fn fits_slot(&mut self, name: &Text, node: &Node, value: &Value) {
        let Some((slot, constant)) = self.domain.and_then(|domain| domain.rasa.slots.get(&name.value)).zip(value.constant()) else { return };
        let misfit = match (&constant, slot.kind.as_str()) {
            (serde_json::Value::Null, _) | (_, "any") => None,
            (serde_json::Value::Bool(_), "bool") | (serde_json::Value::Number(_), "float") | (serde_json::Value::Array(_), "list") => None,
            (serde_json::Value::String(_) | serde_json::Value::Number(_), "text") => None,
            (value, "categorical") => {
                let same = |listed: &serde_json::Value| plain(listed).to_lowercase() == plain(value).to_lowercase();
                let listed: Vec<_> = slot.values.iter().map(plain).collect();
                if !slot.values.iter().any(same) {
                    let message = format!("the categorical slot `{}` does not list this value", name.value);
                    let diagnostic = Diagnostic::at(Code::SlotValue, &node.span, message);
                    self.out.push(diagnostic.did_you_mean(&plain(value), listed.iter().map(String::as_str)));
                }
                None
            }
            (_, "bool") => Some("true or false"),
            (_, "float") => Some("a number"),
            (_, "list") => Some("a list"),
            (_, "text") => Some("a text"),
            _ => None,
        };
        if let Some(needed) = misfit {
            let message = format!("the slot `{}` holds {needed}, not {}", name.value, node.what());
            self.out.push(Diagnostic::at(Code::SlotType, &node.span, message).help("set a value of that type, or change the slot's type in the domain"));
        }
    }

    fn event(&mut self, node: &Node, names: &Names) -> Option<EventPlan> {
        let (name, fields) = match &node.kind {
            Kind::Text(name) => (Text { span: node.span.clone(), value: name.clone() }, None),
            Kind::Map(entries) if entries.len() == 1 => {
                let (key, fields) = entries.first()?;
                (Text::of_key(key), Some(fields))
            }
            _ => {
                let diagnostic = Diagnostic::at(Code::BadEvent, &node.span, "an event is a name, or one name with its fields");
                self.out.push(diagnostic.help("such as `event: pause` or `event: { reminder: { intent: EXTERNAL_x, date_time: … } }`"));
                return None;
            }
        };
        let Some(known) = EventKind::fields(&name.value) else {
            let diagnostic = Diagnostic::at(Code::BadEvent, &name.span, format!("Rasa has no event `{}`", name.value));
            self.out.push(diagnostic.did_you_mean(&name.value, EventKind::NAMES.iter().copied()));
            return None;
        };
        let fields = match fields.map(|node| (node, &node.kind)) {
            None | Some((_, Kind::Null)) => Vec::new(),
            Some((_, Kind::Map(entries))) => {
                for (key, _) in entries.iter().filter(|(key, _)| !known.iter().any(|field| field.name == key.name) && !COMMON.contains(&key.name.as_str())) {
                    let message = format!("the event `{}` has no field `{}`", name.value, key.name);
                    self.out.push(Diagnostic::at(Code::BadEvent, &key.span, message).did_you_mean(&key.name, known.iter().map(|field| field.name)));
                }
                entries.iter().filter_map(|(key, value)| Some((key.name.clone(), self.value(value, names)?))).collect()
            }
            // `followup: action_x` is `followup: { name: action_x }`.
            Some((node, _)) if known.iter().any(|field| field.name == "name") => vec![("name".to_owned(), self.value(node, names)?)],
            Some((node, _)) => {
                let message = format!("the event `{}` takes fields: a mapping", name.value);
                self.out.push(Diagnostic::at(Code::BadEvent, &node.span, message));
                return None;
            }
        };
        let constant = |field: &str| fields.iter().find(|(key, _)| key == field).and_then(|(_, value)| value.constant());
        if name.value == "followup"
            && let Some(serde_json::Value::String(target)) = constant("name")
            && self.acting == target
        {
            let diagnostic = Diagnostic::at(Code::FollowsItself, &node.span, "the action asks Rasa to run itself again, without end");
            self.out.push(diagnostic.help("follow up another action; waiting for a slow system needs no followup"));
        }
        if name.value == "reminder"
            && let Some(serde_json::Value::String(intent)) = constant("intent")
        {
            self.known_intent(&Text { span: node.span.clone(), value: intent });
        }
        Some(EventPlan { name: name.value, fields })
    }

    fn choose(&mut self, step: &spec::Step, names: &mut Names, block: Block, defines: &mut Vec<Local>) -> Option<Verb> {
        let before = names.clone();
        let mut branches = Vec::new();
        for (at, branch) in step.choose.iter().enumerate() {
            let mut own = before.clone();
            let last = at + 1 == step.choose.len();
            let compiled = match (&branch.when, branch.otherwise.is_empty()) {
                (Some(when), true) => {
                    let when = self.expression(when, &before);
                    Branch { when, steps: self.steps(&branch.steps, &mut own, block) }
                }
                (None, false) if last && branch.steps.is_empty() => Branch { when: None, steps: self.steps(&branch.otherwise, &mut own, block) },
                _ => {
                    let diagnostic = Diagnostic::at(Code::StepVerb, &branch.span, "a branch has `when` and `steps`, the last may be `otherwise`");
                    self.out.push(diagnostic.help("write `- when: CONDITION` with `steps:` below it, or `- otherwise:` as the last"));
                    continue;
                }
            };
            defines.extend(compiled.steps.iter().flat_map(|step| step.defines.iter().cloned()));
            names.absorb(&own);
            branches.push(compiled);
        }
        Some(Verb::Choose(branches))
    }

    fn each(&mut self, step: &spec::Step, names: &mut Names, block: Block, defines: &mut Vec<Local>) -> Option<Verb> {
        let source = step.each.as_ref()?;
        let list = self.expression(source, names);
        let kind = match names.type_of(source.value.trim().trim_matches(['{', '}', ' '])) {
            Type::Many(model) => Type::One(model),
            _ => Type::Any,
        };
        let Some(item_name) = &step.r#as else {
            let diagnostic = Diagnostic::at(Code::MissingKey, &step.span, "`each` needs `as`, the item's name");
            self.out.push(diagnostic.help("such as `as: item`"));
            return None;
        };
        let mut inner = names.clone();
        let item = self.define(item_name, kind, false, &mut inner);
        let steps = self.steps(&step.steps, &mut inner, block);
        let keep = step.keep.as_ref().and_then(|keep| self.expression(keep, &inner));
        let collect = step.collect.as_ref().and_then(|collect| self.value(collect, &inner));
        let gathers = step.keep.is_some() || step.collect.is_some() || step.first.is_some();
        if gathers && step.into.is_none() {
            let diagnostic = Diagnostic::at(Code::MissingKey, &step.span, "what is gathered has no name");
            self.out.push(diagnostic.help("add `into: NAME`"));
        }
        let first = step.first.as_ref().is_some_and(|flag| flag.value);
        let gathered = match (first, step.collect.is_some(), kind) {
            (true, false, Type::One(model)) => Type::One(model),
            (false, false, Type::One(model)) => Type::Many(model),
            _ => Type::Any,
        };
        let into = step.into.as_ref().and_then(|into| self.define(into, gathered, step.when.is_some(), names));
        defines.extend(into.clone());
        Some(Verb::Each(Box::new(Each { list: list?, item: item?, steps, keep, collect, first, into })))
    }

    fn use_shared(&mut self, step: &spec::Step, names: &mut Names, conditional: bool, defines: &mut Vec<Local>) -> Option<Verb> {
        let name = step.r#use.as_ref()?;
        let (shared, asks) = match self.used(name)? {
            Used::Steps(shared, asks) => (shared, asks),
            Used::Values(values) => {
                if let Some((given, _)) = step.with.iter().next() {
                    let diagnostic = Diagnostic::at(Code::MisplacedKey, &given.span, format!("`{}` holds values, which take no `with`", name.value));
                    self.out.push(diagnostic.help("look a value up by its key, such as `{{ NAME.key }}` or `{{ NAME[key] }}`"));
                }
                let local = self.define(step.r#as.as_ref().unwrap_or(name), Type::Any, conditional, names)?;
                defines.push(local.clone());
                return Some(Verb::Let(vec![(local, Value::Open(values))]));
            }
            Used::Wrong => return None,
        };
        self.asks.extend(asks);
        let with = self.entries(&step.with, names);
        let written = self.shared;
        let known = written.get(&name.value).map(|(file, _)| &file.inputs);
        for (given, _) in step.with.iter().filter(|(given, _)| known.is_some_and(|known| known.get(&given.value).is_none())) {
            let message = format!("the shared steps `{}` take no input `{}`", name.value, given.value);
            let diagnostic = Diagnostic::at(Code::UnknownInput, &given.span, message);
            self.out.push(diagnostic.did_you_mean(&given.value, known.into_iter().flat_map(Map::iter).map(|(input, _)| input.value.as_str())));
        }
        let bind = step.r#as.as_ref().and_then(|bind| self.define(bind, Type::Any, conditional, names));
        defines.extend(bind.clone());
        Some(Verb::Use(Box::new(Use { shared, with, bind })))
    }
}

/// The keys that any event may have.
const COMMON: [&str; 2] = ["timestamp", "metadata"];

/// The keys that a step has.
fn present(step: &spec::Step) -> Vec<&'static str> {
    let keys = [
        ("when", step.when.is_some()),
        ("call", step.call.is_some()),
        ("with", !step.with.is_empty()),
        ("as", step.r#as.is_some()),
        ("outcomes", !step.outcomes.is_empty()),
        ("refresh", step.refresh.is_some()),
        ("say", step.say.is_some()),
        ("set", !step.set.is_empty()),
        ("clear", !step.clear.is_empty()),
        ("let", !step.r#let.is_empty()),
        ("event", step.event.is_some()),
        ("choose", !step.choose.is_empty()),
        ("together", !step.together.is_empty()),
        ("each", step.each.is_some()),
        ("steps", !step.steps.is_empty()),
        ("keep", step.keep.is_some()),
        ("collect", step.collect.is_some()),
        ("first", step.first.is_some()),
        ("into", step.into.is_some()),
        ("use", step.r#use.is_some()),
        ("wait", step.wait.is_some()),
        ("reject", step.reject.is_some()),
        ("stop", step.stop.is_some()),
        ("continue", step.r#continue.is_some()),
        ("accept", step.accept.is_some()),
    ];
    keys.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
}

/// A scalar as people read it.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
