//! What a connector is once it is known to be right: plain types that the executor reads and nothing else changes.
//!
//! They are made by `compile` only; nothing here checks or runs.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use regex::Regex;

use super::auth::{Choice, Ways};
use super::{Answer, Batch, Exchange, HttpStep, HttpSystem, Idempotency, Rules, Sql, Table};
use crate::fault::Outcome;
use crate::format::Format;
use crate::model::Model;
use crate::name::{ConnectionName, Local, OperationName};
use crate::resilience::Keep;
use crate::secret::Secret;
use crate::template::{Expression, Template};

/// A business system and what can be asked of it.
#[derive(Debug)]
pub struct Connector {
    /// The name of its file, such as `sandbox`.
    pub name: Arc<str>,
    /// Which system it is, in a sentence.
    pub description: String,
    /// The least that the account which a connection uses has to be allowed to do.
    pub rights: Vec<Right>,
    /// What the system does not offer: an operation's name or a few words, and why.
    pub lacks: Vec<(String, String)>,
    /// What a connection may set.
    pub settings: Vec<Setting>,
    /// How it is talked to.
    pub system: System,
    /// What can be asked, in the order of the file.
    pub operations: IndexMap<OperationName, Operation>,
    /// Differs when its file, a file that this names, or a format does.
    pub print: [u8; 32],
}

/// Something that the account which a connection uses has to be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The right, the scope or the role, as the vendor calls it.
    pub name: String,
    /// What it is needed for.
    pub purpose: Option<String>,
}

/// A connector with this company's address and credentials.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The name in legwork.yml and in actions.
    pub name: ConnectionName,
    /// Whose operations it has.
    pub connector: Arc<Connector>,
    /// What legwork.yml sets. Settings that are not here have their default.
    pub settings: IndexMap<String, SettingValue>,
    /// What it allows.
    pub rules: Rules,
}

impl Connection {
    /// Its name and its settings as parts of a digest, secrets among them: for nothing else.
    #[must_use]
    pub fn parts(&self) -> Vec<Vec<u8>> {
        let mut parts = vec![self.name.as_str().into()];
        for (name, value) in &self.settings {
            parts.push(name.as_str().into());
            parts.push(match value {
                SettingValue::Text(text) => text.as_str().into(),
                SettingValue::Secret(secret) => secret.expose().into(),
                SettingValue::Map(map) => serde_json::to_vec(map).unwrap_or_default(),
            });
        }
        parts
    }
}

/// The value of a setting.
#[derive(Debug, Clone)]
pub enum SettingValue {
    /// A value that may be shown.
    Text(String),
    /// A value that may not.
    Secret(Secret),
    /// Names and values.
    Map(serde_json::Map<String, serde_json::Value>),
}

/// Something that a connection sets.
#[derive(Debug)]
pub struct Setting {
    /// Its key in legwork.yml.
    pub name: String,
    /// What it is, and where people find it.
    pub description: String,
    /// Whether it is a map of names and values.
    pub is_map: bool,
    /// Whether a connection has to set it.
    pub required: bool,
    /// The value when a connection does not set it; of a map, as JSON.
    pub default: Option<String>,
    /// The value in the examples, where there is no default.
    pub example: Option<String>,
    /// What the whole value has to match.
    pub pattern: Option<Regex>,
    /// Whether it has to be a reference such as `${NAME}`.
    pub secret: bool,
}

/// How a system is talked to.
#[derive(Debug)]
pub enum System {
    /// A database.
    Sql(SqlSystem),
    /// A vendor's API.
    Http(Box<HttpSystem>),
}

/// A database and what belongs in it.
#[derive(Debug)]
pub struct SqlSystem {
    /// An SQLite file, relative to the project, `:memory:`, or the address of a PostgreSQL server; `settings` is in scope.
    pub database: Template,
    /// The address of a PostgreSQL server for operations of kind read, where it is another.
    pub reads: Option<Template>,
    /// How a server is connected to.
    pub pool: Pool,
    /// Tables made at the start when the database does not have them.
    pub tables: Vec<Table>,
    /// Rows that somebody gets when they are asked about for the first time.
    pub first_use: Option<FirstUse>,
}

