//! Walks over one level of JSON text at a time: keys and scalars are read, containers are stepped over.
//!
//! What it reads itself it holds to JSON's grammar; what it steps over it only balances. Python's `NaN`, `Infinity` and
//! `-Infinity` pass for null. It does no more work than one pass over the text.

use std::borrow::Cow;
use std::ops::Range;

use super::{Malformed, mend, skip};

/// What a value is, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    List,
    Text,
    Number,
    Bool,
    Null,
}

/// A value that was stepped over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// What is wrong with the text, and at which byte.
#[derive(Debug)]
pub(super) struct Problem {
    what: &'static str,
    at: usize,
}

impl Problem {
    pub(super) fn new(what: &'static str, at: usize) -> Self {
        Self { what, at }
    }

    /// The problem as a part's reader tells it: `place` is the part, which begins at byte `base` of the body.
    pub(super) fn within(self, place: &str, base: usize) -> Malformed {
        Malformed::new(place, self.what, Some(base + self.at))
    }
}

/// A place in JSON text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// How many more levels may open from here.
    room: usize,
    /// Whether the container that the cursor is in had no element yet.
    fresh: bool,
}

impl<'a> Cursor<'a> {
    /// A cursor before the first byte; no container may be nested deeper than `room`, the outermost being one.
    pub(super) fn new(text: &'a str, room: usize) -> Self {
        Self { text, at: 0, room, fresh: true }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What the next value is; none when no value can begin with the next byte.
    pub(super) fn kind(&mut self) -> Option<Kind> {
        self.blanks();
        Some(match self.peek()? {
            b'{' => Kind::Object,
            b'[' => Kind::List,
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Bool,
            b'n' | b'N' | b'I' => Kind::Null,
            b'-' if self.rest().starts_with(b"-I") => Kind::Null,
            b'-' | b'0'..=b'9' => Kind::Number,
            _ => return None,
        })
    }

    /// Goes behind the opening bracket that [`Self::kind`] found.
    pub(super) fn enter(&mut self) -> Option<()> {
        self.room = self.room.checked_sub(1)?;
        self.at += 1;
        self.fresh = true;
        Some(())
    }

    /// The next key of the object that was entered, with the cursor before its value; none at the object's end, which the
    /// cursor leaves.
    pub(super) fn next_key(&mut self) -> Result<Option<Cow<'a, str>>, Problem> {
        if self.ended(b'}', "expected `,` or `}`")? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return Err(Problem::new("expected a key in double quotes", self.at));
        }
        let (range, escaped) = self.quoted()?;
        let key = self.unquoted(range, escaped)?;
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(Problem::new("expected `:` after a key", self.at));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// The next key of the object that was entered and its value, stepped over.
    pub(super) fn next_entry(&mut self) -> Result<Option<(Cow<'a, str>, Part)>, Problem> {
        let Some(key) = self.next_key()? else { return Ok(None) };
        Ok(Some((key, self.value()?)))
    }

    /// The next element of the list that was entered, stepped over; none at the list's end, which the cursor leaves.
    pub(super) fn next_item(&mut self) -> Result<Option<Part>, Problem> {
        if self.ended(b']', "expected `,` or `]`")? { Ok(None) } else { self.value().map(Some) }
    }

    /// Steps over one value.
    pub(super) fn value(&mut self) -> Result<Part, Problem> {
        let kind = self.kind().ok_or_else(|| Problem::new("expected a value", self.at))?;
        let start = self.at;
        match kind {
            Kind::Object | Kind::List => {
                self.at = skip::container(self.text.as_bytes(), start, self.room).map_err(|none| match none {
                    skip::NoEnd::Unclosed => {
                        Problem::new("the text ends before the last bracket is closed", self.text.len())
                    }
                    skip::NoEnd::TooDeep(at) => too_deep(at),
                })?;
            }
            Kind::Text => {
                self.quoted()?;
            }
            Kind::Number => self.number()?,
            Kind::Bool => self.word(&["true", "false"])?,
            Kind::Null => self.word(&["null", "NaN", "Infinity", "-Infinity"])?,
        }
        Ok(Part { kind, range: start..self.at })
    }

