//! Every kind of mistake, as a person meets it: the folder `tests/diagnostics/CODE` makes it, `expected.txt` holds what
//! `check` prints, and `fixed/` is the same project with the cure of the code's page. Folders `CODE+WORDS` are further ways to
//! make the same mistake.
//!
//! UPDATE_EXPECT=1 writes the expected texts anew; read the difference before it is committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use legwork::diag::Code;
use pretty_assertions::assert_eq;

use crate::support::legwork;

fn folders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// Every folder with its code.
fn each() -> Vec<(PathBuf, Code)> {
    let mut names: Vec<_> =
        fs::read_dir(folders()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let code = |name: &str| Code::parse(name.split('+').next().unwrap()).unwrap_or_else(|| panic!("{name} is of no code"));
    names.iter().map(|name| (folders().join(name), code(name))).collect()
}

#[test]
fn every_code_has_a_folder_and_every_folder_a_code() {
    let there: BTreeSet<String> = each().iter().map(|(_, code)| code.name().to_owned()).collect();
    let needed: BTreeSet<String> = Code::ALL.iter().map(|code| code.name().to_owned()).collect();
    assert_eq!(there, needed);
}

#[test]
fn check_prints_what_is_expected_and_nothing_that_follows_from_it() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    for (folder, code) in each() {
        let ran = legwork(&folder, &["check"]);
        let said = codes(&ran.printed);
        assert!(
            !said.is_empty() && said.iter().all(|said| *said == code.name()),
            "{}: says {said:?}\n{}",
            folder.display(),
            ran.printed
        );
        let stops = code.severity() == legwork::diag::Severity::Error;
        assert_eq!(ran.code, Some(i32::from(stops)), "{}", code.name());
        let expected = folder.join("expected.txt");
        if update {
            fs::write(&expected, &ran.printed).unwrap();
        }
        assert_eq!(ran.printed, fs::read_to_string(&expected).unwrap_or_default(), "{}", folder.display());
    }
}

#[test]
fn every_diagnostic_says_what_to_do() {
    for (folder, _) in each() {
        let printed = legwork(&folder, &["check", "--format", "json"]).printed;
        for line in printed.lines() {
            let said: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(said["help"].is_string(), "{}: no cure in {line}", folder.display());
        }
    }
}

#[test]
fn with_the_cure_nothing_is_wrong() {
    for (folder, _) in each() {
        let ran = legwork(&folder.join("fixed"), &["check"]);
        assert!(ran.printed.ends_with("nothing is wrong\n"), "{}:\n{}", folder.display(), ran.printed);
        assert_eq!(ran.code, Some(0));
    }
}

/// What a page shows is what the folders hold, so a cure that is read there works when it is typed in.
#[test]
fn the_snippets_of_the_pages_are_these_files() {
    for code in Code::ALL {
        let (_, rest) = code.page().split_once("\n## Example\n").unwrap_or_else(|| panic!("{}: no example", code.name()));
        let (example, cure) = rest.split_once("\n## Cure\n").unwrap();
        let folder = folders().join(code.name());
        for (part, folder) in [(example, folder.clone()), (cure, folder.join("fixed"))] {
            let mut snippets = 0;
            for snippet in part.split("```yaml\n").skip(1) {
                let (path, text) = snippet.split_once('\n').unwrap();
                let path =
                    path.strip_prefix("# ").unwrap_or_else(|| panic!("{}: a snippet begins with its file", code.name()));
                let text = text.split("```").next().unwrap();
                assert_eq!(text, fs::read_to_string(folder.join(path)).unwrap(), "{}: {path}", code.name());
                snippets += 1;
            }
            assert!(snippets > 0, "{}: a page shows the mistake and the cure", code.name());
        }
    }
}

/// The codes that a text for people names, in order.
fn codes(printed: &str) -> Vec<&str> {
    let heads = printed.lines().filter_map(|line| line.strip_prefix("error[").or_else(|| line.strip_prefix("warning[")));
    heads.filter_map(|rest| rest.split(']').next()).collect()
}
