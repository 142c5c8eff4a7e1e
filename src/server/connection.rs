//! One connection: hyper reads its requests and writes its answers, and holds nothing for it while a turn waits.
//!
//! hyper keeps 17 KiB for a connection as long as it serves it, and turns that wait may be thousands. So when a request was
//! read to its end and its answer takes long, the connection is taken back from hyper, and only watched for its end. With the
//! answer it is given to hyper again, with a head in the place of the one that was read, so that the answer is written, and
//! the next request read, as ever. What is answered, and how, is not known here.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, Version, header};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use bytes::{Buf, Bytes};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::Service;
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

use super::Entrance;

/// How long an answer takes before its connection is taken back from hyper: most are there sooner.
const LONG: Duration = Duration::from_millis(50);

/// How many bytes a client may send behind a request whose answer waits, before they are left where they are.
const AHEAD: usize = 64;

type Turn = Pin<Box<RouteFuture<Infallible>>>;

/// In the extensions of a request: is told when the body was read to its end, so that only the answer is missing.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits(Arc<AtomicBool>);

impl Waits {
    /// From now on only the answer is missing.
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What passes between hyper and the connection's own task.
#[derive(Default)]
struct Exchange {
    asked: Option<Asked>,
    answer: Option<Response>,
}

/// A request that is being answered.
struct Asked {
    turn: Turn,
    waits: Waits,
    closes: bool,
}

/// Serves a connection to its end, or to its next answer when `stop` is told.
pub(super) async fn serve<I>(io: I, entrance: Entrance, http: Arc<http1::Builder>, stop: CancellationToken)
where
    I: Read + Write + Unpin,
{
    let exchange = Arc::<Mutex<Exchange>>::default();
    let mut io = Replayed { first: Bytes::new(), io };
    loop {
        let desk = Desk { entrance: entrance.clone(), exchange: Arc::clone(&exchange) };
        let mut connection = Box::new(http.serve_connection(io, desk));
        let Some(Asked { turn, closes, .. }) = talk(&mut connection, &exchange, &stop).await else { return };
        let (mut taken, mut left) = taken_back(connection);
        let Some(answer) = wait(&mut taken, turn, &mut left).await else { return };
        lock(&exchange).answer = Some(answer);
        let head: &[u8] = match closes || stop.is_cancelled() {
            true => b"POST / HTTP/1.1\r\nconnection: close\r\n\r\n",
            false => b"POST / HTTP/1.1\r\n\r\n",
        };
        io = Replayed { first: [head, &left].concat().into(), io: taken };
    }
}

/// The stream, and what was read of it behind the last request; what hyper had for the connection is gone.
#[expect(clippy::boxed_local, reason = "moved out of its box, what hyper had would be copied to the stack first")]
fn taken_back<I: Read + Write + Unpin>(connection: Box<http1::Connection<Replayed<I>, Desk>>) -> (I, Bytes) {
    let parts = connection.into_parts();
    // A copy: even an empty slice of the buffer would keep all of it.
    (parts.io.io, Bytes::copy_from_slice(&parts.read_buf))
}

/// Serves requests until the connection is over, or until the answer to one takes long; that one is given back.
async fn talk<I>(
    connection: &mut http1::Connection<Replayed<I>, Desk>,
    exchange: &Mutex<Exchange>,
    stop: &CancellationToken,
) -> Option<Asked>
where
    I: Read + Write + Unpin,
{
    let mut stopped = pin!(stop.cancelled());
    let mut stopping = false;
    let mut asked: Option<Asked> = None;
    let mut patience: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        loop {
            if Pin::new(&mut *connection).poll(context).is_ready() {
                return Poll::Ready(None);
            }
            // Only now: a connection that has read nothing yet would end without the answer that it was given.
            if !stopping && stopped.as_mut().poll(context).is_ready() {
                stopping = true;
                Pin::new(&mut *connection).graceful_shutdown();
                continue;
            }
            // One after the other: HTTP/1 knows no others.
            asked = asked.take().or_else(|| lock(exchange).asked.take());
            let Some(one) = &mut asked else { return Poll::Pending };
            if let Poll::Ready(Ok(answer)) = one.turn.as_mut().poll(context) {
                lock(exchange).answer = Some(answer);
                (asked, patience) = (None, None);
                continue;
            }
            if !one.waits.begun() {
                return Poll::Pending;
            }
            ready!(patience.get_or_insert_with(|| Box::pin(sleep(LONG))).as_mut().poll(context));
            return Poll::Ready(asked.take());
        }
    })
    .await
}

/// Waits for an answer; none when the client has gone. What it sends meanwhile is added to `left`.
async fn wait<I: Read + Unpin>(io: &mut I, mut turn: Turn, left: &mut Bytes) -> Option<Response> {
    let mut watches = left.is_empty();
    poll_fn(|context| {
        if let Poll::Ready(Ok(answer)) = turn.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        if watches {
            let mut space = [0; AHEAD];
            let mut read = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *io).poll_read(context, read.unfilled())) {
                Ok(()) if !read.filled().is_empty() => {
                    *left = Bytes::copy_from_slice(read.filled());
                    watches = false;
                }
                _ => return Poll::Ready(None),
            }
        }
        Poll::Pending
    })
    .await
}

/// What hyper takes for the service: it leaves the work to the connection's own task, which survives hyper.
struct Desk {
    entrance: Entrance,
    exchange: Arc<Mutex<Exchange>>,
}

impl Service<Request<Incoming>> for Desk {
    type Response = Response;
    type Error = Infallible;
    type Future = Answered;

    fn call(&self, mut request: Request<Incoming>) -> Answered {
        let mut exchange = lock(&self.exchange);
        // With an answer there already, this is the head in the place of the one that was read.
        if exchange.answer.is_none() {
            let waits = Waits::default();
            request.extensions_mut().insert(waits.clone());
            let closes = closes(request.version(), request.headers());
            let turn = Box::pin(tower::Service::call(&mut self.entrance.router(), request));
            exchange.asked = Some(Asked { turn, waits, closes });
        }
        Answered(Arc::clone(&self.exchange))
    }
}

/// Whether the client wants no further answer on this connection.
fn closes(version: Version, headers: &HeaderMap) -> bool {
    let said = |value: &str| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close"));
    version != Version::HTTP_11 || headers.get_all(header::CONNECTION).iter().any(|value| value.to_str().is_ok_and(said))
}

/// The answer, as hyper waits for it. Nothing wakes it: whoever brings the answer polls hyper afterwards.
struct Answered(Arc<Mutex<Exchange>>);

impl Future for Answered {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        lock(&self.0).answer.take().map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer)))
    }
}

fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream of which some bytes come first that were read already, or stand for some that were.
struct Replayed<I> {
    first: Bytes,
    io: I,
}

impl<I: Read + Unpin> Read for Replayed<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.io).poll_read(context, buffer);
        }
        let length = self.first.len().min(buffer.remaining());
        buffer.put_slice(&self.first[..length]);
        self.first.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<I: Write + Unpin> Write for Replayed<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
