//! Tells that the files of a project were changed, by looking at them again and again.
//!
//! What the file system says of each is compared: which file it is, how large, and when it was written or renamed. Links are
//! followed. So it does not matter how a change is made: in place, by a rename as editors do, by the exchange of a linked folder
//! as with mounted config maps, or on another machine that a network mount says nothing of. A few hundred files are looked at
//! within a millisecond. A change counts once nothing has changed from one look to the next.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::app::load::{Place, consists_of, files};
use crate::diag::Diagnostics;

/// The files that a project may name, by how they end; others beneath its folders, such as databases, change all the time.
const ENDINGS: [&str; 5] = ["yml", "yaml", "sql", "csv", "json"];

/// What there is to tell a file from itself after a change.
type Mark = [i64; 7];
/// The files that are there.
type Marks = BTreeMap<PathBuf, Mark>;

/// The files of a project as they were when they were looked at last.
pub struct Watched {
    place: Place,
    /// Further files, which its own name.
    more: Vec<PathBuf>,
    all: Vec<PathBuf>,
    /// At the last look.
    seen: Marks,
    /// When they were read last.
    read: Marks,
}

impl Watched {
    /// The files of the project there, which are read next.
    #[must_use]
    pub fn new(place: &Place) -> Self {
        let (seen, read) = (Marks::new(), Marks::new());
        let mut watched = Self { place: place.clone(), more: Vec::new(), all: Vec::new(), seen, read };
        watched.are_read();
        watched
    }

    /// Further files, as they are now.
    pub(super) fn also(&mut self, more: Vec<PathBuf>) {
        if more != self.more {
            let marks: Marks = more.iter().filter_map(|path| Some((path.clone(), mark(path)?))).collect();
            self.read.extend(marks.clone());
            self.seen.extend(marks);
            self.more = more;
        }
    }

    /// From here on a change is one of what the files are now.
    pub(super) fn are_read(&mut self) {
        self.all = consists_of(&self.place);
        self.seen = self.look();
        self.read = self.seen.clone();
    }

    /// Whether they have changed since they were read, and have come to rest; then they are read next.
    pub(super) fn have_changed(&mut self) -> bool {
        let before = std::mem::take(&mut self.seen);
        self.seen = self.look();
        let changed = self.seen == before && self.seen != self.read;
        if changed {
            self.are_read();
        }
        changed
    }

    fn look(&self) -> Marks {
        let mut seen = Vec::new();
        for path in self.all.iter().chain(&self.more) {
            if path.is_dir() {
                // What cannot be read is said when the project is.
                let named = |path: &PathBuf| path.extension().is_some_and(|it| ENDINGS.iter().any(|ending| it == *ending));
                seen.extend(files(path, &mut Diagnostics::default()).into_iter().filter(named));
            } else {
                seen.push(path.clone());
            }
        }
        seen.into_iter().filter_map(|path| mark(&path).map(|mark| (path, mark))).collect()
    }
}

/// None where there is no file.
fn mark(path: &Path) -> Option<Mark> {
    let it = std::fs::metadata(path).ok()?;
    let (device, number, size) = (it.dev().cast_signed(), it.ino().cast_signed(), it.size().cast_signed());
    Some([device, number, size, it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project, watched.
    fn watched(files: &[(&str, &str)]) -> (tempfile::TempDir, Watched) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let place = Place { config: Some(folder.path().join("legwork.yml")), ..Place::default() };
        let watched = Watched::new(&place);
        (folder, watched)
    }

    /// Whether a change is seen at the first look, at the second, and at the third.
    fn looks(watched: &mut Watched) -> [bool; 3] {
        [(); 3].map(|()| watched.have_changed())
    }

    const ONCE_AT_REST: [bool; 3] = [false, true, false];

    #[test]
    fn a_change_counts_when_it_has_come_to_rest() {
        let (folder, mut watched) = watched(&[("legwork.yml", ""), ("actions/a.yml", "x")]);
        let file = folder.path().join("actions/a.yml");
        assert_eq!(looks(&mut watched), [false; 3]);
        std::fs::write(&file, "longer").unwrap();
        assert!(!watched.have_changed());
        std::fs::write(&file, "longer still").unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST);
    }

    #[test]
    fn files_that_come_go_and_are_renamed_are_changes() {
        let (folder, mut watched) = watched(&[("legwork.yml", ""), ("actions/a.yml", "x")]);
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("actions/b.yml"), "x").unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST, "another file");
        std::fs::write(path("a.new"), "y").unwrap();
        assert_eq!(looks(&mut watched), [false; 3], "it is no part of the project");
        std::fs::rename(path("a.new"), path("actions/a.yml")).unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST, "a file in the place of another, of the same size");
        std::fs::remove_file(path("actions/b.yml")).unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST, "no file any more");
        std::fs::create_dir(path("connectors")).unwrap();
        std::fs::write(path("connectors/shop.db"), "rows").unwrap();
        assert_eq!(looks(&mut watched), [false; 3], "a database");
    }

    #[test]
    fn a_linked_folder_that_is_exchanged_is_a_change() {
        let (folder, _) = watched(&[("v1/a.yml", "x"), ("v2/a.yml", "x"), ("actions/none", "")]);
        let path = |name: &str| folder.path().join(name);
        // As config maps are mounted: files that lead through a link to the folder of now.
        std::os::unix::fs::symlink("v1", path("..data")).unwrap();
        std::os::unix::fs::symlink("../..data/a.yml", path("actions/a.yml")).unwrap();
        let place = Place { config: Some(path("legwork.yml")), ..Place::default() };
        let mut watched = Watched::new(&place);
        std::os::unix::fs::symlink("v2", path("..next")).unwrap();
        std::fs::rename(path("..next"), path("..data")).unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST);
    }

    #[test]
    fn secrets_in_files_and_folders_that_legwork_yml_names_are_watched() {
        let settings = "actions: deeds\nserver: { auth: [{ name: a, bearer: \"${file:secrets/a}\" }] }\n";
        let (folder, mut watched) = watched(&[("legwork.yml", settings), ("deeds/a.yml", "x"), ("secrets/a", "old")]);
        std::fs::write(folder.path().join("secrets/a"), "newer").unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST);
        std::fs::write(folder.path().join("deeds/a.yml"), "y2").unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST);
        std::fs::write(folder.path().join("legwork.yml"), "actions: acts\n").unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST);
        std::fs::create_dir(folder.path().join("acts")).unwrap();
        std::fs::write(folder.path().join("acts/a.yml"), "x").unwrap();
        assert_eq!(looks(&mut watched), ONCE_AT_REST, "where legwork.yml says that they are now");
    }
}
