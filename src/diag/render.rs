//! The one renderer of diagnostics: for people, for programs, for the annotations of a code review.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::json;

use super::{Diagnostic, Severity, Span};

/// How `check` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With excerpts; coloured for a terminal.
    Human {
        /// Whether to colour.
        color: bool,
    },
    /// One JSON object a line.
    Json,
    /// Workflow commands that GitHub shows beside the line.
    GitHub,
}

/// All diagnostics as one text, ending in a line end when there is any.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], format: Format) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| match format {
            Format::Human { color } => human(diagnostic, color),
            Format::Json => format!("{}\n", as_json(diagnostic)),
            Format::GitHub => github(diagnostic),
        })
        .collect()
}

fn human(diagnostic: &Diagnostic, color: bool) -> String {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.name());
    let mut group = match &diagnostic.span {
        Some(span) => title.element(excerpts(diagnostic, span)),
        None => Group::with_title(title),
    };
    for (span, words) in diagnostic.related.iter().filter(|(span, _)| !same_file(diagnostic, span)) {
        group = group.element(excerpt(span).annotation(AnnotationKind::Primary.span(span.range.clone()).label(words)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    format!("{}\n\n", renderer.render(&[group]))
}

fn excerpt(span: &Span) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(&span.file.text).path(&span.file.path)
}

fn excerpts<'a>(diagnostic: &'a Diagnostic, span: &'a Span) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mut snippet = excerpt(span);
    let primary = AnnotationKind::Primary.span(first_line(span));
    snippet = snippet.annotation(match &diagnostic.label {
        Some(label) => primary.label(label),
        None => primary,
    });
    for (other, words) in diagnostic.related.iter().filter(|(other, _)| same_file(diagnostic, other)) {
        snippet = snippet.annotation(AnnotationKind::Context.span(first_line(other)).label(words));
    }
    snippet
}

/// A long place is shown by its first line: a whole block underlined says nothing.
fn first_line(span: &Span) -> std::ops::Range<usize> {
    let text = span.file.text.get(span.range.clone()).unwrap_or_default();
    let length = text.find('\n').unwrap_or(text.len());
    span.range.start..span.range.start + text.get(..length).unwrap_or_default().trim_end().len()
}

fn same_file(diagnostic: &Diagnostic, span: &Span) -> bool {
    diagnostic.span.as_ref().is_some_and(|primary| primary.file == span.file)
}

fn as_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let place = |span: &Span| {
        let (line, column) = span.line_column();
        json!({ "file": span.file.path, "line": line, "column": column })
    };
    let related: Vec<_> =
        diagnostic.related.iter().map(|(span, words)| json!({ "at": place(span), "message": words })).collect();
    json!({
        "code": diagnostic.code.name(),
        "severity": diagnostic.severity().name(),
        "message": diagnostic.message,
        "at": diagnostic.span.as_ref().map(place),
        "label": diagnostic.label,
        "help": diagnostic.help,
        "related": related,
    })
}

fn github(diagnostic: &Diagnostic) -> String {
    let help = diagnostic.help.as_ref().map_or(String::new(), |help| format!("\n{help}"));
    let text = format!("{}{help}", diagnostic.message);
    annotation(diagnostic.severity(), diagnostic.span.as_ref(), diagnostic.code.name(), &text)
}

/// A line that GitHub shows beside a place.
#[must_use]
pub fn annotation(severity: Severity, span: Option<&Span>, title: &str, text: &str) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let place = span.map_or(String::new(), |span| {
        let (line, column) = span.line_column();
        format!("file={},line={line},col={column},", property(&span.file.path))
    });
    format!("::{} {place}title={}::{}\n", severity.name(), property(title), escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Code, File};

    fn sample() -> Diagnostic {
        let file = File::new("actions/a.yml", "inputs:\n  order_di: {}\n");
        let span = Span { file, range: 10..18 };
        Diagnostic::at(Code::UnknownSlot, &span, "no slot `order_di`").help("did you mean `order_id`?")
    }

    #[test]
    fn a_program_reads_line_and_column() {
        let line = render(&[sample()], Format::Json);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["at"], json!({ "file": "actions/a.yml", "line": 2, "column": 3 }));
        assert_eq!(value["code"], "unknown-slot");
    }

    #[test]
    fn a_review_gets_one_line() {
        let line = render(&[sample()], Format::GitHub);
        assert_eq!(
            line,
            "::error file=actions/a.yml,line=2,col=3,title=unknown-slot::no slot `order_di`%0Adid you mean `order_id`?\n"
        );
    }

    #[test]
    fn a_person_sees_the_line_and_the_cure() {
        let text = render(&[sample()], Format::Human { color: false });
        assert!(text.contains("error[unknown-slot]: no slot `order_di`"), "{text}");
        assert!(text.contains("actions/a.yml:2:3"), "{text}");
        assert!(text.contains("did you mean `order_id`?"), "{text}");
    }
}
