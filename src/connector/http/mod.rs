//! HTTP: the one client that requests leave through.
//!
//! [`client`] sends a request and reads the answer; which addresses may be reached is decided in `address`, how names become
//! addresses in `resolve`, and what a failure means in `failed`.

mod address;
mod client;
mod failed;
mod resolve;

pub(in crate::connector) use client::{Client, ClientOptions, Identity, Incoming, Outgoing, may_carry_secrets, shown};
pub(in crate::connector) use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub(in crate::connector) use reqwest::{Method, StatusCode, Url};
#[cfg(test)]
pub(in crate::connector) use resolve::Lookup;

#[cfg(test)]
pub(in crate::connector) mod fake;
#[cfg(test)]
mod tests;
