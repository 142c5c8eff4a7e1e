//! legwork.yml: what has a place there, and whether its values make sense.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use serde_json::{Map as Object, Value, json};

use super::Compiler;
use super::names::Names;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::format::{Choice, Format, PatternSpec, ProjectFormat, money};
use crate::model;
use crate::name::CallerName;
use crate::plan::reading::duration;
use crate::plan::settings::{
    Caller, Limits, MainStore, Outbox, Profile, Proof, Server, Settings, Stores, Verify, is_loopback,
};
use crate::resilience::{CACHE_BYTES, Keep};
use crate::secret::Reference;
use crate::spec::settings as spec;
use crate::spec::{Choices, Map, Text};
use crate::template::{Template, from_json};

/// How long a turn may take.
pub(super) fn limits(turn: &crate::spec::action::Turn, otherwise: Limits, out: &mut Diagnostics) -> Limits {
    let mut limits = otherwise;
    if let Some(give_up) = turn.give_up_after.as_ref().and_then(|text| duration(text, out)) {
        limits.times.give_up_after = give_up;
    }
    if let Some(slow) = turn.slow_after.as_ref().and_then(|text| slow_after(text, limits.times.give_up_after, out)) {
        limits.times.slow_after = slow;
    }
    for (channel, turn) in turn.channels.iter() {
        if let Some(key) = turn.key("channels") {
            out.push(
                Diagnostic::at(Code::MisplacedKey, &key.span, "a channel has no channels")
                    .help("write it beside the other channels"),
            );
        }
        let mut own = limits.channels.get(&channel.value).copied().unwrap_or_default();
        own.give_up_after = turn.give_up_after.as_ref().and_then(|text| duration(text, out)).or(own.give_up_after);
        let give_up = own.give_up_after.unwrap_or(limits.times.give_up_after);
        own.slow_after = turn.slow_after.as_ref().and_then(|text| slow_after(text, give_up, out)).or(own.slow_after);
        limits.channels.insert(channel.value.clone(), own);
    }
    limits
}

/// A `slow_after` beside the `give_up_after` that goes with it.
fn slow_after(text: &Text, give_up_after: Duration, out: &mut Diagnostics) -> Option<Duration> {
    let slow = duration(text, out)?;
    if slow > give_up_after {
        let message = format!("`slow_after` comes later than `give_up_after`, which is {give_up_after:?} here");
        let diagnostic = Diagnostic::at(Code::BadValue, &text.span, message);
        out.push(diagnostic.help("make it the shorter of the two; where they are equal, no turn is slow"));
        return None;
    }
    Some(slow)
}

/// The project's own formats; what is wrong with them is said when the project is compiled.
#[must_use]
pub fn known_formats(written: &Map<spec::Format>) -> BTreeMap<String, Option<Format>> {
    formats(written, &mut Diagnostics::default())
}

/// The project's own formats, their examples run; none for one whose pattern cannot be used.
pub(super) fn formats(written: &Map<spec::Format>, out: &mut Diagnostics) -> BTreeMap<String, Option<Format>> {
    let mut formats = BTreeMap::new();
    for (name, format) in written.iter() {
        if Format::parse(&name.value).is_some() {
            let diagnostic =
                Diagnostic::at(Code::DuplicateName, &name.span, format!("legwork has a format `{}` already", name.value));
            out.push(diagnostic.help("choose another name"));
        }
        let Some(built) = format_of(name, format, out) else {
            formats.insert(name.value.clone(), None);
            continue;
        };
        let examples: Vec<_> =
            format.examples.iter().map(|(given, became)| (given.value.clone(), became.scalar_text())).collect();
        for wrong in built.check_examples(&examples) {
            let diagnostic = Diagnostic::at(
                Code::BadFormat,
                &name.span,
                format!("the format `{}` does something else: {wrong}", name.value),
            );
            out.push(diagnostic.help("change the format or the example; null says that a text is refused"));
        }
        formats.insert(name.value.clone(), Some(built));
    }
    formats
}

