//! `assistant:` and `assistants:` of legwork.yml: which caller each way back leads to, and whether it can be taken.

use std::collections::BTreeMap;

use super::Compiler;
use crate::diag::{Code, Diagnostic};
use crate::name::CallerName;
use crate::plan::assistant::{Address, Assistant, LATEST, Login, TIMEOUT, fit};
use crate::plan::reading::duration;
use crate::secret::Reference;
use crate::spec::Text;
use crate::spec::settings as spec;

impl Compiler<'_> {
    /// The way back to each caller that has one.
    pub(super) fn assistants(&mut self, written: &spec::Settings) -> BTreeMap<CallerName, Assistant> {
        let mut callers: Vec<&str> = Vec::new();
        for auth in written.server.iter().flat_map(|server| &server.auth) {
            if !callers.contains(&auth.name.as_str()) {
                callers.push(auth.name.as_str());
            }
        }
        let mut found = BTreeMap::new();
        if let Some(one) = &written.assistant {
            let of = match callers.as_slice() {
                [] => Some(CallerName::anonymous()),
                [only] => CallerName::parse(only),
                _ => {
                    let message =
                        "`assistant` does not say which of the callers it is, and users of the others must not be told";
                    self.out.push(
                        Diagnostic::at(Code::MisplacedKey, &one.span, message)
                            .help(format!("write `assistants: {{ {}: {{ … }} }}`, an entry for each", callers[0])),
                    );
                    None
                }
            };
            let assistant = self.assistant(one);
            found.extend(of.zip(assistant));
        }
        if let (Some(one), Some((name, _))) = (&written.assistant, written.assistants.iter().next()) {
            self.out.push(
                Diagnostic::at(Code::MisplacedKey, &name.span, "`assistant` and `assistants` stand beside one another")
                    .related(&one.span, "this is the other")
                    .help("write `assistant` where one calls, `assistants` where several do"),
            );
        }
        for (name, one) in written.assistants.iter() {
            let assistant = self.assistant(one);
            if callers.contains(&name.as_str()) {
                found.extend(CallerName::parse(&name.value).zip(assistant));
            } else if callers.is_empty() {
                let message = "without `server.auth` callers have no names";
                self.out.push(
                    Diagnostic::at(Code::UnknownCaller, &name.span, message)
                        .help("write `assistant: { … }`, or name who may call under `server.auth`"),
                );
            } else {
                let message = format!("`server.auth` has no caller `{}`", name.value);
                let diagnostic = Diagnostic::at(Code::UnknownCaller, &name.span, message);
                self.out.push(diagnostic.did_you_mean(&name.value, callers.iter().copied()));
            }
        }
        found
    }

    fn assistant(&mut self, written: &spec::Assistant) -> Option<Assistant> {
        let login = match (&written.token, &written.jwt_secret) {
            (None, None) => Some(Login::Open),
            (Some(token), None) => self.reference(token).map(Login::Token),
            (None, Some(secret)) => self.reference(secret).map(Login::Jwt),
            (Some(first), Some(second)) => {
                let _ = (self.reference(first), self.reference(second));
                let diagnostic =
                    Diagnostic::at(Code::MisplacedKey, &second.span, "`token` and `jwt_secret` are two ways in");
                self.out.push(diagnostic.help("an assistant that knows both takes either: write one of them"));
                None
            }
        };
        let allow_private: Vec<_> = written.allow_private.iter().filter_map(|host| self.host(host)).collect();
        let url = match Reference::parse(&written.url.value) {
            Some(reference) => Some(Address::Kept(reference)),
            None => self.written(&written.url, login.as_ref().unwrap_or(&Login::Open), &allow_private),
        };
        let timeout = match &written.timeout {
            None => Some(TIMEOUT),
            Some(text) => duration(text, &mut self.out).filter(|time| {
                if time.is_zero() {
                    let diagnostic = Diagnostic::at(Code::BadValue, &text.span, "no assistant answers in no time");
                    self.out.push(diagnostic.help("write a time such as 60s"));
                }
                !time.is_zero()
            }),
        };
        let output_channel = match &written.output_channel {
            None => LATEST.to_owned(),
            Some(text) => {
                self.parsed(text, "a channel", "it as the assistant's credentials.yml does, such as callback", |name| {
                    let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic());
                    fits.then(|| name.to_owned())
                })?
            }
        };
        let authorities = written.authorities.as_ref().map(|file| file.value.clone());
        Some(Assistant { url: url?, login: login?, output_channel, timeout: timeout?, allow_private, authorities })
    }

    pub(super) fn written(&mut self, url: &Text, login: &Login, allow_private: &[String]) -> Option<Address> {
        match fit(&url.value, login, allow_private) {
            Ok(()) => Some(Address::Written(url.value.clone())),
            Err((what, cure)) => {
                // What does not belong into an address may be a secret.
                let place = if url.value.contains(['@', '?']) { url.span.masked() } else { url.span.clone() };
                self.out.push(Diagnostic::at(Code::BadValue, &place, what).help(cure));
                None
            }
        }
    }

    pub(super) fn host(&mut self, host: &Text) -> Option<String> {
        let fits = !host.value.is_empty() && !host.value.contains(['/', '*', '@', ' ']);
        if !fits {
            let diagnostic = Diagnostic::at(Code::BadValue, &host.span, "a host's name or address is needed here");
            self.out.push(diagnostic.help("write it as it stands in the address: `rasa`, without scheme, port and path"));
        }
        fits.then(|| host.value.clone())
    }
}
