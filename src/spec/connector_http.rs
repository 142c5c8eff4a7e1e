//! The shapes of `kind: http`: what a vendor's API is like, and the exchanges that its examples are.
//!
//! The keys of one request stand in [`super::connector`], since an operation has them too. Nothing here knows what a request
//! may hold; that is for the plan.

use serde_json::{Value, json};

use super::connector::Step;
use super::shape::{Definitions, Shape, shape};
use super::values::{Flag, Map, Nullable, Several, Text, Whole};
use super::yaml::{Kind, Node};
use crate::diag::Diagnostics;

shape! {
    /// Which version of the vendor's API a connector speaks.
    Api as "`api`" {
        /// The version, as the vendor calls it: `2026-07`.
        version: Text,
        /// The last day on which the vendor supports it: `2027-07-01`; `check` warns in time.
        supported_until: Option<Text>,
        /// Where the vendor documents it.
        docs: Option<Text>,
    }

    /// What an answer means when it is an error.
    HttpError as "an entry of `errors`" {
        /// The statuses: `404`, `[400, 422]`, `5xx`; any without it.
        status: Option<Node>,
        /// A condition, an expression of `body` and `http` (`http.status`, `http.headers`). It does not hold where it cannot be
        /// answered.
        when: Option<Text>,
        /// How the operation ends; `ok` when this is no error.
        outcome: Text,
        /// What the user may be told: the vendor's words on a field.
        say: Option<Text>,
        /// False when it is no use to ask again soon.
        retry: Option<Flag>,
    }

    /// Where a vendor says how long to wait.
    Wait as "an entry of `wait`" {
        /// A header.
        header: Option<Text>,
        /// An expression of `body` and `http`.
        value: Option<Text>,
        /// `seconds` (the default, a date too), `ms`, `epoch`, `epoch_ms` or `time`, an ISO time.
        unit: Option<Text>,
    }

    /// How much may be asked of a system.
    Limits as "`limits`" {
        /// How many requests at the same time; 16 without it.
        concurrent: Option<Whole>,
        /// How many requests in the time `per`.
        requests: Option<Whole>,
        /// The time of `requests`: `1s`.
        per: Option<Text>,
    }

    /// How often and when an attempt is repeated.
    Retry as "`retry`" {
        /// How many attempts in all; 3 without it.
        attempts: Option<Whole>,
        /// The wait before the second; it doubles from then on. 200ms without it.
        first: Option<Text>,
        /// The longest wait that is not the vendor's; 5s without it.
        most: Option<Text>,
    }

    /// How further pages are asked for: the value of the next page and where it goes.
    Pages as "`pages`" {
        /// What the next page is asked by, an expression of `body`, `rows` and `http` (`http.page`, how many pages there were;
        /// `http.links.next`, of the header `Link`). Null and false end it.
        next: Text,
        /// It goes into the query, under this name.
        query: Option<Text>,
        /// It goes into the JSON body, at this place: `after`, `variables.after`.
        json: Option<Text>,
        /// It is the next page's whole address.
        link: Option<Flag>,
        /// How many pages at most; 10 without it. More is no silent end but `unexpected`.
        most: Option<Whole>,
        /// How many rows are enough, an expression; nothing more is asked for then.
        enough: Option<Text>,
    }

    /// A GraphQL query.
    GraphQl as "`graphql`" {
        /// The query; without placeholders, since values are variables.
        query: Text,
        /// The variables.
        variables: Map<Node>,
    }

    /// How a write is made so that it can be repeated.
    Idempotency as "`idempotency`" {
        /// The header that carries the write's key.
        header: Option<Text>,
        /// How long the vendor keeps the key: `2h`.
        kept: Option<Text>,
        /// Looks whether the write was done already; null says that it was not.
        lookup: Option<Box<Step>>,
    }

    /// A request as it is sent.
    Sends as "`sends`" {
        /// Method and path, with the base's.
        request: Text,
        /// The whole query; a list for a name that is repeated.
        query: Map<Several<Text>>,
        /// Headers that it has, among others; null for one that it does not have.
        headers: Map<Nullable<Text>>,
        /// The JSON body.
        json: Option<Node>,
        /// The form; a list for a name that is repeated.
        form: Map<Several<Text>>,
        /// The body as text.
        text: Option<Text>,
    }

    /// An answer as the vendor documents it.
    Receives as "`receives`" {
        /// The status; 200 without it.
        status: Option<Whole>,
        /// Headers.
        headers: Map<Text>,
        /// The JSON body.
        json: Option<Node>,
        /// The body as text.
        text: Option<Text>,
    }

    /// A request with its answer.
    Exchange as "an exchange" {
        /// The request.
        sends: Sends,
        /// The answer.
        receives: Receives,
    }
}

/// How further pages are asked for: one of the connector's ways, or one of its own.
#[derive(Debug, Clone)]
pub enum PagesRef {
    /// The name of one of the connector's `pages`.
    Named(Text),
    /// Its own.
    Own(Box<Pages>),
}

impl Shape for PagesRef {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => Pages::read(node, out).map(|pages| Self::Own(Box::new(pages))),
            _ => Text::read(node, out).map(Self::Named),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "string" }, Pages::schema(definitions)] })
    }
}

/// How a write is made so that it can be repeated.
#[derive(Debug, Clone)]
pub enum IdempotencyRef {
    /// `key`, `upsert` or `none`.
    Named(Text),
    /// A header or a look-up.
    Own(Idempotency),
}

impl Shape for IdempotencyRef {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => Idempotency::read(node, out).map(Self::Own),
            _ => Text::read(node, out).map(Self::Named),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "enum": ["key", "upsert", "none"] }, Idempotency::schema(definitions)] })
    }
}
