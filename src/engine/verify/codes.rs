//! One-time codes: made, sent through a connection, and held against what the user types.
//!
//! A code exists in two places only: in the request that sends it, and as a keyed digest in the store. A try is counted before
//! it is made.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use chrono::{DateTime, Utc};

use super::super::run::{Flow, Halt, Run};
use super::super::speak::object;
use crate::connector::How;
use crate::diag::Span;
use crate::fault::{Fault, Outcome};
use crate::format::{email, phone};
use crate::plan::action::{CodeStep, Does};
use crate::plan::settings::{Address, OneTimeCode};
use crate::store::{Attempt, By, Challenge, Proved, Sending, StoreError, Who};
use crate::template::{Scope, Value};

impl Run<'_> {
    /// Sends a code, or checks one; otherwise than well it ends like a call.
    pub(in super::super) async fn code(&mut self, step: &CodeStep, place: &Span) -> Result<Flow, Halt> {
        let given = step.given.text(&self.scope).map_err(Halt::at(place))?;
        let project = std::sync::Arc::clone(&self.engine.parts.project);
        let done = match (&project.settings.verify.code, self.standing.who().cloned()) {
            (Some(code), Some(who)) => match step.does {
                Does::Send => {
                    self.send_code(code, &who, &given).await.map_err(|message| Halt { place: place.clone(), message })?
                }
                Does::Check => self.check_code(code, &who, &given).await,
            },
            _ => Err(Fault::new(Outcome::Misconfigured, "legwork.yml does not say how a code is sent")),
        };
        match done {
            Ok(()) => Ok(Flow::Next),
            Err(fault) => self.ended(&step.outcomes, None, &fault).await,
        }
    }

    /// The outer error is a template of legwork.yml that failed.
    async fn send_code(&mut self, code: &OneTimeCode, who: &Who, given: &str) -> Result<Result<(), Fault>, String> {
        let read = match code.to {
            Address::Email => email::read(given),
            Address::Phone => phone::read(given, &self.engine.parts.project.settings.region),
        };
        // The same mailbox in other letters counts as the same.
        let Ok(address) = read else {
            return Ok(Err(Fault::new(Outcome::Invalid, "a code cannot be sent to that address")));
        };
        let Some((digits, salt)) = drawn(code.length) else {
            return Ok(Err(Fault::new(Outcome::Unexpected, "the system gives no random numbers")));
        };
        let scope = Scope::new(std::sync::Arc::clone(&self.conversation.names));
        let scope = scope.with("address", Value::from(address.as_str())).with("code", Value::from(digits.as_str()));
        let inputs = object(&code.with, &scope).map_err(|failed| failed.message)?;
        let (verifier, now) = (&self.engine.parts.verifier, self.engine.parts.clock.now());
        let key = match verifier.store.key().await {
            Ok(key) => key,
            Err(wrong) => return Ok(Err(unkept(&wrong))),
        };
        let digest = hmac::sign(&key, &digested(&salt, &address, &digits)).as_ref().to_vec();
        let until = after(now, code.valid);
        let challenge = Challenge { address: address.to_ascii_lowercase(), digest, salt, until, attempts: code.attempts };
        let sending = Sending { resend_after: code.resend_after, per_hour: code.per_hour };
        match verifier.store.begin(who, challenge, sending, now).await {
            Ok(true) => {}
            Ok(false) => return Ok(Err(Fault::new(Outcome::RateLimited, "too many codes were asked for"))),
            Err(wrong) => return Ok(Err(unkept(&wrong))),
        }
        // Not by way of `invoke`, which would show the code in a trace.
        let how = How { sender: Some(&who.sender), ..How::by(self.deadline) };
        let sent = self.engine.parts.writes.once(&code.connection, &code.operation, inputs, how).await;
        Ok(sent.map(|_| ()))
    }

    async fn check_code(&mut self, code: &OneTimeCode, who: &Who, given: &str) -> Result<(), Fault> {
        let (verifier, now) = (&self.engine.parts.verifier, self.engine.parts.clock.now());
        let key = verifier.store.key().await.map_err(|wrong| unkept(&wrong))?;
        let challenge = match verifier.store.attempt(who, now).await.map_err(|wrong| unkept(&wrong))? {
            Attempt::Nothing => return Err(Fault::new(Outcome::NotFound, "no code is under way")),
            Attempt::Exhausted => return Err(Fault::new(Outcome::Denied, "a code was tried too often")),
            Attempt::Try(challenge) => challenge,
        };
        let typed: String = given.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let typed = digested(&challenge.salt, &challenge.address, &typed);
        if hmac::verify(&key, &typed, &challenge.digest).is_err() {
            return Err(match challenge.attempts {
                0 => Fault::new(Outcome::Denied, "a code was tried too often"),
                _ => Fault::new(Outcome::Invalid, "that is not the code"),
            });
        }
        let address = Some(challenge.address);
        let (email, phone) = match code.to {
            Address::Email => (address, None),
            Address::Phone => (None, address),
        };
        let proved = Proved { email, phone, customer: None, by: By::Code, at: Some(now) };
        let kept = verifier.store.prove(who, proved.clone(), now, after(now, code.lasts)).await;
        kept.map_err(|wrong| unkept(&wrong))?;
        self.standing.now_is(proved);
        self.show_verified();
        Ok(())
    }
}

fn unkept(wrong: &StoreError) -> Fault {
    let outcome = match wrong {
        StoreError::Unavailable(_) => Outcome::Unavailable,
        StoreError::Misconfigured(_) => Outcome::Misconfigured,
    };
    tracing::error!("a verification cannot be kept: {wrong}");
    Fault::new(outcome, "a verification cannot be kept")
}

fn after(now: DateTime<Utc>, span: std::time::Duration) -> DateTime<Utc> {
    chrono::Duration::from_std(span).ok().and_then(|span| now.checked_add_signed(span)).unwrap_or(now)
}

/// What a code is digested with: one that was sent elsewhere, or earlier, has another digest.
fn digested(salt: &[u8; 16], address: &str, code: &str) -> Vec<u8> {
    [salt, address.to_ascii_lowercase().as_bytes(), b"\n", code.as_bytes()].concat()
}

/// Digits, each as likely as any other, and a salt.
fn drawn(length: usize) -> Option<(String, [u8; 16])> {
    let random = SystemRandom::new();
    let mut salt = [0; 16];
    random.fill(&mut salt).ok()?;
    let mut digits = String::with_capacity(length);
    let mut byte = [0];
    while digits.len() < length {
        random.fill(&mut byte).ok()?;
        // 250 is the largest multiple of ten in a byte: the rest would favour small digits.
        let [value @ 0..250] = byte else { continue };
        digits.push(char::from(b'0' + value % 10));
    }
    Some((digits, salt))
}
