//! The words that a project's own files write, which therefore say nothing about a person.
//!
//! Of a recording these are the words of messages, codes, choices and names of things; not those of examples and sample data,
//! which are full of people.

use std::collections::HashSet;

use chrono::{Datelike as _, Days, NaiveDate};
use serde_json::Value;

use crate::connector::catalog;
use crate::diag::File;
use crate::format::{Locale, date_out, money};
use crate::model;
use crate::plan::{Project, Sources};
use crate::spec::yaml;

/// Words, and addresses where those are known too.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    words: HashSet<String>,
    addresses: HashSet<String>,
}

/// Keys whose values are examples or are for readers of the file.
const EXAMPLES: [&str; 7] = ["tests", "examples", "example", "description", "tables", "default", "first_use"];

impl Vocabulary {
    /// Whether the word, in small letters, is one of them.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether an address or number stands in the files as it is.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        self.addresses.contains(&address.to_lowercase())
    }

    /// Takes in the words of a text.
    pub fn learn(&mut self, text: &str) {
        self.words.extend(words(text).map(str::to_lowercase));
    }

    /// Takes in a value with its keys, without what stands under one of these.
    fn learn_value(&mut self, value: &Value, without: &[&str]) {
        match value {
            Value::String(text) => self.learn(text),
            Value::Array(items) => items.iter().for_each(|item| self.learn_value(item, without)),
            Value::Object(fields) => {
                for (key, value) in fields.iter().filter(|(key, _)| !without.contains(&key.as_str())) {
                    self.learn(key);
                    self.learn_value(value, without);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn learn_file(&mut self, file: &std::sync::Arc<File>) {
        if let Ok(tree) = yaml::parse(file) {
            self.learn_value(&tree.to_json(), &EXAMPLES);
        }
    }

    /// Takes in what legwork itself writes into messages: days and months, units, labels, currencies.
    fn learn_own(&mut self, locales: &[&str]) {
        let begin = NaiveDate::from_ymd_opt(2026, 1, 4).unwrap_or_default();
        for tag in locales {
            let locale = Locale::parse(tag);
            let days = (0..400).filter_map(|days| begin.checked_add_days(Days::new(days)));
            for day in days.filter(|day| day.day() == 15 || day.ordinal() < 40) {
                self.learn(&date_out::friendly(day, begin, &locale));
                self.learn(&date_out::weekday(day, &locale));
            }
            model::labels(tag).into_iter().for_each(|(code, label)| {
                self.learn(code);
                self.learn(label);
            });
        }
        money::codes().for_each(|code| self.learn(code));
        self.learn(
            "second seconds minute minutes hour hours day days week weeks month months year years ago yesterday today",
        );
        self.learn("Sekunde Sekunden Minute Minuten Stunde Stunden Tag Tage Tagen Woche Wochen Monat Monaten Jahr Jahren");
        self.learn("http https www com org net");
        self.learn("tomorrow gestern heute morgen true false null none");
    }
}

/// The words of a project that a recording may show. `messages` are the texts that legwork says by itself.
#[must_use]
pub fn of_project(sources: &Sources, project: &Project, messages: &[String]) -> Vocabulary {
    let mut own = Vocabulary::default();
    let files = sources.actions.iter().chain(&sources.shared).chain(&sources.domain).chain(&sources.own_connectors);
    files.chain(&sources.settings).for_each(|file| own.learn_file(file));
    for source in catalog::BUILT_IN.iter().filter(|source| sources.connectors.contains_key(source.name)) {
        own.learn_file(&File::new(source.name, source.text));
    }
    messages.iter().for_each(|message| own.learn(message));
    let locales: Vec<&str> = ["en", "de"].into_iter().chain(project.settings.words.keys().map(String::as_str)).collect();
    own.learn_own(&locales);
    own
}

/// Everything that stands in the files of a project, sample data and addresses included: what may stand in a further test.
#[must_use]
pub fn of_everything(sources: &Sources, project: &Project, messages: &[String]) -> Vocabulary {
    let mut own = of_project(sources, project, messages);
    let files = sources.actions.iter().chain(&sources.shared).chain(&sources.domain).chain(&sources.own_connectors);
    let written = files.chain(&sources.settings).map(|file| file.text.as_str());
    let built_in = catalog::BUILT_IN.iter().filter(|source| sources.connectors.contains_key(source.name));
    let built_in = built_in.flat_map(|it| std::iter::once(it.text).chain(it.files.iter().map(|(_, text)| *text)));
    for text in written.chain(built_in) {
        own.learn(text);
        let found = crate::format::mask::pieces(text).into_iter().filter_map(|piece| match piece {
            crate::format::mask::Piece::Found(_, found) => Some(found.to_lowercase()),
            crate::format::mask::Piece::Plain(_) => None,
        });
        own.addresses.extend(found);
    }
    own
}

/// The runs of letters in a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}
