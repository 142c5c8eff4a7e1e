//! Stories and rules as single ways through: checkpoints are followed, and of alternatives each is a way of its own.

use std::sync::Arc;

use super::{Heard, Play, Said, Sort, Step, What, pattern, slots};
use crate::diag::{Code, Diagnostic, Diagnostics, File, Span};
use crate::spec::story::{Item, Rule, Story, StoryFile, StoryStep};

/// How many ways one story may make: more are nobody's test.
const MOST: usize = 100;
/// How many pieces a way may be put together from; checkpoints can lead in circles.
const DEEPEST: usize = 12;

/// A piece of a story, between two checkpoints.
struct Piece {
    kind: Sort,
    name: String,
    place: Span,
    begins: Option<String>,
    ends: Option<String>,
    steps: Vec<Step>,
    alternative: Option<String>,
}

/// The ways through the stories and rules of these files.
pub(super) fn plays(files: &[(Arc<File>, StoryFile)], out: &mut Diagnostics) -> Vec<Play> {
    let mut pieces = Vec::new();
    let mut plays = Vec::new();
    for (file, written) in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let kind = if name.starts_with("test_") { Sort::TestStory } else { Sort::Story };
        for story in &written.stories {
            pieces.extend(pieces_of(story, kind, out));
        }
        plays.extend(written.rules.iter().flat_map(|rule| of_rule(rule, out)));
    }
    for piece in &pieces {
        let reached = |checkpoint: &String| pieces.iter().any(|other| other.ends.as_ref() == Some(checkpoint));
        match &piece.begins {
            Some(checkpoint) if reached(checkpoint) => {}
            begins => {
                let notes = begins.iter().map(|it| format!("nothing leads to its checkpoint `{it}`: it begins there"));
                let mut ways = Vec::new();
                follow(&pieces, &mut vec![piece], &mut ways);
                plays.extend(ways.into_iter().map(|mut play| {
                    play.notes.extend(notes.clone());
                    play
                }));
            }
        }
    }
    plays
}

/// Every way that goes on from the last of these pieces.
fn follow<'a>(pieces: &'a [Piece], way: &mut Vec<&'a Piece>, found: &mut Vec<Play>) {
    let Some(last) = way.last() else { return };
    let next: Vec<&Piece> = match &last.ends {
        Some(checkpoint) => pieces.iter().filter(|piece| piece.begins.as_ref() == Some(checkpoint)).collect(),
        None => Vec::new(),
    };
    if next.is_empty() || way.len() == DEEPEST || found.len() >= MOST {
        if found.len() < MOST {
            found.extend(joined(way));
        }
        return;
    }
    for piece in next {
        way.push(piece);
        follow(pieces, way, found);
        way.pop();
    }
}

