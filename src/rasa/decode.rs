//! Decodes a call: one pass over the body that takes the scalars and remembers where the rest is.
//!
//! Slots, events, the last message, the domain and all unknown keys are stepped over, not parsed; whoever asks for one of
//! them parses it then. What this accepts is an object, encoded in UTF-8, no deeper than the limit, with nothing behind it.

use std::borrow::Cow;

use bytes::Bytes;

use super::cursor::{Cursor, Kind, Part, Problem, too_deep};
use super::{Call, ClientVersion, Malformed, Raw, Tracker};

/// What a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many levels of nesting, the body itself included. At most [`Limits::DEEPEST`] count.
    pub depth: usize,
}

impl Limits {
    /// What a stack surely holds when a part is parsed.
    pub const DEEPEST: usize = 500;
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 200 }
    }
}

impl Call {
    /// Reads a body. Unknown keys are ignored, of a key that comes twice the last one counts, null counts as left out.
    ///
    /// # Errors
    /// When the body is no JSON object in UTF-8, is nested too deeply, when a key holds another type than the protocol says,
    /// or when an action is named but no tracker came along.
    pub fn decode(body: Bytes, limits: &Limits) -> Result<Self, Malformed> {
        // Some Windows tools begin a file with a byte order mark.
        let base = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let body = body.slice(base..);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Malformed::new("", "empty; a call is a JSON object", None));
        }
        let text =
            std::str::from_utf8(&body).map_err(|error| Malformed::new("", "not UTF-8", Some(base + error.valid_up_to())))?;
        let mut decoder = Decoder { body: &body, base, cursor: Cursor::new(text, limits.depth.min(Limits::DEEPEST)) };
        decoder.call()
    }
}

struct Decoder<'a> {
    body: &'a Bytes,
    base: usize,
    cursor: Cursor<'a>,
}

impl<'a> Decoder<'a> {
    fn call(&mut self) -> Result<Call, Malformed> {
        self.open("")?;
        let mut call = Call { whole: self.body.clone(), ..Call::default() };
        let (mut sender, mut tracker) = (None, None);
        while let Some(key) = self.key("")? {
            match key.as_ref() {
                "next_action" => call.next_action = self.text("next_action")?,
                "sender_id" => sender = self.text("sender_id")?,
                "domain_digest" => call.domain_digest = self.text("domain_digest")?,
                "version" => {
                    call.version =
                        self.text("version")?.map_or_else(ClientVersion::default, |text| ClientVersion::parse(&text))
                }
                "domain" => call.domain = Some(self.raw("domain", Kind::Object)?).filter(|domain| !domain.is_absent()),
                "tracker" if self.cursor.kind() == Some(Kind::Object) => tracker = Some(self.tracker()?),
                "tracker" => {
                    self.raw("tracker", Kind::Object)?;
                    tracker = None;
                }
                _ => self.step_over("")?,
            }
        }
        self.cursor.end().map_err(|problem| problem.within("", self.base))?;
        if tracker.is_none() && call.next_action.is_some() {
            return Err(Malformed::new("tracker", "missing; an action needs the conversation's tracker, at least {}", None));
        }
        let (tracker, tracker_sender) = tracker.unwrap_or_default();
        call.tracker = tracker;
        call.sender_id = sender.or(tracker_sender).unwrap_or_else(|| "default".to_owned());
        Ok(call)
    }

    /// The tracker, and the sender that it names.
    fn tracker(&mut self) -> Result<(Tracker, Option<String>), Malformed> {
        self.open("tracker")?;
        let (mut tracker, mut sender, mut active_form) = (Tracker::default(), None, Raw::absent());
        while let Some(key) = self.key("tracker")? {
            match key.as_ref() {
                "sender_id" => sender = self.text("tracker.sender_id")?,
                "slots" => tracker.slots = self.raw("tracker.slots", Kind::Object)?,
                "latest_message" => tracker.latest_message = self.raw("tracker.latest_message", Kind::Object)?,
                "events" => tracker.events = self.raw("tracker.events", Kind::List)?,
                "active_loop" => tracker.active_loop = self.raw("tracker.active_loop", Kind::Object)?,
                "active_form" => active_form = self.raw("tracker.active_form", Kind::Object)?,
                "stack" => tracker.stack = self.raw("tracker.stack", Kind::List)?,
                "followup_action" => tracker.followup_action = self.text("tracker.followup_action")?,
                "latest_action_name" => tracker.latest_action_name = self.text("tracker.latest_action_name")?,
                "latest_input_channel" => tracker.latest_input_channel = self.text("tracker.latest_input_channel")?,
                "user_id" => tracker.user_id = self.text("tracker.user_id")?,
                _ => self.step_over("tracker")?,
            }
        }
        if tracker.active_loop.is_absent() {
            tracker.active_loop = active_form;
        }
        Ok((tracker, sender))
    }

    /// Enters the object that has to be here.
    fn open(&mut self, place: &'static str) -> Result<(), Malformed> {
        let kind = self.cursor.kind();
        if kind != Some(Kind::Object) {
            let what = if kind.is_some() { "expected a JSON object" } else { "not JSON: expected an object" };
            return Err(self.problem(place, Problem::new(what, self.cursor.at())));
        }
        let at = self.cursor.at();
        self.cursor.enter().ok_or_else(|| self.problem(place, too_deep(at)))
    }

    fn key(&mut self, place: &'static str) -> Result<Option<Cow<'a, str>>, Malformed> {
        let base = self.base;
        self.cursor.next_key().map_err(|problem| problem.within(place, base))
    }

    fn part(&mut self, place: &'static str) -> Result<Part, Malformed> {
        self.cursor.value().map_err(|problem| problem.within(place, self.base))
    }

    fn step_over(&mut self, place: &'static str) -> Result<(), Malformed> {
        self.part(place).map(|_| ())
    }

    /// The text under a key; none for null.
    fn text(&mut self, place: &'static str) -> Result<Option<String>, Malformed> {
        let part = self.part(place)?;
        match part.kind {
            Kind::Text => {
                let text = self.cursor.text_of(&part).map_err(|problem| self.problem(place, problem))?;
                Ok(Some(text.into_owned()))
            }
            Kind::Null => Ok(None),
            _ => Err(self.problem(place, Problem::new("expected a text or null", part.range.start))),
        }
    }

    /// The container under a key, unparsed; absent for null.
    fn raw(&mut self, place: &'static str, expected: Kind) -> Result<Raw, Malformed> {
        let part = self.part(place)?;
        match part.kind {
            kind if kind == expected => Ok(Raw::slice(self.body, part.range, Cow::Borrowed(place), self.base)),
            Kind::Null => Ok(Raw::absent()),
            _ => {
                let what = if expected == Kind::List { "expected a list or null" } else { "expected an object or null" };
                Err(self.problem(place, Problem::new(what, part.range.start)))
            }
        }
    }

    fn problem(&self, place: &'static str, problem: Problem) -> Malformed {
        problem.within(place, self.base)
    }
}

#[cfg(test)]
mod tests;
