//! Calls: held against the connection's connector, its operation's inputs and its model.

use super::Compiler;
use super::names::{Names, Type};
use super::steps::Block;
use super::trust::Origins;
use crate::diag::{Code, Diagnostic, Diagnostics, Span, similar};
use crate::name::{ConnectionName, OperationName};
use crate::plan::action::{Call, Guard, Handler, On, Step, Verb};
use crate::plan::connector::{Connector, Operation, OperationKind};
use crate::plan::messages::Say as SayPlan;
use crate::plan::reading;
use crate::spec::action as spec;
use crate::spec::message::Say;
use crate::spec::{Flag, Map, Node, Text};

/// The name that stands for every outcome without steps of its own.
const OTHERWISE: &str = "otherwise";
/// The name that stands for an answer that is old.
const STALE: &str = "stale";

/// What a call goes to.
pub(super) struct Target {
    pub(super) connection: ConnectionName,
    pub(super) operation: OperationName,
    /// What is known of the answer.
    pub(super) kind: Type,
    /// Whether it changes something.
    pub(super) writes: bool,
    /// Whether it moves money.
    pub(super) pays: bool,
    /// Whether that is known: not of what could not be found or read, which was said.
    pub(super) known: bool,
}

impl Compiler<'_> {
    /// The call of a step, and what is known of its result.
    pub(super) fn call(&mut self, step: &spec::Step, names: &Names, block: Block) -> Option<(Call, Type, Origins)> {
        let target = step.call.as_ref()?;
        let Target { connection, operation, kind, writes, pays, known } = self.target(target, &step.with)?;
        let may_write = writes || !known;
        let with = self.entries(&step.with, names);
        let refresh = step.refresh.as_ref().and_then(|refresh| self.expression(refresh, names));
        let (outcomes, continued) = self.outcomes(step, kind, names, block.outcome());
        let bind = step.r#as.as_ref().and_then(|name| self.local(name));
        let (before, after) = self.guards_of_call(step, kind, writes, names);
        let queue = step.queue.as_ref().and_then(|queue| self.queue(queue, may_write, pays));
        let delivered = step.delivered.as_ref().map(|say| self.delivered(say, step, kind, may_write));
        let title = self.title(step, may_write, names);
        let undo = self.undo(step, kind, may_write, names, block);
        let call = Call {
            connection,
            operation,
            with,
            bind,
            outcomes,
            before,
            after,
            refresh,
            writes,
            queue,
            delivered,
            title,
            undo,
        };
        Some((call, kind, continued))
    }

    /// Whether a change may be made later.
    fn queue(&mut self, written: &Flag, writes: bool, pays: bool) -> Option<bool> {
        let why = match written.value {
            _ if !writes => Some("what only reads cannot be done later"),
            true if pays => Some("a payment is never made later"),
            _ => None,
        };
        if let Some(why) = why {
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &written.span, why);
            self.out.push(diagnostic.help("take `queue` out; `outcomes` says what happens when the system is not there"));
        }
        writes.then_some(written.value)
    }

    /// What is said once a change that was made later is done. By then there is no conversation to look at.
    fn delivered(&mut self, written: &Say, step: &spec::Step, kind: Type, writes: bool) -> SayPlan {
        if !writes {
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &written.span, "what only reads is never done later");
            self.out.push(diagnostic.help("take `delivered` out, and say it in the next step"));
        }
        for message in written.messages.iter().filter_map(|message| message.response.as_ref()) {
            let what = "a response of the domain cannot be said outside of a turn";
            self.out.push(Diagnostic::at(Code::MisplacedKey, &message.span, what).help("write the text itself"));
        }
        let mut names = Names::lasting().and("reference");
        if let Some(bind) = &step.r#as {
            names.define(bind, kind, false, &mut Diagnostics::default());
        }
        let inputs = step.with.iter().map(|(name, _)| name.value.as_str());
        let bound = step.r#as.as_ref().map(|bind| bind.value.as_str());
        let names = inputs.filter(|name| Some(*name) != bound).fold(names, |names, name| names.and(name));
        self.say(written, &names)
    }

    /// The guards that are checked before a call is made, and those that wait for its answer because they read it.
    fn guards_of_call(&mut self, step: &spec::Step, kind: Type, writes: bool, names: &Names) -> (Vec<Guard>, Vec<Guard>) {
        let mut own = names.clone();
        if let Some(bind) = &step.r#as {
            // One that is taken is reported where it is given for good.
            own.define(bind, kind, false, &mut Diagnostics::default());
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for written in &step.require.0 {
            let Some(guard) = self.guard(written, &own, names) else { continue };
            let reads = |bind: &Text| guard.that.references().iter().any(|it| it.path.first() == Some(&bind.value));
            if !step.r#as.as_ref().is_some_and(reads) {
                before.push(guard);
                continue;
            }
            if writes {
                let message = "this guard reads what the call answers, and the call changes something";
                let diagnostic = Diagnostic::at(Code::MisplacedKey, &guard.place, message);
                self.out.push(
                    diagnostic.help("look it up with a call before, and put the guard on either with that one's answer"),
                );
            }
            after.push(guard);
        }
        (before, after)
    }

    /// The call of a slot's rule.
    pub(super) fn lookup(&mut self, rule: &spec::SlotRule, names: &Names) -> Option<(Call, Type)> {
        let Target { connection, operation, kind, writes, .. } = self.target(rule.call.as_ref()?, &rule.with)?;
        let with = self.entries(&rule.with, names);
        let bind = rule.r#as.as_ref().and_then(|name| self.local(name));
        Some((
            Call {
                connection,
                operation,
                with,
                bind,
                outcomes: Vec::new(),
                before: Vec::new(),
                after: Vec::new(),
                refresh: None,
                writes,
                queue: None,
                delivered: None,
                title: None,
                undo: None,
            },
            kind,
        ))
    }

    /// Finds the operation and holds the given inputs against it.
    pub(super) fn target(&mut self, target: &Text, with: &Map<Node>) -> Option<Target> {
        let parsed = target.value.split_once('.').and_then(|(connection, operation)| {
            Some((ConnectionName::parse(connection.trim())?, OperationName::parse(operation.trim())?))
        });
        let Some((connection, operation)) = parsed else {
            let diagnostic = Diagnostic::at(Code::BadValue, &target.span, format!("`{}` names no operation", target.value));
            let has = |connector: &Connector| connector.operations.keys().any(|it| it.as_str() == target.value);
            let with = self.connections.iter().filter(|(_, connector)| connector.as_ref().is_some_and(|it| has(it)));
            let with: Vec<_> = with.map(|(connection, _)| format!("`{connection}.{}`", target.value)).collect();
            self.out.push(diagnostic.help(match with.is_empty() {
                true => "write `CONNECTION.OPERATION`, such as `shop.find_order`".to_owned(),
                false => format!("write {}", with.join(" or ")),
            }));
            return None;
        };
        let connections = self.connections;
        let connector = match connections.get(&connection) {
            Some(Some(connector)) => connector,
            // The connection is there, but its connector could not be read: that was said where it stands.
            Some(None) => {
                return Some(Target { connection, operation, kind: Type::Any, writes: false, pays: false, known: false });
            }
            None => {
                self.no_connection(&connection, &target.part(0..connection.as_str().len()));
                return Some(Target { connection, operation, kind: Type::Any, writes: false, pays: false, known: false });
            }
        };
        let Some(known) = connector.operations.get(&operation) else {
            let at = target.value.find('.').map_or(0, |at| at + 1);
            self.no_operation((&connection, connector), &operation, &target.part(at..target.value.len()));
            return None;
        };
        self.inputs_fit(target, known, with);
        if let Some(deprecated) = &known.deprecated {
            let message = format!("`{}` should no longer be called", target.value);
            self.out.push(Diagnostic::at(Code::DeprecatedOperation, &target.span, message).help(deprecated.clone()));
        }
        let kind = match known.model {
            Some(model) if known.many => Type::Many(model),
            Some(model) => Type::One(model),
            None => Type::Any,
        };
        let pays = known.kind == OperationKind::Payment;
        Some(Target { connection, operation, kind, writes: known.kind.writes(), pays, known: true })
    }

    /// Reports an operation that the connector of a connection does not have.
    pub(super) fn no_operation(
        &mut self,
        (connection, connector): (&ConnectionName, &Connector),
        operation: &OperationName,
        place: &Span,
    ) {
        let message = format!("the connector `{}` of `{connection}` has no operation `{operation}`", connector.name);
        let diagnostic = Diagnostic::at(Code::UnknownOperation, place, message);
        self.out.push(match connector.lacks(operation.as_str()) {
            Some(why) => diagnostic.help(format!("the vendor's API does not offer it: {why}")),
            None => diagnostic.did_you_mean(operation.as_str(), connector.operations.keys().map(OperationName::as_str)),
        });
    }

    /// Reports a connection that legwork.yml does not have, unless legwork.yml could not be read.
    pub(super) fn no_connection(&mut self, name: &ConnectionName, place: &Span) {
        if !self.blind {
            let diagnostic =
                Diagnostic::at(Code::UnknownConnection, place, format!("legwork.yml has no connection `{name}`"));
            self.out.push(diagnostic.did_you_mean(name.as_str(), self.connections.keys().map(ConnectionName::as_str)));
        }
    }

    fn inputs_fit(&mut self, target: &Text, operation: &Operation, with: &Map<Node>) {
        for (given, _) in
            with.iter().filter(|(given, _)| !operation.inputs.iter().any(|input| input.name.as_str() == given.value))
        {
            let message = format!("`{}` takes no input `{}`", target.value, given.value);
            let diagnostic = Diagnostic::at(Code::UnknownInput, &given.span, message);
            self.out.push(diagnostic.did_you_mean(&given.value, operation.inputs.iter().map(|input| input.name.as_str())));
        }
        for input in operation.inputs.iter().filter(|input| input.required && with.get(input.name.as_str()).is_none()) {
            // One that is misspelled is not missing as well.
            let name = input.name.as_str();
            if with.iter().any(|(given, _)| {
                similar(&given.value, [name]).is_some()
                    && !operation.inputs.iter().any(|other| other.name.as_str() == given.value)
            }) {
                continue;
            }
            let message = format!("`{}` needs the input `{}`", target.value, input.name);
            let doc = if input.doc.is_empty() { String::new() } else { format!(": {}", input.doc) };
            self.out.push(
                Diagnostic::at(Code::MissingInput, &target.span, message)
                    .help(format!("add `{}` to `with`{doc}", input.name)),
            );
        }
    }

    /// What a call's outcomes lead to; `otherwise` is every one that is not named, and `stale` sees the answer as well.
    /// With them, where what `continue` gives may come from.
    pub(super) fn outcomes(
        &mut self,
        step: &spec::Step,
        kind: Type,
        names: &Names,
        block: Block,
    ) -> (Vec<Handler>, Origins) {
        let mut handlers = Vec::new();
        let outer = std::mem::take(&mut self.trust.continued);
        for (name, handler) in step.outcomes.iter() {
            let on = match name.as_str() {
                OTHERWISE => On::Otherwise,
                STALE => On::Stale,
                _ => match reading::call_outcome(name, &[STALE, OTHERWISE], &mut self.out) {
                    Some(outcome) => On::Outcome(outcome),
                    None => continue,
                },
            };
            let mut own = names.clone().and("fault");
            if let (On::Stale, Some(bind)) = (on, &step.r#as) {
                // One that is taken is reported where it is given for good.
                own.define(bind, kind, false, &mut Diagnostics::default());
            }
            let steps = match handler {
                spec::Handler::Steps(steps) => self.steps(steps, &mut own, block),
                spec::Handler::Say(say) => {
                    let place = say.span.clone();
                    vec![Step { when: None, verb: Verb::Say(self.say(say, &own)), place, defines: Vec::new() }]
                }
            };
            handlers.push(Handler { on, place: name.span.clone(), steps });
        }
        (handlers, std::mem::replace(&mut self.trust.continued, outer))
    }
}
