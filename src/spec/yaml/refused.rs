//! What the YAML reader refuses, said for people: the place, what is wrong there, and a cure that can be typed in.
//!
//! The reader stops at its first mistake and often notices it a line too late. So the cure is found by looking at the lines
//! around the place for what people get wrong: tabs, a brace without quotes, a quote or bracket that is never closed.

use std::sync::Arc;

use serde_saphyr::{Error, Location};

use crate::diag::{Code, Diagnostic, File, Span};

/// The diagnostic of a refusal.
pub(super) fn refused(error: &Error, file: &Arc<File>) -> Diagnostic {
    let span = error.location().map_or_else(|| Span::start_of(file), |at| located(at, file));
    match error {
        // What went wrong inside of what an alias stands for.
        Error::AliasError { error: inside, .. } => return refused(inside, file),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("this key");
            let message = format!("the key `{key}` stands here a second time");
            return Diagnostic::at(Code::DuplicateName, &span, message)
                .help("keep one of the two; what are two entries of a list need a dash each");
        }
        Error::MultipleDocuments { .. } => {
            let message = "the file holds a second document after `---`";
            return Diagnostic::at(Code::YamlSyntax, &span, message)
                .help("take the line `---` out; make two files for two things");
        }
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            let message = "the file is too large or nested too deep, or its aliases (`*name`) grow beyond all measure";
            return Diagnostic::at(Code::YamlSyntax, &span, message).help("split it into several files");
        }
        Error::UnknownAnchor { .. } => {
            let message = "`*` refers to an anchor, and there is none of this name above";
            return Diagnostic::at(Code::YamlSyntax, &span, message)
                .help("a text that begins with `*` needs quotes around it");
        }
        _ => {}
    }
    let text = error.to_string();
    let reason = text.lines().next().unwrap_or_default().split(" at line ").next().unwrap_or_default().trim();
    let (span, message, help) = cause(&span, reason).unwrap_or_else(|| {
        (
            span.clone(),
            format!("this is not YAML: {reason}"),
            "check indentation and quotes here and on the line before".to_owned(),
        )
    });
    Diagnostic::at(Code::YamlSyntax, &span, message).help(help)
}

/// Where a location lies in the text. The reader's own mistakes have no byte offset, only line and column.
pub(super) fn located(at: Location, file: &Arc<File>) -> Span {
    let bytes = at.span();
    let number = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
    let end = file.text.len();
    let start = number(bytes.byte_offset()).map_or_else(|| by_line(at, &file.text), |start| start.min(end));
    let length = number(bytes.byte_len()).unwrap_or_default();
    Span { file: Arc::clone(file), range: start..start.saturating_add(length).min(end) }
}

fn by_line(at: Location, text: &str) -> usize {
    let number = |value: u64| usize::try_from(value.saturating_sub(1)).unwrap_or(usize::MAX);
    let line_start: usize = text.split_inclusive('\n').take(number(at.line())).map(str::len).sum();
    let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    line_start + line.char_indices().nth(number(at.column())).map_or(line.len(), |(at, _)| at)
}

/// A line of a file, and where it begins.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    fn span(self, file: &Arc<File>, from: usize, length: usize) -> Span {
        let start = self.start + from;
        Span { file: Arc::clone(file), range: start..start + length }
    }

    /// What stands behind the dash and the key, and where.
    fn value(&self) -> (usize, &str) {
        let body = self.text.trim_start_matches([' ', '-']);
        let at = self.text.len() - body.len();
        match body.split_once(": ") {
            Some((key, value)) if !key.starts_with(['"', '\'', '{', '[']) => (at + key.len() + 2, value.trim_end()),
            _ => (at, body.trim_end()),
        }
    }
}

/// What people get wrong most, when it stands at the place or on a line just before.
fn cause(at: &Span, reason: &str) -> Option<(Span, String, String)> {
    let file = &at.file;
    if let Some(found) = bare_braces(at) {
        return Some(found);
    }
    let lines = near(at);
    for line in lines.iter().chain(&after(at)) {
        let indent = line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line.text.get(..indent).and_then(|indent| indent.find('\t')) {
            let span = line.span(file, tab, 1);
            return Some((span, "a tab in the indentation".to_owned(), "indent with blanks, two for each level".to_owned()));
        }
    }
    for line in &lines {
        let (start, value) = line.value();
        let span = line.span(file, start, value.len());
        if let Some(found) = of_value(value) {
            return Some((span, found.0.to_owned(), found.1));
        }
    }
    let indent = |line: &Line<'_>| line.text.len() - line.text.trim_start().len();
    if let [line, before] = lines.as_slice()
        && reason.starts_with("mapping values are not allowed")
        && indent(line) > indent(before)
        && !before.text.trim_end().ends_with(':')
    {
        let text = before.text.trim();
        let span = before.span(file, indent(before), text.len());
        return Some((span, "a key has a colon behind it".to_owned(), format!("write `{text}:`, if it is one")));
    }
    if reason.contains("did not find expected") {
        let cure = "entries of one list begin in the same column, and so do the keys of one step".to_owned();
        return Some((at.clone(), "the indentation does not fit the lines above".to_owned(), cure));
    }
    None
}

