//! What became of the tests, for programs: JSON lines, annotations of a review, and JUnit's XML.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Counts, Failure, Report, Result, counts};
use crate::diag::{Severity, Span, annotation};

impl Report {
    /// One JSON object a line for each test, and one that counts.
    #[must_use]
    pub fn json(&self) -> String {
        let mut text: String = self.results.iter().map(|result| format!("{}\n", of(result))).collect();
        for examples in &self.examples {
            let outcome = if examples.wrong.is_empty() { "passed" } else { "failed" };
            let line = json!({ "connector": examples.connector, "examples": examples.count, "outcome": outcome, "wrong": examples.wrong });
            let _ = writeln!(text, "{line}");
        }
        let Counts { passed, failed, skipped } = counts(&self.results);
        let summary = json!({ "passed": passed, "failed": failed, "skipped": skipped, "not_run": self.left, "untested": self.untested });
        let _ = writeln!(text, "{summary}");
        text
    }

    /// An annotation for each failure, and a last line that counts.
    #[must_use]
    pub fn github(&self) -> String {
        let mut text = String::new();
        for result in &self.results {
            for failure in &result.failures {
                let place = failure.at.as_ref().unwrap_or(&result.place);
                let title = format!("{}: {}", result.action, result.it);
                text += &annotation(Severity::Error, Some(place), &title, &told(failure));
            }
        }
        for line in self.examples.iter().flat_map(|examples| &examples.wrong) {
            text += &annotation(Severity::Error, None, "an example of a connector", line);
        }
        let _ = writeln!(text, "{}", self.summary());
        text
    }

    /// JUnit's XML: a suite for each file.
    #[must_use]
    pub fn junit(&self) -> String {
        let wrong = self.examples.iter().filter(|examples| !examples.wrong.is_empty()).count();
        let all = counts(&self.results);
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let total = self.results.len() + self.examples.len();
        let _ = writeln!(
            text,
            "<testsuites name=\"legwork\" tests=\"{total}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
            all.failed + wrong,
            all.skipped
        );
        let same = |a: &Result, b: &Result| a.place.file.path == b.place.file.path;
        for results in self.results.chunk_by(same) {
            let file = results.first().map_or("", |first| first.place.file.path.as_str());
            suite(file, results.len(), counts(results), &mut text);
            results.iter().for_each(|result| case(result, &mut text));
            text += "  </testsuite>\n";
        }
        for examples in &self.examples {
            let name = format!("connector {}", examples.connector);
            let failed = usize::from(!examples.wrong.is_empty());
            suite(&name, 1, Counts { passed: 1 - failed, failed, skipped: 0 }, &mut text);
            let _ = writeln!(text, "    <testcase name=\"examples\" classname=\"{}\">", xml(&name));
            if failed > 0 {
                let _ = writeln!(text, "      <failure message=\"examples\">{}</failure>", xml(&examples.wrong.join("\n")));
            }
            text += "    </testcase>\n  </testsuite>\n";
        }
        text + "</testsuites>\n"
    }
}

fn suite(name: &str, tests: usize, counts: Counts, text: &mut String) {
    let (failed, skipped) = (counts.failed, counts.skipped);
    let name = xml(name);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\">"
    );
}

fn case(result: &Result, text: &mut String) {
    let (line, _) = result.place.line_column();
    let (name, class, file) = (xml(&result.it), xml(&result.action), xml(&result.place.file.path));
    let _ = writeln!(text, "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{file}\" line=\"{line}\">");
    for failure in &result.failures {
        let place = failure.at.as_ref().unwrap_or(&result.place).place();
        let body = format!("{place}\n{}", told(failure));
        let _ = writeln!(text, "      <failure message=\"{}\">{}</failure>", xml(&failure.what), xml(&body));
    }
    if let Some(why) = result.skipped.as_ref().filter(|_| result.passed()) {
        let _ = writeln!(text, "      <skipped message=\"{}\"/>", xml(why));
    }
    text.push_str("    </testcase>\n");
}

fn told(failure: &Failure) -> String {
    format!("{}\nexpected  {}\ncame      {}", failure.what, failure.expected, failure.came)
}

fn of(result: &Result) -> Value {
    let at = |span: &Span| {
        let (line, column) = span.line_column();
        json!({ "file": span.file.path, "line": line, "column": column })
    };
    let failure = |failure: &Failure| {
        json!({
            "what": failure.what, "expected": failure.expected, "came": failure.came,
            "at": at(failure.at.as_ref().unwrap_or(&result.place)),
        })
    };
    let outcome = match (result.passed(), &result.skipped) {
        (false, _) => "failed",
        (true, Some(_)) => "skipped",
        (true, None) => "passed",
    };
    let problem = |(place, message): &(Span, String)| json!({ "at": at(place), "message": message });
    json!({
        "of": result.action, "name": result.it, "at": at(&result.place), "outcome": outcome, "why": result.skipped,
        "failures": result.failures.iter().map(failure).collect::<Vec<_>>(),
        "problems": result.problems.iter().map(problem).collect::<Vec<_>>(),
        "notes": result.notes,
        "taken": {
            "intents": result.taken.intents, "slots": result.taken.slots, "messages": result.taken.messages,
            "unknowable": result.taken.unknowable,
        },
    })
}

/// A text as XML can hold it.
fn xml(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\n' | '\t' => written.push(c),
            // XML has no way to write them.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => written.push('\u{fffd}'),
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn programs_read_the_same_as_people() {
        let report = report();
        let lines: Vec<Value> = report.json().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().filter_map(|line| line["outcome"].as_str()).collect::<Vec<_>>(), ["failed", "skipped"]);
        assert_eq!(lines[0]["failures"][0]["at"], json!({ "file": "actions/a.yml", "line": 2, "column": 1 }));
        assert_eq!(lines[2]["not_run"], 3);
        assert_eq!(
            report.github(),
            "::error file=actions/a.yml,line=2,col=1,title=a%3A greets::said[0]%0Aexpected  Hello …%0Acame      Bye\n\
             0 passed, 1 failed, 1 skipped, 3 not run\n"
        );
    }

    #[test]
    fn junit_escapes_what_xml_cannot_hold() {
        let mut report = report();
        report.results[0].it = "a <b> & \"c\"\u{1}".into();
        let text = report.junit();
        assert!(
            text.contains(
                "name=\"a &lt;b&gt; &amp; &quot;c&quot;\u{fffd}\" classname=\"a\" file=\"actions/a.yml\" line=\"2\""
            ),
            "{text}"
        );
        assert!(text.contains("<skipped message=\"not ours\"/>"), "{text}");
        assert!(text.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{text}");
    }
}
