//! Answers that were recorded, in the place of systems: a call with the inputs of a recorded one ends as that did.
//!
//! Nothing of a system is asked then, neither what is kept of it nor what stands in for it: how old an answer was, and what
//! stood in for one, was recorded too. A call that was not recorded ends as if its system were down, and is told of.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::chain::Chain;
use super::connections::{Answered, Connections, Problem, Surroundings};
use super::examples::Played;
use super::facts::Tally;
use super::open::{Open, Opened};
use super::origin::Origin;
use super::wire::Ended;
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::Connection;
use crate::resilience::ReadCache;

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
    /// Whether the next call of an operation gets the next of its answers, whatever its inputs are.
    in_order: bool,
    /// The inputs with which each of `ended` was given.
    given: Mutex<Vec<Option<Map<String, Value>>>>,
    missed: Mutex<Vec<String>>,
}

impl Tape {
    /// Of these, in the order in which they were recorded.
    #[must_use]
    pub fn new(ended: Vec<Ended>, stood_in: Vec<StoodIn>) -> Self {
        let given = Mutex::new(vec![None; ended.len()]);
        Self { ended, stood_in, in_order: false, given, missed: Mutex::default() }
    }

    /// The same, where a call with other inputs gets the next answer of its operation: for values that were changed on purpose.
    #[must_use]
    pub fn in_order(self) -> Self {
        Self { in_order: true, ..self }
    }

    /// The calls that were made and had not been recorded, as `shop.find_order`.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        locked(&self.missed).clone()
    }

    /// The recorded calls that nobody made, as `shop.find_order`.
    #[must_use]
    pub fn unasked(&self) -> Vec<String> {
        let given = locked(&self.given);
        let left = self.ended.iter().zip(given.iter()).filter(|(_, given)| given.is_none());
        left.map(|(ended, _)| format!("{}.{}", ended.connection, ended.operation)).collect()
    }

    /// The inputs with which each of the recorded calls was made now; none of one that was not.
    #[must_use]
    pub fn given(&self) -> Vec<Option<Map<String, Value>>> {
        locked(&self.given).clone()
    }

    /// How a call ends: as the first of its kind that was not given yet, else as one that was.
    pub(super) fn answer(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: &Map<String, Value>,
    ) -> Result<Answered, Fault> {
        let mut given = locked(&self.given);
        let of_it = |ended: &Ended| ended.connection == *connection && ended.operation == *operation;
        let same = |ended: &Ended| of_it(ended) && ended.inputs == *inputs;
        let left = |of: &dyn Fn(&Ended) -> bool| {
            let mut left = self.ended.iter().zip(given.iter()).enumerate();
            left.find_map(|(at, (ended, given))| (given.is_none() && of(ended)).then_some((at, ended)))
        };
        let fresh = left(&same).or_else(|| if self.in_order { left(&of_it) } else { None });
        if let Some((at, found)) = fresh {
            if let Some(given) = given.get_mut(at) {
                *given = Some(inputs.clone());
            }
            return found.ended.clone();
        }
        if let Some(found) = self.ended.iter().rev().find(|ended| same(ended)) {
            return found.ended.clone();
        }
        let what = format!("{connection}.{operation}");
        let text = format!("{what} was not recorded with these inputs");
        locked(&self.missed).push(what);
        Err(Fault::new(Outcome::Unavailable, text))
    }

    /// What stood in for the answer of a call.
    pub(super) fn last_known(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: &Map<String, Value>,
    ) -> Option<Answered> {
        let of_it = |it: &&StoodIn| it.connection == *connection && it.operation == *operation;
        let same = |it: &&StoodIn| of_it(it) && (self.in_order || it.inputs == *inputs);
        self.stood_in.iter().find(same).map(|it| it.answered.clone())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// Connections with recorded answers in the place of every system: none of them is opened.
    ///
    /// # Errors
    /// What is wrong with the settings of each.
    pub fn recorded(connections: &[Connection], around: Surroundings<'_>, tape: Arc<Tape>) -> Result<Self, Vec<Problem>> {
        let Surroundings { folder, clock, profiles, cache_bytes, rng, .. } = around;
        let (mut open, mut problems) = (IndexMap::new(), Vec::new());
        for connection in connections {
            let (name, connector) = (connection.name.clone(), Arc::clone(&connection.connector));
            match Chain::new(connection, &clock) {
                Ok(chain) => {
                    let system = Opened::Examples(Arc::new(Played::new(&connector, &clock)));
                    let (rules, address, chain) = (connection.rules.clone(), None, Arc::new(chain));
                    let (staged, forgets, tally) = (Mutex::default(), AtomicBool::default(), Tally::default());
                    let (number, origin, beat) = (0, Origin::of(connection, folder), Mutex::default());
                    let one = Open {
                        name,
                        number,
                        origin,
                        connector,
                        system,
                        rules,
                        staged,
                        forgets,
                        address,
                        tally,
                        beat,
                        chain,
                    };
                    open.insert(one.name.clone(), Arc::new(one));
                }
                Err(text) => problems.push(Problem { connection: name, operation: None, text, passing: false }),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (cache, rng) = (Arc::new(ReadCache::new(cache_bytes)), Mutex::new(rng));
        Ok(Self { open, databases: HashMap::new(), cache, clock, profiles, rng, tape: Some(tape) })
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
        let tape =
            Tape::new(vec![ended("1", json!("first")), ended("2", json!("other")), ended("1", json!("then"))], Vec::new());
        let ask = |number: &str| tape.answer(&shop, &find, &inputs(number)).map(|answered| answered.value);
        assert_eq!([ask("1"), ask("1"), ask("1")], [Ok(json!("first")), Ok(json!("then")), Ok(json!("then"))]);
        assert_eq!(tape.unasked(), ["shop.find_order"]);
        assert_eq!(ask("3").unwrap_err().outcome, Outcome::Unavailable);
        assert_eq!(tape.missed(), ["shop.find_order"]);
        let tape = tape.in_order();
        let ask = |number: &str| tape.answer(&shop, &find, &inputs(number)).map(|answered| answered.value);
        assert_eq!(ask("3"), Ok(json!("other")), "the only one that is left");
        assert_eq!(tape.given().into_iter().nth(1).flatten(), Some(inputs("3")));
        assert!(ask("3").is_err());
    }
}
