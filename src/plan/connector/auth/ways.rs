//! Several ways to prove who we are, of which a connection's setting chooses one.
//!
//! A setting that nothing but the ways uses has to be set only when a way that uses it is chosen; which these are is found out
//! here, from the file, so that nobody has to write it down twice.

use std::collections::BTreeSet;

use super::Auth;
use super::compile::one;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::connector::Setting;
use crate::spec::Text;
use crate::spec::auth as spec;
use crate::spec::connector::Connector;

/// How the connections of a connector can prove who they are.
#[derive(Debug)]
pub enum Ways {
    /// In one way.
    One(Auth),
    /// In several, of which a setting chooses one.
    Several(Choice),
}

/// Several ways, of which a setting chooses one.
#[derive(Debug)]
pub struct Choice {
    /// The setting.
    pub by: String,
    /// Each way under the value of the setting that chooses it.
    pub ways: Vec<Way>,
    /// The settings that nothing but the ways uses.
    pub own: BTreeSet<String>,
}

/// One of several ways.
#[derive(Debug)]
pub struct Way {
    /// The value that chooses it.
    pub name: String,
    /// How requests prove who we are then.
    pub auth: Auth,
    /// The settings that it uses.
    pub uses: BTreeSet<String>,
}

impl Ways {
    /// Without any proof.
    #[must_use]
    pub const fn none() -> Self {
        Self::One(Auth::none())
    }

    /// The one way, or the first of several.
    #[must_use]
    pub fn first(&self) -> Option<&Auth> {
        match self {
            Self::One(auth) => Some(auth),
            Self::Several(choice) => choice.ways.first().map(|way| &way.auth),
        }
    }
}

impl Choice {
    /// The way that `value` chooses.
    #[must_use]
    pub fn of(&self, value: &str) -> Option<&Way> {
        self.ways.iter().find(|way| way.name == value)
    }

    /// The names of the ways, for a message.
    #[must_use]
    pub fn names(&self) -> String {
        self.ways.iter().map(|way| format!("`{}`", way.name)).collect::<Vec<_>>().join(", ")
    }

    /// Whether the setting of that name has to have a value when `way` is chosen; without one, whatever is chosen.
    #[must_use]
    pub fn needs(&self, setting: &str, way: Option<&Way>) -> bool {
        !self.own.contains(setting) || way.is_some_and(|way| way.uses.contains(setting))
    }
}

/// Compiles `auth:` of a connector. What is wrong goes to `out`; none when it cannot be used.
pub fn compile_ways(connector: &Connector, settings: &[Setting], out: &mut Diagnostics) -> Option<Ways> {
    let Some(written) = &connector.auth else { return Some(Ways::none()) };
    if written.by.is_none() && written.ways.is_empty() {
        return one(written, settings, out).map(|(auth, _)| Ways::One(auth));
    }
    let (Some(by), false) = (&written.by, written.ways.is_empty()) else {
        let diagnostic = Diagnostic::at(Code::MissingKey, &written.span, "`by` and `ways` belong together");
        out.push(diagnostic.help("write `by: settings.NAME`, and under `ways` each of the setting's values with its way"));
        return None;
    };
    let alone = |key: &&crate::spec::Key| !["by", "ways"].contains(&key.name.as_str());
    for key in written.keys.iter().filter(alone) {
        let message = format!("beside `ways`, `{}` belongs to one of them", key.name);
        out.push(Diagnostic::at(Code::MisplacedKey, &key.span, message).help("write it into the way that it is meant for"));
    }
    let ways: Vec<Option<Way>> = written.ways.iter().map(|(name, it)| way(name, it, settings, out)).collect();
    let by = chooser(by, written, settings, out);
    let ways = ways.into_iter().collect::<Option<Vec<_>>>()?;
    let by = by?;
    let elsewhere = elsewhere(connector, written);
    let used = ways.iter().flat_map(|way| &way.uses).filter(|name| **name != by && !mentions(&elsewhere, name));
    let own = used.cloned().collect();
    Some(Ways::Several(Choice { by, ways, own }))
}

fn way(name: &Text, written: &spec::Auth, settings: &[Setting], out: &mut Diagnostics) -> Option<Way> {
    if let Some(key) = written.key("by").or_else(|| written.key("ways")) {
        out.push(
            Diagnostic::at(Code::MisplacedKey, &key.span, "a way has no ways of its own").help("write it beside the others"),
        );
        return None;
    }
    let (auth, uses) = one(written, settings, out)?;
    Some(Way { name: name.value.clone(), auth, uses })
}

/// The setting that chooses, which everybody may see.
fn chooser(by: &Text, written: &spec::Auth, settings: &[Setting], out: &mut Diagnostics) -> Option<String> {
    let Some(name) = by.as_str().strip_prefix("settings.") else {
        out.push(Diagnostic::at(Code::BadValue, &by.span, "a setting chooses the way").help("write `by: settings.NAME`"));
        return None;
    };
    let Some(setting) = settings.iter().find(|setting| setting.name == name) else {
        let message = format!("the connector has no setting `{name}`");
        let known = settings.iter().map(|setting| setting.name.as_str());
        out.push(Diagnostic::at(Code::UnknownName, &by.span, message).did_you_mean(name, known));
        return None;
    };
    if setting.secret || setting.is_map {
        let message = format!("`{name}` cannot choose a way: it is a secret or a map");
        out.push(Diagnostic::at(Code::BadValue, &by.span, message).help("name a setting with a plain text"));
        return None;
    }
    if let Some(default) = setting.default.as_ref().filter(|default| written.ways.get(default.as_str()).is_none()) {
        let message = format!("without a value, `{name}` is `{default}`, which is none of `ways`");
        let known = written.ways.iter().map(|(name, _)| name.as_str());
        out.push(Diagnostic::at(Code::BadValue, &by.span, message).did_you_mean(default, known));
        return None;
    }
    Some(name.to_owned())
}

/// The file without its `auth`.
fn elsewhere(connector: &Connector, auth: &spec::Auth) -> String {
    let text = &connector.span.file.text;
    let (from, to) = (auth.span.range.start, auth.span.range.end);
    [text.get(..from), text.get(to..)].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn mentions(text: &str, setting: &str) -> bool {
    let name = format!("settings.{setting}");
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(&name).any(|(at, _)| text.get(at + name.len()..).is_none_or(ends))
}