/// A template without quotes where YAML expected something else, such as `set: { name: {{ user_text }} }`.
fn bare_braces(at: &Span) -> Option<(Span, String, String)> {
    let text = &at.file.text;
    let start = [at.range.start, at.range.start.saturating_sub(1)]
        .into_iter()
        .find(|start| text.get(*start..).is_some_and(|rest| rest.starts_with("{{")))?;
    let rest = text.get(start..)?.lines().next()?;
    let template = rest.get(..rest.find("}}")? + 2)?;
    let before = text.get(..start)?.lines().next_back().unwrap_or_default();
    // As the whole value of a line it may go on behind the braces, which `of_value` sees.
    if !before.contains(['{', '[']) {
        return None;
    }
    let span = Span { file: Arc::clone(&at.file), range: start..start + template.len() };
    Some((span, BRACES.to_owned(), format!("write {}", quoted(template))))
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive('\n').scan(0, |next, text| {
        let start = *next;
        *next += text.len();
        Some(Line { start, text: text.trim_end_matches(['\n', '\r']) })
    })
}

/// The line of the place, then the one before it that says anything.
fn near(at: &Span) -> Vec<Line<'_>> {
    let mut before: Vec<_> = lines(&at.file.text).take_while(|line| line.start <= at.range.start).collect();
    before.retain(|line| !line.text.trim().is_empty());
    before.into_iter().rev().take(2).collect()
}

/// The line after the place.
fn after(at: &Span) -> Option<Line<'_>> {
    lines(&at.file.text).find(|line| line.start > at.range.start)
}

const BRACES: &str = "a text that begins with a brace needs quotes around it";

/// The text in quotes that it does not hold itself.
fn quoted(text: &str) -> String {
    match text.contains(['"', '\\']) {
        true => format!("'{}'", text.replace('\'', "''")),
        false => format!("\"{text}\""),
    }
}

/// What is wrong with a value as it was written, and the cure.
fn of_value(value: &str) -> Option<(&'static str, String)> {
    let first = value.chars().next()?;
    if value.starts_with("{{") || value.starts_with("{%") {
        return Some((BRACES, format!("write {}", quoted(value))));
    }
    if let quote @ ('"' | '\'') = first {
        let rest = value.get(1..).unwrap_or_default();
        let marks = rest.replace("\\\"", "").replace("\\\\", "").matches(quote).count();
        return match marks {
            0 => Some(("a quote is opened here and never closed", format!("put {quote} at the end of the text as well"))),
            1 if rest.ends_with(quote) => None,
            _ if quote == '\'' => Some((
                "the text ends at its second quote, and more follows",
                "write '' for a quote inside single quotes, or put double quotes around".to_owned(),
            )),
            _ => Some((
                "the text ends at its second quote, and more follows",
                "write \\\" for a quote inside double quotes, or put single quotes around".to_owned(),
            )),
        };
    }
    if "@`%*&!".contains(first) {
        return Some(("a text that begins with this sign needs quotes around it", format!("write {}", quoted(value))));
    }
    let read = value.split(" #").next().unwrap_or_default();
    let opened = |open, close| read.matches(open).count() > read.matches(close).count();
    if (first == '[' && opened('[', ']')) || (first == '{' && opened('{', '}')) {
        return Some(match value.contains(" #") {
            true => (
                "a blank and `#` begin a comment, which swallows the rest of the line",
                "put quotes around the text that begins with `#`".to_owned(),
            ),
            false => ("a bracket is opened here and not closed on this line", "close it".to_owned()),
        });
    }
    if first != '[' && first != '{' && value.contains(": ") {
        return Some(("a text that holds `: ` needs quotes around it", format!("write {}", quoted(value))));
    }
    None
}
