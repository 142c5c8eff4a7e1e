//! The connectors that come with legwork: sound, documented, and doing what their examples say.

use pretty_assertions::assert_eq;

use super::*;
use crate::plan::connector::System;

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

#[test]
fn what_the_sandbox_does_too_takes_the_same_inputs_and_gives_the_same_model() {
    let sandbox = sandbox_connector();
    for connector in all() {
        for (name, operation) in &connector.operations {
            let Some(same) = sandbox.operations.get(name) else { continue };
            let inputs = |operation: &crate::plan::connector::Operation| {
                operation.inputs.iter().map(|it| (it.name.to_string(), it.required, it.default.clone())).collect::<Vec<_>>()
            };
            let place = format!("{}.{name}", connector.name);
            assert_eq!(inputs(operation), inputs(same), "{place}");
            assert_eq!((operation.kind, operation.model, operation.many), (same.kind, same.model, same.many), "{place}");
        }
    }
}
