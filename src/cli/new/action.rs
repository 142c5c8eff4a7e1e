//! The draft of an action that calls one operation: its inputs, what is said of the answer and of other outcomes, and tests made
//! of the operation's examples.

use std::fmt::Write;

use serde_json::Value;

use super::text::{capital, flow, mapping, phrase, scalar, snake, words};
use crate::fault::Outcome;
use crate::format::Format;
use crate::model::{Field, Kind};
use crate::name::{ConnectionName, Local};
use crate::plan::OFFERED;
use crate::plan::connector::{Ends, Example, Operation, OperationInput, OperationKind};
use crate::plan::domain::Domain;
use crate::template::{Sort, filters};

/// What an action is drafted from.
pub(super) struct Wanted<'a> {
    pub(super) connection: &'a ConnectionName,
    pub(super) operation: &'a Operation,
    pub(super) domain: Option<&'a Domain>,
    /// Inputs of the operation, each with the slot that has its value.
    pub(super) with: &'a [(String, String)],
}

/// A value that the action takes for an input of the operation.
struct Taken<'a> {
    input: &'a OperationInput,
    /// The name in the action.
    name: String,
    /// The slot; none for an entity.
    slot: Option<String>,
}

/// The tests of a draft, each as text.
pub(super) type Tests = Vec<String>;

/// The action without its tests, and the tests.
pub(super) fn draft(wanted: &Wanted<'_>) -> (String, Tests) {
    let operation = wanted.operation;
    let example = examples(operation, |ends| matches!(ends, Ends::Answer(_))).min_by_key(|example| example.inputs.len());
    let taken = taken(wanted, example);
    let call = format!("{}.{}", wanted.connection, operation.name);
    let result = result_name(operation, &taken);
    let mut text = format!("description: {}\n", Value::from(operation.description.lines().next().unwrap_or_default()));
    if !taken.is_empty() {
        text.push_str("inputs:\n");
    }
    for one in &taken {
        let _ = writeln!(text, "  {}: {}", one.name, input(one, wanted.domain));
    }
    let left: Vec<_> = operation.inputs.iter().filter(|it| !taken.iter().any(|one| one.input.name == it.name)).collect();
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|input| input.name.as_str()).collect();
        let _ = writeln!(text, "# The operation also takes {}.", names.join(", "));
    }
    let _ = write!(text, "steps:\n  - call: {call}\n");
    if !taken.is_empty() {
        let with =
            taken.iter().map(|it| (it.input.name.to_string(), Value::from(format!("{{{{ {} }}}}", it.name)).to_string()));
        let _ = writeln!(text, "    with: {}", mapping(with));
    }
    let _ = writeln!(text, "    as: {result}");
    let outcomes = outcomes(operation);
    if !outcomes.is_empty() {
        text.push_str("    # Say it in your own words; `legwork messages` prints what is said of the outcomes that are not here.\n    outcomes:\n");
    }
    for (outcome, words, _) in &outcomes {
        let _ = writeln!(text, "      {outcome}: {}", Value::from(*words));
    }
    let (say, expected) = says(operation, &result, example);
    text.push_str(&say);
    let mut tests = vec![test("answers when all is well", example, &taken, None, &expected)];
    let with_example = outcomes.iter().filter_map(|(outcome, words, example)| Some((outcome, words, (*example)?)));
    tests.extend(with_example.map(|(outcome, words, example)| {
        test(&format!("says it when the call ends as {outcome}"), Some(example), &taken, None, words)
    }));
    tests.push(test(
        &format!("says something true while {} is down", wanted.connection),
        example,
        &taken,
        Some(wanted.connection),
        "/./",
    ));
    (text, tests)
}

/// The examples that a conversation can be made of.
fn examples(operation: &Operation, ends: impl Fn(&Ends) -> bool) -> impl Iterator<Item = &Example> {
    let given = |example: &Example| {
        let has = |input: &OperationInput| {
            !input.required || example.inputs.get(input.name.as_str()).is_some_and(|it| !it.is_null())
        };
        operation.inputs.iter().all(has)
    };
    operation.examples.iter().filter(move |it| it.settings.is_empty() && ends(&it.ends) && given(it))
}

