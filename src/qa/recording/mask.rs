//! Takes the people out of a value, so that what is left still runs.
//!
//! It goes word by word, and the same word becomes the same stand-in wherever it stands: in a slot, a request, an answer, a
//! message. So what a template puts together of masked values is the masked form of what it put together of the real ones. Kept
//! are the words that the project's own files write, numbers of up to six digits, dates and times. Everything else becomes
//! letters for letters and digits for digits. The key is drawn anew by every process and written nowhere.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use regex::Regex;
use serde_json::{Map, Number, Value};

use super::vocabulary::{Vocabulary, words};
use crate::connector::decoded;
use crate::format::mask::{Piece, Sort, addresses, numbers};

/// What stands where a secret would.
const SECRET: &str = "(left out)";
/// What stands for a birthday.
const BIRTHDAY: &str = "1970-01-01";
/// A longer body is cut.
const LONGEST: usize = 64 << 10;
/// The shortest word that is masked: initials, units and codes of states are shorter.
const SHORTEST: usize = 3;

/// Masks values, the same ones the same way. Cheap to clone.
#[derive(Clone)]
pub struct Mask {
    key: hmac::Key,
    known: Arc<Vocabulary>,
    /// Words, in small letters, that are somebody's name or address here, though files may write them too.
    names: HashSet<String>,
    /// Whether addresses that the vocabulary has stay as they are.
    addresses: bool,
}

/// What the name of a field says of its value.
enum Holds {
    Secret,
    Birthday,
    Name,
    /// A name, when the rest of the object is about a person.
    Maybe,
    Anything,
}

static OPAQUE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9][A-Za-z0-9_-]{14,}[A-Za-z0-9]").ok());