    /// The text of a part that is a [`Kind::Text`].
    pub(super) fn text_of(&self, part: &Part) -> Result<Cow<'a, str>, Problem> {
        let escaped = self.text.as_bytes()[part.range.clone()].contains(&b'\\');
        self.unquoted(part.range.clone(), escaped)
    }

    /// Checks that nothing but blanks follows.
    pub(super) fn end(&mut self) -> Result<(), Problem> {
        self.blanks();
        if self.at < self.text.len() {
            Err(Problem::new("something follows the end of the JSON text", self.at))
        } else {
            Ok(())
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes over the comma before the next element, or out of the container at its closing bracket.
    fn ended(&mut self, close: u8, expected: &'static str) -> Result<bool, Problem> {
        self.blanks();
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.room += 1;
                self.fresh = false;
                return Ok(true);
            }
            Some(b',') if !self.fresh => {
                self.at += 1;
                self.blanks();
            }
            Some(_) if self.fresh => {}
            None => return Err(Problem::new("the text ends before the last bracket is closed", self.at)),
            Some(_) => return Err(Problem::new(expected, self.at)),
        }
        self.fresh = false;
        Ok(false)
    }

    fn quoted(&mut self) -> Result<(Range<usize>, bool), Problem> {
        let start = self.at;
        let unclosed = |_| Problem::new("the text ends within a string", self.text.len());
        let (end, escaped) = skip::string(self.text.as_bytes(), start).map_err(unclosed)?;
        self.at = end;
        Ok((start..end, escaped))
    }

    fn unquoted(&self, range: Range<usize>, escaped: bool) -> Result<Cow<'a, str>, Problem> {
        let start = range.start;
        let quoted = self.text.get(range).unwrap_or_default();
        let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
        if !escaped && !inner.bytes().any(|byte| byte < 0x20) {
            return Ok(Cow::Borrowed(inner));
        }
        let parsed = serde_json::from_str(quoted).or_else(|error| match mend::mended(quoted) {
            Some(mended) => serde_json::from_str(&mended),
            None => Err(error),
        });
        parsed.map(Cow::Owned).map_err(|_| Problem::new("a string with a bad escape or a control character", start))
    }

    fn word(&mut self, words: &[&str]) -> Result<(), Problem> {
        let rest = self.rest();
        let word = words.iter().find(|word| rest.starts_with(word.as_bytes()));
        let word = word.ok_or_else(|| Problem::new("expected a value", self.at))?;
        self.at += word.len();
        self.delimited()
    }

    /// JSON's grammar of numbers: no leading zeros, digits on both sides of the point.
    fn number(&mut self) -> Result<(), Problem> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        if self.digits()? > 1 && leading_zero {
            return Err(Problem::new("a number must not begin with 0", self.at));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.delimited()
    }

    fn digits(&mut self) -> Result<usize, Problem> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(Problem::new("expected a digit", self.at)) } else { Ok(count) }
    }

    /// A word or number ends where something else may begin.
    fn delimited(&self) -> Result<(), Problem> {
        match self.peek() {
            None | Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b']' | b'}') => Ok(()),
            Some(_) => Err(Problem::new("expected `,` or a closing bracket", self.at)),
        }
    }
}

/// The problem with the bracket at byte `at` that opens one level too many.
pub(super) fn too_deep(at: usize) -> Problem {
    Problem::new("nested too deeply", at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(text: &str) -> Result<usize, &'static str> {
        let mut cursor = Cursor::new(text, 5);
        let part = cursor.value().map_err(|problem| problem.what)?;
        cursor.end().map_err(|problem| problem.what)?;
        Ok(part.range.end)
    }

    #[test]
    fn scalars_follow_the_grammar() {
        for good in ["0", "-0.5", "12e+3", "1E9", "true", "false", "null", "NaN", "-Infinity", r#""a\"b""#, " [] "] {
            assert!(walk(good).is_ok(), "{good}");
        }
        for bad in ["", "01", "1.", ".5", "-", "1e", "tru", "trueish", "nul", "+1", "1 2", "'a'", "\"a", "[", "[[[[[[", "]"]
        {
            assert!(walk(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_and_values_come_one_by_one() {
        let mut cursor = Cursor::new(r#" { "a" : [1, {"x": "]"}] , "b\u0063": "\ud800" } "#, 5);
        assert_eq!(cursor.kind(), Some(Kind::Object));
        cursor.enter().unwrap();
        let (key, part) = cursor.next_entry().unwrap().unwrap();
        assert_eq!((key.as_ref(), part.kind), ("a", Kind::List));
        let (key, part) = cursor.next_entry().unwrap().unwrap();
        assert_eq!(key, "bc");
        assert_eq!(cursor.text_of(&part).unwrap(), "\u{fffd}");
        assert!(cursor.next_entry().unwrap().is_none());
        cursor.end().unwrap();
    }

    #[test]
    fn commas_stand_between_elements_only() {
        for bad in [r#"{"a":1,}"#, r#"{,"a":1}"#, r#"{"a":1 "b":2}"#, r#"{"a" 1}"#, r#"{a:1}"#, r#"{"a":}"#, r#"{"a":1"#] {
            let mut cursor = Cursor::new(bad, 5);
            cursor.kind();
            cursor.enter().unwrap();
            let wrong = loop {
                match cursor.next_entry() {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            };
            assert!(wrong, "{bad}");
        }
    }
}
