//! The pages under `docs/`: their examples are real, and what they list is all there is.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use legwork::app::{self, Place, StoryFiles};
use legwork::diag::{Code, Format, render};
use legwork::fault::Outcome;
use legwork::format;
use legwork::plan::connector::Staged;
use legwork::plan::wording::Offers;
use legwork::qa::{self, Selection, Stories};
use legwork::spec::{action, message, settings, testcase};
use legwork::template::{self, Sort};
use legwork::time::{Clock, SystemClock};

use crate::support::legwork;

/// The pages that tell designers how something is done, step by step.
const FOR_DESIGNERS: [&str; 7] = [
    "first-action.md",
    "tasks/ask-for-a-slot.md",
    "tasks/create-something.md",
    "tasks/hand-over.md",
    "tasks/look-something-up.md",
    "tasks/validate-a-form.md",
    "tasks/when-things-are-down.md",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The file that each YAML block of a page stands for: path and text.
fn files(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let blocks = blocks.filter(|block| !block.starts_with("# added to "));
    let file = |block: &str| {
        let first = block.lines().next().unwrap_or_default();
        let path = first.strip_prefix("# ").filter(|path| path.ends_with(".yml"));
        let path = path.unwrap_or_else(|| panic!("the block that begins with {first:?} does not name its file"));
        (path.to_owned(), format!("{block}\n"))
    };
    blocks.map(file).collect()
}

/// The shipped domain with what a page says is to be added to it: lines below the key that they belong to.
fn domain_with(page: &str) -> String {
    let mut domain = std::fs::read_to_string(root().join("domain.yml")).unwrap();
    for block in page.split("```yaml\n# added to domain.yml\n").skip(1) {
        let mut behind = None;
        for line in block.split("\n```").next().unwrap().lines() {
            if !line.starts_with([' ', '#']) {
                let key = format!("\n{line}\n");
                behind = Some(domain.find(&key).unwrap_or_else(|| panic!("the domain has no {line}")) + key.len());
            } else if let Some(at) = &mut behind {
                domain.insert_str(*at, &format!("{line}\n"));
                *at += line.len() + 1;
            }
        }
    }
    domain
}

/// A project of a page's files, with the shipped domain and settings where the page has none of its own.
fn project_of(page: &str, folder: &Path) {
    let files = files(page);
    let settings = std::fs::read_to_string(root().join("legwork.yml")).unwrap();
    let shipped = [("domain.yml".to_owned(), domain_with(page)), ("legwork.yml".to_owned(), settings)];
    for (path, text) in shipped.iter().chain(&files) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
    paths.sort();
    assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "a file stands twice on a page: {paths:?}");
}

