//! Actions that are written in Rust: what of an action can be said without a file.

use std::collections::BTreeMap;

use super::{Compiler, OFFERED};
use crate::diag::{Code, Diagnostic};
use crate::name::ActionName;
use crate::plan::action::{Action, Body, Changes};
use crate::plan::unwritten::can_follow_up;

/// What is not parsed for actions in Rust, since it grows with the conversation.
const LONG: [&str; 2] = ["events", "transcript"];

/// What a program says of an action that it runs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NativeFacts {
    /// Whether it may call what changes something.
    pub writes: bool,
}

impl Compiler<'_> {
    /// Adds the actions that are written in Rust.
    pub(super) fn natives(
        &mut self,
        natives: &BTreeMap<ActionName, NativeFacts>,
        actions: &mut BTreeMap<ActionName, Action>,
    ) {
        for (name, facts) in natives {
            if let Some(other) = actions.get(name) {
                let message = format!("`{name}` is written in Rust, too");
                let diagnostic = Diagnostic::at(Code::DuplicateName, &other.place, message);
                self.out.push(diagnostic.help("rename one of them, here or in the program"));
                continue;
            }
            let action = self.native(name.clone(), *facts);
            actions.insert(name.clone(), action);
        }
    }

    fn native(&self, name: ActionName, facts: NativeFacts) -> Action {
        let offered = OFFERED.iter().map(|(name, _)| *name).filter(|name| !LONG.contains(name)).map(str::to_owned);
        let asks = offered.chain(self.always.iter().cloned()).collect();
        let follows_up = can_follow_up(&name, self.domain);
        let changes = if facts.writes { Changes::Several } else { Changes::Nothing };
        Action { changes, ..Action::without_file(name, Body::Native, follows_up, asks) }
    }
}
