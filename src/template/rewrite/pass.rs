//! What the pass holds and learns, and the looking up of names that must exist.

use std::ops::Range;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr};

use crate::format::date_out::check_format;
use crate::format::moment::Unit;

use super::super::cure;
use super::super::failure::{Wrong, WrongKind};
use super::super::filters::check_regex;
use super::super::names::{Comparison, Introduced, Reference};
use super::super::registry::{Sort, registry};
use super::nodes::range_of;

/// Checks a text that is written out as an argument.
type Check = fn(&str) -> Result<(), String>;

/// What the pass learns and holds.
pub(in super::super) struct Rewriter<'a> {
    source: &'a str,
    /// The names that the source itself introduced.
    pub(super) introduced: Introduced<'a>,
    /// How many blocks are open that run their body more than once or capture it.
    pub(super) nested: usize,
    /// How deep the expression is nested.
    pub(super) depth: usize,
    /// Whether it is a guard, which fails closed.
    pub(super) strict: bool,
    /// How many things are open that show nothing of a value, or not all of it.
    pub(super) hidden: usize,
    /// The comparisons found so far.
    pub(in super::super) comparisons: Vec<Comparison>,
    /// The names found so far.
    pub(in super::super) references: Vec<Reference>,
    /// The first mistake.
    pub(in super::super) wrong: Option<Wrong>,
}

impl<'a> Rewriter<'a> {
    pub(in super::super) fn new(source: &'a str) -> Self {
        Self {
            source,
            introduced: Introduced::new(),
            nested: 0,
            depth: 0,
            strict: false,
            hidden: 0,
            comparisons: Vec::new(),
            references: Vec::new(),
            wrong: None,
        }
    }

    pub(super) fn blame(&mut self, wrong: Wrong) {
        self.wrong.get_or_insert(wrong);
    }

    /// Where `name` stands within a span, or the span.
    pub(super) fn locate(&self, span: Span, name: &str, last: bool) -> Range<usize> {
        let range = range_of(span);
        let piece = self.source.get(range.clone()).unwrap_or_default();
        let at = if last { piece.rfind(name) } else { piece.find(name) };
        at.map_or(range.clone(), |at| range.start + at..range.start + at + name.len())
    }

    pub(super) fn known(&mut self, sort: Sort, name: &str, range: Range<usize>) {
        if registry().has(sort, name) {
            return;
        }
        let help = cure::of_unknown(sort, name);
        let (word, name) = (sort.word(), name.to_owned());
        let message = format!("there is no {word} `{name}`");
        let kind = match sort {
            Sort::Filter => WrongKind::UnknownFilter { name },
            Sort::Function => WrongKind::UnknownFunction { name },
            Sort::Test => WrongKind::UnknownTest { name },
        };
        self.blame(Wrong { message, help, range: Some(range), kind });
    }

    /// `map("upper")`, `select("defined")` and their like name a filter or test as text.
    pub(super) fn known_in_text(&mut self, filter: &str, args: &[CallArg<'a>]) {
        let (sort, index) = match filter {
            "map" => (Sort::Filter, 0),
            "select" | "reject" => (Sort::Test, 0),
            "selectattr" | "rejectattr" => (Sort::Test, 1),
            _ => return,
        };
        if let Some(CallArg::Pos(Expr::Const(name))) = args.get(index)
            && let Some(text) = name.value.as_str()
        {
            self.known(sort, text, range_of(name.span()));
        }
    }

    /// Patterns, date formats and units that are written out are checked now.
    pub(super) fn constants(&mut self, name: &str, args: &[CallArg<'a>]) {
        let (index, check): (usize, Check) = match name {
            "regex_find" | "regex_findall" | "regex_replace" | "regex_match" => (0, check_regex),
            "date" | "time" => (0, check_format),
            "add" => {
                (1, |unit| Unit::parse(unit).map(|_| ()).ok_or_else(|| "not a unit of time: second to year".to_owned()))
            }
            _ => return,
        };
        if let Some(CallArg::Pos(Expr::Const(constant))) = args.get(index)
            && let Some(text) = constant.value.as_str()
            && let Err(reason) = check(text)
        {
            self.blame(Wrong::syntax(reason, range_of(constant.span())));
        }
    }
}
