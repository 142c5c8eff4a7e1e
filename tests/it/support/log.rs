//! The log of this process, as JSON lines, for tests to look into.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static LINES: Mutex<String> = Mutex::new(String::new());
static BEGUN: OnceLock<()> = OnceLock::new();

#[derive(Clone, Copy)]
struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Keep {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Begins to keep every line of every level.
pub fn begin() {
    BEGUN.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(tracing::Level::TRACE);
        subscriber.with_writer(Keep).init();
        // Both hooks: the one under test, and the one that shows a failed assertion.
        let shown = std::panic::take_hook();
        legwork::telemetry::report_panics();
        let reported = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            reported(info);
            shown(info);
        }));
    });
}

/// The lines that hold this text.
pub fn lines_about(text: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}
