//! A vendor's API and its requests once they are known to be right: plain types that the executor reads and nothing changes.
//!
//! They are made by `compile` and `step` only; nothing here checks or runs.

use super::super::auth::Ways;
use super::super::{Answer, Ending, Take, Tree};
use super::{Leaf, Pieces};
use crate::fault::Outcome;
use crate::name::{Local, OperationName};
use crate::template::{Expression, Template};
use chrono::NaiveDate;
use std::num::NonZeroU32;
use std::time::Duration;

/// A vendor's API.
#[derive(Debug)]
pub struct HttpSystem {
    /// Which version of it.
    pub api: Option<Api>,
    /// The address that every path begins at; `settings` is in scope, and the scheme is https.
    pub base: Template,
    /// How requests prove who we are.
    pub auth: Ways,
    /// Headers of every request.
    pub headers: Vec<(String, Template)>,
    /// What errors mean, in order.
    pub errors: Vec<ErrorRule>,
    /// Where the vendor says how long to wait, in order.
    pub waits: Vec<Wait>,
    /// Headers that say how many requests are left.
    pub quota: Vec<String>,
    /// How much may be asked of it.
    pub limits: Limits,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often and when an attempt is repeated.
    pub retry: Retry,
    /// The vendor's codes: name → code → code.
    pub codes: serde_json::Map<String, serde_json::Value>,
    /// Values with a name, in order, each seeing settings, codes and those before it.
    pub lets: Vec<(Local, Answer)>,
    /// The operation that shows whether address and credentials are right.
    pub test: Option<OperationName>,
}

/// The version of a vendor's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// As the vendor calls it.
    pub version: String,
    /// The last day on which the vendor supports it.
    pub supported_until: Option<NaiveDate>,
    /// Where it is documented.
    pub docs: Option<String>,
}

/// How much may be asked of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many requests at the same time.
    pub concurrent: NonZeroU32,
    /// How many requests in which time.
    pub rate: Option<(NonZeroU32, Duration)>,
}

/// How often and when an attempt is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts in all.
    pub attempts: NonZeroU32,
    /// The wait before the second.
    pub first: Duration,
    /// The longest wait that is not the vendor's.
    pub most: Duration,
}

/// What an answer means when a condition on it holds.
#[derive(Debug)]
pub struct ErrorRule {
    /// The statuses, as ranges; any when empty.
    pub statuses: Vec<std::ops::RangeInclusive<u16>>,
    /// The condition.
    pub when: Option<Expression>,
    /// How the operation ends; none when this is no error.
    pub outcome: Option<Outcome>,
    /// What the user may be told.
    pub say: Option<Template>,
    /// Whether asking again soon may help.
    pub retry: bool,
}

/// Where a vendor says how long to wait.
#[derive(Debug)]
pub struct Wait {
    /// Where.
    pub source: WaitSource,
    /// In which unit.
    pub unit: WaitUnit,
}

/// Where a vendor says how long to wait.
#[derive(Debug)]
pub enum WaitSource {
    /// In a header.
    Header(String),
    /// In the answer.
    Value(Expression),
}

/// The unit of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitUnit {
    /// Seconds from now, or an HTTP date.
    Seconds,
    /// Milliseconds from now.
    Millis,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillis,
    /// An ISO time.
    Time,
}

