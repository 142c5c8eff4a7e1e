//! Addresses that must not be reached, however they are written and wherever a name leads.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use reqwest::dns::Resolve as _;

use super::*;
use crate::connector::http::resolve::{Allowed, Guarded};

/// Knows the addresses that it is told.
struct Book(HashMap<&'static str, Vec<IpAddr>>);

impl Lookup for Book {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let failed = |text: &str| Err(io::Error::other(format!("failed to lookup address information: {text}")));
        let found = match (self.0.get(name.as_str()), name.as_str()) {
            (Some(found), _) => Ok(found.clone()),
            (None, "later.example") => failed("Temporary failure in name resolution"),
            _ => failed("Name or service not known"),
        };
        ready(found).boxed()
    }
}

fn book(entries: &[(&'static str, &[&str])]) -> Arc<Book> {
    let parsed = |addresses: &[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
    Arc::new(Book(entries.iter().map(|(name, addresses)| (*name, parsed(addresses))).collect()))
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_spelling() {
    let fake = Fake::answering(|_| reply(200, &[], "caught")).await;
    let port = fake.address.port();
    let client = client(&ClientOptions::default());
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00::1]",
        "[ff02::1]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "api.localhost",
    ] {
        for scheme in ["http", "https"] {
            let fault = fails(&client, url(&format!("{scheme}://{host}:{port}/"))).await;
            assert_eq!(fault.outcome, Outcome::Misconfigured, "{scheme} {host}: {fault}");
        }
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn names_that_lead_to_private_addresses_are_refused() {
    let book = book(&[
        ("inside.example", &["10.0.0.1"]),
        ("self.example", &["127.0.0.1", "::1"]),
        ("metadata.example", &["169.254.169.254"]),
        ("mapped.example", &["::ffff:10.0.0.1"]),
        ("empty.example", &[]),
    ]);
    let client = Client::with_lookup(&ClientOptions::default(), book).unwrap();
    for host in ["inside.example", "self.example", "metadata.example", "mapped.example"] {
        let fault = fails(&client, url(&format!("https://{host}/"))).await;
        assert_eq!(fault.outcome, Outcome::Misconfigured, "{host}");
        assert!(fault.operator.contains("private address") && fault.operator.contains("`allow_private`"), "{fault}");
    }
    for (host, outcome) in [
        ("nowhere.example", Outcome::Misconfigured),
        ("empty.example", Outcome::Misconfigured),
        ("later.example", Outcome::Unavailable),
    ] {
        let fault = fails(&client, url(&format!("https://{host}/"))).await;
        assert_eq!(fault.outcome, outcome, "{fault}");
        assert!(fault.operator.starts_with(host), "{fault}");
    }
}

#[tokio::test]
async fn of_several_addresses_the_public_ones_are_used() {
    let inner = book(&[("mixed.example", &["10.0.0.1", "8.8.8.8", "::1"]), ("localhost", &["10.0.0.1", "127.0.0.1"])]);
    let resolve = async |allowed: &[&str], name: &str| {
        let guarded = Guarded { inner: Arc::<Book>::clone(&inner), allowed: Allowed::new(allowed.iter().copied()) };
        guarded
            .resolve(name.parse().unwrap())
            .await
            .map(|found| found.map(|address| address.ip().to_string()).collect::<Vec<_>>())
    };
    assert_eq!(resolve(&[], "mixed.example").await.unwrap(), ["8.8.8.8"]);
    assert_eq!(resolve(&["Mixed.Example"], "mixed.example").await.unwrap(), ["10.0.0.1", "8.8.8.8", "::1"]);
    assert!(resolve(&[], "localhost").await.is_err());
    // A secret may go to localhost without TLS; so nothing else may be called that.
    assert_eq!(resolve(&["localhost"], "localhost").await.unwrap(), ["127.0.0.1"]);
}

#[tokio::test]
async fn a_host_that_is_allowed_by_name_is_reached() {
    let fake = Fake::answering(|_| reply(200, &[], "inside")).await;
    let book = book(&[("erp.internal", &["127.0.0.1"])]);
    let options = ClientOptions { allow_private: vec!["ERP.internal".to_owned()], ..ClientOptions::default() };
    let client = Client::with_lookup(&options, book).unwrap();
    let at = |scheme: &str| url(&format!("{scheme}://erp.internal:{}/", fake.address.port()));
    assert_eq!(client.send(get(at("http")), soon()).await.unwrap().body, "inside");
    // No longer, once there is a secret in the request.
    for (name, marked) in [("authorization", false), ("cookie", false), ("x-token", true)] {
        let mut request = get(at("http"));
        let mut value = HeaderValue::from_static("hunter2");
        value.set_sensitive(marked);
        request.headers.insert(name, value);
        let fault = client.send(request, soon()).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Misconfigured, "{name}");
        assert!(fault.operator.contains("without TLS"), "{fault}");
    }
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn what_is_not_plain_https_is_refused() {
    let client = client(&ClientOptions::default());
    for (address, said) in [
        ("http://example.com/", "without TLS"),
        ("https://user:hunter2@example.com/", "belongs under `auth`"),
        ("ftp://example.com/", "begin with https://"),
        ("file:///etc/passwd", "has no host"),
    ] {
        let fault = fails(&client, url(address)).await;
        assert_eq!(fault.outcome, Outcome::Misconfigured, "{address}");
        assert!(fault.operator.contains(said) && !fault.operator.contains("hunter2"), "{address}: {fault}");
    }
}
