//! Finding the files of stories that `legwork test` plays.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Place;
use super::load::{text, yaml_files};
use crate::diag::{Diagnostic, Diagnostics, File};
use crate::plan::Project;
use crate::spec::story::may_hold_stories;

/// Where Rasa keeps stories and tests.
const USUAL: [&str; 2] = ["data", "tests"];

/// Files of stories, and what is wrong with some.
#[derive(Debug)]
pub struct StoryFiles {
    /// The files, each once.
    pub files: Vec<Arc<File>>,
    /// Why others cannot be read.
    pub problems: Vec<Diagnostic>,
}

/// The files of stories at these paths; without any, where the project has them. A folder is searched, what else is in it is
/// let be; files of the project's actions are known already.
///
/// # Errors
/// What of it is not there, or is no file of stories, one line each.
pub fn stories(place: &Place, project: &Project, paths: &[PathBuf]) -> Result<StoryFiles, Vec<String>> {
    let folder = place.folder();
    let own: Vec<PathBuf> = match (&project.settings.stories, paths.is_empty()) {
        (_, false) => paths.to_vec(),
        (Some(named), true) => named.iter().map(|path| folder.join(path)).collect(),
        (None, true) => USUAL.iter().map(|path| folder.join(path)).filter(|path| path.is_dir()).collect(),
    };
    let same = |a: &Path, b: &Path| a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b));
    let is_action = |path: &Path| {
        let mut files = project.actions.values().map(|action| folder.join(&action.place.file.path));
        files.any(|file| file.file_name() == path.file_name() && same(&file, path))
    };
    let (mut found, mut out, mut wrong): (Vec<Arc<File>>, _, _) = (Vec::new(), Diagnostics::default(), Vec::new());
    for path in own {
        if path.is_dir() {
            let files = yaml_files(&path, &mut out);
            let files = files.iter().filter_map(|path| text(path, &folder, &mut out)).collect::<Vec<_>>();
            found.extend(files.into_iter().filter(|file| may_hold_stories(&file.text)));
        } else if !path.exists() {
            let shown = path.display().to_string();
            let cure = match project.actions.contains_key(shown.as_str()) {
                true => format!("; `-n {shown}` runs the tests of that action"),
                false => String::new(),
            };
            wrong.push(format!("there is no file or folder {shown}{cure}"));
        } else if !is_action(&path)
            && let Some(file) = text(&path, &folder, &mut out)
        {
            match may_hold_stories(&file.text) {
                true => found.push(file),
                false => wrong.push(format!(
                    "{} is no file of an action of the project, and has none of the keys `stories`, `rules` and `test_cases`",
                    path.display()
                )),
            }
        }
    }
    // Two paths may lead to one file.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|file| seen.insert(file.path.clone()));
    if wrong.is_empty() { Ok(StoryFiles { files: found, problems: out.into_sorted() }) } else { Err(wrong) }
}
