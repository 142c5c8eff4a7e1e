//! Templates: constants, texts with expressions in them, and single expressions that keep their type.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;

use super::bounds;
use super::engine::{self, Code};
use super::expression::absent;
use super::failure::{Failed, Wrong};
use super::json::from_json;
use super::names::{Comparison, Reference};
use super::print::text_of;
use super::scope::Scope;

/// A compiled template. Cheap to clone.
#[derive(Clone)]
pub struct Template(Kind);

#[derive(Clone)]
enum Kind {
    Constant(Value),
    Typed(Arc<Code>),
    Text(Arc<Code>),
}

impl Template {
    /// Compiles a value as it stands in a file.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(src: &str) -> Result<Self, Wrong> {
        if !src.contains("{{") && !src.contains("{%") {
            return Ok(Self(Kind::Constant(Value::from(src))));
        }
        let trimmed = src.trim();
        if trimmed.starts_with("{{") && trimmed.ends_with("}}") {
            let before = src.len() - src.trim_start().len();
            let (code, typed) = engine::text(trimmed).map_err(|wrong| wrong.moved(before))?;
            if typed {
                return Ok(Self(Kind::Typed(Arc::new(code.moved(before)))));
            }
        }
        let (code, typed) = engine::text(src)?;
        Ok(Self(match typed {
            true => Kind::Typed(Arc::new(code)),
            false => Kind::Text(Arc::new(code)),
        }))
    }

    /// A template that is always this value; texts in it are not looked into.
    #[must_use]
    pub fn constant(value: serde_json::Value) -> Self {
        Self(Kind::Constant(from_json(&value)))
    }

    /// The value: of `"{{ expression }}"` alone whatever the expression gives, else the text.
    ///
    /// # Errors
    /// When a name or key is absent, an operation does not fit its values, or a bound is reached.
    pub fn eval(&self, scope: &Scope) -> Result<Value, Failed> {
        match &self.0 {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Typed(code) => {
                let value = code.value(scope)?;
                if value.is_undefined() { Err(absent(code.source)) } else { Ok(value) }
            }
            Kind::Text(code) => code.text(scope).map(Value::from),
        }
    }

    /// The value as text, null being empty.
    ///
    /// # Errors
    /// As [`Self::eval`].
    pub fn text(&self, scope: &Scope) -> Result<String, Failed> {
        match &self.0 {
            Kind::Text(code) => code.text(scope),
            Kind::Constant(value) => text_of(value, bounds::TEXT).map_err(|error| Failed::eval(&error, "")),
            Kind::Typed(code) => {
                let value = self.eval(scope)?;
                text_of(&value, bounds::TEXT).map_err(|error| Failed::eval(&error, code.source))
            }
        }
    }

    /// The value, when it is the same in every scope.
    #[must_use]
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.0 {
            Kind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The names that it expects of its scope, dotted where known: `slots.order_id`.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.references().iter().map(Reference::dotted).collect()
    }

    /// The same names with their places in the source.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        match &self.0 {
            Kind::Constant(_) => &[],
            Kind::Text(code) | Kind::Typed(code) => &code.references,
        }
    }

    /// Its comparisons with values that are written out.
    #[must_use]
    pub fn comparisons(&self) -> &[Comparison] {
        match &self.0 {
            Kind::Constant(_) => &[],
            Kind::Text(code) | Kind::Typed(code) => &code.comparisons,
        }
    }

    /// The source; of a constant, its text.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.0 {
            Kind::Constant(value) => text_of(value, bounds::TEXT).unwrap_or_default(),
            Kind::Text(code) | Kind::Typed(code) => code.source.to_owned(),
        }
    }

    /// Whether [`Self::eval`] gives something else than a text.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        !matches!(&self.0, Kind::Text(_))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Constant(value) => f.debug_tuple("Constant").field(value).finish(),
            Kind::Typed(code) => f.debug_tuple("Typed").field(&code.source).finish(),
            Kind::Text(code) => f.debug_tuple("Text").field(&code.source).finish(),
        }
    }
}
