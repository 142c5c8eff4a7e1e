//! Every message that a project can say when something does not go well, as a list: which, where it is worded, and what is
//! offered with it. It shows templates as they are written, since there is no conversation to fill them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::plan::Project;
use crate::plan::action::{Action, Body, Call, On, Step, Verb};
use crate::plan::messages::{Button, Click, Message, Messages, Say};
use crate::plan::wording::{Offers, Topic, Worded, Wording};
use crate::template::Template;

/// A message, or what a call does in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub message: &'static str,
    /// In which language; none for what an action does itself.
    pub locale: Option<String>,
    /// Whose, when it is one action's.
    pub action: Option<String>,
    /// At which call, `connection.operation`, when it is one call's.
    pub call: Option<String>,
    /// Where it stands, as `path:line`; none when the words are legwork's own.
    pub at: Option<String>,
    /// What is said.
    pub says: Vec<Line>,
    /// The verbs of the steps, of what a call does itself.
    pub steps: Vec<&'static str>,
    /// The buttons that go with it.
    pub offers: Vec<Offered>,
    /// The other way to get in touch that goes with it.
    pub contact: Option<String>,
}

/// One of the texts of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// On which condition it is said.
    pub when: Option<String>,
    /// The text, or the name of a response.
    pub text: String,
    /// Its own buttons.
    pub buttons: Vec<Offered>,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// What it shows.
    pub title: String,
    /// What a click sends; none when that is the user's own message once more.
    pub payload: Option<String>,
}

/// The messages of a project: in each locale that it or legwork has words in, or as a conversation in one locale gets them;
/// then those of actions, then what calls do themselves.
#[must_use]
pub fn messages(project: &Project, locale: Option<&str>) -> Vec<Row> {
    let all = &project.settings.messages;
    let known = |own: &Wording| own.0.keys().cloned().collect::<BTreeSet<_>>();
    let chosen = |known: BTreeSet<String>| locale.map_or(known, |one| BTreeSet::from([one.to_owned()]));
    let mut rows = Vec::new();
    let nobody = Wording::default();
    for locale in chosen(&known(&all.own) | &known(&all.built_in)) {
        rows.extend(Topic::all().filter_map(|topic| worded(all, &nobody, &locale, topic).map(|(_, row)| row)));
    }
    let mut handled = BTreeMap::new();
    for action in project.actions.values() {
        for locale in chosen(known(&action.messages)) {
            let own = Topic::all().filter_map(|topic| worded(all, &action.messages, &locale, topic));
            let own = own.filter(|(worded, _)| worded.place.file == action.place.file);
            rows.extend(own.map(|(_, row)| Row { action: Some(action.name.to_string()), ..row }));
        }
        for steps in blocks(action) {
            gather(steps, action, &mut handled);
        }
    }
    rows.extend(handled.into_values());
    rows
}

/// A message in a locale, and who words it.
fn worded<'a>(all: &'a Messages, own: &'a Wording, locale: &'a str, topic: Topic) -> Option<(&'a Worded, Row)> {
    let worded = all.of(own, locale, topic).find(|worded| !gives_way(topic, &worded.say))?;
    let (mut offers, mut contact) = (Vec::new(), None);
    if let Topic::Outcome(outcome) = topic {
        let helps = Offers::with(outcome);
        contact = all.contact(locale).filter(|_| helps.contact).map(|contact| contact.source());
        let title = |topic| {
            let say = &all.of(own, locale, topic).next()?.say;
            say.0.iter().find_map(|message| message.text.as_ref()).map(|text| text.source()).filter(|text| !text.is_empty())
        };
        let button = |helps: bool, topic, payload: Option<String>| {
            helps.then(|| title(topic)).flatten().map(|title| Offered { title, payload })
        };
        let intent = |intent: &Option<String>| intent.as_ref().map(|intent| format!("/{intent}"));
        if !worded.say.0.iter().any(|message| message.says_buttons) {
            offers.extend(button(helps.try_again, Topic::TryAgain, None));
            for (helps, topic, payload) in [
                (helps.person, Topic::TalkToAPerson, intent(&all.human_intent)),
                (helps.message, Topic::LeaveAMessage, intent(&all.ticket_intent)),
            ] {
                offers.extend(button(helps && payload.is_some(), topic, payload));
            }
        }
    }
    let row = Row {
        message: topic.name(),
        locale: Some(locale.to_owned()),
        action: None,
        call: None,
        at: worded.written_at(),
        says: lines(&worded.say),
        steps: Vec::new(),
        offers,
        contact,
    };
    Some((worded, row))
}

