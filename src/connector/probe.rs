//! Whether a connection works, as operators are told it: how long it took, or what is wrong and what to do about it.
//!
//! It holds no more than a fault's operator text does, and so neither a secret nor anything of a body.

use serde::Serialize;
use tokio::time::Instant;

use super::Connections;
use crate::fault::{Fault, Outcome};
use crate::name::ConnectionName;
use crate::plan::connector::Mode;
use crate::time::Deadline;

/// What came of testing a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// Its name.
    pub connection: String,
    /// Its connector.
    pub connector: String,
    /// `ok`; the name of the outcome that it ended with; `untested` when its connector's file names no operation for it.
    pub outcome: &'static str,
    /// How many milliseconds it took.
    pub ms: u64,
    /// What is wrong, for operators.
    pub detail: Option<String>,
    /// What to do about it.
    pub cure: Option<String>,
}

/// The outcome of a connection that works.
const OK: &str = "ok";
/// The outcome of one that cannot be tested.
pub(super) const UNTESTED: &str = "untested";

impl Tested {
    /// Of a connection that cannot even be opened.
    #[must_use]
    pub fn unopened(connection: &ConnectionName, connector: &str, reasons: &[String]) -> Self {
        Self {
            connection: connection.to_string(),
            connector: connector.to_owned(),
            outcome: Outcome::Misconfigured.name(),
            ms: 0,
            detail: Some(reasons.join("; ")),
            cure: Some(cure(Outcome::Misconfigured, connector)),
        }
    }

    /// Whether nothing is wrong, as far as that can be told.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcome == OK || self.outcome == UNTESTED
    }
}

impl Connections {
    /// Tests a connection; none when there is none of that name.
    pub async fn probe(&self, name: &ConnectionName, until: Deadline) -> Option<Tested> {
        let open = self.one(name)?;
        let (connection, connector) = (name.to_string(), open.connector.name.to_string());
        let started = Instant::now();
        let ended = self.test(name, until).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(match ended {
            Some(Ok(())) => Tested { connection, connector, outcome: OK, ms, detail: None, cure: None },
            Some(Err(Fault { outcome, operator, .. })) => {
                let cure = match open.rules.mode {
                    Mode::Off => "write another `mode` for it in legwork.yml when it may be used".to_owned(),
                    _ => cure(outcome, &connector),
                };
                Tested { connection, connector, outcome: outcome.name(), ms, detail: Some(operator), cure: Some(cure) }
            }
            None => {
                let detail = Some(format!("the file of the connector `{connector}` names no `test` operation"));
                let cure = Some("name a read without inputs under `test` in that file".to_owned());
                Tested { connection, connector, outcome: UNTESTED, ms, detail, cure }
            }
        })
    }
}

fn cure(outcome: Outcome, connector: &str) -> String {
    match outcome {
        Outcome::Misconfigured => format!(
            "check its settings in legwork.yml; `legwork connectors {connector}` says where each is found and which rights \
             are needed"
        ),
        Outcome::Denied => {
            format!("let its account do this; `legwork connectors {connector}` lists the least rights that are needed")
        }
        Outcome::Unavailable => {
            "check that this machine reaches the system (address, proxy, firewall); else wait until it is back".to_owned()
        }
        Outcome::Timeout => "try again; when it stays slow, look at the system, the proxy and the firewall".to_owned(),
        Outcome::RateLimited => "wait; somebody else may use the same account".to_owned(),
        _ => format!(
            "check the address: another system, or another version of it, may answer there; `legwork connectors {connector}` \
             names the version"
        ),
    }
}
