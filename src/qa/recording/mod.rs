//! Recordings: what a call brought, what the systems answered to it and what Rasa was told, kept in files without the people in
//! it, and run again.
//!
//! A file is one turn ([`Recording`]). What is personal in it is masked before it is written ([`Mask`] says how): the same
//! value is masked the same way wherever it stands, so that a run on masked values goes as the run that was recorded went.
//! Secrets are never written, masked or not. Recording is asked for by who starts the server, and never slows a turn.

mod answer;
mod called;
mod file;
mod folder;
mod mask;
mod recorder;
mod replay;
mod stubs;
mod taken;
mod vocabulary;

pub use called::Called;
pub use file::{Asked, Exchange, Faulted, Recording, Said, StoodIn};
pub use folder::{Folder, read};
pub use mask::Mask;
pub use recorder::{Learned, Recorded, Recorder, Records};
pub use replay::{Replayed, Replays, play, replay};
pub use stubs::stubs;
pub use taken::otherwise;
pub use vocabulary::{Vocabulary, of_everything, of_project};
