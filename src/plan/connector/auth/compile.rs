//! The arrow from `auth:` as written to authentication as it runs.

use std::collections::BTreeSet;
use std::time::Duration;

use regex::Regex;

use super::super::compile::known_names;
use super::{Assertion, Auth, Aws, Base, Csrf, Grant, OAuth1, OAuth2, Proof};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::connector::Setting;
use crate::plan::reading::{AS_SETTING, template, written_secret};
use crate::spec::auth as spec;
use crate::spec::{Map, Text};
use crate::template::Template;
use crate::time;

/// How long a claim is good where the file does not say. Salesforce takes no longer than three minutes.
const CLAIM: Duration = Duration::from_secs(180);
/// Names that belong to the client itself.
const OWN_HEADERS: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "user-agent"];

/// Compiles one way to prove who we are, for a connector with these settings. What is wrong goes to `out`; none when it cannot be
/// used.
#[must_use]
pub fn compile(written: &spec::Auth, settings: &[Setting], out: &mut Diagnostics) -> Option<Auth> {
    one(written, settings, out).map(|(auth, _)| auth)
}

/// Compiles one way to prove who we are, for a connector with these settings, and says which of them it uses. What is wrong
/// goes to `out`; none when it cannot be used.
pub(super) fn one(written: &spec::Auth, settings: &[Setting], out: &mut Diagnostics) -> Option<(Auth, BTreeSet<String>)> {
    let mut compiler = Compiler { settings, used: BTreeSet::new(), out };
    let proof = compiler.proof(written);
    let csrf = match &written.csrf {
        Some(csrf) => compiler.csrf(csrf).map(Some),
        None => Some(None),
    };
    Some((Auth { proof: proof?, csrf: csrf? }, compiler.used))
}

struct Compiler<'a> {
    settings: &'a [Setting],
    used: BTreeSet<String>,
    out: &'a mut Diagnostics,
}

