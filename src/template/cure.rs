//! What to write instead: cures for what people bring along from Python, JavaScript and other dialects of Jinja.
//!
//! A cure names only filters and tests that exist, which a test holds.

use std::ops::Range;

use super::registry::{Sort, registry};

/// Names that exist elsewhere, as methods or functions, and how the same is written here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["startswith", "starts_with", "startsWith"], "write `… is startingwith(\"…\")`"),
    (&["endswith", "ends_with", "endsWith"], "write `… is endingwith(\"…\")`"),
    (&["strip", "lstrip", "rstrip"], "write `… | trim`"),
    (&["toUpperCase", "toUpper", "uppercase", "upcase"], "write `… | upper`"),
    (&["toLowerCase", "toLower", "lowercase", "downcase", "casefold"], "write `… | lower`"),
    (&["contains", "includes", "find", "index", "indexOf", "has"], "write `\"…\" in …`"),
    (&["get"], "write `….NAME`, and `| default(…)` behind it for what may be absent"),
    (&["format"], "write the values into the text as `{{ … }}`, or join texts with `~`"),
    (&["keys"], "write `… | list`"),
    (&["values"], "write `… | items`, which gives pairs of a key and a value"),
    (&["append", "extend", "push", "concat"], "write `… + […]`"),
    (&["len", "size"], "write `… | length`"),
    (&["str"], "write `… | string`"),
    (&["sorted"], "write `… | sort`"),
    (&["reversed"], "write `… | reverse`"),
    (&["strftime", "toLocaleDateString", "date_format"], "write `… | date(\"%d.%m.%Y\")`"),
    (&["isoformat", "toISOString"], "write `… | iso`"),
    (&["isdigit", "isnumeric", "isdecimal"], "write `… is regex_match(\"[0-9]+\")`"),
    (&["default_if_none", "coalesce"], "write `… | default(…)`"),
];

/// What to do about a filter, function or test that does not exist.
pub(super) fn of_unknown(sort: Sort, name: &str) -> Option<String> {
    let elsewhere =
        [Sort::Filter, Sort::Test, Sort::Function].into_iter().find(|other| *other != sort && registry().has(*other, name));
    if let Some(other) = elsewhere {
        return Some(format!("`{name}` is a {}: write {}", other.word(), usage(other, name)));
    }
    let near = || registry().similar(sort, name).map(|near| format!("did you mean `{near}`?"));
    let compared = || (sort == Sort::Test).then(|| format!("a value is compared with `==`: `… == \"{name}\"`"));
    known_elsewhere(name).or_else(near).or_else(compared)
}

/// What to do about a method.
pub(super) fn of_method(name: &str) -> Option<String> {
    let filter = || registry().has(Sort::Filter, name).then(|| name.to_owned());
    let near = || registry().similar(Sort::Filter, name);
    known_elsewhere(name).or_else(|| filter().or_else(near).map(|filter| format!("write {}", usage(Sort::Filter, &filter))))
}

/// What to do about a source that does not parse, by what the engine says and the signs around the place.
pub(super) fn of_syntax(reason: &str, source: &str, range: Option<&Range<usize>>) -> Option<String> {
    let at = range.map_or(source.len(), |range| range.start);
    let rest = source.get(at..).unwrap_or_default();
    let before = source.get(..at).unwrap_or_default().trim_end();
    if let Some(statement) = reason.strip_prefix("unknown statement ") {
        return Some(of_statement(statement));
    }
    let fixed = if reason.contains("end of input") && open(source, "{%", "%}") {
        "close it with `%}`"
    } else if reason.contains("expected end of variable block") && open(source, "{{", "}}") {
        "close it with `}}`"
    } else if reason.contains("end of input, expected end of block") {
        "close what was opened: `{% endif %}`, `{% endfor %}`, `{% endset %}`"
    } else if before.ends_with('|') && rest.starts_with('|') {
        "write `or`"
    } else if before.ends_with('|') {
        "the name of a filter is missing behind `|`"
    } else if let Some((_, cure)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign) && !rest.starts_with("==")) {
        cure
    } else if rest.trim().is_empty() || reason.contains("end of input") || reason.contains("end of string") {
        "something is missing at the end: a value, a bracket or a quote"
    } else if reason.contains("after expression") || reason.contains("expected end of variable block") {
        "two values stand side by side: texts need quotes, and `and`, `or`, `==`, `~` or `|` stands between values"
    } else {
        return None;
    };
    Some(fixed.to_owned())
}

