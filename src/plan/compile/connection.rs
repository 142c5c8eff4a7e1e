//! The connections of legwork.yml: each held against its connector's settings.
//!
//! Whether a secret is there, and what a reference holds, is not known here: references are read when the project is opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::patience::patience;
use super::rules::rules;
use super::secret_written;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::name::ConnectionName;
use crate::plan::connector::auth::{Choice, Way};
use crate::plan::connector::{CONNECTION_KEYS, Connector, Rules, System};
use crate::plan::project::{Given, SANDBOX, Wire};
use crate::secret::Reference;
use crate::spec::connection::Connection;
use crate::spec::{Map, Node, Text};

/// The connections of a project whose legwork.yml names none, all to the sandbox.
const SANDBOXED: [&str; 4] = ["shop", "helpdesk", "crm", "hr"];

pub(super) type Wires = Vec<(ConnectionName, Option<Wire>)>;

/// What connections are compiled in.
pub(super) struct Around<'a> {
    pub(super) connectors: &'a BTreeMap<String, Option<Arc<Connector>>>,
    pub(super) catalogue: &'a [&'static str],
    pub(super) production: bool,
    pub(super) today: Option<chrono::NaiveDate>,
}

/// The connections; none in the place of one whose connector could not be read.
pub(super) fn wires(written: Option<&Map<Connection>>, around: &Around<'_>, out: &mut Diagnostics) -> Wires {
    let Some(written) = written else {
        let sandbox = around.connectors.get(SANDBOX).and_then(Option::as_ref);
        let wire = |name: &str| {
            let name = ConnectionName::parse(name)?;
            let wire = sandbox.map(|connector| {
                let (name, connector) = (name.clone(), Arc::clone(connector));
                Wire { name, connector, settings: Vec::new(), rules: Rules::default() }
            });
            Some((name, wire))
        };
        return SANDBOXED.iter().filter_map(|name| wire(name)).collect();
    };
    written.iter().filter_map(|(name, settings)| connection(name, settings, around, out)).collect()
}

/// The names of all connectors that a connection can have.
fn known<'a>(around: &Around<'a>) -> impl Iterator<Item = &'a str> {
    let own = around.connectors.keys().map(String::as_str).filter(|name| !around.catalogue.contains(name));
    around.catalogue.iter().copied().chain(own)
}

fn connection(
    name: &Text,
    written: &Connection,
    around: &Around<'_>,
    out: &mut Diagnostics,
) -> Option<(ConnectionName, Option<Wire>)> {
    let settings = &written.keys;
    let connectors = around.connectors;
    let Some(parsed) = ConnectionName::parse(&name.value) else {
        let message = format!("`{}` cannot be the name of a connection", name.value);
        out.push(Diagnostic::at(Code::BadName, &name.span, message).help(format!("write {}", ConnectionName::RULE)));
        return None;
    };
    let Some((wanted, place)) = settings.get("connector").and_then(|node| Some((node.scalar_text()?, &node.span))) else {
        let diagnostic =
            Diagnostic::at(Code::MissingKey, &name.span, format!("the connection `{parsed}` needs the key `connector`"));
        let known = known(around).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        out.push(diagnostic.help(format!("add `connector: NAME`, one of {known}")));
        return Some((parsed, None));
    };
    let connector = match connectors.get(&wanted) {
        Some(Some(connector)) => connector,
        Some(None) => return Some((parsed, None)),
        None => {
            let diagnostic = Diagnostic::at(Code::UnknownConnector, place, format!("there is no connector `{wanted}`"));
            out.push(diagnostic.did_you_mean(&wanted, known(around)));
            return Some((parsed, None));
        }
    };
    let given: Vec<_> = settings
        .iter()
        .filter(|(key, _)| !CONNECTION_KEYS.contains(&key.as_str()))
        .filter_map(|(key, node)| Some((key.value.clone(), setting(key, node, connector, out)?)))
        .collect();
    let choice = connector.choice();
    let chosen = choice.and_then(|choice| chosen(choice, connector, settings, out));
    let is_needed = |setting: &str| choice.is_none_or(|choice| choice.needs(setting, chosen));
    for missing in connector.settings.iter().filter(|setting| setting.required && settings.get(&setting.name).is_none()) {
        if !is_needed(&missing.name) {
            continue;
        }
        let when = match (choice, chosen) {
            (Some(choice), Some(way)) if choice.own.contains(&missing.name) => {
                format!(", since its `{}` is `{}`", choice.by, way.name)
            }
            _ => String::new(),
        };
        let message = format!("the connection `{parsed}` needs the setting `{}`{when}", missing.name);
        out.push(Diagnostic::at(Code::MissingSetting, &name.span, message).help(missing.description.clone()));
    }
    ending(connector, place, around.today, out);
    let mut rules = rules(settings, around.production, out);
    if let Some(written) = &written.patience {
        rules.patience = patience(written, connector, out);
    }
    Some((parsed.clone(), Some(Wire { name: parsed, connector: Arc::clone(connector), settings: given, rules })))
}

