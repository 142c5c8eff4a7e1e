//! Messages: from what was written to what can be rendered.

use super::names::Names;
use super::{Compiler, Type};
use crate::diag::{Code, Diagnostic};
use crate::plan::messages::{Button, Click, Message, Say};
use crate::spec::{Text, message as spec};
use crate::template::Template;

impl Compiler<'_> {
    pub(super) fn say(&mut self, say: &spec::Say, names: &Names) -> Say {
        Say(say.messages.iter().map(|message| self.message(message, names)).collect())
    }

    fn message(&mut self, message: &spec::Message, names: &Names) -> Message {
        if message.text.is_some() && message.response.is_some() {
            let diagnostic =
                Diagnostic::at(Code::MisplacedKey, &message.span, "a message has `text` or `response`, not both");
            self.out.push(diagnostic.help("Rasa and Rasa Pro disagree on which of the two wins; say two messages"));
        }
        self.says_nothing(message);
        Message {
            when: message.when.as_ref().and_then(|when| self.condition(when, names)),
            text: message.text.as_ref().and_then(|text| self.read_text(text, names)),
            response: message.response.as_ref().and_then(|name| self.response(name, names)),
            extra: self.entries(&message.with, names),
            buttons: message.buttons.iter().filter_map(|button| self.button(button, names)).collect(),
            says_buttons: message.key("buttons").is_some(),
            image: message.image.as_ref().and_then(|image| self.template(image, names)),
            attachment: message.attachment.as_ref().and_then(|node| self.value(node, names)),
            custom: message.custom.as_ref().and_then(|node| self.value(node, names)),
            elements: message.elements.as_ref().and_then(|node| self.value(node, names)),
            channels: message.channels.iter().map(|(name, say)| (name.value.clone(), self.say(say, names))).collect(),
        }
    }

    /// A text that the user reads.
    fn read_text(&mut self, text: &Text, names: &Names) -> Option<Template> {
        let template = self.template(text, names);
        self.shown(template.as_ref(), text);
        template
    }

    /// Reports a message that has nothing to say.
    fn says_nothing(&mut self, message: &spec::Message) {
        let unread = message.keys.iter().any(|key| !spec::Message::KEYS.contains(&key.name.as_str()));
        let says = message.keys.iter().any(|key| key.name != "when") || message.text.is_some() || message.response.is_some();
        if !says && !unread {
            let diagnostic = Diagnostic::at(Code::MissingKey, &message.span, "this message says nothing");
            self.out.push(diagnostic.help("give it a `text`, a `response`, an `image` or another key of a message"));
        }
    }

    fn response(&mut self, name: &Text, names: &Names) -> Option<Template> {
        let template = self.template(name, names)?;
        if template.as_constant().is_some()
            && let Some(domain) = self.domain
            && !domain.rasa.responses.contains(&name.value)
        {
            let message = format!("the domain has no response `{}`, so nothing would be said", name.value);
            let diagnostic = Diagnostic::at(Code::UnknownResponse, &name.span, message);
            self.out.push(diagnostic.did_you_mean(&name.value, domain.rasa.responses.iter().map(String::as_str)));
        }
        Some(template)
    }

    fn button(&mut self, button: &spec::Button, names: &Names) -> Option<Button> {
        let when = button.when.as_ref().and_then(|when| self.condition(when, names));
        let mut inner = names.clone();
        let each = match (&button.each, &button.r#as) {
            (Some(list), Some(item)) => {
                let expression = self.expression(list, names);
                let kind = match names.type_of(list.value.trim()) {
                    Type::Many(model) => Type::One(model),
                    _ => Type::Any,
                };
                let item = self.define(item, kind, false, &mut inner);
                expression.zip(item)
            }
            (Some(list), None) => {
                let diagnostic = Diagnostic::at(Code::MissingKey, &list.span, "`each` needs `as`, the item's name");
                self.out.push(diagnostic.help("write `as: item` and use `item` in the title"));
                return None;
            }
            (None, Some(stray)) => {
                self.out.push(
                    Diagnostic::at(Code::MisplacedKey, &stray.span, "`as` goes with `each`")
                        .help("take it out, or add `each: LIST`"),
                );
                None
            }
            (None, None) => None,
        };
        let title = self.read_text(&button.title, &inner)?;
        let click = match (&button.intent, &button.payload) {
            (Some(intent), None) => {
                let template = self.template(intent, &inner)?;
                if template.as_constant().is_some() {
                    self.known_intent(intent);
                }
                Click::Intent { intent: template, entities: self.entries(&button.entities, &inner) }
            }
            (None, Some(payload)) => Click::Payload(self.payload(payload, &inner)?),
            _ => {
                let diagnostic =
                    Diagnostic::at(Code::MissingKey, &button.span, "a button needs `intent` or `payload`, one of the two");
                self.out.push(diagnostic.help("with `intent` and `entities` the payload is written for you"));
                return None;
            }
        };
        Some(Button { when, each, title, click })
    }

    fn payload(&mut self, payload: &Text, names: &Names) -> Option<Template> {
        let template = self.template(payload, names)?;
        if template.as_constant().is_none() && payload.value.trim_start().starts_with('/') {
            let diagnostic =
                Diagnostic::at(Code::TemplateInPayload, &payload.span, "a value inside a raw payload is not encoded");
            self.out
                .push(diagnostic.help("write `intent:` and `entities:`; quotes and braces in the value are then encoded"));
        }
        if let Some((at, intent)) = raw_intent(&payload.value) {
            self.known_intent(&Text { span: payload.part(at..at + intent.len()), value: intent.to_owned() });
        }
        Some(template)
    }

    pub(super) fn known_intent(&mut self, intent: &Text) {
        if let Some(domain) = self.domain
            && !domain.rasa.intents.contains(&intent.value)
        {
            let diagnostic =
                Diagnostic::at(Code::UnknownIntent, &intent.span, format!("the domain has no intent `{}`", intent.value));
            self.out.push(diagnostic.did_you_mean(&intent.value, domain.rasa.intents.iter().map(String::as_str)));
        }
    }
}

/// The intent of a raw payload such as `/affirm{"sure":"yes"}`, and where it begins; none of other payloads, of commands of
/// Rasa Pro such as `/SetSlots(a=b)`, and of an intent that is a template itself.
fn raw_intent(payload: &str) -> Option<(usize, &str)> {
    let rest = payload.trim_start().strip_prefix('/')?;
    let name = rest.split('{').next()?.trim_end();
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
    let at = payload.len() - rest.len();
    let template = rest.get(name.len()..)?.starts_with("{{");
    (plain && !template).then_some((at, name))
}
