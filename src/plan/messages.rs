//! What is said, checked: messages, buttons, and the built-in messages of every outcome.

use std::collections::BTreeMap;

use super::value::Value;
use crate::fault::Outcome;
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

/// The messages of outcomes: locale → outcome → what is said.
#[derive(Debug, Default)]
pub struct Messages {
    /// The project's own, which go before.
    pub own: ByLocale,
    /// Legwork's.
    pub built_in: ByLocale,
}

/// Locale → outcome → what is said.
pub type ByLocale = BTreeMap<String, BTreeMap<Outcome, Say>>;

impl Messages {
    /// What may be said for an outcome, the best first: in the locale, then in its language, then in English.
    pub fn of<'a>(&'a self, locale: &'a str, outcome: Outcome) -> impl Iterator<Item = &'a Say> {
        let language = Locale::language_of(locale);
        let locales = [locale, language, "en"].into_iter();
        locales
            .flat_map(move |name| [&self.own, &self.built_in].map(|of| of.get(name).and_then(|of| of.get(&outcome))))
            .flatten()
    }
}
