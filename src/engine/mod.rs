//! Runs one plan for one call: inputs, steps, outcomes, forms, and the answer they make.
//!
//! The engine decides nothing that a file could have decided: it has no text, no name and no format of its own. A turn never
//! ends in an error because of a backend or of a template: the user hears the outcome's message, and what was said and set
//! until then stays. Only a call that is not what the protocol says is refused, as [`Malformed`](crate::rasa::Malformed).

mod again;
mod ahead;
mod blocks;
mod call;
mod composed;
mod conversation;
mod deeds;
mod domains;
mod form;
mod forward;
mod inputs;
mod ladder;
mod native;
mod places;
mod ready;
mod require;
mod rule;
mod run;
mod sheet;
mod slots;
mod slow;
mod speak;
mod steps;
mod tell;
mod trace;
mod turn;
mod verify;

pub use native::{NativeAction, Natives, Turn};
pub use trace::{Entry, Trace};
pub use turn::{Context, Engine, Parts};
pub use verify::Verifier;
