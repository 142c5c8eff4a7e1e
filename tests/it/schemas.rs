//! The JSON Schemas that editors use: they are draft 7, they accept every file that is shipped, and they refuse mistakes.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use legwork::diag::File;
use legwork::spec::yaml;
use serde_json::Value;

use crate::support::{legwork, project};

const KINDS: [&str; 4] = ["action", "shared", "connector", "settings"];

fn schema(kind: &str) -> Value {
    let ran = legwork(project(&[]).path(), &["schema", kind]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    serde_json::from_str(&ran.printed).unwrap()
}

/// The schema with the names of the shipped project.
fn of_project(kind: &str) -> Validator {
    let ran = legwork(Path::new(env!("CARGO_MANIFEST_DIR")), &["schema", kind, "--project"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    let schema: Value = serde_json::from_str(&ran.printed).unwrap();
    jsonschema::draft7::meta::validate(&schema).unwrap_or_else(|wrong| panic!("{kind}: {wrong}"));
    jsonschema::draft7::new(&schema).unwrap_or_else(|wrong| panic!("{kind}: {wrong}"))
}

fn validator(kind: &str) -> Validator {
    jsonschema::draft7::new(&schema(kind)).unwrap_or_else(|wrong| panic!("{kind}: {wrong}"))
}

#[test]
fn each_is_a_schema_of_draft_7() {
    for kind in KINDS {
        let schema = schema(kind);
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        jsonschema::draft7::meta::validate(&schema).unwrap_or_else(|wrong| panic!("{kind}: {wrong}"));
    }
}

#[test]
fn a_folder_gets_all_of_them() {
    let folder = project(&[]);
    assert_eq!(legwork(folder.path(), &["schema", "--out", "schemas"]).code, Some(0));
    for kind in KINDS {
        let written = fs::read_to_string(folder.path().join(format!("schemas/{kind}.schema.json"))).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), schema(kind));
    }
}

#[test]
fn they_accept_every_file_that_is_shipped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut held = [0; KINDS.len()];
    let validators = KINDS.map(validator);
    for folder in ["actions", "tests/rasa/actions", "tests/rasa/backends", "src/connector/catalog", "tests/diagnostics"] {
        for path in yaml_files(&root.join(folder)) {
            let shown = path.strip_prefix(root).unwrap().to_str().unwrap();
            // The wrong half of the diagnostics is wrong on purpose.
            let Some(kind) = kind_of(shown).filter(|_| folder != "tests/diagnostics" || shown.contains("/fixed/")) else {
                continue;
            };
            held[kind] += 1;
            accepts(&validators[kind], &path, shown);
        }
    }
    for settings in ["legwork.yml", "tests/rasa/legwork.yml", "tests/rasa/legwork.auth.yml"] {
        held[3] += 1;
        accepts(&validators[3], &root.join(settings), settings);
    }
    assert!(held.iter().all(|held| *held > 0), "{KINDS:?}: {held:?} files");
}

#[test]
fn with_the_names_of_the_project_its_files_are_still_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let validators = KINDS.map(of_project);
    let mut held = 0;
    for path in yaml_files(&root.join("actions")) {
        let shown = path.strip_prefix(root).unwrap().to_str().unwrap();
        accepts(&validators[kind_of(shown).unwrap()], &path, shown);
        held += 1;
    }
    assert!(held > 20, "{held} files");
    accepts(&validators[3], &root.join("legwork.yml"), "legwork.yml");
}

