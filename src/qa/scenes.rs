//! What was heard in a rehearsal, and how it is printed.

use std::fmt::Write;

use serde::Serialize;

use super::compare::words;
use crate::rasa::Message;

/// What was heard of all actions.
#[derive(Debug, Serialize)]
pub struct Rehearsals {
    /// One for each action, system and fault.
    pub scenes: Vec<Scene>,
    /// What could not be played.
    pub without: Vec<Unrehearsed>,
}

/// An action while something is wrong with a system.
#[derive(Debug, Serialize)]
pub struct Scene {
    /// The action.
    pub action: String,
    /// The test that it was begun as, in its words.
    pub it: String,
    /// Where that stands, as `path:line`.
    pub place: String,
    /// The system.
    pub connection: String,
    /// The operation, where only that fails.
    pub operation: Option<String>,
    /// What is wrong with it, as `given:` writes it.
    pub fault: String,
    /// How long before the user asked the same, when nothing was wrong.
    pub known: Option<String>,
    /// What the user hears, in order.
    pub heard: Vec<Heard>,
    /// The name of how the turn went.
    pub outcome: Option<&'static str>,
    /// Whether the action says something when everything is well.
    pub speaks: bool,
    /// The user hears nothing of how it went, and would when everything is well.
    pub silent: bool,
    /// What in the project's own files could not be carried out, each with its place.
    pub problems: Vec<String>,
}

/// One of the answers of a turn.
#[derive(Debug, Serialize)]
pub struct Heard {
    /// How many milliseconds after the user's message.
    pub after_ms: u64,
    /// The messages, as Rasa gets them.
    pub messages: Vec<Message>,
    /// The reason, where the action declines and Rasa goes another way.
    pub declined: Option<String>,
}

/// A system of an action that could not be rehearsed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Unrehearsed {
    /// The action.
    pub action: String,
    /// The system.
    pub connection: String,
    /// Why.
    pub reason: String,
}

impl Scene {
    /// Whether the user hears something, and no file of the project fails.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.silent && self.problems.is_empty()
    }
}

impl Rehearsals {
    /// Whether every scene is sound.
    #[must_use]
    pub fn are_sound(&self) -> bool {
        self.scenes.iter().all(Scene::is_sound)
    }

    /// For people: a heading for each action and test, below it each fault with what is heard and when, and a last line that
    /// counts.
    #[must_use]
    pub fn human(&self) -> String {
        let mut text = String::new();
        let mut last = (String::new(), String::new());
        for scene in &self.scenes {
            let heading = (scene.action.clone(), scene.it.clone());
            if heading != last {
                let _ = writeln!(text, "{}, as in \"{}\" ({})", scene.action, scene.it, scene.place);
                last = heading;
            }
            play(scene, &mut text);
        }
        if !self.without.is_empty() {
            let _ = writeln!(text, "not rehearsed");
        }
        for Unrehearsed { action, connection, reason } in &self.without {
            let _ = writeln!(text, "  {action} with {connection}: {reason}");
        }
        let count = |fails: fn(&Scene) -> bool| self.scenes.iter().filter(|scene| fails(scene)).count();
        let (silent, failed) = (count(|scene| scene.silent), count(|scene| !scene.problems.is_empty()));
        let _ = writeln!(text, "\n{} rehearsed, {silent} without a word, {failed} failed", self.scenes.len());
        text
    }
}

fn play(scene: &Scene, text: &mut String) {
    let operation = scene.operation.as_ref().map(|operation| format!(".{operation}")).unwrap_or_default();
    let known = scene.known.as_ref().map(|known| format!(", asked {known} before")).unwrap_or_default();
    let outcome = scene.outcome.map(|outcome| format!(" → {outcome}")).unwrap_or_default();
    let _ = writeln!(text, "  {}{operation} {}{known}{outcome}", scene.connection, scene.fault);
    for heard in &scene.heard {
        let mut at = when(heard.after_ms);
        let declined = heard.declined.iter().map(|reason| format!("(declines: {reason})"));
        let nothing = heard.messages.is_empty() && heard.declined.is_none();
        let lines = heard.messages.iter().map(said).chain(declined).chain(nothing.then(|| nothing_said(scene).to_owned()));
        for line in lines {
            let _ = writeln!(text, "    {at:<14}{}", line.replace('\n', "\n                  "));
            at.clear();
        }
    }
    if scene.silent {
        let _ = writeln!(text, "    FAIL          the user hears nothing of how it went");
    }
    for problem in &scene.problems {
        let _ = writeln!(text, "    FAIL          at {problem}");
    }
}

/// What stands where nothing is said.
fn nothing_said(scene: &Scene) -> &'static str {
    if scene.speaks { "(nothing)" } else { "(nothing, as when all is well)" }
}

/// After how long, to a tenth of a second.
fn when(after_ms: u64) -> String {
    let tenths = (after_ms + 50) / 100;
    match (tenths / 10, tenths % 10) {
        (0, 0) => "at once".to_owned(),
        (whole, 0) => format!("after {whole} s"),
        (whole, tenth) => format!("after {whole}.{tenth} s"),
    }
}

/// What a user sees of a message: its words, and its buttons below.
fn said(message: &Message) -> String {
    let mut parts: Vec<String> = words(message).map(str::to_owned).into_iter().collect();
    parts.extend(message.image.iter().map(|image| format!("(image {image})")));
    if !message.buttons.is_empty() {
        parts.push(message.buttons.iter().map(|button| format!("[{}]", button.title)).collect::<Vec<_>>().join(" "));
    }
    if parts.is_empty() { "(a message without words)".to_owned() } else { parts.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_to_a_tenth_of_a_second() {
        assert_eq!([0, 40, 60, 5_001, 12_170].map(when), ["at once", "at once", "after 0.1 s", "after 5 s", "after 12.2 s"]);
    }

    #[test]
    fn what_fails_is_marked_and_counted() {
        let scene = |silent, problems: &[&str]| Scene {
            action: "a".into(),
            it: "works".into(),
            place: "actions/a.yml:3".into(),
            connection: "shop".into(),
            operation: None,
            fault: "down".into(),
            known: Some("5m".into()),
            heard: vec![Heard { after_ms: 0, messages: Vec::new(), declined: None }],
            outcome: Some("unavailable"),
            speaks: silent,
            silent,
            problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
        };
        let without = vec![Unrehearsed { action: "b".into(), connection: "crm".into(), reason: "it has no test".into() }];
        let sound = Rehearsals { scenes: vec![scene(false, &[])], without: Vec::new() };
        assert!(sound.are_sound());
        let all = Rehearsals { scenes: vec![scene(true, &[]), scene(false, &["actions/a.yml:4: no"])], without };
        assert!(!all.are_sound());
        assert_eq!(
            all.human(),
            "\
a, as in \"works\" (actions/a.yml:3)
  shop down, asked 5m before → unavailable
    at once       (nothing)
    FAIL          the user hears nothing of how it went
  shop down, asked 5m before → unavailable
    at once       (nothing, as when all is well)
    FAIL          at actions/a.yml:4: no
not rehearsed
  b with crm: it has no test

2 rehearsed, 1 without a word, 1 failed
"
        );
    }
}
