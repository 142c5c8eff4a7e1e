//! What a request that got no answer means, said without anything of its address but the host.

use std::error::Error;

use super::resolve::NoAddress;
use crate::fault::{Fault, Outcome};

/// The failure of a request to `host`, as a fault.
pub(super) fn fault(error: &reqwest::Error, host: &str) -> Fault {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(why) = cause.downcast_ref::<NoAddress>() {
            return no_address(*why, host);
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return no_trust(tls, host);
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return match tls_within(io) {
                Some(tls) => no_trust(tls, host),
                None => broken(error, host, &io.kind().to_string()),
            };
        }
        if cause.to_string().contains("proxy authentication required") {
            let text = format!("the proxy before {host} asks for credentials: write them into the proxy's url");
            return Fault::new(Outcome::Misconfigured, text);
        }
        next = cause.source();
    }
    let why = if error.is_timeout() { "it does not answer" } else { "the connection failed" };
    broken(error, host, why)
}

/// The TLS error that an I/O error was made of, however often it was wrapped; it is not among the sources.
fn tls_within(error: &std::io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| tls_within(inner.downcast_ref()?))
}

fn no_address(why: NoAddress, host: &str) -> Fault {
    match why {
        NoAddress::Unknown => {
            Fault::new(Outcome::Misconfigured, format!("{host} cannot be reached: {why}; check the address"))
        }
        NoAddress::Unanswered => Fault::new(Outcome::Unavailable, format!("{host} cannot be reached: {why}")),
        NoAddress::Private => refused(host),
    }
}

/// A host that is private and was not allowed to be.
pub(super) fn refused(host: &str) -> Fault {
    let text = format!(
        "{host} leads to a private address, which nothing is sent to: name the host in `allow_private` if it is meant"
    );
    Fault::new(Outcome::Misconfigured, text)
}

fn no_trust(error: &rustls::Error, host: &str) -> Fault {
    use rustls::CertificateError as Wrong;
    let what = match error {
        rustls::Error::InvalidCertificate(wrong) => match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } => "its certificate has expired".to_owned(),
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "its certificate is not valid yet; check the clock".to_owned()
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                "its certificate is for another host".to_owned()
            }
            Wrong::UnknownIssuer => {
                "its certificate comes from an authority that is not known here; name the file of a private one".to_owned()
            }
            other => format!("its certificate is refused: {other}"),
        },
        rustls::Error::AlertReceived(alert) => {
            format!("it refuses the TLS handshake ({alert:?}); it may ask for a client certificate")
        }
        other => format!("TLS failed: {other}"),
    };
    Fault::new(Outcome::Misconfigured, format!("{host} is not trusted: {what}"))
}

fn broken(error: &reqwest::Error, host: &str, why: &str) -> Fault {
    let text = match error {
        _ if error.is_connect() && error.is_timeout() => {
            format!("{host} cannot be reached: the connection is not made in time")
        }
        _ if error.is_connect() => format!("{host} cannot be reached: {why}"),
        _ if error.is_body() || error.is_decode() => format!("{host} broke off in the middle of its answer: {why}"),
        _ => format!("{host} gave no answer: {why}"),
    };
    // A request that found no connection was not sent; of any other nobody knows how far it came.
    Fault { unsettled: !error.is_connect(), ..Fault::new(Outcome::Unavailable, text) }
}
