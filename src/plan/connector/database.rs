//! Where the database of a connector is, and how it is connected to.
//!
//! An address is a template of settings alone, secrets among them; what it comes to is known only when a connection is opened.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use super::compile::known_names;
use super::{Pool, Setting};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::reading;
use crate::spec::Text;
use crate::spec::connector as spec;
use crate::template::Template;
use crate::time::duration;

/// Enough for a conversational load, and few enough for several replicas on one server.
const SIZE: NonZeroU32 = NonZeroU32::new(8).unwrap();
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// More connections than this to one database are somebody's mistake.
const MOST: u64 = 500;

/// `database`.
pub(super) fn address(written: &spec::Connector, settings: &[Setting], out: &mut Diagnostics) -> Option<Template> {
    let Some(text) = &written.database else {
        let help = "an SQLite file, such as `database: data/shop.db`, `database: \":memory:\"` for one made of `tables`, or \
                    the address of a PostgreSQL server from a setting";
        out.push(Diagnostic::at(Code::MissingKey, &written.kind.span, "`kind: sql` needs the key `database`").help(help));
        return None;
    };
    of_settings(text, settings, out)
}

/// `reads`.
pub(super) fn reads(written: &spec::Connector, settings: &[Setting], out: &mut Diagnostics) -> Option<Template> {
    of_settings(written.reads.as_ref()?, settings, out)
}

/// `pool`.
pub(super) fn pool(written: Option<&spec::Pool>, out: &mut Diagnostics) -> Pool {
    let size = written.and_then(|it| it.size.as_ref()).map(|whole| {
        let size = u32::try_from(whole.value).ok().and_then(NonZeroU32::new);
        size.filter(|_| whole.value <= MOST).unwrap_or_else(|| {
            let message = format!("a pool has from 1 to {MOST} connections");
            out.push(Diagnostic::at(Code::BadValue, &whole.span, message).help("the usual are 8"));
            SIZE
        })
    });
    let mut time = |text: Option<&Text>| {
        let text = text?;
        let read = duration(text.as_str()).and_then(|span| match span.is_zero() {
            true => Err("a time longer than nothing is needed here".to_owned()),
            false => Ok(span),
        });
        read.map_err(|reason| out.push(Diagnostic::at(Code::BadValue, &text.span, reason).help("write it as `5s`"))).ok()
    };
    Pool {
        size: size.unwrap_or(SIZE),
        connect_timeout: time(written.and_then(|it| it.connect_timeout.as_ref())).unwrap_or(CONNECT_TIMEOUT),
        statement_timeout: time(written.and_then(|it| it.statement_timeout.as_ref())),
    }
}

/// Whether `database` may be the address of a PostgreSQL server, whose functions can change something when they are selected.
pub(super) fn may_be_a_server(written: &spec::Connector) -> bool {
    let text = written.database.as_ref().map_or("", |text| text.as_str().trim_start());
    ["postgres://", "postgresql://", "{{"].iter().any(|start| text.starts_with(start))
}

fn of_settings(text: &Text, settings: &[Setting], out: &mut Diagnostics) -> Option<Template> {
    let compiled = reading::template(text, out)?;
    for reference in compiled.references() {
        match reference.path.as_slice() {
            [root, name, ..] if root == "settings" => {
                if !settings.iter().any(|setting| setting.name == *name) {
                    let message = format!("the connector has no setting `{name}`");
                    let known = settings.iter().map(|setting| setting.name.as_str());
                    let span = text.part(reference.range.clone());
                    out.push(Diagnostic::at(Code::UnknownName, &span, message).did_you_mean(name, known));
                }
            }
            _ => known_names(reference, 0, text, &BTreeSet::from(["settings"]), out),
        }
    }
    Some(compiled)
}
