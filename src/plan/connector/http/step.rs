//! Compiles the requests of an operation in order, each knowing the names that the ones before it give.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compile::own_headers;
use super::rules::{count, errors, header_name, one_of, span};
use super::tree::{self, pieces};
use super::{Body, Expects, HttpStep, Idempotency, Leaf, Method, PageInto, Pages, Part, Request};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::name::Local;
use crate::plan::connector::compile::template;
use crate::plan::connector::compile::{Names, expression};
use crate::plan::connector::statement::{ending, result_name, take};
use crate::plan::connector::tree::{Entry, Tree};
use crate::plan::connector::{OperationKind, Take};
use crate::spec::connector as spec;
use crate::spec::connector_http::{GraphQl, HttpError, IdempotencyRef, Pages as WrittenPages, PagesRef};
use crate::spec::{Map, Node, Nullable, Text};
use crate::template::Template;

/// One request as written, of an operation or of one of its steps.
struct Written<'a> {
    span: &'a Span,
    name: Option<&'a Text>,
    request: &'a Text,
    when: Option<&'a Text>,
    query: &'a Map<Node>,
    headers: &'a Map<Nullable<Text>>,
    json: Option<&'a Node>,
    form: &'a Map<Node>,
    graphql: Option<&'a GraphQl>,
    xml: Option<&'a Text>,
    text: Option<&'a Text>,
    expects: Option<&'a Text>,
    rows: Option<&'a Text>,
    errors: &'a [HttpError],
    pages: Option<&'a PagesRef>,
    idempotency: Option<&'a IdempotencyRef>,
    take: Option<&'a Text>,
    outcomes: &'a Map<spec::Ending>,
    reads: bool,
}

macro_rules! written {
    ($it:ident, $request:ident, $($field:ident: $value:expr),*) => {
        Written {
            span: &$it.span,
            request: $request,
            query: &$it.query,
            headers: &$it.headers,
            json: $it.json.as_ref(),
            form: &$it.form,
            graphql: $it.graphql.as_ref(),
            xml: $it.xml.as_ref(),
            text: $it.text.as_ref(),
            expects: $it.expects.as_ref(),
            rows: $it.rows.as_ref(),
            errors: &$it.errors,
            pages: $it.pages.as_ref(),
            idempotency: $it.idempotency.as_ref(),
            take: $it.take.as_ref(),
            outcomes: &$it.outcomes,
            $($field: $value),*
        }
    };
}

