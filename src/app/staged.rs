//! What `--fault` stages, held against a project.

use crate::diag::similar;
use crate::name::{ConnectionName, OperationName};
use crate::plan::Project;
use crate::plan::connector::StagedAt;
use crate::plan::settings::Profile;

/// Why these faults cannot be staged on a project that is served; nothing when they can.
#[must_use]
pub fn unstageable(project: &Project, faults: &[StagedAt]) -> Vec<String> {
    if project.settings.server.profile == Profile::Production && !faults.is_empty() {
        let text = "--fault lets systems fail on purpose, which `profile: production` refuses: leave it out, or take \
                    `profile: test`";
        return vec![text.to_owned()];
    }
    faults.iter().filter_map(|fault| nowhere(project, fault)).collect()
}

/// Why a fault is of nothing that the project has.
#[must_use]
pub fn nowhere(project: &Project, StagedAt { connection, operation, .. }: &StagedAt) -> Option<String> {
    let near = |near: Option<&str>| near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    let Some(wire) = project.wires.iter().find(|wire| wire.name == *connection) else {
        let cure = near(similar(connection.as_str(), project.wires.iter().map(|wire| ConnectionName::as_str(&wire.name))));
        return Some(format!("legwork.yml has no connection `{connection}`{cure}"));
    };
    let operation = operation.as_ref().filter(|operation| !wire.connector.operations.contains_key(*operation))?;
    let known = wire.connector.operations.keys().map(OperationName::as_str);
    let cure = near(similar(operation.as_str(), known));
    Some(format!("the connector `{}` of `{connection}` has no operation `{operation}`{cure}", wire.connector.name))
}
