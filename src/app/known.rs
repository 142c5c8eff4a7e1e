//! The names that a project's files can use, gathered even where files are wrong: editors complete them while people write.

use std::path::Path;
use std::sync::Arc;

use super::catalogue::{catalogue, connections};
use super::load::{Place, read};
use crate::diag::Diagnostics;
use crate::fault::Outcome;
use crate::format::Format;
use crate::plan::connector::{Connector, OperationInput};
use crate::plan::domain::Domain;
use crate::plan::{self, Sources};
use crate::spec::settings::Settings;
use crate::spec::{Entry, Known, Shape as _, Taken, yaml};
use crate::time::{Clock as _, SystemClock};

/// What of a project is known as it stands, whatever is wrong in it.
pub struct Ground {
    /// Its files.
    pub sources: Sources,
    /// Its connections, each with its connector.
    pub connections: Vec<(String, Arc<Connector>)>,
    /// Its domain; none when it has no file.
    pub domain: Option<Domain>,
    /// legwork.yml as written.
    pub settings: Option<Settings>,
}

/// Reads a project. What cannot be read is left out.
#[must_use]
pub fn ground(place: &Place) -> Ground {
    let sources = read(place, &mut Diagnostics::default());
    let named = connections(sources.settings.as_ref()).into_iter();
    let connections =
        named.filter_map(|(name, of)| Some((name, Arc::clone(sources.connectors.get(&of)?.as_ref()?)))).collect();
    let trees: Vec<_> = sources.domain.iter().filter_map(|file| yaml::parse(file).ok()).collect();
    let domain = Some(Domain::of(&trees)).filter(|_| !trees.is_empty());
    let written = sources.settings.as_ref().and_then(|file| yaml::parse(file).ok());
    let settings = written.and_then(|tree| Settings::read(&tree, &mut Diagnostics::default()));
    Ground { sources, connections, domain, settings }
}

/// The names of a project.
#[must_use]
pub fn known(place: &Place) -> Known {
    let Ground { sources, connections, domain, settings } = ground(place);
    let domain = domain.unwrap_or_default();
    let own = settings.map(|written| plan::formats(&written.formats)).unwrap_or_default();
    let stem = |path: &str| Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let others = ["otherwise", "stale"].map(str::to_owned);
    Known {
        operations: connections.iter().flat_map(|(name, connector)| operations_of(name, connector)).collect(),
        connections: connections.into_iter().map(|(name, _)| name).collect(),
        connectors: connectors(place),
        slots: domain.slots().map(str::to_owned).collect(),
        responses: domain.rasa.responses.clone(),
        intents: domain.rasa.intents.clone(),
        forms: domain.rasa.forms.keys().cloned().collect(),
        formats: Format::NAMES.into_iter().map(str::to_owned).chain(own.into_keys()).collect(),
        shared: sources.shared.iter().filter_map(|file| stem(&file.path)).collect(),
        outcomes: Outcome::ALL.iter().map(|outcome| outcome.name().to_owned()).chain(others).collect(),
    }
}

fn operations_of(connection: &str, connector: &Connector) -> Vec<Entry> {
    let taken = |input: &OperationInput| Taken {
        name: input.name.to_string(),
        doc: input.doc.clone(),
        required: input.required,
        values: match &input.format {
            Some(Format::Enum(choices)) => choices.iter().map(|choice| choice.value.clone()).collect(),
            _ => Vec::new(),
        },
    };
    let entry = |operation: &plan::connector::Operation| Entry {
        name: format!("{connection}.{}", operation.name),
        doc: operation.description.clone(),
        takes: operation.inputs.iter().map(taken).collect(),
    };
    connector.operations.values().map(entry).collect()
}

/// The connectors that a connection can name.
fn connectors(place: &Place) -> Vec<Entry> {
    let (listed, _) = catalogue(place, SystemClock.now().date_naive(), false);
    let entry = |sheet: crate::connector::handbook::Sheet| {
        let taken = |name, doc| Taken { name, doc, required: false, values: Vec::new() };
        let takes = sheet.settings.into_iter().map(|setting| taken(setting.name, setting.description)).collect();
        Entry { name: sheet.name, doc: sheet.description, takes }
    };
    listed.into_iter().map(|listed| entry(listed.sheet)).collect()
}
