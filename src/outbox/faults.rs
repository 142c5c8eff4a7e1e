//! What a call is told of a write that is not settled by its own system's answer.

use crate::fault::{Fault, Outcome};
use crate::store::StoreError;

/// The fault of a write that the store failed on: it was not sent.
pub(super) fn unkept(error: &StoreError) -> Fault {
    Fault::new(Outcome::Unavailable, format!("nothing is written without a record of it: {error}"))
}

/// A fault with what the user can quote.
pub(super) fn told(outcome: Outcome, reference: &str, why: &str) -> Fault {
    Fault { reference: Some(reference.into()), ..Fault::new(outcome, why) }
}

/// Of a write that is made later.
pub(super) fn queued<T>(ended: Result<T, Fault>, reference: &str) -> Fault {
    let why = ended.err().map(|fault| fault.operator).unwrap_or_default();
    told(Outcome::Queued, reference, &format!("it is made later: {why}"))
}

/// Of a write that nobody knows the end of.
pub(super) fn unclear<T>(ended: Result<T, Fault>, reference: &str) -> Fault {
    let fault = ended.err();
    let done = fault.as_ref().map(|fault| fault.done.clone()).unwrap_or_default();
    let why = fault.map(|fault| fault.operator).unwrap_or_default();
    told(Outcome::Unclear, reference, &format!("whether it was done is not known: {why}")).after(done)
}
