//! Writes log lines in batches, from a thread of its own.
//!
//! A line costs its caller a copy into a buffer. Waking a thread for every line costs more than a short turn does, so the
//! thread is woken by the first line only, waits a moment for more, and writes them all at once. What a sink does not take
//! in time is dropped and counted rather than kept without a bound.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long lines are gathered.
const GATHER: Duration = Duration::from_millis(20);

/// How many bytes may wait.
const ROOM: usize = 8 << 20;

/// Where lines are put; clones put them into the same place.
#[derive(Clone)]
pub(super) struct Batches(Arc<Shared>);

/// Writes what is still waiting when it is dropped.
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to write to `sink`.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn begin(sink: impl Write + Send + 'static) -> io::Result<(Batches, Worker)> {
    let shared = Arc::new(Shared::default());
    let theirs = Arc::clone(&shared);
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || work(&theirs, sink))?;
    Ok((Batches(Arc::clone(&shared)), Worker { shared, thread: Some(thread) }))
}

fn work(shared: &Shared, mut sink: impl Write) {
    let mut batch = Vec::new();
    loop {
        let mut waiting = shared.lock();
        while waiting.lines.is_empty() && !waiting.over {
            waiting = shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.over {
            let gathered = shared.changed.wait_timeout_while(waiting, GATHER, |waiting| !waiting.over);
            (waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut batch, &mut waiting.lines);
        let (over, dropped) = (waiting.over, std::mem::take(&mut waiting.dropped));
        drop(waiting);
        // A log that cannot be written has nowhere to say so.
        let _ = sink.write_all(&batch);
        if dropped > 0 {
            let _ = writeln!(
                sink,
                "{{\"level\":\"WARN\",\"message\":\"{dropped} log lines were dropped, the log is written too slowly\"}}"
            );
        }
        let _ = sink.flush();
        batch.clear();
        batch.shrink_to(64 << 10);
        if over {
            return;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Write for &Batches {
    /// Takes a whole line, which is how `tracing` writes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock();
        if waiting.lines.len() + line.len() > ROOM {
            waiting.dropped += 1;
            return Ok(line.len());
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if first {
            self.0.changed.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Batches {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_before_the_end() {
        let sink = Sink::default();
        let (batches, worker) = begin(sink.clone()).unwrap();
        for number in 0..1000 {
            writeln!(&batches, "line {number}").unwrap();
        }
        drop(worker);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert!(text.lines().enumerate().all(|(number, line)| line == format!("line {number}")));
        assert_eq!(text.lines().count(), 1000);
    }

    /// A sink that takes nothing until it is let.
    struct Stuck(std::sync::mpsc::Receiver<()>, Sink);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_is_stuck_costs_lines_and_no_more() {
        let (let_go, wait) = std::sync::mpsc::channel();
        let sink = Sink::default();
        let (batches, worker) = begin(Stuck(wait, sink.clone())).unwrap();
        let line = [b'x'; 1 << 20];
        for _ in 0..40 {
            (&batches).write_all(&line).unwrap();
        }
        drop(let_go);
        drop(worker);
        let written = sink.0.lock().unwrap().clone();
        assert!(written.len() <= 2 * ROOM + 200, "{}", written.len());
        assert!(String::from_utf8_lossy(&written).contains("log lines were dropped"));
    }
}
