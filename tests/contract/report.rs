//! What came of it: a table of operations for each connector, what is wrong, and the figures.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::mocks::Said;
use crate::sending::{Request, Sends};

/// What came of one request.
pub enum Verdict {
    /// Its description has it.
    Checked {
        /// The request as the description has it.
        line: String,
        /// What breaks the description, each after the description's name.
        wrong: Vec<String>,
        /// What breaks it and is right, as the list of exceptions says.
        excused: Vec<String>,
    },
    /// No description has it.
    Absent {
        /// Whether the list of exceptions says so.
        allowed: bool,
    },
}

/// What is told at the end.
#[derive(Default)]
pub struct Report {
    text: String,
    wrong: Vec<String>,
    problems: Vec<String>,
    connector: String,
    connectors: usize,
    operations: usize,
    in_part: usize,
    absent: usize,
    requests: usize,
    refused: usize,
    untried: Vec<String>,
}

impl Report {
    /// Begins a connector.
    pub fn begin(&mut self, connector: &str, files: &[&str]) {
        self.connector = connector.to_owned();
        self.connectors += 1;
        let _ = writeln!(self.text, "\n{connector}: {}", files.join(", "));
    }

    /// A connector that nothing describes.
    pub fn undescribed(&mut self, connector: &str) {
        let _ = writeln!(self.text, "\n{connector}: there is no description of it");
    }

    /// What came of an operation.
    pub fn operation(&mut self, sends: &Sends, verdicts: &[(&Request, Verdict)]) {
        let place = format!("{}.{}", self.connector, sends.operation);
        self.problems.extend(sends.unsent.iter().map(|shape| format!("{place}: nothing sends its {shape}")));
        let untried = sends.untried.iter().map(|input| format!("{place}: {input}"));
        self.untried.extend(untried);
        let (mut absent, mut excuses, mut told) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut wrong, mut checked) = (0, 0);
        for (request, verdict) in verdicts {
            match verdict {
                Verdict::Absent { allowed } => {
                    if !allowed && !absent.contains(&request.shape) {
                        self.problems.push(format!("{place}: no description has {}", request.shape));
                    }
                    absent.insert(&request.shape);
                }
                Verdict::Checked { line, wrong: found, excused } => {
                    checked += 1;
                    wrong += usize::from(!found.is_empty());
                    for it in found {
                        // The same in another request of the operation is told once.
                        if told.insert((line, it)) {
                            let seen = &request.seen;
                            let from = format!("{place}, {}: {} {}", request.from, seen.method, seen.target);
                            self.wrong.push(format!("{from}\n    {it}"));
                        }
                    }
                    excuses.extend(excused.iter().map(|it| format!("{line}: {it}")));
                }
            }
        }
        self.requests += checked;
        let mut result = match (checked, absent.len()) {
            (0, _) => "not in the description".to_owned(),
            (_, 0) => "checked".to_owned(),
            _ => "checked in part".to_owned(),
        };
        match (checked, absent.len()) {
            (0, _) => self.absent += 1,
            (_, 0) => self.operations += 1,
            _ => {
                self.operations += 1;
                self.in_part += 1;
            }
        }
        if wrong > 0 {
            let _ = write!(result, ", {wrong} WRONG");
        }
        let _ = writeln!(self.text, "  {:<24} {checked:>3}  {result}", sends.operation);
        for shape in absent {
            let _ = writeln!(self.text, "  {:<29} not there: {shape}", "");
        }
        for excuse in excuses {
            let _ = writeln!(self.text, "  {:<29} exception: {excuse}", "");
        }
    }

    /// What came of a request with something wrong in it.
    pub fn bad(&mut self, file: &str, request: &str, said: &Said) {
        // Refused for what is in it, not for its path or its proof.
        match said.violations.first().filter(|_| matches!(said.status, 400 | 422)) {
            Some(first) => {
                self.refused += 1;
                let _ = writeln!(self.text, "  refused, as it has to be: {request}\n    {file}: {first}");
            }
            None => self.problems.push(format!("{file}: a bad request is not refused ({}): {request}", said.status)),
        }
    }

    /// A description of which the connector uses nothing.
    pub fn unused(&mut self, file: &str) {
        let _ = writeln!(self.text, "  {file}: nothing of it is used");
    }

    /// What is wrong besides.
    pub fn problems(&mut self, problems: impl IntoIterator<Item = String>) {
        self.problems.extend(problems);
    }

    /// Everything as text, and whether all is well.
    pub fn written(mut self) -> (String, bool) {
        let text = &mut self.text;
        for (title, list) in [
            ("violations", &self.wrong),
            ("other problems", &self.problems),
            ("inputs that were never given", &self.untried),
        ] {
            if !list.is_empty() {
                let _ = writeln!(text, "\n{title}:");
                for it in list {
                    let _ = writeln!(text, "  {it}");
                }
            }
        }
        let _ = writeln!(
            text,
            "\n{} requests checked, {} bad ones refused; {} operations checked in part, {} not described",
            self.requests, self.refused, self.in_part, self.absent,
        );
        let other = match self.problems.len() {
            0 => String::new(),
            count => format!(", {count} other problems"),
        };
        let (operations, connectors, wrong) = (self.operations, self.connectors, self.wrong.len());
        let _ = writeln!(text, "contract: {operations} operations, {connectors} connectors, {wrong} violations{other}");
        let sound = self.wrong.is_empty() && self.problems.is_empty();
        (self.text, sound)
    }
}
