//! What a connection with `mode: dry_run` says of a call that it does not make.

use serde_json::{Map, Value};

use crate::fault::{Fault, Outcome};
use crate::name::ConnectionName;
use crate::plan::connector::Operation;
use crate::telemetry::WouldDo;

/// Tells the operator what would be done, by the names of the inputs alone, and gives the fault that the call ends with.
/// `request` is the request that would be sent, as the file has it.
pub(super) fn would_do(
    connection: &ConnectionName,
    operation: &Operation,
    given: &Map<String, Value>,
    request: Option<&str>,
) -> Fault {
    let there = |name: &&str| given.get(*name).is_some_and(|value| !value.is_null());
    let inputs: Vec<&str> = operation.inputs.iter().map(|input| input.name.as_str()).filter(there).collect();
    let (kind, inputs) = (operation.kind.name(), inputs.join(", "));
    WouldDo { connection, operation: &operation.name, kind, inputs: &inputs, request }.emit();
    let with = if inputs.is_empty() { "without inputs".to_owned() } else { format!("with {inputs}") };
    let request = request.map(|request| format!(": {request}")).unwrap_or_default();
    let text = format!(
        "{}, a {kind}, would be done {with}{request}; `mode: dry_run` of {connection} keeps it from it",
        operation.name
    );
    Fault::new(Outcome::Denied, text)
}
