//! Which form of a word goes with a number.

use fixed_decimal::Decimal;
use icu_plurals::{PluralCategory, PluralRules, PluralRulesOptions};

use super::locale::Locale;

/// The name of the form: `zero`, `one`, `two`, `few`, `many` or `other`. 1.0 is written with a decimal and so is `other` in
/// English.
#[must_use]
pub fn form(number: &serde_json::Number, locale: &Locale) -> &'static str {
    let text = number.to_string();
    let plain = text.strip_prefix('-').unwrap_or(&text);
    let Ok(rules) = PluralRules::try_new(locale.icu().into(), PluralRulesOptions::default()) else { return "other" };
    let category = plain.parse::<Decimal>().map_or(PluralCategory::Other, |decimal| rules.category_for(&decimal));
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_follow_the_language() {
        let form = |json: &str, tag: &str| super::form(&json.parse().unwrap(), &Locale::parse(tag));
        assert_eq!(form("1", "en"), "one");
        assert_eq!(form("0", "en"), "other");
        assert_eq!(form("-1", "de"), "one");
        assert_eq!(form("1.5", "en"), "other");
        assert_eq!(form("3", "pl"), "few");
        assert_eq!(form("5", "pl"), "many");
        assert_eq!(form("0", "fr"), "one");
        assert_eq!(form("1e300", "en"), "other");
    }
}