/// What the action takes: what has to be there, what the example has, and what a slot of that name has.
fn taken<'a>(wanted: &Wanted<'a>, example: Option<&Example>) -> Vec<Taken<'a>> {
    let mut taken: Vec<Taken<'a>> = Vec::new();
    for input in &wanted.operation.inputs {
        let name = input.name.as_str();
        let said = wanted.with.iter().find(|(input, _)| input == name).map(|(_, slot)| slot.clone());
        let slot = said.or_else(|| wanted.domain.is_none_or(|it| it.has_slot(name)).then(|| name.to_owned()));
        let in_domain = slot.is_some() && wanted.domain.is_some();
        if !(input.required || in_domain || example.is_some_and(|example| example.inputs.contains_key(name))) {
            continue;
        }
        let mut own = snake(slot.as_deref().unwrap_or(name));
        let hides = |name: &str| {
            OFFERED.iter().any(|(offered, _)| *offered == name)
                || filters().any(|it| it.sort == Sort::Function && it.name == name)
                || Local::parse(name).is_none()
        };
        while hides(&own) || taken.iter().any(|other| other.name == own) {
            own = format!("{own}_value");
        }
        taken.push(Taken { input, name: own, slot });
    }
    taken
}

/// How the action takes a value.
fn input(taken: &Taken<'_>, domain: Option<&Domain>) -> String {
    let mut keys = Vec::new();
    match &taken.slot {
        Some(slot) if *slot == taken.name => {}
        Some(slot) => keys.push((
            "from",
            Value::from(format!("{{{{ slots[{}] }}}}", Value::from(slot.as_str()).to_string().replace('"', "'")))
                .to_string(),
        )),
        None => keys.push(("from", "entity".to_owned())),
    }
    let format = taken.input.format.as_ref().and_then(format_of);
    let slot = taken.slot.as_deref().unwrap_or(&taken.name);
    let response = |kind: &str| {
        let name = format!("utter_{kind}_{slot}");
        domain.filter(|domain| domain.rasa.responses.contains(&name)).map(|_| name)
    };
    let what = match phrase(&taken.input.doc) {
        doc if doc.is_empty() => words(&taken.name),
        doc => doc,
    };
    let invalid = format.as_ref().map(|_| {
        response("invalid").unwrap_or_else(|| Value::from(format!("I can't read that. I need this: {what}.")).to_string())
    });
    let missing = response("ask").unwrap_or_else(|| Value::from(format!("I need one thing more: {what}.")).to_string());
    keys.extend(format.map(|format| ("format", format)));
    keys.extend(taken.input.required.then_some(("missing", missing)));
    keys.extend(invalid.map(|invalid| ("invalid", invalid)));
    mapping(keys.into_iter().map(|(key, value)| (key.to_owned(), value)))
}

/// How a format is written; none for one of a project, whose name a connector does not tell.
pub(super) fn format_of(format: &Format) -> Option<String> {
    Some(match format {
        Format::Text | Format::Pattern(_) => return None,
        Format::Email => "email".to_owned(),
        Format::Phone { region: None } => "phone".to_owned(),
        Format::Phone { region: Some(region) } => format!("{{ phone: {region} }}"),
        Format::Date => "date".to_owned(),
        Format::Time => "time".to_owned(),
        Format::DateTime => "datetime".to_owned(),
        Format::Number => "number".to_owned(),
        Format::Integer => "integer".to_owned(),
        Format::Money { .. } => "money".to_owned(),
        Format::Bool => "yes_no".to_owned(),
        Format::Enum(choices) => {
            let values: Vec<_> = choices.iter().map(|choice| scalar(&choice.value)).collect();
            format!("{{ enum: [{}] }}", values.join(", "))
        }
    })
}

