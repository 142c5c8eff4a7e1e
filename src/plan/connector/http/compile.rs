//! Compiles what a file says of a vendor's API as a whole.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;
use serde_json::{Map as JsonMap, Value};

use super::{Api, HttpSystem, rules};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::{Local, OperationName};
use crate::plan::connector::auth;
use crate::plan::connector::compile::Names;
use crate::plan::connector::compile::template;
use crate::plan::connector::{Answer, Setting};
use crate::plan::reading::{self, AS_SETTING, written_secret};
use crate::spec::connector as spec;
use crate::spec::connector_http::Api as WrittenApi;
use crate::spec::{Map, Nullable, Text};
use crate::template::Template;

/// How long an attempt may take when the file does not say.
const TIMEOUT: Duration = Duration::from_secs(12);

pub(in crate::plan::connector) fn system(
    written: &spec::Connector,
    given: &[Setting],
    names: &Names<'_>,
    lets: Vec<(Local, Answer)>,
    out: &mut Diagnostics,
) -> Option<HttpSystem> {
    let settings = names.settings();
    let answered = names.with(["body", "http"]);
    let auth = auth::compile_ways(written, given, out);
    let system = HttpSystem {
        api: written.api.as_ref().and_then(|it| api(it, out)),
        base: base(written, &settings, out)?,
        auth: auth?,
        headers: headers(&written.headers, &settings, out),
        errors: rules::errors(&written.errors, &answered, out),
        waits: rules::waits(&written.wait, &answered, out),
        quota: written.quota.iter().filter_map(|text| rules::header_name(text, out)).collect(),
        limits: rules::limits(written.limits.as_ref(), out),
        timeout: written.timeout.as_ref().and_then(|text| reading::span(text, out)).unwrap_or(TIMEOUT),
        retry: rules::retry(written.retry.as_ref(), out),
        codes: codes(&written.codes),
        lets,
        test: test(written, out),
    };
    Some(system)
}

fn api(written: &WrittenApi, out: &mut Diagnostics) -> Option<Api> {
    let supported_until = match &written.supported_until {
        None => None,
        Some(text) => match NaiveDate::parse_from_str(text.as_str(), "%Y-%m-%d") {
            Ok(day) => Some(day),
            Err(_) => {
                out.push(
                    Diagnostic::at(Code::BadValue, &text.span, "a day such as 2027-06-30 is needed here")
                        .help("write year, month and day, in quotes"),
                );
                return None;
            }
        },
    };
    let docs = written.docs.as_ref().map(|text| text.value.clone());
    Some(Api { version: written.version.value.clone(), supported_until, docs })
}

/// The base's placeholders are settings, and what surrounds them makes it https and nothing else.
fn base(written: &spec::Connector, settings: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Template> {
    let Some(text) = &written.base else {
        let help =
            "the address that every path begins at, such as `base: https://{{ settings.subdomain }}.zendesk.com/api/v2`";
        out.push(Diagnostic::at(Code::MissingKey, &written.kind.span, "`kind: http` needs the key `base`").help(help));
        return None;
    };
    let compiled = template(text, settings, out)?;
    let address = text.as_str().trim();
    let host = address.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if host.contains('@') && !host.contains("{{") {
        let help = "write `auth: { basic: { user: …, password: \"{{ settings.password }}\" } }`, with a secret setting";
        out.push(written_secret(&text.span, help));
        return None;
    }
    let whole = address.starts_with("{{") && compiled.is_typed();
    if !address.starts_with("https://") && !whole {
        let help = "begin it with https://, or make the whole of it one setting";
        out.push(Diagnostic::at(Code::BadValue, &text.span, "`base` is an https address").help(help));
        return None;
    }
    if address.contains(['?', '#']) {
        out.push(
            Diagnostic::at(Code::BadValue, &text.span, "`base` has neither a query nor a fragment")
                .help("parameters of every request go into `headers`, or into each `query`"),
        );
        return None;
    }
    Some(compiled)
}

/// Headers of one request, of which null takes out the connector's.
pub(super) fn own_headers(
    written: &Map<Nullable<Text>>,
    names: &BTreeSet<&str>,
    out: &mut Diagnostics,
) -> Vec<(String, Template)> {
    let header = |(name, value): (&Text, &Nullable<Text>)| {
        let name = rules::header_name(name, out);
        let value = match &value.0 {
            Some(text) => {
                if let (Some(name), false) = (&name, text.value.contains("{{")) {
                    proof(name, text, out);
                }
                template(text, names, out)
            }
            None => Some(Template::constant(Value::Null)),
        };
        name.zip(value)
    };
    written.iter().filter_map(header).collect()
}

/// Headers, whose values may use `names`.
fn headers(written: &Map<Text>, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Vec<(String, Template)> {
    let header = |(name, value): (&Text, &Text)| {
        let name = rules::header_name(name, out);
        let compiled = template(value, names, out);
        if let (Some(name), false) = (&name, value.value.contains("{{")) {
            proof(name, value, out);
        }
        name.zip(compiled)
    };
    written.iter().filter_map(header).collect()
}

/// Reports a header that by its name proves who asks, and has its value written out.
fn proof(name: &str, value: &Text, out: &mut Diagnostics) {
    let name = name.to_lowercase();
    if PROOFS.iter().any(|end| name.ends_with(end)) && !value.value.trim().is_empty() {
        out.push(written_secret(&value.span, AS_SETTING));
    }
}

/// How the names of headers end that prove who asks.
const PROOFS: [&str; 7] = ["authorization", "api-key", "apikey", "auth-token", "access-token", "-secret", "password"];

fn codes(written: &Map<Map<Text>>) -> JsonMap<String, Value> {
    let table =
        |table: &Map<Text>| table.iter().map(|(code, means)| (code.value.clone(), means.value.clone().into())).collect();
    written.iter().map(|(name, codes)| (name.value.clone(), Value::Object(table(codes)))).collect()
}

fn test(written: &spec::Connector, out: &mut Diagnostics) -> Option<OperationName> {
    let text = written.test.as_ref()?;
    let known = written.operations.iter().map(|(name, _)| name.as_str());
    let Some(operation) = written.operations.get(text.as_str()) else {
        let message = format!("the connector has no operation `{}`", text.value);
        out.push(Diagnostic::at(Code::UnknownOperation, &text.span, message).did_you_mean(text.as_str(), known));
        return None;
    };
    let writes = operation.kind.as_ref().is_some_and(|kind| kind.as_str() != "read");
    if writes || operation.inputs.iter().any(|(_, it)| it.required.as_ref().is_some_and(|flag| flag.value)) {
        let message = "the connection is tested by a read that needs no inputs";
        out.push(
            Diagnostic::at(Code::BadValue, &text.span, message)
                .help("name a read that takes no inputs, or whose inputs can all be left out"),
        );
        return None;
    }
    OperationName::parse(text.as_str())
}
