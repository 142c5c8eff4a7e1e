//! A project's own formats: a pattern with its normal form.

use regex::Regex;

use super::context::Refusal;

/// A format as the project writes it.
#[derive(Debug, Clone, Default)]
pub struct PatternSpec {
    /// A regular expression for the whole value, with at most one capture, which is then the value.
    pub pattern: String,
    /// Whether the value is written in capitals.
    pub upper: bool,
    /// Whether the value is written in small letters.
    pub lower: bool,
    /// Filled on the left to this many characters.
    pub pad: Option<(usize, char)>,
    /// Characters that are taken out before the pattern is tried, as blanks and dashes.
    pub strip: String,
}

/// A format that a project defined, checked.
#[derive(Debug, Clone)]
pub struct ProjectFormat {
    spec: PatternSpec,
    whole: Regex,
}

/// The longest value that is matched, in bytes.
const LONGEST: usize = 10_000;

impl ProjectFormat {
    /// Checks a format.
    ///
    /// # Errors
    /// A text for the author when the pattern does not compile, has more than one capture, or the settings contradict each
    /// other.
    pub fn new(spec: PatternSpec) -> Result<Self, String> {
        if spec.pattern.trim().is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        if spec.upper && spec.lower {
            return Err("`upper` and `lower` cannot both be true".to_owned());
        }
        if spec.pad.is_some_and(|(width, _)| width == 0 || width > 200) {
            return Err("`pad` is from 1 to 200 characters".to_owned());
        }
        let bounded = |pattern: &str| regex::RegexBuilder::new(pattern).size_limit(1 << 20).build();
        // Alone first: a pattern such as `a)(b` must not become valid by what is put around it.
        let alone = bounded(&spec.pattern).map_err(|error| explain(&error))?;
        if alone.captures_len() > 2 {
            return Err("the pattern has more than one capture; write (?:…) for the groups that only group".to_owned());
        }
        let whole = bounded(&format!(r"\A(?:{})\z", spec.pattern)).map_err(|error| explain(&error))?;
        Ok(Self { spec, whole })
    }

    /// The format as written.
    #[must_use]
    pub fn spec(&self) -> &PatternSpec {
        &self.spec
    }

    /// The normal form of a value.
    ///
    /// # Errors
    /// When the pattern does not match the whole of it.
    pub fn read(&self, text: &str) -> Result<String, Refusal> {
        let refusal = || Refusal::new("does not match the format's pattern");
        let text: String = text.trim().chars().filter(|c| !self.spec.strip.contains(*c)).collect();
        if text.len() > LONGEST {
            return Err(refusal());
        }
        let found = self.whole.captures(&text).ok_or_else(refusal)?;
        let mut value = found.get(1).or_else(|| found.get(0)).map_or("", |value| value.as_str()).trim().to_owned();
        if value.is_empty() {
            return Err(refusal());
        }
        if self.spec.upper {
            value = value.to_uppercase();
        }
        if self.spec.lower {
            value = value.to_lowercase();
        }
        if let Some((width, with)) = self.spec.pad {
            let missing = width.saturating_sub(value.chars().count());
            value.insert_str(0, &with.to_string().repeat(missing));
        }
        Ok(value)
    }
}

fn explain(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("the pattern is not a regular expression: {last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_number() -> PatternSpec {
        PatternSpec { pattern: r"(?i)(?:#|order\s*)?(\d{3,8})".to_owned(), ..PatternSpec::default() }
    }

    #[test]
    fn the_order_number_of_the_design() {
        let format = ProjectFormat::new(order_number()).unwrap();
        assert_eq!(["#1001", "order 1001", "1001"].map(|given| format.read(given).unwrap()), ["1001"; 3]);
        assert_eq!(format.read("  Order 1001 ").unwrap(), "1001");
        for refused in ["1001 please", "12", "order", "1001\n1002", "", &"1".repeat(100_000)] {
            assert!(format.read(refused).is_err(), "{refused:.20}");
        }
    }

    #[test]
    fn values_get_their_normal_form() {
        let spec = PatternSpec {
            pattern: "[a-z]{2}[0-9]+".into(),
            pad: Some((6, '0')),
            strip: "- ".into(),
            ..PatternSpec::default()
        };
        let format = ProjectFormat::new(PatternSpec { pattern: "(?i)[a-z]{2}[0-9]+".into(), upper: true, ..spec }).unwrap();
        assert_eq!(format.read("ab - 12").unwrap(), "00AB12");
        let either = ProjectFormat::new(PatternSpec { pattern: "a|b".into(), ..PatternSpec::default() }).unwrap();
        assert!(either.read("ab").is_err());
        let optional = ProjectFormat::new(PatternSpec { pattern: "x(y)?".into(), ..PatternSpec::default() }).unwrap();
        assert_eq!(optional.read("x").unwrap(), "x");
    }

    #[test]
    fn mistakes_are_explained() {
        let wrong = |spec: PatternSpec| ProjectFormat::new(spec).map(|_| ()).unwrap_err();
        let with = |pattern: &str| PatternSpec { pattern: pattern.to_owned(), ..PatternSpec::default() };
        assert!(wrong(with("(a)(b)")).contains("more than one capture"));
        assert!(wrong(with("a)(b")).contains("unopened group"), "{}", wrong(with("a)(b")));
        assert!(wrong(with("")).contains("empty"));
        assert!(wrong(with("(?:a{1000}){1000}")).contains("size"), "{}", wrong(with("(?:a{1000}){1000}")));
        assert!(wrong(PatternSpec { upper: true, lower: true, ..with("a") }).contains("both"));
        assert!(wrong(PatternSpec { pad: Some((0, ' ')), ..with("a") }).contains("pad"));
    }
}
