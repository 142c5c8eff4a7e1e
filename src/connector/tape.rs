//! Answers that were recorded, in the place of systems: a call with the inputs of a recorded one ends as that did.
//!
//! Nothing of a system is asked then, neither what is kept of it nor what stands in for it: how old an answer was, and what
//! stood in for one, was recorded too. A call that was not recorded ends as if its system were down, and is told of.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::connections::{Answered, Connections};
use super::wire::Ended;
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};

/// What stood in for an answer that did not come: the last known one.
#[derive(Debug, Clone)]
pub struct StoodIn {
    /// Whose.
    pub connection: ConnectionName,
    /// Which operation's.
    pub operation: OperationName,
    /// The inputs.
    pub inputs: Map<String, Value>,
    /// The answer, with its age.
    pub answered: Answered,
}

/// Recorded answers.
#[derive(Debug, Default)]
pub struct Tape {
    ended: Vec<Ended>,
    stood_in: Vec<StoodIn>,
    /// Which of `ended` were given.
    given: Mutex<Vec<bool>>,
    missed: Mutex<Vec<String>>,
}

impl Tape {
    /// Of these, in the order in which they were recorded.
    #[must_use]
    pub fn new(ended: Vec<Ended>, stood_in: Vec<StoodIn>) -> Self {
        let given = Mutex::new(vec![false; ended.len()]);
        Self { ended, stood_in, given, missed: Mutex::default() }
    }

    /// The calls that were made and had not been recorded, as `shop.find_order`.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The recorded calls that nobody made, as `shop.find_order`.
    #[must_use]
    pub fn unasked(&self) -> Vec<String> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.ended.iter().zip(given.iter()).filter(|(_, given)| !**given);
        left.map(|(ended, _)| format!("{}.{}", ended.connection, ended.operation)).collect()
    }

    /// How a call ends: as the first of its kind that was not given yet, else as one that was.
    pub(super) fn answer(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: &Map<String, Value>,
    ) -> Result<Answered, Fault> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |ended: &Ended| {
            ended.connection == *connection && ended.operation == *operation && ended.inputs == *inputs
        };
        let fresh = (0..self.ended.len()).find(|at| !given.get(*at).copied().unwrap_or(true) && self.ended.get(*at).is_some_and(same));
        if let Some(mark) = fresh.and_then(|at| given.get_mut(at)) {
            *mark = true;
        }
        let found = fresh.and_then(|at| self.ended.get(at)).or_else(|| self.ended.iter().rev().find(|ended| same(ended)));
        if let Some(found) = found {
            return found.ended.clone();
        }
        let what = format!("{connection}.{operation}");
        let text = format!("{what} was not recorded with these inputs");
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        Err(Fault::new(Outcome::Unavailable, text))
    }

    /// What stood in for the answer of a call.
    pub(super) fn last_known(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: &Map<String, Value>,
    ) -> Option<Answered> {
        let same = |it: &&StoodIn| it.connection == *connection && it.operation == *operation && it.inputs == *inputs;
        self.stood_in.iter().find(same).map(|it| it.answered.clone())
    }
}

impl Connections {
    /// The same, with recorded answers in the place of every system; before the first call.
    #[must_use]
    pub fn answering_from(mut self, tape: Arc<Tape>) -> Self {
        self.tape = Some(tape);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inputs(number: &str) -> Map<String, Value> {
        [("number".to_owned(), json!(number))].into_iter().collect()
    }

    #[test]
    fn each_call_gets_its_own_answer_and_a_repeat_the_last() {
        let (shop, find) = (ConnectionName::parse("shop").unwrap(), OperationName::parse("find_order").unwrap());
        let ended = |number: &str, value: Value| Ended {
            connection: shop.clone(),
            operation: find.clone(),
            inputs: inputs(number),
            ended: Ok(Answered { value, age: None }),
        };
        let tape = Tape::new(vec![ended("1", json!("first")), ended("2", json!("other")), ended("1", json!("then"))], Vec::new());
        let ask = |number: &str| tape.answer(&shop, &find, &inputs(number)).map(|answered| answered.value);
        assert_eq!([ask("1"), ask("1"), ask("1")], [Ok(json!("first")), Ok(json!("then")), Ok(json!("then"))]);
        assert_eq!(tape.unasked(), ["shop.find_order"]);
        assert_eq!(ask("3").unwrap_err().outcome, Outcome::Unavailable);
        assert_eq!(tape.missed(), ["shop.find_order"]);
    }
}
