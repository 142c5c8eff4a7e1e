//! Reading a project's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::connector::catalog;
use crate::diag::{Code, Diagnostic, Diagnostics, File, Span, allow};
use crate::engine::Natives;
use crate::plan::connector::{Connector, Formats};
use crate::plan::{self, Project, Sources};
use crate::spec::settings::Settings;
use crate::spec::{Node, Shape, Text, yaml};
use crate::time::{Clock as _, SystemClock};

/// Where a project lies.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// legwork.yml; without it, the one in the working folder where there is one.
    pub config: Option<PathBuf>,
    /// The folder of the actions, where it is not what legwork.yml says.
    pub actions: Option<PathBuf>,
    /// The domain, where it is not what legwork.yml says.
    pub domain: Option<PathBuf>,
    /// The actions of the program itself, which have no file.
    pub natives: Natives,
}

impl Place {
    /// The project's folder: that of legwork.yml, which its relative paths start from.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let parent = self.config.as_deref().and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    }
}

/// Reads and compiles a project; with everything that is wrong in it.
#[must_use]
pub fn load(place: &Place) -> (Option<Project>, Vec<Diagnostic>) {
    let mut problems = Diagnostics::default();
    let mut sources = read(place, &mut problems);
    sources.today = Some(SystemClock.now().date_naive());
    let (project, found) = plan::compile(&sources);
    let unread = problems.has_errors();
    problems.extend(found);
    let mut left = Diagnostics::default();
    left.extend(allow(problems.into_sorted(), &sources.files()));
    (project.filter(|_| !unread), left.into_sorted())
}

/// Where the files of a project belong.
#[derive(Debug)]
pub struct Folders {
    /// Those of actions.
    pub actions: PathBuf,
    /// The domain, a file or a folder.
    pub domain: PathBuf,
    /// Whether somebody says that the domain is there.
    pub domain_named: bool,
    /// Those of its own connectors.
    pub connectors: PathBuf,
}

/// Where the files of a project belong; `settings` is its legwork.yml.
#[must_use]
pub fn folders(place: &Place, settings: Option<&Arc<File>>) -> Folders {
    settings.map(paths).unwrap_or_default().folders(place)
}

/// Reads the files of a project. What cannot be read is reported, and left out.
pub fn read(place: &Place, out: &mut Diagnostics) -> Sources {
    let folder = place.folder();
    let settings = match &place.config {
        Some(path) => text(path, &folder, out),
        None => Some(folder.join("legwork.yml")).filter(|path| path.exists()).and_then(|path| text(&path, &folder, out)),
    };
    let none = || Paths { formats: Some(Formats::new()), ..Paths::default() };
    let paths = settings.as_ref().map_or_else(none, paths);
    let Folders { actions, domain, domain_named, connectors: connectors_folder } = paths.folders(place);
    let shared = actions.join("shared");
    let mut sources = Sources { settings, natives: place.natives.declared(), ..Sources::default() };
    if actions.is_dir() {
        let files = yaml_files(&actions, out).into_iter().filter(|path| !path.starts_with(&shared));
        sources.actions = files.filter_map(|path| text(&path, &folder, out)).collect();
    } else {
        let message = format!("there is no folder {}", actions.display());
        out.push(
            Diagnostic::nowhere(Code::Unreadable, message)
                .help("make it and put the first action in it, or say with `actions:` or --actions where it is"),
        );
    }
    if shared.is_dir() {
        sources.shared = yaml_files(&shared, out).iter().filter_map(|path| text(path, &folder, out)).collect();
    }
    if domain.is_dir() {
        sources.domain = yaml_files(&domain, out).iter().filter_map(|path| text(path, &folder, out)).collect();
    } else if domain_named || domain.exists() {
        sources.domain = text(&domain, &folder, out).into_iter().collect();
    }
    sources.catalogue = catalog::BUILT_IN.iter().map(|source| source.name).collect();
    let (used, formats) = (paths.used.as_ref(), paths.formats.as_ref());
    (sources.connectors, sources.own_connectors) = connectors(&connectors_folder, &folder, used, formats, out);
    sources
}

/// What of legwork.yml has to be known before the other files are read.
#[derive(Default)]
struct Paths {
    actions: Option<String>,
    domain: Option<String>,
    connectors: Option<String>,
    /// The connectors that its connections name; none when it names no connections.
    used: Option<BTreeSet<String>>,
    /// Its formats, which the project's own connectors may use; none when it cannot be read.
    formats: Option<Formats>,
}

impl Paths {
    fn folders(&self, place: &Place) -> Folders {
        let folder = place.folder();
        let named = place.domain.clone().or_else(|| self.domain.as_deref().map(|path| folder.join(path)));
        Folders {
            actions: place.actions.clone().unwrap_or_else(|| folder.join(self.actions.as_deref().unwrap_or("actions"))),
            domain_named: named.is_some(),
            domain: named.unwrap_or_else(|| folder.join("domain.yml")),
            connectors: folder.join(self.connectors.as_deref().unwrap_or("connectors")),
        }
    }
}

