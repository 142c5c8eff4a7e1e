//! Warnings that somebody has looked at and allows: a comment in the file, with the reason.
//!
//! `# legwork: allow CODE because REASON` stands above what is meant or at the end of its line, in any of the project's files,
//! the domain included. It holds for that line and for what is indented below it; above the first line of a file, also for what
//! is said of the file as a whole. Errors are never allowed.

use std::ops::Range;
use std::sync::Arc;

use super::{Code, Diagnostic, File, Severity, Span};

/// What such a comment begins with.
const MARK: &str = "legwork:";
/// How one is written.
const FORM: &str = "# legwork: allow CODE because REASON";

/// Takes out the warnings that a comment in these files allows, and adds what is wrong with such comments.
#[must_use]
pub fn allow(problems: Vec<Diagnostic>, files: &[Arc<File>]) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let mut allowances: Vec<Allowance> = files.iter().flat_map(|file| of_file(file, &mut wrong)).collect();
    let (errors, mut left) = (problems.iter().any(|problem| problem.severity() == Severity::Error), Vec::new());
    for problem in problems {
        let mut allowed = false;
        for allowance in allowances.iter_mut().filter(|allowance| allowance.holds_for(&problem)) {
            allowance.needed = true;
            allowed = true;
        }
        if !allowed {
            left.push(problem);
        }
    }
    // Next to an error some warnings are not looked for.
    for idle in allowances.iter().filter(|allowance| !allowance.needed && !errors) {
        let message = format!("`{}` is allowed here, and nothing here is warned of as that", idle.code.name());
        wrong.push(Diagnostic::at(Code::UnneededAllowance, &idle.place, message).help("take the comment out"));
    }
    left.extend(wrong);
    left
}

/// A comment that allows a warning.
struct Allowance {
    code: Code,
    place: Span,
    /// The bytes of the file that it holds for.
    covers: Range<usize>,
    /// It stands above everything else.
    first: bool,
    needed: bool,
}

impl Allowance {
    fn holds_for(&self, problem: &Diagnostic) -> bool {
        let Some(span) = problem.span.as_ref().filter(|span| problem.code == self.code && span.file == self.place.file)
        else {
            return false;
        };
        self.covers.contains(&span.range.start) || (self.first && span.range == (0..0))
    }
}

/// A line of a file: where it begins, and its text without the line end.
type Line<'a> = (usize, &'a str);

/// The allowances of a file; what is wrong with one goes to `wrong`.
fn of_file(file: &Arc<File>, wrong: &mut Vec<Diagnostic>) -> Vec<Allowance> {
    if !file.text.contains(MARK) {
        return Vec::new();
    }
    let mut start = 0;
    let lines: Vec<Line<'_>> = file
        .text
        .split_inclusive('\n')
        .map(|text| {
            let line = (start, text.trim_end_matches(['\n', '\r']));
            start += text.len();
            line
        })
        .collect();
    let mut found = Vec::new();
    for (at, (start, text)) in lines.iter().enumerate() {
        let Some((from, words)) = comment(text) else { continue };
        let place = Span { file: Arc::clone(file), range: start + from..start + text.trim_end().len() };
        let Some(code) = code(words, &place, wrong) else { continue };
        let alone = is_comment(text);
        let meant = if alone { lines.iter().skip(at).position(says_something).map(|more| at + more) } else { Some(at) };
        let first = alone && !lines.iter().take(at).any(says_something);
        let covers = meant.map_or(0..0, |meant| block(&lines, meant));
        found.push(Allowance { code, place, covers, first, needed: false });
    }
    found
}

