//! Files that no editor would write on purpose: each gets a clear diagnostic, none stops the others from being read, and
//! none takes the process down.

use std::fmt::Write;
use std::fs;

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Ran, legwork, project};

/// The code, file and line of everything that `check` says of a project, and the first line of what it says.
fn found(files: &[(&str, &str)]) -> Vec<(String, String)> {
    of(&legwork(project(files).path(), &["check", "--format", "json"]))
}

fn of(ran: &Ran) -> Vec<(String, String)> {
    let line = |line: &str| {
        let said: Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        assert!(said["help"].is_string(), "no cure: {line}");
        let place = match said["at"].is_null() {
            true => word("message"),
            false => format!("{}:{}", said["at"]["file"].as_str().unwrap(), said["at"]["line"]),
        };
        (word("code"), place)
    };
    ran.printed.lines().map(line).collect()
}

fn only(code: &str, place: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), place.to_owned())]
}

#[test]
fn serve_refuses_to_start_and_says_everything() {
    let folder = project(&[
        ("actions/action_a.yml", "steps:\n  - say: \"hi\n  - say: ho\n"),
        ("actions/action_b.yml", "steps:\n  - sya: hi\n  - say: \"{{ nmae }}\"\n"),
        ("domain.yml", "actions: [action_a, action_b]\n"),
    ]);
    let ran = legwork(folder.path(), &["serve", "--port", "0"]);
    assert_eq!(ran.code, Some(1));
    for said in ["error[yaml-syntax]", "actions/action_a.yml:2:10", "error[unknown-key]", "actions/action_b.yml:2:5"] {
        assert!(ran.complained.contains(said), "{said} in {}", ran.complained);
    }
    assert!(ran.complained.ends_with("legwork: not started, because of the errors above\n"), "{}", ran.complained);
    assert_eq!(ran.printed, "");
}

#[test]
fn two_files_with_one_action_name_the_other() {
    let step = "steps: [{ say: Hello. }]\n";
    let folder = project(&[("actions/action_a.yml", step), ("actions/more/action_a.yml", step)]);
    let ran = legwork(folder.path(), &["check"]);
    assert_eq!(ran.code, Some(1));
    for said in [
        "error[duplicate-name]: two files hold the action `action_a`",
        "actions/more/action_a.yml:1:1",
        "actions/action_a.yml:1:1",
    ] {
        assert!(ran.printed.contains(said), "{}", ran.printed);
    }
    let shared = [
        ("actions/shared/x.yml", step),
        ("actions/shared/more/x.yml", step),
        ("actions/action_a.yml", "steps: [{ use: x }]\n"),
    ];
    assert_eq!(found(&shared).iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["duplicate-name"]);
}

#[test]
fn a_yaml_bomb_is_refused() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", [before.as_str(); 9].join(",")).unwrap();
    }
    let ran = legwork(project(&[("actions/action_a.yml", &bomb)]).path(), &["check"]);
    assert!(ran.printed.contains("error[yaml-syntax]: the file is too large"), "{}", ran.printed);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn ten_megabytes_of_yaml_are_refused() {
    let mut steps = String::from("steps:\n");
    let mut number = 0;
    while steps.len() < 10 << 20 {
        number += 1;
        writeln!(steps, "  - say: The user is told this for the {number}th time.").unwrap();
    }
    let found = found(&[("actions/action_a.yml", &steps), ("domain.yml", "actions: [action_a]\n")]);
    assert_eq!(found.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["yaml-syntax"]);
}

#[test]
fn one_text_of_ten_megabytes_is_read() {
    let long = format!("steps:\n  - say: {}\n    sya: 1\n", "x".repeat(10 << 20));
    assert_eq!(found(&[("actions/action_a.yml", &long)]), only("unknown-key", "actions/action_a.yml:3"));
    let longer = format!("steps:\n  - say: {}\n", "x".repeat(17 << 20));
    let place = "actions/action_a.yml cannot be read: it is larger than 16 MiB";
    assert_eq!(found(&[("actions/action_a.yml", &longer)]), only("unreadable", place));
}

#[test]
fn slips_in_yaml_are_found_where_they_are() {
    for (text, line) in [
        ("steps:\n\t- say: hi\n", 2),
        ("steps:\n  - say: hi\n\t  when: true\n", 3),
        ("steps:\n  - say: hi\n  - say: {{ user_text }}\n", 3),
        ("steps:\n  - set: { a: {{ user_text }} }\n", 2),
        ("steps:\n  - say: Your order: {{ user_text }}\n", 2),
        ("steps:\n  - say: \"hi\n  - say: ho\n", 2),
        ("steps:\n  - say: hi\n   - say: ho\n", 3),
        ("steps:\n  - say: hi\n---\nsteps: []\n", 4),
    ] {
        assert_eq!(
            found(&[("actions/action_a.yml", text)]),
            only("yaml-syntax", &format!("actions/action_a.yml:{line}")),
            "{text}"
        );
    }
    for (text, line) in [("steps: []\nsteps: []\n", 2), ("steps:\n  - set: { a: 1, a: 2 }\n", 2)] {
        assert_eq!(
            found(&[("actions/action_a.yml", text)]),
            only("duplicate-name", &format!("actions/action_a.yml:{line}")),
            "{text}"
        );
    }
}

