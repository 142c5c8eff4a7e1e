//! One thing that is wrong, and where.

use std::ops::Range;
use std::sync::Arc;

use super::{Code, Severity, similar};

/// A file of the project as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// The path as shown to people: relative to the folder of legwork.yml where it lies in it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl File {
    /// The file of that path and text.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into() })
    }
}

/// A place in a file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<File>,
    /// From the first byte to the one after the last.
    pub range: Range<usize>,
}

impl Span {
    /// The very beginning of a file, for what is wrong with the file as a whole.
    #[must_use]
    pub fn start_of(file: &Arc<File>) -> Self {
        Self { file: Arc::clone(file), range: 0..0 }
    }

    /// The line and column of the first character, both counted from one; columns count characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.file.text.get(..self.range.start).unwrap_or(&self.file.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).map_or(0, |text| text.chars().count());
        (before.matches('\n').count() + 1, column + 1)
    }

    /// `path:line`, for one-line messages and logs.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.path, self.line_column().0)
    }

    /// The same place in a copy of the file where asterisks stand for what is there: what must not be shown is a secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        let text = &self.file.text;
        let (Some(before), Some(inside), Some(after)) =
            (text.get(..self.range.start), text.get(self.range.clone()), text.get(self.range.end..))
        else {
            return Self { file: File::new(&self.file.path, ""), range: 0..0 };
        };
        let masked: String = inside
            .chars()
            .flat_map(|c| if c == '\n' { "\n".chars().cycle().take(1) } else { "*".chars().cycle().take(c.len_utf8()) })
            .collect();
        Self { file: File::new(&self.file.path, format!("{before}{masked}{after}")), range: self.range.clone() }
    }

    /// A part of this span, given in bytes of the text it covers; the whole when the part lies outside.
    #[must_use]
    pub fn part(&self, part: Range<usize>) -> Self {
        let (start, end) = (self.range.start + part.start, self.range.start + part.end);
        let inside = part.start <= part.end && end <= self.range.end && self.file.text.get(start..end).is_some();
        let range = if inside { start..end } else { self.range.clone() };
        Self { file: Arc::clone(&self.file), range }
    }
}

/// One thing that is wrong: its code, where it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of mistake.
    pub code: Code,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; none for what is missing altogether.
    pub span: Option<Span>,
    /// A few words at the place, where the message alone would leave a question.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it, each with a few words.
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// A mistake at a place.
    #[must_use]
    pub fn at(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: Some(span.clone()), label: None, help: None, related: Vec::new() }
    }

    /// A mistake that has no place, such as a missing folder.
    #[must_use]
    pub fn nowhere(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: None, label: None, help: None, related: Vec::new() }
    }

    /// The same with a cure.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a few words at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same with another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: &Span, words: impl Into<String>) -> Self {
        self.related.push((span.clone(), words.into()));
        self
    }

    /// The same with the cure that a wrong name has: the nearest right one, or all of them when they are few.
    #[must_use]
    pub fn did_you_mean<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = similar(given, known.iter().copied()) {
            return self.help(format!("did you mean `{near}`?"));
        }
        if known.is_empty() || known.len() > 32 {
            return self;
        }
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.help(format!("one of {list}"))
    }

    /// Whether it stops `serve`, or is only a warning.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// The diagnostics of one reading or compiling, gathered.
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds many.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(more);
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity() == Severity::Error)
    }

    /// How many errors there are so far: the way to see whether a part went well.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|d| d.severity() == Severity::Error).count()
    }

    /// How many there are so far, warnings included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by file and place, each said once; those without a place come first.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        let place = |d: &Diagnostic| d.span.as_ref().map(|s| (s.file.path.clone(), s.range.start));
        self.0.sort_by(|a, b| place(a).cmp(&place(b)).then(a.code.name().cmp(b.code.name())));
        self.0.dedup();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let file = File::new("a.yml", "ä: 1\nbü: 2\n");
        let at = |start| Span { file: Arc::clone(&file), range: start..start }.line_column();
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(6), (2, 1));
        assert_eq!(at(9), (2, 3));
        assert_eq!(at(999), (3, 1));
    }

    #[test]
    fn what_is_masked_is_neither_shown_nor_moves_the_place() {
        let file = File::new("a.yml", "x: 1\nkey: schlüssel\ny: 2\n");
        let masked = Span { file, range: 10..20 }.masked();
        assert_eq!(masked.file.text, "x: 1\nkey: **********\ny: 2\n");
        assert_eq!(masked.line_column(), (2, 6));
    }

    #[test]
    fn a_part_never_leaves_its_whole() {
        let file = File::new("a.yml", "text: abc");
        let span = Span { file, range: 6..9 };
        assert_eq!(span.part(1..2).range, 7..8);
        assert_eq!(span.part(1..20).range, 6..9);
    }
}
