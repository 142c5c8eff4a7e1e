//! A locale, parsed once: the language of the words, and how numbers are written.
//!
//! A language without words of its own gets English ones; its separators and plural rules stay its own.

use std::fmt;
use std::sync::Arc;

use fixed_decimal::Decimal;
use icu_decimal::DecimalFormatter;

/// The languages that have words here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, and what every other language falls back to.
    English,
    /// German.
    German,
}

/// A language and region with its way of writing numbers. Cheap to clone.
#[derive(Clone)]
pub struct Locale(Arc<Inner>);

struct Inner {
    tag: String,
    icu: icu_locale_core::Locale,
    language: Language,
    symbols: Symbols,
    names: chrono::Locale,
}

/// How numbers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    /// Between whole and part.
    pub decimal: String,
    /// Between groups of digits.
    pub group: String,
    /// Before a negative number.
    pub minus: String,
    /// How many digits the last group has; none are grouped when it is 0.
    pub primary: usize,
    /// How many the others have.
    pub secondary: usize,
    /// How many digits must stand before the last group for there to be a separator.
    pub least: usize,
    /// The digits from 0 on.
    pub digits: [char; 10],
}

impl Locale {
    /// The locale of a tag such as `en`, `de-AT` or `de_AT`; English for what is not one.
    #[must_use]
    pub fn parse(tag: &str) -> Self {
        let plain = tag.trim().split(['.', '@']).next().unwrap_or_default().replace('_', "-");
        let icu = plain.parse().unwrap_or(icu_locale_core::locale!("en"));
        let language = match icu.id.language.as_str() {
            "de" => Language::German,
            _ => Language::English,
        };
        let symbols = Symbols::of(&icu).unwrap_or_else(Symbols::english);
        let names = names(icu.id.language.as_str(), icu.id.region.map(|region| region.as_str().to_owned()).as_deref());
        Self(Arc::new(Inner { tag: icu.to_string(), icu, language, symbols, names }))
    }

    /// The language of a tag, `de` of `de-AT`, without the cost of parsing it.
    #[must_use]
    pub fn language_of(tag: &str) -> &str {
        tag.split(['-', '_', '.', '@']).next().unwrap_or(tag)
    }

    /// The tag, as `de-AT`.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// The language of the words.
    #[must_use]
    pub fn language(&self) -> Language {
        self.0.language
    }

    /// How numbers are written.
    #[must_use]
    pub fn symbols(&self) -> &Symbols {
        &self.0.symbols
    }

    /// The region, where the tag has one: `AT`.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.0.icu.id.region.map(|region| region.as_str().to_owned())
    }

    /// The language subtag: `de`.
    #[must_use]
    pub fn language_tag(&self) -> String {
        self.0.icu.id.language.as_str().to_owned()
    }

    pub(super) fn icu(&self) -> &icu_locale_core::Locale {
        &self.0.icu
    }

    /// The locale whose month and weekday names `strftime` uses.
    pub(super) fn names(&self) -> chrono::Locale {
        self.0.names
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self::parse("en")
    }
}

impl PartialEq for Locale {
    fn eq(&self, other: &Self) -> bool {
        self.0.tag == other.0.tag
    }
}

impl Eq for Locale {}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.tag)
    }
}

impl Symbols {
    fn english() -> Self {
        let (decimal, group, minus) = (".".to_owned(), ",".to_owned(), "-".to_owned());
        let digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
        Self { decimal, group, minus, primary: 3, secondary: 3, least: 1, digits }
    }

    /// Reads the symbols off formatted numbers, which keeps the formatter (not shareable between threads) out of the locale.
    fn of(icu: &icu_locale_core::Locale) -> Option<Self> {
        let formatter =
            DecimalFormatter::try_new(icu.into(), icu_decimal::options::DecimalFormatterOptions::default()).ok()?;
        let show = |number: &str| number.parse::<Decimal>().ok().map(|decimal| formatter.format(&decimal).to_string());
        let mut digits = ['0'; 10];
        for (value, digit) in digits.iter_mut().enumerate() {
            *digit = show(&value.to_string())?.chars().next()?;
        }
        let is_digit = |c: &char| digits.contains(c);
        let between = |text: &str| -> Vec<(String, usize)> {
            let mut gaps = Vec::new();
            let (mut gap, mut seen) = (String::new(), 0);
            for c in text.chars() {
                if is_digit(&c) {
                    if !gap.is_empty() {
                        gaps.push((std::mem::take(&mut gap), seen));
                    }
                    seen += 1;
                } else {
                    gap.push(c);
                }
            }
            gaps
        };
        let decimal = between(&show("0.5")?).first()?.0.clone();
        let groups = between(&show("123456789012")?);
        let minus: String = show("-1")?.chars().take_while(|c| !is_digit(c)).collect();
        let (primary, secondary, group) = match groups.as_slice() {
            [] => (0, 0, String::new()),
            [.., (before, second), (group, last)] => {
                debug_assert_eq!(before, group);
                (12 - last, last - second, group.clone())
            }
            [(group, last)] => (12 - last, 12 - last, group.clone()),
        };
        let least = if between(&show("1234")?).is_empty() { 2 } else { 1 };
        Some(Self { decimal, group, minus, primary, secondary, least, digits })
    }
}

/// The locale of month and weekday names for a language and region, else English ones.
fn names(language: &str, region: Option<&str>) -> chrono::Locale {
    let home = match language {
        "en" => "US",
        "cs" => "CZ",
        "da" => "DK",
        "el" => "GR",
        "et" => "EE",
        "ja" => "JP",
        "ko" => "KR",
        "nb" => "NO",
        "sl" => "SI",
        "sv" => "SE",
        "uk" => "UA",
        "zh" => "CN",
        "hi" => "IN",
        "he" => "IL",
        "pt" => "PT",
        other => &other.to_uppercase(),
    };
    let exact = region.and_then(|region| format!("{language}_{region}").parse().ok());
    exact.or_else(|| format!("{language}_{home}").parse().ok()).unwrap_or(chrono::Locale::en_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_the_language_s_own() {
        for (tag, decimal, group, language) in [
            ("en", ".", ",", Language::English),
            ("en-IN", ".", ",", Language::English),
            ("de", ",", ".", Language::German),
            ("de_AT.UTF-8", ",", "\u{a0}", Language::German),
            ("de-CH", ".", "'", Language::German),
            ("fr", ",", "\u{202f}", Language::English),
            ("not a tag!", ".", ",", Language::English),
            ("", ".", ",", Language::English),
            ("xx", ".", ",", Language::English),
        ] {
            let locale = Locale::parse(tag);
            assert_eq!((locale.symbols().decimal.as_str(), locale.symbols().group.as_str()), (decimal, group), "{tag}");
            assert_eq!(locale.language(), language, "{tag}");
        }
        assert_eq!(Locale::parse("en-IN").symbols().secondary, 2);
        assert_eq!(Locale::parse("es").symbols().least, 2);
        assert_eq!(Locale::parse("de-at").tag(), "de-AT");
        assert_eq!(Locale::parse("de-AT").names(), chrono::Locale::de_AT);
        assert_eq!(Locale::parse("fr").names(), chrono::Locale::fr_FR);
        assert_eq!(Locale::parse("en-AT").names(), chrono::Locale::en_US);
        fn shareable<T: Send + Sync + 'static>() {}
        shareable::<Locale>();
    }
}
