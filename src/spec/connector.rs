//! The shape of a connector file: `connectors/NAME.yml`, or one of the built-in catalogue.
//!
//! A file says which kind of system it is for. The keys that belong to one kind stand together below; those of `kind: http`
//! that have keys of their own are in [`super::connector_http`].

use serde_json::{Value, json};

use super::action::FormatRef;
use super::auth::Auth;
use super::connector_http::{
    Api, Exchange, GraphQl, HttpError, IdempotencyRef, Limits, Pages, PagesRef, Receives, Retry, Sends, Wait,
};
use super::shape::{Definitions, Shape, shape, wrong_type};
use super::values::{Flag, Map, Nullable, Text, Whole};
use super::yaml::{Kind, Node};
use crate::diag::Diagnostics;

shape! {
    /// A business system and what can be asked of it. The file's name is the connector's name.
    Connector as "a connector" {
        /// How it is talked to: `sql` or `http`.
        kind: Text,
        /// Which system it is, in a sentence.
        description: Option<Text>,
        /// What a connection in legwork.yml may set; templates see it as `settings.NAME`.
        settings: Map<Setting>,
        /// An SQLite file, `:memory:`, or the address of a PostgreSQL server: `postgres://…`.
        database: Option<Text>,
        /// A second address of a PostgreSQL server, for operations of kind read.
        reads: Option<Text>,
        /// How a PostgreSQL server is connected to.
        pool: Option<Pool>,
        /// Tables that are made at the start when the database does not have them.
        tables: Vec<Table>,
        /// Rows that somebody gets when they are asked about for the first time.
        first_use: Option<FirstUse>,
        /// Which version of the vendor's API it speaks.
        api: Option<Api>,
        /// The least that the account which a connection uses has to be allowed to do.
        rights: Vec<Right>,
        /// What the system does not offer, whoever asks: an operation's name or a few words → why, or what people do instead.
        /// `check` says so where an action calls it.
        lacks: Map<Text>,
        /// The address that every path begins at: an https address whose only placeholders are settings.
        base: Option<Text>,
        /// How requests prove who we are.
        auth: Option<Auth>,
        /// Headers of every request.
        headers: Map<Text>,
        /// What the vendor's errors mean, in order; the first that holds counts. The usual meaning of statuses comes after.
        errors: Vec<HttpError>,
        /// Where the vendor says how long to wait, in order; `Retry-After` without it.
        wait: Vec<Wait>,
        /// Headers that say how many requests are left.
        quota: Vec<Text>,
        /// How much may be asked of it.
        limits: Option<Limits>,
        /// How long one attempt may take; 12s without it.
        timeout: Option<Text>,
        /// How often and when an attempt is repeated.
        retry: Option<Retry>,
        /// Ways of asking for further pages, by name.
        pages: Map<Pages>,
        /// The vendor's codes and what they are in the models: name → code → code.
        codes: Map<Map<Text>>,
        /// Values that several places need, over `settings` and `codes`: name → a template or a tree of them, made once.
        r#let: Map<Node>,
        /// The operation that shows whether address and credentials are right: a read without inputs.
        test: Option<Text>,
        /// What can be asked: name → operation. A later version is an operation of its own: `find_order@2`.
        operations: Map<Operation>,
    }

    /// Something that the account which a connection uses has to be allowed to do.
    Right as "an entry of `rights`" {
        /// The right, the scope or the role, as the vendor calls it.
        name: Text,
        /// What it is needed for.
        r#for: Option<Text>,
    }

    /// Something that a connection sets.
    Setting as "a setting" {
        /// What it is, and where people find it.
        description: Option<Text>,
        /// `text` (the default) or `map`: names and values of this company, such as its groups.
        kind: Option<Text>,
        /// The value when a connection does not set it; null when it may be missing. Without `default` it has to be set.
        default: Option<Node>,
        /// The value in the examples, where there is no default.
        example: Option<Node>,
        /// A regular expression for the whole value.
        pattern: Option<Text>,
        /// Whether it is a secret, which has to be a reference such as `${NAME}`.
        secret: Option<Flag>,
    }

    /// How a PostgreSQL server is connected to.
    Pool as "`pool`" {
        /// How many connections there are at most, at each address; 8 without it.
        size: Option<Whole>,
        /// How long connecting may take; 3s without it.
        connect_timeout: Option<Text>,
        /// How long the server works on one statement; as long as the call may take without it.
        statement_timeout: Option<Text>,
    }

    /// Tables made at the start: exactly one of `sql`, `create`, `csv` and `json`.
    Table as "an entry of `tables`" {
        /// A file of SQL statements, beside this one.
        sql: Option<Text>,
        /// SQL statements.
        create: Option<Text>,
        /// A CSV file, beside this one; its first line names the columns.
        csv: Option<Text>,
        /// A JSON file, beside this one: a list of objects.
        json: Option<Text>,
        /// The table's name, where it is not the file's; for `create`, the name under which it is remembered as made.
        name: Option<Text>,
    }

    /// Rows that somebody gets when they are asked about for the first time.
    FirstUse as "`first_use`" {
        /// The input that says who it is; operations that have it look whether the rows are there.
        of: Text,
        /// A query that finds a row when they are.
        unless: Text,
        /// The statements that make them, in one transaction.
        sql: Vec<Text>,
    }

    /// Something that can be asked of a system.
    Operation as "an operation" {
        /// `read` (the default), `write` or `payment`.
        kind: Option<Text>,
        /// What it does, in a sentence.
        description: Option<Text>,
        /// What to call in its place: `use find_order@2, which …`; `check` warns where an action calls it.
        deprecated: Option<Text>,
        /// What it needs to know: name → input.
        inputs: Map<OperationInput>,
        /// Values that several places of it need, over the inputs too: name → a template or a tree of them, made once, before
        /// the first request.
        r#let: Map<Node>,
        /// The model of the answer: `Order`, or `[Order]` for a list; plain rows and values without it.
        model: Option<ModelRef>,
        /// How long the answers of a read are kept; not at all without it.
        cache: Option<CacheRef>,
        /// The reads that a write outdates.
        drops: Vec<Text>,
        /// The statements or requests, in order; statements all in one transaction when the operation writes. Of requests several
        /// may write; of those that can happen in one run, all but the last have an `idempotency` that lets them be repeated.
        steps: Vec<Step>,
        /// Of a read with one request: the request that answers several calls at once.
        batch: Option<Batch>,
        /// The answer, made of templates; the last result without it. For a list of a model: made of each `row` of the last
        /// result.
        answer: Option<Node>,
        /// Examples: documentation and tests.
        examples: Vec<Example>,
        ..work: Work,
    }

    /// A value that an operation takes.
    OperationInput as "an input" {
        /// What it means.
        description: Option<Text>,
        /// How it has to look.
        format: Option<FormatRef>,
        /// A regular expression for the whole value; what does not match is refused before anything is sent.
        pattern: Option<Text>,
        /// Whether it has to be given.
        required: Option<Flag>,
        /// The value when it is not given; null without it.
        default: Option<Node>,
    }

    /// One request in the place of several calls that differ in one input, such as those that an `each` makes. Each call gets
    /// the rows that belong to it, of which the operation's `take`, `outcomes` and `answer` make its own ending.
    Batch as "`batch`" {
        /// The input that differs; in this request it is the list of its values.
        of: Text,
        /// Which value of it a `row` belongs to, an expression.
        by: Text,
        /// What of the input is asked for, and what `by` is held against: an expression over the inputs; the input without it.
        value: Option<Text>,
        /// A call for which this expression does not hold is made by itself.
        when: Option<Text>,
        /// How many values one request may have; 50 without it.
        most: Option<Whole>,
        ..work: Work,
    }

    /// One SQL statement or one request of an operation.
    Step as "a step of an operation" {
        /// The name that its result gets.
        r#as: Option<Text>,
        /// It runs only when this expression is true; its result is null otherwise.
        when: Option<Text>,
        /// It runs only when none of the earlier steps of these names (`as`) did: `[created]`.
        instead_of: Vec<Text>,
        /// Whether a request that is not a GET reads only.
        reads: Option<Flag>,
        ..work: Work,
    }

    /// One SQL statement or one request, and what of its result counts: an operation has these keys where one is enough, and
    /// each of its `steps` has them.
    Work as "a statement or a request" {
        /// The statement. `:name` and `:name.field` are bound; a condition in `[[ ]]` counts only when its values are there.
        sql: Option<Text>,
        /// What of its rows counts: `all` (the default), `one`, `first`, `optional`, `value` or `none`.
        take: Option<Text>,
        /// Endings that are decided before it runs or is sent: outcome → a condition on inputs, settings and earlier results.
        refuses: Map<Ending>,
        /// Endings that its result decides: outcome → a condition.
        outcomes: Map<Ending>,
        /// Method and path below `base`: `GET /tickets/{{ number }}`; a placeholder is one segment, or a part of one.
        request: Option<Text>,
        /// The query: name → value, or a list of values for a name that is repeated; what is null is left out.
        query: Map<Node>,
        /// Headers of this request; what is null is left out, one of the connector's with that name too.
        headers: Map<Nullable<Text>>,
        /// The body, as JSON; a key that ends in `?` is left out when its value is null. `{ $each: LIST, $as: NAME, … }` makes
        /// a list of another one, `{ $merge: [{ … }, "{{ settings.fields }}"] }` joins objects.
        json: Option<Node>,
        /// The body, as a form; what is null is left out, and a list is its name several times.
        form: Map<Node>,
        /// The body, as a GraphQL query.
        graphql: Option<GraphQl>,
        /// The body, as XML; values are written as text.
        xml: Option<Text>,
        /// The body, as text.
        text: Option<Text>,
        /// What the answer is: `json` (the default) or `text`.
        expects: Option<Text>,
        /// The part of the answer that counts, an expression of `body`; all of it without.
        rows: Option<Text>,
        /// What the vendor's errors mean here, before those of the connector.
        errors: Vec<HttpError>,
        /// How further pages are asked for.
        pages: Option<PagesRef>,
        /// How the request can be repeated without doing its work twice.
        idempotency: Option<IdempotencyRef>,
    }

    /// When an operation ends with an outcome, and what the user may be told.
    Conditional as "an outcome" {
        /// The condition, an expression.
        when: Text,
        /// What the user may be told.
        say: Option<Text>,
    }

    /// How long answers are kept.
    CacheTimes as "`cache`" {
        /// How long an answer is as good as new: `30s`.
        fresh: Text,
        /// How long it may stand in when the system is down: `10m`.
        stale: Option<Text>,
        /// How long "there is no such thing" is believed.
        missing: Option<Text>,
    }

    /// One call with its answer.
    Example as "an example" {
        /// What it shows.
        description: Option<Text>,
        /// The inputs. A list for the one that a `batch` is of makes a call of each value at once, and `answer` is the list of
        /// their answers, null for what is not found.
        inputs: Map<Node>,
        /// The settings that are others here than in the other examples; null for one that is not set.
        settings: Map<Node>,
        /// The time of the call: `2026-01-23T12:00:00Z`; now without it.
        now: Option<Text>,
        /// What the answer holds; fields that are left out are not looked at.
        answer: Option<Node>,
        /// How it ends, when it does not end well.
        outcome: Option<Text>,
        /// What the user may be told then.
        says: Option<Text>,
        /// Of `kind: http`: the request as it is sent.
        sends: Option<Sends>,
        /// The answer to it.
        receives: Option<Receives>,
        /// Several requests with their answers, in order.
        exchanges: Vec<Exchange>,
    }
}