/// The way that a connection chooses; none when that is not known before its references are read.
fn chosen<'a>(choice: &'a Choice, connector: &Connector, settings: &Map<Node>, out: &mut Diagnostics) -> Option<&'a Way> {
    let Some(node) = settings.get(&choice.by) else {
        return choice.of(connector.setting(&choice.by)?.default.as_deref()?);
    };
    let text = node.scalar_text().filter(|text| Reference::parse(text).is_none())?;
    let way = choice.of(&text);
    // What does not match the setting's own pattern is reported as that.
    if way.is_none() && connector.setting(&choice.by).is_some_and(|setting| setting.accepts(&text).is_ok()) {
        let message = format!("`{}` is one of {}", choice.by, choice.names());
        let known = choice.ways.iter().map(|way| way.name.as_str());
        let diagnostic = Diagnostic::at(Code::BadValue, &node.span, message).did_you_mean(&text, known);
        out.push(diagnostic);
    }
    way
}

/// How long before the end of an API version a connection to it is warned about.
const NOTICE: chrono::Days = chrono::Days::new(90);

/// Warns of an API version whose end is near, or past.
fn ending(connector: &Connector, place: &Span, today: Option<chrono::NaiveDate>, out: &mut Diagnostics) {
    let System::Http(system) = &connector.system else { return };
    let Some((api, until)) = system.api.as_ref().and_then(|api| Some((api, api.supported_until?))) else { return };
    if today.and_then(|today| today.checked_add_days(NOTICE)).is_some_and(|soon| soon >= until) {
        let message = format!(
            "the vendor supports version {} of its API, which `{}` speaks, until {until}",
            api.version, connector.name
        );
        out.push(
            Diagnostic::at(Code::ApiEnding, place, message)
                .help("take a newer legwork, or a connector file for a newer version"),
        );
    }
}

fn setting(key: &Text, node: &Node, connector: &Connector, out: &mut Diagnostics) -> Option<Given> {
    let Some(known) = connector.settings.iter().find(|setting| setting.name == key.value) else {
        let message = format!("the connector `{}` has no setting `{}`", connector.name, key.value);
        let known = connector.settings.iter().map(|setting| setting.name.as_str());
        out.push(Diagnostic::at(Code::UnknownSetting, &key.span, message).did_you_mean(&key.value, known));
        return None;
    };
    if known.is_map {
        let serde_json::Value::Object(map) = node.to_json() else {
            out.push(Diagnostic::at(
                Code::WrongType,
                &node.span,
                format!("names and values are needed here, not {}", node.what()),
            ));
            return None;
        };
        return Some(Given::Map(map));
    }
    let Some(text) = node.scalar_text() else {
        let diagnostic = Diagnostic::at(Code::WrongType, &node.span, format!("a text is needed here, not {}", node.what()));
        out.push(diagnostic.help(known.description.clone()));
        return None;
    };
    if let Some(reference) = Reference::parse(&text) {
        return Some(Given::Reference(reference));
    }
    if known.secret {
        out.push(secret_written(&node.span));
        return None;
    }
    if known.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&text)) {
        let diagnostic = Diagnostic::at(Code::BadValue, &node.span, format!("this cannot be the setting `{}`", key.value));
        out.push(diagnostic.help(known.description.clone()));
        return None;
    }
    Some(Given::Text(text))
}