fn format_of(name: &Text, written: &spec::Format, out: &mut Diagnostics) -> Option<Format> {
    let of_pattern = [
        ("upper", written.upper.as_ref().map(|flag| &flag.span)),
        ("lower", written.lower.as_ref().map(|flag| &flag.span)),
        ("strip", written.strip.as_ref().map(|text| &text.span)),
        ("pad", written.pad.as_ref().map(|pad| &pad.span)),
    ];
    let pattern = match (&written.pattern, &written.r#enum) {
        (Some(pattern), None) => pattern,
        (None, Some(values)) => {
            for (key, place) in of_pattern.iter().filter_map(|(key, place)| Some((key, (*place)?))) {
                let diagnostic = Diagnostic::at(Code::MisplacedKey, place, format!("`{key}` does not go with `enum`"));
                out.push(
                    diagnostic.help("an enum's words are found whatever their case; write every spelling beside its value"),
                );
            }
            return choices(values, out);
        }
        _ => {
            let message = format!("the format `{}` needs `pattern` or `enum`, one of the two", name.value);
            out.push(
                Diagnostic::at(Code::MissingKey, &name.span, message)
                    .help("a pattern for what has a shape, an enum for what is one of a few"),
            );
            return None;
        }
    };
    let flag = |flag: &Option<crate::spec::Flag>| flag.as_ref().is_some_and(|flag| flag.value);
    let pad =
        written.pad.as_ref().and_then(|pad| Some((usize::try_from(pad.width.value).ok()?, pad.with.value.chars().next()?)));
    let built = ProjectFormat::new(PatternSpec {
        pattern: pattern.value.clone(),
        upper: flag(&written.upper),
        lower: flag(&written.lower),
        pad,
        strip: written.strip.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
    });
    let refused = |wrong| {
        let diagnostic = Diagnostic::at(Code::BadFormat, &pattern.span, format!("this pattern cannot be used: {wrong}"));
        diagnostic.help("it is a regular expression for the whole value, with round brackets around the part that is kept")
    };
    built.map(Format::Pattern).map_err(|wrong| out.push(refused(wrong))).ok()
}

/// One of several values.
pub(super) fn choices(written: &Choices, out: &mut Diagnostics) -> Option<Format> {
    let synonyms = |texts: &[Text]| texts.iter().map(|text| text.value.clone()).collect();
    let choice = |(value, others): (&Text, &Vec<Text>)| Choice { value: value.value.clone(), synonyms: synonyms(others) };
    let format = Format::choices(written.values.iter().map(choice).collect());
    format
        .map_err(|wrong| {
            out.push(
                Diagnostic::at(Code::BadFormat, &written.span, wrong).help("write each value once: `enum: [red, green]`"),
            )
        })
        .ok()
}

