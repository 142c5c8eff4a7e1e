//! The words that sheets are made of: durations, formats, how long answers are kept and how a write is repeated.

use std::time::Duration;

use crate::format::Format;
use crate::plan::connector::{CacheRule, Idempotency, Operation, Work};

/// A duration as people say it: `2 h`, `30 s`.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if duration.subsec_millis() != 0 {
        return format!("{} ms", duration.as_millis());
    }
    let units = [("d", 86_400), ("h", 3600), ("min", 60)];
    let fits = |(_, length): &&(&str, u64)| seconds >= *length && seconds.is_multiple_of(*length);
    units.iter().find(fits).map_or_else(|| format!("{seconds} s"), |(unit, length)| format!("{} {unit}", seconds / length))
}

/// A format under the name that files have for it.
pub(super) fn format(format: &Format) -> String {
    match format {
        Format::Text => "text".to_owned(),
        Format::Email => "email".to_owned(),
        Format::Phone { region: None } => "phone".to_owned(),
        Format::Phone { region: Some(region) } => format!("phone ({region})"),
        Format::Date => "date".to_owned(),
        Format::Time => "time".to_owned(),
        Format::DateTime => "datetime".to_owned(),
        Format::Number => "number".to_owned(),
        Format::Integer => "integer".to_owned(),
        Format::Money { .. } => "money".to_owned(),
        Format::Bool => "yes_no".to_owned(),
        Format::Enum(choices) => {
            format!("one of {}", choices.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>().join(", "))
        }
        Format::Pattern(_) => "a format of the project".to_owned(),
    }
}

/// How long the answers of an operation are kept; none when they are not.
pub(super) fn kept(operation: &Operation) -> Option<String> {
    Some(match operation.cache? {
        CacheRule::Profiles => "kept as long as `cache: profiles:` of legwork.yml says".to_owned(),
        CacheRule::Own(keep) if keep.stale > keep.fresh => {
            format!("kept {}, {} while the system is down", span(keep.fresh), span(keep.stale))
        }
        CacheRule::Own(keep) => format!("kept {}", span(keep.fresh)),
    })
}

/// What happens to a write that has to be repeated; none for a read. Of several writes, all but the last can be: repeating the
/// operation is what its last one allows.
pub(super) fn repeats(operation: &Operation) -> Option<String> {
    if !operation.kind.writes() {
        return None;
    }
    let Work::Http(steps) = &operation.work else { return Some("in one transaction".to_owned()) };
    let writes: Vec<_> = steps.iter().filter(|step| step.writes).map(|step| &step.idempotency).collect();
    let never = |how: &&Idempotency| matches!(how, Idempotency::Never);
    let how = match writes.as_slice() {
        [.., _, _] if writes.iter().any(never) => {
            let text = "not repeated once its last write is sent, which the vendor cannot tell from a repeat";
            return Some(text.to_owned());
        }
        all => all.last()?,
    };
    Some(match how {
        Idempotency::Never => "never repeated: the vendor cannot tell a repeat".to_owned(),
        Idempotency::Upsert => "repeatable: doing it again changes nothing more".to_owned(),
        Idempotency::Key { kept: Some(kept), .. } => format!("repeatable: the vendor keeps the key {}", span(*kept)),
        Idempotency::Key { kept: None, .. } => "repeatable: the vendor knows the key".to_owned(),
        Idempotency::Lookup(_) => "repeatable: it is looked for before it is made again".to_owned(),
    })
}

/// The first sentence of a text.
pub(super) fn first_sentence(text: &str) -> &str {
    match text.find(". ") {
        Some(end) => &text[..=end],
        None => text,
    }
}

/// A number of things.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_largest_whole_unit() {
        let spans = [250, 30_000, 90_000, 600_000, 7_200_000, 86_400_000, 1_500];
        let said = spans.map(|millis| span(Duration::from_millis(millis)));
        assert_eq!(said, ["250 ms", "30 s", "90 s", "10 min", "2 h", "1 d", "1500 ms"]);
    }

    #[test]
    fn a_description_is_cut_after_its_first_sentence() {
        assert_eq!(first_sentence("A shop, v2.1 of it. It has more."), "A shop, v2.1 of it.");
        assert_eq!(first_sentence("A shop."), "A shop.");
    }
}
