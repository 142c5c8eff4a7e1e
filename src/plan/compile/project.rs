//! A whole project: every file read, every action compiled against the domain and the connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::action::{name_of, stem};
use super::connection::{Around, wires};
use super::{Compiler, NativeFacts, SharedFile, settings};
use crate::diag::{Code, Diagnostic, Diagnostics, File, Span};
use crate::name::ActionName;
use crate::plan::action::Action;
use crate::plan::connector::Connector;
use crate::plan::domain::Domain;
use crate::plan::project::Project;
use crate::plan::settings::Limits;
use crate::spec::action::Shared;
use crate::spec::settings::Settings;
use crate::spec::{Node, Shape, action as spec, yaml};

/// Every file of a project, as it was read.
#[derive(Debug, Default)]
pub struct Sources {
    /// legwork.yml; without one every key has its default.
    pub settings: Option<Arc<File>>,
    /// The files of the domain; without any, actions are not held against a domain.
    pub domain: Vec<Arc<File>>,
    /// The files of the actions.
    pub actions: Vec<Arc<File>>,
    /// The actions that the program runs itself, which have no file.
    pub natives: BTreeMap<ActionName, NativeFacts>,
    /// The files under `actions/shared`.
    pub shared: Vec<Arc<File>>,
    /// The day on which it is compiled, to warn of what ends; without it nothing is said of that.
    pub today: Option<chrono::NaiveDate>,
    /// The catalogue's and the project's connectors by name; none for one that is wrong, which was said where it was compiled.
    pub connectors: BTreeMap<String, Option<Arc<Connector>>>,
    /// The files of the project's own connectors.
    pub own_connectors: Vec<Arc<File>>,
    /// The names of all connectors that come with legwork, the compiled and the others.
    pub catalogue: Vec<&'static str>,
}

/// Compiles a project.
///
/// The project is there when nothing that is wrong is an error; warnings are returned beside it.
#[must_use]
pub fn compile(sources: &Sources) -> (Option<Project>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let written: Option<Settings> = match &sources.settings {
        Some(file) => read(file, &mut out),
        None => read(&File::new("legwork.yml", ""), &mut out),
    };
    let blind = written.is_none();
    let domain = domain(&sources.domain, &mut out);
    let formats = written.as_ref().map(|written| settings::formats(&written.formats, &mut out)).unwrap_or_default();
    let production =
        written.as_ref().and_then(|it| it.server.as_ref()?.profile.as_ref()).is_some_and(|it| it.as_str() == "production");
    let around = Around { connectors: &sources.connectors, catalogue: &sources.catalogue, production, today: sources.today };
    let wires = written.as_ref().map(|written| wires(written.connections.as_ref(), &around, &mut out)).unwrap_or_default();
    let connections: BTreeMap<_, _> =
        wires.iter().map(|(name, wire)| (name.clone(), wire.as_ref().map(|w| Arc::clone(&w.connector)))).collect();
    let shared = shared(&sources.shared, &mut out);
    let mut compiler = Compiler {
        formats: &formats,
        limits: Limits::default(),
        currency: written.as_ref().and_then(|written| written.currency.as_ref()).map(|text| text.value.to_uppercase()),
        domain: domain.as_ref(),
        connections: &connections,
        shared: &shared,
        compiled: BTreeMap::new(),
        using: Vec::new(),
        blind,
        partial: false,
        acting: String::new(),
        asks: BTreeSet::new(),
        always: BTreeSet::new(),
        trust: super::trust::Trust::default(),
        codes: written.as_ref().is_none_or(|it| it.verify.as_ref().is_some_and(|it| it.code.is_some())),
        out,
    };
    let settings = written.as_ref().map(|written| compiler.settings(written));
    compiler.always = std::mem::take(&mut compiler.asks);
    compiler.shared_files();
    let (mut actions, unread) = actions(&sources.actions, &mut compiler);
    compiler.natives(&sources.natives, &mut actions);
    compiler.judge_guards(written.as_ref().is_some_and(|written| written.verify.is_some()));
    let asks = compiler.always;
    let mut out = compiler.out;
    if let Some(domain) = &domain {
        let behind = settings.as_ref().is_some_and(|settings| settings.fallback.is_some());
        against_domain(&actions, &unread, domain, behind, &mut out);
    }
    let errors = out.has_errors();
    let project = settings.filter(|_| !errors).map(|settings| Project {
        actions: actions.into_iter().map(|(name, action)| (name, Arc::new(action))).collect(),
        settings,
        connectors: sources.connectors.iter().filter_map(|(name, one)| Some((name.clone(), one.clone()?))).collect(),
        wires: wires.into_iter().filter_map(|(_, wire)| wire).collect(),
        domain,
        asks,
        print: print(sources),
    });
    (project, out.into_sorted())
}

