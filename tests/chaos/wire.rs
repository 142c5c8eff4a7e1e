//! HTTP/1.1 by hand, for both sides: a whole request read, an answer written as told, a call made on a connection of its own.
//!
//! By hand because answers have to break off in the middle and connections to be reset, which no server offers.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A request that a vendor got.
#[derive(Debug)]
pub struct Asked {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: String,
    /// The header `Idempotency-Key`.
    pub key: Option<String>,
    /// Null where there is none.
    pub body: Value,
}

/// A head: its first line, and its headers with names in lower case.
type Head = (String, Vec<(String, String)>);

/// Reads a head; none at the end of the connection.
async fn head(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Head>> {
    let mut first = String::new();
    if from.read_line(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some((first.trim_end().to_owned(), headers)));
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

/// Reads as many bytes as the headers announce.
async fn body(from: &mut (impl AsyncBufRead + Unpin), headers: &[(String, String)]) -> io::Result<Vec<u8>> {
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).await?;
    Ok(body)
}

/// Reads a request; none at the end of the connection.
pub async fn request(from: &mut BufReader<TcpStream>) -> io::Result<Option<Asked>> {
    let Some((line, headers)) = head(from).await? else { return Ok(None) };
    let body = body(from, &headers).await?;
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = headers.into_iter().find(|(name, _)| name == "idempotency-key").map(|(_, value)| value);
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(Asked { method, path: path.to_owned(), query: query.to_owned(), key, body }))
}

/// What an answer looks like on the wire.
pub fn answer(status: u16, headers: &[(&str, String)], kind: &str, body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} so\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    (text + "\r\n" + body).into_bytes()
}

/// Resets a connection, which the other side can tell from its orderly end.
pub fn reset(stream: TcpStream) {
    // Where it is gone already there is nothing to reset.
    let _ = stream.set_zero_linger();
}

/// Calls an action as Rasa does, on a new connection, and gives the status and the body, null where it is no JSON.
///
/// # Errors
/// When there is no whole answer.
pub async fn call(address: SocketAddr, body_sent: &[u8]) -> io::Result<(u16, Value)> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    let head_sent = format!(
        "POST /webhook HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body_sent.len()
    );
    stream.write_all(head_sent.as_bytes()).await?;
    stream.write_all(body_sent).await?;
    let (line, headers) = head(&mut stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = body(&mut stream, &headers).await?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