#[test]
fn an_empty_file_says_nothing_to_do() {
    for text in ["", "\n\n", "# to be written\n", "---\n", "description: to be written\n"] {
        assert_eq!(found(&[("actions/action_a.yml", text)]), only("missing-key", "actions/action_a.yml:1"), "{text:?}");
    }
    assert_eq!(found(&[("actions/action_a.yml", "steps: []\n")]), []);
    assert_eq!(
        found(&[("actions/action_a.yml", "steps: []\n"), ("legwork.yml", ""), ("domain.yml", "")]),
        [("undeclared-action".to_owned(), "actions/action_a.yml:1".to_owned())]
    );
}

#[test]
fn a_folder_that_is_called_like_a_file_is_a_folder() {
    let inside = [("actions/x.yml/action_a.yml", "steps: [{ say: \"{{ nmae }}\" }]\n")];
    assert_eq!(found(&inside), only("unknown-name", "actions/x.yml/action_a.yml:1"));
    let settings = [("legwork.yml/x.txt", ""), ("actions/action_a.yml", "steps: []\n")];
    assert_eq!(found(&settings), only("unreadable", "legwork.yml cannot be read: it is a folder"));
}

#[test]
fn a_file_in_another_encoding_is_told_to_be_saved_again() {
    let folder = project(&[("actions/action_b.yml", "steps: [{ say: \"{{ nmae }}\" }]\n")]);
    fs::write(folder.path().join("actions/action_a.yml"), b"steps: [{ say: Gr\xfc\xdfe }]\n").unwrap();
    let found = of(&legwork(folder.path(), &["check", "--format", "json"]));
    let unreadable = ("unreadable".to_owned(), "actions/action_a.yml cannot be read: it is not UTF-8".to_owned());
    assert_eq!(found, [unreadable, ("unknown-name".to_owned(), "actions/action_b.yml:1".to_owned())]);
}

#[test]
fn marks_and_line_ends_of_other_systems_are_read() {
    let text = "\u{feff}steps:\r\n  - say: |\r\n      Dear\r\n      {{ nmae }}\r\n";
    assert_eq!(found(&[("actions/action_a.yml", text)]), only("unknown-name", "actions/action_a.yml:4"));
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_come_to_an_end() {
    let folder = project(&[("actions/a/action_a.yml", "steps: [{ say: \"{{ nmae }}\" }]\n")]);
    std::os::unix::fs::symlink(folder.path().join("actions"), folder.path().join("actions/a/again")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("actions"), folder.path().join("actions/a/and_again")).unwrap();
    let found = of(&legwork(folder.path(), &["check", "--format", "json"]));
    assert_eq!(found, only("unknown-name", "actions/a/action_a.yml:1"));
}

#[test]
fn what_cannot_be_read_is_not_missing_elsewhere() {
    let files = [
        (
            "legwork.yml",
            "conections: {}\nconnections: { shop: { connector: sandbox } }\nformats: { code: { pattern: \"(\" } }\n",
        ),
        ("domain.yml", "actions: [action_a, action_b]\n"),
        ("actions/shared/steps.yml", "steps: {\n"),
        (
            "actions/action_a.yml",
            "inputs: { x: { from: entity, format: code } }\nsteps:\n  - use: steps\n  - say: \"{{ x }\"\n",
        ),
        ("actions/action_b.yml", "steps: [\n"),
    ];
    let codes: Vec<_> = found(&files).into_iter().map(|(code, place)| format!("{place} {code}")).collect();
    assert_eq!(
        codes,
        [
            "actions/action_a.yml:4 bad-template",
            "actions/action_b.yml:1 yaml-syntax",
            "actions/shared/steps.yml:1 yaml-syntax",
            "legwork.yml:1 unknown-key",
            "legwork.yml:3 bad-format",
        ]
    );
}

const RUNAWAYS: [(&str, &str); 3] = [
    (
        "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
        "too many steps",
    ),
    ("{% for a in range(1000) %}{{ 'x' * 1000000 }}{% endfor %}", "a text grows past"),
    ("{% for a in range(100000) %}{% for b in range(10000) %}print {% endfor %}{% endfor %}", ""),
];

#[test]
fn a_runaway_template_ends_the_turn_with_a_message() {
    for (template, _) in RUNAWAYS {
        let action = format!("steps:\n  - say: Let me see.\n  - say: \"{template}\"\n  - say: never\n");
        let ran = legwork(project(&[("actions/action_a.yml", &action)]).path(), &["try", "action_a"]);
        assert!(ran.printed.contains("actions/action_a.yml:3"), "{}", ran.printed);
        let (_, said) = ran.printed.split_once("said\n").unwrap();
        assert!(said.starts_with("  Let me see.\n  Something went wrong on our side"), "{said}");
        assert!(!said.contains("never"), "{said}");
    }
}

#[test]
fn a_runaway_template_fails_its_test_with_its_place() {
    for (template, reason) in RUNAWAYS {
        let action =
            format!("steps:\n  - say: \"{template}\"\ntests:\n  - it: says something\n    expect: {{ said: [Hello.] }}\n");
        let ran = legwork(project(&[("actions/action_a.yml", &action)]).path(), &["test"]);
        assert_eq!(ran.code, Some(1), "{}", ran.printed);
        let (_, at) = ran.printed.split_once("at actions/action_a.yml:2: ").unwrap_or_else(|| panic!("{}", ran.printed));
        assert!(at.contains(reason), "{at}");
    }
}
