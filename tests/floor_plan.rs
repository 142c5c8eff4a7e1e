//! Holds the floor plan: the modules of `src/` import downwards only, and every file keeps the house rules.
//!
//! It reads the sources as tokens, so comments and texts cannot trip it; it knows nothing of types or macros. The rules
//! are tried on bad snippets too: a checker that finds nothing proves nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Each module and its floor. A module may name what is on lower floors, and itself.
const FLOORS: &[(u8, &[&str])] = &[
    (0, &["name", "time", "secret", "diag"]),
    (1, &["rasa", "model", "fault", "format", "spec"]),
    (2, &["template", "telemetry"]),
    (3, &["store"]),
    (4, &["resilience"]),
    (5, &["plan"]),
    (6, &["connector"]),
    (7, &["outbox"]),
    (8, &["engine"]),
    (9, &["server"]),
    (10, &["qa"]),
    (11, &["app"]),
    (12, &["cli"]),
];

/// What only some modules may name: a crate, or a module of the standard library.
const CONFINED: &[(&[&str], &[&str])] = &[
    (&["axum"], &["server"]),
    (&["reqwest"], &["connector"]),
    (&["sqlx"], &["store", "connector"]),
    (&["moka"], &["resilience"]),
    (&["redis"], &["store"]),
    (&["minijinja"], &["template"]),
    (&["serde_saphyr"], &["spec"]),
    (&["std", "env"], &["secret", "app", "cli"]),
];

const LONGEST: usize = 500;

#[test]
fn the_sources_keep_to_the_floor_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files).unwrap();
    assert!(files.len() > 5, "no sources under {}", root.display());
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        found.extend(problems(&name, &fs::read_to_string(&file).unwrap()));
    }
    assert!(found.is_empty(), "{} problems:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_library_page_shows_the_same_floors() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut shown = Vec::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("//! - ")) {
        let (floor, modules) = line.split_once(':').unwrap();
        // [`name`] or [`format`](mod@format): the names stand between backticks.
        let modules: Vec<_> = modules.split('`').skip(1).step_by(2).collect();
        shown.push((floor.parse::<u8>().unwrap(), modules));
    }
    let held: Vec<_> = FLOORS.iter().map(|(floor, modules)| (*floor, modules.to_vec())).collect();
    assert_eq!(shown, held);
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Everything wrong with one file; `name` is its path below `src/`.
fn problems(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(format!("src/{name}: does not begin with a //! that says why it exists"));
    }
    let lines = text.lines().count();
    if lines > LONGEST {
        found.push(format!("src/{name}: {lines} lines, {LONGEST} at most"));
    }
    let tokens = tokens(text);
    for window in tokens.windows(2) {
        if window[0].text == "allow" && window[1].text == "(" && in_attribute(&tokens, window[0].at) {
            found.push(format!("src/{name}:{}: allow, where expect with a reason is the rule", window[0].line));
        }
    }
    let place = Place::of(name);
    if let Some(module) = &place.module
        && floor(module).is_none()
    {
        found.push(format!("src/{name}: {module} has no floor"));
    }
    for path in paths(&tokens, place.depth) {
        found.extend(path_problem(name, &place, &path));
    }
    found
}

fn path_problem(name: &str, place: &Place, path: &PathUse) -> Option<String> {
    let line = path.line;
    let names: Vec<_> = path.names.iter().map(String::as_str).collect();
    let Some(module) = &place.module else {
        // lib.rs and main.rs stand outside of the house; they name its modules but are bound by what is confined.
        return confined(&names, "").map(|what| format!("src/{name}:{line}: {what}"));
    };
    if let ["crate", target, ..] = names[..] {
        if target == module {
            return None;
        }
        let (here, there) = (floor(module)?, floor(target));
        return match there {
            None => Some(format!("src/{name}:{line}: crate::{target} is no module with a floor")),
            Some(there) if there == here => {
                Some(format!("src/{name}:{line}: {module} and {target} stand on the same floor, {here}"))
            }
            Some(there) if there > here => {
                Some(format!("src/{name}:{line}: {module} (floor {here}) climbs to {target} (floor {there})"))
            }
            Some(_) => None,
        };
    }
    confined(&names, module).map(|what| format!("src/{name}:{line}: {what}"))
}

