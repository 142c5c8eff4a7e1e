//! Whose data it is: a customer, or a conversation, and what of all that is kept is theirs.
//!
//! What somebody may have been promised is only theirs where a value *is* the one that was named. What is merely kept, and can
//! be asked for again, goes as soon as it *mentions* them. Never shown, and it has no `Debug`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::format::phone;

/// What is shorter is part of too many texts to mean anybody.
const SHORTEST: usize = 4;
/// How many of a phone number's last digits are compared before it is read.
const LAST: usize = 4;

/// A customer, a conversation, or both.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    customer: Option<Customer>,
    sender: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
struct Customer {
    /// As it was named.
    named: String,
    kind: Kind,
    /// Where phone numbers without a prefix belong.
    region: String,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// In small letters.
    Email(String),
    /// In E.164.
    Phone(String),
    Other,
}

/// As one process tells another.
#[derive(Serialize, Deserialize)]
struct Told {
    customer: Option<String>,
    sender: Option<String>,
}

impl Subject {
    /// The customer whose e-mail, phone or number that is, and the conversation of that sender; phone numbers without a prefix
    /// are those of `region`. None when nobody is named.
    #[must_use]
    pub fn new(customer: Option<&str>, sender: Option<&str>, region: &str) -> Option<Self> {
        let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let customer = given(customer).map(|named| Customer::new(named, region));
        let sender = given(sender);
        (customer.is_some() || sender.is_some()).then_some(Self { customer, sender })
    }

    /// The same, as another process is told.
    pub(super) fn told(&self) -> Vec<u8> {
        let customer = self.customer.as_ref().map(|customer| customer.named.clone());
        serde_json::to_vec(&Told { customer, sender: self.sender.clone() }).unwrap_or_default()
    }

    /// The one that another process told of.
    pub(super) fn heard(told: &[u8], region: &str) -> Option<Self> {
        let Told { customer, sender } = serde_json::from_slice(told).ok()?;
        Self::new(customer.as_deref(), sender.as_deref(), region)
    }

    /// Whether a conversation is theirs.
    #[must_use]
    pub fn is_sender(&self, sender: &str) -> bool {
        self.sender.as_deref() == Some(sender) || self.customer.as_ref().is_some_and(|customer| customer.is(sender))
    }

    /// Whether a text, or any part of a value, is their e-mail, phone or number.
    #[must_use]
    pub fn owns(&self, value: &Value) -> bool {
        self.customer.as_ref().is_some_and(|customer| any(value, &|text| customer.is(text)))
    }

    /// Whether any text in a value has something of theirs in it.
    #[must_use]
    pub fn mentioned(&self, value: &Value) -> bool {
        any(value, &|text| {
            self.customer.as_ref().is_some_and(|customer| customer.is_in(text)) || self.sender.as_deref() == Some(text)
        })
    }
}

impl Customer {
    fn new(named: String, region: &str) -> Self {
        let kind = match phone::read(&named, region) {
            _ if named.contains('@') => Kind::Email(named.to_lowercase()),
            Ok(number) => Kind::Phone(number),
            Err(_) => Kind::Other,
        };
        Self { named, kind, region: region.to_owned() }
    }

    /// Whether a text names this customer, and nothing else.
    fn is(&self, text: &str) -> bool {
        let text = text.trim();
        text == self.named
            || match &self.kind {
                Kind::Email(email) => text.to_lowercase() == *email,
                Kind::Phone(number) => self.is_phone(text, number),
                Kind::Other => false,
            }
    }

    /// Reading a number takes its time, and most texts are none.
    fn is_phone(&self, text: &str, number: &str) -> bool {
        // A channel's senders are called like `whatsapp:+436641234567`.
        let text = text.rsplit_once(':').map_or(text, |(_, number)| number);
        let last = |text: &str| text.bytes().filter(u8::is_ascii_digit).rev().take(LAST).collect::<Vec<_>>();
        last(text) == last(number) && phone::read(text, &self.region).is_ok_and(|read| read == number)
    }

