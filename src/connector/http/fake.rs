//! A vendor for tests: answers on a real socket whatever it is told to, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{ClientOptions, HeaderMap, Url};

/// A request as it came.
#[derive(Debug, Clone)]
pub(in crate::connector) struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub(in crate::connector) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A field of a form.
    pub(in crate::connector) fn field(&self, name: &str) -> Option<String> {
        let url = Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What is written back, byte by byte; the connection ends behind it.
pub(in crate::connector) type Reply = Vec<u8>;

/// An answer with these header lines.
pub(in crate::connector) fn reply(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n{lines}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An answer in JSON.
pub(in crate::connector) fn json(status: u16, body: &serde_json::Value) -> Reply {
    reply(status, &["content-type: application/json"], body.to_string())
}

/// What a client needs to talk to it. It trusts one authority, since reading the machine's takes longer than most tests.
pub(in crate::connector) fn options() -> ClientOptions {
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/authority.pem");
    let allow_private = vec!["127.0.0.1".to_owned()];
    ClientOptions { allow_private, authorities: Some(authority.into()), ..ClientOptions::default() }
}

/// The vendor. It goes when it is dropped.
pub(in crate::connector) struct Fake {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Fake {
    /// Answers each request by `answer`, all at the same time.
    pub(in crate::connector) async fn answering(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |seen| std::future::ready(answer(&seen)).boxed()).await
    }

    /// Answers each request when `answer` is ready.
    pub(in crate::connector) async fn start(
        answer: impl Fn(Seen) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                tokio::spawn(async move {
                    let Some(request) = read(&mut stream).await else { return };
                    noted.lock().unwrap().push(request.clone());
                    let reply = answer(request).await;
                    let _ = stream.write_all(&reply).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { address, seen, task }
    }

    /// A url of the vendor.
    pub(in crate::connector) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// What it was asked so far.
    pub(in crate::connector) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.append(super::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let length: usize = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[head + 4..head + 4 + length].to_vec()).unwrap();
    Some(Seen { method, target, headers, body })
}
