//! Texts of `auth:` filled with a connection's settings, when the connection is opened.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::plan::connector::SettingValue;
use crate::secret::Secret;
use crate::template::{Scope, Template, from_json};

/// A connection's settings, with the secrets among them.
pub(super) struct Settings(Scope);

impl Settings {
    pub(super) fn new(settings: &IndexMap<String, Option<SettingValue>>) -> Self {
        let value = |value: &Option<SettingValue>| match value {
            Some(SettingValue::Text(text)) => text.as_str().into(),
            Some(SettingValue::Secret(secret)) => secret.expose().into(),
            Some(SettingValue::Map(map)) => Value::Object(map.clone()),
            None => Value::Null,
        };
        let settings = settings.iter().map(|(name, it)| (name.clone(), value(it))).collect();
        Self(Scope::new(Arc::new(())).with("settings", from_json(&Value::Object(settings))))
    }

    /// A text that has to say something.
    ///
    /// # Errors
    /// When it is empty or cannot be made; `what` names it.
    pub(super) fn text(&self, template: &Template, what: &str) -> Result<Secret, String> {
        self.optional(template, what)?.ok_or_else(|| format!("{what} is empty: set what it is made of"))
    }

    /// A text that may be empty, which is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn optional(&self, template: &Template, what: &str) -> Result<Option<Secret>, String> {
        let text = template.text(&self.0).map_err(|failed| format!("{what}: {failed}"))?;
        let text = text.trim();
        Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
    }

    /// Several texts with their names; those that are empty are left out.
    ///
    /// # Errors
    /// When one cannot be made.
    pub(super) fn map(&self, entries: &[(String, Template)]) -> Result<Vec<(String, Secret)>, String> {
        let filled = entries.iter().map(|(name, template)| Ok((name, self.optional(template, name)?)));
        let filled: Result<Vec<_>, String> = filled.collect();
        Ok(filled?.into_iter().filter_map(|(name, value)| Some((name.clone(), value?))).collect())
    }

    /// The same settings with a name more.
    pub(super) fn scope(&self) -> &Scope {
        &self.0
    }
}
