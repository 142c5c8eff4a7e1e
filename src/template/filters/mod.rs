//! The filters, functions and tests, by what they work on. Each is registered with a line of documentation and an example that
//! is a test.
//!
//! Filters of single values (texts, dates, numbers, masks) pass null through as null; filters of lists take null as an empty
//! list. What is absent is refused before a filter sees it, but for `default`.

mod builtins;
mod dates;
mod lists;
mod numbers;
mod order;
mod picks;
mod regexes;
mod support;
mod texts;

use super::registry::Registry;

pub(super) use order::compare;
pub(super) use regexes::check as check_regex;

/// Adds names to a registry: `name = function, documentation, example => what it prints`.
macro_rules! offer {
    ($registry:ident . $sort:ident : $($name:literal = $f:expr, $doc:literal, $example:literal => $prints:literal;)*) => {
        $($registry.$sort($name, $doc, ($example, $prints), minijinja::Value::from_function($f));)*
    };
}
use offer;

/// Adds everything.
pub(super) fn register(registry: &mut Registry) {
    builtins::register(registry);
    texts::register(registry);
    regexes::register(registry);
    numbers::register(registry);
    dates::register(registry);
    lists::register(registry);
    picks::register(registry);
}