fn joined(way: &[&Piece]) -> Option<Play> {
    let first = way.first()?;
    let mut names: Vec<String> = Vec::new();
    for piece in way {
        let name = match &piece.alternative {
            Some(alternative) => format!("{} ({alternative})", piece.name),
            None => piece.name.clone(),
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    let steps = way.iter().flat_map(|piece| piece.steps.iter().cloned()).collect();
    Some(Play { name: names.join(" + "), ..play(first.kind, "", &first.place, steps) })
}

fn play(kind: Sort, name: &str, place: &Span, steps: Vec<Step>) -> Play {
    let (slots, stubs, notes) = (Vec::new(), Arc::default(), Vec::new());
    Play { kind, name: name.to_owned(), place: place.clone(), slots, steps, stubs, notes }
}

fn of_rule(rule: &Rule, out: &mut Diagnostics) -> Vec<Play> {
    let mut given = Vec::new();
    for item in &rule.condition {
        if let Item::Step(step) = item {
            given.extend(condition(step));
        }
    }
    let ways = ways(&rule.steps, &rule.span, out);
    let each = |(alternative, steps): (Option<String>, Vec<Step>)| {
        let name = alternative.map_or_else(|| rule.rule.value.clone(), |it| format!("{} ({it})", rule.rule.value));
        play(Sort::Rule, &name, &rule.span, given.iter().cloned().chain(steps).collect())
    };
    ways.into_iter().map(each).collect()
}

/// What a rule begins with.
fn condition(step: &StoryStep) -> Vec<Step> {
    let at = |what| Step { place: step.span.clone(), what };
    let given = step.slot_was_set.as_ref().map(|written| at(What::Given(slots(written))));
    let form = step.active_loop.as_ref().map(|name| at(What::Loop(name.0.as_ref().map(|name| name.value.clone()))));
    given.into_iter().chain(form).collect()
}

/// The pieces of a story; where it has alternatives, those of each way.
fn pieces_of(story: &Story, kind: Sort, out: &mut Diagnostics) -> Vec<Piece> {
    let mut found = Vec::new();
    for (alternative, steps) in split(&story.steps, &story.span, out) {
        let mut begins = None;
        let new = |begins: Option<String>| Piece {
            kind,
            name: story.story.value.clone(),
            place: story.span.clone(),
            begins,
            ends: None,
            steps: Vec::new(),
            alternative: alternative.clone(),
        };
        let mut piece = new(None);
        for part in steps {
            match part {
                Part::Step(step) => piece.steps.push(*step),
                Part::Checkpoint(name) if piece.steps.is_empty() && begins.is_none() => {
                    begins = Some(name.clone());
                    piece.begins = Some(name);
                }
                Part::Checkpoint(name) => {
                    piece.ends = Some(name.clone());
                    found.push(std::mem::replace(&mut piece, new(Some(name))));
                }
            }
        }
        // Behind its last checkpoint there may be nothing.
        if !piece.steps.is_empty() {
            found.push(piece);
        }
    }
    found
}

enum Part {
    Step(Box<Step>),
    Checkpoint(String),
}

/// The steps of each way, without checkpoints.
fn ways(items: &[Item], place: &Span, out: &mut Diagnostics) -> Vec<(Option<String>, Vec<Step>)> {
    let steps = |parts: Vec<Part>| {
        parts.into_iter().filter_map(|part| if let Part::Step(step) = part { Some(*step) } else { None }).collect()
    };
    split(items, place, out).into_iter().map(|(alternative, parts)| (alternative, steps(parts))).collect()
}

/// The parts of each way through these steps, and which alternatives it takes.
fn split(items: &[Item], place: &Span, out: &mut Diagnostics) -> Vec<(Option<String>, Vec<Part>)> {
    let choices = |item: &Item| match item {
        Item::Step(step) if !step.or.is_empty() => step.or.len(),
        _ => 1,
    };
    let count = items.iter().map(choices).fold(1_usize, usize::saturating_mul);
    if count > MOST {
        let message = format!("its alternatives make {count} ways, of which the first {MOST} are played");
        out.push(Diagnostic::at(Code::UnreachableStep, place, message));
    }
    let mut found = Vec::new();
    for way in 0..count.min(MOST) {
        let (mut rest, mut taken, mut parts) = (way, Vec::new(), Vec::new());
        // Problems of a step are said once.
        let mut unheard = Diagnostics::default();
        let out = if way == 0 { &mut *out } else { &mut unheard };
        for item in items {
            let Item::Step(step) = item else { continue };
            let step = match step.or.len() {
                0 => step.as_ref(),
                several => {
                    let one = &step.or[rest % several];
                    rest /= several;
                    taken.push(named(one));
                    one
                }
            };
            parts.extend(parts_of(step, out));
        }
        let alternative = (!taken.is_empty()).then(|| taken.join(", "));
        found.push((alternative, parts));
    }
    found
}

/// What tells an alternative from the others.
fn named(step: &StoryStep) -> String {
    let slots = || step.slot_was_set.as_ref().and_then(|slots| slots.0.first()).map(|(name, _)| name.value.clone());
    let text = step.intent.as_ref().or(step.user.as_ref()).map(|text| text.value.clone());
    text.or_else(slots).unwrap_or_else(|| "…".to_owned())
}

fn parts_of(step: &StoryStep, out: &mut Diagnostics) -> Vec<Part> {
    let at = |what| Part::Step(Box::new(Step { place: step.span.clone(), what }));
    let mut parts = Vec::new();
    if let Some(checkpoint) = &step.checkpoint {
        parts.push(Part::Checkpoint(checkpoint.value.clone()));
        parts.extend(step.slot_was_set.as_ref().map(|written| at(What::Given(slots(written)))));
        return parts;
    }
    match (&step.user, &step.intent) {
        (Some(text), intent) => parts.push(at(What::User(Said::text(text, intent.as_ref(), out), Vec::new()))),
        (None, Some(intent)) => parts.push(at(What::User(Said::meaning(intent, &step.entities), Vec::new()))),
        (None, None) => {}
    }
    parts.extend(step.action.as_ref().filter(|name| name.value != "...").map(|name| at(What::Action(name.value.clone()))));
    parts.extend(step.bot.as_ref().map(|text| at(What::Hears(Heard { text: pattern(text, out), ..Heard::default() }))));
    parts.extend(step.slot_was_set.as_ref().map(|written| at(What::Slots(slots(written)))));
    parts.extend(step.active_loop.as_ref().map(|name| at(What::Loop(name.0.as_ref().map(|name| name.value.clone())))));
    let is_known = step.keys.iter().all(|key| StoryStep::KEYS.contains(&key.name.as_str()));
    if parts.is_empty() && step.metadata.is_none() && step.action.is_none() && is_known {
        let message = "this step says nothing that happens";
        out.push(
            Diagnostic::at(Code::MissingKey, &step.span, message)
                .help("write `intent`, `user`, `action`, `slot_was_set` or `active_loop`"),
        );
    }
    parts
}
