//! Runs the examples of a project's own connectors: they are documentation, and this holds them to what the connector does.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use crate::connector::{catalog, run_examples};
use crate::plan::Project;
use crate::time::Clock;

/// What became of the examples of one connector.
#[derive(Debug)]
pub struct Examples {
    /// The connector.
    pub connector: String,
    /// How many examples it has.
    pub count: usize,
    /// A line for each that ends otherwise than it says.
    pub wrong: Vec<String>,
}

/// Runs the examples of every connector that does not come with legwork.
pub async fn examples(project: &Project, folder: &Path, clock: &Arc<dyn Clock>) -> Vec<Examples> {
    let mut run = Vec::new();
    let own = |name: &str| catalog::BUILT_IN.iter().all(|source| source.name != name);
    for (name, connector) in project.connectors.iter().filter(|(name, _)| own(name)) {
        let count = connector.operations.values().map(|operation| operation.examples.len()).sum();
        let wrong = run_examples(connector, folder, Arc::clone(clock)).await;
        run.push(Examples { connector: name.clone(), count, wrong });
    }
    run
}

impl Examples {
    /// The result for people.
    #[must_use]
    pub fn human(&self) -> String {
        let mark = if self.wrong.is_empty() { "ok  " } else { "FAIL" };
        let mut text = format!("{mark} connector {}: {} examples\n", self.connector, self.count);
        for line in &self.wrong {
            let _ = writeln!(text, "       {}", line.replace('\n', "\n       "));
        }
        text
    }
}