/// The name of the answer.
fn result_name(operation: &Operation, taken: &[Taken<'_>]) -> String {
    let one = operation.model.map_or_else(|| "answer".to_owned(), |model| snake(model.name));
    let name = match (operation.many && operation.model.is_some(), one.strip_suffix('y')) {
        (true, Some(stem)) => format!("{stem}ies"),
        (true, None) => format!("{one}s"),
        (false, _) => one,
    };
    let free = !OFFERED.iter().any(|(offered, _)| *offered == name) && !taken.iter().any(|one| one.name == name);
    if free { name } else { format!("{name}_found") }
}

/// The outcomes that the examples show, with words and the example; a payment also says what happens to the money.
fn outcomes(operation: &Operation) -> Vec<(Outcome, &'static str, Option<&Example>)> {
    const WORDS: [(Outcome, &str); 5] = [
        (Outcome::NotFound, "I can't find that. Could you check it?"),
        (Outcome::Ambiguous, "That could be several. Could you say it more exactly?"),
        (Outcome::Invalid, "Something about it was not accepted. Could you check it?"),
        (Outcome::Denied, "I may not do that for you."),
        (Outcome::Conflict, "That is not possible as things are."),
    ];
    let of = |outcome: Outcome| examples(operation, move |ends| matches!(ends, Ends::Outcome(it) if *it == outcome)).next();
    let mut shown: Vec<_> =
        WORDS.iter().filter_map(|(outcome, words)| Some((*outcome, *words, Some(of(*outcome)?)))).collect();
    if operation.kind == OperationKind::Payment {
        shown.push((
            Outcome::Unavailable,
            "I can't pay right now: nothing was paid. Please try again in a few minutes.",
            None,
        ));
    }
    shown
}

/// The step that says the answer, and what a test hears of it.
fn says(operation: &Operation, result: &str, example: Option<&Example>) -> (String, String) {
    let answer = example.and_then(|example| match &example.ends {
        Ends::Answer(answer) => Some(answer),
        Ends::Outcome(_) => None,
    });
    let Some(model) = operation.model else {
        return match operation.kind.writes() {
            true => ("  - say: Done.\n".to_owned(), "Done.".to_owned()),
            false => (format!("  # Say it in words.\n  - say: \"{{{{ {result} }}}}\"\n"), "/./".to_owned()),
        };
    };
    let fields: Vec<&Field> =
        model.fields.iter().filter(|field| field.required && !field.sensitive && plain(field)).collect();
    let key = fields.iter().find(|field| field.kind == Kind::Text && field.name != "id").or(fields.first());
    let title = capital(&words(model.name));
    if operation.many {
        let names =
            key.map(|key| format!(": {{{{ {result} | map(attribute='{}') | join(', ') }}}}", key.name)).unwrap_or_default();
        let step = format!(
            "  - say:\n      - when: {result}\n        text: \"I found {{{{ {result} | length }}}}{names}.\"\n      - when: not {result}\n        text: I found nothing.\n"
        );
        let some = answer.and_then(Value::as_array).is_none_or(|items| !items.is_empty());
        return (step, if some { "I found …".to_owned() } else { "I found nothing.".to_owned() });
    }
    let Some(key) = key else { return ("  - say: Done.\n".to_owned(), "Done.".to_owned()) };
    let others = fields.iter().filter(|field| field.name != key.name && field.name != "id").take(2);
    let others: Vec<_> = others.map(|field| format!("{} {}", words(field.name), shown(result, field))).collect();
    let rest = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
    let step = format!("  - say: \"{title} {}{rest}.\"\n", shown(result, key));
    let value = answer.and_then(|answer| answer.get(key.name)).and_then(Value::as_str);
    let heard = value
        .filter(|value| !value.contains(['…', '/']))
        .map_or_else(|| format!("{title} …"), |value| format!("{title} {value}…"));
    (step, heard)
}

fn plain(field: &Field) -> bool {
    !matches!(field.kind, Kind::One(_) | Kind::Many(_))
}

fn shown(result: &str, field: &Field) -> String {
    let filter = match field.kind {
        Kind::Code(_) => " | label",
        Kind::Money => " | money",
        Kind::Date | Kind::DateTime => " | date",
        _ => "",
    };
    format!("{{{{ {result}.{}{filter} }}}}", field.name)
}

/// A test that gives the action what an example gives the operation.
fn test(it: &str, example: Option<&Example>, taken: &[Taken<'_>], down: Option<&ConnectionName>, said: &str) -> String {
    let mut text = format!("  - it: {it}\n");
    let value =
        |one: &Taken<'_>| example.and_then(|it| it.inputs.get(one.input.name.as_str())).filter(|it| !it.is_null()).map(flow);
    let of_slots = taken.iter().filter_map(|one| Some((scalar(one.slot.as_deref()?), value(one)?)));
    let of_entities = taken.iter().filter(|one| one.slot.is_none()).filter_map(|one| Some((one.name.clone(), value(one)?)));
    for (key, values) in [("slots", mapping(of_slots)), ("entities", mapping(of_entities))] {
        if values != "{}" {
            let _ = writeln!(text, "    {key}: {values}");
        }
    }
    if let Some(now) = example.and_then(|example| example.now) {
        let _ = writeln!(text, "    now: {}", Value::from(now.to_rfc3339()));
    }
    if let Some(connection) = down {
        let _ = writeln!(text, "    given: {{ {connection}: down }}");
    }
    let _ = writeln!(text, "    expect: {{ said: [{}] }}", Value::from(said));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    #[test]
    fn every_model_has_something_to_say_of_it() {
        for model in Model::ALL {
            let fields: Vec<_> = model.fields.iter().filter(|field| field.required && plain(field)).collect();
            assert!(fields.iter().all(|field| shown("x", field).starts_with("{{ x.")), "{}", model.name);
        }
    }
}