/// The files and folders that a project consists of, the files of its secrets among them; whether they are there or not.
pub(super) fn consists_of(place: &Place) -> Vec<PathBuf> {
    let folder = place.folder();
    let config = place.config.clone().unwrap_or_else(|| folder.join("legwork.yml"));
    let text = read_text(&config).unwrap_or_default();
    let secrets = text.split("${file:").skip(1).filter_map(|rest| rest.split_once('}'));
    let mut all: Vec<_> = secrets.map(|(path, _)| folder.join(path)).collect();
    let Folders { actions, domain, connectors, .. } = paths(&File::new("legwork.yml", text)).folders(place);
    all.extend([config, actions, domain, connectors]);
    all
}

/// Only these are of interest here; compiling reports what is wrong.
fn paths(file: &Arc<File>) -> Paths {
    let ignored = &mut Diagnostics::default();
    let settings = yaml::parse(file).ok().and_then(|tree| Settings::read(&tree, ignored));
    let value = |text: Option<Text>| text.map(|text| text.value);
    settings.map_or_else(Paths::default, |settings| Paths {
        actions: value(settings.actions),
        domain: value(settings.domain),
        connectors: value(settings.connectors),
        formats: Some(plan::formats(&settings.formats)),
        used: settings
            .connections
            .map(|all| all.iter().filter_map(|(_, one)| one.keys.get("connector").and_then(Node::scalar_text)).collect()),
    })
}

/// A file's text under the path that people know it by: relative to the project's folder.
pub(super) fn text(path: &Path, folder: &Path, out: &mut Diagnostics) -> Option<Arc<File>> {
    let shown = path.strip_prefix(folder).unwrap_or(path).display().to_string().replace('\\', "/");
    let refused = match read_text(path) {
        Ok(text) => return Some(File::new(shown, text)),
        Err(refused) => refused,
    };
    let (reason, cure) = match &refused {
        NoText::TooLarge => {
            (format!("it is larger than {} MiB", LARGEST >> 20), "split it, or keep data in a table of a connector")
        }
        NoText::NotUtf8 => ("it is not UTF-8".to_owned(), "save it again with the encoding UTF-8"),
        NoText::Io(error) => (reason(error), "check that it is there, and that this user may read it"),
    };
    out.push(Diagnostic::nowhere(Code::Unreadable, format!("{shown} cannot be read: {reason}")).help(cure));
    None
}

/// The largest file that people write by hand.
const LARGEST: u64 = 16 << 20;

/// Why a file gives no text.
enum NoText {
    TooLarge,
    NotUtf8,
    Io(std::io::Error),
}

fn read_text(path: &Path) -> Result<String, NoText> {
    if std::fs::metadata(path).map_err(NoText::Io)?.len() > LARGEST {
        return Err(NoText::TooLarge);
    }
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => NoText::NotUtf8,
        _ => NoText::Io(error),
    })
}

/// Why reading failed, the same on every system.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it is not there".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "reading it is not allowed".to_owned(),
        _ => error.to_string(),
    }
}

/// All YAML files of a folder and its folders, by name.
pub(super) fn yaml_files(folder: &Path, out: &mut Diagnostics) -> Vec<PathBuf> {
    let is_yaml = |path: &Path| path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml");
    files(folder, out).into_iter().filter(|path| is_yaml(path)).collect()
}

/// All files of a folder and its folders, by name, but for hidden ones.
pub(super) fn files(folder: &Path, out: &mut Diagnostics) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    // Links can lead in circles.
    let mut seen = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                let message = format!("{} cannot be read: {}", folder.display(), reason(&error));
                out.push(Diagnostic::nowhere(Code::Unreadable, message).help("check that this user may read it"));
                continue;
            }
        };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            match path.is_dir() {
                _ if hidden => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// Connectors by name; none for one that is wrong.
type Compiled = BTreeMap<String, Option<Arc<Connector>>>;

/// The connectors that come with legwork and those of the project, compiled, and the files of these.
///
/// Of the catalogue only what a connection names is compiled: it is large, and every start would pay for all of it.
fn connectors(
    own: &Path,
    folder: &Path,
    used: Option<&BTreeSet<String>>,
    formats: Option<&Formats>,
    out: &mut Diagnostics,
) -> (Compiled, Vec<Arc<File>>) {
    let mut compiled: Vec<(String, Option<Connector>)> = Vec::new();
    let is_used = |name: &str| used.map_or(name == plan::SANDBOX, |used| used.contains(name));
    for source in catalog::BUILT_IN.iter().filter(|source| is_used(source.name)) {
        if let Some((connector, problems)) = catalog::built_in(source.name) {
            out.extend(problems);
            compiled.push((source.name.to_owned(), connector));
        }
    }
    let files = if own.is_dir() { yaml_files(own, out) } else { Vec::new() };
    let mut own_files: BTreeMap<String, Span> = BTreeMap::new();
    let mut read = Vec::new();
    for path in files {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(file) = text(&path, folder, out) else {
            compiled.push((name, None));
            continue;
        };
        if let Some(other) = own_files.insert(name.clone(), Span::start_of(&file)) {
            let diagnostic = Diagnostic::at(
                Code::DuplicateName,
                &Span::start_of(&file),
                format!("two files hold the connector `{name}`"),
            );
            out.push(
                diagnostic
                    .related(&other, "this is the other")
                    .help("rename one of them: the file's name is the connector's"),
            );
            continue;
        }
        let (connector, problems) = catalog::read(&name, &file, path.parent().unwrap_or(own), formats);
        out.extend(problems);
        compiled.push((name, connector));
        read.push(file);
    }
    (compiled.into_iter().map(|(name, connector)| (name, connector.map(Arc::new))).collect(), read)
}
