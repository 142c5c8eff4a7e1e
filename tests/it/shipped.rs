//! The project at the root: nothing is wrong with it, its tests pass whenever they run, and its files say which schema they
//! follow.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use legwork::app::{self, Place};
use legwork::plan::Project;
use legwork::qa::{self, Selection};
use legwork::time::{Clock, FixedClock};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn project() -> Project {
    let (project, problems) = app::load(&Place { config: Some(root().join("legwork.yml")), ..Place::default() });
    assert!(problems.is_empty(), "{}", legwork::diag::render(&problems, legwork::diag::Format::Human { color: false }));
    project.unwrap()
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "yml") {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn every_action_is_tested_and_no_test_depends_on_the_day() {
    let project = Arc::new(project());
    let connections = app::test_connections(&project, &root()).unwrap();
    for day in ["2026-01-01T00:00:00Z", "2027-06-30T23:59:59Z", "2028-02-29T12:00:00Z", "2030-12-31T23:00:00Z"] {
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(day.parse().unwrap()));
        let report = qa::run(&project, &connections, &root(), &clock, &Selection::default()).await;
        assert!(report.passed(), "on {day}:\n{}", report.human());
        assert_eq!(report.untested, [""; 0]);
        assert!(report.results.len() >= 100);
    }
}

#[test]
fn shipped_files_name_their_schema() {
    let mut files = yaml_files(&root().join("actions"));
    files.extend(yaml_files(&root().join("src/connector/catalog")));
    files.push(root().join("legwork.yml"));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let schema = first.strip_prefix("# yaml-language-server: $schema=");
        let schema = schema.unwrap_or_else(|| panic!("{} begins with {first:?}", file.display()));
        assert!(file.parent().unwrap().join(schema).is_file(), "{}: there is no {schema}", file.display());
    }
}

#[test]
fn the_schemas_are_those_of_this_engine() {
    let fresh = tempfile::tempdir().unwrap();
    let mut legwork = std::process::Command::new(env!("CARGO_BIN_EXE_legwork"));
    assert!(legwork.args(["schema", "--out"]).arg(fresh.path()).status().unwrap().success());
    for entry in std::fs::read_dir(fresh.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let kept = std::fs::read_to_string(root().join("schemas").join(name)).unwrap_or_default();
        let now = std::fs::read_to_string(&path).unwrap();
        assert!(kept == now, "schemas/{} is out of date; run: legwork schema --out schemas", name.display());
    }
}
