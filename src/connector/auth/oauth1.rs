//! Signatures of OAuth 1.0a with a token that somebody once got for us, by HMAC-SHA256.
//!
//! The signature covers method, address, query and a form, so nothing of these may be changed after it.
//! <https://www.rfc-editor.org/rfc/rfc5849#section-3.4>

use std::sync::Arc;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::apply::sensitive;
use super::settings::Settings;
use crate::connector::http::{Outgoing, Url, percent};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::auth as plan;
use crate::secret::Secret;
use crate::time::Clock;

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// Signs the requests of one connection.
pub(super) struct Signer {
    consumer_key: Secret,
    consumer_secret: Secret,
    token: Secret,
    token_secret: Secret,
    clock: Arc<dyn Clock>,
}

impl Signer {
    /// # Errors
    /// What is missing.
    pub(super) fn new(plan: &plan::OAuth1, settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self {
            consumer_key: settings.text(&plan.consumer_key, "`auth.oauth1.consumer_key`")?,
            consumer_secret: settings.text(&plan.consumer_secret, "`auth.oauth1.consumer_secret`")?,
            token: settings.text(&plan.token, "`auth.oauth1.token`")?,
            token_secret: settings.text(&plan.token_secret, "`auth.oauth1.token_secret`")?,
            clock,
        })
    }

    /// Signs a request as of now.
    pub(super) fn sign(&self, request: &mut Outgoing) -> Result<(), Fault> {
        let mut unique = [0; 18];
        let filled = SystemRandom::new().fill(&mut unique);
        filled.map_err(|_| Fault::new(Outcome::Unexpected, "the machine gives no random numbers"))?;
        let value = self.authorization(request, &URL_SAFE_NO_PAD.encode(unique), self.clock.now().timestamp());
        let unfit = || Fault::new(Outcome::Misconfigured, "the credentials of `auth.oauth1` cannot be sent in a header");
        request.headers.insert("authorization", sensitive(&value).ok_or_else(unfit)?);
        Ok(())
    }

    fn authorization(&self, request: &Outgoing, nonce: &str, timestamp: i64) -> String {
        let timestamp = timestamp.to_string();
        let own = [
            ("oauth_consumer_key", self.consumer_key.expose()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", &timestamp),
            ("oauth_token", self.token.expose()),
            ("oauth_version", "1.0"),
        ];
        let own = own.map(|(name, value)| (percent(name), percent(value)));
        let key = format!("{}&{}", percent(self.consumer_secret.expose()), percent(self.token_secret.expose()));
        let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, key.as_bytes()), signed(request, &own).as_bytes());
        let signature = ("oauth_signature".to_owned(), percent(&STANDARD.encode(tag.as_ref())));
        let parts = own.into_iter().chain([signature]).map(|(name, value)| format!("{name}=\"{value}\""));
        format!("OAuth {}", parts.collect::<Vec<_>>().join(", "))
    }
}

/// The text that is signed.
fn signed(request: &Outgoing, own: &[(String, String)]) -> String {
    let form = request.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(FORM));
    let body = request.body.as_deref().filter(|_| form).unwrap_or_default();
    let url = &request.url;
    let query = url.query().unwrap_or_default();
    let mut pairs: Vec<_> = [query.as_bytes(), body].into_iter().flat_map(pairs).chain(own.iter().cloned()).collect();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    format!("{}&{}&{}", request.method, percent(&address(url)), percent(&pairs))
}

/// The parameters of a query or a form, encoded as they are signed.
fn pairs(encoded: &[u8]) -> impl Iterator<Item = (String, String)> {
    let encoded = String::from_utf8_lossy(encoded).into_owned();
    let mut blank = Url::parse("https://form/").ok();
    if let Some(url) = &mut blank {
        url.set_query(Some(&encoded));
    }
    let decoded: Vec<_> =
        blank.iter().flat_map(|url| url.query_pairs()).map(|(name, value)| (percent(&name), percent(&value))).collect();
    decoded.into_iter()
}

/// The address without query; a port that is the usual one is not in it.
fn address(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::http::{HeaderMap, Method};
    use crate::time::FixedClock;

    /// The expected signatures are those of another implementation, oauthlib 3.
    #[test]
    fn a_request_is_signed_as_others_sign_it() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let signer = Signer {
            consumer_key: secret("consumer/key"),
            consumer_secret: secret("hunter2 a"),
            token: secret("tok en"),
            token_secret: secret("hunter2&b"),
            clock: Arc::new(FixedClock::at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap())),
        };
        let query = "https://shop.example/rest/default/V1/orders?searchCriteria%5BpageSize%5D=1&a=b%20c&a=a%2Bb&z";
        for (method, url, form, signature) in [
            (Method::GET, query, None, "yo9IL3RGpoRSwmcjEq2LRdmmuAgQKsTWeicgSu7dy1I%3D"),
            (
                Method::PUT,
                "https://shop.example:8443/rest/V1/products/A%2FB%20%C3%BC",
                None,
                "eLC1bs%2BnaZJRxiSeqDzekljzVwiFEeVB%2BUMXbcxE9R8%3D",
            ),
            (
                Method::POST,
                "https://shop.example/f",
                Some("x=1%202&oauth=%26"),
                "0TVFxAde8I3D0SHTb%2Bh2NsHarqH0LnUowCusRTYkmds%3D",
            ),
        ] {
            let mut headers = HeaderMap::new();
            if form.is_some() {
                headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
            }
            let body = form.map(|form| form.as_bytes().to_vec().into());
            let mut request = Outgoing { method, url: Url::parse(url).unwrap(), headers, body };
            let value = signer.authorization(&request, "n0nce", 1_800_000_000);
            assert!(value.ends_with(&format!("oauth_signature=\"{signature}\"")), "{url}: {value}");
            assert!(value.starts_with("OAuth oauth_consumer_key=\"consumer%2Fkey\", oauth_nonce=\"n0nce\""), "{value}");
            signer.sign(&mut request).unwrap();
            let first = request.headers.remove("authorization").unwrap();
            signer.sign(&mut request).unwrap();
            assert!(first.is_sensitive() && request.headers["authorization"] != first, "each request has its own nonce");
        }
    }
}
