//! JSON text that nobody parsed yet.
//!
//! A [`Raw`] is a slice of a call's body: valid UTF-8, balanced in quotes and brackets, no deeper than the call may be. It
//! says where it stood when it turns out to be something else than was expected, and never what it held.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::cursor::{Cursor, Kind};
use super::{Malformed, Object, mend};

/// JSON text that was not parsed yet: valid UTF-8 whose brackets and quotes are balanced. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Raw {
    text: Bytes,
    /// Where it stood in the call, such as `tracker.slots`.
    place: Cow<'static, str>,
    /// The byte of the body that it begins at.
    offset: usize,
}

impl Raw {
    /// The part that was left out.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// A value of this process, as if a call had brought it.
    #[must_use]
    pub fn of(value: &serde_json::Value) -> Self {
        Self { text: Bytes::from(value.to_string()), place: Cow::Borrowed("value"), offset: 0 }
    }

    pub(super) fn slice(body: &Bytes, range: Range<usize>, place: Cow<'static, str>, base: usize) -> Self {
        Self { offset: base + range.start, text: body.slice(range), place }
    }

    /// Whether the client left the part out, or sent null.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.text.as_ref(), b"" | b"null")
    }

    /// The text as it was sent; empty when it was left out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Where it stood in the call, such as `tracker.slots`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Parses the whole part; one that was left out reads as null. Lone surrogates (`\ud800`), which Python writes and JSON
    /// readers refuse, become U+FFFD, and Python's `NaN` and `Infinity` become null.
    ///
    /// # Errors
    /// When the text is not JSON, or not what `T` takes; the byte and the expectation, never the text.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        let text = if self.text.is_empty() { "null" } else { self.as_str() };
        from_text(text).or_else(|error| match mend::mended(text) {
            // Offsets of the mended text mean nothing to who sent the other one.
            Some(mended) => from_text(&mended).map_err(|error| self.malformed(&error, None)),
            None => Err(self.malformed(&error, Some(text))),
        })
    }

    /// The value under `key` of an object, found without parsing the rest; absent when this is no object or has no such key.
    ///
    /// # Errors
    /// When the object is not JSON up to its end.
    pub fn get(&self, key: &str) -> Result<Self, Malformed> {
        let mut found = Self::absent();
        for entry in self.entries() {
            let (name, value) = entry?;
            if name == key {
                found = value;
            }
        }
        Ok(found)
    }

    /// The values under some keys of an object, parsed; the rest is stepped over. Nothing when this is no object.
    ///
    /// # Errors
    /// When the object is not JSON up to its end, or one of the values is not JSON.
    pub fn pick(&self, keys: &[&str]) -> Result<Object, Malformed> {
        let mut picked = Object::new();
        let Some(mut cursor) = self.inside(Kind::Object) else { return Ok(picked) };
        while let Some((key, value)) = cursor.next_entry().map_err(|problem| problem.within(&self.place, self.offset))? {
            if keys.contains(&key.as_ref()) {
                let place = Cow::Owned(format!("{}.{key}", self.place));
                let value = Self::slice(&self.text, value.range, place, self.offset).parse()?;
                picked.insert(key.into_owned(), value);
            }
        }
        Ok(picked)
    }

    /// The keys and values of an object, in the order written, each value unparsed; nothing when this is no object.
    pub fn entries(&self) -> impl Iterator<Item = Result<(String, Self), Malformed>> + '_ {
        let mut cursor = self.inside(Kind::Object);
        std::iter::from_fn(move || {
            let step = match cursor.as_mut()?.next_entry() {
                Ok(None) => return None,
                Ok(Some((key, value))) => {
                    let place = Cow::Owned(format!("{}.{key}", self.place));
                    Ok((key.into_owned(), Self::slice(&self.text, value.range, place, self.offset)))
                }
                Err(problem) => Err(problem.within(&self.place, self.offset)),
            };
            if step.is_err() {
                cursor = None;
            }
            Some(step)
        })
    }

    /// The elements of a list, in order, each unparsed; nothing when this is no list.
    pub fn items(&self) -> impl Iterator<Item = Result<Self, Malformed>> + '_ {
        let mut cursor = self.inside(Kind::List);
        std::iter::from_fn(move || {
            let step = match cursor.as_mut()?.next_item() {
                Ok(None) => return None,
                Ok(Some(value)) => Ok(Self::slice(&self.text, value.range, self.place.clone(), self.offset)),
                Err(problem) => Err(problem.within(&self.place, self.offset)),
            };
            if step.is_err() {
                cursor = None;
            }
            Some(step)
        })
    }

    /// A cursor behind the opening bracket, when this is a container of that kind.
    fn inside(&self, kind: Kind) -> Option<Cursor<'_>> {
        let mut cursor = Cursor::new(self.as_str(), usize::MAX);
        (cursor.kind() == Some(kind)).then(|| {
            cursor.enter();
            cursor
        })
    }

    fn malformed(&self, error: &serde_json::Error, text: Option<&str>) -> Malformed {
        let offset = text.map(|text| self.offset + offset_of(text, error));
        Malformed::new(self.place(), expectation(error), offset)
    }
}

/// Parses without `serde_json`'s own bound on the depth: the text of a call was held to its bound when it arrived.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// What was expected: the reader's own words, without the part that may quote the text.
fn expectation(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    if error.is_data() && !text.starts_with("missing field") {
        return text
            .rsplit_once(", expected ")
            .map_or_else(|| "not of the expected shape".into(), |(_, what)| format!("expected {what}"));
    }
    if error.is_data() { text.to_owned() } else { format!("not JSON: {text}") }
}

/// The byte that an error points at.
fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (line + error.column().saturating_sub(1)).min(text.len())
}
