//! Compiles the requests of an operation in order, each knowing the names that the ones before it give.

use std::collections::BTreeSet;

use super::rules::{errors, one_of};
use super::{Expects, HttpStep, Method, Request, writes};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::name::Local;
use crate::plan::connector::compile::{Names, expression};
use crate::plan::connector::statement::{ending, instead_of, result_name, take};
use crate::plan::connector::{OperationKind, Take};
use crate::spec::Text;
use crate::spec::connector as spec;

/// One request as written: the one of an operation, or one of its steps.
pub(super) struct Written<'a> {
    pub(super) span: &'a Span,
    pub(super) request: &'a Text,
    pub(super) work: &'a spec::Work,
    pub(super) name: Option<&'a Text>,
    pub(super) when: Option<&'a Text>,
    pub(super) instead_of: Vec<usize>,
    pub(super) reads: bool,
}

impl<'a> Written<'a> {
    /// A request that nothing stands beside.
    pub(super) const fn alone(span: &'a Span, request: &'a Text, work: &'a spec::Work) -> Self {
        Self { span, request, work, name: None, when: None, instead_of: Vec::new(), reads: false }
    }
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
    let mut places = Vec::new();
    let mut named = true;
    let mut compiler = Steps { kind, connector, out };
    match (&written.work.request, written.steps.as_slice()) {
        (Some(request), []) => {
            places.push(&request.span);
            steps.extend(compiler.step(&Written::alone(&written.span, request, &written.work), names));
        }
        (None, all @ [_, ..]) => {
            for (at, step) in all.iter().enumerate() {
                let Some(request) = &step.work.request else {
                    compiler.out.push(
                        Diagnostic::at(Code::MissingKey, &step.span, "a step of `kind: http` needs the key `request`")
                            .help("write `request: GET /orders` or the like"),
                    );
                    continue;
                };
                let (name, when) = (step.r#as.as_ref(), step.when.as_ref());
                let reads = step.reads.as_ref().is_some_and(|flag| flag.value);
                let instead_of = instead_of(step, &all[..at], compiler.out);
                named &= instead_of.len() == step.instead_of.len();
                let alone = Written::alone(&step.span, request, &step.work);
                places.push(&request.span);
                steps.extend(compiler.step(&Written { name, when, instead_of, reads, ..alone }, names));
                names.result(name);
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
    let complete = steps.len() == written.steps.len() + usize::from(written.work.request.is_some());
    if complete && named {
        writes::check(key, kind, &steps, &places, out);
    }
    steps
}

pub(super) struct Steps<'a, 'o> {
    pub(super) kind: OperationKind,
    pub(super) connector: &'a spec::Connector,
    pub(super) out: &'o mut Diagnostics,
}

impl<'a> Steps<'a, '_> {
    pub(super) fn step(&mut self, written: &Written<'a>, names: &Names<'a>) -> Option<HttpStep> {
        let work = written.work;
        let before = names.with(["key"]);
        let answered = names.with(["body", "http"]);
        let name =
            written.name.filter(|name| result_name(name, &before, self.out)).and_then(|name| Local::parse(name.as_str()));
        let request = self.request(written, &before);
        let when = self.optional(written.when, &before);
        let rows = self.optional(work.rows.as_ref(), &answered);
        let take = take(work.take.as_ref(), self.out);
        if matches!(take, Take::Value | Take::Nothing) {
            let span = work.take.as_ref().map_or(written.span, |text| &text.span);
            let message = "of an answer, `all`, `one`, `first` or `optional` counts";
            self.out.push(Diagnostic::at(Code::BadValue, span, message).help("write one of these four"));
        }
        let ended = names.with(["body", "http", if take == Take::All { "rows" } else { "row" }]);
        let ended = ended.into_iter().chain(written.name.map(Text::as_str)).collect();
        let refusals = work.refuses.iter().filter_map(|(name, it)| ending(name, it, &before, self.out)).collect();
        let endings = work.outcomes.iter().filter_map(|(name, it)| ending(name, it, &ended, self.out)).collect();
        let request = request?;
        let writes = self.writes(written, &request);
        Some(HttpStep {
            name,
            when: when?,
            instead_of: written.instead_of.clone(),
            refusals,
            writes,
            idempotency: self.idempotency(written, writes, names)?,
            expects: self.expects(written),
            errors: errors(&work.errors, &answered, self.out),
            pages: self.pages(written, &request, names),
            rows: rows?,
            take,
            endings,
            request,
        })
    }

    /// An expression that may be left out; none when it does not compile.
    pub(super) fn optional(
        &mut self,
        text: Option<&Text>,
        names: &BTreeSet<&str>,
    ) -> Option<Option<crate::template::Expression>> {
        text.map_or(Some(None), |text| expression(text, names, self.out).map(Some))
    }

    /// Whether the request changes something, held against what the operation says of itself.
    fn writes(&mut self, written: &Written<'_>, request: &Request) -> bool {
        let mutation =
            written.work.graphql.as_ref().is_some_and(|it| it.query.as_str().trim_start().starts_with("mutation"));
        let query = written.work.graphql.is_some() && !mutation;
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
        written
            .work
            .expects
            .as_ref()
            .and_then(|text| one_of(text, &known, "kind of answer", self.out))
            .unwrap_or(Expects::Json)
    }
}
