//! From names to addresses that may be reached.
//!
//! The check stands where a connection is made and not before it, so that a name cannot change its address in between.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Finds the addresses of a name.
pub(in crate::connector) trait Lookup: Send + Sync {
    /// The addresses.
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
pub(super) struct System;

impl Lookup for System {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The hosts that may have private addresses, by name, in lower case and without the brackets of IPv6.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed(Arc<HashSet<String>>);

impl Allowed {
    pub(super) fn new<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(Arc::new(hosts.into_iter().map(bare).collect()))
    }

    pub(super) fn has(&self, host: &str) -> bool {
        self.0.contains(&bare(host))
    }
}

fn bare(host: &str) -> String {
    host.trim().trim_start_matches('[').trim_end_matches([']', '.']).to_lowercase()
}

/// Whether a host is this machine by its name alone. [`Guarded`] sees to it that such names lead nowhere else.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = bare(host);
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A resolver that leaves out the addresses that may not be reached.
pub(super) struct Guarded {
    pub(super) inner: Arc<dyn Lookup>,
    pub(super) allowed: Allowed,
}

/// Why a name has no address to go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAddress {
    /// There is no such name.
    #[error("no such host is known")]
    Unknown,
    /// Who knows could not be asked.
    #[error("its address cannot be looked up at the moment")]
    Unanswered,
    /// It has only addresses that may not be reached.
    #[error("it leads to a private address")]
    Private,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let found = self.inner.lookup(host.clone());
        let allowed = self.allowed.clone();
        Box::pin(async move {
            let found = found.await.map_err(|error| because(&error))?;
            if found.is_empty() {
                return Err(NoAddress::Unknown.into());
            }
            let may = |address: &IpAddr| match is_loopback(&host) {
                true => address.is_loopback() && allowed.has(&host),
                false => is_public(*address) || allowed.has(&host),
            };
            let kept: Vec<_> = found.into_iter().filter(may).map(|address| SocketAddr::new(address, 0)).collect();
            if kept.is_empty() {
                return Err(NoAddress::Private.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// The standard library tells a name that does not exist from a resolver that does not answer in the text alone.
fn because(error: &io::Error) -> NoAddress {
    let text = error.to_string();
    let later = text.contains("Temporary failure") || text.contains("Try again") || error.kind() == io::ErrorKind::TimedOut;
    if later { NoAddress::Unanswered } else { NoAddress::Unknown }
}
