//! What became of the tests, and how it is printed.

use std::fmt::Write;

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
}

impl Failure {
    pub(super) fn differs(what: impl Into<String>, expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), came: came.into() }
    }
}

/// What became of one test.
#[derive(Debug)]
pub struct Result {
    /// The action.
    pub action: String,
    /// The test's own words.
    pub it: String,
    /// Where the test stands.
    pub place: Span,
    /// What differs; nothing when it passed.
    pub failures: Vec<Failure>,
    /// What went wrong in the action's files on the way: place and message.
    pub problems: Vec<(Span, String)>,
}

impl Result {
    /// Whether all was as expected.
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
}

impl Report {
    /// Whether every test passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.results.iter().all(Result::passed)
    }

    /// The report for people: each failure with its place, what was expected beside what came, and a last line that counts.
    #[must_use]
    pub fn human(&self) -> String {
        let mut text = String::new();
        for result in &self.results {
            let mark = if result.passed() { "ok  " } else { "FAIL" };
            let _ = writeln!(text, "{mark} {}: {}", result.action, result.it);
            if result.passed() {
                continue;
            }
            let _ = writeln!(text, "     {}", result.place.place());
            for failure in &result.failures {
                let _ = writeln!(text, "       {}", failure.what);
                let _ = writeln!(text, "         expected  {}", indented(&failure.expected));
                let _ = writeln!(text, "         came      {}", indented(&failure.came));
            }
            for (place, problem) in &result.problems {
                let _ = writeln!(text, "       at {}: {problem}", place.place());
            }
        }
        if !self.untested.is_empty() {
            let _ = writeln!(text, "\nwithout a test: {}", self.untested.join(", "));
        }
        let failed = self.results.iter().filter(|result| !result.passed()).count();
        let _ = writeln!(text, "\n{} passed, {failed} failed", self.results.len() - failed);
        text
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

    #[test]
    fn a_failure_shows_both_sides_and_its_place() {
        let place = Span { file: File::new("actions/a.yml", "x\ny\n"), range: 2..3 };
        let failures = vec![Failure::differs("said[0]", "Hello …", "Bye")];
        let result = Result { action: "a".into(), it: "greets".into(), place, failures, problems: Vec::new() };
        let text = Report { results: vec![result], untested: vec!["b".into()] }.human();
        for line in [
            "FAIL a: greets",
            "actions/a.yml:2",
            "expected  Hello …",
            "came      Bye",
            "without a test: b",
            "0 passed, 1 failed",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
