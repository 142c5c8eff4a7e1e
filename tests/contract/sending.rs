//! The requests that a connector's operations send: those of its examples, and more in which every input is given.
//!
//! They are taken from a vendor on this machine that the engine talks to, so they are what goes over the wire, but for the
//! credentials. What is right about them is not decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use legwork::connector::{Seen, catalog, requests_of};
use legwork::plan::connector::{
    Body, Connector, Ends, Example, HttpStep, Idempotency, Leaf, Operation, Part, Received, System, Tree, Work,
};
use legwork::time::{Clock, FixedClock};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::Fallible;

/// A connector and what its operations send.
pub struct Sender {
    pub connector: Arc<Connector>,
    pub operations: Vec<Sends>,
}

/// What one operation sends.
pub struct Sends {
    pub operation: String,
    /// The requests of its file that none of `requests` can be, as [`shape_of`] writes them.
    pub unsent: BTreeSet<String>,
    pub requests: Vec<Request>,
    /// The inputs that no request was sent with.
    pub untried: Vec<String>,
}

/// A request as it was sent.
pub struct Request {
    /// Which request of the file it is.
    pub shape: String,
    /// Where its inputs come from.
    pub from: String,
    pub seen: Seen,
}

/// Every built-in connector of `kind: http`.
pub fn connectors() -> Fallible<Vec<Arc<Connector>>> {
    let mut found = Vec::new();
    for source in catalog::BUILT_IN {
        let compiled = catalog::built_in(source.name).and_then(|(connector, _)| connector);
        let connector = compiled.ok_or_else(|| format!("{}.yml has mistakes: see `cargo test`", source.name))?;
        if matches!(connector.system, System::Http(_)) {
            found.push(Arc::new(connector));
        }
    }
    Ok(found)
}

/// Values that inputs of a name have in examples, of any connector.
pub struct Pool(BTreeMap<String, Vec<Value>>);

impl Pool {
    pub fn new(connectors: &[Arc<Connector>]) -> Self {
        let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let operations = connectors.iter().flat_map(|connector| connector.operations.values());
        for example in operations.flat_map(|it| &it.examples).filter(|it| !it.exchanges.is_empty()) {
            for (name, value) in example.inputs.iter().filter(|(_, value)| !value.is_null()) {
                let known = values.entry(name.clone()).or_default();
                if !known.contains(value) {
                    known.push(value.clone());
                }
            }
        }
        Self(values)
    }

    /// What an input may be: what it is in the operation's own examples, in others', and what fits most formats.
    fn candidates(&self, operation: &Operation, input: &str) -> Vec<Value> {
        let own = operation.examples.iter().filter(|it| !it.exchanges.is_empty()).filter_map(|it| it.inputs.get(input));
        let others = self.0.get(input).into_iter().flatten();
        let usual = [json!("hello"), json!("1001"), json!("2026-01-20"), json!(2), json!(true), json!("sarah@example.com")];
        own.chain(others).filter(|value| !value.is_null()).cloned().chain(usual).collect()
    }
}

impl Sender {
    /// Runs everything.
    pub async fn run(connector: Arc<Connector>, pool: &Pool) -> Fallible<Self> {
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at("2026-01-23T12:00:00Z".parse()?));
        let mut operations = Vec::new();
        for operation in connector.operations.values() {
            let run = Run { connector: &connector, operation, clock: &clock, shapes: shapes(operation)? };
            operations.push(run.sends(pool).await?);
        }
        Ok(Self { connector, operations })
    }
}

struct Run<'a> {
    connector: &'a Arc<Connector>,
    operation: &'a Operation,
    clock: &'a Arc<dyn Clock>,
    shapes: Vec<(String, Regex)>,
}

