//! The shapes of what Rasa calls stories, rules and end-to-end test cases, as `legwork test` reads them.
//!
//! They are Rasa's formats: what is a key there is one here, and what else Rasa lets stand in the same file is left to Rasa.

use serde_json::{Value, json};

use super::shape::{Definitions, Shape, shape, wrong_type_with};
use super::values::{Flag, Map, Nullable, Text};
use super::yaml::{Kind, Node};
use crate::diag::Diagnostics;

shape! {
    /// A file of stories, rules or test cases.
    StoryFile as "a file of stories" {
        /// The version of Rasa's format.
        version: Option<Text>,
        /// Stories.
        stories: Vec<Story>,
        /// Rules.
        rules: Vec<Rule>,
        /// End-to-end test cases.
        test_cases: Vec<Case>,
        /// Slots that test cases begin with, under a name.
        fixtures: Vec<Map<Slots>>,
        /// What messages of test cases bring beside their text, under a name.
        metadata: Vec<Map<Map<Node>>>,
        /// What actions of test cases answer in place of running: ACTION, or TEST_CASE::ACTION.
        stub_custom_actions: Map<Stub>,
    }

    /// A story: a conversation, turn by turn.
    Story as "a story" {
        /// Its name.
        story: Text,
        /// What happens, in order.
        steps: Vec<Item>,
        /// Anything, for other tools.
        metadata: Option<Node>,
    }

    /// A rule: a piece of a conversation that always goes on in the same way.
    Rule as "a rule" {
        /// Its name.
        rule: Text,
        /// What has to be so before it applies.
        condition: Vec<Item>,
        /// What happens, in order.
        steps: Vec<Item>,
        /// It applies at the beginning of a conversation only.
        conversation_start: Option<Flag>,
        /// Whether the assistant waits for the user after it.
        wait_for_user_input: Option<Flag>,
        /// Anything, for other tools.
        metadata: Option<Node>,
    }

    /// A step of a story.
    StoryStep as "a step of a story" {
        /// What the user means.
        intent: Option<Text>,
        /// What the user says; entities stand as `[1001](order_id)`.
        user: Option<Text>,
        /// The entities of a message whose text is not written: names, or name and value with `role` and `group`.
        entities: Vec<Node>,
        /// What the assistant does.
        action: Option<Text>,
        /// What the assistant says, in these words.
        bot: Option<Text>,
        /// The slots that hold a value now.
        slot_was_set: Option<Slots>,
        /// The form that is active now; null when none is.
        active_loop: Option<Nullable<Text>>,
        /// The name of a place where stories end and others go on.
        checkpoint: Option<Text>,
        /// One of these happens.
        or: Vec<StoryStep>,
        /// Anything, for other tools.
        metadata: Option<Node>,
    }

    /// An end-to-end test case.
    Case as "a test case" {
        /// Its name.
        test_case: Text,
        /// What happens, in order.
        steps: Vec<CaseStep>,
        /// The fixtures it begins with.
        fixtures: Vec<Text>,
        /// The metadata of all its messages.
        metadata: Option<Text>,
    }

    /// A step of a test case.
    CaseStep as "a step of a test case" {
        /// What the user says.
        user: Option<Text>,
        /// The metadata of the message.
        metadata: Option<Text>,
        /// What the assistant says.
        bot: Option<Text>,
        /// The response of the domain that the assistant says.
        utter: Option<Text>,
        /// The slots that are set: names, or names and values.
        slot_was_set: Option<Slots>,
        /// The slots that are not set, or not to this value.
        slot_was_not_set: Option<Slots>,
        /// What is true after the message.
        assertions: Vec<Assertion>,
        /// Whether the assertions become true in the order in which they stand.
        assertion_order_enabled: Option<Flag>,
    }

    /// Something that is true after a message.
    Assertion as "an assertion" {
        /// A flow begins.
        flow_started: Option<Node>,
        /// A flow ends.
        flow_completed: Option<Node>,
        /// A flow is given up.
        flow_cancelled: Option<Node>,
        /// The assistant asks which of these flows is meant.
        pattern_clarification_contains: Option<Node>,
        /// Slots that are set.
        slot_was_set: Vec<SlotValue>,
        /// Slots that are not set, or not to this value.
        slot_was_not_set: Vec<SlotValue>,
        /// An action that runs.
        action_executed: Option<Text>,
        /// Something that is said.
        bot_uttered: Option<Uttered>,
        /// Something that is not said.
        bot_did_not_utter: Option<Uttered>,
        /// A model is to judge what is said.
        generative_response_is_relevant: Option<Node>,
        /// A model is to judge what is said.
        generative_response_is_grounded: Option<Node>,
    }

    /// A slot and its value.
    SlotValue as "a slot of an assertion" {
        /// The slot.
        name: Text,
        /// Its value; any without one.
        value: Option<Node>,
    }

    /// Something that the assistant says.
    Uttered as "what is uttered" {
        /// The response of the domain.
        utter_name: Option<Text>,
        /// A regular expression that is found in the text.
        text_matches: Option<Text>,
        /// The buttons, in order.
        buttons: Vec<Button>,
    }

    /// A button.
    Button as "a button" {
        /// What it says.
        title: Option<Text>,
        /// What it sends.
        payload: Option<Text>,
    }

    /// What an action answers in place of running.
    Stub as "a stub" {
        /// Its events.
        events: Vec<Node>,
        /// Its messages.
        responses: Vec<Node>,
    }
}

