//! What legwork says by itself: the wordings of legwork.yml and of actions beside the built-in ones, and what is offered with
//! them as far as the domain has it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Compiler;
use super::names::Names;
use crate::diag::File;
use crate::plan::messages::Messages;
use crate::plan::reading::{duration, topic};
use crate::plan::wording::{BUILT_IN, Topic, Worded, Wording};
use crate::spec::message::Say;
use crate::spec::settings as spec;
use crate::spec::{Map, Shape, Text, yaml};
use crate::template::Template;

/// Legwork's own words, in the same form as `messages:` of legwork.yml.
const OWN_WORDS: &str = include_str!("../messages.yml");

/// What the connectors of the catalogue keep as good as new is never older.
const SAY_AGE_AFTER: Duration = Duration::from_secs(10 * 60);

/// What the words of a message see of the conversation, which is not there any more when those of a delivery are said.
fn seen(topic: Topic) -> Names {
    match topic {
        Topic::Delivered | Topic::Undelivered => Names::lasting(),
        _ => Names::offered(),
    }
}

impl Compiler<'_> {
    /// The messages of legwork.yml, over legwork's own.
    pub(super) fn messages(&mut self, written: &spec::Settings) -> Messages {
        let file = File::new(BUILT_IN, OWN_WORDS);
        let built_in = yaml::parse(&file).ok().and_then(|tree| Map::read(&tree, &mut self.out)).unwrap_or_default();
        let intent = |text: &Text, compiler: &mut Self| {
            compiler.known_intent(text);
            let known = compiler.domain.is_none_or(|domain| domain.rasa.intents.contains(&text.value));
            known.then(|| text.value.clone())
        };
        let own = written.messages.as_ref();
        let human_intent = own.and_then(|own| own.human_intent.as_ref()).and_then(|text| intent(text, self));
        let ticket_intent = own.and_then(|own| own.ticket_intent.as_ref()).and_then(|text| intent(text, self));
        let age = written.cache.as_ref().and_then(|cache| cache.say_age_after.as_ref());
        Messages {
            own: own.map(|own| self.wording(&own.locales)).unwrap_or_default(),
            built_in: self.wording(&built_in),
            human_intent,
            ticket_intent,
            contact: self.contact(written),
            say_age_after: age.and_then(|text| duration(text, &mut self.out)).unwrap_or(SAY_AGE_AFTER),
        }
    }

    /// Messages by locale, as an action or legwork.yml words them.
    pub(super) fn wording(&mut self, written: &Map<Map<Say>>) -> Wording {
        let mut wording = Wording::default();
        for (locale, own) in written.iter() {
            let of_locale = wording.0.entry(locale.value.clone()).or_default();
            for (name, say) in own.iter() {
                let Some(topic) = topic(name, &mut self.out) else { continue };
                let names = topic.values().iter().fold(seen(topic), |names, value| names.and(value));
                let say = self.say(say, &names);
                of_locale.insert(topic, Worded { place: name.span.clone(), say });
            }
        }
        wording
    }

    fn contact(&mut self, written: &spec::Settings) -> BTreeMap<String, Template> {
        let mut contact = BTreeMap::new();
        for (locale, text) in written.contact.iter().flat_map(|contact| contact.0.iter()) {
            if let Some(template) = self.template(text, &Names::offered()) {
                contact.insert(locale.value.clone(), template);
            }
        }
        contact
    }
}
