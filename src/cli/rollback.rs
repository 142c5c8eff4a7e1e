//! `legwork rollback`: tells servers to leave the version of the project that is in the files for the one before.

use std::process::ExitCode;

use clap::Args;

use super::outbox::with_store;
use super::{ProjectFlags, print};
use crate::app;
use crate::outbox::tell_go_back;
use crate::time::{Clock as _, SystemClock};

#[derive(Debug, Args)]
pub(super) struct RollbackFlags {
    #[command(flatten)]
    project: ProjectFlags,
}

pub(super) fn run(flags: &RollbackFlags) -> ExitCode {
    with_store(&flags.project, async |project, store| {
        let Some(store) = store.filter(|_| app::keeps(project)) else {
            return Err(
                "this project's servers keep nothing in a store and cannot be told: put the files back as they were, \
                        which servers take within seconds"
                    .to_owned(),
            );
        };
        let version = &project.version;
        tell_go_back(store, version, SystemClock.now()).await.map_err(|error| error.to_string())?;
        print(&format!(
            "servers that took version {version} while they ran go back to the one before within a few seconds, until the files \
             change or they are started again; `/status` and the log of each say so\n"
        ));
        Ok(ExitCode::SUCCESS)
    })
}