impl Compiler<'_> {
    fn proof(&mut self, written: &spec::Auth) -> Option<Proof> {
        let spec::Auth { header, bearer, basic, query, path, oauth1, oauth2, aws, .. } = written;
        let kinds = [
            header.is_some(),
            bearer.is_some(),
            basic.is_some(),
            query.is_some(),
            path.is_some(),
            oauth1.is_some(),
            oauth2.is_some(),
            aws.is_some(),
        ];
        if kinds.iter().filter(|given| **given).count() > 1 {
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &written.span, "`auth` has one kind of proof at most");
            self.out.push(diagnostic.help(
                "leave all but one of `header`, `bearer`, `basic`, `query`, `path`, `oauth1`, `oauth2` and `aws` out",
            ));
            return None;
        }
        if let Some(header) = header {
            let (name, value) = (self.header(&header.name), self.secret(&header.value));
            return Some(Proof::Header { name: name?, value: value? });
        }
        if let Some(token) = bearer {
            return self.secret(token).map(Proof::Bearer);
        }
        if let Some(basic) = basic {
            let (user, password) = (self.text(&basic.user), self.text(&basic.password));
            let (user, password) = (user?, password?);
            if !self.is_secret(&user) && !self.is_secret(&password) {
                self.not_secret(&basic.password);
            }
            return Some(Proof::Basic { user, password });
        }
        if let Some(query) = query {
            return Some(Proof::Query { name: query.name.value.clone(), value: self.secret(&query.value)? });
        }
        if let Some(path) = path {
            return self.path(path);
        }
        if let Some(oauth1) = oauth1 {
            return self.oauth1(oauth1).map(Proof::OAuth1);
        }
        if let Some(oauth2) = oauth2 {
            return self.oauth2(oauth2).map(|oauth2| Proof::OAuth2(Box::new(oauth2)));
        }
        match aws {
            Some(aws) => self.aws(aws).map(Proof::Aws),
            None => Some(Proof::None),
        }
    }

    fn path(&mut self, written: &spec::SecretPath) -> Option<Proof> {
        if written.before.is_none() && written.after.is_none() {
            let diagnostic =
                Diagnostic::at(Code::MissingKey, &written.span, "`path` needs one of the keys `before` and `after`");
            self.out.push(diagnostic.help("say where the secret stands: before the path of an operation, or after it"));
        }
        let before = self.optional(written.before.as_ref(), Self::text);
        let after = self.optional(written.after.as_ref(), Self::text);
        let (before, after) = (before?, after?);
        let parts = [(&before, &written.before), (&after, &written.after)];
        for (_, text) in parts {
            if let Some(text) = text.as_ref().filter(|text| !text.as_str().starts_with('/')) {
                let diagnostic = Diagnostic::at(Code::BadValue, &text.span, "a part of a path begins with `/`");
                self.out.push(diagnostic.help("write `/` before it"));
            }
        }
        if !parts.iter().any(|(part, _)| part.as_ref().is_some_and(|part| self.is_secret(part)))
            && let Some(text) = written.before.as_ref().or(written.after.as_ref())
        {
            self.not_secret(text);
        }
        Some(Proof::Path { before, after })
    }

    fn oauth1(&mut self, written: &spec::OAuth1) -> Option<OAuth1> {
        let (consumer_key, token) = (self.text(&written.consumer_key), self.text(&written.token));
        let (consumer_secret, token_secret) = (self.secret(&written.consumer_secret), self.secret(&written.token_secret));
        Some(OAuth1 {
            consumer_key: consumer_key?,
            consumer_secret: consumer_secret?,
            token: token?,
            token_secret: token_secret?,
        })
    }

    fn oauth2(&mut self, written: &spec::OAuth2) -> Option<OAuth2> {
        let grant = self.grant(written);
        let token_url = self.text(&written.token_url);
        // A local server may be talked to without TLS, which the client decides; an address from a setting is its own.
        if let Some(url) = &token_url
            && url.as_constant().is_some_and(|_| !written.token_url.as_str().starts_with("https://"))
        {
            let message = "a token is asked for over TLS: this has to begin with `https://`";
            let diagnostic = Diagnostic::at(Code::BadValue, &written.token_url.span, message);
            self.out.push(diagnostic.help("write the whole address with `https://`; a setting may stand in it"));
        }
        let client_id = self.optional(written.client_id.as_ref(), Self::text);
        let client_secret = self.optional(written.client_secret.as_ref(), Self::secret);
        let client_basic = self.one_of(written.client_in.as_ref(), ["body", "basic"]);
        let json = self.one_of(written.body.as_ref(), ["form", "json"]);
        let params = self.map(&written.params, |_, name| Some(name.value.clone()));
        let headers = self.map(&written.headers, Self::header);
        let expires_after = self.duration(written.expires_after.as_ref());
        let sent_in = match &written.sent_in {
            Some(name) => self.header(name),
            None => Some("authorization".to_owned()),
        };
        let sent_as = self.sent_as(written, sent_in.as_deref());
        let base = match &written.base {
            Some(base) => self.base(base).map(Some),
            None => Some(None),
        };
        let (client_id, client_secret) = (client_id?, client_secret?);
        if client_id.is_none() && (client_secret.is_some() || client_basic == Some(true)) {
            let diagnostic = Diagnostic::at(Code::MissingKey, &written.span, "`oauth2` needs the key `client_id`");
            self.out.push(diagnostic.help("it says whose the secret is"));
        }
        Some(OAuth2 {
            grant: grant?,
            token_url: token_url?,
            client_id,
            client_secret,
            client_basic: client_basic?,
            json: json?,
            params: params?,
            headers: headers?,
            expires_after: expires_after?,
            sent_in: sent_in?,
            sent_as: sent_as?,
            base: base?,
        })
    }

    fn grant(&mut self, written: &spec::OAuth2) -> Option<Grant> {
        let kind = written.grant.as_str();
        let mut needs = |present: bool, key: &str| {
            if !present {
                let message = format!("`grant: {kind}` needs the key `{key}`");
                let diagnostic = Diagnostic::at(Code::MissingKey, &written.span, message);
                self.out.push(diagnostic.help(format!("add `{key}:`, or choose another grant")));
            }
        };
        match kind {
            "client_credentials" => {
                needs(written.client_id.is_some(), "client_id");
                needs(written.client_secret.is_some(), "client_secret");
            }
            "refresh_token" => {
                needs(written.client_id.is_some(), "client_id");
                needs(written.refresh_token.is_some(), "refresh_token");
            }
            "jwt_bearer" => needs(written.assertion.is_some(), "assertion"),
            other => {
                let diagnostic = Diagnostic::at(Code::BadValue, &written.grant.span, format!("there is no grant `{other}`"));
                self.out.push(diagnostic.did_you_mean(other, ["client_credentials", "refresh_token", "jwt_bearer"]));
                return None;
            }
        }
        self.belongs(written.refresh_token.as_ref().map(|text| &text.span), "refresh_token", kind, "refresh_token");
        self.belongs(written.rotates.as_ref().map(|flag| &flag.span), "rotates", kind, "refresh_token");
        self.belongs(written.assertion.as_ref().map(|assertion| &assertion.span), "assertion", kind, "jwt_bearer");
        match kind {
            "client_credentials" => Some(Grant::ClientCredentials),
            "refresh_token" => {
                let rotates = written.rotates.as_ref().is_some_and(|flag| flag.value);
                Some(Grant::RefreshToken { token: self.secret(written.refresh_token.as_ref()?)?, rotates })
            }
            _ => self.assertion(written.assertion.as_ref()?).map(Grant::JwtBearer),
        }
    }

    fn belongs(&mut self, span: Option<&crate::diag::Span>, key: &str, kind: &str, home: &str) {
        if let Some(span) = span.filter(|_| kind != home) {
            let diagnostic = Diagnostic::at(Code::MisplacedKey, span, format!("`{key}` belongs to `grant: {home}`"));
            self.out.push(diagnostic.help("leave it out, or choose that grant"));
        }
    }

    fn assertion(&mut self, written: &spec::Assertion) -> Option<Assertion> {
        let key = self.secret(&written.key);
        let key_id = self.optional(written.key_id.as_ref(), Self::text);
        let texts = [&written.issuer, &written.subject, &written.audience].map(|text| self.text(text));
        let [issuer, subject, audience] = texts;
        let lifetime = self.duration(written.lifetime.as_ref());
        let claims = self.map(&written.claims, |_, name| Some(name.value.clone()));
        Some(Assertion {
            key: key?,
            key_id: key_id?,
            issuer: issuer?,
            subject: subject?,
            audience: audience?,
            lifetime: lifetime?.unwrap_or(CLAIM),
            claims: claims?,
        })
    }

    fn base(&mut self, written: &spec::Base) -> Option<Base> {
        let Ok(host) = Regex::new(&format!("^(?:{})$", written.host.value)) else {
            let diagnostic = Diagnostic::at(Code::BadValue, &written.host.span, "this is not a regular expression");
            self.out.push(diagnostic.help("it stands for the whole host, such as [a-z0-9-]+\\.example\\.com"));
            return None;
        };
        Some(Base { from: written.from.value.clone(), host })
    }

    fn aws(&mut self, written: &spec::Aws) -> Option<Aws> {
        let texts = [&written.service, &written.region, &written.access_key_id].map(|text| self.text(text));
        let secret_access_key = self.secret(&written.secret_access_key);
        let session_token = self.optional(written.session_token.as_ref(), Self::secret);
        let [service, region, access_key_id] = texts;
        Some(Aws {
            service: service?,
            region: region?,
            access_key_id: access_key_id?,
            secret_access_key: secret_access_key?,
            session_token: session_token?,
        })
    }

    fn csrf(&mut self, written: &spec::Csrf) -> Option<Csrf> {
        let path = self.text(&written.path);
        if !written.path.as_str().starts_with('/') {
            let message = "this is a path from the root of the host: it begins with `/`";
            self.out.push(Diagnostic::at(Code::BadValue, &written.path.span, message).help("write `/` before it"));
        }
        let header = match &written.header {
            Some(name) => self.header(name),
            None => Some("x-csrf-token".to_owned()),
        };
        Some(Csrf { path: path?, header: header? })
    }

    /// What the header of a token says.
    fn sent_as(&mut self, written: &spec::OAuth2, sent_in: Option<&str>) -> Option<Template> {
        let Some(text) = &written.sent_as else {
            let usual = if sent_in == Some("authorization") { "Bearer {{ token }}" } else { "{{ token }}" };
            return Template::compile(usual).ok();
        };
        let compiled = self.known(text, &["settings", "token"])?;
        if !compiled.references().iter().any(|reference| reference.path.first().is_some_and(|root| root == "token")) {
            let diagnostic = Diagnostic::at(Code::BadValue, &text.span, "`sent_as` leaves the token out");
            self.out.push(diagnostic.help("write it as `{{ token }}`"));
        }
        Some(compiled)
    }

    /// A template that sees the settings.
    fn text(&mut self, text: &Text) -> Option<Template> {
        self.known(text, &["settings"])
    }

    /// A template that sees the settings, one of which is a secret.
    fn secret(&mut self, text: &Text) -> Option<Template> {
        let before = self.out.len();
        let compiled = self.text(text)?;
        // A name that is not known may be meant to be one.
        if self.out.len() == before && !self.is_secret(&compiled) {
            self.not_secret(text);
        }
        Some(compiled)
    }

    fn known(&mut self, text: &Text, names: &[&str]) -> Option<Template> {
        let compiled = template(text, self.out)?;
        for reference in compiled.references() {
            match reference.path.as_slice() {
                [root, name, ..] if root == "settings" => {
                    self.used.insert(name.clone());
                    if !self.settings.iter().any(|setting| setting.name == *name) {
                        let message = format!("the connector has no setting `{name}`");
                        let known = self.settings.iter().map(|setting| setting.name.as_str());
                        let span = text.part(reference.range.clone());
                        self.out.push(Diagnostic::at(Code::UnknownName, &span, message).did_you_mean(name, known));
                    }
                }
                _ => known_names(reference, 0, text, &names.iter().copied().collect::<BTreeSet<_>>(), self.out),
            }
        }
        Some(compiled)
    }

    fn is_secret(&self, template: &Template) -> bool {
        let is_secret = |name: &str| self.settings.iter().any(|setting| setting.name == name && setting.secret);
        template.references().iter().any(|reference| match reference.path.as_slice() {
            [root, name, ..] => root == "settings" && is_secret(name),
            _ => false,
        })
    }

    fn not_secret(&mut self, text: &Text) {
        self.out.push(match text.value.contains("{{") || text.value.starts_with('/') {
            true => Diagnostic::at(Code::BadValue, &text.span, "no secret setting stands here").help(AS_SETTING),
            false => written_secret(&text.span, AS_SETTING),
        });
    }

    fn header(&mut self, name: &Text) -> Option<String> {
        let lower = name.value.to_ascii_lowercase();
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if lower.is_empty() || !lower.chars().all(is_token) {
            let message = format!("`{}` cannot be the name of a header", name.value);
            self.out.push(
                Diagnostic::at(Code::BadName, &name.span, message).help("a header's name has letters, digits and hyphens"),
            );
            return None;
        }
        if OWN_HEADERS.contains(&lower.as_str()) {
            let message = format!("the header `{}` is not yours to set", name.value);
            self.out.push(Diagnostic::at(Code::BadName, &name.span, message).help("leave it out; the client sets it"));
            return None;
        }
        Some(lower)
    }

    fn map(
        &mut self,
        written: &Map<Text>,
        name_of: impl Fn(&mut Self, &Text) -> Option<String>,
    ) -> Option<Vec<(String, Template)>> {
        let each: Vec<_> = written.iter().map(|(name, text)| (name_of(self, name), self.text(text))).collect();
        each.into_iter().map(|(name, template)| Some((name?, template?))).collect()
    }

    /// Nothing when it is not written, none when it is wrong.
    fn optional(
        &mut self,
        written: Option<&Text>,
        read: impl Fn(&mut Self, &Text) -> Option<Template>,
    ) -> Option<Option<Template>> {
        written.map_or(Some(None), |text| read(self, text).map(Some))
    }

    fn duration(&mut self, written: Option<&Text>) -> Option<Option<Duration>> {
        let Some(text) = written else { return Some(None) };
        match time::duration(text.as_str()) {
            Ok(duration) => Some(Some(duration)),
            Err(reason) => {
                self.out.push(Diagnostic::at(Code::BadValue, &text.span, reason).help("such as 90s, 10m or 2h"));
                None
            }
        }
    }

    /// Whether the second of two words is written; the first is the default.
    fn one_of(&mut self, written: Option<&Text>, words: [&str; 2]) -> Option<bool> {
        match written.map(Text::as_str) {
            None => Some(false),
            Some(word) if word == words[0] => Some(false),
            Some(word) if word == words[1] => Some(true),
            Some(word) => {
                let span = written.map(|text| &text.span)?;
                self.out.push(
                    Diagnostic::at(Code::BadValue, span, format!("`{word}` is not known here")).did_you_mean(word, words),
                );
                None
            }
        }
    }
}
