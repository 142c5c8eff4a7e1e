//! Listens until it is told to stop, then lets running requests finish.
//!
//! Stopping has two steps. First `/health` says 503 while calls are still taken, for as long as a load balancer needs to
//! notice: a call that finds the door shut is lost, because Rasa does not repeat it. Then nothing new is accepted, idle
//! connections are closed, and running requests get their time. Work that goes on after its request was answered has what is
//! left of that time.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::{Draining, Entrance, connection};
use crate::telemetry::{Crowd, Crowded};

/// How a server is run.
#[derive(Debug, Clone, Default)]
pub struct Serving {
    /// How many connections there may be at the same time; further ones wait until one ends.
    pub connections: Connections,
    /// How it stops.
    pub drain: Drain,
}

/// How many connections there may be at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections(pub usize);

impl Default for Connections {
    fn default() -> Self {
        Self(16 << 10)
    }
}

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

/// How many bytes of a request are read at once, and how long its head may be. Rasa's own action server takes heads of 8 KiB
/// too, and hyper none shorter.
const BUFFER: usize = 8 << 10;

/// How long a client may take over the head of a request, and be quiet before it.
const HEAD: Duration = Duration::from_secs(15);

/// How long a client may take over the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long nothing is taken after that failed.
const FAILED: Duration = Duration::from_millis(50);

/// Serves until `shutdown` resolves and running requests are done, then `settled` too, or their time is over.
///
/// # Errors
/// When the listener does not work.
pub async fn serve(
    listener: TcpListener,
    entrance: Entrance,
    serving: Serving,
    shutdown: impl Future<Output = ()>,
    settled: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let Serving { connections, drain } = serving;
    let house = Arc::new(House::new(entrance));
    // As a task, so that a connection is served by the thread that took it, and none has to be woken for it.
    let mut listening = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&house).listen(listener, connections.0)));
    tokio::select! {
        stopped = &mut listening => match stopped {
            Ok(never) => match never {},
            Err(stopped) => return Err(io::Error::other(stopped)),
        },
        () = shutdown => {}
    }
    let until = Instant::now() + drain.notice + drain.limit;
    tracing::info!(notice = ?drain.notice, limit = ?drain.limit, "stopping: running requests are finished first");
    drain.draining.begin();
    sleep(drain.notice).await;
    drop(listening);
    house.stop.cancel();
    house.running.close();
    if timeout_at(until, house.running.wait()).await.is_err() {
        house.cut.cancel();
        house.running.wait().await;
    }
    if timeout_at(until, settled).await.is_err() {
        tracing::warn!("stopped while work was still under way");
    }
    Ok(())
}

/// What all connections share.
struct House {
    entrance: Entrance,
    http: Arc<http1::Builder>,
    running: TaskTracker,
    /// Told when connections are to end with the answer that they wait for.
    stop: CancellationToken,
    /// Told when they are to end.
    cut: CancellationToken,
}

impl House {
    fn new(entrance: Entrance) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
        let (running, stop, cut) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
        Self { entrance, http: Arc::new(http), running, stop, cut }
    }

    /// Takes connections, as many as there may be.
    async fn listen(self: Arc<Self>, listener: tokio::net::TcpListener, most: usize) -> Infallible {
        let places = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        let crowded = Crowded::new(Crowd::Connections, most);
        loop {
            let place = match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => place,
                Err(_) => {
                    crowded.emit();
                    // Nobody closes them.
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else { continue };
                    place
                }
            };
            match listener.accept().await {
                Ok((stream, _)) => drop(self.running.spawn(self.serve(stream, place))),
                // One that is gone already, or no room for another in the process or the machine.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    sleep(FAILED).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, place: OwnedSemaphorePermit) -> impl Future<Output = ()> + Send + 'static {
        // Answers are one small write each; waiting for more to send only delays them.
        let quick = stream.set_nodelay(true);
        let (entrance, http, stop) = (self.entrance.clone(), Arc::clone(&self.http), self.stop.clone());
        let (tls, cut) = (entrance.tls(), self.cut.clone());
        // In a box of its own: what one kind needs the other has no room for.
        let served = match tls {
            None => connection::serve(TokioIo::new(stream), entrance, http, stop).boxed(),
            Some(tls) => {
                let accepted = timeout(HANDSHAKE, tls.accept(stream)).boxed();
                let served = async move {
                    if let Ok(Ok(stream)) = accepted.await {
                        connection::serve(TokioIo::new(Box::new(stream)), entrance, http, stop).boxed().await;
                    }
                };
                served.boxed()
            }
        };
        async move {
            let _place = place;
            if quick.is_ok() {
                cut.run_until_cancelled(served).await;
            }
        }
    }
}
