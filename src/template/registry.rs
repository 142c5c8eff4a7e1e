//! The filters, functions and tests that exist: one list, from which the engine, the documentation and "did you mean" are made.

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
    registry().entries.values().map(|(described, _)| described)
}

pub(super) struct Registry {
    entries: BTreeMap<(Sort, &'static str), (Described, Value)>,
}

pub(super) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let mut registry = Registry { entries: BTreeMap::new() };
        super::builtins::register(&mut registry);
        registry
    });
    &REGISTRY
}

impl Registry {
    pub(super) fn filter(&mut self, name: &'static str, doc: &'static str, example: (&'static str, &'static str), f: Value) {
        self.add(Sort::Filter, name, doc, example, f);
    }

    pub(super) fn function(
        &mut self,
        name: &'static str,
        doc: &'static str,
        example: (&'static str, &'static str),
        f: Value,
    ) {
        self.add(Sort::Function, name, doc, example, f);
    }

    pub(super) fn test(&mut self, name: &'static str, doc: &'static str, example: (&'static str, &'static str), f: Value) {
        self.add(Sort::Test, name, doc, example, f);
    }

    fn add(&mut self, sort: Sort, name: &'static str, doc: &'static str, example: (&'static str, &'static str), f: Value) {
        let described = Described { sort, name, doc, example: example.0, prints: example.1 };
        self.entries.insert((sort, name), (described, f));
    }

    pub(super) fn has(&self, sort: Sort, name: &str) -> bool {
        self.entries.keys().any(|(s, n)| *s == sort && *n == name)
    }

    /// The name of that sort which is spelled most like `name`.
    pub(super) fn similar(&self, sort: Sort, name: &str) -> Option<String> {
        let lower = name.to_lowercase();
        let scored = self.entries.keys().filter(|(s, _)| *s == sort).map(|(_, known)| {
            let score = strsim::jaro_winkler(known, &lower);
            (score, *known)
        });
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= 0.8).then(|| best.1.to_owned())
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = (Sort, &'static str, Value)> + '_ {
        self.entries.iter().map(|((sort, name), (_, function))| (*sort, *name, function.clone()))
    }
}
