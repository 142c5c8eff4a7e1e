//! Listens until it is told to stop, then lets running requests finish.
//!
//! Stopping has two steps. First `/health` says 503 while calls are still taken, for as long as a load balancer needs to
//! notice: a call that finds the door shut is lost, because Rasa does not repeat it. Then nothing new is accepted, idle
//! connections are closed, and running requests get their time. Work that goes on after its request was answered has what is
//! left of that time.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::{Draining, Tls};

/// How the server stops.
#[derive(Debug, Clone)]
pub struct Drain {
    /// What `/health` looks at; the same as in [`super::Facts`].
    pub draining: Draining,
    /// How long calls are still taken after `/health` says 503.
    pub notice: Duration,
    /// How long running requests may take after that, and the work that they left behind.
    pub limit: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self { draining: Draining::default(), notice: Duration::ZERO, limit: Duration::from_secs(30) }
    }
}

/// How many bytes of a request are read at once, and how long its head may be. A connection holds that much while its turn
/// waits, of which there may be thousands. Rasa's own action server takes heads of 8 KiB too.
const BUFFER: usize = 8 << 10;

/// How long a client may take over the head of a request.
const HEAD: Duration = Duration::from_secs(15);

/// Serves until `shutdown` resolves and running requests are done, then `settled` too, or their time is over.
///
/// # Errors
/// When the listener does not work.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    drain: Drain,
    shutdown: impl Future<Output = ()>,
    settled: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Handle::<SocketAddr>::new();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    // As a task, so that a connection is served by the thread that took it, and none has to be woken for it.
    let mut listening = AbortOnDropHandle::new(tokio::spawn(listen(server, router, tls)));
    let told = OnceLock::new();
    let stopping = async {
        shutdown.await;
        told.get_or_init(Instant::now);
        tracing::info!(notice = ?drain.notice, limit = ?drain.limit, "stopping: running requests are finished first");
        drain.draining.begin();
        tokio::time::sleep(drain.notice).await;
        handle.graceful_shutdown(Some(drain.limit));
        std::future::pending::<()>().await;
    };
    let served = tokio::select! {
        result = &mut listening => result.unwrap_or_else(|stopped| Err(io::Error::other(stopped))),
        () = stopping => Ok(()),
    };
    let until = *told.get_or_init(Instant::now) + drain.notice + drain.limit;
    if timeout_at(until, settled).await.is_err() {
        tracing::warn!("stopped while work was still under way");
    }
    served
}

async fn listen(server: Server<SocketAddr>, router: Router, tls: Option<Tls>) -> io::Result<()> {
    let service = router.into_make_service();
    // Answers are one small write each; waiting for more to send only delays them.
    let plain = NoDelayAcceptor::new();
    match tls {
        None => server.acceptor(plain).serve(service).await,
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(tls.0)).acceptor(plain);
            server.acceptor(acceptor).serve(service).await
        }
    }
}
