//! What an expression can see: names that are offered lazily, and the locals that steps have added.
//!
//! A scope is cheap to clone; a clone that is changed does not change its origin.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// Offers names such as `slots`, `events` or `now`, when they are asked for.
pub trait Names: Send + Sync {
    /// The value of a name; nothing when it is not known.
    fn get(&self, name: &str) -> Option<Value>;
}

impl Names for () {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
}

impl<S: std::hash::BuildHasher + Send + Sync> Names for std::collections::HashMap<String, Value, S> {
    fn get(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}

/// The names that an expression is evaluated with.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    names: Arc<dyn Names>,
    locals: Arc<IndexMap<Arc<str>, Value>>,
}

impl Scope {
    /// A scope without locals.
    #[must_use]
    pub fn new(names: Arc<dyn Names>) -> Self {
        Self(Arc::new(Inner { names, locals: Arc::default() }))
    }

    /// The same scope with one local more; this one stays as it is.
    #[must_use]
    pub fn with(&self, name: impl Into<Arc<str>>, value: Value) -> Self {
        let mut scope = self.clone();
        scope.set(name, value);
        scope
    }

    /// Adds or replaces a local, which hides an offered name of the same spelling.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: Value) {
        let inner = Arc::make_mut(&mut self.0);
        Arc::make_mut(&mut inner.locals).insert(name.into(), value);
    }

    /// The value of a name: the local, else what is offered.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        self.0.find(name)
    }

    /// The locals, in the order they were added in.
    #[must_use]
    pub fn locals(&self) -> &IndexMap<Arc<str>, Value> {
        &self.0.locals
    }

    /// The scope as the engine's root value, without copying anything.
    pub(super) fn root(&self) -> Value {
        Value::from_dyn_object(self.0.clone())
    }
}

impl fmt::Debug for Scope {
    /// Names the locals; their values may be a user's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.locals.keys()).finish()
    }
}

impl Inner {
    fn find(&self, name: &str) -> Option<Value> {
        self.locals.get(name).cloned().or_else(|| self.names.get(name))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scope")
    }
}

impl Object for Inner {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.find(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.find(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
