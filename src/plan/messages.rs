//! What is said, checked: messages, buttons, and the choice between the wordings of a message that legwork says by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::value::Value;
use super::wording::{Topic, Worded, Wording};
use crate::format::Locale;
use crate::name::Local;
use crate::template::{Expression, Template};

/// Messages to say, in order.
#[derive(Debug, Default)]
pub struct Say(pub Vec<Message>);

/// One message.
#[derive(Debug, Default)]
pub struct Message {
    /// Said only when this is true.
    pub when: Option<Expression>,
    /// The text.
    pub text: Option<Template>,
    /// The name of a response.
    pub response: Option<Template>,
    /// Further keys: the response's variables.
    pub extra: Vec<(String, Value)>,
    /// Buttons.
    pub buttons: Vec<Button>,
    /// Whether it says which buttons it has, if only that there are none.
    pub says_buttons: bool,
    /// A picture's address.
    pub image: Option<Template>,
    /// An attachment.
    pub attachment: Option<Value>,
    /// The channel's own payload.
    pub custom: Option<Value>,
    /// Elements.
    pub elements: Option<Value>,
    /// What is said instead on some channels.
    pub channels: Vec<(String, Say)>,
}

impl Message {
    /// The messages that replace this one on a channel.
    #[must_use]
    pub fn on_channel(&self, channel: Option<&str>) -> Option<&Say> {
        self.channels.iter().find(|(name, _)| Some(name.as_str()) == channel).map(|(_, say)| say)
    }
}

/// One button, or one for every item of a list.
#[derive(Debug)]
pub struct Button {
    /// There only when this is true.
    pub when: Option<Expression>,
    /// The list and the item's name.
    pub each: Option<(Expression, Local)>,
    /// What it shows.
    pub title: Template,
    /// What a click says.
    pub click: Click,
}

/// What a click on a button says.
#[derive(Debug)]
pub enum Click {
    /// An intent and its entities, encoded by the engine.
    Intent {
        /// The intent.
        intent: Template,
        /// The entities.
        entities: Vec<(String, Value)>,
    },
    /// A text as it is.
    Payload(Template),
}

/// What a project says where an action says nothing itself, and what it offers then.
#[derive(Debug, Default)]
pub struct Messages {
    /// The project's own words, which go before.
    pub own: Wording,
    /// Legwork's.
    pub built_in: Wording,
    /// The intent with which a user asks for a person; none when it is not set, or the domain lacks it.
    pub human_intent: Option<String>,
    /// The intent with which a user leaves a message that becomes a ticket; none as above.
    pub ticket_intent: Option<String>,
    /// Another way to get in touch, a sentence by locale.
    pub contact: BTreeMap<String, Template>,
    /// How old data may be before its age is said, though it is as good as new.
    pub say_age_after: Duration,
}

impl Messages {
    /// What may be said, the best first: in the locale, then in its language, then in English; of the action, then of the
    /// project, then of legwork.
    pub fn of<'a>(&'a self, action: &'a Wording, locale: &'a str, topic: Topic) -> impl Iterator<Item = &'a Worded> {
        locales(locale).flat_map(move |name| [action, &self.own, &self.built_in].map(|of| of.get(name, topic))).flatten()
    }

    /// The other way to get in touch, in a locale.
    #[must_use]
    pub fn contact(&self, locale: &str) -> Option<&Template> {
        locales(locale).find_map(|name| self.contact.get(name))
    }
}

/// Where to look for what is said in a locale.
fn locales(locale: &str) -> impl Iterator<Item = &str> {
    [locale, Locale::language_of(locale), "en"].into_iter()
}
