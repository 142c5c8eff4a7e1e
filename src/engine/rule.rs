//! One rule for one slot: whether a value is taken, and as what.
//!
//! The parts of a rule are tried in one order: `format`, `accept`, `call`, `steps`. The first that refuses says so; what takes
//! the value last says as what, and only then are the rule's other slots set. A null is nothing to check: it passes, but for a
//! rule with steps, which decide themselves.

use serde_json::Value as Json;

use super::run::{Flow, Halt, Run};
use crate::fault::Class;
use crate::plan::action::{Call, Rule, Unavailable};
use crate::template::{Value, from_json, to_json};

/// What became of one candidate.
pub(super) enum Verdict {
    /// It is taken, with this value.
    Taken(Json),
    /// It is refused; the slot is asked for again.
    Refused,
    /// It is not taken, and nothing more is checked.
    Ended,
}

impl Run<'_> {
    /// Checks a value, which expressions see as `value`.
    pub(super) async fn check(&mut self, rule: &Rule, offered: &Json) -> Result<Verdict, Halt> {
        let failed = Halt::at(&rule.place);
        let mut value = offered.clone();
        if !value.is_null() {
            if let Some(format) = &rule.format {
                match format.read(&value, &self.format_context()) {
                    Ok(read) => value = read,
                    Err(_) => return self.refuse(rule),
                }
                self.scope.set("value", from_json(&value));
            }
            if let Some(accept) = &rule.accept
                && !accept.truth(&self.scope).map_err(failed)?
            {
                return self.refuse(rule);
            }
            if let Some(call) = &rule.call
                && let Some(verdict) = self.look_up(rule, call).await?
            {
                return Ok(verdict);
            }
        } else if let Some(name) = rule.call.as_ref().and_then(|call| call.bind.as_ref()) {
            self.scope.set(name.as_str(), Value::from(()));
        }
        if !rule.steps.is_empty() {
            value = match self.steps(&rule.steps).await? {
                Flow::Accept(value) => to_json(&value).map_err(failed)?,
                Flow::Reject(messages) => {
                    self.messages.extend(messages);
                    return Ok(Verdict::Refused);
                }
                Flow::Next | Flow::Continue(_) => return Ok(Verdict::Refused),
                Flow::Stop => return Ok(Verdict::Ended),
            };
            self.scope.set("value", from_json(&value));
        }
        if !value.is_null() {
            for (slot, other) in &rule.set {
                let other = other.json(&self.scope).map_err(failed)?;
                self.set_slot(slot.as_str(), other);
            }
        }
        Ok(Verdict::Taken(value))
    }

    /// The call that has to find something; none when it did, or when the value is taken unseen.
    async fn look_up(&mut self, rule: &Rule, call: &Call) -> Result<Option<Verdict>, Halt> {
        let mut found = Value::from(());
        match self.invoke(call, &rule.place).await? {
            Ok(known) => found = from_json(&known.value),
            Err(fault) if fault.class() == Class::Rejected => {
                return match rule.refuse {
                    Some(_) => self.refuse(rule).map(Some),
                    None => {
                        self.say_outcome(&fault);
                        Ok(Some(Verdict::Refused))
                    }
                };
            }
            Err(fault) => match rule.unavailable {
                Unavailable::Accept => {
                    tracing::warn!(outcome = %fault.outcome, "a slot's value was taken unseen: {}", fault.operator);
                }
                Unavailable::Reject => {
                    self.say_outcome(&fault);
                    return Ok(Some(Verdict::Refused));
                }
                Unavailable::Stop => {
                    self.say_outcome(&fault);
                    return Ok(Some(Verdict::Ended));
                }
            },
        }
        if let Some(name) = &call.bind {
            self.scope.set(name.as_str(), found);
        }
        Ok(None)
    }

    fn refuse(&mut self, rule: &Rule) -> Result<Verdict, Halt> {
        if let Some(say) = &rule.refuse {
            self.say(say, &rule.place)?;
        }
        Ok(Verdict::Refused)
    }
}
