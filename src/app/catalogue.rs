//! Every connector that a project could connect to, and which of its connections use it.
//!
//! It is there even for a project with mistakes elsewhere, since people look here for how to begin.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::load::{Place, read};
use crate::connector::catalog;
use crate::connector::handbook::{Listed, Sheet};
use crate::diag::{Diagnostic, Diagnostics, File};
use crate::plan::connector::Connector;
use crate::plan::{SANDBOX, SANDBOXED};
use crate::spec::settings::Settings;
use crate::spec::{Node, Shape as _, yaml};

/// Every connector that there is, by name, with what is wrong in the project's own files; `examples` says whether the
/// examples are wanted.
#[must_use]
pub fn catalogue(place: &Place, today: NaiveDate, examples: bool) -> (Vec<Listed>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let sources = read(place, &mut out);
    let used = connections(sources.settings.as_ref());
    let mut all: BTreeMap<String, Arc<Connector>> =
        sources.connectors.iter().filter_map(|(name, one)| Some((name.clone(), Arc::clone(one.as_ref()?)))).collect();
    for name in &sources.catalogue {
        if let (false, Some((Some(connector), _))) = (all.contains_key(*name), catalog::built_in(name)) {
            all.insert((*name).to_owned(), Arc::new(connector));
        }
    }
    let listed = |(name, connector): (&String, &Arc<Connector>)| {
        let sheet = Sheet::of(connector, examples);
        let of_this = used.iter().filter(|(_, connector)| connector == name);
        Listed {
            own: !sources.catalogue.contains(&name.as_str()),
            support: sheet.api.as_ref().map(|api| api.support(today)),
            connections: of_this.map(|(connection, _)| connection.clone()).collect(),
            sheet,
        }
    };
    let listed = all.iter().map(listed).collect();
    // What is said of no file's place is about actions that are not there yet.
    (listed, out.into_sorted().into_iter().filter(|problem| problem.span.is_some()).collect())
}

/// The connections as legwork.yml names them: connection and connector.
pub(super) fn connections(settings: Option<&Arc<File>>) -> Vec<(String, String)> {
    let ignored = &mut Diagnostics::default();
    let tree = settings.and_then(|file| yaml::parse(file).ok());
    let written = tree.and_then(|tree| Settings::read(&tree, ignored)).and_then(|settings| settings.connections);
    let Some(written) = written else {
        return SANDBOXED.map(|name| (name.to_owned(), SANDBOX.to_owned())).to_vec();
    };
    let connector = |one: &crate::spec::Map<Node>| one.get("connector").and_then(Node::scalar_text);
    written.iter().filter_map(|(name, one)| Some((name.value.clone(), connector(&one.keys)?))).collect()
}