impl Mask {
    /// One with a key of its own, that keeps the words of this vocabulary.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn new(known: Arc<Vocabulary>) -> Result<Self, String> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| "the machine gives no randomness")?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), known, names: HashSet::new(), addresses: false })
    }

    /// The same key with another vocabulary, and nobody's names yet.
    #[must_use]
    pub fn knowing(&self, known: Arc<Vocabulary>) -> Self {
        Self { key: self.key.clone(), known, names: HashSet::new(), addresses: self.addresses }
    }

    /// The same, which also keeps the addresses that the vocabulary has.
    #[must_use]
    pub fn keeping_addresses(self) -> Self {
        Self { addresses: true, ..self }
    }

    /// Notes whose names and addresses a value holds, by the names of its fields.
    pub fn meet(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.meet(item)),
            Value::Object(fields) => {
                let person = fields.keys().any(|key| matches!(key.as_str(), "email" | "phone" | "mobile" | "first_name"));
                for (key, value) in fields {
                    let named = match holds(key) {
                        Holds::Name => true,
                        Holds::Maybe => person,
                        Holds::Secret | Holds::Birthday | Holds::Anything => false,
                    };
                    if named {
                        self.remember(value);
                    }
                    self.meet(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn remember(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let names = words(text).filter(|word| word.chars().count() >= SHORTEST).map(str::to_lowercase);
                self.names.extend(names.filter(|word| !self.addresses || !self.known.has(word)));
            }
            Value::Array(items) => items.iter().for_each(|item| self.remember(item)),
            Value::Object(fields) => fields.values().for_each(|value| self.remember(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A value without people. The names of fields stay, unless they are addresses themselves.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Number(number) => self.number(number),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// The same of fields.
    #[must_use]
    pub fn fields(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        let masked = |(key, value): (&String, &Value)| {
            let masked = match holds(key) {
                Holds::Secret if !value.is_null() && !value.is_boolean() => SECRET.into(),
                Holds::Birthday if !value.is_null() => BIRTHDAY.into(),
                _ => self.value(value),
            };
            (self.addressed(key), masked)
        };
        fields.iter().map(masked).collect()
    }

    /// A text without people.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let masked = |piece| match piece {
            Piece::Found(sort, found) => self.found(sort, found),
            Piece::Plain(plain) => self.plain(plain),
        };
        addresses(text).into_iter().map(masked).collect()
    }

    /// Method and address of a request; its host is ours to know.
    #[must_use]
    pub fn line(&self, line: &str) -> String {
        let Some((method, address)) = line.split_once(' ') else { return self.text(line) };
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let (host, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let path: Vec<String> = path.split('/').map(|part| self.text(&decoded(&part.replace('+', "%2B")))).collect();
        let query = query.map(|query| format!("?{}", self.form(query))).unwrap_or_default();
        format!("{method} {scheme}://{host}{}{query}", path.join("/"))
    }

    /// The body of a request or an answer: JSON, a form, or a text.
    #[must_use]
    pub fn body(&self, body: &str) -> Value {
        if let Ok(json) = serde_json::from_str::<Value>(body) {
            return self.value(&json);
        }
        let is_form = body.contains('=') && !body.contains(['<', ' ', '\n']);
        let mut text = if is_form { self.form(body) } else { self.text(body) };
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            text.truncate(end);
            text.push('…');
        }
        text.into()
    }

    fn form(&self, form: &str) -> String {
        let field = |field: &str| match field.split_once('=') {
            Some((name, _)) if matches!(holds(name), Holds::Secret) => format!("{name}={SECRET}"),
            Some((name, value)) => format!("{}={}", self.addressed(&decoded(name)), self.text(&decoded(value))),
            None => self.text(&decoded(field)),
        };
        form.split('&').map(field).collect::<Vec<_>>().join("&")
    }

    /// The name of a conversation, which may be somebody's address.
    #[must_use]
    pub fn sender(&self, sender: &str) -> String {
        format!("user-{}", self.letters(&format!("sender {sender}"), 10))
    }

    /// A text of which only addresses are masked.
    fn addressed(&self, text: &str) -> String {
        let masked = |piece| match piece {
            Piece::Found(sort, found) => self.found(sort, found),
            Piece::Plain(plain) => plain.to_owned(),
        };
        addresses(text).into_iter().map(masked).collect()
    }

    fn number(&self, number: &Number) -> Value {
        let Some(whole) = number.as_u64().filter(|whole| *whole >= 1_000_000) else { return number.clone().into() };
        let text = whole.to_string();
        if self.knows(&text) {
            number.clone().into()
        } else {
            self.tail(&text).parse::<u64>().map_or(Value::Null, Into::into)
        }
    }

    fn knows(&self, address: &str) -> bool {
        self.addresses && self.known.has_address(address)
    }

    fn found(&self, sort: Sort, found: &str) -> String {
        if self.knows(found) {
            return found.to_owned();
        }
        match sort {
            Sort::Email => {
                let address = found.to_lowercase();
                format!(
                    "{}@{}.example",
                    self.letters(&address, 9),
                    self.letters(address.rsplit('@').next().unwrap_or_default(), 6)
                )
            }
            Sort::Iban => {
                let (country, rest) = found.split_at(2);
                format!("{country}{}", self.shaped(rest))
            }
            Sort::Card => self.shaped(found),
            Sort::Phone => self.tail(found),
        }
    }

    /// What is no address and no account: opaque ids, then numbers, then words.
    fn plain(&self, text: &str) -> String {
        let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
        for found in LazyLock::force(&OPAQUE).iter().flat_map(|pattern| pattern.find_iter(text)) {
            let id = found.as_str();
            let is_opaque = id.contains(|c: char| c.is_ascii_digit()) && id.contains(|c: char| c.is_ascii_alphabetic());
            if !is_opaque || is_moment(id) || self.is_ours(id) {
                continue;
            }
            masked += &self.numbered(text.get(at..found.start()).unwrap_or_default());
            masked += &self.shaped(id);
            at = found.end();
        }
        masked + &self.numbered(text.get(at..).unwrap_or_default())
    }

    /// Whether an id is made of words that files write, and short numbers.
    fn is_ours(&self, id: &str) -> bool {
        let word = |word: &str| word.len() > SHORTEST && self.known.has(&word.to_lowercase());
        id.split(['-', '_']).all(|part| word(part) || (part.len() <= 6 && part.chars().all(|c| c.is_ascii_digit())))
    }

    fn numbered(&self, text: &str) -> String {
        let masked = |piece| match piece {
            Piece::Found(sort, found) => self.found(sort, found),
            Piece::Plain(plain) => self.worded(plain),
        };
        numbers(text).into_iter().map(masked).collect()
    }

    fn worded(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let sort = |c: char| {
            if c.is_alphabetic() {
                'a'
            } else if c.is_ascii_digit() {
                '0'
            } else {
                ' '
            }
        };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| sort(c) != sort(first)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            match sort(first) {
                'a' => masked += &self.word(run),
                '0' if run.len() > 6 && !self.knows(run) => masked += &self.tail(run),
                _ => masked += run,
            }
            rest = after;
        }
        masked
    }

    fn word(&self, word: &str) -> String {
        let small = word.to_lowercase();
        let known = self.known.has(&small) && !self.names.contains(&small);
        if known || word.chars().count() < SHORTEST {
            return word.to_owned();
        }
        let stand_in = self.letters(&small, word.chars().count().clamp(5, 10));
        let mut capitals = word.chars().map(char::is_uppercase);
        match (capitals.next(), capitals.next()) {
            (Some(true), Some(true)) => stand_in.to_uppercase(),
            (Some(true), _) => {
                let (first, rest) = stand_in.split_at(1);
                format!("{}{rest}", first.to_uppercase())
            }
            _ => stand_in,
        }
    }

    /// A number with other digits at its end, by its last seven: so are those of a phone number, however it is written.
    fn tail(&self, number: &str) -> String {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let last = digits.get(digits.len().saturating_sub(7)..).unwrap_or_default();
        let count = if digits.len() >= 9 { 6 } else { 4 };
        let mut other = self.digest(last).into_iter().map(|byte| char::from(b'0' + byte % 10));
        let first = digits.len().saturating_sub(count);
        let mut at = 0;
        let digit = |c: char| {
            if !c.is_ascii_digit() {
                return c;
            }
            at += 1;
            if at > first { other.next().unwrap_or('0') } else { c }
        };
        number.chars().map(digit).collect()
    }

    /// A text with other letters and digits, each of its kind.
    fn shaped(&self, text: &str) -> String {
        let digest = self.digest(&text.to_lowercase());
        let mut bytes = digest.iter().cycle().zip(0_u8..).map(|(byte, at)| byte.wrapping_add(at));
        let other = |c: char| {
            let byte = bytes.next().unwrap_or_default();
            match c {
                '0'..='9' => char::from(b'0' + byte % 10),
                'a'..='z' => char::from(b'a' + byte % 26),
                'A'..='Z' => char::from(b'A' + byte % 26),
                other => other,
            }
        };
        text.chars().map(other).collect()
    }

    /// Letters that can be said.
    fn letters(&self, of: &str, count: usize) -> String {
        const LETTERS: [&[u8]; 2] = [b"bdfgklmnprstvz", b"aeiou"];
        let letter = |(at, byte): (usize, u8)| {
            let kind = LETTERS.get(at % 2).copied().unwrap_or_default();
            kind.get(usize::from(byte) % kind.len().max(1)).copied().map(char::from)
        };
        self.digest(of).into_iter().take(count).enumerate().filter_map(letter).collect()
    }

    fn digest(&self, of: &str) -> Vec<u8> {
        hmac::sign(&self.key, of.as_bytes()).as_ref().to_vec()
    }
}

/// Whether a text is a moment in time, which masking would spoil.
fn is_moment(text: &str) -> bool {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    match text.split_once('T') {
        Some((day, time)) => digits(&day.replace('-', "")) && digits(&time.replace(['Z', '-'], "")),
        None => false,
    }
}

/// What a field of that name holds.
fn holds(key: &str) -> Holds {
    let key = key.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| key.contains(part));
    let is = |parts: &[&str]| key.split(['_', '-', '.', ' ']).any(|word| parts.contains(&word));
    if has(&["password", "passwd", "secret", "token", "api_key", "apikey", "authorization", "cookie", "credential"])
        || is(&["pin", "cvv", "cvc", "otp", "ssn"])
    {
        return Holds::Secret;
    }
    if has(&["birth"]) || is(&["dob"]) {
        return Holds::Birthday;
    }
    let whose =
        ["first", "last", "given", "family", "full", "middle", "sur", "customer", "person", "contact", "user", "employee"];
    let named = key.ends_with("name") && has(&whose);
    if named || is(&["firstname", "lastname", "surname", "address", "street", "city", "requester"]) {
        return Holds::Name;
    }
    if matches!(key.as_str(), "name" | "display_name" | "displayname") { Holds::Maybe } else { Holds::Anything }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mask() -> Mask {
        let mut known = Vocabulary::default();
        known.learn("Order of is on its way shipped mark as done status open name email United");
        Mask::new(Arc::new(known)).unwrap()
    }

    #[test]
    fn the_same_is_masked_the_same_wherever_it_stands() {
        let mask = mask();
        let (name, mail) = (mask.text("Sarah Lee"), mask.text("Sarah.Lee@Acme.co"));
        assert_eq!(mask.text("Order 1001 of Sarah Lee is on its way"), format!("Order 1001 of {name} is on its way"));
        assert_eq!(mask.text("sarah.lee@acme.co"), mail);
        assert_eq!(
            mask.line("GET https://x.test/of/Sarah%20Lee?email=sarah.lee%40acme.co&page=2"),
            format!("GET https://x.test/of/{name}?email={mail}&page=2")
        );
        assert_eq!(mask.body(r#"{"email":"sarah.lee@acme.co"}"#), json!({ "email": mail }));
        assert_eq!(mask.body("email=sarah.lee%40acme.co&status=open"), json!(format!("email={mail}&status=open")));
        let end = |text: &str| mask.text(text).chars().filter(char::is_ascii_digit).collect::<String>().split_off(4);
        assert_eq!(end("(650) 253-0000"), end("650 253 0000"));
        assert_eq!(mask.text("+1 650 253 0000").replace(' ', ""), mask.text("+16502530000"));
    }

    #[test]
    fn nothing_of_a_person_is_left() {
        let mut mask = mask();
        let person = json!({
            "name": "Mark United", "email": "mark@acme.co", "phone": "+43 664 1234567", "iban": "AT61 1904 3002 3457 3201",
            "card": "4111 1111 1111 1111", "id": 5_678_901_234_u64, "ref": "1Z999AA10123456784", "born": 7,
            "api_token": "sk_live_abc", "birthdate": "1980-02-03", "notes": ["Call Mark at 0664/1234567, Baker Street"],
            "sarah@acme.co": true,
        });
        mask.meet(&person);
        let masked = mask.value(&person).to_string();
        for word in [
            "Mark", "mark", "United", "acme", "1234567", "3457", "4111", "1111", "901234", "999AA101", "sk_live", "1980",
            "Baker", "Street",
        ] {
            assert!(!masked.contains(word), "{word} in {masked}");
        }
        let parts = [r#""born":7"#, r#""name":"#, "(left out)", "@"];
        assert!(parts.iter().all(|part| masked.contains(part)), "{masked}");
    }

    #[test]
    fn what_names_nobody_stays() {
        let mask = mask();
        for text in
            ["Order 1001 is shipped", "2026-01-20T11:20:00Z", "2026-01-20", "99.90", "#123456", "on_its_way-2026", ""]
        {
            assert_eq!(mask.text(text), text);
        }
        assert_eq!(mask.value(&json!([1.5, 100_000, true, null])), json!([1.5, 100_000, true, null]));
        assert_ne!(mask.text("20260120T112000Z then sarah"), "20260120T112000Z then sarah");
    }

    #[test]
    fn no_text_brings_it_down() {
        let (mask, mut random) = (mask(), fastrand::Rng::with_seed(5));
        let pieces =
            ["a@b.co", "+", "4111 1111", "AT61", " ", "ü", "(", "2026-01-20", "%", "=", "&", "/", "{", "Ω", "ß", "9999999"];
        for _ in 0..3000 {
            let sample: String = (0..random.usize(0..12)).filter_map(|_| random.choice(pieces)).collect();
            let _ = (mask.text(&sample), mask.line(&sample), mask.body(&sample), mask.sender(&sample));
        }
    }
}
