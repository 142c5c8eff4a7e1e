//! Everything that people are told about a connector, as plain data.

use chrono::{Days, NaiveDate};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::words;
use crate::plan::connector::auth::{Choice, Way};
use crate::plan::connector::{Api, Connector, Ends, Example, Exchange, Operation, OperationInput, Setting, System};

/// How long before the end of an API version people are told of it, in days: as long as `check` warns.
const NOTICE: Days = Days::new(90);

/// Everything about one connector.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Which system it is, in a sentence or more.
    pub description: String,
    /// `http` or `sql`.
    pub kind: &'static str,
    /// The version of the vendor's API.
    pub api: Option<ApiSheet>,
    /// What the system does not offer: an operation's name or a few words → why.
    pub lacks: Map<String, Value>,
    /// The least that the account has to be allowed to do.
    pub rights: Vec<Right>,
    /// What a connection sets.
    pub settings: Vec<SettingSheet>,
    /// The operation that `legwork connectors test` runs.
    pub test: Option<String>,
    /// How much is asked of it at most, in words.
    pub limits: Option<String>,
    /// What can be asked.
    pub operations: Vec<OperationSheet>,
    /// A `connections:` block to paste.
    pub block: String,
}

/// The version of a vendor's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiSheet {
    /// As the vendor calls it.
    pub version: String,
    /// The last day on which the vendor supports it, where that is known.
    pub supported_until: Option<NaiveDate>,
    /// Where it is documented.
    pub docs: Option<String>,
}

/// How long the vendor goes on supporting a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Longer than people have to be told, or for as long as nobody says otherwise.
    Supported,
    /// It ends within 90 days.
    EndsSoon,
    /// It has ended.
    Ended,
}

/// Something that the account has to be allowed to do.
#[derive(Debug, Clone, Serialize)]
pub struct Right {
    /// As the vendor calls it.
    pub name: String,
    /// What it is needed for.
    #[serde(rename = "for")]
    pub purpose: Option<String>,
}

/// Something that a connection sets.
#[derive(Debug, Clone, Serialize)]
pub struct SettingSheet {
    /// Its key.
    pub name: String,
    /// What it is, and where it is found.
    pub description: String,
    /// `text` or `map`.
    pub kind: &'static str,
    /// Whether it has to be set, whatever way of proving who we are a connection chooses.
    pub required: bool,
    /// When it has to be set, where only some of these ways use it: `login is jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_when: Option<String>,
    /// Whether a connection that chooses nothing has to set it.
    #[serde(skip)]
    pub(super) usual: bool,
    /// The value without it; of a map, as JSON.
    pub default: Option<String>,
    /// A value that it could have; none of a secret.
    pub example: Option<String>,
    /// What the whole value has to match.
    pub pattern: Option<String>,
    /// Whether it has to be a reference such as `${NAME}`.
    pub secret: bool,
}

/// Something that can be asked.
#[derive(Debug, Clone, Serialize)]
pub struct OperationSheet {
    /// Its name.
    pub name: String,
    /// `read`, `write` or `payment`.
    pub kind: &'static str,
    /// What it does.
    pub description: String,
    /// What to call in its place, where it should no longer be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// What it needs to know.
    pub inputs: Vec<InputSheet>,
    /// The model of the answer, `[Order]` for a list.
    pub model: Option<String>,
    /// How long answers are kept, in words.
    pub cache: Option<String>,
    /// What happens to a write that has to be repeated, in words.
    pub repeats: Option<String>,
    /// The reads that it outdates.
    pub drops: Vec<String>,
    /// What is asked and answered; left out where nobody asked for examples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ExampleSheet>,
}

/// Something that an operation needs to know.
#[derive(Debug, Clone, Serialize)]
pub struct InputSheet {
    /// Its key in `with:`.
    pub name: String,
    /// What it means.
    pub description: String,
    /// How it has to look: a format, or the values of an enum.
    pub format: Option<String>,
    /// What the whole value has to match.
    pub pattern: Option<String>,
    /// Whether it has to be given.
    pub required: bool,
    /// The value without it; null for none.
    pub default: Value,
}

