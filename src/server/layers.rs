//! The door's stack: what every request goes through before a page, and why in this order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::Instrument;

use super::auth::Gate;
use super::request_id::RequestIds;
use super::webhook::webhook;
use super::{Facts, Options, pages, reply};
use crate::engine::Engine;
use crate::name::CallerName;

/// What all requests share.
pub(super) struct Door {
    pub(super) engine: Arc<Engine>,
    pub(super) options: Options,
    pub(super) facts: Facts,
    pub(super) started: Instant,
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
pub fn router(engine: Arc<Engine>, options: Options, facts: Facts) -> Router {
    let gate = Gate::new(options.auth.clone());
    let cors = options.cors.layer();
    let door = Arc::new(Door { engine, options, facts, started: Instant::now(), gate, ids: RequestIds::new() });

    // Whoever asks for the health of a container has no credentials.
    let open = Router::new().route("/health", get(pages::health));
    // Everything else, pages that do not exist included, is behind the gate.
    let guarded = Router::new()
        .route("/webhook", post(webhook))
        .route("/webhook/", post(webhook))
        .route("/actions", get(pages::actions))
        .route("/metrics", get(pages::metrics))
        .route("/status", get(pages::status))
        .fallback(pages::no_such_path)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(from_fn_with_state(Arc::clone(&door), authenticate));
    let pages = guarded.merge(open.method_not_allowed_fallback(pages::wrong_method));
    // A browser asks for permission without credentials, so it is answered before the gate.
    let pages = match cors {
        Some(cors) => pages.layer(cors),
        None => pages,
    };
    // Outermost, so that all of the above has a request id and no panic gets past.
    pages.layer(from_fn_with_state(Arc::clone(&door), guard)).with_state(door)
}

/// Gives the request an id and a span, and answers a panic with 500.
async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
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

/// Lets callers in who prove themselves.
async fn authenticate(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    match door.gate.caller(request.headers(), request.uri()) {
        Ok(caller) => {
            let request_id = request.extensions().get::<RequestId>().map_or_else(|| Arc::from(""), |id| Arc::clone(&id.0));
            request.extensions_mut().insert(Visitor { caller, request_id });
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}