#[test]
fn with_the_names_of_the_project_wrong_names_are_refused() {
    let validators = KINDS.map(of_project);
    let valid =
        |kind: usize, text: &str| validators[kind].is_valid(&yaml::parse(&File::new("x.yml", text)).unwrap().to_json());
    for text in [
        "steps: [{ call: shop.find_order, with: { number: '1', email: '{{ slots.email }}' }, outcomes: { not_found: No. } }]",
        "steps: [{ set: { order_id: null } }, { say: utter_greet }, { say: \"{{ user_text }}\" }]",
        "steps: [{ say: { response: \"utter_{{ channel }}\" } }]",
        "inputs: { anything: { from: metadata, format: order_number }, email: { format: { enum: [a] } } }\nsteps: []",
        "steps: [{ call: hr.request_leave, with: { email: e, from: f, kind: \"{{ slots.leave_kind }}\" } }]",
    ] {
        assert!(valid(0, text), "{text}");
    }
    for text in [
        "steps: [{ call: shop.find_ordr }]",
        "steps: [{ call: shop.find_order }]",
        "steps: [{ call: shop.find_order, with: { nubmer: '1' } }]",
        "steps: [{ call: shop.find_order, with: { number: '1' }, outcomes: { notfound: No. } }]",
        "steps: [{ set: { order_di: null } }]",
        "steps: [{ say: utter_gret }]",
        "steps: [{ use: goodies }]",
        "inputs: { order_id: { format: order_nr } }\nsteps: []",
        "steps: []\ntests: [{ it: x, given: { shp: down }, expect: {} }]",
    ] {
        assert!(!valid(0, text), "{text}");
    }
    assert!(valid(3, "connections: { shop: { connector: shopify, api_version: x } }"));
    assert!(!valid(3, "connections: { shop: { connector: shopfy } }"));
}

#[test]
fn names_are_there_while_files_are_wrong_and_snippets_complete_what_stands_in_texts() {
    let folder = project(&[
        ("domain.yml", "slots: { tea-kind: { type: text } }\n"),
        ("actions/action_a.yml", "steps: [{ sya: }\n"),
        ("actions/shared/brew.yml", "steps: []\n"),
    ]);
    let ran = legwork(folder.path(), &["schema", "--project", "--out", ".vscode"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.path().join(".vscode").join(name)).unwrap()).unwrap()
    };
    let schema = read("action.schema.json");
    let step = &schema["definitions"]["Step"]["properties"];
    assert_eq!(step["use"]["enum"], serde_json::json!(["brew"]));
    assert!(step["call"]["anyOf"].as_array().unwrap().iter().any(|one| one["const"] == "shop.find_order"));
    assert!(step["set"]["properties"]["tea-kind"].is_boolean(), "{}", step["set"]);
    let snippets = read("legwork.code-snippets");
    assert_eq!(snippets["filter mask_card"]["body"], "mask_card");
    assert_eq!(snippets["slot tea-kind"]["body"], "slots[\"tea-kind\"]");
}

#[test]
fn they_refuse_what_check_refuses() {
    for (kind, text) in [
        ("action", "steps: [{ sya: Hello. }]"),
        ("action", "steps: { say: Hello. }"),
        ("action", "steps: [{ say: { buttons: [{ intent: affirm }] } }]"),
        ("shared", "tests: []"),
        ("connector", "operations: {}"),
        ("settings", "server: { prot: 5055 }"),
        ("settings", "server: { auth: [{ token: x }] }"),
    ] {
        let tree = yaml::parse(&File::new("x.yml", text)).unwrap();
        assert!(!validator(kind).is_valid(&tree.to_json()), "{kind} accepts {text}");
    }
}

fn accepts(validator: &Validator, path: &Path, shown: &str) {
    let tree = yaml::parse(&File::new(shown, fs::read_to_string(path).unwrap())).unwrap();
    let wrong: Vec<_> =
        validator.iter_errors(&tree.to_json()).map(|wrong| format!("{}: {wrong}", wrong.instance_path())).collect();
    assert!(wrong.is_empty(), "{shown}:\n{}", wrong.join("\n"));
}

/// Which of the kinds a file is, by where it lies; none for domains and tests of other kinds.
fn kind_of(path: &str) -> Option<usize> {
    let kind = match path {
        _ if path.contains("actions/shared/") => "shared",
        _ if path.contains("actions/") => "action",
        _ if path.contains("connectors/") || path.contains("/catalog/") => "connector",
        _ if path.ends_with("legwork.yml") => "settings",
        _ => return None,
    };
    KINDS.iter().position(|known| *known == kind)
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "yml") {
            found.push(path);
        }
    }
    found
}
