//! The shape of `auth:` in a connector's file: how requests prove who we are.
//!
//! Every text that ends up in a request is a template that sees `settings`; which kinds go together is `plan`'s to say.

use super::shape::shape;
use super::values::{Flag, Map, Text};

shape! {
    /// How requests prove who we are: one of `header`, `bearer`, `basic`, `query`, `path`, `oauth1`, `oauth2` and `aws`, or
    /// none of them; and `csrf` beside it. Or several `ways`, of which the connection chooses one.
    Auth as "`auth`" {
        /// A header of its own: `{ name: X-Auth-Token, value: "{{ settings.token }}" }`.
        header: Option<Named>,
        /// `Authorization: Bearer …` with this token.
        bearer: Option<Text>,
        /// `Authorization: Basic …`.
        basic: Option<Basic>,
        /// A parameter of the query.
        query: Option<Named>,
        /// A secret that is part of the path, as webhooks have it.
        path: Option<SecretPath>,
        /// A signature of OAuth 1.0a, by HMAC-SHA256.
        oauth1: Option<OAuth1>,
        /// A token that is fetched, kept and renewed.
        oauth2: Option<OAuth2>,
        /// Signatures of Amazon Web Services, version 4.
        aws: Option<Aws>,
        /// A token against forged requests that is fetched before a write, with the cookies that belong to it.
        csrf: Option<Csrf>,
        /// The setting that chooses one of `ways`: `settings.grant`.
        by: Option<Text>,
        /// The ways from which a connection chooses: a value of the setting → how requests prove who we are then. Settings
        /// that only one of them uses have to be set only when it is chosen.
        ways: Map<Auth>,
    }

    /// A name with a secret value.
    Named as "a name with a value" {
        /// The name of the header or parameter.
        name: Text,
        /// The value.
        value: Text,
    }

    /// A user with a password.
    Basic as "`basic`" {
        /// The user, such as `"{{ settings.email }}/token"`.
        user: Text,
        /// The password; what the vendor says to write where there is none.
        password: Text,
    }

    /// Where a secret stands in the path of every request.
    SecretPath as "`path`" {
        /// What comes before the rest of the path: `"/hooks/catch/{{ settings.hook }}"`.
        before: Option<Text>,
        /// What comes after it: `"/with/key/{{ settings.key }}"`.
        after: Option<Text>,
    }

    /// What a signature of OAuth 1.0a is made with.
    OAuth1 as "`oauth1`" {
        /// Who asks.
        consumer_key: Text,
        /// The secret of who asks.
        consumer_secret: Text,
        /// For whom: an access token.
        token: Text,
        /// The secret of the token.
        token_secret: Text,
    }

    /// A token of OAuth 2.
    OAuth2 as "`oauth2`" {
        /// How it is got: `client_credentials`, `refresh_token` or `jwt_bearer`.
        grant: Text,
        /// Where: `https://…`.
        token_url: Text,
        /// Who asks.
        client_id: Option<Text>,
        /// The secret of who asks.
        client_secret: Option<Text>,
        /// Where client and secret stand in the request for a token: in the `body` (the default) or as `basic`.
        client_in: Option<Text>,
        /// How the request for a token is written: `form` (the default) or `json`.
        body: Option<Text>,
        /// What else the request for a token says, such as `scope` and `audience`.
        params: Map<Text>,
        /// Headers of the request for a token.
        headers: Map<Text>,
        /// The refresh token to begin with.
        refresh_token: Option<Text>,
        /// Whether every answer brings a new refresh token and ends the old one. The new one is then stored before it is
        /// used.
        rotates: Option<Flag>,
        /// The signed claim of `jwt_bearer`.
        assertion: Option<Assertion>,
        /// How long a token is good where the answer does not say: `2h`. Without it, until it is refused.
        expires_after: Option<Text>,
        /// The header that carries the token: `Authorization` without it.
        sent_in: Option<Text>,
        /// What the header says: `"Bearer {{ token }}"` without it.
        sent_as: Option<Text>,
        /// Where requests go, when the answer says so.
        base: Option<Base>,
    }

    /// A claim signed with RS256.
    Assertion as "`assertion`" {
        /// The private key, PEM.
        key: Text,
        /// Which of our keys it is: `kid`.
        key_id: Option<Text>,
        /// Who says it: `iss`.
        issuer: Text,
        /// For whom: `sub`.
        subject: Text,
        /// To whom: `aud`.
        audience: Text,
        /// How long the claim is good: `3m` without it.
        lifetime: Option<Text>,
        /// Further claims.
        claims: Map<Text>,
    }

    /// The address that comes with a token.
    Base as "`base`" {
        /// The field of the answer that holds it, such as `instance_url`.
        from: Text,
        /// A regular expression for the whole host; an address with another host is refused.
        host: Text,
    }

    /// A signature of Amazon Web Services, version 4.
    Aws as "`aws`" {
        /// The service, such as `secretsmanager`.
        service: Text,
        /// The region, such as `eu-central-1`.
        region: Text,
        /// The public part of the key.
        access_key_id: Text,
        /// The secret part of the key.
        secret_access_key: Text,
        /// The token of temporary credentials.
        session_token: Option<Text>,
    }

    /// A token against forged requests.
    Csrf as "`csrf`" {
        /// The path that gives the token away, from the root of the host: a service's own root.
        path: Text,
        /// The header that asks for the token and carries it: `X-CSRF-Token` without it.
        header: Option<Text>,
    }
}
