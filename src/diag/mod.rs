//! What is wrong in a file: spans, codes, diagnostics and their one renderer.
//!
//! Everything that reads a file of the project reports through a [`Diagnostic`]; nobody prints one but [`render`]. A
//! diagnostic names a place and a cure, and its [`Code`] is stable: it can be looked up (`legwork explain CODE`).

mod allow;
mod code;
mod diagnostic;
mod render;
mod similar;

pub use allow::allow;
pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Diagnostics, File, Span};
pub use render::{Format, annotation, render};
pub use similar::similar;