/// A model, or a list of one.
#[derive(Debug, Clone)]
pub struct ModelRef {
    /// The model's name.
    pub name: Text,
    /// Whether the answer is a list of it.
    pub many: bool,
}

impl Shape for ModelRef {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => match items.as_slice() {
                [item] => Some(Self { name: Text::read(item, out)?, many: true }),
                _ => wrong_type(node, "a model's name, or a list of one such as `[Order]`", out),
            },
            _ => Some(Self { name: Text::read(node, out)?, many: false }),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 1 },
        ] })
    }
}

/// How long answers are kept: times, or the name of times that legwork.yml sets.
#[derive(Debug, Clone)]
pub enum CacheRef {
    /// `profiles`: the times of `cache: profiles:` in legwork.yml.
    Named(Text),
    /// Times of its own.
    Times(CacheTimes),
}

impl Shape for CacheRef {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text(_) => Text::read(node, out).map(Self::Named),
            _ => CacheTimes::read(node, out).map(Self::Times),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "enum": ["profiles"] }, CacheTimes::schema(definitions)] })
    }
}

/// When an operation ends with an outcome: a condition, or one with a text for the user.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The condition, an expression.
    When(Text),
    /// A condition and a text.
    Conditional(Conditional),
}

impl Shape for Ending {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(_) => Conditional::read(node, out).map(Self::Conditional),
            _ => Text::read(node, out).map(Self::When),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": ["string", "boolean"] }, Conditional::schema(definitions)] })
    }
}

