//! What a connection is opened from, as a digest: what would be opened from the same again need not be opened anew.

use std::path::Path;

use crate::plan::connector::{Connection, Proxy};
use crate::plan::print;
use crate::secret::Reference;

/// What a connection was opened from: its connector, its settings with their secrets, its rules, and what is in the files that
/// these name. Shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin([u8; 32]);

impl Origin {
    /// Of a connection of the project in that folder, as its files and secrets are now.
    pub(super) fn of(connection: &Connection, folder: &Path) -> Self {
        let (rules, reach) = (&connection.rules, &connection.rules.reach);
        let mut parts = vec![connection.connector.print.to_vec(), format!("{rules:?}").into_bytes()];
        parts.extend(connection.parts());
        let identity = reach.identity.iter().flat_map(|identity| [&identity.file, &identity.key]);
        // One that cannot be read is said when the connection is opened.
        parts.extend(
            reach.authorities.iter().chain(identity).map(|file| std::fs::read(folder.join(file)).unwrap_or_default()),
        );
        let secret = |reference: &Reference| reference.resolve(folder).map(|it| it.expose().into()).unwrap_or_default();
        parts.extend(reach.identity.iter().filter_map(|identity| identity.password.as_ref()).map(secret));
        if let Some(Proxy::Kept(reference)) = &reach.proxy {
            parts.push(secret(reference));
        }
        Self(print(parts.iter().map(Vec::as_slice)))
    }
}
