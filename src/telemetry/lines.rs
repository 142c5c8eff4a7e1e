//! Log lines as JSON, one object a line: time, level, message, the line's fields, target, and the request's span.
//!
//! `tracing-subscriber`'s own JSON format parses a span's fields again for every line, which was an eighth of a short turn's
//! time; here they are written once, when the span begins, so a field that a span gets later is not shown. A field's value
//! is data: it never breaks out of its string.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::io::Write;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::writer::Batches;

/// The layer that writes lines.
pub(super) struct Lines(pub(super) Batches);

/// A span's or an event's fields as a piece of JSON: `,"key":value` for each, and the message apart.
#[derive(Default)]
struct Fields {
    json: Vec<u8>,
    message: Vec<u8>,
}

thread_local! {
    /// The line being written; kept, so that a line costs no memory of its own.
    static LINE: RefCell<(Fields, Vec<u8>)> = RefCell::default();
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        // Two layers, one for each place that lines go to, share what was written.
        if extensions.get_mut::<Fields>().is_none() {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            extensions.insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        LINE.with_borrow_mut(|(fields, line)| {
            fields.json.clear();
            fields.message.clear();
            line.clear();
            event.record(fields);
            line.extend_from_slice(b"{\"timestamp\":\"");
            let mut time = String::with_capacity(32);
            if SystemTime.format_time(&mut Writer::new(&mut time)).is_ok() {
                line.extend_from_slice(time.as_bytes());
            }
            let metadata = event.metadata();
            let _ = write!(line, "\",\"level\":\"{}\"", metadata.level());
            if !fields.message.is_empty() {
                line.extend_from_slice(b",\"message\":");
                line.extend_from_slice(&fields.message);
            }
            line.extend_from_slice(&fields.json);
            let _ = write!(line, ",\"target\":\"{}\"", metadata.target());
            if let Some(span) = context.event_span(event) {
                let _ = write!(line, ",\"span\":{{\"name\":\"{}\"", span.name());
                if let Some(fields) = span.extensions().get::<Fields>() {
                    line.extend_from_slice(&fields.json);
                }
                line.push(b'}');
            }
            line.extend_from_slice(b"}\n");
            let _ = (&self.0).write_all(line);
        });
    }
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Vec<u8>)) {
        if field.name() == "message" {
            self.message.clear();
            value(&mut self.message);
            return;
        }
        let _ = write!(self.json, ",\"{}\":", field.name().trim_start_matches("r#"));
        value(&mut self.json);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, |json| text(value, json));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |json| drop(write!(json, "{value}")));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |json| drop(write!(json, "{value}")));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |json| drop(write!(json, "{value}")));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // Not a number and the infinities have no form in JSON.
        self.put(
            field,
            |json| if value.is_finite() { drop(write!(json, "{value}")) } else { json.extend_from_slice(b"null") },
        );
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, |json| text(&format_args!("{value:?}").to_string(), json));
    }
}

/// A text as JSON writes it.
fn text(value: &str, json: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(json, value);
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::super::writer;
    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let sink = Sink::default();
        let (batches, worker) = writer::begin(sink.clone()).unwrap();
        let subscriber = tracing_subscriber::registry().with(Lines(batches.clone())).with(Lines(batches));
        tracing::subscriber::with_default(subscriber, log);
        drop(worker);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_one_object_whatever_is_in_it() {
        let found = lines(|| {
            let span = tracing::info_span!("request", request_id = "a\"b\nc", path = "/webhook");
            let _entered = span.enter();
            tracing::warn!(count = 3, share = 0.5, no = f64::NAN, yes = true, who = ?Some("x"), "two\nlines \"quoted\"");
        });
        // Two layers wrote it: the fields of the span stand in each line once.
        assert_eq!(found.len(), 2);
        assert_eq!(found[0]["message"], "two\nlines \"quoted\"");
        assert_eq!(found[0]["level"], "WARN");
        let fields = ["count", "share", "no", "yes", "who"].map(|key| found[0][key].clone());
        assert_eq!(fields, [json!(3), json!(0.5), Value::Null, json!(true), json!("Some(\"x\")")]);
        assert_eq!(found[1]["span"], json!({ "name": "request", "request_id": "a\"b\nc", "path": "/webhook" }));
        assert!(found[0]["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_line_outside_of_a_request_has_no_span() {
        let found = lines(|| tracing::info!("alone"));
        assert!(found[0].get("span").is_none());
    }
}
