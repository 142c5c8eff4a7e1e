//! Bodies of every encoding and size: what fits is read, what is too large is refused before it is held.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::support::{Exchange, House, call, connect};

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_known_encoding_is_undone() {
    let house = House::open();
    let body = call("action_echo", json!({"say": "ü".repeat(20_000)}));
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
    bare.write_all(&body).unwrap();
    for (encoding, sent) in [
        ("identity", body.clone()),
        ("deflate", zlib(&body)),
        ("deflate", bare.finish().unwrap()),
        ("gzip", gzip(&body)),
        ("Deflate, GZip", gzip(&zlib(&body))),
    ] {
        let exchange = house.post_with(&[&format!("content-encoding: {encoding}")], sent).await;
        assert_eq!(exchange.texts()[0].chars().count(), 20_000, "{encoding}");
    }
}

#[tokio::test]
async fn unknown_encodings_are_refused() {
    let house = House::open();
    for encoding in ["br", "zstd", "gzip, br", "gzip, gzip, gzip, gzip, gzip"] {
        let exchange = house.post_with(&[&format!("content-encoding: {encoding}")], "x").await;
        assert_eq!(exchange.status, 415, "{encoding}");
        assert_eq!(exchange.header("accept-encoding"), Some("gzip, deflate, identity"));
    }
}

#[tokio::test]
async fn a_body_that_does_not_inflate_is_refused() {
    let house = House::open();
    let whole = zlib(&call("action_echo", json!({})));
    for damaged in [&whole[..whole.len() - 8], b"{}", b"\x78\x9c\xff\xff"] {
        assert_eq!(house.post_with(&["content-encoding: deflate"], damaged).await.status, 422);
    }
}

/// As Rasa sends it with `COMPRESS_ACTION_SERVER_REQUEST`: a zlib stream in chunks.
#[tokio::test]
async fn deflate_comes_in_chunks() {
    let house = House::open();
    let mut stream = connect(house.address).await;
    let head = "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: deflate\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in zlib(&call("action_echo", json!({"say": "hello"}))).chunks(10) {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
        stream.write_all(piece).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let exchange = Exchange::read(&mut stream).await;
    assert!(exchange.body.contains("hello"), "{exchange:?}");
}

#[tokio::test]
async fn thirty_megabytes_are_refused_before_they_are_sent() {
    let house = House::open();
    let mut stream = connect(house.address).await;
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        30 << 20
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let exchange = Exchange::read(&mut stream).await;
    assert_eq!((exchange.status, exchange.header("connection")), (413, Some("close")));
    assert_eq!(exchange.json()["error"], format!("the body is larger than {} bytes", 20 << 20));
}

#[tokio::test]
async fn thirty_megabytes_without_a_length_are_refused_on_the_way() {
    let house = House::open();
    let stream = connect(house.address).await;
    let (mut reader, mut writer) = stream.into_split();
    let head = "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    writer.write_all(head.as_bytes()).await.unwrap();
    let writing = tokio::spawn(async move {
        let chunk = [b"100000\r\n".to_vec(), vec![b' '; 1 << 20], b"\r\n".to_vec()].concat();
        let mut sent = 0;
        while sent < 30 && writer.write_all(&chunk).await.is_ok() {
            sent += 1;
        }
        sent
    });
    let mut bytes = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut bytes).await;
    assert!(String::from_utf8_lossy(&bytes).starts_with("HTTP/1.1 413"), "{:?}", String::from_utf8_lossy(&bytes));
    assert!(writing.await.unwrap() >= 20);
    assert_eq!(house.engine.calls.load(std::sync::atomic::Ordering::SeqCst), 0);
}

/// Deflate of deflate of five gigabytes of blanks, made without compressing as much: a megabyte's block, five thousand times.
fn bomb() -> Vec<u8> {
    let mut encoder = flate2::Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(64 << 10);
    encoder.compress_vec(&vec![b' '; 1 << 20], &mut block, flate2::FlushCompress::Full).unwrap();
    let block = block.repeat(5000);
    zlib(&zlib(&block))
}

#[tokio::test]
async fn a_bomb_is_refused_with_little_memory() {
    let house = House::open();
    let bomb = bomb();
    assert!(bomb.len() < 4096, "{} bytes", bomb.len());
    let before = peak_memory();
    let exchange = house.post_with(&["content-encoding: deflate, deflate, deflate"], bomb).await;
    assert_eq!(exchange.status, 413);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        // The cap is 20 MiB; other tests of this process have theirs as well.
        assert!(after - before < 200 << 10, "{before} kB, then {after} kB");
    }
}

/// The most memory this process ever had, in kilobytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}
