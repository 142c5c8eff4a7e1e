//! The bounds of one evaluation: steps, work of filters, and sizes.
//!
//! The engine counts its steps (fuel); everything that one step may multiply is charged here, so that no single step can
//! take long or much memory.

use minijinja::{Error, State};

use super::failure::{FailedKind, fail};

/// Steps of the engine.
pub(super) const STEPS: u64 = 200_000;
/// Bytes of a text: what a template prints in all, and every text an operator or a filter makes.
pub(super) const TEXT: usize = 256 * 1024;
/// Entries of a list that an operator or `range` makes.
pub(super) const LIST: usize = 10_000;
/// Units of work: a list's entry handed to a filter is one, 32 bytes of text are one.
const WORK: usize = 4_000_000;
/// The deepest nesting that is printed or turned into JSON.
pub(super) const DEPTH: usize = 128;

/// What an evaluation has used so far.
#[derive(Default)]
struct Used {
    printed: usize,
    work: usize,
}

/// Charges work on `entries` of lists and `bytes` of text.
pub(super) fn work(state: &mut State, entries: usize, bytes: usize) -> Result<(), Error> {
    if entries == 0 && bytes < 32 {
        return Ok(());
    }
    let used = state.get_or_insert_extension_with(Used::default);
    used.work = used.work.saturating_add(entries).saturating_add(bytes / 32);
    match used.work > WORK {
        true => Err(fail(FailedKind::TooLong, "the template has too much to do: its lists and texts are too large")),
        false => Ok(()),
    }
}

/// Charges `bytes` that are about to be printed.
pub(super) fn printed(state: &mut State, bytes: usize) -> Result<(), Error> {
    let used = state.get_or_insert_extension_with(Used::default);
    used.printed = used.printed.saturating_add(bytes);
    match used.printed > TEXT {
        true => Err(too_large()),
        false => Ok(()),
    }
}

/// How many bytes may still be printed.
pub(super) fn room(state: &State) -> usize {
    TEXT - state.get_extension::<Used>().map_or(0, |used| used.printed.min(TEXT))
}

/// Refuses a text of `bytes` that an operator or filter is about to make, and charges the work of making it.
pub(super) fn text(state: &mut State, bytes: usize) -> Result<(), Error> {
    match bytes > TEXT {
        true => Err(too_large()),
        false => work(state, 0, bytes),
    }
}

/// Refuses a list of `entries` that an operator is about to make, and charges the work of making it.
pub(super) fn list(state: &mut State, entries: usize) -> Result<(), Error> {
    match entries > LIST {
        true => Err(fail(FailedKind::TooLarge, format!("a list grows past {LIST} entries"))),
        false => work(state, entries, 0),
    }
}

/// The failure of a text that grows past [`TEXT`].
pub(super) fn too_large() -> Error {
    fail(FailedKind::TooLarge, format!("a text grows past {} KiB", TEXT / 1024))
}
