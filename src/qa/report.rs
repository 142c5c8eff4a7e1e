//! What became of the tests, and how it is printed for people; `written` has it for programs.

mod written;

use std::fmt::Write;

use super::examples::Examples;
use crate::diag::Span;

/// One difference between what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which part: `said[0]`, `slots.order_id`, `events[1]`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub came: String,
    /// The step that it is about, where the test has steps.
    pub at: Option<Span>,
}

impl Failure {
    pub(super) fn differs(what: impl Into<String>, expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), came: came.into(), at: None }
    }

    pub(super) fn at(self, place: &Span) -> Self {
        Self { at: Some(place.clone()), ..self }
    }
}

/// What was taken from stories, since nothing but a model, or nothing at all, could know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// What free texts mean.
    pub intents: usize,
    /// What slots hold.
    pub slots: usize,
    /// What the assistant says by itself.
    pub messages: usize,
    /// Assertions about flows, and about what a model says.
    pub unknowable: usize,
}

impl Taken {
    fn and(self, other: Self) -> Self {
        Self {
            intents: self.intents + other.intents,
            slots: self.slots + other.slots,
            messages: self.messages + other.messages,
            unknowable: self.unknowable + other.unknowable,
        }
    }

    fn shown(self) -> Vec<String> {
        let parts = [
            (self.intents, "what a text means"),
            (self.slots, "the value of a slot"),
            (self.messages, "a message of the assistant's own"),
            (self.unknowable, "an assertion that needs a model"),
        ];
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} × {what}")).collect()
    }
}

/// What became of one test.
#[derive(Debug)]
pub struct Result {
    /// The action; of a conversation what it is, such as `story`.
    pub action: String,
    /// The test's own words.
    pub it: String,
    /// Where the test stands.
    pub place: Span,
    /// What differs; nothing when it passed.
    pub failures: Vec<Failure>,
    /// What went wrong in the action's files on the way: place and message.
    pub problems: Vec<(Span, String)>,
    /// Why nothing was held against it, where that is so.
    pub skipped: Option<String>,
    /// What is to be known of how it was played.
    pub notes: Vec<String>,
    /// What was taken from it.
    pub taken: Taken,
}

impl Result {
    /// Whether nothing was otherwise than expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What became of all tests.
#[derive(Debug, Default)]
pub struct Report {
    /// The tests, in the order of their files.
    pub results: Vec<Result>,
    /// Actions without a test.
    pub untested: Vec<String>,
    /// The examples of connectors.
    pub examples: Vec<Examples>,
    /// How many were not run, after one that failed.
    pub left: usize,
}

/// How many tests there were of each end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    /// Whether every test passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.results.iter().all(Result::passed) && self.examples.iter().all(|examples| examples.wrong.is_empty())
    }

    /// The report for people: each failure with its place, what was expected beside what came, and a last line that counts.
    #[must_use]
    pub fn human(&self) -> String {
        let mut text: String = self.examples.iter().map(Examples::human).collect();
        for result in &self.results {
            one(result, &mut text);
        }
        if !self.untested.is_empty() {
            let _ = writeln!(text, "\nwithout a test: {}", self.untested.join(", "));
        }
        let taken = self.results.iter().fold(Taken::default(), |taken, result| taken.and(result.taken)).shown();
        if !taken.is_empty() {
            let _ = writeln!(text, "\nnot known here, so taken from the stories: {}", taken.join(", "));
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }

    /// How many passed, failed and were skipped.
    #[must_use]
    pub fn summary(&self) -> String {
        let Counts { passed, failed, skipped } = counts(&self.results);
        let more = |count: usize, what: &str| if count == 0 { String::new() } else { format!(", {count} {what}") };
        format!("{passed} passed, {failed} failed{}{}", more(skipped, "skipped"), more(self.left, "not run"))
    }
}

fn counts<'a>(results: impl IntoIterator<Item = &'a Result>) -> Counts {
    let mut counts = Counts { passed: 0, failed: 0, skipped: 0 };
    for result in results {
        match (result.passed(), &result.skipped) {
            (false, _) => counts.failed += 1,
            (true, Some(_)) => counts.skipped += 1,
            (true, None) => counts.passed += 1,
        }
    }
    counts
}

fn one(result: &Result, text: &mut String) {
    let (mark, why) = match (result.passed(), &result.skipped) {
        (false, _) => ("FAIL", String::new()),
        (true, Some(why)) => ("skip", format!(" ({why})")),
        (true, None) => ("ok  ", String::new()),
    };
    let _ = writeln!(text, "{mark} {}: {}{why}", result.action, result.it);
    if !result.passed() {
        let _ = writeln!(text, "     {}", result.place.place());
    }
    for failure in &result.failures {
        let place = failure.at.as_ref().map_or_else(String::new, |at| format!("{}: ", at.place()));
        let _ = writeln!(text, "       {place}{}", failure.what);
        let _ = writeln!(text, "         expected  {}", indented(&failure.expected));
        let _ = writeln!(text, "         came      {}", indented(&failure.came));
    }
    if !result.passed() {
        for (place, problem) in &result.problems {
            let _ = writeln!(text, "       at {}: {problem}", place.place());
        }
    }
    for note in &result.notes {
        let _ = writeln!(text, "     note: {note}");
    }
}

/// The further lines of a text under its first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n                   ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::File;

    pub(super) fn report() -> Report {
        let place = Span { file: File::new("actions/a.yml", "x\ny\n"), range: 2..3 };
        let result = |it: &str, failures, skipped| Result {
            action: "a".into(),
            it: it.into(),
            place: place.clone(),
            failures,
            problems: Vec::new(),
            skipped,
            notes: vec!["mind".into()],
            taken: Taken { intents: 2, ..Taken::default() },
        };
        let failures = vec![Failure::differs("said[0]", "Hello …", "Bye").at(&place)];
        let results = vec![result("greets", failures, None), result("waits", Vec::new(), Some("not ours".into()))];
        Report { results, untested: vec!["b".into()], examples: Vec::new(), left: 3 }
    }

    #[test]
    fn a_failure_shows_both_sides_and_its_place() {
        let text = report().human();
        for line in [
            "FAIL a: greets",
            "     actions/a.yml:2",
            "       actions/a.yml:2: said[0]",
            "expected  Hello …",
            "came      Bye",
            "skip a: waits (not ours)",
            "     note: mind",
            "without a test: b",
            "taken from the stories: 4 × what a text means",
            "0 passed, 1 failed, 1 skipped, 3 not run",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
