//! The keys that every connection has, whatever its connector: mode, share, faults and private hosts; how patiently a system
//! is asked is read in `patience`.

use std::time::Duration;

use super::secret_written;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::connector::{Certificate, Faults, Mode, Patience, Percent, Proxy, Reach, Rules};
use crate::secret::Reference;
use crate::spec::{Kind, Map, Node};
use crate::time::duration;

/// Reads the rules of a connection. `production` refuses faults.
pub(super) fn rules(written: &Map<Node>, production: bool, out: &mut Diagnostics) -> Rules {
    Rules {
        mode: written.get("mode").and_then(|node| mode(node, out)).unwrap_or_default(),
        share: written.get("share").and_then(|node| percent(node, out)),
        faults: written.get("faults").map(|node| faults(node, production, out)).unwrap_or_default(),
        allow_private: written.get("allow_private").map(|node| hosts(node, out)).unwrap_or_default(),
        stand_in: written.get("stand_in").and_then(|node| stand_in(node, production, out)),
        reach: reach(written, out),
        patience: Patience::default(),
    }
}

fn mode(node: &Node, out: &mut Diagnostics) -> Option<Mode> {
    // YAML readers of old take a bare `off` for false.
    let name = match node.kind {
        Kind::Bool(false) => "off".to_owned(),
        _ => node.scalar_text().unwrap_or_default(),
    };
    let found = Mode::ALL.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode);
    if found.is_none() {
        let diagnostic = Diagnostic::at(Code::BadValue, &node.span, format!("there is no mode `{name}`"));
        out.push(diagnostic.did_you_mean(&name, Mode::ALL.iter().map(|(name, _)| *name)));
    }
    found
}

fn percent(node: &Node, out: &mut Diagnostics) -> Option<Percent> {
    let read = Percent::parse(&node.scalar_text().unwrap_or_default());
    read.map_err(|reason| {
        out.push(Diagnostic::at(Code::BadValue, &node.span, reason).help("write a share such as 10%, from 0% to 100%"))
    })
    .ok()
}

fn faults(node: &Node, production: bool, out: &mut Diagnostics) -> Faults {
    let mut faults = Faults::default();
    let Kind::Map(entries) = &node.kind else {
        out.push(
            Diagnostic::at(Code::WrongType, &node.span, "`faults` is a mapping, such as { latency: 2s, errors: 10% }")
                .help("write at least one of latency, errors, malformed and resets"),
        );
        return faults;
    };
    if production {
        let diagnostic =
            Diagnostic::at(Code::BadValue, &node.span, "nothing goes wrong on purpose in `profile: production`");
        out.push(diagnostic.help("take `faults` out, or rehearse with `profile: test`"));
    }
    for (key, value) in entries {
        match key.name.as_str() {
            "latency" => faults.latency = latency(value, out),
            "errors" => faults.errors = percent(value, out),
            "malformed" => faults.malformed = percent(value, out),
            "resets" => faults.resets = percent(value, out),
            other => {
                let diagnostic = Diagnostic::at(Code::UnknownKey, &key.span, format!("`faults` has no key `{other}`"));
                out.push(diagnostic.did_you_mean(other, ["latency", "errors", "malformed", "resets"]));
            }
        }
    }
    faults
}

fn latency(node: &Node, out: &mut Diagnostics) -> Option<Duration> {
    let read = duration(&node.scalar_text().unwrap_or_default());
    read.map_err(|reason| {
        out.push(Diagnostic::at(Code::BadValue, &node.span, reason).help("write a number and a unit, such as 500ms or 2s"))
    })
    .ok()
}

/// How the hosts are reached and trusted.
fn reach(written: &Map<Node>, out: &mut Diagnostics) -> Reach {
    let mut text = |key: &str| {
        let node = written.get(key)?;
        let text = node.scalar_text().filter(|text| !text.is_empty());
        if text.is_none() {
            let diagnostic =
                Diagnostic::at(Code::WrongType, &node.span, format!("a text is needed here, not {}", node.what()));
            out.push(diagnostic.help("write a file's path in the project's folder, or the proxy's address"));
        }
        text
    };
    let (authorities, address, password) = (text("authorities"), text("proxy"), text("certificate_password"));
    let (certificate, key) = (text("certificate"), text("certificate_key"));
    let mut secret = |key: &str, text: &str| {
        let reference = Reference::parse(text);
        if let (None, Some(node)) = (&reference, written.get(key)) {
            out.push(secret_written(&node.span));
        }
        reference
    };
    let password = password.and_then(|text| secret("certificate_password", &text));
    let proxy = address.and_then(|text| match Reference::parse(&text) {
        Some(reference) => Some(Proxy::Kept(reference)),
        // What stands before an @ is a user with a password.
        None if text.contains('@') => secret("proxy", &text).map(Proxy::Kept),
        None => Some(Proxy::Written(text)),
    });
    let identity = match (certificate, key) {
        (Some(file), Some(key)) => Some(Certificate { file, key, password }),
        (None, None) if password.is_none() => None,
        _ => {
            let keys = ["certificate", "certificate_key", "certificate_password"];
            let node = keys.into_iter().find_map(|key| written.get(key));
            if let Some(node) = node {
                let diagnostic = Diagnostic::at(Code::MissingKey, &node.span, "a certificate and its key belong together");
                out.push(diagnostic.help("write both `certificate` and `certificate_key`, PEM files"));
            }
            None
        }
    };
    Reach { authorities, identity, proxy }
}

