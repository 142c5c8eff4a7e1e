//! Refuses expressions so long that parsing one could run out of stack, before they are parsed.
//!
//! The parser bounds brackets and blocks by itself, but chains such as `1+1+1…` and `not not not…` nest without end.

use std::ops::Range;

use super::failure::Wrong;

/// The most words and signs that one expression may have.
const LONGEST: usize = 1000;

/// Checks a bare expression.
pub(super) fn check_expression(source: &str) -> Result<(), Wrong> {
    check(source, 0..source.len()).map(|_| ())
}

/// Checks every `{{ … }}` and `{% … %}` of a text.
pub(super) fn check_text(source: &str) -> Result<(), Wrong> {
    let mut at = 0;
    while let Some(start) = source.get(at..).and_then(|rest| rest.find('{')).map(|found| at + found) {
        at = match source.as_bytes().get(start + 1) {
            Some(b'#') => source.get(start..).and_then(|rest| rest.find("#}")).map_or(source.len(), |end| start + end + 2),
            Some(b'{' | b'%') => check(source, start + 2..source.len())?,
            _ => start + 1,
        };
    }
    Ok(())
}

/// Counts the pieces from the beginning of the range to the end of the expression, which is returned.
fn check(source: &str, range: Range<usize>) -> Result<usize, Wrong> {
    let bytes = source.as_bytes();
    let (mut at, mut pieces, mut in_word) = (range.start, 0, false);
    while let Some(byte) = bytes.get(at).filter(|_| at < range.end) {
        let piece = match byte {
            b'%' | b'}' if bytes.get(at + 1) == Some(&b'}') && range.end == source.len() && range.start > 0 => {
                return Ok(at + 2);
            }
            b'"' | b'\'' => {
                at += 1;
                while let Some(inner) = bytes.get(at).filter(|inner| *inner != byte) {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
                true
            }
            byte if byte.is_ascii_whitespace() => false,
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | 0x80..) => !in_word,
            _ => true,
        };
        in_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | 0x80..);
        pieces += usize::from(piece);
        if pieces > LONGEST {
            let message = format!("an expression of more than {LONGEST} words and signs; break it up with `let`");
            return Err(Wrong::syntax(message, range.start..range.start));
        }
        at += 1;
    }
    Ok(range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_within_one_expression() {
        assert!(check_text(&"{{ a | upper }} and {% if b %}c{% endif %} ".repeat(2000)).is_ok());
        assert!(check_text(&"plain text, (with) {signs} } ".repeat(2000)).is_ok());
        assert!(check_text(&format!("{{{{ '{}' ~ \"a\\\"b\" }}}}", "a b, ".repeat(3000))).is_ok());
        assert!(check_text(&format!("{{# {} #}}", "a b, ".repeat(3000))).is_ok());
        assert!(check_text(&format!("x {{{{ 1{} }}}}", "+1".repeat(1000))).is_err());
        assert!(check_expression(&"not ".repeat(1001)).is_err());
        assert!(check_expression(&format!("'{}'", "a ".repeat(2000))).is_ok());
        assert!(check_text("{{ 'open").is_ok());
        assert!(check_text("{{ 'open\\").is_ok());
        assert!(check_text("{").is_ok());
    }
}
