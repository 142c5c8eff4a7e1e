//! What a call that changes something says for the case that a later change of the same run cannot be made: what users call it,
//! and what takes it back.

use super::Compiler;
use super::call::Target;
use super::names::{Names, Type};
use super::steps::Block;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::action::Undo;
use crate::spec::action as spec;
use crate::template::Template;

impl Compiler<'_> {
    /// What users call a change.
    pub(super) fn title(&mut self, step: &spec::Step, writes: bool, names: &Names) -> Option<Template> {
        let title = step.title.as_ref()?;
        if !writes {
            let what = "what only reads is nothing that users are told was done";
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &title.span, what);
            self.out.push(diagnostic.help("take `title` out"));
        }
        self.template(title, names)
    }

    /// What takes a change back; it sees what the call sees, and its result.
    pub(super) fn undo(&mut self, step: &spec::Step, kind: Type, writes: bool, names: &Names, block: Block) -> Option<Undo> {
        let written = step.undo.as_ref()?;
        let misplaced = match block {
            _ if !writes => Some(("what only reads is not taken back", "take `undo` out")),
            Block::Validator | Block::ValidatorOutcome => Some((
                "what the steps of a slot change is not taken back",
                "make the change in the action that uses the form",
            )),
            Block::Action | Block::Outcome => None,
        };
        if let Some((what, cure)) = misplaced {
            self.out.push(Diagnostic::at(Code::MisplacedKey, &written.span, what).help(cure));
        }
        let mut own = names.clone();
        if let Some(bind) = &step.r#as {
            // One that is taken is reported where it is given for good.
            own.define(bind, kind, false, &mut Diagnostics::default());
        }
        let Target { connection, operation, writes, known, .. } = self.target(&written.call, &written.with)?;
        if known && !writes {
            let message = format!("`{}` takes nothing back: it only reads", written.call.value);
            let diagnostic = Diagnostic::at(Code::BadValue, &written.call.span, message);
            self.out.push(diagnostic.help("name the operation that changes it back, such as one that cancels or deletes"));
        }
        let with = self.entries(&written.with, &own);
        Some(Undo { connection, operation, with, place: written.span.clone() })
    }
}
