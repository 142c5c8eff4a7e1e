//! The connectors that come with legwork.
//!
//! A built-in connector is the same kind of file as a project's, with the files that it names compiled into the binary; it is
//! compiled and checked like one, and has no rights of its own.

use std::sync::Arc;

use crate::diag::File;
use crate::plan::ConnectorFile;

struct Source {
    name: &'static str,
    text: &'static str,
    /// The files that it names, with their texts.
    files: &'static [(&'static str, &'static str)],
}

const BUILT_IN: &[Source] = &[Source {
    name: "sandbox",
    text: include_str!("sandbox.yml"),
    files: &[
        ("sandbox/schema.sql", include_str!("sandbox/schema.sql")),
        ("sandbox/data.sql", include_str!("sandbox/data.sql")),
    ],
}];

/// Every connector that comes with legwork, to be compiled with those of a project.
#[must_use]
pub fn catalogue() -> Vec<ConnectorFile> {
    let beside = |source: &Source| source.files.iter().map(|(path, text)| ((*path).to_owned(), Ok((*text).to_owned()))).collect();
    let file = |source: &Source| ConnectorFile {
        file: File::new(format!("{}.yml", source.name), source.text),
        beside: Arc::new(beside(source)),
    };
    BUILT_IN.iter().map(file).collect()
}