/// What tells the files that answers depend on from those of another project or another version.
fn print(sources: &Sources) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    for file in sources.settings.iter().chain(&sources.shared).chain(&sources.own_connectors) {
        for part in [&file.path, &file.text] {
            digest.update(&part.len().to_be_bytes());
            digest.update(part.as_bytes());
        }
    }
    let mut print = [0; 32];
    print.copy_from_slice(digest.finish().as_ref());
    print
}

fn read<T: Shape>(file: &Arc<File>, out: &mut Diagnostics) -> Option<T> {
    match yaml::parse(file) {
        Ok(tree) => T::read(&tree, out),
        Err(refused) => {
            out.push(*refused);
            None
        }
    }
}

/// Reads a file, and says whether something in it could not be read.
fn read_partly<T: Shape>(file: &Arc<File>, out: &mut Diagnostics) -> (Option<T>, bool) {
    let before = out.len();
    let whole = read(file, out);
    (whole, out.len() > before)
}

fn domain(files: &[Arc<File>], out: &mut Diagnostics) -> Option<Domain> {
    let mut trees: Vec<Node> = Vec::new();
    let mut broken = files.is_empty();
    for file in files {
        match yaml::parse(file) {
            Ok(tree) => trees.push(tree),
            Err(refused) => {
                out.push(*refused);
                broken = true;
            }
        }
    }
    (!broken).then(|| Domain::of(&trees))
}

fn shared(files: &[Arc<File>], out: &mut Diagnostics) -> BTreeMap<String, Option<SharedFile>> {
    let mut shared = BTreeMap::new();
    let mut places: BTreeMap<&str, &Arc<File>> = BTreeMap::new();
    for file in files {
        let name = stem(&file.path);
        if let Some(other) = places.insert(name, file) {
            two_files("the shared steps", name, file, &Span::start_of(other), out);
            continue;
        }
        let (written, partial) = read_partly::<Shared>(file, out);
        shared.insert(name.to_owned(), written.map(|written| SharedFile { written, partial }));
    }
    shared
}

/// The actions, and the names of those whose file cannot be read.
fn actions(files: &[Arc<File>], compiler: &mut Compiler<'_>) -> (BTreeMap<ActionName, Action>, BTreeSet<ActionName>) {
    let mut actions: BTreeMap<ActionName, Action> = BTreeMap::new();
    let mut unread = BTreeSet::new();
    for file in files {
        let Some(name) = name_of(file, &mut compiler.out) else { continue };
        let (written, partial) = read_partly::<spec::Action>(file, &mut compiler.out);
        let Some(written) = written else {
            unread.insert(name);
            continue;
        };
        if let Some(other) = actions.get(&name) {
            two_files("the action", name.as_str(), file, &other.place, &mut compiler.out);
            continue;
        }
        compiler.partial = partial;
        let action = compiler.action(name.clone(), Span::start_of(file), &written);
        actions.insert(name, action);
    }
    (actions, unread)
}

fn two_files(what: &str, name: &str, file: &Arc<File>, other: &Span, out: &mut Diagnostics) {
    let diagnostic = Diagnostic::at(Code::DuplicateName, &Span::start_of(file), format!("two files hold {what} `{name}`"));
    out.push(
        diagnostic
            .related(other, "this is the other")
            .help("rename one of them: the file's name is the name, whichever folder it lies in"),
    );
}

