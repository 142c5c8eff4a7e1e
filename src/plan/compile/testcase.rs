//! `tests:` blocks.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Compiler;
use super::call::Target;
use super::names::Names;
use crate::diag::{Code, Diagnostic};
use crate::name::ConnectionName;
use crate::plan::connector::{NotStaged, Staged, place_of};
use crate::plan::reading;
use crate::plan::settings::PROVED;
use crate::plan::testcase::{Expect, Given, Matcher, Pattern, Said, Situation, Test};
use crate::spec::{Kind, Map, Node, Text, testcase as spec};

impl Compiler<'_> {
    pub(super) fn test(&mut self, test: &spec::Test) -> Option<Test> {
        for (slot, _) in test.slots.iter().chain(test.offered.iter()).chain(test.expect.slots.iter()) {
            self.known_slot(&slot.value, &slot.span);
        }
        let before = test.before.iter().filter_map(|call| self.prepare(call)).collect();
        let given: Vec<_> = test.given.iter().filter_map(|(place, given)| self.given(place, given)).collect();
        self.one_turn_before(test, &given);
        let now = test.now.as_ref().and_then(|text| self.moment(text));
        let expect = self.expect(&test.expect)?;
        let value = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
        let situation = Situation {
            slots: constants(&test.slots),
            text: value(&test.text),
            intent: value(&test.intent),
            entities: test.entities.as_ref().map(entities).unwrap_or_default(),
            metadata: constants(&test.metadata),
            verified: self.proved(&test.verified),
            sender: value(&test.sender),
            channel: value(&test.channel),
            active_loop: value(&test.active_loop),
            offered: constants(&test.offered),
            events: test.events.iter().map(Node::to_json).collect(),
        };
        Some(Test { it: test.it.value.clone(), place: test.span.clone(), situation, now, before, given, expect })
    }

    /// What the user of a test has proved.
    fn proved(&mut self, written: &Map<Text>) -> Vec<(String, String)> {
        let mut proved = Vec::new();
        for (what, value) in written.iter() {
            if PROVED.contains(&what.as_str()) {
                proved.push((what.value.clone(), value.value.clone()));
            } else {
                let diagnostic = Diagnostic::at(Code::BadValue, &what.span, format!("nobody proves their `{}`", what.value));
                self.out.push(diagnostic.did_you_mean(&what.value, PROVED));
            }
        }
        proved
    }

    fn prepare(&mut self, call: &spec::Prepare) -> Option<(ConnectionName, crate::name::OperationName, Value)> {
        let Target { connection, operation, .. } = self.target(&call.call, &call.with)?;
        let with = self.entries(&call.with, &Names::offered());
        let inputs = with.iter().map(|(name, value)| (name.clone(), value.constant().unwrap_or_default())).collect();
        Some((connection, operation, Value::Object(inputs)))
    }

    fn given(&mut self, place: &Text, given: &spec::Given) -> Option<Given> {
        let (faults, known) = match given {
            spec::Given::Word(word) => (vec![self.staged(word, Staged::parse(&word.value))?], None),
            spec::Given::State(state) => self.state(state)?,
        };
        let Some((connection, operation)) = place_of(&place.value) else {
            let message = format!("`{}` names neither a connection nor an operation of one", place.value);
            let diagnostic = Diagnostic::at(Code::BadName, &place.span, message);
            self.out.push(diagnostic.help("write the connection's name, or CONNECTION.OPERATION"));
            return None;
        };
        let connections = self.connections;
        match (connections.get(&connection), &operation) {
            (None, _) => self.no_connection(&connection, &place.span),
            (Some(Some(connector)), Some(operation)) if !connector.operations.contains_key(operation) => {
                self.no_operation((&connection, connector), operation, &place.span);
            }
            _ => {}
        }
        Some(Given { connection, operation, faults, known })
    }

    /// What a mapping says is wrong with a system; nothing where each of it is said not to be.
    fn state(&mut self, state: &spec::State) -> Option<(Vec<Staged>, Option<std::time::Duration>)> {
        let (mut faults, mut written) = (Vec::new(), false);
        for (flag, fault) in [(&state.down, Staged::Down), (&state.wrong_data, Staged::WrongData)] {
            written |= flag.is_some();
            faults.extend(flag.as_ref().filter(|flag| flag.value).map(|_| fault));
        }
        for (name, value) in [("slow", &state.slow), ("rate_limited", &state.rate_limited), ("flaky", &state.flaky)] {
            let Some(value) = value else { continue };
            written = true;
            let fault = match (name, value.as_str()) {
                ("rate_limited", "false") => continue,
                ("rate_limited", "true") => Ok(Staged::RateLimited(None)),
                (name, said) => Staged::of(name, Some(said)),
            };
            faults.push(self.staged(value, fault)?);
        }
        if !written {
            let diagnostic = Diagnostic::at(Code::MissingKey, &state.span, "nothing is wrong with the system here");
            self.out.push(diagnostic.help(format!("write at least one of {}", Staged::NAMES.join(", "))));
        }
        let known = state.known.as_ref().and_then(|text| reading::duration(text, &mut self.out));
        (!faults.is_empty()).then_some((faults, known))
    }

    fn staged(&mut self, text: &Text, fault: Result<Staged, NotStaged>) -> Option<Staged> {
        let refused = |wrong: NotStaged| {
            let code = match wrong {
                NotStaged::Name(_) => Code::UnknownFault,
                NotStaged::Value { .. } => Code::BadValue,
            };
            Diagnostic::at(code, &text.span, wrong.to_string()).help(wrong.cure())
        };
        fault.map_err(|wrong| self.out.push(refused(wrong))).ok()
    }

    /// Reports several times for what is known, since one turn came before.
    fn one_turn_before(&mut self, test: &spec::Test, given: &[Given]) {
        let mut times = given.iter().filter_map(|given| given.known);
        let first = times.next();
        if times.any(|time| Some(time) != first)
            && let Some(key) = test.key("given")
        {
            let diagnostic = Diagnostic::at(Code::BadValue, &key.span, "two times at which the user asked the same before");
            self.out.push(diagnostic.help("write the same time after each `known`"));
        }
    }

    /// A time as tests write it.
    pub(super) fn moment(&mut self, text: &Text) -> Option<DateTime<Utc>> {
        let parsed = DateTime::parse_from_rfc3339(&text.value).ok();
        if parsed.is_none() {
            let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("`{}` is not a time", text.value));
            self.out.push(diagnostic.help("write it as 2026-03-04T10:00:00Z"));
        }
        parsed.map(|time| time.with_timezone(&Utc))
    }

    fn expect(&mut self, expect: &spec::Expect) -> Option<Expect> {
        let said = match expect.said.as_ref().map(|node| (node, &node.kind)) {
            None => None,
            Some((_, Kind::List(items))) => Some(items.iter().map(|item| self.said(item)).collect::<Option<_>>()?),
            Some((node, _)) => Some(vec![self.said(node)?]),
        };
        let events = match expect.events.as_ref().map(|node| (node, &node.kind)) {
            None => None,
            Some((_, Kind::List(items))) => Some(items.iter().map(event).collect()),
            Some((node, _)) => Some(vec![event(node)]),
        };
        // A pattern that is none is the file's mistake, not the action's.
        for (_, node) in expect.slots.iter() {
            if let Kind::Text(value) = &node.kind {
                self.pattern(&Text { span: node.span.clone(), value: value.clone() })?;
            }
        }
        let rejected = match &expect.rejected {
            Some(text) => Some(self.pattern(text)?),
            None => None,
        };
        Some(Expect {
            said,
            slots: constants(&expect.slots),
            unset: expect.unset.iter().map(|slot| slot.value.clone()).collect(),
            events,
            rejected,
            nothing: expect.nothing.as_ref().is_some_and(|flag| flag.value),
        })
    }

    fn said(&mut self, node: &Node) -> Option<Said> {
        let Kind::Map(entries) = &node.kind else {
            let value = node.scalar_text()?;
            return self.pattern(&Text { span: node.span.clone(), value }).map(Said::Text);
        };
        let mut fields = Vec::new();
        for (key, node) in entries {
            let matcher = match &node.kind {
                Kind::Text(value) => Matcher::Text(self.pattern(&Text { span: node.span.clone(), value: value.clone() })?),
                _ => Matcher::Value(node.to_json()),
            };
            fields.push((key.name.clone(), matcher));
        }
        Some(Said::Message(fields))
    }

    fn pattern(&mut self, text: &Text) -> Option<Pattern> {
        Pattern::parse(&text.value)
            .map_err(|wrong| {
                let message = format!("this is not a regular expression: {wrong}");
                self.out.push(
                    Diagnostic::at(Code::BadValue, &text.span, message)
                        .help("a text between slashes is one; `…` stands for anything"),
                );
            })
            .ok()
    }
}

fn constants(map: &Map<Node>) -> Vec<(String, Value)> {
    map.iter().map(|(name, node)| (name.value.clone(), node.to_json())).collect()
}

/// Entities as `name: value`, or as a list with all their fields.
fn entities(node: &Node) -> Vec<Value> {
    match &node.kind {
        Kind::List(items) => items.iter().map(Node::to_json).collect(),
        _ => node.entries().iter().map(|(name, value)| json!({ "entity": name.name, "value": value.to_json() })).collect(),
    }
}

/// An expected event, as a name or in the form `event:` has in steps.
fn event(node: &Node) -> Value {
    match &node.kind {
        Kind::Map(entries) => match entries.as_slice() {
            [(name, fields)] => match fields.to_json() {
                Value::Object(mut object) => {
                    object.insert("event".into(), name.name.clone().into());
                    Value::Object(object)
                }
                Value::Null => json!({ "event": name.name }),
                scalar => json!({ "event": name.name, "name": scalar }),
            },
            _ => node.to_json(),
        },
        _ => json!({ "event": node.scalar_text() }),
    }
}
