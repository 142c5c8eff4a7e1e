//! Where a database lives, as the settings of a connection say.

use std::fmt;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::plan::connector::{SettingValue, SqlSystem};
use crate::template::{Scope, Template, from_json};

/// Where a database lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::connector) enum Place {
    /// In memory, for as long as it is open.
    Memory,
    /// In an SQLite file, relative to the project.
    File(PathBuf),
    /// On a PostgreSQL server.
    Server {
        /// The address.
        main: Url,
        /// The address for reads, where that is another.
        reads: Option<Url>,
    },
}

/// The address of a database server, with its password: nothing shows it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::connector) struct Url(String);

impl Url {
    /// The address, for the one line that connects to it.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "nothing connects to it in such a build"))]
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// The host, which may be seen.
    pub(in crate::connector) fn host(&self) -> Option<String> {
        reqwest::Url::parse(&self.0).ok()?.host_str().filter(|host| !host.contains('%')).map(str::to_owned)
    }

    fn parse(key: &str, text: &str) -> Result<Self, String> {
        match ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            true => Ok(Self(text.to_owned())),
            false => {
                Err(format!("`{key}` is no address of a PostgreSQL server; write postgres://USER:PASSWORD@HOST/DATABASE"))
            }
        }
    }
}

#[cfg(feature = "postgres")]
impl From<&crate::secret::Secret> for Url {
    fn from(secret: &crate::secret::Secret) -> Self {
        Self(secret.expose().trim().to_owned())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Url(…)")
    }
}

impl Place {
    /// Where the database of a connection with these settings lives.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(in crate::connector) fn of(
        system: &SqlSystem,
        settings: &IndexMap<String, Option<SettingValue>>,
    ) -> Result<Self, String> {
        let shown = |value: &Option<SettingValue>| match value {
            Some(SettingValue::Text(text)) => text.as_str().into(),
            Some(SettingValue::Secret(secret)) => secret.expose().into(),
            Some(SettingValue::Map(map)) => Value::Object(map.clone()),
            None => Value::Null,
        };
        let settings = settings.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        let scope = Scope::new(Arc::new(())).with("settings", from_json(&Value::Object(settings)));
        let text = |key: &str, template: &Template| {
            let text = template.text(&scope).map_err(|failed| format!("`{key}`: {failed}"))?;
            Ok::<_, String>(text.trim().to_owned())
        };
        let reads = match &system.reads {
            Some(template) => Some(text("reads", template)?).filter(|text| !text.is_empty()),
            None => None,
        };
        let place = match text("database", &system.database)?.as_str() {
            "" => return Err("`database` is empty; name a file, or `:memory:`, or a PostgreSQL server".to_owned()),
            ":memory:" => Self::Memory,
            url if url.contains("://") => {
                let reads = reads.as_deref().map(|url| Url::parse("reads", url)).transpose()?;
                return Ok(Self::Server { main: Url::parse("database", url)?, reads });
            }
            file => Self::File(file.into()),
        };
        match reads {
            Some(_) => Err("`reads` is of a PostgreSQL server, and `database` is none".to_owned()),
            None => Ok(place),
        }
    }
}
