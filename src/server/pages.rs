//! The pages besides the webhook: what load balancers, Rasa's tools and operators ask for.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::layers::{Answering, Door, Visitor};
use super::reply::{self, Refusal};
use crate::time::Deadline;

/// `GET /health`: whether this server takes calls. It does while stores are down, and names them.
pub(super) async fn health<E: Answering>(State(door): State<Arc<Door<E>>>) -> Response {
    if door.facts.draining.is_on() {
        return reply::draining();
    }
    let down = door.engine.stores_down();
    reply::page(&if down.is_empty() { json!({"status": "ok"}) } else { json!({"status": "ok", "down": down}) })
}

/// `GET /actions`: every action, forms' validators included.
pub(super) async fn actions<E: Answering>(State(door): State<Arc<Door<E>>>, _: Visitor) -> Response {
    let names = door.engine.actions(Deadline::after(TESTS)).await;
    reply::page(&names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>())
}

/// `GET /metrics`, for Prometheus.
pub(super) async fn metrics<E: Answering>(State(door): State<Arc<Door<E>>>, _: Visitor) -> Response {
    reply::prometheus(door.facts.metrics.render())
}

/// `GET /status`: which build runs, with which configuration, and what the engine knows.
pub(super) async fn status<E: Answering>(State(door): State<Arc<Door<E>>>, _: Visitor) -> Response {
    let mut page = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "status": if door.facts.draining.is_on() { "draining" } else { "ok" },
        "uptime_seconds": door.started.elapsed().as_secs(),
        "authentication": !door.options.auth.is_empty(),
        "config": door.facts.config,
    });
    if let (Value::Object(page), Value::Object(engine)) = (&mut page, door.engine.status()) {
        page.extend(engine);
    }
    reply::page(&page)
}

/// How long `/status/connections` waits for the tests of connections that run.
const TESTS: Duration = Duration::from_secs(5);

/// `GET /status/connections`: whether each business system answers. It may be polled: a test is at most one call a minute.
pub(super) async fn connections<E: Answering>(State(door): State<Arc<Door<E>>>, _: Visitor) -> Response {
    reply::page(&door.engine.health(Deadline::after(TESTS)).await)
}

/// A path that does not exist.
pub(super) async fn no_such_path(_: Visitor) -> Refusal {
    Refusal::NoSuchPath
}

/// A path that exists, with another method.
pub(super) async fn wrong_method(_: Visitor) -> Refusal {
    Refusal::WrongMethod
}

/// The same of a page that is open to all.
pub(super) async fn method_of_open_page() -> Refusal {
    Refusal::WrongMethod
}
