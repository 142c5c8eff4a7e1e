//! What can be wrong with a template, and how evaluating one can fail, in words that are safe to log.
//!
//! The engine's own error texts may quote values, so only those of its texts that cannot are passed on.

use std::fmt;
use std::ops::Range;

use minijinja::{Error, ErrorKind};

use super::cure;

/// What is wrong with the source of an expression or a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// What to do, where that can be said.
    pub help: Option<String>,
    /// Where, in bytes of the source.
    pub range: Option<Range<usize>>,
    /// Which kind of mistake it is.
    pub kind: WrongKind,
}

/// The kinds of mistakes in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongKind {
    /// It does not parse, or uses a part of Jinja that is not offered.
    Syntax,
    /// A filter that does not exist.
    UnknownFilter {
        /// The name as written.
        name: String,
    },
    /// A function that does not exist, or a method.
    UnknownFunction {
        /// The name as written.
        name: String,
    },
    /// A test (`x is …`) that does not exist.
    UnknownTest {
        /// The name as written.
        name: String,
    },
}

impl Wrong {
    pub(super) fn syntax(message: impl Into<String>, range: Range<usize>) -> Self {
        Self { message: message.into(), help: None, range: Some(range), kind: WrongKind::Syntax }
    }

    /// The same mistake in a source that begins `bytes` earlier.
    pub(super) fn moved(mut self, bytes: usize) -> Self {
        self.range = self.range.map(|range| range.start + bytes..range.end + bytes);
        self
    }

    /// The engine's refusal to parse `source`, which has no values in it yet.
    pub(super) fn parse(error: &Error, source: &str) -> Self {
        let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let range = error.range().map(|range| clamp(range, source));
        let bare = source.trim_start().starts_with("{{") && error.name() == Some("<expression>");
        let help = match bare {
            true => Some("this key takes the bare expression, without {{ }}".to_owned()),
            false => cure::of_syntax(&reason, source, range.as_ref()),
        };
        Self { message: reason, help, range, kind: WrongKind::Syntax }
    }
}

/// A range that lies within the source, on character borders.
fn clamp(range: Range<usize>, source: &str) -> Range<usize> {
    let border = |mut at: usize| {
        at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (border(range.start), border(range.end));
    start.min(end)..end
}

/// Why an expression or a template could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failed {
    /// For the operator: a lower-case fragment with names and source, never with values.
    pub message: String,
    /// Which kind of failure it is.
    pub kind: FailedKind,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedKind {
    /// A name or key that is absent was used as if it were there.
    Undefined,
    /// An operator or filter got a value that it cannot work on.
    Unsuitable,
    /// It took too many steps, or the filters had too much to do.
    TooLong,
    /// A text or a list grew past the limit.
    TooLarge,
    /// The value has no form in JSON: a function, not a number, nested too deep.
    NotData,
}

impl Failed {
    pub(super) fn new(kind: FailedKind, message: impl Into<String>) -> Self {
        Self { message: message.into(), kind }
    }

    /// A value that does not fit where an expression's value goes; `message` holds none of it.
    #[must_use]
    pub fn unsuitable(message: impl Into<String>) -> Self {
        Self::new(FailedKind::Unsuitable, message)
    }

    /// The engine's error while it evaluated `source`.
    pub(super) fn eval(error: &Error, source: &str) -> Self {
        if let Some(said) = said(error) {
            return Self::new(said.kind, format!("{}{}", said.message, place(error, source)));
        }
        let kind = match error.kind() {
            ErrorKind::UndefinedError => FailedKind::Undefined,
            ErrorKind::OutOfFuel => FailedKind::TooLong,
            ErrorKind::WriteFailure => FailedKind::TooLarge,
            _ => FailedKind::Unsuitable,
        };
        let message = match error.kind() {
            ErrorKind::UndefinedError => match error.detail() {
                Some(detail) => detail.to_owned(),
                None => format!("a value is absent{}", place(error, source)),
            },
            ErrorKind::OutOfFuel => "the template takes too many steps".to_owned(),
            _ => match error.detail().filter(|detail| harmless(detail)) {
                Some(detail) => format!("{detail}{}", place(error, source)),
                None => format!("{}{}", error.kind(), place(error, source)),
            },
        };
        Self::new(kind, message)
    }
}

/// Texts of the engine that name types only.
fn harmless(detail: &str) -> bool {
    const BEGINNINGS: [&str; 6] = [
        "tried to use ",
        "cannot calculate length",
        "unknown keyword argument",
        "value is not iterable",
        "sequence of wrong length",
        "too many",
    ];
    BEGINNINGS.iter().any(|beginning| detail.starts_with(beginning))
}

/// The piece of source that failed, which the author wrote.
fn place(error: &Error, source: &str) -> String {
    let range = error.range().map(|range| clamp(range, source)).filter(|range| !range.is_empty());
    match range.and_then(|range| source.get(range)) {
        Some(piece) if piece.chars().count() <= 80 => format!(" in `{piece}`"),
        Some(piece) => format!(" in `{}…`", piece.chars().take(79).collect::<String>()),
        None => String::new(),
    }
}

/// A failure of our own filters and operators, carried through the engine as an error's source.
#[derive(Debug)]
struct Said {
    kind: FailedKind,
    message: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Said {}

fn said(error: &Error) -> Option<&Said> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(said) = error.downcast_ref() {
            return Some(said);
        }
        source = error.source();
    }
    None
}

/// An error for the engine whose `message` holds no value of a user.
pub(super) fn fail(kind: FailedKind, message: impl Into<String>) -> Error {
    let engine = match kind {
        FailedKind::Undefined => ErrorKind::UndefinedError,
        FailedKind::TooLong => ErrorKind::OutOfFuel,
        FailedKind::TooLarge => ErrorKind::WriteFailure,
        FailedKind::Unsuitable | FailedKind::NotData => ErrorKind::InvalidOperation,
    };
    Error::from(engine).with_source(Said { kind, message: message.into() })
}

/// The common case of [`fail`]: a value that the operation cannot work on.
pub(super) fn unsuitable(message: impl Into<String>) -> Error {
    fail(FailedKind::Unsuitable, message)
}