impl Run<'_> {
    async fn sends(&self, pool: &Pool) -> Fallible<Sends> {
        let mut requests: Vec<Request> = Vec::new();
        let mut tried = BTreeSet::new();
        let mut keep = |sent: Vec<Request>, inputs: &Map<String, Value>| {
            if sent.is_empty() {
                return false;
            }
            tried.extend(inputs.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()));
            for request in sent {
                if !requests.iter().any(|known| same(&known.seen, &request.seen)) {
                    requests.push(request);
                }
            }
            true
        };
        for example in &self.operation.examples {
            let sent = self.sent(example, &example.inputs, &answers(example), &example.place).await?;
            keep(sent, &example.inputs);
        }
        let talking = |it: &&Example| !it.exchanges.is_empty();
        let ends_well = |it: &&Example| matches!(it.ends, Ends::Answer(_));
        let base = self.operation.examples.iter().filter(talking).find(ends_well);
        let base = base.or_else(|| self.operation.examples.iter().find(talking));
        if let Some(base) = base {
            // Every input that the example leaves out, each by itself and then all of them.
            let mut every = base.inputs.clone();
            for input in &self.operation.inputs {
                let name = input.name.as_str();
                if base.inputs.get(name).is_some_and(|value| !value.is_null()) {
                    continue;
                }
                for value in pool.candidates(self.operation, name) {
                    let mut inputs = base.inputs.clone();
                    inputs.insert(name.to_owned(), value.clone());
                    let sent = self.sent(base, &inputs, &answers(base), &format!("with {name}")).await?;
                    if keep(sent, &inputs) {
                        every.insert(name.to_owned(), value);
                        break;
                    }
                }
            }
            let sent = self.sent(base, &every, &answers(base), "with every input").await?;
            keep(sent, &every);
            // A write that fails once is looked for before it is repeated.
            if let Work::Http(steps) = &self.operation.work
                && let Some(step) = steps.iter().find(|step| matches!(step.idempotency, Idempotency::Lookup(_)))
                && let Some((shape, _)) = self.shapes.iter().find(|(shape, _)| *shape == shape_of(step))
            {
                let mut failing = answers(base);
                let written = base.exchanges.iter().position(|exchange| {
                    self.named(&format!("{} {}", exchange.sent.method.name(), exchange.sent.path)).as_ref() == Some(shape)
                });
                let failure = Received { status: 503, headers: Vec::new(), json: Some(json!({})), text: None };
                failing.insert(written.unwrap_or_default(), failure);
                let sent = self.sent(base, &base.inputs, &failing, "repeated").await?;
                keep(sent, &base.inputs);
            }
        }
        let inputs = self.operation.inputs.iter().map(|input| input.name.as_str().to_owned());
        let untried = inputs.filter(|name| !tried.contains(name)).collect();
        let sent = |form: &Regex| requests.iter().any(|request| form.is_match(&line(&request.seen)));
        let unsent = self.shapes.iter().filter(|(_, form)| !sent(form)).map(|(shape, _)| shape.clone()).collect();
        Ok(Sends { operation: self.operation.name.to_string(), unsent, requests, untried })
    }

    async fn sent(
        &self,
        example: &Example,
        inputs: &Map<String, Value>,
        answers: &[Received],
        from: &str,
    ) -> Fallible<Vec<Request>> {
        let seen = requests_of(self.connector, self.operation, example, inputs.clone(), answers, self.clock).await?;
        let request = |seen: Seen| {
            let place = format!("{}.{}: {} {}", self.connector.name, self.operation.name, seen.method, seen.target);
            let shape = self.named(&line(&seen)).ok_or_else(|| format!("{place} is no request of the file"))?;
            Ok(Request { shape, from: from.to_owned(), seen })
        };
        seen.into_iter().map(request).collect()
    }

    /// Which request of the file this is: the one whose path says most.
    fn named(&self, line: &str) -> Option<String> {
        let found = self.shapes.iter().filter(|(_, form)| form.is_match(line));
        found.max_by_key(|(shape, _)| shape.replace("{}", "").len()).map(|(shape, _)| shape.clone())
    }
}

/// Whether two requests differ in nothing but the vendor's address and the key of a write.
fn same(one: &Seen, other: &Seen) -> bool {
    one.method == other.method && one.target == other.target && one.body == other.body
}

/// Method and whole path, and the query's name where it is GraphQL.
fn line(seen: &Seen) -> String {
    let path = seen.target.split('?').next().unwrap_or_default();
    let graphql = graphql_name(&seen.body).map(|name| format!(" {name}")).unwrap_or_default();
    format!("{} {path}{graphql}", seen.method)
}

fn answers(example: &Example) -> Vec<Received> {
    example.exchanges.iter().map(|exchange| exchange.received.clone()).collect()
}

/// Every request of an operation: how it is named, and the form of its method and whole path.
fn shapes(operation: &Operation) -> Fallible<Vec<(String, Regex)>> {
    let Work::Http(steps) = &operation.work else { return Ok(Vec::new()) };
    let lookups = steps.iter().filter_map(|step| match &step.idempotency {
        Idempotency::Lookup(lookup) => Some(lookup.as_ref()),
        _ => None,
    });
    let form = |step: &HttpStep| {
        let path = step.request.path.0.iter().map(|part| match part {
            Part::Text(text) => regex::escape(text),
            _ => "[^/]*".to_owned(),
        });
        let path: String = path.collect();
        let graphql = graphql_of(step).map(|name| format!(" {}", regex::escape(&name))).unwrap_or_default();
        let form = Regex::new(&format!("^{} .*{path}{graphql}$", step.request.method.name()))?;
        Ok((shape_of(step), form))
    };
    steps.iter().chain(lookups).map(form).collect()
}

/// `GET /orders/{}`, and for GraphQL also the query's name.
fn shape_of(step: &HttpStep) -> String {
    let path = step.request.path.0.iter().map(|part| match part {
        Part::Text(text) => text.as_str(),
        _ => "{}",
    });
    let path: String = path.collect();
    let graphql = graphql_of(step).map(|name| format!(" {name}")).unwrap_or_default();
    format!("{} {path}{graphql}", step.request.method.name())
}

fn graphql_of(step: &HttpStep) -> Option<String> {
    let Body::Json(Tree::Map(entries)) = &step.request.body else { return None };
    let [query, variables] = entries.as_slice() else { return None };
    match (&query.value, query.key.as_str(), variables.key.as_str()) {
        (Tree::Leaf(Leaf::Value(text)), "query", "variables") => named_query(text.as_constant()?.as_str()?),
        _ => None,
    }
}

fn graphql_name(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("variables")?;
    named_query(body.get("query")?.as_str()?)
}

/// `query Orders` of a GraphQL document.
fn named_query(document: &str) -> Option<String> {
    let head = document.split(['(', '{']).next()?.trim();
    (head.starts_with("query") || head.starts_with("mutation")).then(|| head.to_owned())
}
