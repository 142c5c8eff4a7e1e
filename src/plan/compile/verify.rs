//! `verify:` of legwork.yml, and the steps of one-time codes.

use std::time::Duration;

use super::Compiler;
use super::call::Target;
use super::names::{Names, Type};
use super::steps::Block;
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::action::{CodeStep, Does, Verb};
use crate::plan::reading;
use crate::plan::settings::{Address, Addressed, OneTimeCode, PROVED, PublicAlgorithm, Signed, SignedMetadata, Verify};
use crate::spec::settings as written;
use crate::spec::{Text, Whole, action as spec};

impl Compiler<'_> {
    /// How users prove who they are.
    pub(super) fn verify(&mut self, verify: &written::Verify) -> Verify {
        Verify {
            metadata: verify.metadata.as_ref().and_then(|metadata| self.signed_metadata(metadata)),
            code: verify.code.as_ref().and_then(|code| self.one_time_code(code)),
        }
    }

    fn signed_metadata(&mut self, metadata: &written::SignedMetadata) -> Option<SignedMetadata> {
        for (what, _) in metadata.claims.iter().filter(|(what, _)| !PROVED.contains(&what.as_str())) {
            let diagnostic = Diagnostic::at(Code::BadValue, &what.span, format!("nobody proves their `{}`", what.value));
            self.out.push(diagnostic.did_you_mean(&what.value, PROVED));
        }
        let claim = |what: &str| metadata.claims.get(what).map_or_else(|| what.to_owned(), |claim| claim.value.clone());
        let signed = match (&metadata.hmac, &metadata.jwt) {
            (Some(secret), None) => self.reference(secret).map(Signed::Compact),
            (None, Some(jwt)) => self.jwt(jwt),
            _ => {
                let message = "`verify.metadata` says how the token is signed: `hmac` or `jwt`, one of the two";
                self.out
                    .push(Diagnostic::at(Code::MissingKey, &metadata.span, message).help("such as `hmac: \"${SECRET}\"`"));
                None
            }
        };
        Some(SignedMetadata {
            key: metadata.key.value.clone(),
            signed: signed?,
            claims: PROVED.map(claim),
            sender: metadata.sender.as_ref().map_or_else(|| "sender".to_owned(), |claim| claim.value.clone()),
        })
    }

    /// An algorithm belongs to one kind of key, so that nobody signs with a public key as if it were a secret.
    fn jwt(&mut self, jwt: &written::Jwt) -> Option<Signed> {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
        let addressed = Addressed { issuer: text(&jwt.issuer), audience: text(&jwt.audience) };
        let (key, known): (&Text, &[&str]) = match (&jwt.secret, &jwt.public_key) {
            (Some(secret), None) => (secret, &["HS256"]),
            (None, Some(key)) => (key, &["RS256", "ES256"]),
            _ => {
                let message = "`jwt` has the key to check with: `secret` or `public_key`, one of the two";
                let diagnostic = Diagnostic::at(Code::MissingKey, &jwt.span, message);
                self.out.push(diagnostic.help("`secret` for HS256, `public_key` for RS256 and ES256"));
                return None;
            }
        };
        let mut algorithms = Vec::new();
        for one in &jwt.algorithms {
            if known.contains(&one.as_str()) {
                algorithms.push(if one.as_str() == "ES256" { PublicAlgorithm::Es256 } else { PublicAlgorithm::Rs256 });
            } else {
                let message = format!("with this key a token cannot be signed by `{}`", one.value);
                self.out.push(
                    Diagnostic::at(Code::BadValue, &one.span, message).did_you_mean(&one.value, known.iter().copied()),
                );
            }
        }
        if jwt.algorithms.is_empty() {
            algorithms = vec![PublicAlgorithm::Rs256, PublicAlgorithm::Es256];
        }
        let reference = self.reference(key)?;
        Some(match jwt.secret.is_some() {
            true => Signed::Hs256(reference, addressed),
            false => Signed::Public(reference, algorithms, addressed),
        })
    }

    fn one_time_code(&mut self, code: &written::OneTimeCode) -> Option<OneTimeCode> {
        let target = self.target(&code.call, &code.with);
        let names = Names::offered().and("address").and("code");
        let with = self.entries(&code.with, &names);
        let to = code.to.as_ref().map_or(Address::Email, |text| match text.as_str() {
            "email" => Address::Email,
            "phone" => Address::Phone,
            other => {
                let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("a code cannot be sent to `{other}`"));
                self.out.push(diagnostic.did_you_mean(other, ["email", "phone"]));
                Address::Email
            }
        });
        let length = self.between(&code.length, 6, 4, 12);
        let attempts = self.between(&code.attempts, 5, 1, 10);
        let per_hour = self.between(&code.per_hour, 5, 1, 100);
        let mut time = |text: &Option<Text>, default: u64| {
            text.as_ref().and_then(|text| reading::duration(text, &mut self.out)).unwrap_or(Duration::from_secs(default))
        };
        let (valid, resend_after) = (time(&code.valid, 600), time(&code.resend_after, 30));
        let lasts = time(&code.lasts, 1800);
        let Target { connection, operation, writes, .. } = target?;
        let found = self.connections.get(&connection).is_some_and(Option::is_some);
        if found && !writes {
            let message = format!("`{}` only reads: answers are kept, and a code must not be", code.call.value);
            self.out
                .push(Diagnostic::at(Code::BadValue, &code.call.span, message).help("name an operation of `kind: write`"));
        }
        let length = usize::try_from(length).unwrap_or(6);
        Some(OneTimeCode { connection, operation, with, to, length, valid, attempts, resend_after, per_hour, lasts })
    }

    /// A number within bounds.
    fn between(&mut self, written: &Option<Whole>, default: u32, least: u32, most: u32) -> u32 {
        let Some(whole) = written else { return default };
        let value = u32::try_from(whole.value).ok().filter(|value| (least..=most).contains(value));
        value.unwrap_or_else(|| {
            let diagnostic = Diagnostic::at(Code::BadValue, &whole.span, format!("{} is out of bounds here", whole.value));
            self.out.push(diagnostic.help(format!("write a number from {least} to {most}")));
            default
        })
    }

    /// A step that sends or checks a code.
    pub(super) fn code(&mut self, does: Does, given: &Text, step: &spec::Step, names: &Names, block: Block) -> Option<Verb> {
        if !self.codes {
            self.no_codes(&given.span);
        }
        let given = self.template(given, names);
        let (outcomes, _) = self.outcomes(step, Type::Any, names, block.outcome());
        self.asks.extend(["sender_id", "verified"].map(str::to_owned));
        Some(Verb::Code(Box::new(CodeStep { does, given: given?, outcomes })))
    }

    fn no_codes(&mut self, place: &Span) {
        let diagnostic = Diagnostic::at(Code::MissingSetting, place, "legwork.yml does not say how a code is sent");
        self.out.push(diagnostic.help(
            "add `verify: { code: { call: CONNECTION.OPERATION, with: { to: \"{{ address }}\", text: \"Your code is {{ code }}.\" } } }`",
        ));
    }
}