impl Connector {
    /// The files that it names, to be read before it is compiled.
    pub fn files(&self) -> impl Iterator<Item = &Text> {
        self.tables.iter().flat_map(|table| [&table.sql, &table.csv, &table.json]).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Code, File};
    use crate::spec::{document, yaml};

    fn read(text: &str) -> (Option<Connector>, Vec<Code>) {
        let mut out = Diagnostics::default();
        let tree = yaml::parse(&File::new("connectors/a.yml", text)).unwrap();
        let connector = Connector::read(&tree, &mut out);
        (connector, out.into_sorted().into_iter().map(|d| d.code).collect())
    }

    #[test]
    fn keys_with_several_shapes_are_read() {
        let (connector, codes) = read(
            "kind: sql\ntables: [{ csv: data/orders.csv }, { create: 'create table t (a)' }]\noperations:\n  find:\n    model: [Order]\n    \
             cache: profiles\n    sql: select 1\n    outcomes: { conflict: 'a > 1', denied: { when: b, say: No. } }\n",
        );
        assert!(codes.is_empty(), "{codes:?}");
        let connector = connector.unwrap();
        assert_eq!(connector.files().map(|text| text.as_str()).collect::<Vec<_>>(), ["data/orders.csv"]);
        let find = connector.operations.get("find").unwrap();
        assert!(find.model.as_ref().is_some_and(|model| model.many && model.name.value == "Order"));
        assert!(matches!(find.cache, Some(CacheRef::Named(_))));
        assert!(matches!(find.work.outcomes.get("denied"), Some(Ending::Conditional(_))));
    }

    #[test]
    fn every_mistake_of_a_file_is_reported() {
        let (_, codes) = read("knid: sql\noperations:\n  find: { sql: [], model: [A, B], steps: [{ take: one }] }\n");
        assert_eq!(codes, [Code::MissingKey, Code::UnknownKey, Code::WrongType, Code::WrongType]);
    }

    #[test]
    fn editors_get_a_schema() {
        let schema = document::<Connector>("connector");
        assert_eq!(schema["definitions"]["Connector"]["required"], serde_json::json!(["kind"]));
        assert!(schema["definitions"]["Step"]["properties"]["take"]["description"].is_string());
    }
}