impl Compiler<'_> {
    /// Everything of legwork.yml but connections.
    pub(super) fn settings(&mut self, written: &spec::Settings) -> Settings {
        if let Some(turn) = &written.turn {
            self.limits = limits(turn, Limits::default(), &mut self.out);
        }
        let messages = self.messages(written);
        let english = Template::constant(Value::String("en".into()));
        let locale = written.locale.as_ref().and_then(|text| self.template(text, &Names::offered())).unwrap_or(english);
        let timezone = written.timezone.as_ref().map_or(Tz::UTC, |text| {
            text.value.parse().unwrap_or_else(|_| {
                let diagnostic =
                    Diagnostic::at(Code::BadValue, &text.span, format!("there is no time zone `{}`", text.value));
                self.out.push(diagnostic.did_you_mean(&text.value, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())));
                Tz::UTC
            })
        });
        let region =
            written.region.as_ref().and_then(|text| super::region(text, &mut self.out)).unwrap_or_else(|| "US".to_owned());
        let currency = self
            .currency
            .clone()
            .or_else(|| money::of_region(&region).map(str::to_owned))
            .unwrap_or_else(|| "USD".to_owned());
        Settings {
            limits: self.limits.clone(),
            messages: Arc::new(messages),
            locale,
            timezone,
            words: words(written, &region, &currency),
            region,
            currency,
            profiles: self.profiles(written),
            cache_bytes: self.cache_bytes(written),
            tests_now: written.tests.as_ref().and_then(|tests| tests.now.as_ref()).and_then(|text| self.moment(text)),
            stories: written
                .tests
                .as_ref()
                .and_then(|tests| tests.stories.as_ref())
                .map(|paths| paths.0.iter().map(|path| path.value.clone()).collect()),
            server: written.server.as_ref().map_or_else(Server::default, |server| self.server(server)),
            stores: written.stores.as_ref().map_or_else(Stores::default, |stores| self.stores(stores)),
            outbox: written.outbox.as_ref().map_or_else(Outbox::default, |outbox| self.outbox(outbox)),
            verify: written.verify.as_ref().map_or_else(Verify::default, |verify| self.verify(verify)),
            assistants: self.assistants(written),
            fallback: written.fallback.as_ref().and_then(|fallback| self.fallback(fallback)),
        }
    }

    /// Where durable state is kept.
    fn stores(&mut self, written: &spec::Stores) -> Stores {
        let defaults = Stores::default();
        let main = written.main.as_ref().and_then(|text| self.main_store(text)).unwrap_or(defaults.main);
        let cache = written.cache.as_ref().and_then(|cache| self.reference(cache));
        let keys = written.key.iter().flat_map(|keys| &keys.0).filter_map(|key| self.reference(key)).collect();
        let keep = written.keep.as_ref();
        let mut time = |text: Option<&Text>, default| text.and_then(|it| duration(it, &mut self.out)).unwrap_or(default);
        Stores {
            main,
            cache,
            keys,
            keep_running: time(keep.and_then(|keep| keep.running.as_ref()), defaults.keep_running),
            keep_ledger: time(keep.and_then(|keep| keep.ledger.as_ref()), defaults.keep_ledger),
            keep_dead: time(keep.and_then(|keep| keep.dead.as_ref()), defaults.keep_dead),
        }
    }

    fn main_store(&mut self, text: &Text) -> Option<MainStore> {
        if let Some(file) =
            text.value.strip_prefix("sqlite://").filter(|file| !file.is_empty() && !file.contains(['?', ':']))
        {
            return Some(MainStore::File(PathBuf::from(file)));
        }
        if text.value.trim_start().starts_with("${") {
            return self.reference(text).map(MainStore::Server);
        }
        let what = "durable state is kept in an SQLite file or on a PostgreSQL server";
        self.out.push(Diagnostic::at(Code::BadValue, &text.span, what).help(
            "write `sqlite://legwork.db`, a file in the project's folder, or a reference such as ${LEGWORK_DATABASE} to the \
             server's address",
        ));
        None
    }

    /// How writes are made later.
    fn outbox(&mut self, written: &spec::Outbox) -> Outbox {
        let defaults = Outbox::default();
        let attempts = written.attempts.as_ref().and_then(|attempts| {
            let number = u32::try_from(attempts.value).ok().filter(|number| (1..=1_000).contains(number));
            if number.is_none() {
                let diagnostic = Diagnostic::at(Code::BadValue, &attempts.span, "this is no number of tries");
                self.out.push(diagnostic.help("write one from 1 to 1000"));
            }
            number
        });
        let mut time =
            |text: &Option<Text>, default| text.as_ref().and_then(|it| duration(it, &mut self.out)).unwrap_or(default);
        let first_wait = time(&written.first_wait, defaults.first_wait);
        Outbox {
            attempts: attempts.unwrap_or(defaults.attempts),
            first_wait,
            longest_wait: time(&written.longest_wait, defaults.longest_wait).max(first_wait),
            give_up_after: time(&written.give_up_after, defaults.give_up_after),
            repeat_within: time(&written.repeat_within, defaults.repeat_within),
        }
    }

    /// How much memory kept answers may take.
    fn cache_bytes(&mut self, written: &spec::Settings) -> u64 {
        let size = written.cache.as_ref().and_then(|cache| cache.size.as_ref());
        let Some(text) = size else { return CACHE_BYTES };
        let read = bytes(&text.value).and_then(|bytes| u64::try_from(bytes).ok());
        read.unwrap_or_else(|| {
            let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("`{}` is not a size", text.value));
            self.out.push(diagnostic.help("write a number and a unit, such as 64MiB; 0 keeps nothing"));
            CACHE_BYTES
        })
    }

    /// How long customer profiles are kept.
    fn profiles(&mut self, written: &spec::Settings) -> Keep {
        let Some(keep) = written.cache.as_ref().and_then(|cache| cache.profiles.as_ref()) else { return Keep::PROFILES };
        let mut time =
            |text: &Option<Text>, default| text.as_ref().and_then(|text| duration(text, &mut self.out)).unwrap_or(default);
        let fresh = time(&keep.fresh, Keep::PROFILES.fresh);
        let stale = time(&keep.stale, Keep::PROFILES.stale);
        if stale < fresh {
            let diagnostic = Diagnostic::at(Code::BadValue, &keep.span, "`stale` is shorter than `fresh`");
            self.out.push(diagnostic.help("`stale` counts from the answer's arrival too, so it is the longer of the two"));
        }
        Keep::new(fresh, stale)
    }

    fn server(&mut self, written: &spec::Server) -> Server {
        let defaults = Server::default();
        let profile = written.profile.as_ref().map_or_else(Profile::default, |text| match text.value.as_str() {
            "development" => Profile::Development,
            "test" => Profile::Test,
            "production" => Profile::Production,
            other => {
                let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("there is no profile `{other}`"));
                self.out.push(diagnostic.did_you_mean(other, ["development", "test", "production"]));
                Profile::default()
            }
        });
        if profile == Profile::Production && written.auth.is_empty() {
            let diagnostic = Diagnostic::at(Code::MissingKey, &written.span, "`profile: production` needs `auth`");
            self.out
                .push(diagnostic.help("name who may call, such as `auth: [{ name: assistant, token: \"${RASA_TOKEN}\" }]`"));
        }
        if let Some(host) = written.host.as_ref().filter(|host| written.auth.is_empty() && !is_loopback(&host.value)) {
            let message = format!("the server listens on {} and asks nobody who they are", host.value);
            self.out.push(Diagnostic::at(Code::OpenServer, &host.span, message).help("set `auth`, or listen on 127.0.0.1"));
        }
        let port = written.port.as_ref().and_then(|port| {
            let valid = u16::try_from(port.value).ok();
            if valid.is_none() {
                let diagnostic = Diagnostic::at(Code::BadValue, &port.span, format!("there is no port {}", port.value));
                self.out.push(diagnostic.help("a port is a number up to 65535, such as 5055"));
            }
            valid
        });
        let body_limit = written.body_limit.as_ref().map_or(defaults.body_limit, |text| {
            bytes(&text.value).unwrap_or_else(|| {
                let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("`{}` is not a size", text.value));
                self.out.push(diagnostic.help("write a number and a unit, such as 500KiB or 20MiB"));
                defaults.body_limit
            })
        });
        let depth = written.depth_limit.as_ref().and_then(|depth| usize::try_from(depth.value).ok());
        let turns = written.turns.as_ref().and_then(|turns| {
            let most = usize::try_from(turns.value).ok().filter(|most| *most > 0);
            if most.is_none() {
                let diagnostic = Diagnostic::at(Code::BadValue, &turns.span, "a server that runs no turns answers nothing");
                self.out.push(diagnostic.help("write how many may run at the same time, from 1, or leave it out"));
            }
            most
        });
        Server {
            profile,
            host: written.host.as_ref().map(|host| host.value.clone()),
            port,
            auth: written.auth.iter().filter_map(|auth| self.caller(auth)).collect(),
            cors: written.cors.iter().map(|origin| origin.value.clone()).collect(),
            body_limit,
            depth_limit: depth.unwrap_or(defaults.depth_limit),
            turns,
        }
    }

    fn caller(&mut self, auth: &spec::Auth) -> Option<Caller> {
        let name = self.parsed(&auth.name, "a caller", CallerName::RULE, CallerName::parse);
        let mut proofs = Vec::new();
        if let Some(bearer) = &auth.bearer {
            proofs.push(self.reference(bearer).map(Proof::Bearer));
        }
        if let Some(header) = &auth.header {
            proofs.push(self.reference(&header.value).map(|value| Proof::Header(header.name.value.clone(), value)));
        }
        if let Some(basic) = &auth.basic {
            proofs.push(self.reference(&basic.password).map(|password| Proof::Basic(basic.user.value.clone(), password)));
        }
        if let Some(token) = &auth.token {
            let parameter = auth.token_name.as_ref().map_or_else(|| "token".to_owned(), |name| name.value.clone());
            proofs.push(self.reference(token).map(|value| Proof::Token(parameter, value)));
        }
        if proofs.len() != 1 {
            let diagnostic = Diagnostic::at(Code::MissingKey, &auth.span, "an entry of `server.auth` has exactly one proof");
            self.out
                .push(diagnostic.help("one of `bearer`, `header`, `basic` and `token`; make two entries for two proofs"));
            return None;
        }
        Some(Caller { name: name?, proof: proofs.pop()?? })
    }

    pub(super) fn reference(&mut self, text: &Text) -> Option<Reference> {
        let reference = Reference::parse(&text.value);
        if reference.is_none() {
            self.out.push(super::secret_written(&text.span));
        }
        reference
    }
}