/// The address of something on this machine that plays the vendor.
fn stand_in(node: &Node, production: bool, out: &mut Diagnostics) -> Option<String> {
    if production {
        out.push(
            Diagnostic::at(Code::BadValue, &node.span, "nothing stands in for a vendor in `profile: production`")
                .help("take `stand_in` out, or rehearse with `profile: test`"),
        );
    }
    let address = node.scalar_text().filter(|text| text.starts_with("http://") || text.starts_with("https://"));
    if address.is_none() {
        out.push(
            Diagnostic::at(Code::BadValue, &node.span, "an address such as http://127.0.0.1:4010 is needed here")
                .help("write scheme, host and port"),
        );
    }
    address
}

fn hosts(node: &Node, out: &mut Diagnostics) -> Vec<String> {
    let one = |node: &Node| {
        let host =
            node.scalar_text().filter(|host| !host.is_empty() && !host.contains(['/', '*', '@']) && !host.contains("://"));
        if host.is_none() {
            let diagnostic = Diagnostic::at(Code::BadValue, &node.span, "a host's name or address is needed here");
            out.push(diagnostic.help("write it as it stands in the address: `crm.intern.example`, without scheme and path"));
        }
        host
    };
    match &node.kind {
        Kind::List(items) => items.iter().filter_map(one).collect(),
        _ => {
            out.push(
                Diagnostic::at(Code::WrongType, &node.span, "a list of hosts is needed here")
                    .help("write [crm.intern.example]"),
            );
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::File;
    use crate::spec::{Shape as _, yaml};

    fn read(text: &str, production: bool) -> (Rules, Vec<String>) {
        let mut out = Diagnostics::default();
        let tree = yaml::parse(&File::new("legwork.yml", text)).unwrap();
        let written = Map::<Node>::read(&tree, &mut out).unwrap();
        let rules = rules(&written, production, &mut out);
        (rules, out.into_sorted().into_iter().map(|it| it.message).collect())
    }

    #[test]
    fn a_connection_without_rules_is_live() {
        assert_eq!(read("connector: sandbox\n", true), (Rules::default(), Vec::new()));
    }

    #[test]
    fn the_rules_of_a_connection_are_read() {
        let (rules, wrong) =
            read("mode: off\nshare: 10%\nfaults: { latency: 2s, errors: 5% }\nallow_private: [localhost]\n", false);
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!((rules.mode, rules.share), (Mode::Off, Percent::new(10).ok()));
        assert_eq!((rules.faults.latency, rules.faults.errors), (Some(Duration::from_secs(2)), Percent::new(5).ok()));
        assert_eq!(rules.allow_private, ["localhost"]);
    }

    #[test]
    fn a_connection_says_whom_it_trusts_and_who_it_is() {
        let text = "authorities: ca.pem\ncertificate: us.pem\ncertificate_key: us.key\ncertificate_password: ${PW}\n\
             proxy: http://proxy:3128\n";
        let (rules, wrong) = read(text, true);
        assert_eq!(wrong, Vec::<String>::new());
        let certificate =
            Certificate { file: "us.pem".to_owned(), key: "us.key".to_owned(), password: Reference::parse("${PW}") };
        assert_eq!(rules.reach.identity, Some(certificate));
        assert_eq!(rules.reach.authorities.as_deref(), Some("ca.pem"));
        assert_eq!(rules.reach.proxy, Some(Proxy::Written("http://proxy:3128".to_owned())));
        assert_eq!(read("certificate: us.pem\n", true).1, ["a certificate and its key belong together"]);
    }

    #[test]
    fn passwords_are_references() {
        let (rules, wrong) = read("proxy: ${file:proxy.txt}\n", true);
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(rules.reach.proxy, Some(Proxy::Kept(Reference::File("proxy.txt".to_owned()))));
        let written = "a secret is not written into the file";
        assert_eq!(read("proxy: http://us:hunter2@proxy:3128\n", true).1, [written]);
        let (_, wrong) = read("certificate: a\ncertificate_key: b\ncertificate_password: hunter2\n", true);
        assert_eq!(wrong, [written]);
    }

    #[test]
    fn what_is_wrong_is_said_and_production_refuses_faults() {
        let (_, wrong) = read("mode: raedonly\nshare: 10\nfaults: { erors: 1% }\nallow_private: ['http://a']\n", true);
        assert_eq!(wrong.len(), 5, "{wrong:?}");
    }
}
