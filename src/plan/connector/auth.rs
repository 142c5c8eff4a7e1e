//! Authentication as it runs: what proves who we are, with templates that see `settings`.
//!
//! [`compile_ways`] is the one way to make an [`Auth`]. It checks that a file has one kind, that secrets come from settings which
//! are marked as such, and that tokens are asked for over TLS; whether credentials are right is for the system to say.

mod compile;
mod ways;

use std::time::Duration;

use regex::Regex;

use crate::template::Template;

pub use compile::compile;
pub use ways::{Choice, Way, Ways, compile_ways};

/// How requests prove who we are.
#[derive(Debug)]
pub struct Auth {
    /// What every request carries.
    pub proof: Proof,
    /// What a write carries besides.
    pub csrf: Option<Csrf>,
}

/// What every request carries.
#[derive(Debug)]
pub enum Proof {
    /// Nothing.
    None,
    /// A header of that name.
    Header {
        /// Its name, in lower case.
        name: String,
        /// Its value.
        value: Template,
    },
    /// `Authorization: Bearer …`.
    Bearer(Template),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        user: Template,
        /// The password.
        password: Template,
    },
    /// A parameter of the query.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: Template,
    },
    /// A part of the path.
    Path {
        /// What comes before the rest of the path.
        before: Option<Template>,
        /// What comes after it.
        after: Option<Template>,
    },
    /// A token that is fetched, kept and renewed.
    OAuth2(Box<OAuth2>),
    /// A signature of OAuth 1.0a.
    OAuth1(OAuth1),
    /// A signature of Amazon Web Services, version 4.
    Aws(Aws),
}

/// A token of OAuth 2.
#[derive(Debug)]
pub struct OAuth2 {
    /// How it is got.
    pub grant: Grant,
    /// Where.
    pub token_url: Template,
    /// Who asks.
    pub client_id: Option<Template>,
    /// The secret of who asks.
    pub client_secret: Option<Template>,
    /// Whether client and secret go as `Authorization: Basic` in place of the body.
    pub client_basic: bool,
    /// Whether the body is JSON in place of a form.
    pub json: bool,
    /// What else the body says.
    pub params: Vec<(String, Template)>,
    /// Headers of the request for a token, names in lower case.
    pub headers: Vec<(String, Template)>,
    /// How long a token is good where the answer does not say; none for until it is refused.
    pub expires_after: Option<Duration>,
    /// The header that carries the token, in lower case.
    pub sent_in: String,
    /// What the header says; `token` is in scope.
    pub sent_as: Template,
    /// Where requests go, when the answer says so.
    pub base: Option<Base>,
}

/// How a token is got.
#[derive(Debug)]
pub enum Grant {
    /// With the client's own credentials.
    ClientCredentials,
    /// With a refresh token that somebody once got for us.
    RefreshToken {
        /// The one to begin with.
        token: Template,
        /// Whether every answer brings a new one and ends the old one.
        rotates: bool,
    },
    /// With a signed claim.
    JwtBearer(Assertion),
}

/// A claim signed with RS256.
#[derive(Debug)]
pub struct Assertion {
    /// The private key, PEM.
    pub key: Template,
    /// `kid`.
    pub key_id: Option<Template>,
    /// `iss`.
    pub issuer: Template,
    /// `sub`.
    pub subject: Template,
    /// `aud`.
    pub audience: Template,
    /// How long the claim is good.
    pub lifetime: Duration,
    /// Further claims.
    pub claims: Vec<(String, Template)>,
}

/// The address that comes with a token.
#[derive(Debug)]
pub struct Base {
    /// The field of the answer that holds it.
    pub from: String,
    /// What the whole host has to match.
    pub host: Regex,
}

/// A signature of OAuth 1.0a, by HMAC-SHA256.
#[derive(Debug)]
pub struct OAuth1 {
    /// Who asks.
    pub consumer_key: Template,
    /// The secret of who asks.
    pub consumer_secret: Template,
    /// For whom.
    pub token: Template,
    /// The secret of the token.
    pub token_secret: Template,
}

/// A signature of Amazon Web Services, version 4.
#[derive(Debug)]
pub struct Aws {
    /// The service.
    pub service: Template,
    /// The region.
    pub region: Template,
    /// The public part of the key.
    pub access_key_id: Template,
    /// The secret part of the key.
    pub secret_access_key: Template,
    /// The token of temporary credentials.
    pub session_token: Option<Template>,
}

/// A token against forged requests, with the cookies that belong to it.
#[derive(Debug)]
pub struct Csrf {
    /// The path that gives the token away, from the root of the host.
    pub path: Template,
    /// The header that asks for it and carries it, in lower case.
    pub header: String,
}

impl Auth {
    /// Without any proof.
    #[must_use]
    pub const fn none() -> Self {
        Self { proof: Proof::None, csrf: None }
    }
}

#[cfg(test)]
mod tests;
