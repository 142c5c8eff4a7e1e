//! Secret values and the references that name them: `${ENV}` and `${file:/run/secrets/x}`.
//!
//! [`key`] reads private keys, which may be under a password themselves.
//!
//! A secret has no `Display` and no `Serialize`, and its `Debug` shows nothing; [`Secret::expose`] is the one way in.

pub mod key;

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

/// A secret that was read from where its reference points.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value into hiding.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(SecretString::from(value))
    }

    /// The value, for the one line that sends or compares it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Where a reference of legwork.yml points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `${NAME}`: an environment variable.
    Env(String),
    /// `${file:PATH}`: a file's text without the line end at its end.
    File(String),
}

impl Reference {
    /// The reference that `text` is, when it is one and nothing besides.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.trim().strip_prefix("${")?.strip_suffix('}')?;
        if let Some(path) = inner.strip_prefix("file:") {
            return Some(Self::File(path.to_owned()));
        }
        let name = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        name.then(|| Self::Env(inner.to_owned()))
    }

    /// Reads what the reference points at; a relative file is looked for in `folder`.
    ///
    /// # Errors
    /// What is missing and how to provide it; never a value.
    pub fn resolve(&self, folder: &Path) -> Result<Secret, String> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads secrets from the environment")]
            Self::Env(name) => std::env::var(name)
                .map(Secret::new)
                .map_err(|_| format!("the environment variable {name} is not set; set it, or put the secret in a file and write ${{file:PATH}}")),
            Self::File(path) => {
                let text = std::fs::read_to_string(folder.join(path)).map_err(|e| format!("the secret file {path} cannot be read: {e}"))?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing() {
        let secret = Secret::new("hunter2".into());
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_reference_is_the_whole_text() {
        assert_eq!(Reference::parse("${TOKEN}"), Some(Reference::Env("TOKEN".into())));
        assert_eq!(Reference::parse("${file:/run/x}"), Some(Reference::File("/run/x".into())));
        assert_eq!(Reference::parse("a${TOKEN}"), None);
        assert_eq!(Reference::parse("${}"), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = Reference::File("no-such-file".into()).resolve(Path::new("/tmp")).unwrap_err();
        assert!(missing.contains("no-such-file"));
    }
}
