//! Which origins browsers may call from.
//!
//! An origin is written whole, with `*` for any run of characters within a host (`https://*.example.com`), as a regular
//! expression, or as a lone `*` for all. A pattern has to fit an origin from its first to its last character.

use axum::http::{HeaderValue, Method};
use regex::{Regex, RegexBuilder};
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// The origins that browsers may call from.
#[derive(Debug, Clone)]
pub struct Cors {
    all: bool,
    patterns: Arc<[Regex]>,
}

impl Cors {
    /// None: browsers get no say.
    #[must_use]
    pub fn none() -> Self {
        Self { all: false, patterns: Arc::new([]) }
    }

    /// The origins as `--cors` and legwork.yml list them.
    ///
    /// # Errors
    /// When one looks like a regular expression and is none.
    pub fn parse(origins: &[String]) -> Result<Self, String> {
        let origins: Vec<_> = origins.iter().map(|origin| origin.trim()).filter(|origin| !origin.is_empty()).collect();
        let patterns = origins.iter().filter(|origin| **origin != "*").map(|origin| pattern(origin));
        Ok(Self { all: origins.contains(&"*"), patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// Whether browsers may call from that origin.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        self.all || self.patterns.iter().any(|pattern| pattern.is_match(origin))
    }

    /// The layer that answers browsers; none when no origin is allowed.
    pub(super) fn layer(&self) -> Option<CorsLayer> {
        if !self.all && self.patterns.is_empty() {
            return None;
        }
        let cors = self.clone();
        let allows = move |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(|origin| cors.allows(origin));
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allows))
            .allow_methods([Method::GET, Method::POST, Method::HEAD, Method::OPTIONS])
            .allow_headers(AllowHeaders::mirror_request())
            .max_age(Duration::from_secs(3600));
        Some(layer)
    }
}

fn pattern(origin: &str) -> Result<Regex, String> {
    let is_regex = origin.contains(['\\', '[', ']', '(', ')', '+', '|', '^', '$', '?', '{', '}']);
    let inner =
        if is_regex { origin.to_owned() } else { origin.split('*').map(regex::escape).collect::<Vec<_>>().join("[^/]*") };
    RegexBuilder::new(&format!("^(?:{inner})$")).case_insensitive(true).build().map_err(|_| {
        format!("the origin `{origin}` is neither a url such as https://chat.example.com nor a regular expression")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors::parse(&origins.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn an_origin_has_to_fit_as_a_whole() {
        let cors = cors(&["https://a.example.com", "https://*.chat.example.com", r"https://[a-z]+\.test"]);
        for good in ["https://a.example.com", "HTTPS://A.example.com", "https://x.y.chat.example.com", "https://abc.test"] {
            assert!(cors.allows(good), "{good}");
        }
        for bad in [
            "https://aXexample.com",
            "https://a.example.com.evil.net",
            "https://evil.net/.chat.example.com",
            "https://abc.test.evil",
            "null",
        ] {
            assert!(!cors.allows(bad), "{bad}");
        }
    }

    #[test]
    fn a_star_is_everybody_and_nothing_is_nobody() {
        assert!(cors(&["*"]).allows("https://x"));
        assert!(!cors(&[]).allows("https://x"));
        assert!(cors(&[" "]).layer().is_none());
        assert!(Cors::parse(&["https://(x".into()]).is_err());
    }
}
