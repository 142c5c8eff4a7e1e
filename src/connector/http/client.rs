//! The one HTTP client: sends one request, and reads its answer to the end or to the limit.
//!
//! It follows no redirects, repeats nothing, and knows neither operations nor tokens. A request never reaches a private
//! address that was not allowed by name, and a secret never travels unencrypted beyond this machine.

use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION};
use reqwest::{Method, Request, Response, StatusCode, Url, redirect};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::timeout_at;

use super::address::is_public;
use super::failed;
use super::resolve::{Allowed, Guarded, Lookup, System, is_loopback};
use crate::fault::{Fault, Outcome};
use crate::secret::Secret;
use crate::secret::key::private_key;
use crate::time::Deadline;
use crate::time::paused::outside;

/// How long a host may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(60);
/// How large an answer may be where nothing else is said.
const MAX_BODY: usize = 8 << 20;

/// What a client is made of.
#[derive(Debug, Clone)]
pub(in crate::connector) struct ClientOptions {
    /// The hosts that may have private addresses and may be talked to without TLS, by name.
    pub allow_private: Vec<String>,
    /// The certificate that says who we are, where the system asks for one.
    pub identity: Option<Identity>,
    /// A file with the certificates of the only authorities that are trusted, in place of the machine's. PEM.
    pub authorities: Option<PathBuf>,
    /// The proxy that requests go through. Its url may hold a password.
    pub proxy: Option<Secret>,
    /// How many bytes an answer may have, inflated.
    pub max_body: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { allow_private: Vec::new(), identity: None, authorities: None, proxy: None, max_body: MAX_BODY }
    }
}

/// A client's certificate, with the chain behind it, and its private key. PEM files.
#[derive(Debug, Clone)]
pub(in crate::connector) struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The password of the key, when it is encrypted.
    pub password: Option<Secret>,
}

/// A request.
#[derive(Clone)]
pub(in crate::connector) struct Outgoing {
    pub method: Method,
    pub url: Url,
    /// A header that is a secret is marked as sensitive.
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub(in crate::connector) struct Incoming {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Inflated.
    pub body: Bytes,
}

/// The HTTP client of one connection, with its pool of open connections.
pub(in crate::connector) struct Client {
    inner: reqwest::Client,
    allowed: Allowed,
    /// May be a private host, which the resolver cannot tell from a request that is meant for it.
    proxy_host: Option<String>,
    max_body: usize,
}

impl Client {
    /// A client with the machine's own resolver.
    ///
    /// # Errors
    /// Which option is wrong, and why.
    pub(in crate::connector) fn new(options: &ClientOptions) -> Result<Self, String> {
        Self::with_lookup(options, Arc::new(System))
    }

    /// A client that finds the addresses of names by `lookup`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(in crate::connector) fn with_lookup(options: &ClientOptions, lookup: Arc<dyn Lookup>) -> Result<Self, String> {
        let (proxy, proxy_host) = options.proxy.as_ref().map(proxy).transpose()?.unzip();
        // The proxy was named on purpose, and usually is a neighbour.
        let reachable = Allowed::new(options.allow_private.iter().chain(&proxy_host).map(String::as_str));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("legwork/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            // Without this the environment's proxies would be used, and names would be resolved where nobody checks.
            .no_proxy()
            .dns_resolver(Guarded { inner: lookup, allowed: reachable })
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE);
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(file) = &options.authorities {
            builder = builder.tls_certs_only(authorities(file)?);
        }
        if let Some(identity) = &options.identity {
            builder = builder.identity(read_identity(identity)?);
        }
        let inner = builder.build().map_err(|error| format!("the HTTP client cannot be made: {}", innermost(&error)))?;
        let allowed = Allowed::new(options.allow_private.iter().map(String::as_str));
        Ok(Self { inner, allowed, proxy_host, max_body: options.max_body })
    }

    /// Sends a request, once, and reads the answer.
    ///
    /// # Errors
    /// `misconfigured` for an address that may not be talked to, a host that is not known or not trusted, or a redirect;
    /// `unavailable` when the host cannot be reached or breaks off; `timeout` when it is late; `unexpected` for an answer
    /// that is too large. An answer of any other status is none.
    pub(in crate::connector) async fn send(&self, request: Outgoing, until: Deadline) -> Result<Incoming, Fault> {
        let host = shown(&request.url);
        self.permit(&request, &host)?;
        let exchange = timeout_at(until.instant(), outside(self.exchange(request, &host)));
        exchange.await.unwrap_or_else(|_| {
            let late = Fault::new(Outcome::Timeout, format!("{host} has not answered in time"));
            Err(Fault { unsettled: true, ..late })
        })
    }

