//! Says in a conversation what became of what it was promised: in the words of the call, of the action, of the project or
//! legwork's own, by way of the assistant's own API.
//!
//! The conversation itself is not at hand by then: words see what the write was made with, what it answered, and nothing of
//! the tracker.

use std::sync::Arc;

use chrono::SecondsFormat;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value as Json, json};

use super::conversation::Offered;
use super::ladder::fault_value;
use super::run::Run;
use super::speak::rendered_on;
use super::turn::Core;
use crate::connector::Assistants;
use crate::connector::assistant::can_push;
use crate::fault::Fault;
use crate::outbox::{Teller, Told};
use crate::plan::action::{Action, Body, Call, Step};
use crate::plan::messages::Say;
use crate::plan::wording::Topic;
use crate::rasa::Message;
use crate::template::{Scope, Value, from_json};

/// Tells the conversations of the assistants that can be called back.
pub(super) struct Callback {
    pub(super) core: Arc<Core>,
    pub(super) assistants: Assistants,
}

impl Teller for Callback {
    fn tell(&self, told: Told) -> BoxFuture<'_, Result<(), Fault>> {
        async move {
            let Some(assistant) = self.assistants.of(&told.caller) else { return Ok(()) };
            // Nobody hears it on a channel that only answers, and it would stand in the history as if they had.
            if !can_push(told.tell.get("channel").and_then(Json::as_str)) {
                return Ok(());
            }
            let messages = self.core.end_in_words(&told);
            if messages.is_empty() {
                return Ok(());
            }
            let said = assistant.say(&told.sender, &messages).await?;
            if !said.heard {
                tracing::warn!(
                    reference = told.reference,
                    channel = said.channel,
                    "nobody hears what was said: the channel only answers"
                );
            }
            Ok(())
        }
        .boxed()
    }
}

impl Run<'_> {
    /// What telling of the end of this call's write will need.
    pub(super) fn to_tell(&self, place: &str) -> Json {
        json!({ "locale": self.conversation.locale, "channel": self.conversation.channel, "place": place })
    }
}

impl Core {
    /// The end of a write in words, the best that can be rendered.
    fn end_in_words(&self, told: &Told) -> Vec<Message> {
        let settings = &self.parts.project.settings;
        let text = |key: &str| told.tell.get(key).and_then(Json::as_str).unwrap_or_default();
        let (locale, channel) = (text("locale"), told.tell.get("channel").and_then(Json::as_str));
        let now = self.parts.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut offered = vec![
            ("now", Value::from(now)),
            ("timezone", Value::from(settings.timezone.name())),
            ("locale", Value::from(locale)),
        ];
        offered.extend(settings.words_in(locale).map(|words| ("legwork", words.clone())));
        let mut scope = Scope::new(Arc::new(Offered(offered)));
        scope.set("reference", Value::from(told.reference.as_str()));
        for (name, value) in &told.inputs {
            scope.set(name.as_str(), from_json(value));
        }
        let action = self.parts.project.actions.get(told.action.as_str());
        let call = action.and_then(|action| call_at(action, text("place")));
        let (topic, own) = match &told.ended {
            Ok(answer) => {
                if let Some(bind) = call.and_then(|call| call.bind.as_ref()) {
                    scope.set(bind.as_str(), from_json(answer));
                }
                (Topic::Delivered, call.and_then(|call| call.delivered.as_ref()))
            }
            Err(fault) => {
                scope.set("fault", fault_value(Some(fault)));
                (Topic::Undelivered, None)
            }
        };
        let said = |say: &Say, place: &str| {
            rendered_on(say, channel, &scope)
                .map_err(|failed| {
                    tracing::error!(message = topic.name(), place, "a message failed: {}", failed.message);
                })
                .ok()
        };
        if let Some(messages) = own.and_then(|own| said(own, text("place"))) {
            return messages;
        }
        let none = Arc::default();
        let wording = action.map_or(&none, |action| &action.messages);
        let mut worded = settings.messages.of(wording, locale, topic);
        worded.find_map(|worded| said(&worded.say, &worded.place.place())).unwrap_or_default()
    }
}

/// The call that stands at a place of an action's file, as it is now.
fn call_at<'a>(action: &'a Action, place: &str) -> Option<&'a Call> {
    match &action.body {
        Body::Steps(steps) => among(steps, place),
        Body::Validation(_) | Body::Native | Body::Forwarded => None,
    }
}

fn among<'a>(steps: &'a [Step], place: &str) -> Option<&'a Call> {
    let mut found = None;
    crate::plan::action::each_call(steps, &mut |step, call| {
        if step.place.place() == place {
            found = Some(call);
        }
    });
    found
}