fn confined(names: &[&str], module: &str) -> Option<String> {
    let (what, homes) = CONFINED.iter().find(|(what, _)| names.starts_with(what))?;
    (!homes.contains(&module)).then(|| format!("{} is named only in {}", what.join("::"), homes.join(", ")))
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, modules)| modules.contains(&module)).map(|(floor, _)| *floor)
}

/// Where a file stands: the top module it belongs to, and how many modules deep it is.
struct Place {
    module: Option<String>,
    depth: usize,
}

impl Place {
    fn of(name: &str) -> Self {
        let stem = name.trim_end_matches(".rs").trim_end_matches("/mod");
        if matches!(stem, "lib" | "main") {
            return Self { module: None, depth: 0 };
        }
        Self { module: stem.split('/').next().map(str::to_owned), depth: stem.split('/').count() }
    }
}

struct Token<'a> {
    text: &'a str,
    line: usize,
    at: usize,
}

/// The identifiers and marks of a source, without comments, texts, characters and lifetimes. `::` is one token.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let bytes = source.as_bytes();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let rest = &source[at..];
        let (length, token) = match bytes[at] {
            b'/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            b'/' if rest.starts_with("/*") => (block_comment(rest), false),
            b'"' => (text_end(rest), false),
            b'\'' => (quoted(rest), false),
            byte if byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii() => {
                let word = name_length(rest);
                match (&rest[..word], rest[word..].bytes().next()) {
                    ("r" | "br" | "cr", Some(b'"' | b'#')) if is_raw_text(&rest[word..]) => {
                        (word + raw_text(&rest[word..]), false)
                    }
                    // a name that is no keyword, such as r#use
                    ("r", Some(b'#')) => (2 + name_length(&rest[2..]), true),
                    (_, _) => (word, true),
                }
            }
            b':' if rest.starts_with("::") => (2, true),
            byte => (1, !byte.is_ascii_whitespace()),
        };
        if token {
            found.push(Token { text: &rest[..length], line, at: found.len() });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

fn name_length(rest: &str) -> usize {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    end.max(rest.chars().next().map_or(1, char::len_utf8))
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn text_end(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn is_raw_text(after_prefix: &str) -> bool {
    after_prefix.trim_start_matches('#').starts_with('"')
}

fn raw_text(after_prefix: &str) -> usize {
    let hashes = after_prefix.len() - after_prefix.trim_start_matches('#').len();
    let close = format!("\"{}", "#".repeat(hashes));
    let body = hashes + 1;
    after_prefix[body..].find(&close).map_or(after_prefix.len(), |at| body + at + close.len())
}

/// A character, or the mark of a lifetime, whose name is then an identifier of no consequence.
fn quoted(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((at, _))) => rest[at + 1..].find('\'').map_or(rest.len(), |end| at + 1 + end + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// Whether the token stands between `#[` or `#![` and its closing bracket.
fn in_attribute(tokens: &[Token<'_>], at: usize) -> bool {
    let mut open = 0;
    for index in (0..at).rev() {
        match tokens[index].text {
            "]" => open -= 1,
            "[" => open += 1,
            ";" | "{" | "}" => return false,
            _ => {}
        }
        if open > 0 {
            let before = |back: usize| index.checked_sub(back).map(|index| tokens[index].text);
            return before(1) == Some("#") || (before(1) == Some("!") && before(2) == Some("#"));
        }
    }
    false
}

/// A path as it is named somewhere; `crate::…` when it leads to a module of this crate by way of `crate` or `super`.
struct PathUse {
    names: Vec<String>,
    line: usize,
}

/// Every path of the file, with the groups of `use` spelled out. `depth` is how many modules deep the file is.
fn paths(tokens: &[Token<'_>], depth: usize) -> Vec<PathUse> {
    let (mut found, mut at, mut braces, mut inner) = (Vec::new(), 0, 0, Vec::new());
    while at < tokens.len() {
        match tokens[at].text {
            "mod" if tokens.get(at + 2).is_some_and(|token| token.text == "{") => {
                braces += 1;
                inner.push(braces);
                at += 3;
                continue;
            }
            "{" => braces += 1,
            "}" => {
                if inner.last() == Some(&braces) {
                    inner.pop();
                }
                braces -= 1;
            }
            // not the list of what an `impl Trait` captures: `use<'a>`
            "use" if tokens.get(at + 1).is_some_and(|token| token.text != "<") => {
                at = use_tree(tokens, at + 1, &[], &mut found, depth + inner.len());
                continue;
            }
            word if is_name(word) && at > 0 && matches!(tokens[at - 1].text, "." | "::") => {}
            word if is_name(word) && tokens.get(at + 1).is_some_and(|token| token.text == "::") => {
                let mut names = vec![word];
                let line = tokens[at].line;
                while tokens.get(at + 1).is_some_and(|token| token.text == "::")
                    && tokens.get(at + 2).is_some_and(|token| is_name(token.text))
                {
                    at += 2;
                    names.push(tokens[at].text);
                }
                keep(&mut found, &names, line, depth + inner.len());
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
}

/// Reads one branch of a `use` and returns the index after it.
fn use_tree(tokens: &[Token<'_>], mut at: usize, stem: &[&str], found: &mut Vec<PathUse>, depth: usize) -> usize {
    let (mut names, mut line) = (stem.to_vec(), None);
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| !matches!(token.text, "}" | ";")) {
                    at = use_tree(tokens, at, &names, found, depth);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            "," | ";" | "}" => break,
            "as" => at += 2,
            "::" | "*" => at += 1,
            word => {
                line.get_or_insert(token.line);
                names.push(word);
                at += 1;
            }
        }
    }
    let line = line.or_else(|| tokens.get(at).map(|token| token.line)).unwrap_or_default();
    keep(found, &names, line, depth);
    at
}

/// Notes a path; as many `super` as there are modules around it lead to the crate's root.
fn keep(found: &mut Vec<PathUse>, names: &[&str], line: usize, depth: usize) {
    let own = names.iter().take_while(|name| **name == "self").count();
    let names = &names[own..];
    let ups = names.iter().take_while(|name| **name == "super").count();
    let names: Vec<_> = if ups > 0 && ups == depth {
        std::iter::once("crate").chain(names[ups..].iter().copied()).collect()
    } else {
        names.to_vec()
    };
    found.push(PathUse { names: names.into_iter().map(str::to_owned).collect(), line });
}

#[test]
fn a_file_that_keeps_the_rules_has_no_problems() {
    let good = r##"//! Renders things.
//! Not `crate::server`; see [`crate::cli`].
use std::collections::HashMap;
use crate::{name::{Name, SlotName}, time as clock, fault::*};
use super::registry::Registry;
/* crate::server /* nested */ axum::Router */
fn f<'a>(text: &'a str) -> char {
    let _ = ("crate::engine", r#"use "crate::cli" #"#, b"axum::x", '"', '\'', '\u{1F600}', "é \" crate::app");
    let _ = crate::template::render(text);
    let r#use = step.r#use; /* … */ let größe = 1; // —
    fn g<'a>(x: &'a str) -> impl Sized + use<'a> {}
    allow(text);
    env::home();
    '{'
}
#[cfg(test)]
mod tests {
    use super::*;
    use super::super::registry::Registry;
    use crate::secret::Secret;
}
"##;
    assert_eq!(problems("template/engine.rs", good), Vec::<String>::new());
}

#[test]
fn every_way_of_climbing_is_seen() {
    for bad in [
        "use crate::server;",
        "use crate::server::Door;",
        "pub use crate::{name::Name, server::Door};",
        "pub(crate) use crate::{\n  name::{Name},\n  server,\n};",
        "use crate::server as door;",
        "use crate::server::*;",
        "use {crate::server::Door, std::fmt};",
        "use super::super::server::Door;",
        "use super::{super::server::Door, name};",
        "fn f() { crate::server::run(); }",
        "fn f(door: &crate::server::Door) {}",
        "macro_rules! m { () => { $crate::server::run() } }",
        "mod inner { use super::super::super::server::Door; }",
        "fn f() { mod inner { fn g() { super::super::super::server::run(); } } }",
        "fn f<'a>(x: &'a str) { let _ = '\\''; crate::server::run() }",
        "fn f() { let _ = (r##\"\"#\"##, \"\\\\\", b'\"'); crate::server::run() }",
    ] {
        let found = problems("plan/compile.rs", &format!("//! Compiles.\n{bad}\n"));
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
        assert!(found[0].contains("plan (floor 5) climbs to server (floor 9)"), "{bad}: {found:?}");
    }
}

#[test]
fn sideways_and_unknown_modules_are_seen() {
    let text = "//! Templates.\nuse crate::name::Name;\nuse crate::telemetry::Fact;\nuse crate::helpers::x;\n";
    let found = problems("template/mod.rs", text);
    assert_eq!(
        found,
        [
            "src/template/mod.rs:3: template and telemetry stand on the same floor, 2",
            "src/template/mod.rs:4: crate::helpers is no module with a floor",
        ]
    );
    assert_eq!(problems("helpers.rs", "//! Helps.\n"), ["src/helpers.rs: helpers has no floor"]);
}

#[test]
fn confined_names_are_seen_outside_their_homes() {
    for (file, bad, good) in [
        ("engine/run.rs", "use axum::Router;", "server/run.rs"),
        ("engine/run.rs", "use axum;", "server/run.rs"),
        ("cli/serve.rs", "fn f() -> axum::Router {}", "server/mod.rs"),
        ("app.rs", "use {std::fmt, sqlx::Row};", "connector/sql/row.rs"),
        ("engine/run.rs", "use ::moka::future::Cache;", "resilience/cache.rs"),
        ("plan/mod.rs", "type E = minijinja::Error;", "template/mod.rs"),
        ("plan/mod.rs", "use serde_saphyr as yaml;", "spec/yaml.rs"),
        ("server/mod.rs", "use std::{env, fmt};", "secret.rs"),
        ("server/mod.rs", "fn f() { std::env::args(); }", "cli/mod.rs"),
        ("main.rs", "fn main() { std::env::args(); }", "app/mod.rs"),
    ] {
        let text = format!("//! Something.\n{bad}\n");
        let found = problems(file, &text);
        assert_eq!(found.len(), 1, "{file}: {bad}: {found:?}");
        assert!(found[0].contains("is named only in"), "{found:?}");
        assert_eq!(problems(good, &text), Vec::<String>::new(), "{good}: {bad}");
    }
}

#[test]
fn the_shape_of_a_file_is_held() {
    assert_eq!(problems("name.rs", "// Names.\n"), ["src/name.rs: does not begin with a //! that says why it exists"]);
    let long = format!("//! Long.\n{}", "\n".repeat(500));
    assert_eq!(problems("name.rs", &long), ["src/name.rs: 501 lines, 500 at most"]);
    assert!(problems("name.rs", &long[..long.len() - 1]).is_empty());
    for bad in ["#[allow(dead_code)]\nfn f() {}", "#![allow(unused)]", "#[cfg_attr(test, allow(dead_code))]\nfn f() {}"] {
        let found = problems("name.rs", &format!("//! Names.\n{bad}\n"));
        assert_eq!(found, ["src/name.rs:2: allow, where expect with a reason is the rule"], "{bad}");
    }
}
