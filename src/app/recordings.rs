//! What recordings and saved tests need of a project's files: the words in them, and how they read with a test more.

use super::load::{Place, read};
use super::messages::{Line, messages};
use crate::diag::{Diagnostic, Diagnostics, File};
use crate::plan::{self, Project};
use crate::qa::recording::{Vocabulary, of_everything, of_project};

/// The words of a project that a recording may show.
#[must_use]
pub fn vocabulary(place: &Place, project: &Project) -> Vocabulary {
    of_project(&read(place, &mut Diagnostics::default()), project, &said(project))
}

/// Everything that a project's files write, examples and their people included: what a further test may hold.
#[must_use]
pub fn everything(place: &Place, project: &Project) -> Vocabulary {
    of_everything(&read(place, &mut Diagnostics::default()), project, &said(project))
}

/// Reads and compiles a project as [`load`](super::load()) does, with another text in the place of one of its actions' files.
#[must_use]
pub fn load_with(place: &Place, path: &str, text: &str) -> (Option<Project>, Vec<Diagnostic>) {
    let mut problems = Diagnostics::default();
    let mut sources = read(place, &mut problems);
    for file in sources.actions.iter_mut().filter(|file| file.path == path) {
        *file = File::new(path, text);
    }
    let (project, found) = plan::compile(&sources);
    let unread = problems.has_errors();
    problems.extend(found);
    (project.filter(|_| !unread), problems.into_sorted())
}

/// What legwork says by itself in this project.
fn said(project: &Project) -> Vec<String> {
    let rows = messages(project, None);
    let texts = rows.iter().flat_map(|row| {
        let offers = row.offers.iter().map(|offer| offer.title.clone());
        row.says.iter().map(|line: &Line| line.text.clone()).chain(offers).chain(row.contact.clone())
    });
    texts.collect()
}
