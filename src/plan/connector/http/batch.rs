//! Compiles the request that answers several calls of an operation at once.

use super::Batch;
use super::step::{Steps, Written};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::Local;
use crate::plan::connector::compile::{Names, expression};
use crate::plan::connector::{OperationKind, Take};
use crate::plan::reading::count;
use crate::spec::Text;
use crate::spec::connector as spec;

/// How many values one request has when the file does not say.
const MOST: u32 = 50;

/// `names` are those of the connector and the inputs; what `let` names is made for one call and is in `own` alone.
pub(in crate::plan::connector) fn batch<'a>(
    written: &'a spec::Batch,
    operation: &'a spec::Operation,
    kind: OperationKind,
    connector: &'a spec::Connector,
    (names, own): (&Names<'a>, &Names<'a>),
    out: &mut Diagnostics,
) -> Option<Batch> {
    let alone = match operation.steps.as_slice() {
        [] => operation.work.request.is_some(),
        [step] => step.work.request.is_some() && step.when.is_none(),
        _ => false,
    };
    if kind.writes() || !alone {
        let message = "`batch` belongs to a read that is one request";
        let help = "take it out; of several requests or a write each call is made by itself";
        out.push(Diagnostic::at(Code::MisplacedKey, &written.span, message).help(help));
        return None;
    }
    if operation.inputs.get(written.of.as_str()).is_none() {
        let message = format!("the operation has no input `{}`", written.of.value);
        let known = operation.inputs.iter().map(|(name, _)| name.as_str());
        out.push(Diagnostic::at(Code::UnknownInput, &written.of.span, message).did_you_mean(written.of.as_str(), known));
    }
    let Some(request) = &written.work.request else {
        let help = "write the request for all of them, such as `request: GET /orders`";
        out.push(Diagnostic::at(Code::MissingKey, &written.span, "`batch` needs the key `request`").help(help));
        return None;
    };
    let step = Steps { kind, connector, out }.step(&Written::alone(&written.span, request, &written.work), names)?;
    if step.take != Take::All || !step.endings.is_empty() || !step.refusals.is_empty() {
        let message = "what becomes of a call's rows is the operation's to say";
        let help = "take `take`, `outcomes` and `refuses` out of `batch`; those of the operation hold for each call";
        out.push(Diagnostic::at(Code::MisplacedKey, &written.span, message).help(help));
    }
    let own = own.with([]);
    let mut of_call = |text: &Option<Text>| text.as_ref().and_then(|text| expression(text, &own, out));
    let (value, when) = (of_call(&written.value), of_call(&written.when));
    Some(Batch {
        value,
        when,
        of: Local::parse(written.of.as_str())?,
        step,
        by: expression(&written.by, &names.with(["row"]), out)?,
        most: written.most.as_ref().and_then(|whole| count(whole, out)).or_else(|| MOST.try_into().ok())?,
    })
}
