//! Templates and expressions: the one place that knows the template engine.
//!
//! An [`Expression`] is written bare (`order.total > 100`), a [`Template`] is text with `{{ … }}` in it; both are compiled
//! once, when the files are read, and evaluated against a [`Scope`]. What is wrong with one is a [`Wrong`] with its place
//! in the source, found when compiling: syntax, unknown filters, functions and tests. What goes wrong while evaluating is a
//! [`Failed`] whose text never holds a value of a user.
//!
//! - `"{{ expression }}"` alone keeps the value's type; anything else with `{{` or `{%` is text; text without them is a
//!   constant and is never parsed. A value is data: template syntax inside it is never evaluated.
//! - Absent and null are two things. Printing, iterating or looking into what is absent fails, as a condition it is false;
//!   null prints as nothing. `default` replaces what is absent, `default(value, true)` also null, false and empty.
//! - Texts print as they are, true and false as `true` and `false`, 55 as `55` and 55.0 as `55.0`, lists and maps as JSON.
//! - `<`, `<=`, `>` and `>=` compare numbers with numbers, texts with texts, and ISO dates and times as moments, whatever
//!   their offsets; anything else fails instead of guessing.
//! - Every evaluation is bounded: in steps, in the work of filters, and in the size of every text it makes.
//!
//! A [`Guard`] is an expression that fails closed: what is null or absent equals nothing, not even itself.
//!
//! The filters are the same for every project. What belongs to a project is looked up in the scope: `locale` (such as
//! `de-AT`), `timezone` (such as `Europe/Vienna`), `now` (RFC 3339), `random` (a seed, for tests) and `legwork`, a map with
//! `labels` (code → word), `words` (name → word list), `region` (such as `US`) and `currency` (such as `EUR`).

mod bounds;
mod cure;
mod engine;
mod expression;
mod failure;
mod filters;
mod guard;
mod json;
mod length;
mod names;
mod operators;
mod print;
mod registry;
mod rewrite;
mod scope;
mod text;

pub use expression::Expression;
pub use failure::{Failed, FailedKind, Wrong, WrongKind};
pub use guard::Guard;
pub use json::{from_json, open_json, open_map, open_values, to_json};
pub use minijinja::Value;
pub use names::{Comparison, Reference};
pub use registry::{Described, Sort, filters};
pub use scope::{Names, Scope};
pub use text::Template;

#[cfg(test)]
mod tests;
