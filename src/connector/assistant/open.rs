//! The ways back of a project with their secrets read; nothing is sent before somebody is called back.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::connector::http::{Client, ClientOptions, Url};
use crate::name::CallerName;
use crate::plan::assistant::{Address, Assistant as Plan, Login, fit};
use crate::plan::settings::is_loopback;
use crate::secret::{Reference, Secret};
use crate::time::Clock;

/// The way back to each caller that has one.
#[derive(Debug, Default)]
pub struct Assistants(BTreeMap<CallerName, Assistant>);

impl Assistants {
    /// Of these.
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = Assistant>) -> Self {
        Self(all.into_iter().map(|one| (one.caller.clone(), one)).collect())
    }

    /// The way back to a caller; none when legwork.yml gives none.
    #[must_use]
    pub fn of(&self, caller: &CallerName) -> Option<&Assistant> {
        self.0.get(caller)
    }
}

/// The way back to one assistant.
pub struct Assistant {
    pub(super) caller: CallerName,
    pub(super) client: Client,
    pub(super) base: Url,
    pub(super) proof: Proof,
    pub(super) channel: String,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

/// What is shown to an assistant's API.
pub(super) enum Proof {
    Open,
    Token(Secret),
    /// The secret that tokens are signed with.
    Jwt(Secret),
}

impl Assistant {
    /// Makes the way back ready; nothing is sent. `secret` reads a reference, and `folder` is the project's.
    ///
    /// # Errors
    /// What is missing or cannot be used, without a secret.
    pub fn open(
        caller: &CallerName,
        plan: &Plan,
        secret: &dyn Fn(&Reference) -> Result<Secret, String>,
        folder: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let (base, allow_private) = place(&plan.url, &plan.login, &plan.allow_private, secret)?;
        let given = |reference: &Reference, key: &str| match secret(reference)? {
            empty if empty.expose().is_empty() => Err(format!("`{key}` is empty")),
            secret => Ok(secret),
        };
        let proof = match &plan.login {
            Login::Open => Proof::Open,
            Login::Token(reference) => Proof::Token(given(reference, "token")?),
            Login::Jwt(reference) => Proof::Jwt(given(reference, "jwt_secret")?),
        };
        let authorities = plan.authorities.as_ref().map(|file| folder.join(file));
        let client = Client::new(&ClientOptions { allow_private, authorities, ..ClientOptions::default() })?;
        let (caller, channel, clock) = (caller.clone(), plan.output_channel.clone(), Arc::clone(clock));
        Ok(Self { caller, client, base, proof, channel, timeout: plan.timeout, clock })
    }

    /// Which caller it is.
    #[must_use]
    pub fn caller(&self) -> &CallerName {
        &self.caller
    }
}

/// Where an address leads, and the hosts there that may have private addresses: this machine always may.
///
/// # Errors
/// What is missing or cannot be used, without a secret.
pub(in crate::connector) fn place(
    address: &Address,
    login: &Login,
    allow_private: &[String],
    secret: &dyn Fn(&Reference) -> Result<Secret, String>,
) -> Result<(Url, Vec<String>), String> {
    let url = match address {
        Address::Written(url) => url.clone(),
        Address::Kept(reference) => {
            let url = secret(reference)?.expose().trim().to_owned();
            fit(&url, login, allow_private).map_err(|(what, cure)| format!("{what}: {cure}"))?;
            url
        }
    };
    let url = Url::parse(&url).map_err(|_| "`url` is not an address such as http://localhost:5005")?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let this_machine = is_loopback(host.trim_matches(['[', ']'])).then_some(host);
    Ok((url, allow_private.iter().cloned().chain(this_machine).collect()))
}

impl fmt::Debug for Assistant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assistant").field("caller", &self.caller).field("channel", &self.channel).finish_non_exhaustive()
    }
}