/// How a database server is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// How many connections there are at most, at each address.
    pub size: NonZeroU32,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the server works on one statement; the call's own deadline without it.
    pub statement_timeout: Option<Duration>,
}

/// Rows that somebody gets when they are asked about for the first time.
#[derive(Debug)]
pub struct FirstUse {
    /// The input that says who it is.
    pub of: Local,
    /// Finds a row when they have theirs.
    pub unless: Sql,
    /// Make them, in one transaction.
    pub statements: Vec<Sql>,
}

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
    /// It moves money.
    Payment,
}

impl OperationKind {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Payment => "payment",
        }
    }

    /// Whether it changes something.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Read)
    }
}

/// Something that can be asked of a system.
#[derive(Debug)]
pub struct Operation {
    /// Its name in `call: CONNECTION.NAME`.
    pub name: OperationName,
    /// Whether it changes anything.
    pub kind: OperationKind,
    /// What it does, in a sentence.
    pub description: String,
    /// What to call in its place, where that is wanted.
    pub deprecated: Option<String>,
    /// What it needs to know.
    pub inputs: Vec<OperationInput>,
    /// Of `kind: http`: values with a name, in order, made before the first request; each sees the inputs and those before it.
    pub lets: Vec<(Local, Answer)>,
    /// What the answer is; none for plain rows and values.
    pub model: Option<&'static Model>,
    /// Whether the answer is a list of the model.
    pub many: bool,
    /// How long answers are kept; none for not at all.
    pub cache: Option<CacheRule>,
    /// The reads that it outdates.
    pub drops: Vec<OperationName>,
    /// What it does.
    pub work: Work,
    /// How one request answers several calls; of a read with one request.
    pub batch: Option<Box<Batch>>,
    /// How the answer is made of the results; none for the last result as it is.
    pub answer: Option<Answer>,
    /// Documentation and tests.
    pub examples: Vec<Example>,
}

/// How long after it was made first an operation can be made again without being done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Not at all.
    Never,
    /// As long as the vendor knows its key.
    Within(Duration),
    /// Always.
    Always,
}

impl Operation {
    /// How long after it was made first it can be made again without being done twice, should nobody know whether it was.
    #[must_use]
    pub fn again(&self) -> Again {
        match &self.work {
            // A transaction leaves no trace by which it is known again.
            Work::Sql(_) if self.kind.writes() => Again::Never,
            Work::Sql(_) => Again::Always,
            Work::Http(steps) => {
                let writes = steps.iter().filter(|step| step.writes);
                writes.fold(Again::Always, |again, step| match (again, &step.idempotency) {
                    (Again::Never, _) | (_, Idempotency::Never) => Again::Never,
                    (again, Idempotency::Upsert | Idempotency::Lookup(_)) => again,
                    (again, Idempotency::Key { kept: None, .. }) => again,
                    (Again::Within(span), Idempotency::Key { kept: Some(kept), .. }) => Again::Within(span.min(*kept)),
                    (Again::Always, Idempotency::Key { kept: Some(kept), .. }) => Again::Within(*kept),
                })
            }
        }
    }
}

/// A value that an operation takes.
#[derive(Debug)]
pub struct OperationInput {
    /// Its key in `with:`.
    pub name: Local,
    /// What it means.
    pub doc: String,
    /// How it has to look; what does not is refused before anything is sent.
    pub format: Option<Format>,
    /// What the whole of its text has to match; what does not is refused before anything is sent.
    pub pattern: Option<Regex>,
    /// Whether it has to be given, and not be null.
    pub required: bool,
    /// The value when it is not given or null.
    pub default: serde_json::Value,
}

/// How long the answers of an operation are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheRule {
    /// As long as legwork.yml says for customer profiles.
    Profiles,
    /// As long as the connector's file says.
    Own(Keep),
}