/// Signs of other languages.
const SIGNS: &[(&str, &str)] = &[
    ("&", "write `and`"),
    ("!", "write `not`, or `!=` for \"is another\""),
    ("=>", "write `>=`"),
    ("=", "write `==` to compare"),
    ("?", "write `A if CONDITION else B`"),
    ("$", "write names without `$`"),
    ("`", "write texts in quotes, \"…\" or '…'"),
];

fn of_statement(name: &str) -> String {
    match name {
        "else" | "elif" | "endif" | "endfor" | "endset" => format!("nothing is open that `{{% {name} %}}` could belong to"),
        "elseif" | "elsif" => "write `{% elif CONDITION %}`".to_owned(),
        _ => format!("a value is written `{{{{ {name} }}}}`; `{{% %}}` is for `if`, `for` and `set`"),
    }
}

/// Whether the last `begin` of a source has no `end`.
fn open(source: &str, begin: &str, end: &str) -> bool {
    source.rfind(begin).is_some_and(|at| source.get(at..).is_some_and(|rest| !rest.contains(end)))
}

fn usage(sort: Sort, name: &str) -> String {
    match sort {
        Sort::Filter => format!("`… | {name}`"),
        Sort::Function => format!("`{name}(…)`"),
        Sort::Test => format!("`… is {name}`"),
    }
}

fn known_elsewhere(name: &str) -> Option<String> {
    ELSEWHERE.iter().find(|(names, _)| names.contains(&name)).map(|(_, cure)| (*cure).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cure_names_only_what_exists() {
        for (names, cure) in ELSEWHERE {
            let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
            for (before, sort) in [("… | ", Sort::Filter), ("`| ", Sort::Filter), ("… is ", Sort::Test)] {
                for rest in cure.split(before).skip(1) {
                    assert!(registry().has(sort, &word(rest)), "{cure}");
                }
            }
            assert!(names.iter().all(|name| !registry().has(Sort::Filter, name)), "{names:?}: one is a filter here");
        }
    }

    #[test]
    fn what_is_known_from_elsewhere_is_translated() {
        let cure = |source: &str| crate::template::Expression::compile(source).unwrap_err().help.unwrap_or_default();
        assert_eq!(cure("a.startswith('b')"), "write `… is startingwith(\"…\")`");
        assert_eq!(cure("a.upper()"), "write `… | upper`");
        assert_eq!(cure("len(a) > 3"), "write `… | length`");
        assert_eq!(cure("upper(a)"), "`upper` is a filter: write `… | upper`");
        assert_eq!(cure("a | startingwith('b')"), "`startingwith` is a test: write `… is startingwith`");
        assert_eq!(cure("a is shipped"), "a value is compared with `==`: `… == \"shipped\"`");
        assert_eq!(cure("a && b"), "write `and`");
        assert_eq!(cure("a || b"), "write `or`");
        assert_eq!(cure("a = b"), "write `==` to compare");
        assert_eq!(cure("!a"), "write `not`, or `!=` for \"is another\"");
        assert_eq!(cure("a =="), "something is missing at the end: a value, a bracket or a quote");
        assert!(cure("order was shipped").starts_with("two values stand side by side"));
    }

    #[test]
    fn what_is_not_closed_says_how() {
        let cure = |source: &str| crate::template::Template::compile(source).unwrap_err().help.unwrap_or_default();
        assert_eq!(cure("Hi {{ name }."), "close it with `}}`");
        assert_eq!(cure("Hi {{ name"), "close it with `}}`");
        assert_eq!(cure("{% if a"), "close it with `%}`");
        assert_eq!(cure("{% if a %}b"), "close what was opened: `{% endif %}`, `{% endfor %}`, `{% endset %}`");
        assert_eq!(cure("{% name %}"), "a value is written `{{ name }}`; `{% %}` is for `if`, `for` and `set`");
        assert_eq!(cure("{% elseif a %}"), "write `{% elif CONDITION %}`");
    }
}
