//! How filters, functions and tests are registered: one line of name, function, documentation and example each.

use super::super::registry::Registry;
use super::{builtins, dates, lists, numbers, picks, regexes, texts};

/// Adds names to a registry: `name = function, documentation, example => what it prints`.
macro_rules! offer {
    ($registry:ident . $sort:ident : $($name:literal = $f:expr, $doc:literal, $example:literal => $prints:literal;)*) => {
        $($registry.$sort($name, $doc, ($example, $prints), minijinja::Value::from_function($f));)*
    };
}
pub(super) use offer;

/// Adds everything.
pub(in super::super) fn register(registry: &mut Registry) {
    builtins::register(registry);
    texts::register(registry);
    regexes::register(registry);
    numbers::register(registry);
    dates::register(registry);
    lists::register(registry);
    picks::register(registry);
}