/// Holds which actions there are against which actions the domain lists.
fn against_domain(
    actions: &BTreeMap<ActionName, Action>,
    unread: &BTreeSet<ActionName>,
    domain: &Domain,
    behind: bool,
    out: &mut Diagnostics,
) {
    for (name, action) in actions.iter().filter(|(name, _)| !domain.calls(name.as_str())) {
        let diagnostic = Diagnostic::at(Code::UndeclaredAction, &action.place, format!("the domain does not list `{name}`"));
        out.push(diagnostic.help(format!("add `- {name}` to `actions:` of the domain")));
    }
    let written = |name: &str| actions.contains_key(name) || unread.contains(name);
    // With a server behind this one, that is where they are.
    for listed in domain.custom_actions().filter(|listed| !behind && !written(&listed.value)) {
        let message = format!("no file implements the action `{}`", listed.value);
        let diagnostic = Diagnostic::at(Code::UnimplementedAction, &listed.span, message);
        let near = crate::diag::similar(&listed.value, actions.keys().map(ActionName::as_str));
        let cure =
            near.map_or_else(|| format!("write actions/{}.yml", listed.value), |near| format!("did you mean `{near}`?"));
        out.push(diagnostic.help(cure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(sources: &Sources) -> Vec<&'static str> {
        compile(sources).1.iter().map(|diagnostic| diagnostic.code.name()).collect()
    }

    fn action(name: &str, text: &str) -> Arc<File> {
        File::new(format!("actions/{name}.yml"), text)
    }

    #[test]
    fn an_empty_project_is_a_project() {
        let (project, problems) = compile(&Sources::default());
        assert!(problems.is_empty(), "{problems:?}");
        assert!(project.unwrap().actions.is_empty());
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let sources = Sources {
            actions: vec![
                action(
                    "action_a",
                    "steps:\n  - say: hi\n    set: { x: 1 }\n  - say: \"{{ nmae }}\"\n  - stop: true\n  - say: never\n",
                ),
                action("action_b", "steps: [ { sya: hi } ]\n"),
                action("more/action_a", "steps: []\n"),
            ],
            ..Sources::default()
        };
        let found = codes(&sources);
        for code in ["step-verb", "unknown-name", "unreachable-step", "unknown-key", "duplicate-name"] {
            assert!(found.contains(&code), "{code} in {found:?}");
        }
    }

    #[test]
    fn names_are_known_from_where_they_are_given() {
        let text = "inputs: { who: { from: metadata } }\nsteps:\n  - let: { greeting: \"Hi {{ who }}\" }\n  - say: \"{{ greeting }}\"\n";
        assert_eq!(codes(&Sources { actions: vec![action("action_a", text)], ..Sources::default() }), Vec::<&str>::new());
        let hidden = "steps:\n  - let: { now: 1 }\n";
        assert_eq!(codes(&Sources { actions: vec![action("action_a", hidden)], ..Sources::default() }), ["shadowed-name"]);
    }

    #[test]
    fn a_broken_file_does_not_blame_its_names() {
        let text = "steps:\n  - let: { a: 1 }\n    bogus: 2\n  - say: \"{{ a }}\"\n";
        assert_eq!(codes(&Sources { actions: vec![action("action_a", text)], ..Sources::default() }), ["unknown-key"]);
    }

    #[test]
    fn a_format_of_the_project_is_a_pattern_or_a_choice() {
        let of = |text: &str| {
            let text = format!("connections: {{}}\nformats:\n  f: {text}\n");
            codes(&Sources { settings: Some(File::new("legwork.yml", text)), ..Sources::default() })
        };
        assert_eq!(of("{ enum: { high: [asap] }, examples: { ASAP: high, soon: null } }"), Vec::<&str>::new());
        assert_eq!(of("{ enum: [low, high], examples: { soon: high } }"), ["bad-format"]);
        assert_eq!(of("{ enum: [low], upper: true }"), ["misplaced-key"]);
        assert_eq!(of("{ pattern: x, enum: [low] }"), ["missing-key"]);
        assert_eq!(of("{}"), ["missing-key"]);
    }

    #[test]
    fn a_slot_may_be_taken_or_refused_in_the_outcome_of_a_call() {
        let of = |key: &str, end: &str| {
            let call = format!("{{ call: shop.find, outcomes: {{ otherwise: [{{ {end}: value }}] }} }}");
            let text = format!(
                "{key}: {}\n",
                if key == "slots" {
                    format!("{{ x: {{ steps: [ {call}, {{ accept: value }} ] }} }}")
                } else {
                    format!("[ {call} ]")
                }
            );
            codes(&Sources {
                actions: vec![action(if key == "slots" { "validate_form" } else { "action_a" }, &text)],
                ..Sources::default()
            })
        };
        assert_eq!(of("slots", "accept"), Vec::<&str>::new());
        assert_eq!(of("slots", "reject"), Vec::<&str>::new());
        assert!(of("steps", "accept").contains(&"misplaced-key"));
    }

    #[test]
    fn an_action_ends_with_or_without_a_word() {
        let of = |step: &str| {
            codes(&Sources { actions: vec![action("action_a", &format!("steps: [{step}]\n"))], ..Sources::default() })
        };
        assert_eq!(of("{ stop: true }"), Vec::<&str>::new());
        assert_eq!(of("{ stop: Bye }"), Vec::<&str>::new());
        assert_eq!(of("{ stop: [Bye, { text: now }] }"), Vec::<&str>::new());
        assert_eq!(of("{ stop: false }"), ["wrong-type"]);
        assert_eq!(of("{ stop: Bye }, { say: more }"), ["unreachable-step"]);
    }
}
