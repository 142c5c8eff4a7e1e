//! Tests of one connection, over a pair of pipes and in paused time: what it does while an answer takes long.

use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

/// What the turns of a test are made of.
#[derive(Default)]
struct Turns {
    release: Notify,
    begun: AtomicUsize,
    given_up: AtomicUsize,
}

struct Running(Arc<Turns>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.given_up.fetch_add(1, Ordering::SeqCst);
    }
}

/// Reads the body, and answers it when it is let.
async fn late(State(turns): State<Arc<Turns>>, request: Request) -> Vec<u8> {
    let running = Running(Arc::clone(&turns));
    turns.begun.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    parts.extensions.get::<Waits>().unwrap().begin();
    turns.release.notified().await;
    std::mem::forget(running);
    body.to_vec()
}

/// A stream that notes how much its reader asks for at once.
struct Noted(TokioIo<DuplexStream>, Arc<AtomicUsize>);

impl Read for Noted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.1.store(buffer.remaining(), Ordering::SeqCst);
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Noted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A client, and the connection that serves it.
struct Line {
    client: DuplexStream,
    turns: Arc<Turns>,
    asked_for: Arc<AtomicUsize>,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Line {
    fn open() -> Self {
        let (client, server) = duplex(64 << 10);
        let (turns, asked_for, stop) = (Arc::<Turns>::default(), Arc::<AtomicUsize>::default(), CancellationToken::new());
        let router = Router::new().route("/late", post(late)).route("/now", post(async |body: String| body));
        let router = router.with_state(Arc::clone(&turns));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(15));
        let io = Noted(TokioIo::new(server), Arc::clone(&asked_for));
        let served = tokio::spawn(serve(io, router.into(), Arc::new(http), stop.clone()));
        Self { client, turns, asked_for, stop, served }
    }

    async fn send(&mut self, line: &str, headers: &str, body: &str) {
        let request = format!("POST {line}\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        self.client.write_all(request.as_bytes()).await.unwrap();
    }

    /// Waits until the connection waits for an answer by itself.
    async fn taken_back(&self) {
        tokio::time::sleep(LONG * 2).await;
        assert_eq!(self.asked_for.load(Ordering::SeqCst), AHEAD, "hyper still reads");
    }

    /// The head and the body of the next answer.
    async fn answer(&mut self) -> (String, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.client.read_exact(&mut body).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    /// Reads to the end of the connection, which has to come.
    async fn end(mut self) {
        assert_eq!(self.client.read(&mut [0]).await.unwrap(), 0);
        self.served.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_comes_as_any_other_and_the_connection_goes_on() {
    let mut line = Line::open();
    for round in 0..3 {
        line.send("/late HTTP/1.1", "", &format!("first {round}")).await;
        line.taken_back().await;
        line.turns.release.notify_one();
        let (head, body) = line.answer().await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\ndate: "), "{head}");
        assert!(!head.contains("connection: close"), "{head}");
        assert_eq!(body, format!("first {round}"));
        line.send("/now HTTP/1.1", "", "second").await;
        assert_eq!(line.answer().await.1, "second");
    }
    assert_eq!(line.turns.given_up.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_ahead_is_kept() {
    let mut line = Line::open();
    line.send("/late HTTP/1.1", "", "one").await;
    line.taken_back().await;
    line.send("/late HTTP/1.1", "", &"two".repeat(100)).await;
    tokio::time::sleep(LONG).await;
    line.turns.release.notify_one();
    assert_eq!(line.answer().await.1, "one");
    line.turns.release.notify_one();
    assert_eq!(line.answer().await.1, "two".repeat(100));
    // All at once.
    line.send("/late HTTP/1.1", "", "three").await;
    line.send("/now HTTP/1.1", "", "four").await;
    tokio::time::sleep(LONG * 2).await;
    line.turns.release.notify_one();
    assert_eq!((line.answer().await.1, line.answer().await.1), ("three".to_owned(), "four".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_ends_its_turn() {
    let mut line = Line::open();
    line.send("/late HTTP/1.1", "", "one").await;
    line.taken_back().await;
    assert_eq!(line.turns.given_up.load(Ordering::SeqCst), 0);
    drop(line.client);
    line.served.await.unwrap();
    assert_eq!((line.turns.begun.load(Ordering::SeqCst), line.turns.given_up.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_connection_ends_with_the_answer_where_that_was_asked_for() {
    for (version, headers, stops) in
        [("HTTP/1.1", "connection: close\r\n", false), ("HTTP/1.0", "", false), ("HTTP/1.1", "", true)]
    {
        let mut line = Line::open();
        line.send(&format!("/late {version}"), headers, "one").await;
        line.taken_back().await;
        if stops {
            line.stop.cancel();
        }
        line.turns.release.notify_one();
        let (head, body) = line.answer().await;
        assert!(head.contains("connection: close"), "{head}");
        assert_eq!(body, "one");
        line.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn hyper_keeps_what_is_answered_soon_and_what_is_still_read() {
    let mut line = Line::open();
    line.send("/late HTTP/1.1", "", "one").await;
    tokio::time::sleep(LONG / 2).await;
    assert!(line.asked_for.load(Ordering::SeqCst) > AHEAD);
    line.turns.release.notify_one();
    assert_eq!(line.answer().await.1, "one");
    line.client.write_all(b"POST /late HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\ntw").await.unwrap();
    tokio::time::sleep(LONG * 4).await;
    assert!(line.asked_for.load(Ordering::SeqCst) > AHEAD);
    line.client.write_all(b"o").await.unwrap();
    line.turns.release.notify_one();
    assert_eq!(line.answer().await.1, "two");
    // Nothing for a while is no request, and a request that was begun and stopped is none either.
    line.end().await;
}
