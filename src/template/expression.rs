//! Expressions, as `when`, `require`, `accept` and `each` take them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;

use super::engine::{self, Code};
use super::failure::{Failed, FailedKind, Wrong};
use super::names::{Comparison, Reference};
use super::scope::Scope;

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Code>);

impl Expression {
    /// Compiles a bare expression, such as `order.total > 100`.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(src: &str) -> Result<Self, Wrong> {
        engine::expression(src).map(|code| Self(Arc::new(code)))
    }

    /// The value.
    ///
    /// # Errors
    /// When a name or key is absent, an operation does not fit its values, or a bound is reached.
    pub fn eval(&self, scope: &Scope) -> Result<Value, Failed> {
        let value = self.0.value(scope)?;
        match value.is_undefined() {
            true => Err(absent(self.0.source)),
            false => Ok(value),
        }
    }

    /// Whether it holds: absent, null, false, 0 and what is empty do not.
    ///
    /// # Errors
    /// As [`Self::eval`], but an absent result is false.
    pub fn truth(&self, scope: &Scope) -> Result<bool, Failed> {
        self.0.value(scope).map(|value| value.is_true())
    }

    /// The names that it expects of its scope, dotted where known: `slots.order_id`.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.references().iter().map(Reference::dotted).collect()
    }

    /// The same names with their places, in bytes of the source as it was given.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// Its comparisons with values that are written out.
    #[must_use]
    pub fn comparisons(&self) -> &[Comparison] {
        &self.0.comparisons
    }

    /// The source, without leading blanks.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.source
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}

pub(super) fn absent(source: &str) -> Failed {
    Failed::new(FailedKind::Undefined, format!("`{}` is absent", source.trim()))
}
