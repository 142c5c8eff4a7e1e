//! E-mail addresses: read and normalised. Whether the address exists is not asked.

use email_address::{EmailAddress, Options};

use super::context::Refusal;

/// The address, with its domain in small letters.
///
/// # Errors
/// When it is not one address with a domain that has a dot.
pub fn read(text: &str) -> Result<String, Refusal> {
    let text = text.trim().trim_start_matches("mailto:");
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let address = EmailAddress::parse_with_options(text, options).map_err(|_| Refusal::new("not an e-mail address"))?;
    Ok(format!("{}@{}", address.local_part(), address.domain().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised() {
        for (given, expected) in [
            (" Sarah@Example.COM ", Some("Sarah@example.com")),
            ("mailto:a.b+c@x.co.uk", Some("a.b+c@x.co.uk")),
            ("jörg@bücher.at", Some("jörg@bücher.at")),
            ("a@localhost", None),
            ("a@[127.0.0.1]", None),
            ("Sarah <sarah@example.com>", None),
            ("a@b.c, d@e.f", None),
            ("sarah.example.com", None),
            ("a b@example.com", None),
            ("a@example.com\nBcc: x@y.z", None),
            ("", None),
        ] {
            assert_eq!(read(given).ok().as_deref(), expected, "{given:?}");
        }
    }
}
