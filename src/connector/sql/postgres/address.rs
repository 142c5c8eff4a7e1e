//! The address of a server, read once and held against what must not be: unknown parameters, passwords in the clear.
//!
//! Errors name parameters and hosts' kinds, never a part of the address.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::connector::sql::place::Url;

/// What an address may say after its `?`; the driver would log what it does not know, with its value.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// How a server is connected to. Files of the address are in `folder`.
///
/// Without an `sslmode` in the address the server has to prove who it is (`verify-full`), unless it is on this machine: a
/// password is sent in the clear only to where somebody wrote that it may be.
///
/// # Errors
/// What is wrong with the address; never a part of it.
pub(super) fn options(url: &Url, key: &str, folder: &Path) -> Result<PgConnectOptions, String> {
    let parsed = reqwest::Url::parse(url.expose()).map_err(|error| {
        format!("`{key}` is no address: {error}; write characters such as @ and / in a password as %40 and %2F")
    })?;
    let mut says_mode = false;
    let mut names_application = false;
    let (mut root, mut certificate, mut private) = (None, None, None);
    for (name, value) in parsed.query_pairs() {
        let known = PARAMETERS.contains(&name.as_ref()) || name.starts_with("options[");
        if !known {
            // A name may be a value whose & was forgotten, so it is shown only when it looks like a name.
            let named = name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && name.len() < 30;
            let shown = if named { format!(" `{name}`") } else { String::new() };
            return Err(format!(
                "`{key}` has the parameter{shown} in its address, which legwork does not know; take it out"
            ));
        }
        match name.as_ref() {
            "sslmode" | "ssl-mode" => {
                PgSslMode::from_str(&value).map_err(|_| {
                    format!("`{key}` has no known `sslmode`: write disable, prefer, require, verify-ca or verify-full")
                })?;
                says_mode = true;
            }
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => root = Some(folder.join(value.as_ref())),
            "sslcert" | "ssl-cert" => certificate = Some(folder.join(value.as_ref())),
            "sslkey" | "ssl-key" => private = Some(folder.join(value.as_ref())),
            "application_name" => names_application = true,
            _ => {}
        }
    }
    let wrong = |_| format!("`{key}` is no address of a PostgreSQL server; write postgres://USER:PASSWORD@HOST/DATABASE");
    let mut options = PgConnectOptions::from_str(url.expose()).map_err(wrong)?;
    if options.get_database().is_none() {
        return Err(format!("`{key}` names no database; end its address with /DATABASE"));
    }
    if !says_mode {
        let here = options.get_socket().is_some() || is_here(options.get_host());
        options = options.ssl_mode(if here { PgSslMode::Prefer } else { PgSslMode::VerifyFull });
    }
    if let Some(root) = root {
        options = options.ssl_root_cert(root);
    }
    if let Some(certificate) = certificate {
        options = options.ssl_client_cert(certificate);
    }
    if let Some(private) = private {
        options = options.ssl_client_key(private);
    }
    if !names_application {
        options = options.application_name("legwork");
    }
    Ok(options.extra_float_digits(None).disable_statement_logging())
}

/// Whether a host is this machine, without asking anybody.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn read(url: &str) -> Result<PgConnectOptions, String> {
        options(&Url::from(&Secret::new(url.to_owned())), "database", Path::new("/project"))
    }

    fn mode(url: &str) -> String {
        format!("{:?}", read(url).unwrap().get_ssl_mode())
    }

    #[test]
    fn a_password_goes_in_the_clear_only_where_somebody_wrote_so() {
        for url in ["localhost", "127.0.0.1:5433", "[::1]", "127.9.9.9"] {
            assert_eq!(mode(&format!("postgres://u:p@{url}/d")), "Prefer", "{url}");
        }
        assert_eq!(mode("postgres://u@%2Fvar%2Frun%2Fpostgresql/d"), "Prefer");
        for url in ["db.example.com", "10.0.0.7", "localhost.example.com", "[fd00::1]"] {
            assert_eq!(mode(&format!("postgresql://u:p@{url}/d")), "VerifyFull", "{url}");
        }
        assert_eq!(mode("postgres://u:p@localhost/d?host=db.example.com"), "VerifyFull");
        assert_eq!(mode("postgres://u:p@db.example.com/d?sslmode=disable"), "Disable");
        assert_eq!(mode("postgres://u:p@db.example.com/d?sslmode=require"), "Require");
        assert_eq!(mode("postgres://u:p@localhost/d?sslmode=verify-full"), "VerifyFull");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_address() {
        let cases = [
            ("postgres://u:sekret@h/d?sslmode=sekret", "no known `sslmode`"),
            ("postgres://u:sekret@h/d?channel_binding=sekret", "the parameter `channel_binding`"),
            ("postgres://u:p@h/d?SEKRET=1", "has the parameter in its address"),
            ("postgres://u:sek/ret@h/d", "%2F"),
            ("postgres://u:sekret@h", "names no database"),
            ("postgres://u:sekret@h:99999999/d", "no address"),
        ];
        for (url, says) in cases {
            let said = read(url).unwrap_err();
            assert!(said.contains(says), "{url}: {said}");
            assert!(!said.to_lowercase().contains("sek"), "{said}");
        }
    }
}