impl WaitUnit {
    /// Each with its name in files.
    pub const ALL: [(&'static str, Self); 5] = [
        ("seconds", Self::Seconds),
        ("ms", Self::Millis),
        ("epoch", Self::Epoch),
        ("epoch_ms", Self::EpochMillis),
        ("time", Self::Time),
    ];
}

/// One request of an operation, and what of its answer counts.
#[derive(Debug)]
pub struct HttpStep {
    /// The name of its result in later steps, conditions and the answer.
    pub name: Option<Local>,
    /// It is sent only when this holds; its result is null otherwise.
    pub when: Option<Expression>,
    /// The places of the earlier steps in whose stead it is sent: only when none of them was.
    pub instead_of: Vec<usize>,
    /// Endings that are decided before it is sent, in order.
    pub refusals: Vec<Ending>,
    /// The request.
    pub request: Request,
    /// Whether it changes something.
    pub writes: bool,
    /// How it can be repeated.
    pub idempotency: Idempotency,
    /// What the answer is.
    pub expects: Expects,
    /// What errors mean here, before the connector's rules.
    pub errors: Vec<ErrorRule>,
    /// How further pages are asked for.
    pub pages: Option<Pages>,
    /// The part of the answer that counts; all of it without.
    pub rows: Option<Expression>,
    /// What of it counts.
    pub take: Take,
    /// Endings that the result decides, in order.
    pub endings: Vec<Ending>,
}

impl HttpStep {
    /// The names of fields and objects that settings give its requests, those of its look-up included.
    #[must_use]
    pub fn names(&self) -> Vec<&Expression> {
        let mut leaves = Vec::new();
        self.request.query.leaves(&mut |leaf| leaves.push(leaf));
        if let Body::Json(tree) | Body::Form(tree) = &self.request.body {
            tree.leaves(&mut |leaf| leaves.push(leaf));
        }
        let pieces = leaves.into_iter().filter_map(|leaf| match leaf {
            Leaf::Encoded(_, pieces) => Some(pieces),
            Leaf::Value(_) => None,
        });
        let mut names: Vec<_> = pieces.flat_map(Pieces::names).collect();
        if let Idempotency::Lookup(lookup) = &self.idempotency {
            names.extend(lookup.names());
        }
        names
    }

    /// What operators call it: the name of its result, else its request as written.
    #[must_use]
    pub fn shown(&self) -> String {
        self.name.as_ref().map_or_else(|| self.request.line(), |name| name.as_str().to_owned())
    }
}

/// How one request answers several calls of an operation that differ in one input.
#[derive(Debug)]
pub struct Batch {
    /// The input that differs.
    pub of: Local,
    /// The request, which sees the list of its values under its name.
    pub step: HttpStep,
    /// Which value a `row` of it belongs to.
    pub by: Expression,
    /// What of a call's input is asked for; the input without it.
    pub value: Option<Expression>,
    /// Which calls it can answer; all without it.
    pub when: Option<Expression>,
    /// How many values one request may have.
    pub most: NonZeroU32,
}

/// A request.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the base; every value is one segment or a part of one.
    pub path: Pieces,
    /// The path as written, for operators.
    pub shown: String,
    /// The query, an object of values and lists of values.
    pub query: Tree<Leaf>,
    /// Headers; one of null takes out the connector's of that name.
    pub headers: Vec<(String, Template)>,
    /// The body.
    pub body: Body,
}

impl Request {
    /// Its method and its path as written, for operators.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method.name(), self.shown)
    }
}

/// The methods that a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads, or writes something new.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The name in requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The body of a request.
#[derive(Debug)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Tree<Leaf>),
    /// A form, an object of values and lists of values.
    Form(Tree<Leaf>),
    /// XML, values written as text.
    Xml(Pieces),
    /// Text.
    Text(Template),
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    /// JSON, or nothing at all.
    Json,
    /// Text.
    Text,
}

/// How further pages are asked for.
#[derive(Debug)]
pub struct Pages {
    /// The value of the next page; null and false when there is none.
    pub next: Expression,
    /// Where it goes.
    pub into: PageInto,
    /// How many pages at most.
    pub most: NonZeroU32,
    /// How many rows are enough.
    pub enough: Option<Expression>,
}

/// Where the value of the next page goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageInto {
    /// Into the query, under this name.
    Query(String),
    /// Into the JSON body, at this place.
    Json(Vec<String>),
    /// It is the next page's address.
    Link,
}

/// How a write can be repeated without doing its work twice.
#[derive(Debug)]
pub enum Idempotency {
    /// It cannot: it is never repeated.
    Never,
    /// Doing it again changes nothing more.
    Upsert,
    /// The vendor knows its key, which a header carries (or the body, without a name), for this long.
    Key {
        /// The header.
        header: Option<String>,
        /// How long the vendor keeps the key.
        kept: Option<Duration>,
    },
    /// It is looked for before it is repeated.
    Lookup(Box<HttpStep>),
}
