//! Steps: one verb each, with the keys that go with it and no others.

use super::Compiler;
use super::names::{Names, Type};
use crate::diag::{Code, Diagnostic, Span};
use crate::name::Local;
use crate::plan::action::{Branch, Does, Each, Step, Verb};
use crate::plan::reading;
use crate::plan::value::Value;
use crate::spec::action as spec;
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
    ("call", &["with", "as", "outcomes", "require", "refresh", "queue", "delivered", "title", "undo"]),
    ("say", &[]),
    ("set", &[]),
    ("clear", &[]),
    ("let", &[]),
    ("event", &[]),
    ("choose", &[]),
    ("together", &[]),
    ("each", &["as", "steps", "keep", "collect", "first", "into"]),
    ("use", &["with", "as"]),
    ("send_code", &["outcomes"]),
    ("verify_code", &["outcomes"]),
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
                self.out.push(
                    diagnostic
                        .related(at, format!("`{verb}` ends it here"))
                        .help("take it out, or give the step before a `when`"),
                );
                break;
            }
            let Some(compiled) = self.step(step, names, block) else { continue };
            if step.when.is_none()
                && matches!(compiled.verb, Verb::Stop(_) | Verb::Reject(_) | Verb::Continue(_) | Verb::Accept(_))
            {
                ended = Some((compiled.verb.name(), step.span.clone()));
            }
            plan.push(compiled);
        }
        plan
    }

    fn step(&mut self, step: &spec::Step, names: &mut Names, block: Block) -> Option<Step> {
        let verb = self.verb_of(step)?;
        let when = step.when.as_ref().and_then(|when| self.condition(when, names));
        let conditional = step.when.is_some();
        let mut defines = Vec::new();
        let verb = match verb {
            "call" => {
                let bind = step.r#as.as_ref();
                let (call, kind, continued) = self.call(step, names, block)?;
                if let Some(name) = bind {
                    defines.extend(self.define(name, kind, conditional, names));
                    names.comes_from(&name.value, continued);
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
                    let (value, origins) = self.tracing(|compiler| compiler.value(node, names));
                    let kind =
                        node.scalar_text().map_or(Type::Any, |text| names.type_of(text.trim_matches(['{', '}', ' '])));
                    let local = self.define(name, kind, conditional, names);
                    names.comes_from(&name.value, origins);
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
                    let Some(compiled) = self.step(inner, &mut own, block) else { continue };
                    if let Some(twice) = compiled.defines.iter().find(|name| defines.contains(name)) {
                        let message = format!("two steps at the same time give the name `{twice}`");
                        self.out.push(
                            Diagnostic::at(Code::ShadowedName, &inner.span, message)
                                .help("choose another name in one of them"),
                        );
                    }
                    defines.extend(compiled.defines.iter().cloned());
                    names.absorb(&own);
                    steps.push(compiled);
                }
                Verb::Together(steps)
            }
            "each" => self.each(step, names, block, &mut defines)?,
            "use" => self.use_shared(step, names, conditional, &mut defines)?,
            "send_code" => self.code(Does::Send, step.send_code.as_ref()?, step, names, block)?,
            "verify_code" => self.code(Does::Check, step.verify_code.as_ref()?, step, names, block)?,
            "wait" => Verb::Wait(reading::duration(step.wait.as_ref()?, &mut self.out)?),
            "reject" => Verb::Reject(self.say(step.reject.as_ref()?, names)),
            "stop" => Verb::Stop(step.stop.as_ref()?.0.as_ref().map(|say| self.say(say, names))),
            "continue" => {
                if !matches!(block, Block::Outcome | Block::ValidatorOutcome) {
                    let diagnostic = Diagnostic::at(
                        Code::MisplacedKey,
                        &place_of(step, "continue"),
                        "`continue` stands only in the steps of an outcome",
                    );
                    self.out.push(diagnostic.help("it gives the call that failed another result, and the action goes on"));
                }
                let given = step.r#continue.as_ref()?;
                let (value, origins) = self.tracing(|compiler| compiler.value(given, names));
                self.trust.continued.extend(origins);
                Verb::Continue(value?)
            }
            _ => {
                if !matches!(block, Block::Validator | Block::ValidatorOutcome) {
                    let diagnostic = Diagnostic::at(
                        Code::MisplacedKey,
                        &place_of(step, "accept"),
                        "`accept` stands only in the steps of a slot",
                    );
                    self.out.push(diagnostic.help("it takes a value for the slot that is being validated"));
                }
                Verb::Accept(self.expression(step.accept.as_ref()?, names)?)
            }
        };
        Some(Step { when, verb, place: step.span.clone(), defines })
    }

    /// The step's one verb; reports none, several, and keys of other verbs.
    fn verb_of(&mut self, step: &spec::Step) -> Option<&'static str> {
        let verbs: Vec<_> = VERBS.iter().filter(|(verb, _)| step.key(verb).is_some()).collect();
        let [(verb, own)] = verbs.as_slice() else {
            let all = VERBS.iter().map(|(verb, _)| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
            match verbs.as_slice() {
                // A verb that is misspelled was said already, as an unknown key.
                [] if step.keys.iter().any(|key| !spec::Step::KEYS.contains(&key.name.as_str())) => {}
                [(first, _), (second, _), ..] => {
                    let message = format!("a step does one thing, this has `{first}` and `{second}`");
                    let diagnostic = Diagnostic::at(Code::StepVerb, &place_of(step, second), message);
                    self.out.push(diagnostic.help("make two steps of it, each with its own dash"));
                }
                _ => {
                    let diagnostic = Diagnostic::at(Code::StepVerb, &step.span, "this step says nothing to do");
                    self.out.push(diagnostic.help(format!("a step has one of {all}")));
                }
            }
            return None;
        };
        for key in
            step.keys.iter().filter(|key| key.name != "when" && key.name != *verb && !own.contains(&key.name.as_str()))
        {
            let owners: Vec<_> = VERBS
                .iter()
                .filter(|(_, own)| own.contains(&key.name.as_str()))
                .map(|(verb, _)| format!("`{verb}`"))
                .collect();
            // What goes with no verb at all is no key of a step, and was said when it was read.
            if !owners.is_empty() {
                let diagnostic =
                    Diagnostic::at(Code::MisplacedKey, &key.span, format!("`{}` does not go with `{verb}`", key.name));
                self.out.push(diagnostic.help(match (key.name.as_str(), *verb) {
                    ("with", "say") => "write `say: { response: NAME, with: … }`, or the values into the text".to_owned(),
                    _ => format!("it goes with {}", owners.join(", ")),
                }));
            }
        }
        self.says_something(step, verb).then_some(verb)
    }

    /// Whether the verb has something to do; reports one with nothing under it, and one that is told not to.
    fn says_something(&mut self, step: &spec::Step, verb: &str) -> bool {
        let empty = match verb {
            "set" => step.set.is_empty(),
            "clear" => step.clear.is_empty(),
            "let" => step.r#let.is_empty(),
            "choose" => step.choose.is_empty(),
            "together" => step.together.is_empty(),
            _ => false,
        };
        let readable = step.keys.iter().all(|key| spec::Step::KEYS.contains(&key.name.as_str()));
        if empty && readable && !self.partial {
            let diagnostic =
                Diagnostic::at(Code::MissingKey, &place_of(step, verb), format!("nothing stands under `{verb}`"));
            self.out.push(
                diagnostic.help("indent what belongs to it by two more blanks than the key itself, or take the step out"),
            );
        }
        !empty
    }

    fn choose(&mut self, step: &spec::Step, names: &mut Names, block: Block, defines: &mut Vec<Local>) -> Option<Verb> {
        let before = names.clone();
        let mut branches = Vec::new();
        for (at, branch) in step.choose.iter().enumerate() {
            let mut own = before.clone();
            let last = at + 1 == step.choose.len();
            let compiled = match (&branch.when, branch.otherwise.is_empty()) {
                (Some(when), true) => {
                    let when = self.condition(when, &before);
                    Branch { when, steps: self.steps(&branch.steps, &mut own, block) }
                }
                (None, false) if last && branch.steps.is_empty() => {
                    Branch { when: None, steps: self.steps(&branch.otherwise, &mut own, block) }
                }
                // An `else` was said already, as an unknown key.
                _ if branch.keys.iter().any(|key| !spec::Branch::KEYS.contains(&key.name.as_str())) => continue,
                _ => {
                    let diagnostic = Diagnostic::at(
                        Code::StepVerb,
                        &branch.span,
                        "a branch has `when` and `steps`, the last may be `otherwise`",
                    );
                    self.out.push(
                        diagnostic.help("write `- when: CONDITION` with `steps:` below it, or `- otherwise:` as the last"),
                    );
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
        let (list, listed) = self.tracing(|compiler| compiler.expression(source, names));
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
        inner.comes_from(&item_name.value, listed.clone());
        let steps = self.steps(&step.steps, &mut inner, block);
        let keep = step.keep.as_ref().and_then(|keep| self.expression(keep, &inner));
        let (collect, mut origins) =
            self.tracing(|compiler| step.collect.as_ref().and_then(|collect| compiler.value(collect, &inner)));
        origins.extend(listed);
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
        if let Some(into) = &step.into {
            names.comes_from(&into.value, origins);
        }
        defines.extend(into.clone());
        Some(Verb::Each(Box::new(Each { list: list?, item: item?, steps, keep, collect, first, into })))
    }
}

/// Where a key of a step stands.
fn place_of(step: &spec::Step, key: &str) -> Span {
    step.key(key).map_or_else(|| step.span.clone(), |key| key.span.clone())
}
