//! A vendor for examples and tests: listens on this machine, writes down what it is sent, and answers as it is told.
//!
//! It answers in order, and closes after each answer. It knows no API; whether a request was right is for who looks at it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The longest request that is read.
const LONGEST: usize = 16 << 20;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its method, in capitals.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// What it does when it is asked.
#[derive(Debug, Clone)]
pub(in crate::connector) enum Answers {
    /// Writes these bytes and closes.
    Bytes(Vec<u8>),
    /// Writes these bytes and then nothing more, for as long as the other side waits.
    #[cfg_attr(not(test), expect(dead_code, reason = "examples do not hang"))]
    Stalls(Vec<u8>),
}

impl Answers {
    /// A whole answer with its length.
    pub(in crate::connector) fn whole(status: u16, headers: &[(String, String)], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status} As told\r\nconnection: close\r\n");
        // A 204 has no body, and so no length.
        if status != 204 {
            head += &format!("content-length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

/// A vendor that listens; it stops when it is dropped.
#[derive(Debug)]
pub(in crate::connector) struct Vendor {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<Answers>>>,
    task: JoinHandle<()>,
}

impl Vendor {
    /// Listens on a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub(in crate::connector) async fn open(answers: impl IntoIterator<Item = Answers>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let (writes, left) = (Arc::clone(&seen), Arc::clone(&answers));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&writes), Arc::clone(&left)));
            }
        });
        Ok(Self { address, seen, answers, task })
    }

    /// Where it listens.
    pub(in crate::connector) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was sent so far.
    pub(in crate::connector) fn seen(&self) -> Vec<Seen> {
        locked(&self.seen).clone()
    }

    /// Forgets what it was sent, and answers so from now on.
    #[cfg(test)]
    pub(in crate::connector) fn begin_anew(&self, answers: impl IntoIterator<Item = Answers>) {
        locked(&self.seen).clear();
        *locked(&self.answers) = answers.into_iter().collect();
    }

    /// How many answers nobody asked for.
    pub(in crate::connector) fn left(&self) -> usize {
        locked(&self.answers).len()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>, answers: Arc<Mutex<VecDeque<Answers>>>) {
    let Some(request) = read(&mut stream).await else { return };
    locked(&seen).push(request);
    let answer = locked(&answers).pop_front();
    match answer {
        Some(Answers::Bytes(bytes)) => drop(stream.write_all(&bytes).await),
        Some(Answers::Stalls(bytes)) => {
            let _ = stream.write_all(&bytes).await;
            // Whoever waits gives up first.
            let mut rest = [0; 1];
            while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        }
        // A request that nobody expected: the connection just ends.
        None => tokio::time::sleep(Duration::ZERO).await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 && bytes.len() < LONGEST => bytes.extend_from_slice(buffer.get(..read)?),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let mut lines = head.lines();
    let mut line = lines.next()?.split(' ');
    let (method, target) = (line.next()?.to_owned(), line.next()?.to_owned());
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<_> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let length: usize = length.unwrap_or_default();
    let mut body = bytes.get(end + 4..)?.to_vec();
    while body.len() < length.min(LONGEST) {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => body.extend_from_slice(buffer.get(..read)?),
            _ => return None,
        }
    }
    Some(Seen { method, target, headers, body })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
