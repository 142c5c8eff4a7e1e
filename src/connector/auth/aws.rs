//! Signatures of Amazon Web Services, version 4.
//!
//! The signature covers method, path, query, body and every header of the request, so nothing may be changed after it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use chrono::{DateTime, Utc};

use super::apply::sensitive;
use super::settings::Settings;
use crate::connector::http::{HeaderValue, Outgoing};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::auth as plan;
use crate::secret::Secret;
use crate::time::Clock;

/// Signs the requests of one connection.
pub(super) struct Signer {
    service: String,
    region: String,
    id: Secret,
    secret: Secret,
    session: Option<Secret>,
    clock: Arc<dyn Clock>,
}

impl Signer {
    /// # Errors
    /// What is missing.
    pub(super) fn new(plan: &plan::Aws, settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Ok(Self {
            service: settings.text(&plan.service, "`auth.aws.service`")?.expose().to_owned(),
            region: settings.text(&plan.region, "`auth.aws.region`")?.expose().to_owned(),
            id: settings.text(&plan.access_key_id, "`auth.aws.access_key_id`")?,
            secret: settings.text(&plan.secret_access_key, "`auth.aws.secret_access_key`")?,
            session: match &plan.session_token {
                Some(token) => settings.optional(token, "`auth.aws.session_token`")?,
                None => None,
            },
            clock,
        })
    }

