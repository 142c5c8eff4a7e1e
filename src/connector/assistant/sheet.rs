//! What there is to see of the ways back without taking one.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::probe::Tested;
use crate::connector::http::{Url, shown};
use crate::name::CallerName;
use crate::plan::assistant::{Address, Assistant};
use crate::secret::{Reference, Secret};

/// The way back to a caller, for operators.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Which caller it is.
    pub caller: String,
    /// Host and port; none when the reference to it leads nowhere.
    pub address: Option<String>,
    /// How we say who we are.
    pub login: &'static str,
    /// The channel that messages go to.
    pub output_channel: String,
    /// How long a call may take.
    pub timeout_seconds: f64,
}

/// What there is to see of each; `secret` reads the reference to an address.
#[must_use]
pub fn facts(all: &BTreeMap<CallerName, Assistant>, secret: &dyn Fn(&Reference) -> Result<Secret, String>) -> Vec<Facts> {
    let address = |address: &Address| match address {
        Address::Written(url) => Url::parse(url).ok(),
        Address::Kept(reference) => secret(reference).ok().and_then(|url| Url::parse(url.expose().trim()).ok()),
    };
    let one = |(caller, plan): (&CallerName, &Assistant)| Facts {
        caller: caller.to_string(),
        address: address(&plan.url).filter(Url::has_host).map(|url| shown(&url)),
        login: plan.login.name(),
        output_channel: plan.output_channel.clone(),
        timeout_seconds: plan.timeout.as_secs_f64(),
    };
    all.iter().map(one).collect()
}

/// A line for each, for a terminal.
#[must_use]
pub fn list(all: &[Facts]) -> String {
    let width = all.iter().map(|one| one.caller.len()).max().unwrap_or_default();
    let mut text = String::new();
    for one in all {
        let address = one.address.as_deref().unwrap_or("its address cannot be told: its reference leads nowhere");
        let (channel, seconds) = (&one.output_channel, one.timeout_seconds);
        let _ = writeln!(text, "{:<width$}  {address} · {} · channel {channel} · {seconds} s", one.caller, one.login);
    }
    text
}

impl Tested {
    /// A line for each, and what to do about those that are not right.
    #[must_use]
    pub fn human(all: &[Self]) -> String {
        let width = all.iter().map(|one| one.caller.len()).max().unwrap_or_default();
        let mut text = String::new();
        for one in all {
            let found = one.found.as_ref().map(|found| format!("{found} · ")).unwrap_or_default();
            let end = one.detail.clone().unwrap_or_else(|| format!("{found}{} ms", one.ms));
            let _ = writeln!(text, "{:<width$}  {}  {end}", one.caller, one.outcome);
            if let Some(cure) = one.cure {
                let _ = writeln!(text, "{:<width$}  {cure}", "");
            }
        }
        text
    }
}