/// What an operation does.
#[derive(Debug)]
pub enum Work {
    /// Statements, in order; in one transaction when the operation writes.
    Sql(Vec<Statement>),
    /// Requests, in order; of the writes that can happen in one run, all but the last can be repeated.
    Http(Vec<HttpStep>),
}

/// One SQL statement of an operation.
#[derive(Debug)]
pub struct Statement {
    /// The name of its result in later statements, conditions and the answer.
    pub name: Option<Local>,
    /// The statement.
    pub sql: Sql,
    /// What of its rows counts.
    pub take: Take,
    /// It runs only when this holds; its result is null otherwise.
    pub when: Option<Expression>,
    /// The places of the earlier statements in whose stead it runs: only when none of them did.
    pub instead_of: Vec<usize>,
    /// Endings that are decided before it runs, in order.
    pub refusals: Vec<Ending>,
    /// Endings that its result decides, in order.
    pub endings: Vec<Ending>,
}

/// What of a statement's rows counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// All rows, as a list.
    All,
    /// The one row: none is `not_found`, several are `ambiguous`.
    One,
    /// The first row: none is `not_found`.
    First,
    /// The one row or null; several are `ambiguous`.
    Optional,
    /// The first column of the first row, or null.
    Value,
    /// No rows: `{ changed, id }`, the number of rows changed and the id of the last one made.
    Nothing,
}

impl Take {
    /// Each with its name in files.
    pub const ALL: [(&'static str, Self); 6] = [
        ("all", Self::All),
        ("one", Self::One),
        ("first", Self::First),
        ("optional", Self::Optional),
        ("value", Self::Value),
        ("none", Self::Nothing),
    ];
}

/// A condition under which an operation ends with an outcome.
#[derive(Debug)]
pub struct Ending {
    /// The outcome.
    pub outcome: Outcome,
    /// The condition.
    pub when: Expression,
    /// What the user may be told.
    pub say: Option<Template>,
}

/// One call with its answer.
#[derive(Debug)]
pub struct Example {
    /// What it shows.
    pub description: Option<String>,
    /// `path:line` of where it stands.
    pub place: String,
    /// The inputs.
    pub inputs: serde_json::Map<String, serde_json::Value>,
    /// The settings that are others than usual; none for one that is not set.
    pub settings: IndexMap<String, Option<SettingValue>>,
    /// The time of the call, where it matters.
    pub now: Option<DateTime<Utc>>,
    /// How it ends.
    pub ends: Ends,
    /// What the user may be told then.
    pub says: Option<String>,
    /// Of `kind: http`: what goes over the wire, in order.
    pub exchanges: Vec<Exchange>,
}

/// How an example ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ends {
    /// With an answer that holds at least this; `…` in a text stands for anything.
    Answer(serde_json::Value),
    /// With an outcome.
    Outcome(Outcome),
}

impl Connector {
    /// Why the system does not offer `name`, where the file says that it does not.
    #[must_use]
    pub fn lacks(&self, name: &str) -> Option<&str> {
        self.lacks.iter().find(|(lacking, _)| lacking == name).map(|(_, why)| why.as_str())
    }

    /// The setting of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The ways to prove who we are from which a connection chooses; none where there is one.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        match &self.system {
            System::Http(system) => match &system.auth {
                Ways::Several(choice) => Some(choice),
                Ways::One(_) => None,
            },
            System::Sql(_) => None,
        }
    }
}

impl Setting {
    /// Whether `value` may be set. Of a secret, this is asked of what its reference points at.
    ///
    /// # Errors
    /// What it has to look like; never the value.
    pub fn accepts(&self, value: &str) -> Result<(), String> {
        match &self.pattern {
            Some(pattern) if !pattern.is_match(value) => Err(format!("`{}` has to match {}", self.name, pattern.as_str())),
            _ => Ok(()),
        }
    }
}

impl Operation {
    /// The input of that name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&OperationInput> {
        self.inputs.iter().find(|input| input.name.as_str() == name)
    }
}