/// One call with its answer.
#[derive(Debug, Clone, Serialize)]
pub struct ExampleSheet {
    /// What it shows.
    pub description: Option<String>,
    /// What is asked.
    pub inputs: Map<String, Value>,
    /// What is answered, when it ends well.
    pub answer: Option<Value>,
    /// How it ends otherwise.
    pub outcome: Option<&'static str>,
    /// What goes over the wire, in order.
    pub exchanges: Vec<Value>,
}

/// A connector in a list: its sheet, and what the project has to do with it.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Everything about it.
    #[serde(flatten)]
    pub sheet: Sheet,
    /// Whether it is a file of the project.
    pub own: bool,
    /// How long its API version is supported, seen from today.
    pub support: Option<Support>,
    /// The project's connections that use it.
    pub connections: Vec<String>,
}

impl Sheet {
    /// Everything about `connector`; its examples only when they are asked for.
    #[must_use]
    pub fn of(connector: &Connector, examples: bool) -> Self {
        let http = match &connector.system {
            System::Http(system) => Some(system),
            System::Sql(_) => None,
        };
        let limits = http.map(|system| {
            let at_once = format!("{} at the same time", words::count(system.limits.concurrent.get() as usize, "request"));
            match system.limits.rate {
                Some((requests, per)) => format!("{at_once}, {requests} in {}", words::span(per)),
                None => at_once,
            }
        });
        let settings: Vec<_> = connector.settings.iter().map(|it| setting(it, connector)).collect();
        let operations: Vec<_> = connector.operations.values().map(|it| operation(it, examples)).collect();
        let right = |it: &crate::plan::connector::Right| Right { name: it.name.clone(), purpose: it.purpose.clone() };
        let lacks = connector.lacks.iter().map(|(name, why)| (name.clone(), why.as_str().into()));
        let api = http.and_then(|system| system.api.as_ref()).map(ApiSheet::of);
        let mut sheet = Self {
            name: connector.name.to_string(),
            description: connector.description.trim().to_owned(),
            kind: if http.is_some() { "http" } else { "sql" },
            api,
            lacks: lacks.collect(),
            rights: connector.rights.iter().map(right).collect(),
            settings,
            test: http.and_then(|system| system.test.as_ref()).map(ToString::to_string),
            limits,
            operations,
            block: String::new(),
        };
        sheet.block = super::block::block(&sheet);
        sheet
    }

    /// The name that a connection to it could have: what it is for the shipped actions, else its own.
    #[must_use]
    pub fn connection_name(&self) -> &str {
        let roles = [("shop", "find_order"), ("helpdesk", "find_ticket"), ("crm", "find_customer"), ("hr", "leave_balance")];
        roles.into_iter().find(|(_, operation)| self.has(operation)).map_or(self.name.as_str(), |(role, _)| role)
    }

    /// Whether it has that operation.
    #[must_use]
    pub fn has(&self, operation: &str) -> bool {
        self.operations.iter().any(|it| it.name == operation)
    }
}

impl ApiSheet {
    /// Of the version that a file names.
    #[must_use]
    pub fn of(api: &Api) -> Self {
        Self { version: api.version.clone(), supported_until: api.supported_until, docs: api.docs.clone() }
    }

    /// How long it is supported, seen from `today`.
    #[must_use]
    pub fn support(&self, today: NaiveDate) -> Support {
        match self.supported_until {
            Some(until) if until < today => Support::Ended,
            Some(until) if today.checked_add_days(NOTICE).is_some_and(|soon| soon >= until) => Support::EndsSoon,
            _ => Support::Supported,
        }
    }
}

