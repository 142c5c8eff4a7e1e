//! Compiles how a request that writes can be repeated.

use super::Idempotency;
use super::rules::header_name;
use super::step::{Steps, Written};
use crate::diag::{Code, Diagnostic};
use crate::plan::connector::compile::Names;
use crate::plan::connector::{OperationKind, Take};
use crate::plan::reading::span;
use crate::spec::connector as spec;
use crate::spec::connector_http::IdempotencyRef;

impl<'a> Steps<'a, '_> {
    pub(super) fn idempotency(&mut self, written: &Written<'a>, writes: bool, names: &Names<'a>) -> Option<Idempotency> {
        let Some(how) = &written.work.idempotency else {
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
                (None, Some(lookup)) => self.lookup(lookup, names),
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

    fn lookup(&mut self, step: &'a spec::Step, names: &Names<'a>) -> Option<Idempotency> {
        let Some(request) = &step.work.request else {
            self.out.push(
                Diagnostic::at(Code::MissingKey, &step.span, "`lookup` needs the key `request`")
                    .help("write the request that looks for what was written"),
            );
            return None;
        };
        let parts = Written { reads: true, ..Written::alone(&step.span, request, &step.work) };
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
        written.work.headers.iter().filter_map(|(_, text)| Some(text.0.as_ref()?.value.clone())).collect();
    texts.extend(written.work.json.as_ref().map(|node| node.to_json().to_string()));
    texts.extend(written.work.form.iter().map(|(_, node)| node.to_json().to_string()));
    texts.extend(written.work.graphql.iter().flat_map(|it| it.variables.iter()).map(|(_, node)| node.to_json().to_string()));
    texts.extend(written.work.xml.as_ref().or(written.work.text.as_ref()).map(|text| text.value.clone()));
    let word = |text: &String| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "key");
    texts.iter().any(word)
}