#[tokio::test]
async fn every_example_is_checked_and_its_tests_pass() {
    let pages = [
        "actions.md",
        "connectors.md",
        "fallback.md",
        "mistakes.md",
        "formats.md",
        "messages.md",
        "patience.md",
        "rehearsal.md",
        "replicas.md",
        "slow.md",
        "stories.md",
        "verification.md",
        "writes.md",
    ];
    for name in pages.into_iter().chain(FOR_DESIGNERS) {
        let folder = tempfile::tempdir().unwrap();
        project_of(&page(name), folder.path());
        let place = Place { config: Some(folder.path().join("legwork.yml")), ..Place::default() };
        let (project, mut problems) = app::load(&place);
        // The examples are not the shipped actions, which the shipped domain lists.
        problems.retain(|problem| !matches!(problem.code, Code::UndeclaredAction | Code::UnimplementedAction));
        assert!(problems.is_empty(), "{name}:\n{}", render(&problems, Format::Human { color: false }));
        let project = Arc::new(project.unwrap());
        let connections = app::test_connections(&project, folder.path()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut selection = Selection::default();
        if folder.path().join("tests/stories").is_dir() {
            let paths = [folder.path().join("tests/stories")];
            let StoryFiles { files, problems: unread } = app::stories(&place, &project, &paths).unwrap();
            let (stories, wrong) = Stories::read(&files);
            assert!(unread.is_empty() && wrong.is_empty() && !stories.is_empty(), "{name}: {wrong:?}");
            selection.stories = stories;
        }
        let report = qa::run(&project, &connections, folder.path(), &clock, &selection).await;
        assert!(report.results.iter().all(|result| result.skipped.is_none()), "{name}:\n{}", report.human());
        assert!(report.passed(), "{name}:\n{}", report.human());
        assert!(!report.results.is_empty());
        assert_eq!(report.untested, [""; 0], "{name}");
    }
}

/// The pages for designers and the commands that they show: what a page says that they print, they print.
#[test]
fn what_designers_are_shown_is_what_is_printed() {
    for name in FOR_DESIGNERS {
        let page = page(name);
        let folder = tempfile::tempdir().unwrap();
        for part in ["actions", "tests/stories"] {
            copy(&root().join(part), &folder.path().join(part));
        }
        project_of(&page, folder.path());
        let shown: Vec<_> = page.split("```\n$ legwork ").skip(1).map(|rest| rest.split("```\n").next().unwrap()).collect();
        assert!(!shown.is_empty(), "docs/{name} shows no command");
        for shown in shown {
            let (command, expected) = shown.split_once('\n').unwrap();
            assert!(!command.contains('"'), "docs/{name}: {command}: words are parted at blanks here");
            let ran = legwork(folder.path(), &command.split_whitespace().collect::<Vec<_>>());
            assert!(
                holds(expected, &format!("{}{}", ran.printed, ran.complained)),
                "docs/{name} shows of `legwork {command}`:\n{expected}\nbut it prints:\n{}{}",
                ran.printed,
                ran.complained
            );
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Whether a text is as shown, in which `…` stands for anything.
fn holds(shown: &str, text: &str) -> bool {
    let Some((first, later)) = shown.split_once('…') else { return shown == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = later.split('…').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return piece.trim().is_empty() || rest.ends_with(piece);
        }
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    true
}

/// The links of the pages for designers lead somewhere.
#[test]
fn links_of_the_pages_for_designers_lead_to_pages() {
    let docs = root().join("docs");
    let tasks = std::fs::read_dir(docs.join("tasks")).unwrap().map(|entry| entry.unwrap().path());
    for path in ["README.md", "first-action.md", "reference.md"].map(|name| docs.join(name)).into_iter().chain(tasks) {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let there = std::fs::metadata(&target).is_ok();
            assert!(there, "{} links to {link}, which is not there", path.display());
            assert!(
                anchor.is_empty() || anchors(&target).contains(anchor),
                "{} links to {link}: there is no such heading",
                path.display()
            );
        }
    }
}

#[test]
fn the_entrance_leads_to_every_page() {
    let entrance = page("README.md");
    for folder in ["", "tasks/"] {
        for entry in std::fs::read_dir(root().join("docs").join(folder)).unwrap().map(Result::unwrap) {
            let name = format!("{folder}{}", entry.file_name().to_str().unwrap());
            if name.ends_with(".md") && name != "README.md" {
                assert!(entrance.contains(&format!("]({name}")), "docs/README.md does not say who reads docs/{name}");
            }
        }
    }
}

/// The names under which the headings of a page are reached.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let name = |title: &str| -> String {
        let kept = title.to_lowercase();
        kept.chars().filter(|c| c.is_alphanumeric() || "- _".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    titles.map(name).collect()
}

#[test]
fn the_page_of_rehearsals_shows_what_is_printed() {
    let page = page("rehearsal.md");
    let folder = tempfile::tempdir().unwrap();
    project_of(&page, folder.path());
    let printed = legwork(folder.path(), &["rehearse"]).printed;
    assert!(
        page.contains(&format!("```\n$ legwork rehearse\n{printed}```\n")),
        "docs/rehearsal.md does not show:\n{printed}"
    );
    for fault in Staged::NAMES {
        assert!(page.contains(&format!("| `{fault}")), "docs/rehearsal.md does not say what `{fault}` is");
    }
}

#[test]
fn the_reference_names_every_key_outcome_and_name() {
    let page = page("actions.md");
    let keys = [
        action::Action::KEYS,
        action::Input::KEYS,
        action::Turn::KEYS,
        action::Step::KEYS,
        action::Branch::KEYS,
        action::SlotRule::KEYS,
        action::Shared::KEYS,
        action::Guard::KEYS,
        action::Undo::KEYS,
        message::Message::KEYS,
        message::Button::KEYS,
        testcase::Test::KEYS,
        testcase::Prepare::KEYS,
        testcase::State::KEYS,
        testcase::Expect::KEYS,
    ];
    for key in keys.into_iter().flatten() {
        assert!(page.contains(&format!("`{key}`")), "docs/actions.md does not say what `{key}` is");
    }
    for outcome in legwork::fault::Outcome::ALL {
        assert!(page.contains(&format!("| `{outcome}` |")), "docs/actions.md does not say what `{outcome}` is");
    }
    for (name, doc) in legwork::plan::OFFERED {
        let row = format!("| `{name}` | {doc} |");
        assert!(page.contains(&row), "docs/actions.md lacks the line: {row}");
    }
}

#[test]
fn the_page_of_verification_names_every_key() {
    let page = page("verification.md");
    let keys = [settings::Verify::KEYS, settings::SignedMetadata::KEYS, settings::Jwt::KEYS, settings::OneTimeCode::KEYS];
    for key in keys.into_iter().flatten() {
        assert!(page.contains(&format!("`{key}`")), "docs/verification.md does not say what `{key}` is");
    }
}

#[test]
fn the_page_of_the_outbox_says_what_each_state_means() {
    let page = page("outbox.md");
    for state in legwork::store::State::ALL {
        assert!(
            page.contains(&format!("\n| `{}` | ", state.name())),
            "docs/outbox.md does not say what `{}` is",
            state.name()
        );
    }
}

#[test]
fn the_page_of_writes_names_every_key_state_and_metric_and_has_the_defaults() {
    let page = page("writes.md");
    let usual = legwork::plan::settings::Outbox::default();
    for (key, default) in settings::Outbox::KEYS.iter().zip([
        usual.attempts.to_string(),
        format!("{}s", usual.first_wait.as_secs()),
        format!("{}m", usual.longest_wait.as_secs() / 60),
        format!("{}h", usual.give_up_after.as_secs() / 3600),
        format!("{}m", usual.repeat_within.as_secs() / 60),
    ]) {
        assert!(page.contains(&format!("| `{key}` | {default} |")), "docs/writes.md does not say what `{key}` is");
    }
    let stores = settings::Stores::KEYS.iter().filter(|key| **key != "keep").map(|key| (*key).to_owned());
    for key in stores.chain(settings::Retention::KEYS.iter().map(|key| format!("keep.{key}"))) {
        assert!(page.contains(&format!("| `{key}` |")), "docs/writes.md does not say what `{key}` is");
    }
    for metric in ["legwork_writes_total", "legwork_outbox_writes", "legwork_outbox_oldest_seconds"] {
        assert!(page.contains(&format!("| `{metric}` |")), "docs/writes.md does not say what `{metric}` is");
    }
    let words = std::fs::read_to_string(root().join("src/connector/handbook/words.rs")).unwrap();
    let table = page.split("\n| it prints |").nth(1).unwrap().lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut printed = 0;
    for line in table {
        let said = cells(line).unwrap()[0].trim_end_matches(" 2 h");
        assert!(words.contains(said), "nothing prints {said:?}");
        printed += usize::from(said.starts_with("repeatable: "));
    }
    assert_eq!(printed, words.matches("\"repeatable: ").count(), "each way in which a write is repeatable is in the table");
}

#[test]
fn the_page_of_calling_back_names_every_key_and_its_settings_are_right() {
    let page = page("calling-back.md");
    for key in settings::Assistant::KEYS {
        assert!(page.contains(&format!("| `{key}` |")), "docs/calling-back.md does not say what `{key}` is");
    }
    for (_, settings) in files(&page) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("actions")).unwrap();
        std::fs::write(folder.path().join("legwork.yml"), settings).unwrap();
        let (project, problems) = app::load(&Place { config: Some(folder.path().join("legwork.yml")), ..Place::default() });
        assert!(problems.is_empty(), "{}", render(&problems, Format::Human { color: false }));
        assert!(!project.unwrap().settings.assistants.is_empty());
    }
}

/// The cells of a table's row. A stroke within one stands behind a backslash.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    let mut before = ' ';
    let ends = |c: char| std::mem::replace(&mut before, c) != '\\' && c == '|';
    Some(inner.split(ends).map(str::trim).collect())
}

fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

#[test]
fn formats_do_what_their_page_says() {
    let page = page("formats.md");
    let (now, zone) = ("2026-01-23T12:00:00Z".parse().unwrap(), chrono_tz::UTC);
    let context = format::Context { now, zone, locale: format::Locale::parse("en"), region: "US".to_owned() };
    let table = page.split("| format | written | becomes |\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut seen = BTreeSet::new();
    for row in table.lines().skip(1) {
        let [name, written, becomes] = cells(row).unwrap()[..] else { panic!("{row}") };
        let name = code(name).unwrap();
        seen.insert(name);
        let read = format::Format::parse(name).unwrap().read(&code(written).unwrap().into(), &context);
        let came = read.map_or_else(|_| "refused".to_owned(), |value| format!("`{value}`"));
        assert_eq!(came, becomes, "{row}");
    }
    assert_eq!(seen, BTreeSet::from(format::Format::NAMES));
}

#[test]
fn the_built_in_messages_are_those_of_their_page() {
    let text = std::fs::read_to_string(root().join("src/plan/messages.yml")).unwrap();
    let file = legwork::diag::File::new("messages.yml", text);
    let messages = legwork::spec::yaml::parse(&file).unwrap().to_json();
    let texts = |say: &serde_json::Value| match say {
        // What is said of every outcome stands below the table.
        serde_json::Value::Array(several) => several
            .iter()
            .filter(|one| !one["when"].as_str().is_some_and(|when| when.starts_with("fault.done")))
            .map(|one| one.as_str().or(one["text"].as_str()).unwrap().to_owned())
            .collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    };
    let mut expected = Vec::new();
    for (outcome, say) in messages["en"].as_object().unwrap() {
        for (at, text) in texts(say).into_iter().enumerate() {
            let name = if at == 0 { format!("`{outcome}`") } else { String::new() };
            expected.push((name, text));
        }
    }
    let page = page("messages.md");
    let partly = messages["en"]["denied"][1]["text"].as_str().unwrap();
    assert!(page.contains(&format!("\"{partly}\"")), "{partly}");
    let table = page.split("| message | in English |\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let row = |line: &str| cells(line).map(|cells| (cells[0].to_owned(), cells[1].replace("\\|", "|")));
    assert_eq!(table.lines().skip(1).filter_map(row).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_offered_with_an_outcome_is_what_the_page_says() {
    let page = page("messages.md");
    let table = page.split("| outcome | try again | a person | a message | contact |\n").nth(1).unwrap();
    let rows: Vec<_> = table.split("\n\n").next().unwrap().lines().skip(1).filter_map(cells).collect();
    assert_eq!(rows.len(), Outcome::ALL.len());
    for row in rows {
        let outcome = Outcome::parse(code(row[0]).unwrap()).unwrap();
        let Offers { try_again, person, message, contact } = Offers::with(outcome);
        let shown = [try_again, person, message, contact].map(|offered| if offered { "yes" } else { "" });
        assert_eq!(row[1..], shown, "{outcome}");
    }
}

/// The page of the filters, made from what the engine has.
fn filters() -> String {
    let mut text = "# Filters\n\n\
        A filter changes a value: `{{ order.placed_at | date }}`. Several are tried in a row: `{{ email | lower | mask_email }}`.\n\
        Null passes through filters of single values and is an empty list for filters of lists; what is absent fails, but for\n\
        `default`. Dates, numbers and words follow `locale`, `timezone`, `region` and `currency` of `legwork.yml`.\n\n\
        The examples are from January 20th, 2026, at noon. This page is made from the engine's own list, and every example is\n\
        a test.\n"
        .to_owned();
    for (sort, title) in [
        (Sort::Filter, "Filters: `value | name`"),
        (Sort::Test, "Tests, for conditions: `value is name`, `value is not name`"),
        (Sort::Function, "Functions: `name(…)`"),
    ] {
        let _ = write!(text, "\n## {title}\n\n| name | gives | example | prints |\n|---|---|---|---|\n");
        for one in template::filters().filter(|one| one.sort == sort) {
            let cell = |code: &str| code.replace('|', "\\|").replace('\n', "\\n");
            let (doc, example, prints) = (cell(one.doc), cell(one.example), cell(one.prints));
            let _ = writeln!(text, "| `{}` | {doc} | `{example}` | `{prints}` |", one.name);
        }
    }
    text
}

#[test]
fn the_page_of_the_filters_is_up_to_date() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("filters.md");
    std::fs::write(&fresh, filters()).unwrap();
    let kept = std::fs::read_to_string(root().join("docs/filters.md")).unwrap_or_default();
    assert!(kept == filters(), "docs/filters.md is out of date; run: cp {} docs/", fresh.display());
}
