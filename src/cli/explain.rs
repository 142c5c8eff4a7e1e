//! `legwork explain`: the page of a diagnostic's code, or the list of all codes.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;

use super::{cannot, print};
use crate::diag::{Code, similar};

#[derive(Debug, Args)]
pub(super) struct ExplainFlags {
    /// The code, such as unknown-slot; every code in a line each without it
    code: Option<String>,
}

pub(super) fn run(flags: &ExplainFlags) -> ExitCode {
    let Some(name) = &flags.code else {
        print(&list());
        return ExitCode::SUCCESS;
    };
    if let Some(code) = Code::parse(name) {
        print(code.page());
        return ExitCode::SUCCESS;
    }
    let near = similar(name, Code::ALL.iter().map(|code| code.name()));
    let cure = near.map_or_else(|| "`legwork explain` lists all".to_owned(), |near| format!("did you mean `{near}`?"));
    cannot(&[format!("there is no code `{name}`: {cure}")])
}

fn list() -> String {
    Code::ALL.iter().fold(String::new(), |mut text, code| {
        let _ = writeln!(text, "{:<22} {:<8} {}", code.name(), code.severity().name(), code.summary());
        text
    })
}
