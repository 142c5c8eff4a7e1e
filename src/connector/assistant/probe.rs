//! Whether the way back to an assistant is right, as operators are told it.

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::{Told, refused};
use super::open::Assistant;
use crate::connector::http::shown;
use crate::fault::{Fault, Outcome};
use crate::name::CallerName;
use crate::time::Deadline;

/// What came of testing the way back to an assistant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// Which caller it is.
    pub caller: String,
    /// `ok`; `unheard` when it was said on a channel on which nobody hears it; the name of the outcome it ended with
    /// otherwise.
    pub outcome: &'static str,
    /// How many milliseconds it took.
    pub ms: u64,
    /// The version of Rasa that answers, or the channel that something was said on.
    pub found: Option<String>,
    /// What is wrong, for operators.
    pub detail: Option<String>,
    /// What to do about it.
    pub cure: Option<&'static str>,
}

impl Tested {
    /// Of one whose settings cannot be used.
    #[must_use]
    pub fn unopened(caller: &CallerName, reason: String) -> Self {
        let cure = Some("check its settings in legwork.yml and the environment");
        let (caller, outcome) = (caller.to_string(), Outcome::Misconfigured.name());
        Self { caller, outcome, ms: 0, found: None, detail: Some(reason), cure }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcome == "ok"
    }

    fn ended(caller: &CallerName, started: Instant, ended: Result<Option<String>, Fault>) -> Self {
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let caller = caller.to_string();
        match ended {
            Ok(found) => Self { caller, outcome: "ok", ms, found, detail: None, cure: None },
            Err(Fault { outcome, operator, .. }) => {
                let cure = Some(cure(outcome));
                Self { caller, outcome: outcome.name(), ms, found: None, detail: Some(operator), cure }
            }
        }
    }
}

impl Assistant {
    /// Whether its API answers and takes the credentials; nothing is said to anybody.
    pub async fn test(&self) -> Tested {
        let started = Instant::now();
        let until = Deadline::after(self.timeout);
        let host = shown(&self.base);
        let asked = async {
            // The status asks for the credentials, and the version does not.
            refused(&self.client.send(self.about("status")?, until).await?, &host)?;
            let answer = self.client.send(self.about("version")?, until).await?;
            refused(&answer, &host)?;
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let version = body["version"].as_str().filter(|version| is_version(version));
            let wrong = || Fault::new(Outcome::Misconfigured, format!("{host} does not answer as a Rasa does"));
            version.map(|version| Some(format!("Rasa {version}"))).ok_or_else(wrong)
        };
        Tested::ended(&self.caller, started, asked.await)
    }

    /// What came of a call to a conversation that began at `started`.
    #[must_use]
    pub fn tested(&self, started: Instant, called: Result<Told, Fault>) -> Tested {
        let on = |told: &Told| told.channel.as_ref().map(|channel| format!("on the channel `{channel}`"));
        match called {
            Ok(told) if !told.heard => {
                let detail = on(&told).map_or_else(
                    || "the user has not written on any channel yet".to_owned(),
                    |on| format!("it stands in the conversation, but nobody is sent anything {on}"),
                );
                let (found, detail) = (None, Some(detail));
                let cure = Some("let users write on a channel that can send (socketio, callback, a messenger's)");
                let ended = Tested::ended(&self.caller, started, Ok(None));
                Tested { outcome: "unheard", found, detail, cure, ..ended }
            }
            called => Tested::ended(&self.caller, started, called.map(|told| on(&told))),
        }
    }
}

/// Whether a text is no more than a version.
fn is_version(text: &str) -> bool {
    text.len() <= 30
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
}

fn cure(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Misconfigured => "check the assistant's settings in legwork.yml, and the flags that Rasa was started with",
        Outcome::NotFound => "add the intent to the assistant's domain, and train it again",
        Outcome::Invalid => "say a text, in a conversation whose sender id needs no encoding",
        Outcome::Timeout => "try again; when it stays so, look at the assistant, and at what its conversation waits for",
        Outcome::Unavailable => {
            "check that Rasa runs, has a model, and is reached from here; else its log says what is wrong"
        }
        _ => "check the address: something else than Rasa may answer there",
    }
}