/// What filters look up under `legwork`, by language: labels, word lists, region, currency.
fn words(written: &spec::Settings, region: &str, currency: &str) -> BTreeMap<String, crate::template::Value> {
    let own = written.labels.iter().map(|(locale, _)| locale.value.as_str());
    let locales: std::collections::BTreeSet<&str> = own.chain(["en", "de"]).collect();
    locales
        .into_iter()
        .map(|locale| {
            let mut labels: Object<String, Value> =
                model::labels(locale).into_iter().map(|(code, word)| (code.to_owned(), word.into())).collect();
            for (code, word) in written.labels.get(locale).into_iter().flat_map(Map::iter) {
                labels.insert(code.value.clone(), word.value.clone().into());
            }
            let words: Object<String, Value> = written
                .words
                .iter()
                .map(|(name, node)| {
                    (name.value.clone(), node.get(locale).or_else(|| node.get("en")).unwrap_or(node).to_json())
                })
                .collect();
            let value = json!({ "labels": labels, "words": words, "region": region, "currency": currency });
            (locale.to_owned(), from_json(&value))
        })
        .collect()
}

/// A size such as `20MiB`, in bytes.
fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KiB" | "KB" => 1 << 10,
        "MiB" | "MB" => 1 << 20,
        "GiB" | "GB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(factor)
}
