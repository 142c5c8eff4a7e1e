//! The door's stack: what every request goes through before a page, and why in this order.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::FutureExt;
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use super::auth::Gate;
use super::reply::Refusal;
use super::request_id::RequestIds;
use super::webhook::webhook;
use super::{Facts, Options, pages, reply};
use crate::engine::{Context, Engine};
use crate::name::{ActionName, CallerName};
use crate::rasa::{Call, Malformed, Reply};
use crate::telemetry::Requests;
use crate::time::Deadline;

/// What the door asks of the engine behind it.
pub trait Answering: Send + Sync + 'static {
    /// Answers a call; refuses one of which a part is not what the protocol says.
    fn run(&self, call: Call, context: Context) -> impl Future<Output = Result<Reply, Malformed>> + Send;

    /// Every action, forms' validators included.
    fn actions(&self) -> Vec<ActionName>;

    /// What operators may know, as an object.
    fn status(&self) -> Value;

    /// The health of the business systems, by `until` at the latest; cheap to ask for as often as one likes.
    fn health(&self, until: Deadline) -> impl Future<Output = Value> + Send;
}

impl Answering for Engine {
    fn run(&self, call: Call, context: Context) -> impl Future<Output = Result<Reply, Malformed>> + Send {
        Self::run(self, call, context)
    }

    fn actions(&self) -> Vec<ActionName> {
        Self::actions(self)
    }

    fn status(&self) -> Value {
        Self::status(self)
    }

    async fn health(&self, until: Deadline) -> Value {
        serde_json::to_value(Self::health(self, until).await).unwrap_or_default()
    }
}

/// What all requests share.
pub(super) struct Door<E> {
    pub(super) engine: Arc<E>,
    pub(super) options: Options,
    pub(super) facts: Facts,
    pub(super) started: Instant,
    pub(super) requests: Requests,
    gate: Gate,
    ids: RequestIds,
}

/// Who a request comes from, once the gate let it in.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) caller: CallerName,
    pub(super) request_id: Arc<str>,
}

#[derive(Clone)]
struct RequestId(Arc<str>);

/// The door: every path, behind every layer.
pub fn router<E: Answering>(engine: Arc<E>, options: Options, facts: Facts) -> Router {
    let gate = Gate::new(options.auth.clone());
    let cors = options.cors.layer();
    let door = Arc::new(Door {
        engine,
        options,
        facts,
        started: Instant::now(),
        requests: Requests::new(),
        gate,
        ids: RequestIds::new(),
    });

    // Whoever asks for the health of a container has no credentials.
    let open = Router::new().route("/health", get(pages::health::<E>));
    // Everything else, pages that do not exist included, takes a visitor, whom only the gate makes.
    let guarded = Router::new()
        .route("/webhook", post(webhook::<E>))
        .route("/webhook/", post(webhook::<E>))
        .route("/actions", get(pages::actions::<E>))
        .route("/metrics", get(pages::metrics::<E>))
        .route("/status", get(pages::status::<E>))
        .route("/status/connections", get(pages::connections::<E>))
        .fallback(pages::no_such_path)
        .method_not_allowed_fallback(pages::wrong_method);
    let pages = guarded.merge(open.method_not_allowed_fallback(pages::method_of_open_page));
    // A browser asks for permission without credentials, so it is answered before the gate.
    let pages = match cors {
        Some(cors) => pages.layer(cors),
        None => pages,
    };
    // Outermost, so that all of the above has a request id and no panic gets past.
    pages.layer(from_fn_with_state(Arc::clone(&door), guard::<E>)).with_state(door)
}

/// Gives the request an id and a span, and answers a panic with 500.
async fn guard<E: Answering>(State(door): State<Arc<Door<E>>>, mut request: Request, next: Next) -> Response {
    let id = door.ids.of(request.headers());
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    // The path without its query, which may hold a token.
    let span = tracing::info_span!("request", request_id = &*id, path = request.uri().path());
    // The state that a panic may leave behind is shared only through locks that recover.
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span).await;
    let mut response = response.unwrap_or_else(|_| reply::bug(&id));
    reply::tag(&mut response, &id);
    response
}

/// Lets callers in who prove themselves: every page that takes a visitor is behind the gate.
impl<E: Answering> FromRequestParts<Arc<Door<E>>> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door<E>>) -> Result<Self, Refusal> {
        let caller = door.gate.caller(&parts.headers, &parts.uri)?;
        let request_id = parts.extensions.get::<RequestId>().map_or_else(|| Arc::from(""), |id| Arc::clone(&id.0));
        Ok(Self { caller, request_id })
    }
}