    /// Whether a text has this customer's e-mail, phone or number in it.
    fn is_in(&self, text: &str) -> bool {
        if self.is(text) {
            return true;
        }
        match &self.kind {
            Kind::Email(email) => text.to_lowercase().contains(email),
            Kind::Phone(number) => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                digits.contains(number.trim_start_matches('+')) || text.contains(&self.named)
            }
            Kind::Other => self.named.chars().count() >= SHORTEST && text.contains(&self.named),
        }
    }
}

/// Whether any text in a value is like that; a whole number counts as one, and the keys of objects do.
fn any(value: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Number(number) => is(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| any(item, is)),
        Value::Object(entries) => entries.iter().any(|(key, value)| is(key) || any(value, is)),
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn customer(named: &str) -> Subject {
        Subject::new(Some(named), None, "AT").unwrap()
    }

    #[test]
    fn a_value_is_a_customers_where_it_is_what_was_named() {
        for (named, value, owned) in [
            ("Jane@Example.com", json!({"to": ["jane@example.COM"]}), true),
            ("jane@example.com", json!({"jane@example.com": true}), true),
            ("jane@example.com", json!("mary.jane@example.com"), false),
            ("jane@example.com", json!("It is jane@example.com."), false),
            ("0664 1234567", json!({"phone": "+43 664 123 45 67"}), true),
            ("+436641234567", json!({"phone": "0664/1234567"}), true),
            ("+436641234567", json!("whatsapp:+436641234567"), true),
            ("+436641234567", json!("+436641234568"), false),
            ("+436641234567", json!("0650 1234567"), false),
            ("C-1001", json!({"customer": {"id": " C-1001 "}}), true),
            ("C-1001", json!("c-1001"), false),
            ("C-1001", json!("C-10011"), false),
            ("1001", json!({"customer_id": 1001}), true),
            ("1001", json!({"total": 1001.5, "paid": null, "open": true}), false),
        ] {
            assert_eq!(customer(named).owns(&value), owned, "{named} in {value}");
        }
    }

    #[test]
    fn a_text_mentions_a_customer_where_what_was_named_is_in_it() {
        for (named, text, mentioned) in [
            ("Jane@example.com", "We have written to JANE@example.com.", true),
            ("jane@example.com", "We have written to june@example.com.", false),
            ("0664 1234567", "We call +43 664 1234567 at noon", true),
            ("0664 1234567", "We call 0664 1234567", true),
            ("C-1001", "Order of C-1001", true),
            ("17", "17 products", false),
            ("17", "17", true),
        ] {
            assert_eq!(customer(named).mentioned(&json!([{ "text": text }])), mentioned, "{named} in {text:?}");
        }
    }

    #[test]
    fn a_conversation_is_its_senders_and_that_of_a_sender_who_is_the_customer() {
        let subject = Subject::new(None, Some("s-1"), "AT").unwrap();
        assert!(subject.is_sender("s-1") && !subject.is_sender("s-12") && !subject.is_sender("S-1"));
        assert!(!subject.owns(&json!("s-1")) && subject.mentioned(&json!("s-1")) && !subject.mentioned(&json!("s-12")));
        assert!(customer("+436641234567").is_sender("whatsapp:+436641234567"));
        let both = Subject::new(Some("jane@example.com"), Some("s-1"), "AT").unwrap();
        assert!(both.is_sender("s-1") && both.is_sender("Jane@example.com") && both.owns(&json!("jane@example.com")));
    }

    #[test]
    fn nobody_is_no_subject_and_another_process_hears_the_same() {
        assert!(Subject::new(None, None, "AT").is_none() && Subject::new(Some(" "), Some(""), "AT").is_none());
        let both = Subject::new(Some("0664 1234567"), Some("s-1"), "AT").unwrap();
        assert!(Subject::heard(&both.told(), "AT") == Some(both));
        assert!(Subject::heard(b"{}", "AT").is_none() && Subject::heard(b"?", "AT").is_none());
    }
}