    /// Signs a request as of now.
    pub(super) fn sign(&self, request: &mut Outgoing) -> Result<(), Fault> {
        let now = self.clock.now();
        let unfit = || Fault::new(Outcome::Misconfigured, "the credentials of `auth.aws` cannot be sent in a header");
        let time = now.format("%Y%m%dT%H%M%SZ").to_string();
        // A blank that is written as a plus is read as one by some services and as a plus by others.
        if let Some(query) = request.url.query().filter(|query| query.contains('+')) {
            let plain = query.replace('+', "%20");
            request.url.set_query(Some(&plain));
        }
        let body = hex(digest(&SHA256, request.body.as_deref().unwrap_or_default()).as_ref());
        request.headers.insert("x-amz-date", HeaderValue::from_str(&time).map_err(|_| unfit())?);
        if self.service == "s3" {
            request.headers.insert("x-amz-content-sha256", HeaderValue::from_str(&body).map_err(|_| unfit())?);
        }
        if let Some(session) = &self.session {
            request.headers.insert("x-amz-security-token", sensitive(session.expose()).ok_or_else(unfit)?);
        }
        let (canonical, signed) = self.canonical(request, &body);
        let scope = format!("{}/{}/{}/aws4_request", now.format("%Y%m%d"), self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(digest(&SHA256, canonical.as_bytes()).as_ref()));
        let signature = hex(mac(&self.key(now), &text).as_ref());
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.id.expose()
        );
        request.headers.insert("authorization", sensitive(&value).ok_or_else(unfit)?);
        Ok(())
    }

    /// The request in the form that is signed, and the names of its headers.
    fn canonical(&self, request: &Outgoing, body: &str) -> (String, String) {
        let url = &request.url;
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut headers = BTreeMap::from([("host", host)]);
        for name in request.headers.keys().filter(|name| name.as_str() != "authorization") {
            let values = request
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" "));
            headers.insert(name.as_str(), values.collect::<Vec<_>>().join(","));
        }
        let signed = headers.keys().copied().collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        // Every service but S3 encodes the path as it was sent once more.
        let path = match self.service.as_str() {
            "s3" => encode(&decode(url.path()), b"/"),
            _ => encode(url.path().as_bytes(), b"/"),
        };
        let mut query: Vec<_> =
            url.query().into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()).collect();
        let mut pairs: Vec<_> = query
            .drain(..)
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (encode(&decode(name), b""), encode(&decode(value), b"")))
            .collect();
        pairs.sort();
        let query = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        (format!("{}\n{path}\n{query}\n{lines}\n{signed}\n{body}", request.method), signed)
    }

    fn key(&self, now: DateTime<Utc>) -> Vec<u8> {
        let first = format!("AWS4{}", self.secret.expose()).into_bytes();
        let date = now.format("%Y%m%d").to_string();
        let parts = [date.as_str(), &self.region, &self.service, "aws4_request"];
        parts.into_iter().fold(first, |key, part| mac(&key, part).as_ref().to_vec())
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Everything but letters, digits, `-._~` and `also` as `%XX`.
fn encode(bytes: &[u8], also: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            byte if also.contains(byte) => text.push(char::from(*byte)),
            byte => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The bytes behind `%XX`.
fn decode(text: &str) -> Vec<u8> {
    let (bytes, mut plain, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let coded =
            (*byte == b'%').then(|| text.get(at + 1..at + 3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(coded.unwrap_or(*byte));
        at += if coded.is_some() { 3 } else { 1 };
    }
    plain
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use indexmap::IndexMap;

    use super::*;
    use crate::connector::http::{HeaderMap, HeaderName, Method, Url};
    use crate::template::Template;
    use crate::time::FixedClock;

    struct Case {
        method: Method,
        url: &'static str,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        service: &'static str,
        now: &'static str,
        /// The headers that are signed, and the signature.
        expected: (&'static str, &'static str),
    }

    fn signed(case: &Case) -> Outgoing {
        let s3 = case.service == "s3";
        let id = if s3 { "AKIAIOSFODNN7EXAMPLE" } else { "AKIDEXAMPLE" };
        let secret =
            if s3 { "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" } else { "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
        let text = |text: &str| Template::constant(text.into());
        let plan = plan::Aws {
            service: text(case.service),
            region: text("us-east-1"),
            access_key_id: text(id),
            secret_access_key: text(secret),
            session_token: None,
        };
        let now = DateTime::parse_from_rfc3339(case.now).unwrap().to_utc();
        let signer = Signer::new(&plan, &Settings::new(&IndexMap::new()), Arc::new(FixedClock::at(now))).unwrap();
        let headers: HeaderMap =
            case.headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();
        let body = (!case.body.is_empty()).then(|| case.body.into());
        let mut request = Outgoing { method: case.method.clone(), url: Url::parse(case.url).unwrap(), headers, body };
        signer.sign(&mut request).unwrap();
        request
    }

    const PLAIN: Case = Case {
        method: Method::GET,
        url: "https://example.amazonaws.com/",
        headers: &[],
        body: "",
        service: "service",
        now: "2015-08-30T12:36:00Z",
        expected: ("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    };

    #[test]
    fn the_published_examples_have_their_published_signatures() {
        for case in [
            // From the test suite of signature version 4: get-vanilla, post-vanilla, get-vanilla-query-order-key-case,
            // post-x-www-form-urlencoded.
            PLAIN,
            Case {
                method: Method::POST,
                expected: ("host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
                ..PLAIN
            },
            Case {
                url: "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                expected: ("host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
                ..PLAIN
            },
            Case {
                method: Method::POST,
                headers: &[("content-type", "application/x-www-form-urlencoded")],
                body: "Param1=value1",
                expected: (
                    "content-type;host;x-amz-date",
                    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
                ),
                ..PLAIN
            },
            // From the user guide of IAM: ListUsers.
            Case {
                url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                headers: &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
                service: "iam",
                expected: (
                    "content-type;host;x-amz-date",
                    "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
                ),
                ..PLAIN
            },
            // From the API reference of S3: GET Object, PUT Object.
            Case {
                url: "https://examplebucket.s3.amazonaws.com/test.txt",
                headers: &[("range", "bytes=0-9")],
                service: "s3",
                now: "2013-05-24T00:00:00Z",
                expected: (
                    "host;range;x-amz-content-sha256;x-amz-date",
                    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
                ),
                ..PLAIN
            },
            Case {
                method: Method::PUT,
                url: "https://examplebucket.s3.amazonaws.com/test$file.text",
                headers: &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                body: "Welcome to Amazon S3.",
                service: "s3",
                now: "2013-05-24T00:00:00Z",
                expected: (
                    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
                ),
            },
        ] {
            let request = signed(&case);
            let value = request.headers["authorization"].to_str().unwrap();
            let (headers, signature) = case.expected;
            let expected = format!("SignedHeaders={headers}, Signature={signature}");
            assert!(value.ends_with(&expected), "{}: {value}", case.url);
            assert!(request.headers["authorization"].is_sensitive());
        }
    }

    #[test]
    fn a_query_is_signed_as_it_is_sent() {
        let plus = signed(&Case { url: "https://example.amazonaws.com/?a=b+c&d=%2B", ..PLAIN });
        let blank = signed(&Case { url: "https://example.amazonaws.com/?a=b%20c&d=%2B", ..PLAIN });
        assert_eq!(plus.url, blank.url);
        assert_eq!(plus.headers, blank.headers);
    }

    #[test]
    fn a_path_is_encoded_once_more_but_for_s3() {
        assert_eq!(encode(b"/a%20b/:c", b"/"), "/a%2520b/%3Ac");
        assert_eq!(encode(&decode("/a%20b/:c"), b"/"), "/a%20b/%3Ac");
        assert_eq!(decode("%zz%4"), b"%zz%4");
    }
}
