//! `kind: http`: runs operations over a vendor's HTTP API, as its connector's file describes it.
//!
//! [`Remote`] is an API with a company's address and credentials; `run` goes through an operation's requests, `exchange` takes
//! one of them through the layers, `build` and `encode` make it of values, `received` reads the answer and `meaning` says what
//! it means. [`client`] sends a request and reads the answer; which addresses may be reached is decided in `address`, how names
//! become addresses in `resolve`, and what a failure means in `failed`. The host comes from settings only, and no value of a
//! user reaches an error's text.

mod address;
mod batch;
mod build;
mod client;
mod encode;
mod exchange;
mod failed;
mod meaning;
mod received;
mod remote;
mod resolve;
mod run;

pub(super) use batch::Wanted;
pub(super) use client::{Client, ClientOptions, Identity, Incoming, Outgoing, may_carry_secrets, shown};
pub(super) use encode::{percent, scalar};
pub(super) use exchange::Errand;
pub(super) use remote::{Remote, host};
pub(super) use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub(super) use reqwest::{Method, StatusCode, Url};
#[cfg(test)]
pub(super) use resolve::Lookup;

#[cfg(test)]
pub(super) mod fake;
#[cfg(test)]
mod tests;