fn setting(setting: &Setting, connector: &Connector) -> SettingSheet {
    let choice = connector.choice().filter(|choice| setting.required && choice.own.contains(&setting.name));
    let needed_when = choice.and_then(|choice| {
        let using: Vec<_> = choice.ways.iter().filter(|way| way.uses.contains(&setting.name)).collect();
        let names: Vec<_> = using.iter().map(|way| way.name.as_str()).collect();
        (using.len() < choice.ways.len()).then(|| format!("{} is {}", choice.by, names.join(" or ")))
    });
    SettingSheet {
        name: setting.name.clone(),
        description: setting.description.trim().to_owned(),
        kind: if setting.is_map { "map" } else { "text" },
        required: setting.required && needed_when.is_none(),
        usual: setting.required && choice.is_none_or(|choice| choice.needs(&setting.name, usual(connector, choice))),
        needed_when,
        default: setting.default.clone(),
        example: setting.example.clone().filter(|_| !setting.secret),
        pattern: setting.pattern.as_ref().map(written),
        secret: setting.secret,
    }
}

/// The way that a connection chooses which chooses none, or that of the example.
fn usual<'a>(connector: &Connector, choice: &'a Choice) -> Option<&'a Way> {
    let by = connector.setting(&choice.by)?;
    choice.of(by.default.as_deref().or(by.example.as_deref())?)
}

/// A pattern as the file has it, which stands for the whole value.
fn written(pattern: &regex::Regex) -> String {
    let text = pattern.as_str();
    text.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(text).to_owned()
}

fn operation(operation: &Operation, examples: bool) -> OperationSheet {
    let model = |name: &str| if operation.many { format!("[{name}]") } else { name.to_owned() };
    OperationSheet {
        name: operation.name.to_string(),
        kind: operation.kind.name(),
        description: operation.description.trim().to_owned(),
        deprecated: operation.deprecated.clone(),
        inputs: operation.inputs.iter().map(input).collect(),
        model: operation.model.map(|it| model(it.name)),
        cache: words::kept(operation),
        repeats: words::repeats(operation),
        drops: operation.drops.iter().map(ToString::to_string).collect(),
        examples: operation.examples.iter().filter(|_| examples).map(example).collect(),
    }
}

fn input(input: &OperationInput) -> InputSheet {
    InputSheet {
        name: input.name.to_string(),
        description: input.doc.trim().to_owned(),
        format: input.format.as_ref().map(words::format),
        pattern: input.pattern.as_ref().map(written),
        required: input.required,
        default: input.default.clone(),
    }
}

fn example(example: &Example) -> ExampleSheet {
    let (answer, outcome) = match &example.ends {
        Ends::Answer(value) => (Some(value.clone()), None),
        Ends::Outcome(outcome) => (None, Some(outcome.name())),
    };
    let exchanges = example.exchanges.iter().map(exchange).collect();
    ExampleSheet { description: example.description.clone(), inputs: example.inputs.clone(), answer, outcome, exchanges }
}

/// What goes over the wire, with nothing that is empty.
fn exchange(exchange: &Exchange) -> Value {
    let (sent, received) = (&exchange.sent, &exchange.received);
    let pairs = |pairs: &[(String, String)]| {
        let map: Map<_, _> = pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        Value::Object(map)
    };
    // A name with several values has a list of them.
    let lists = |pairs: &[(String, Vec<String>)]| {
        let value = |values: &[String]| match values {
            [one] => one.as_str().into(),
            several => json!(several),
        };
        Value::Object(pairs.iter().map(|(name, values)| (name.clone(), value(values))).collect())
    };
    let optional = |pairs: &[(String, Option<String>)]| {
        Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
    };
    let kept = |entries: Vec<(&str, Value)>| {
        let empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
        let entries = entries.into_iter().filter(|(_, value)| !empty(value));
        Value::Object(entries.map(|(name, value)| (name.to_owned(), value)).collect())
    };
    json!({
        "sends": kept(vec![
            ("request", format!("{} {}", sent.method.name(), sent.path).into()),
            ("query", lists(&sent.query)),
            ("headers", optional(&sent.headers)),
            ("json", sent.json.clone().unwrap_or_default()),
            ("form", lists(&sent.form)),
            ("text", sent.text.clone().into()),
        ]),
        "receives": kept(vec![
            ("status", received.status.into()),
            ("headers", pairs(&received.headers)),
            ("json", received.json.clone().unwrap_or_default()),
            ("text", received.text.clone().into()),
        ]),
    })
}
