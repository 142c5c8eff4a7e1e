//! Conversations as they are played: what files of stories say, in one form, each of them a single way through.
//!
//! Nothing runs here, and nothing is known of a project: names that do not exist are found where they are used.

mod cases;
mod stories;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::diag::{Diagnostic, Diagnostics, File, Span};
use crate::plan::testcase::Pattern;
use crate::rasa::Answer;
use crate::spec::{story, yaml};

pub(super) use texts::Said;

/// A conversation that can be played.
#[derive(Debug, Clone)]
pub(super) struct Play {
    /// What it is.
    pub(super) kind: Sort,
    /// Its name.
    pub(super) name: String,
    /// Where it stands.
    pub(super) place: Span,
    /// What it begins with.
    pub(super) slots: Vec<(String, Value)>,
    /// What happens.
    pub(super) steps: Vec<Step>,
    /// What actions answer in place of running.
    pub(super) stubs: Arc<BTreeMap<String, Answer>>,
    /// What is to be said of it whatever happens.
    pub(super) notes: Vec<String>,
}

/// What a conversation is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A story that a model is trained with.
    Story,
    /// A rule.
    Rule,
    /// A story of a file `test_…`.
    TestStory,
    /// An end-to-end test case.
    Case,
}

impl Sort {
    /// Its name, for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Rule => "rule",
            Self::TestStory => "test story",
            Self::Case => "test case",
        }
    }
}

/// A step and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) place: Span,
    pub(super) what: What,
}

/// What happens in a step.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// The user says something. Of a test case, what is to be true after it is known as well.
    User(Said, Vec<Step>),
    /// The assistant runs an action.
    Action(String),
    /// Slots hold these values; any where there is none.
    Slots(Vec<Wanted>),
    /// Slots do not hold these values; none where there is none.
    NoSlots(Vec<Wanted>),
    /// The state before anything of it happens.
    Given(Vec<Wanted>),
    /// This form is active, or none is.
    Loop(Option<String>),
    /// This is said.
    Hears(Heard),
    /// This is not said.
    HearsNot(Heard),
    /// What only a model could tell.
    Unknowable,
}

/// A slot and what it holds; anything where there is no value.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) value: Option<Value>,
    pub(super) place: Span,
}

impl Wanted {
    fn of(name: &crate::spec::Text, value: Option<&crate::spec::Node>) -> Self {
        Self { name: name.value.clone(), value: value.map(crate::spec::Node::to_json), place: name.span.clone() }
    }
}

/// What is said.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// The response of the domain.
    pub(super) response: Option<String>,
    /// Its text.
    pub(super) text: Option<Arc<Pattern>>,
    /// Its buttons: title and payload, as far as they are written.
    pub(super) buttons: Vec<(Option<String>, Option<String>)>,
}

/// The conversations of these files, and what is wrong with the files.
pub(super) fn read(files: &[Arc<File>]) -> (Vec<Play>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let mut written = Vec::new();
    for file in files {
        match yaml::parse(file) {
            Ok(node) => written.extend(story::read(&node, &mut out).map(|it| (Arc::clone(file), it))),
            Err(refused) => out.push(*refused),
        }
    }
    let mut plays = stories::plays(&written, &mut out);
    plays.extend(cases::plays(&written, &mut out));
    // One file after the other, each in its order.
    let order = |play: &Play| {
        let at = files.iter().position(|file| *file == play.place.file);
        (at, play.place.range.start)
    };
    plays.sort_by_key(order);
    (plays, out.into_sorted())
}

/// A regular expression or a text with `…`, as a file writes it.
fn pattern(written: &crate::spec::Text, out: &mut Diagnostics) -> Option<Arc<Pattern>> {
    let parsed = Pattern::parse(&written.value);
    let refused = |wrong: String| {
        let message = format!("this is not a regular expression: {wrong}");
        out.push(Diagnostic::at(crate::diag::Code::BadValue, &written.span, message));
    };
    parsed.map_err(refused).ok().map(Arc::new)
}

/// Slots as steps have them.
fn slots(written: &story::Slots) -> Vec<Wanted> {
    written.0.iter().map(|(name, value)| Wanted::of(name, value.as_ref())).collect()
}
