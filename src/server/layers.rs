//! The door's stack: what every request goes through before a page, and why in this order.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{Route, get, post};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;
use tower::Service;
use tower::layer::layer_fn;
use tracing::Instrument;

use super::auth::Gate;
use super::reply::Refusal;
use super::request_id::RequestIds;
use super::room::Room;
use super::webhook::webhook;
use super::{Facts, Options, pages, reply};
use crate::engine::{self, Engine};
use crate::name::CallerName;
use crate::rasa::{Call, Malformed, Reply};
use crate::telemetry::Requests;
use crate::time::Deadline;

/// What the door asks of the engine behind it.
pub trait Answering: Send + Sync + 'static {
    /// Answers a call; refuses one of which a part is not what the protocol says.
    fn run(&self, call: Call, context: engine::Context) -> impl Future<Output = Result<Reply, Malformed>> + Send;

    /// Every action, forms' validators included.
    fn actions(&self, until: Deadline) -> impl Future<Output = Vec<String>> + Send;

    /// What operators may know, as an object.
    fn status(&self) -> Value;

    /// The names of the stores that are down.
    fn stores_down(&self) -> Vec<&'static str>;

    /// The health of the business systems, by `until` at the latest; cheap to ask for as often as one likes.
    fn health(&self, until: Deadline) -> impl Future<Output = Value> + Send;
}

impl Answering for Engine {
    fn run(&self, call: Call, context: engine::Context) -> impl Future<Output = Result<Reply, Malformed>> + Send {
        Self::run(self, call, context)
    }

    fn actions(&self, until: Deadline) -> impl Future<Output = Vec<String>> + Send {
        Self::actions(self, until)
    }

    fn status(&self) -> Value {
        Self::status(self)
    }

    fn stores_down(&self) -> Vec<&'static str> {
        self.stores().iter().filter(|store| !store.is_up()).map(|store| store.name).collect()
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
    pub(super) room: Room,
    gate: Gate,
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
    let room = Room::new(options.body_limit);
    let door = Arc::new(Door { engine, options, facts, started: Instant::now(), requests: Requests::new(), room, gate });

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
    let ids = Arc::new(RequestIds::new());
    pages.layer(layer_fn(move |inner| Guarded { ids: Arc::clone(&ids), inner })).with_state(door)
}

/// Gives every request an id and a span, and answers a panic with 500.
#[derive(Clone)]
struct Guarded {
    ids: Arc<RequestIds>,
    inner: Route,
}

impl Service<Request> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let id = self.ids.of(request.headers());
        request.extensions_mut().insert(RequestId(Arc::clone(&id)));
        // The path without its query, which may hold a token.
        let span = tracing::info_span!("request", request_id = &*id, path = request.uri().path());
        // The state that a panic may leave behind is shared only through locks that recover.
        let response = AssertUnwindSafe(self.inner.call(request)).catch_unwind().instrument(span);
        let guarded = async move {
            let mut response = match response.await {
                Ok(Ok(response)) => response,
                Err(_) => reply::bug(&id),
            };
            reply::tag(&mut response, &id);
            Ok(response)
        };
        guarded.boxed()
    }
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