    /// Whether the request may leave at all, as far as that can be told before names are resolved.
    fn permit(&self, request: &Outgoing, host: &str) -> Result<(), Fault> {
        let wrong = |text: String| Err(Fault::new(Outcome::Misconfigured, text));
        let url = &request.url;
        let name = url.host_str().unwrap_or_default();
        let allowed = self.allowed.has(name);
        if name.is_empty() {
            return wrong("the address has no host".to_owned());
        }
        // An address in the place of a name is never looked up, so the resolver does not see it. Every spelling of it has
        // become the usual one when the url was parsed.
        let literal: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        if !allowed && (literal.is_some_and(|address| !is_public(address)) || self.proxy_host.as_deref() == Some(name)) {
            return Err(failed::refused(host));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(format!("the address of {host} holds a user or a password: authentication belongs under `auth`"));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if !allowed => {
                wrong(format!("{host} would be talked to without TLS: write https://, or name the host in `allow_private`"))
            }
            "http" if has_secret(&request.headers) => may_carry_secrets(url),
            "http" => Ok(()),
            _ => wrong(format!("the address of {host} has to begin with https://")),
        }
    }

    async fn exchange(&self, request: Outgoing, host: &str) -> Result<Incoming, Fault> {
        let failed = |error: reqwest::Error| failed::fault(&error, host);
        let mut sent = Request::new(request.method, request.url);
        *sent.headers_mut() = request.headers;
        *sent.body_mut() = request.body.map(Into::into);
        let mut answer = self.inner.execute(sent).await.map_err(failed)?;
        not_elsewhere(&answer, host)?;
        let too_large = || {
            let text = format!("the answer of {host} has more than {} bytes", self.max_body);
            Fault { unsettled: true, ..Fault::new(Outcome::Unexpected, text) }
        };
        let announced = answer.content_length().unwrap_or_default();
        if usize::try_from(announced).map_or(true, |length| length > self.max_body) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if chunk.len() > self.max_body - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Incoming { status: answer.status(), headers, body: body.freeze() })
    }
}

/// An API that sends its callers elsewhere is at another address than the file says, or wants somebody to log in.
fn not_elsewhere(answer: &Response, host: &str) -> Result<(), Fault> {
    let Some(location) = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection()) else { return Ok(()) };
    let target = location.to_str().ok().and_then(|location| answer.url().join(location).ok());
    let target = target.as_ref().map_or_else(|| "another address".to_owned(), shown);
    let text = format!("{host} redirects to {target}, which is not followed: check the address and the credentials");
    Err(Fault::new(Outcome::Misconfigured, text))
}

/// Whether a secret may be sent there: over TLS, or to this machine itself.
///
/// # Errors
/// `misconfigured` when it would travel in the open.
pub(in crate::connector) fn may_carry_secrets(url: &Url) -> Result<(), Fault> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if url.host_str().is_some_and(is_loopback) => Ok(()),
        _ => {
            let text = format!("a secret would be sent to {} without TLS: write https://", shown(url));
            Err(Fault::new(Outcome::Misconfigured, text))
        }
    }
}

fn has_secret(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE) || headers.values().any(|value| value.is_sensitive())
}

/// Host and port, which is all that may be shown of an address: paths and queries may hold secrets and users' values.
pub(in crate::connector) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or("an address without a host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn proxy(url: &Secret) -> Result<(reqwest::Proxy, String), String> {
    let wrong = "`proxy` is not the address of a proxy: write http://HOST:PORT or https://HOST:PORT";
    let parsed = Url::parse(url.expose()).map_err(|_| wrong)?;
    let host = parsed.host_str().filter(|_| matches!(parsed.scheme(), "http" | "https")).ok_or(wrong)?;
    let proxy = reqwest::Proxy::all(parsed.as_str()).map_err(|_| wrong)?;
    Ok((proxy, host.to_owned()))
}

fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, String> {
    match reqwest::Certificate::from_pem_bundle(&read(file)?) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{} holds no certificate; it has to begin with -----BEGIN CERTIFICATE-----", file.display())),
    }
}

fn read_identity(identity: &Identity) -> Result<reqwest::Identity, String> {
    let certificate = identity.certificate.display();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(&identity.certificate)?).collect();
    let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
    let certificates = certificates
        .ok_or_else(|| format!("{certificate} holds no certificate; it has to begin with -----BEGIN CERTIFICATE-----"))?;
    let key = private_key(&read(&identity.key)?, identity.password.as_ref());
    let key = key.map_err(|reason| format!("{} {reason}", identity.key.display()))?;
    let label = match &key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let section =
        |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    let chain = certificates.iter().map(|certificate| section("CERTIFICATE", certificate));
    let pem: String = chain.chain([section(label, key.secret_der())]).collect();
    reqwest::Identity::from_pem(pem.as_bytes())
        .map_err(|_| format!("{certificate} and {} are not a certificate and its private key", identity.key.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("allowed", &self.allowed).field("max_body", &self.max_body).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    /// Method and host; the rest may hold secrets and users' values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, shown(&self.url))
    }
}

impl fmt::Debug for Incoming {
    /// Status and size; the rest may hold secrets and users' values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}
