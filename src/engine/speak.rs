//! Messages: from a plan to what Rasa utters.

use serde_json::Value as Json;

use super::run::{Halt, Run};
use crate::diag::Span;
use crate::plan::Value;
use crate::plan::messages::{Button as ButtonPlan, Click, Message as MessagePlan, Say};
use crate::rasa::{Button, Message, Object};
use crate::template::{Failed, Scope, Template};

impl Run<'_> {
    /// Says messages.
    pub(super) fn say(&mut self, say: &Say, place: &Span) -> Result<(), Halt> {
        let messages = self.rendered(say, &self.scope).map_err(Halt::at(place))?;
        // No room for more: a turn may wait long, and says little.
        self.messages.reserve_exact(messages.len());
        self.messages.extend(messages);
        Ok(())
    }

    /// Messages as this conversation's channel gets them.
    pub(super) fn rendered(&self, say: &Say, scope: &Scope) -> Result<Vec<Message>, Failed> {
        rendered_on(say, self.conversation.channel.as_deref(), scope)
    }
}

/// Messages as a channel gets them.
pub(super) fn rendered_on(say: &Say, channel: Option<&str>, scope: &Scope) -> Result<Vec<Message>, Failed> {
    let mut messages = Vec::with_capacity(say.0.len());
    for plan in &say.0 {
        if let Some(when) = &plan.when
            && !when.truth(scope)?
        {
            continue;
        }
        match plan.on_channel(channel) {
            Some(instead) => messages.extend(rendered_on(instead, channel, scope)?),
            None => messages.extend(message(plan, scope)?),
        }
    }
    Ok(messages)
}

/// One message; none when nothing of it is left to say.
fn message(plan: &MessagePlan, scope: &Scope) -> Result<Option<Message>, Failed> {
    let text = |template: &Option<Template>| {
        let text = template.as_ref().map(|template| template.text(scope)).transpose()?;
        Ok::<_, Failed>(text.filter(|text| !text.trim().is_empty()))
    };
    let json = |value: &Option<Value>| value.as_ref().map(|value| value.json(scope)).transpose();
    let mut buttons = Vec::new();
    for button in &plan.buttons {
        buttons_of(button, scope, &mut buttons)?;
    }
    let elements = match json(&plan.elements)? {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(elements)) => elements,
        Some(one) => vec![one],
    };
    let custom = match json(&plan.custom)? {
        Some(Json::Object(custom)) => custom,
        // Rasa's `custom` is an object; anything else travels in one.
        Some(other) if !other.is_null() => Object::from_iter([("value".to_owned(), other)]),
        _ => Object::new(),
    };
    let message = Message {
        text: text(&plan.text)?,
        response: text(&plan.response)?,
        buttons,
        elements,
        custom,
        image: text(&plan.image)?,
        attachment: json(&plan.attachment)?.filter(|attachment| !attachment.is_null()),
        extra: object(&plan.extra, scope)?,
    };
    let says_nothing = Message { extra: Object::new(), ..message.clone() } == Message::default();
    Ok((!says_nothing).then_some(message))
}

fn buttons_of(plan: &ButtonPlan, scope: &Scope, buttons: &mut Vec<Button>) -> Result<(), Failed> {
    let Some((list, item)) = &plan.each else {
        return button(plan, scope, buttons);
    };
    let list = list.eval(scope)?;
    if list.is_none() || list.is_undefined() {
        return Ok(());
    }
    for value in super::blocks::items(&list)? {
        button(plan, &scope.with(item.as_str(), value), buttons)?;
    }
    Ok(())
}

fn button(plan: &ButtonPlan, scope: &Scope, buttons: &mut Vec<Button>) -> Result<(), Failed> {
    if let Some(when) = &plan.when
        && !when.truth(scope)?
    {
        return Ok(());
    }
    let title = plan.title.text(scope)?;
    buttons.push(match &plan.click {
        Click::Intent { intent, entities } => Button::intent(title, &intent.text(scope)?, &object(entities, scope)?),
        Click::Payload(payload) => Button::new(title, payload.text(scope)?),
    });
    Ok(())
}

/// Named values as a JSON object, in order.
pub(super) fn object(values: &[(String, Value)], scope: &Scope) -> Result<Object, Failed> {
    values.iter().map(|(name, value)| Ok((name.clone(), value.json(scope)?))).collect()
}
