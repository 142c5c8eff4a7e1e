//! Compiles the line of a request, what goes into it, and its body.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compile::own_headers;
use super::step::{Steps, Written};
use super::tree::{self, pieces};
use super::{Body, Leaf, Method, Part, Request};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::connector::compile::template;
use crate::plan::connector::tree::{Entry, Tree};
use crate::spec::Text;
use crate::spec::connector_http::GraphQl;
use crate::template::Template;

impl Steps<'_, '_> {
    pub(super) fn request(&mut self, written: &Written<'_>, names: &BTreeSet<&str>) -> Option<Request> {
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
        let query = tree::fields(&written.work.query, written.span, names, self.out);
        let headers = own_headers(&written.work.headers, names, self.out);
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
            written.work.json.is_some(),
            !written.work.form.is_empty(),
            written.work.graphql.is_some(),
            written.work.xml.is_some(),
            written.work.text.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            let message = "a request has one body: `json`, `form`, `graphql`, `xml` or `text`";
            self.out.push(Diagnostic::at(Code::BadRequest, written.span, message).help("take all but one out"));
            return None;
        }
        if let Some(node) = &written.work.json {
            return tree::json(node, names, self.out).map(Body::Json);
        }
        if let Some(graphql) = &written.work.graphql {
            return self.graphql(graphql, names).map(Body::Json);
        }
        if let Some(text) = &written.work.xml {
            return pieces(text, names, self.out).map(Body::Xml);
        }
        if let Some(text) = &written.work.text {
            return template(text, names, self.out).map(Body::Text);
        }
        if !written.work.form.is_empty() {
            return tree::fields(&written.work.form, written.span, names, self.out).map(Body::Form);
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
}
