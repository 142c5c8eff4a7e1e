//! Lists in a sentence.

use super::locale::{Language, Locale};

/// The entries with commas, and another word before the last: `a, b and c`.
#[must_use]
pub fn joined<T: AsRef<str>>(items: &[T], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [init @ .., end] => {
            let init: Vec<&str> = init.iter().map(AsRef::as_ref).collect();
            format!("{} {} {}", init.join(", "), last.trim(), end.as_ref())
        }
    }
}

/// The word for `and`.
#[must_use]
pub fn and(locale: &Locale) -> &'static str {
    match locale.language() {
        Language::English => "and",
        Language::German => "und",
    }
}

/// The word for `or`.
#[must_use]
pub fn or(locale: &Locale) -> &'static str {
    match locale.language() {
        Language::English => "or",
        Language::German => "oder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_differs() {
        let de = Locale::parse("de");
        assert_eq!(joined::<&str>(&[], "and"), "");
        assert_eq!(joined(&["a"], "and"), "a");
        assert_eq!(joined(&["a", "b"], and(&de)), "a und b");
        assert_eq!(joined(&["a", "b", "c"], "and"), "a, b and c");
        assert_eq!(joined(&["a", "b", "c"], or(&de)), "a, b oder c");
        assert_eq!(joined(&["a", "b", "c"], " as well as "), "a, b as well as c");
    }
}