/// The requests of an operation; `names` gets the names of their results.
pub(in crate::plan::connector) fn steps<'a>(
    key: &Text,
    written: &'a spec::Operation,
    kind: OperationKind,
    connector: &'a spec::Connector,
    names: &mut Names<'a>,
    out: &mut Diagnostics,
) -> Vec<HttpStep> {
    let mut steps = Vec::new();
    let mut compiler = Steps { kind, connector, out };
    match (&written.request, written.steps.as_slice()) {
        (Some(request), []) => {
            let parts = written!(written, request, name: None, when: None, reads: false);
            steps.extend(compiler.step(&parts, names));
        }
        (None, all @ [_, ..]) => {
            for step in all {
                let Some(request) = &step.request else {
                    compiler.out.push(
                        Diagnostic::at(Code::MissingKey, &step.span, "a step of `kind: http` needs the key `request`")
                            .help("write `request: GET /orders` or the like"),
                    );
                    continue;
                };
                let reads = step.reads.as_ref().is_some_and(|flag| flag.value);
                let parts = written!(step, request, name: step.r#as.as_ref(), when: step.when.as_ref(), reads: reads);
                steps.extend(compiler.step(&parts, names));
                names.result(step.r#as.as_ref());
            }
        }
        (Some(request), _) => {
            compiler.out.push(
                Diagnostic::at(Code::MisplacedKey, &request.span, "an operation has either `request` or `steps`")
                    .help("move the request to the first of `steps`"),
            );
        }
        (None, []) => {
            let message = format!("`{}` does nothing", key.value);
            let help = "write its request, such as `request: GET /orders/{{ number }}`, or several as `steps`";
            compiler.out.push(Diagnostic::at(Code::MissingKey, &key.span, message).help(help));
        }
    }
    let complete = steps.len() == written.steps.len() + usize::from(written.request.is_some());
    let writing = steps.iter().filter(|step| step.writes).count();
    if complete && kind.writes() && writing != 1 {
        let message = format!("`{}` is called a {} and has {writing} requests that write", key.value, kind.name());
        let help = if writing == 0 { "take `kind` out" } else { "say `reads: true` of those that only read; one may write" };
        compiler.out.push(Diagnostic::at(Code::BadRequest, &key.span, message).help(help));
    }
    steps
}

struct Steps<'a, 'o> {
    kind: OperationKind,
    connector: &'a spec::Connector,
    out: &'o mut Diagnostics,
}

impl<'a> Steps<'a, '_> {
    fn step(&mut self, written: &Written<'a>, names: &Names<'a>) -> Option<HttpStep> {
        let before = names.with(["key"]);
        let answered = names.with(["body", "http"]);
        let name =
            written.name.filter(|name| result_name(name, &before, self.out)).and_then(|name| Local::parse(name.as_str()));
        let request = self.request(written, &before);
        let when = self.optional(written.when, &before);
        let rows = self.optional(written.rows, &answered);
        let take = take(written.take, self.out);
        if matches!(take, Take::Value | Take::Nothing) {
            let span = written.take.map_or(written.span, |text| &text.span);
            let message = "of an answer, `all`, `one`, `first` or `optional` counts";
            self.out.push(Diagnostic::at(Code::BadValue, span, message).help("write one of these four"));
        }
        let ended = names.with(["body", "http", if take == Take::All { "rows" } else { "row" }]);
        let ended = ended.into_iter().chain(written.name.map(Text::as_str)).collect();
        let endings = written.outcomes.iter().filter_map(|(name, it)| ending(name, it, &ended, self.out)).collect();
        let request = request?;
        let writes = self.writes(written, &request);
        Some(HttpStep {
            name,
            when: when?,
            writes,
            idempotency: self.idempotency(written, writes, &request, names)?,
            expects: self.expects(written),
            errors: errors(written.errors, &answered, self.out),
            pages: self.pages(written, &request, names),
            rows: rows?,
            take,
            endings,
            request,
        })
    }

    /// An expression that may be left out; none when it does not compile.
    fn optional(&mut self, text: Option<&Text>, names: &BTreeSet<&str>) -> Option<Option<crate::template::Expression>> {
        text.map_or(Some(None), |text| expression(text, names, self.out).map(Some))
    }

    fn request(&mut self, written: &Written<'_>, names: &BTreeSet<&str>) -> Option<Request> {
        let line = written.request;
        let parsed = line.as_str().split_once(char::is_whitespace).and_then(|(method, path)| {
            let method = Method::ALL.into_iter().find(|known| known.name() == method)?;
            path.trim_start().starts_with('/').then(|| (method, path.trim()))
        });
        let Some((method, path)) = parsed else {
            let help = "write the method and a path below `base`, such as `GET /tickets/{{ number }}`";
            self.out.push(Diagnostic::at(Code::BadRequest, &line.span, "this is not a request").help(help));
            return None;
        };
        let from = line.as_str().find(path).unwrap_or_default();
        let shown = path.to_owned();
        let place = Text { span: line.part(from..line.as_str().len()), value: shown.clone() };
        let path = pieces(&place, names, self.out)?;
        let literal = path.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        if literal
            .clone()
            .any(|text| text.contains(['?', '#', '\\']) || text.chars().any(|c| c.is_whitespace() || c.is_control()))
        {
            let help = "what comes after a ? goes into `query`";
            self.out.push(
                Diagnostic::at(Code::BadRequest, &line.span, "a path has neither query, fragment nor blanks").help(help),
            );
            return None;
        }
        let query = tree::fields(written.query, written.span, names, self.out);
        let headers = own_headers(written.headers, names, self.out);
        let body = self.body(written, names);
        let body = body?;
        if method == Method::Get && !matches!(body, Body::Empty) {
            self.out.push(
                Diagnostic::at(Code::BadRequest, &line.span, "a GET has no body")
                    .help("put its values into `query`, or write POST"),
            );
        }
        Some(Request { method, path, shown, query: query?, headers, body })
    }

    fn body(&mut self, written: &Written<'_>, names: &BTreeSet<&str>) -> Option<Body> {
        let given = [
            written.json.is_some(),
            !written.form.is_empty(),
            written.graphql.is_some(),
            written.xml.is_some(),
            written.text.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            let message = "a request has one body: `json`, `form`, `graphql`, `xml` or `text`";
            self.out.push(Diagnostic::at(Code::BadRequest, written.span, message).help("take all but one out"));
            return None;
        }
        if let Some(node) = written.json {
            return tree::json(node, names, self.out).map(Body::Json);
        }
        if let Some(graphql) = written.graphql {
            return self.graphql(graphql, names).map(Body::Json);
        }
        if let Some(text) = written.xml {
            return pieces(text, names, self.out).map(Body::Xml);
        }
        if let Some(text) = written.text {
            return template(text, names, self.out).map(Body::Text);
        }
        if !written.form.is_empty() {
            return tree::fields(written.form, written.span, names, self.out).map(Body::Form);
        }
        Some(Body::Empty)
    }

    fn graphql(&mut self, written: &GraphQl, names: &BTreeSet<&str>) -> Option<Tree<Leaf>> {
        let query = written.query.as_str();
        if query.contains("{%")
            || pieces(&written.query, names, &mut Diagnostics::default()).is_none_or(|it| it.has_values())
        {
            let help = "give it as one of `variables`, and use it as `$name` in the query";
            self.out.push(
                Diagnostic::at(Code::UnsafeText, &written.query.span, "no value can stand in a GraphQL query").help(help),
            );
            return None;
        }
        let variables = tree::variables(&written.variables, &written.span, names, self.out);
        let constant = Template::constant(Value::String(query.trim().to_owned()));
        let entry = |key: &str, value| Entry { key: key.to_owned(), optional: false, value };
        Some(Tree::Map(vec![entry("query", Tree::Leaf(Leaf::Value(constant))), entry("variables", variables?)]))
    }

    /// Whether the request changes something, held against what the operation says of itself.
    fn writes(&mut self, written: &Written<'_>, request: &Request) -> bool {
        let mutation = written.graphql.is_some_and(|it| it.query.as_str().trim_start().starts_with("mutation"));
        let query = written.graphql.is_some() && !mutation;
        let certain = mutation || matches!(request.method, Method::Put | Method::Patch | Method::Delete);
        let writes = match request.method {
            Method::Get => false,
            _ if written.reads || query => false,
            _ => self.kind.writes(),
        };
        if certain && !writes {
            let message = "a read cannot change anything, and this request does";
            self.out.push(Diagnostic::at(Code::BadRequest, &written.request.span, message).help("say `kind: write`"));
        }
        writes
    }

    fn expects(&mut self, written: &Written<'_>) -> Expects {
        let known = [("json", Expects::Json), ("text", Expects::Text)];
        written.expects.and_then(|text| one_of(text, &known, "kind of answer", self.out)).unwrap_or(Expects::Json)
    }

    fn pages(&mut self, written: &Written<'a>, request: &Request, names: &Names<'a>) -> Option<Pages> {
        let pages: &WrittenPages = match written.pages? {
            PagesRef::Own(pages) => pages,
            PagesRef::Named(name) => match self.connector.pages.get(name.as_str()) {
                Some(pages) => pages,
                None => {
                    let message = format!("the connector has no `pages` called `{}`", name.value);
                    let known = self.connector.pages.iter().map(|(name, _)| name.as_str());
                    self.out.push(Diagnostic::at(Code::UnknownName, &name.span, message).did_you_mean(name.as_str(), known));
                    return None;
                }
            },
        };
        let into = match (&pages.query, &pages.json, pages.link.as_ref().is_some_and(|flag| flag.value)) {
            (Some(name), None, false) => PageInto::Query(name.value.clone()),
            (None, Some(place), false) if matches!(request.body, Body::Json(_)) => {
                PageInto::Json(place.as_str().split('.').map(str::to_owned).collect())
            }
            (None, None, true) => PageInto::Link,
            _ => {
                let message =
                    "the next page's value goes into exactly one place: `query`, `json` (of a JSON body) or `link: true`";
                self.out.push(
                    Diagnostic::at(Code::BadRequest, &pages.span, message)
                        .help("write `query: page`, `json: after` or `link: true`"),
                );
                return None;
            }
        };
        let most = pages.most.as_ref().and_then(|whole| count(whole, self.out)).or_else(|| 10.try_into().ok())?;
        let next = expression(&pages.next, &names.with(["body", "http", "rows"]), self.out);
        let enough = self.optional(pages.enough.as_ref(), &names.with([]));
        Some(Pages { next: next?, into, most, enough: enough? })
    }

    fn idempotency(
        &mut self,
        written: &Written<'a>,
        writes: bool,
        request: &Request,
        names: &Names<'a>,
    ) -> Option<Idempotency> {
        let Some(how) = written.idempotency else {
            if writes {
                let message = "a request that writes says whether it can be repeated";
                let help = "`idempotency: { header: NAME }`, `key`, `upsert`, `{ lookup: … }`, or `none` when it cannot";
                self.out.push(Diagnostic::at(Code::MissingKey, written.span, message).help(help));
                return None;
            }
            return Some(Idempotency::Never);
        };
        match how {
            IdempotencyRef::Named(text) => match text.as_str() {
                "none" => Some(Idempotency::Never),
                "upsert" => Some(Idempotency::Upsert),
                "key" if mentions_key(written) => Some(Idempotency::Key { header: None, kept: None }),
                "key" => {
                    let message = "the request does not carry the write's key";
                    self.out.push(
                        Diagnostic::at(Code::BadRequest, &text.span, message).help("use `{{ key }}` in its body or headers"),
                    );
                    None
                }
                other => {
                    let message = format!("there is no idempotency `{other}`");
                    self.out.push(
                        Diagnostic::at(Code::BadValue, &text.span, message).did_you_mean(other, ["key", "upsert", "none"]),
                    );
                    None
                }
            },
            IdempotencyRef::Own(own) => match (&own.header, &own.lookup) {
                (Some(header), None) => {
                    let kept = own.kept.as_ref().map(|text| span(text, self.out));
                    Some(Idempotency::Key { header: Some(header_name(header, self.out)?), kept: kept.flatten() })
                }
                (None, Some(lookup)) => self.lookup(lookup, request, names),
                _ => {
                    let message = "`idempotency` has either a `header` or a `lookup`";
                    self.out.push(
                        Diagnostic::at(Code::MissingKey, &own.span, message)
                            .help("write `header: Idempotency-Key`, or a `lookup`"),
                    );
                    None
                }
            },
        }
    }

    fn lookup(&mut self, step: &'a spec::Step, _: &Request, names: &Names<'a>) -> Option<Idempotency> {
        let Some(request) = &step.request else {
            self.out.push(
                Diagnostic::at(Code::MissingKey, &step.span, "`lookup` needs the key `request`")
                    .help("write the request that looks for what was written"),
            );
            return None;
        };
        let parts = written!(step, request, name: None, when: None, reads: true);
        let mut inner = Steps { kind: OperationKind::Read, connector: self.connector, out: self.out };
        let found = inner.step(&parts, names)?;
        if found.take != Take::Optional {
            let message = "a look-up finds one or nothing";
            self.out.push(Diagnostic::at(Code::BadValue, &step.span, message).help("say `take: optional`"));
        }
        Some(Idempotency::Lookup(Box::new(found)))
    }
}

fn mentions_key(written: &Written<'_>) -> bool {
    let mut texts: Vec<String> =
        written.headers.iter().filter_map(|(_, text)| Some(text.0.as_ref()?.value.clone())).collect();
    texts.extend(written.json.map(|node| node.to_json().to_string()));
    texts.extend(written.form.iter().map(|(_, node)| node.to_json().to_string()));
    texts.extend(written.graphql.iter().flat_map(|it| it.variables.iter()).map(|(_, node)| node.to_json().to_string()));
    texts.extend(written.xml.or(written.text).map(|text| text.value.clone()));
    let word = |text: &String| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "key");
    texts.iter().any(word)
}
