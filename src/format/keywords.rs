//! Words in free text: which keywords it has, and how urgent it sounds.
//!
//! A keyword is a word or a phrase, found where whole words match, whatever their case; `refund*` matches words that begin
//! so. A negated word (`not urgent`, `nicht dringend`) does not count.

use super::locale::{Language, Locale};

/// How urgent a text sounds, from least to most.
pub const SEVERITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

const LOW_EN: &[&str] =
    &["whenever", "no rush", "no hurry", "minor", "low priority", "nice to have", "just wondering", "cosmetic", "typo"];
const HIGH_EN: &[&str] = &[
    "broken",
    "not working",
    "doesn't work",
    "does not work",
    "won't work",
    "can't",
    "cannot",
    "failed",
    "fails",
    "failing",
    "error",
    "errors",
    "stuck",
    "important",
    "blocked",
    "crash*",
    "wrong",
    "missing",
    "high priority",
    "unable",
    "damaged",
    "defective",
];
const URGENT_EN: &[&str] = &[
    "urgent",
    "urgently",
    "asap",
    "as soon as possible",
    "immediately",
    "emergency",
    "critical",
    "right away",
    "right now",
    "outage",
    "production down",
    "is down",
    "security",
    "hacked",
    "breach*",
    "fraud*",
    "stolen",
    "data loss",
    "fire",
    "injured",
    "danger*",
];
const LOW_DE: &[&str] =
    &["irgendwann", "keine eile", "eilt nicht", "kleinigkeit", "unwichtig", "nebenbei", "schönheitsfehler", "tippfehler"];
const HIGH_DE: &[&str] = &[
    "kaputt",
    "defekt*",
    "funktioniert nicht",
    "geht nicht",
    "fehler",
    "fehlermeldung*",
    "wichtig",
    "blockiert",
    "abgestürzt",
    "absturz",
    "falsch",
    "fehlt",
    "beschädigt",
    "kann nicht",
    "hängt",
    "störung*",
];
const URGENT_DE: &[&str] = &[
    "dringend",
    "dringende",
    "sofort",
    "so schnell wie möglich",
    "asap",
    "notfall",
    "kritisch",
    "umgehend",
    "unverzüglich",
    "ausfall",
    "ausgefallen",
    "gehackt",
    "betrug*",
    "gestohlen",
    "datenverlust",
    "sicherheitslücke*",
    "gefahr",
    "gefährlich",
    "verletzt",
    "brand",
];

/// The built-in words of a severity, least urgent first; `normal` has none, it is what remains.
#[must_use]
pub fn builtin(locale: &Locale) -> [(&'static str, &'static [&'static str]); 3] {
    match locale.language() {
        Language::English => [("low", LOW_EN), ("high", HIGH_EN), ("urgent", URGENT_EN)],
        Language::German => [("low", LOW_DE), ("high", HIGH_DE), ("urgent", URGENT_DE)],
    }
}

/// The keywords of the list that are in the text, in the order of the list, each once.
pub fn keywords<'a, T: AsRef<str>>(text: &str, list: &'a [T]) -> Vec<&'a str> {
    let words = words(text);
    let mut found = Vec::new();
    for keyword in list {
        let keyword = keyword.as_ref();
        if has(&words, keyword) && !found.contains(&keyword) {
            found.push(keyword);
        }
    }
    found
}

/// The most urgent level, lists going from least to most urgent, that has a word in the text; `normal` when none has.
pub fn severity<'a, L: AsRef<str>, T: AsRef<str>>(text: &str, levels: &'a [(L, Vec<T>)]) -> &'a str {
    let words = words(text);
    let level = levels.iter().rev().find(|(_, list)| list.iter().any(|keyword| has(&words, keyword.as_ref())));
    level.map_or("normal", |(level, _)| level.as_ref())
}

/// The severity by the built-in words of the locale.
#[must_use]
pub fn builtin_severity(text: &str, locale: &Locale) -> &'static str {
    let words = words(text);
    let level = builtin(locale).into_iter().rev().find(|(_, list)| list.iter().any(|keyword| has(&words, keyword)));
    level.map_or("normal", |(level, _)| level)
}

/// The words in small letters, with an empty one where a clause ends.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in text.to_lowercase().chars().chain(std::iter::once(' ')) {
        match c {
            '’' => word.push('\''),
            c if c.is_alphanumeric() || c == '\'' => word.push(c),
            c => {
                let whole = word.trim_matches('\'');
                if !whole.is_empty() {
                    words.push(whole.to_owned());
                }
                word.clear();
                if matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | '\n') {
                    words.push(String::new());
                }
            }
        }
    }
    words
}

fn has(text: &[String], keyword: &str) -> bool {
    let prefix = keyword.trim_end().ends_with('*');
    let mut keyword = words(keyword);
    keyword.retain(|word| !word.is_empty());
    if keyword.is_empty() {
        return false;
    }
    text.windows(keyword.len()).enumerate().any(|(at, window)| {
        let last = keyword.len() - 1;
        let fits = window.iter().zip(&keyword).enumerate().all(|(index, (word, wanted))| match prefix && index == last {
            true => word.starts_with(wanted.as_str()),
            false => word == wanted,
        });
        fits && !negated(text, at)
    })
}

/// Whether one of the two words before, in the same clause, says that it is not so.
fn negated(text: &[String], at: usize) -> bool {
    const NOT: [&str; 11] = ["not", "isn't", "no", "never", "without", "nicht", "kein", "keine", "keinen", "nie", "ohne"];
    let before = text.get(at.saturating_sub(2)..at).unwrap_or_default();
    before.iter().rev().take_while(|word| !word.is_empty()).any(|word| NOT.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_words_and_phrases() {
        let list = ["refund*", "late", "credit card", "Größe"];
        assert_eq!(keywords("I want my money REFUNDED, my Credit-Card…", &list), ["refund*", "credit card"]);
        assert_eq!(keywords("translate this", &list), Vec::<&str>::new());
        assert_eq!(keywords("it is not late, no refund", &list), Vec::<&str>::new());
        assert_eq!(keywords("die grÖße, late late", &list), ["late", "Größe"]);
        assert_eq!(keywords("anything", &["", "*"]), Vec::<&str>::new());
    }

    #[test]
    fn severity_is_the_most_urgent_that_is_said() {
        let (en, de) = (Locale::parse("en"), Locale::parse("de"));
        assert_eq!(builtin_severity("The site is down and it's URGENT", &en), "urgent");
        assert_eq!(builtin_severity("my login isn't urgent, no rush", &en), "low");
        assert_eq!(builtin_severity("I can’t log in", &en), "high");
        assert_eq!(builtin_severity("Where is my order?", &en), "normal");
        assert_eq!(builtin_severity("Drucker funktioniert nicht", &de), "high");
        assert_eq!(builtin_severity("Es ist nicht dringend", &de), "normal");
        assert_eq!(builtin_severity("Bitte sofort!", &de), "urgent");
        let own = [("low", vec!["maybe"]), ("high", vec!["refund*"])];
        assert_eq!(severity("a refund maybe", &own), "high");
        assert_eq!(severity("urgent", &own), "normal");
        assert!(builtin(&en).iter().all(|(level, _)| SEVERITIES.contains(level)));
    }
}
