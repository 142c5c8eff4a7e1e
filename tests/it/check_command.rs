//! `check` and `explain` as programs and people call them: formats, exit codes, the pages.

use legwork::diag::Code;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{legwork, project};

const WRONG: &[(&str, &str)] = &[
    ("domain.yml", "actions: [action_a, action_b]\nslots: { order_id: { type: text } }\n"),
    ("actions/action_a.yml", "steps:\n  - set: { order_di: 1 }\n"),
];

#[test]
fn programs_get_a_line_of_json_each() {
    let ran = legwork(project(WRONG).path(), &["check", "--format", "json"]);
    let lines: Vec<Value> = ran.printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [
            json!({
                "code": "unknown-slot", "severity": "error", "message": "the domain has no slot `order_di`",
                "at": { "file": "actions/action_a.yml", "line": 2, "column": 12 },
                "label": null, "help": "did you mean `order_id`?", "related": [],
            }),
            json!({
                "code": "unimplemented-action", "severity": "warning", "message": "no file implements the action `action_b`",
                "at": { "file": "domain.yml", "line": 1, "column": 21 },
                "label": null, "help": "did you mean `action_a`?", "related": [],
            }),
        ]
    );
    assert_eq!(ran.code, Some(1));
}

#[test]
fn reviews_get_annotations() {
    let ran = legwork(project(WRONG).path(), &["check", "--format", "github"]);
    assert_eq!(
        ran.printed,
        "::error file=actions/action_a.yml,line=2,col=12,title=unknown-slot::the domain has no slot `order_di`%0Adid you mean `order_id`?\n\
         ::warning file=domain.yml,line=1,col=21,title=unimplemented-action::no file implements the action `action_b`%0Adid you mean `action_a`?\n"
    );
    assert_eq!(ran.code, Some(1));
}

#[test]
fn only_errors_fail() {
    let clean = project(&[("actions/action_a.yml", "steps: [{ say: Hello. }]\n")]);
    let ran = legwork(clean.path(), &["check"]);
    assert_eq!((ran.printed.as_str(), ran.code), ("1 action: nothing is wrong\n", Some(0)));
    let warned = project(&[
        ("actions/action_a.yml", "steps: [{ say: Hello. }]\n"),
        ("domain.yml", "actions: [action_b, action_c]\n"),
    ]);
    let ran = legwork(warned.path(), &["check"]);
    assert!(ran.printed.ends_with("1 action: 3 warnings; `legwork explain CODE` says more\n"), "{}", ran.printed);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_folder_that_is_no_project_says_what_to_do() {
    let ran = legwork(project(&[]).path(), &["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.printed.contains("error[unreadable]: there is no folder"), "{}", ran.printed);
    assert!(ran.printed.contains("put the first action in it"), "{}", ran.printed);
}

#[test]
fn a_secret_that_stands_in_a_file_is_not_printed() {
    let connector = "kind: sql\nsettings: { password: { secret: true } }\ndatabase: \":memory:\"\noperations: { one: { sql: select 1 } }\n";
    let settings = "connections:\n  stock: { connector: warehouse, password: hunter2 }\nserver:\n  auth: [{ name: a, token: hunter2 }]\n";
    let folder = project(&[
        ("actions/action_a.yml", "steps: []\n"),
        ("connectors/warehouse.yml", connector),
        ("legwork.yml", settings),
    ]);
    for format in ["human", "json", "github"] {
        let ran = legwork(folder.path(), &["check", "--format", format]);
        assert_eq!(ran.printed.matches("a secret is not written into the file").count(), 2, "{}", ran.printed);
        assert!(!ran.printed.contains("hunter2"), "{}", ran.printed);
    }
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let folder = project(&[]);
    for code in Code::ALL {
        let ran = legwork(folder.path(), &["explain", code.name()]);
        assert_eq!((ran.printed.as_str(), ran.code), (code.page(), Some(0)));
    }
    let all = legwork(folder.path(), &["explain"]).printed;
    assert_eq!(all.lines().count(), Code::ALL.len());
    assert!(all.contains("unknown-slot           error    a slot that the domain does not have\n"), "{all}");
}

#[test]
fn explain_knows_what_was_meant() {
    let folder = project(&[]);
    let ran = legwork(folder.path(), &["explain", "unknwon-slot"]);
    assert_eq!(
        (ran.complained.as_str(), ran.code),
        ("legwork: there is no code `unknwon-slot`: did you mean `unknown-slot`?\n", Some(2))
    );
    let ran = legwork(folder.path(), &["explain", "nonsense"]);
    assert_eq!(
        (ran.complained.as_str(), ran.code),
        ("legwork: there is no code `nonsense`: `legwork explain` lists all\n", Some(2))
    );
}
