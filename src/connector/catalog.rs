//! The connectors that come with legwork, and reading a project's own beside them.
//!
//! A built-in connector is the same kind of file as a project's, with the files that it names compiled into the binary.

use std::path::Path;
use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Diagnostics, File};
use crate::plan::connector::{Beside, Connector, Files, Formats, compile_connector};
use crate::spec::{Shape as _, connector as spec, yaml};

/// A connector that comes with legwork.
#[derive(Debug)]
pub struct Source {
    /// Its name.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
    /// The files that it names, with their texts.
    pub files: &'static [(&'static str, &'static str)],
}

/// Every connector that comes with legwork.
pub const BUILT_IN: &[Source] = &[
    Source { name: "bigcommerce", text: include_str!("catalog/bigcommerce.yml"), files: &[] },
    Source { name: "dynamics", text: include_str!("catalog/dynamics.yml"), files: &[] },
    Source { name: "freshdesk", text: include_str!("catalog/freshdesk.yml"), files: &[] },
    Source { name: "hubspot", text: include_str!("catalog/hubspot.yml"), files: &[] },
    Source { name: "jira", text: include_str!("catalog/jira.yml"), files: &[] },
    Source { name: "magento", text: include_str!("catalog/magento.yml"), files: &[] },
    Source { name: "salesforce", text: include_str!("catalog/salesforce.yml"), files: &[] },
    Source {
        name: "sandbox",
        text: include_str!("catalog/sandbox.yml"),
        files: &[
            ("sandbox/schema.sql", include_str!("catalog/sandbox/schema.sql")),
            ("sandbox/data.sql", include_str!("catalog/sandbox/data.sql")),
        ],
    },
    Source { name: "servicenow", text: include_str!("catalog/servicenow.yml"), files: &[] },
    Source { name: "servicenow_csm", text: include_str!("catalog/servicenow_csm.yml"), files: &[] },
    Source { name: "shopify", text: include_str!("catalog/shopify.yml"), files: &[] },
    Source { name: "woocommerce", text: include_str!("catalog/woocommerce.yml"), files: &[] },
    Source { name: "zendesk", text: include_str!("catalog/zendesk.yml"), files: &[] },
    Source { name: "zoho", text: include_str!("catalog/zoho.yml"), files: &[] },
];

/// Compiles a connector that comes with legwork; none when there is none of that name.
#[must_use]
pub fn built_in(name: &str) -> Option<(Option<Connector>, Vec<Diagnostic>)> {
    let source = BUILT_IN.iter().find(|source| source.name == name)?;
    let texts = |path: &str| {
        let found = source.files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "it is not built in".to_owned())
    };
    Some(compile(name, &File::new(format!("{name}.yml"), source.text), texts, Some(&Formats::new())))
}

/// Compiles the connector `name` of a project with these `formats`, none when they are not known: `file`, which lies in the
/// folder `beside`, where the files that it names are looked for.
#[must_use]
pub fn read(name: &str, file: &Arc<File>, beside: &Path, formats: Option<&Formats>) -> (Option<Connector>, Vec<Diagnostic>) {
    let text_of = |path: &str| {
        std::fs::read_to_string(beside.join(path)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    };
    compile(name, file, text_of, formats)
}

fn compile(
    name: &str,
    file: &Arc<File>,
    text_of: impl Fn(&str) -> Result<String, String>,
    formats: Option<&Formats>,
) -> (Option<Connector>, Vec<Diagnostic>) {
    let tree = match yaml::parse(file) {
        Ok(tree) => tree,
        Err(diagnostic) => return (None, vec![*diagnostic]),
    };
    let mut out = Diagnostics::default();
    if BUILT_IN.iter().any(|source| source.name == name && source.text != file.text) {
        let message = format!("legwork has a connector `{name}` of its own");
        let span = crate::diag::Span::start_of(file);
        out.push(Diagnostic::at(Code::DuplicateName, &span, message).help("give the file another name"));
    }
    let Some(written) = spec::Connector::read(&tree, &mut out) else {
        return (None, out.into_sorted());
    };
    let files: Files = written.files().map(|path| (path.value.clone(), text_of(path.as_str()))).collect();
    let (connector, diagnostics) = compile_connector(name, &written, &Beside { files: &files, formats });
    out.extend(diagnostics);
    let sound = !out.has_errors();
    (connector.filter(|_| sound), out.into_sorted())
}