/// The comment of ours at the end of a line: where its `#` stands, and the words after the mark.
fn comment(line: &str) -> Option<(usize, &str)> {
    let signs =
        line.match_indices('#').filter(|(at, _)| line.get(..*at).is_some_and(|b| b.is_empty() || b.ends_with([' ', '\t'])));
    signs.filter_map(|(at, _)| Some((at, line.get(at + 1..)?.trim_start().strip_prefix(MARK)?.trim()))).next()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn says_something((_, line): &Line<'_>) -> bool {
    !line.trim().is_empty() && !is_comment(line)
}

/// The bytes from a line on to the end of what is indented below it.
fn block(lines: &[Line<'_>], meant: usize) -> Range<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let below = |outer: usize, line: &Line<'_>| line.1.trim().is_empty() || indent(line.1) > outer;
    let Some((start, text)) = lines.get(meant) else { return 0..0 };
    let end = |(start, text): &Line<'_>| start + text.len() + 1;
    let last = lines.iter().skip(meant + 1).take_while(|line| below(indent(text), line)).last();
    *start..last.map_or(start + text.len() + 1, end)
}

/// The code that the words allow; reports words that allow nothing, or say no reason.
fn code(words: &str, place: &Span, wrong: &mut Vec<Diagnostic>) -> Option<Code> {
    let allowable =
        |code: &Code| code.severity() == Severity::Warning && !matches!(code, Code::BadAllowance | Code::UnneededAllowance);
    let bad = |message: String| Diagnostic::at(Code::BadAllowance, place, message);
    let Some(rest) = words.strip_prefix("allow ").map(str::trim) else {
        wrong.push(
            bad(format!("a comment that begins with `{MARK}` allows a warning, and this one does not"))
                .help(format!("write `{FORM}`")),
        );
        return None;
    };
    let (name, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let code = match Code::parse(name) {
        Some(code) if allowable(&code) => code,
        Some(code) => {
            let what = if code.severity() == Severity::Error { "an error" } else { "about such comments" };
            let cure = format!("mend what it is about: `legwork explain {name}` says how");
            wrong.push(bad(format!("`{name}` is {what}, which cannot be allowed")).help(cure));
            return None;
        }
        None => {
            let known = Code::ALL.iter().filter(|code| allowable(code)).map(|code| code.name());
            wrong.push(bad(format!("there is no warning `{name}`")).did_you_mean(name, known));
            return None;
        }
    };
    let reason = reason.trim().strip_prefix("because").map(str::trim).unwrap_or_default();
    if reason.is_empty() {
        let cure = format!("write `# legwork: allow {name} because …`, for whoever reads it next");
        wrong.push(bad(format!("this does not say why `{name}` is allowed")).help(cure));
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str, code: Code, at: &str) -> Vec<&'static str> {
        let file = File::new("a.yml", text);
        let start = text.find(at).unwrap();
        let problem = Diagnostic::at(code, &Span { file: Arc::clone(&file), range: start..start + at.len() }, "x");
        allow(vec![problem], &[file]).iter().map(|problem| problem.code.name()).collect()
    }

    #[test]
    fn a_comment_above_or_beside_holds_for_what_is_below() {
        let none: [&str; 0] = [];
        let reason = "# legwork: allow unused-input because Rasa wants it";
        assert_eq!(left(&format!("inputs:\n  {reason}\n  # more\n  x: 1\n"), Code::UnusedInput, "x"), none);
        assert_eq!(left(&format!("inputs:\n  x: 1 {reason}\n"), Code::UnusedInput, "x"), none);
        assert_eq!(left(&format!("{reason}\ninputs:\n\n  x: 1\n"), Code::UnusedInput, "x"), none);
        let beside = left(&format!("inputs:\n  {reason}\n  y: 1\n  x: 1\n"), Code::UnusedInput, "x");
        assert_eq!(beside, ["unused-input", "unneeded-allowance"]);
    }

    #[test]
    fn what_is_said_of_a_file_is_allowed_at_its_top() {
        let text = "# An action.\n# legwork: allow undeclared-action because a flow calls it\nsteps: []\n";
        let file = File::new("a.yml", text);
        let problem = Diagnostic::at(Code::UndeclaredAction, &Span::start_of(&file), "x");
        assert!(allow(vec![problem], &[file]).is_empty());
    }

    #[test]
    fn errors_are_never_allowed_and_a_reason_is_needed() {
        assert_eq!(
            left("# legwork: allow unknown-slot because I say so\nx: 1\n", Code::UnknownSlot, "x"),
            ["unknown-slot", "bad-allowance"]
        );
        assert_eq!(left("# legwork: allow unused-input\nx: 1\n", Code::UnusedInput, "x"), ["bad-allowance"]);
        assert_eq!(left("x: 1 # legwork: ignore unused-input\n", Code::UnusedInput, "x"), ["unused-input", "bad-allowance"]);
        assert_eq!(
            left("x: 1 # legwork: allow unused because y\n", Code::UnusedInput, "x"),
            ["unused-input", "bad-allowance"]
        );
    }

    #[test]
    fn beside_an_error_no_allowance_is_called_idle() {
        let found = left("# legwork: allow unused-input because y\nx: 1\n", Code::UnknownSlot, "x");
        assert_eq!(found, ["unknown-slot"]);
    }
}
