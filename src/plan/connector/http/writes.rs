//! Holds the writes of an operation against each other: running it from the beginning has to be safe up to its last write.
//!
//! An operation that broke off after its first write is run again as a whole. What was done then is asked for once more, so of
//! the writes that can happen in one run all but the last have to be such that this changes nothing.

use super::{HttpStep, Idempotency};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::connector::OperationKind;
use crate::spec::Text;

/// Reports what of an operation's writes does not go together; `places` are those of the requests.
pub(super) fn check(key: &Text, kind: OperationKind, steps: &[HttpStep], places: &[&Span], out: &mut Diagnostics) {
    if !kind.writes() {
        return;
    }
    if !steps.iter().any(|step| step.writes) {
        let message = format!("`{}` is called a {} and has no request that writes", key.value, kind.name());
        out.push(Diagnostic::at(Code::BadRequest, &key.span, message).help("take `kind` out"));
    }
    for (at, (step, place)) in steps.iter().zip(places).enumerate() {
        let unrepeatable = step.writes && matches!(step.idempotency, Idempotency::Never);
        let followed = || steps[at + 1..].iter().any(|later| later.writes && !later.instead_of.contains(&at));
        if unrepeatable && followed() {
            let message = "this request cannot be repeated, and another one that writes may follow it";
            let help = "only the last write of a run can have `idempotency: none`; say `reads: true` of a request that only \
                        reads, and `instead_of` of one that runs in another's place";
            out.push(Diagnostic::at(Code::BadRequest, place, message).help(help));
        }
    }
}
