//! Where log lines go and how they look. It knows levels as directives of `tracing`, not the flags that choose them.
//!
//! Lines are written by a thread of their own: a slow terminal or disk never slows a turn.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::path::PathBuf;

use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::lines::Lines;
use super::writer::{self, Batches, Worker};

/// How lines on stderr look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people when stderr is a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Human,
}

/// What is logged, and where to besides stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Directives of `tracing`, such as `error,legwork=info`.
    pub filter: String,
    /// How lines on stderr look.
    pub format: Format,
    /// A file that gets every line as JSON, appended.
    pub file: Option<PathBuf>,
}

/// Writes what is still waiting when it is dropped; to be held until the process ends.
#[must_use]
pub struct Guard(#[expect(dead_code, reason = "it is held for its Drop")] Vec<Worker>);

impl Logging {
    /// Begins to log, for the whole process.
    ///
    /// # Errors
    /// When a directive cannot be read, the file cannot be opened, or the process logs already.
    pub fn init(&self) -> Result<Guard, String> {
        let filter =
            EnvFilter::try_new(&self.filter).map_err(|error| format!("`{}` is not a log filter: {error}", self.filter))?;
        let (stderr, guard) = writer::begin(std::io::stderr()).map_err(|error| no_thread(&error))?;
        let mut guards = vec![guard];
        let human = match self.format {
            Format::Auto => std::io::stderr().is_terminal(),
            Format::Json => false,
            Format::Human => true,
        };
        let mut layers = vec![if human { for_people(stderr) } else { Lines(stderr).boxed() }];
        if let Some(path) = &self.file {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let file = file.map_err(|error| format!("the log file {} cannot be opened: {error}", path.display()))?;
            let (file, guard) = writer::begin(file).map_err(|error| no_thread(&error))?;
            guards.push(guard);
            layers.push(Lines(file).boxed());
        }
        let subscriber = tracing_subscriber::registry().with(layers).with(filter);
        subscriber.try_init().map_err(|_| "this process logs already".to_owned())?;
        Ok(Guard(guards))
    }
}

fn no_thread(error: &std::io::Error) -> String {
    format!("the log gets no thread: {error}")
}

fn for_people<S: Subscriber + for<'a> LookupSpan<'a>>(writer: Batches) -> Box<dyn Layer<S> + Send + Sync> {
    tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_writer(writer)
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_said() {
        let logging = Logging { filter: "legwork=loud".into(), format: Format::Json, file: None };
        assert!(logging.init().err().unwrap().contains("not a log filter"));
        let logging = Logging { filter: "info".into(), format: Format::Json, file: Some("/no/such/folder/x.log".into()) };
        assert!(logging.init().err().unwrap().contains("/no/such/folder/x.log cannot be opened"));
    }
}
