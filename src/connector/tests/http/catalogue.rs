//! The connectors that come with legwork: sound, documented, and doing what their examples say.

use std::collections::BTreeMap;

use pretty_assertions::assert_eq;

use super::*;
use crate::plan::connector::{Operation, OperationInput, OperationKind, System};

/// Every built-in connector of kind http.
pub(super) fn all() -> Vec<Arc<Connector>> {
    let connectors = catalog::BUILT_IN.iter().map(|source| sound(catalog::built_in(source.name).unwrap()));
    connectors.filter(|connector| matches!(connector.system, System::Http(_))).collect()
}

#[tokio::test]
async fn every_operation_has_examples_and_every_example_holds() {
    for connector in all() {
        for operation in connector.operations.values() {
            let place = format!("{}.{}", connector.name, operation.name);
            assert!(operation.examples.iter().any(|it| !it.exchanges.is_empty()), "{place} has no exchange");
            assert!(!operation.description.is_empty(), "{place} has no description");
            assert!(
                operation.inputs.iter().all(|input| !input.doc.is_empty()),
                "{place} has an input without a description"
            );
        }
        assert_eq!(run_examples(&connector, Path::new("."), clock()).await, Vec::<String>::new());
        let System::Http(system) = &connector.system else { continue };
        assert!(system.api.as_ref().is_some_and(|api| api.docs.is_some()), "{} does not say its version", connector.name);
        assert!(system.test.is_some(), "{} has no test", connector.name);
    }
}

/// What actions rely on of an operation, whichever system does it: its kind, its model, and what each of its inputs takes.
fn contract(operation: &Operation) -> (OperationKind, Option<&'static str>, bool, BTreeMap<String, String>) {
    let input = |it: &OperationInput| {
        let format = it.format.as_ref().map_or_else(|| "Text".to_owned(), |format| format!("{format:?}"));
        (it.name.to_string(), format!("{format}, default {}, required: {}", it.default, it.required))
    };
    let inputs = operation.inputs.iter().map(input).collect();
    (operation.kind, operation.model.map(|model| model.name), operation.many, inputs)
}

#[test]
fn what_several_systems_do_takes_the_same_inputs_and_gives_the_same_model() {
    // The sandbox comes first: what it does is how it is done.
    let connectors: Vec<_> = std::iter::once(sandbox_connector()).chain(all()).collect();
    let mut first = BTreeMap::new();
    for connector in &connectors {
        for (name, operation) in &connector.operations {
            let place = format!("{}.{name}", connector.name);
            let came = contract(operation);
            let (of, same) = first.entry(name.to_string()).or_insert_with(|| (place.clone(), came.clone()));
            assert_eq!((came.0, came.1, came.2), (same.0, same.1, same.2), "{place} and {of}");
            for (input, takes) in &same.3 {
                assert_eq!(came.3.get(input), Some(takes), "the input {input} of {place} and of {of}");
            }
            for further in operation.inputs.iter().filter(|input| !same.3.contains_key(input.name.as_str())) {
                assert!(!further.required, "{place} cannot do without {}, which {of} does not take", further.name);
            }
        }
    }
    assert!(first.len() > 30, "{}", first.len());
}
