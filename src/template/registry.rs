//! The filters, functions and tests that exist: one list, from which the engine, the documentation and "did you mean" are
//! made.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::Value;

/// What a registered name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// `value | name`
    Filter,
    /// `name(…)`
    Function,
    /// `value is name`
    Test,
}

impl Sort {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Function => "function",
            Self::Test => "test",
        }
    }
}

/// A filter, function or test with its documentation.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// How it is used.
    pub sort: Sort,
    /// The name.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
    /// What the example prints.
    pub prints: &'static str,
}

/// Every filter, function and test, by sort and name.
pub fn filters() -> impl Iterator<Item = &'static Described> {
    registry().entries.values().map(|entry| &entry.described)
}

/// How a filter meets what is null or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    /// It sees both.
    Seen,
    /// It sees null; what is absent fails before.
    Null,
    /// It sees neither: null stays null, and what is absent fails.
    Passed,
}

struct Entry {
    described: Described,
    function: Value,
    nothing: Nothing,
}

pub(super) struct Registry {
    entries: BTreeMap<(Sort, &'static str), Entry>,
}

pub(super) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let mut registry = Registry { entries: BTreeMap::new() };
        super::filters::register(&mut registry);
        registry
    });
    &REGISTRY
}

type Example = (&'static str, &'static str);

impl Registry {
    /// A filter that sees null.
    pub(super) fn filter(&mut self, name: &'static str, doc: &'static str, example: Example, function: Value) {
        let nothing = if matches!(name, "default" | "d") { Nothing::Seen } else { Nothing::Null };
        self.add(Sort::Filter, name, doc, example, function, nothing);
    }

    /// A filter that makes null of null.
    pub(super) fn mapper(&mut self, name: &'static str, doc: &'static str, example: Example, function: Value) {
        self.add(Sort::Filter, name, doc, example, function, Nothing::Passed);
    }

    pub(super) fn function(&mut self, name: &'static str, doc: &'static str, example: Example, function: Value) {
        self.add(Sort::Function, name, doc, example, function, Nothing::Seen);
    }

    pub(super) fn test(&mut self, name: &'static str, doc: &'static str, example: Example, function: Value) {
        self.add(Sort::Test, name, doc, example, function, Nothing::Seen);
    }

    fn add(
        &mut self,
        sort: Sort,
        name: &'static str,
        doc: &'static str,
        example: Example,
        function: Value,
        nothing: Nothing,
    ) {
        let described = Described { sort, name, doc, example: example.0, prints: example.1 };
        let before = self.entries.insert((sort, name), Entry { described, function, nothing });
        debug_assert!(before.is_none(), "{name} is registered twice");
    }

    pub(super) fn has(&self, sort: Sort, name: &str) -> bool {
        self.entries.keys().any(|(s, n)| *s == sort && *n == name)
    }

    /// The name of that sort which is spelled most like `name`.
    pub(super) fn similar(&self, sort: Sort, name: &str) -> Option<String> {
        let lower = name.to_lowercase();
        let known = self.entries.keys().filter(|(s, _)| *s == sort).map(|(_, known)| *known);
        let best = known.map(|known| (strsim::jaro_winkler(known, &lower), known)).max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= 0.8).then(|| best.1.to_owned())
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = (Sort, &'static str, Value, Nothing)> + '_ {
        self.entries.iter().map(|((sort, name), entry)| (*sort, *name, entry.function.clone(), entry.nothing))
    }
}