/// Whether the next wording is said instead: nobody is left without a word.
fn gives_way(topic: Topic, say: &Say) -> bool {
    let blank = |text: &Template| text.as_constant().is_some() && text.source().trim().is_empty();
    let nothing = |message: &Message| {
        let rest = message.image.is_some() || message.attachment.is_some() || message.custom.is_some();
        let more = rest || message.elements.is_some() || !message.buttons.is_empty() || !message.channels.is_empty();
        !more && message.text.as_ref().or(message.response.as_ref()).is_none_or(blank)
    };
    let silenced =
        matches!(topic, Topic::Stale | Topic::Partly | Topic::TryAgain | Topic::TalkToAPerson | Topic::LeaveAMessage);
    !silenced && say.0.iter().all(nothing)
}

fn lines(say: &Say) -> Vec<Line> {
    let line = |message: &Message| Line {
        when: message.when.as_ref().map(|when| when.source().to_owned()),
        text: message.text.as_ref().or(message.response.as_ref()).map(|text| text.source()).unwrap_or_default(),
        buttons: message.buttons.iter().map(button).collect(),
    };
    say.0.iter().map(line).collect()
}

fn button(button: &Button) -> Offered {
    let payload = match &button.click {
        Click::Payload(payload) => payload.source(),
        Click::Intent { intent, entities } if entities.is_empty() => format!("/{}", intent.source()),
        Click::Intent { intent, entities } => {
            let names = entities.iter().map(|(name, _)| format!("\"{name}\":…")).collect::<Vec<_>>().join(",");
            format!("/{}{{{names}}}", intent.source())
        }
    };
    Offered { title: button.title.source(), payload: Some(payload) }
}

/// Every list of steps that an action begins with.
fn blocks(action: &Action) -> Vec<&[Step]> {
    match &action.body {
        Body::Steps(steps) => vec![steps],
        Body::Validation(validation) => {
            let rules = validation.rules.iter().map(|(_, rule)| rule.steps.as_slice());
            rules.chain([validation.after.as_slice()]).collect()
        }
        Body::Native | Body::Forwarded => Vec::new(),
    }
}

/// What the calls in these steps do themselves, by place: steps that actions share are there once.
fn gather(steps: &[Step], action: &Action, into: &mut BTreeMap<(String, usize), Row>) {
    for step in steps {
        let ends = match &step.verb {
            Verb::Call(call) => Some((target(call), &call.outcomes)),
            Verb::Code(code) => Some((step.verb.name().to_owned(), &code.outcomes)),
            _ => None,
        };
        match (ends, &step.verb) {
            (Some((call, outcomes)), _) => {
                for handler in outcomes {
                    let at = (handler.place.file.path.clone(), handler.place.range.start);
                    into.entry(at).or_insert_with(|| Row {
                        message: named(handler.on),
                        locale: None,
                        action: (handler.place.file == action.place.file).then(|| action.name.to_string()),
                        call: Some(call.clone()),
                        at: Some(handler.place.place()),
                        says: said(&handler.steps),
                        steps: handler.steps.iter().map(|step| step.verb.name()).collect(),
                        offers: Vec::new(),
                        contact: None,
                    });
                    gather(&handler.steps, action, into);
                }
            }
            (None, other) => inner(other).into_iter().for_each(|steps| gather(steps, action, into)),
        }
    }
}

/// The steps within a step.
fn inner(verb: &Verb) -> Vec<&[Step]> {
    match verb {
        Verb::Choose(branches) => branches.iter().map(|branch| branch.steps.as_slice()).collect(),
        Verb::Together(steps) => vec![steps],
        Verb::Each(each) => vec![&each.steps],
        Verb::Use(shared) => vec![&shared.shared.steps],
        _ => Vec::new(),
    }
}

/// What steps say, in the order written.
fn said(steps: &[Step]) -> Vec<Line> {
    let of_step = |step: &Step| match &step.verb {
        Verb::Say(say) | Verb::Stop(Some(say)) | Verb::Reject(say) => lines(say),
        other => inner(other).into_iter().flat_map(said).collect(),
    };
    steps.iter().flat_map(of_step).collect()
}

fn named(on: On) -> &'static str {
    match on {
        On::Outcome(outcome) => outcome.name(),
        On::Otherwise => "otherwise",
        On::Stale => Topic::Stale.name(),
    }
}

fn target(call: &Call) -> String {
    format!("{}.{}", call.connection, call.operation)
}
