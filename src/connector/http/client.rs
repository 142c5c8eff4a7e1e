//! The one HTTP client: sends one request, and reads its answer to the end or to the limit.
//!
//! It follows no redirects, repeats nothing, and knows neither operations nor tokens.

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Method, Request, StatusCode, Url, redirect};
use tokio::time::timeout_at;

use crate::fault::{Fault, Outcome};
use crate::time::Deadline;

/// What a client is made of.
#[derive(Debug, Clone, Default)]
pub(in crate::connector) struct ClientOptions {
    /// The hosts that may have private addresses and may be talked to without TLS, by name.
    pub allow_private: Vec<String>,
}

/// A request.
#[derive(Clone)]
pub(in crate::connector) struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
}

/// An answer, whatever its status.
#[derive(Clone)]
pub(in crate::connector) struct Incoming {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The HTTP client of one connection.
pub(in crate::connector) struct Client {
    inner: reqwest::Client,
    allowed: Vec<String>,
}

impl Client {
    pub(in crate::connector) fn new(options: &ClientOptions) -> Result<Self, String> {
        let inner = reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build().map_err(|e| e.to_string())?;
        Ok(Self { inner, allowed: options.allow_private.clone() })
    }

    pub(in crate::connector) async fn send(&self, request: Outgoing, until: Deadline) -> Result<Incoming, Fault> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if request.url.scheme() != "https" && !self.allowed.contains(&host) {
            return Err(Fault::new(Outcome::Misconfigured, format!("{host} would be talked to without TLS")));
        }
        let down = |_: reqwest::Error| Fault::new(Outcome::Unavailable, format!("{host} gave no answer"));
        let exchange = async {
            let mut sent = Request::new(request.method, request.url);
            *sent.headers_mut() = request.headers;
            *sent.body_mut() = request.body.map(Into::into);
            let mut answer = self.inner.execute(sent).await.map_err(down)?;
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(down)? {
                body.extend_from_slice(&chunk);
            }
            Ok(Incoming { status: answer.status(), headers: std::mem::take(answer.headers_mut()), body: body.freeze() })
        };
        timeout_at(until.instant(), exchange)
            .await
            .unwrap_or_else(|_| Err(Fault::new(Outcome::Timeout, format!("{host} has not answered in time"))))
    }
}
