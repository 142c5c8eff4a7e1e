//! How much room a server has: turns and connections at the same time, as far as the files go that its process may open.
//!
//! Every connection is an open file, those to business systems included. A process that has none left takes no calls and
//! reaches no system, so connections end where files would, and turns somewhat before, that those beyond can be told so.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::plan::Project;
use crate::plan::connector::System;

/// How many turns at the same time where nothing else is said: at some 14 KiB each they fit into 256 MiB with everything else.
const TURNS: usize = 12_000;

/// Files beside connections: databases, logs, what the process itself needs.
const FILES: usize = 64;

/// As many as anybody needs, where the machine knows no bound.
const MOST: u64 = 1 << 20;

/// How much there may be at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Turns; further ones are refused with words for the user.
    pub turns: usize,
    /// Connections of callers; further ones wait.
    pub connections: usize,
    /// What the project asks for and is not there, and what to do.
    pub lacking: Option<String>,
}

/// How much room a project's server has in this process.
#[must_use]
pub fn room(project: &Project) -> Room {
    let sockets = project.wires.iter().map(|wire| match &wire.connector.system {
        System::Sql(system) => system.pool.size.get(),
        System::Http(system) => wire.rules.patience.concurrent.unwrap_or(system.limits.concurrent).get(),
    });
    let sockets = sockets.map(|most| usize::try_from(most).unwrap_or(usize::MAX)).fold(0, usize::saturating_add);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(MOST);
    of(usize::try_from(files).unwrap_or(usize::MAX), sockets, project.settings.server.turns)
}

/// Lets this process open as many files as it may at most, as servers do: what a shell allows is meant for programs that open
/// few. Where that does not work, it is as before.
pub fn open_more_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.unwrap_or(MOST).min(MOST);
    if current.is_some_and(|current| current < most) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum });
    }
}

fn of(files: usize, sockets: usize, wanted: Option<usize>) -> Room {
    // Systems that are asked much more than that at once are the ones to have less.
    let spare = sockets.saturating_add(FILES).min(files / 2);
    let most = (files - spare).max(1);
    let turns = wanted.unwrap_or(TURNS);
    // A connection that is no turn's reads its request, or is told that there is no room.
    let connections = turns.saturating_add(turns / 4).saturating_add(256).min(most);
    let fitting = (most - most / 5).max(1);
    let lacking = wanted.filter(|wanted| *wanted > fitting).map(|wanted| {
        format!(
            "`server.turns` is {wanted}, but with the {files} files that this process may open there is room for {fitting} \
             turns at the same time: raise the limit (`ulimit -n`, `LimitNOFILE=` of systemd, `ulimits` of a container)"
        )
    });
    Room { turns: turns.min(fitting), connections, lacking }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_fit_into_the_files_that_there_are() {
        let room = |files, sockets, wanted| {
            let Room { turns, connections, lacking } = of(files, sockets, wanted);
            assert!(turns < connections || files < 4, "there is room to say that there is none: {turns} of {connections}");
            assert!(connections <= files);
            (turns, connections, lacking.is_some())
        };
        assert_eq!(room(1 << 20, 32, None), (12_000, 15_256, false));
        assert_eq!(room(1024, 32, None), (743, 928, false));
        assert_eq!(room(1024, 32, Some(500)), (500, 881, false));
        assert_eq!(room(1024, 32, Some(5000)), (743, 928, true));
        assert_eq!(room(1024, usize::MAX, None), (410, 512, false));
        assert_eq!(room(1 << 20, 32, Some(50_000)), (50_000, 62_756, false));
        assert_eq!(room(1, 0, None), (1, 1, false));
    }

    #[test]
    fn as_many_files_as_may_be_are_allowed() {
        open_more_files();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert!(current >= Some(maximum.unwrap_or(0).min(1024)), "{current:?} of {maximum:?}");
    }
}
