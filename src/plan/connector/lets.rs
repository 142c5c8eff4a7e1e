//! Values that a file names once with `let`, for the places that need them: names, and what they may see.

use super::answer::{self, Answer};
use super::compile::{Names, bad_name};
use super::http::names_free;
use super::operation::{NOW, ROW};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::Local;
use crate::spec::{Map, Node};

/// Compiles `written` in order; each may use `names` and those before it, and `names` gets them all.
pub(super) fn compile<'a>(written: &'a Map<Node>, names: &mut Names<'a>, out: &mut Diagnostics) -> Vec<(Local, Answer)> {
    let mut lets = Vec::new();
    for (name, node) in written.iter() {
        let free = |name: &Local| ![NOW, ROW].contains(&name.as_str()) && names_free(name.as_str());
        let Some(local) = Local::parse(name.as_str()).filter(free) else {
            bad_name(name, &format!("{}, and is none of the engine's own", Local::RULE), out);
            continue;
        };
        let known = names.with([]);
        if known.contains(name.as_str()) {
            let message = format!("`{}` has a value already", name.value);
            out.push(Diagnostic::at(Code::ShadowedName, &name.span, message).help("give it another name"));
            continue;
        }
        lets.extend(answer::compile(node, &known, out).map(|made| (local, made)));
        names.result(Some(name));
    }
    lets
}
