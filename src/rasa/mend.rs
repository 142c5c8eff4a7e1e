//! Makes JSON of the two things that Python writes and JSON does not have: lone surrogates become U+FFFD, and `NaN`,
//! `Infinity` and `-Infinity` become null.
//!
//! It runs only on text that a reader has refused, and leaves every other mistake as it is.

/// The text with both mended; none when there was nothing to mend.
pub(super) fn mended(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut at, mut inside) = (0, 0, false);
    while at < bytes.len() {
        let (length, instead) = match bytes[at] {
            b'"' => {
                inside = !inside;
                (1, None)
            }
            b'\\' if inside => escape(text, at),
            b'N' | b'I' | b'-' if !inside => literal(&bytes[at..]),
            _ => (1, None),
        };
        if let Some(instead) = instead {
            out.push_str(text.get(copied..at)?);
            out.push_str(instead);
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

/// The length of the escape at `at`, and what to write instead of it.
fn escape(text: &str, at: usize) -> (usize, Option<&'static str>) {
    match unit(text, at) {
        Some(0xd800..=0xdbff) => match unit(text, at + 6) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some("\\ufffd")),
        },
        Some(0xdc00..=0xdfff) => (6, Some("\\ufffd")),
        Some(_) => (6, None),
        None => (2, None),
    }
}

/// The number that `\uXXXX` at `at` stands for.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
    u16::from_str_radix(digits, 16).ok()
}

fn literal(rest: &[u8]) -> (usize, Option<&'static str>) {
    let found = ["NaN", "Infinity", "-Infinity"].iter().find(|word| rest.starts_with(word.as_bytes()));
    found.map_or((1, None), |word| (word.len(), Some("null")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        assert_eq!(mended(r#""\ud800""#).unwrap(), r#""\ufffd""#);
        assert_eq!(mended(r#""\udc00 \ud83d\ude00 \ud83d""#).unwrap(), r#""\ufffd \ud83d\ude00 \ufffd""#);
        assert_eq!(mended(r#""\ud800\ud83d\ude00""#).unwrap(), r#""\ufffd\ud83d\ude00""#);
        assert_eq!(mended(r#""\\ud800""#), None);
    }

    #[test]
    fn pythons_numbers_become_null_outside_of_texts() {
        assert_eq!(mended(r#"[NaN, -Infinity, Infinity, "NaN", -1]"#).unwrap(), r#"[null, null, null, "NaN", -1]"#);
        assert_eq!(mended(r#"{"a": "ü NaN"}"#), None);
    }

    #[test]
    fn other_mistakes_stay() {
        assert_eq!(mended(r#"["\u12", nul"#), None);
        assert_eq!(mended("\"\\"), None);
    }
}