/// What else Rasa lets stand in a file beside stories.
const RASAS: [&str; 17] = [
    "nlu",
    "flows",
    "intents",
    "entities",
    "slots",
    "forms",
    "actions",
    "responses",
    "e2e_actions",
    "session_config",
    "lookup",
    "regex",
    "synonym",
    "config",
    "assistant_id",
    "recipe",
    "language",
];

/// Whether a text may be a file of stories: one of their keys begins a line.
#[must_use]
pub fn may_hold_stories(text: &str) -> bool {
    text.lines().any(|line| ["stories:", "rules:", "test_cases:"].iter().any(|key| line.starts_with(key)))
}

/// Reads a file of stories. What is not about stories is Rasa's business.
pub fn read(node: &Node, out: &mut Diagnostics) -> Option<StoryFile> {
    let mut node = node.clone();
    if let Kind::Map(entries) = &mut node.kind {
        entries.retain(|(key, _)| !RASAS.contains(&key.name.as_str()));
    }
    StoryFile::read(&node, out)
}

/// What stands in a list of steps.
#[derive(Debug, Clone)]
pub enum Item {
    /// `...`: anything may come before what follows.
    Anything,
    /// A step.
    Step(Box<StoryStep>),
}

impl Shape for Item {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text(text) if text == "..." => Some(Self::Anything),
            _ => StoryStep::read(node, out).map(Box::new).map(Self::Step),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "const": "..." }, StoryStep::schema(definitions)] })
    }
}

/// Slots, each alone or with a value: a list of names and `name: value`, or a mapping.
#[derive(Debug, Clone, Default)]
pub struct Slots(pub Vec<(Text, Option<Node>)>);

impl Shape for Slots {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let of = |node: &Node| node.entries().iter().map(|(key, value)| (Text::of_key(key), Some(value.clone()))).collect();
        match &node.kind {
            Kind::Null => Some(Self::default()),
            Kind::Map(_) => Some(Self(of(node))),
            Kind::List(items) => {
                let one = |item: &Node| match &item.kind {
                    Kind::Map(_) => of(item),
                    _ => Text::read(item, out).map(|name| (name, None)).into_iter().collect::<Vec<_>>(),
                };
                Some(Self(items.iter().flat_map(one).collect()))
            }
            _ => wrong_type_with(node, "a list of slots", Some("write `- SLOT: VALUE`, or `- SLOT`".to_owned()), out),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "array" }, { "type": "object" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::File;
    use crate::spec::yaml;

    fn read_text(text: &str) -> (Option<StoryFile>, Vec<String>) {
        let mut out = Diagnostics::default();
        let read = read(&yaml::parse(&File::new("data/s.yml", text)).unwrap(), &mut out);
        (read, out.into_sorted().into_iter().map(|d| format!("{} {}", d.message, d.help.unwrap_or_default())).collect())
    }

    #[test]
    fn rasas_own_files_are_read() {
        let (file, problems) = read_text(
            "version: '3.1'\nnlu: []\nresponses: {}\nrules:\n  - rule: r\n    condition: [{ active_loop: f }]\n    steps: [..., { action: f }]\n\
             stories:\n  - story: s\n    steps:\n      - or: [{ intent: a }, { intent: b, entities: [{ city: x, role: to }, date] }]\n\
             \x20     - active_loop: null\n      - slot_was_set: [{ a: 1 }, b]\n",
        );
        assert_eq!(problems, [""; 0]);
        let file = file.unwrap();
        assert!(matches!(file.rules[0].steps[0], Item::Anything));
        let steps: Vec<_> = file.stories[0]
            .steps
            .iter()
            .map(|item| if let Item::Step(step) = item { step } else { panic!("a step") })
            .collect();
        assert_eq!((steps[0].or.len(), steps[1].active_loop.as_ref().map(|name| name.0.is_none())), (2, Some(true)));
        let slots = steps[2].slot_was_set.as_ref().unwrap();
        assert_eq!((slots.0.len(), slots.0[0].1.is_some(), slots.0[1].1.is_some()), (2, true, false));
    }

    #[test]
    fn a_key_that_rasa_does_not_know_is_an_error_with_a_cure() {
        let (_, problems) = read_text("stories:\n  - story: s\n    steps: [{ slot_was_sett: [a] }, { intnt: b }]\n");
        assert_eq!(
            problems,
            [
                "a step of a story has no key `slot_was_sett` did you mean `slot_was_set`?",
                "a step of a story has no key `intnt` did you mean `intent`?",
            ]
        );
        let (_, problems) =
            read_text("test_cases:\n  - test_case: c\n    steps: [{ user: hi, assertions: [{ flow_startd: x }] }]\n");
        assert_eq!(problems, ["an assertion has no key `flow_startd` did you mean `flow_started`?"]);
    }

    #[test]
    fn files_of_stories_are_told_from_others() {
        assert!(may_hold_stories("version: 1\ntest_cases:\n"));
        assert!(!may_hold_stories("nlu:\n  - intent: a\n    stories: 1\n"));
    }
}
