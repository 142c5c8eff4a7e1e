//! Inflates bodies, with a cap on what comes out of every layer: a bomb is refused when the cap is reached, and no more than
//! that is ever held.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::reply::Refusal;
use super::room::Room;

/// A way in which a body may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    /// A zlib stream, or a bare deflate stream as some clients send it under the same name.
    Deflate,
}

/// More layers than anybody needs.
const LAYERS: usize = 4;

/// What is inflated on the spot; more is not, because it would keep other requests of the same thread waiting.
const AT_ONCE: usize = 4 << 10;

/// How a body is compressed, in the order in which that was done.
pub(super) fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>, Refusal> {
    let mut encodings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().map_err(|_| Refusal::Encoding)?.split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => encodings.push(Encoding::Gzip),
                "deflate" => encodings.push(Encoding::Deflate),
                _ => return Err(Refusal::Encoding),
            }
        }
    }
    if encodings.len() > LAYERS { Err(Refusal::Encoding) } else { Ok(encodings) }
}

/// The body without its encodings.
pub(super) async fn inflate(body: Bytes, encodings: Vec<Encoding>, limit: usize, room: &Room) -> Result<Bytes, Refusal> {
    if encodings.is_empty() {
        return Ok(body);
    }
    let share = room.inflate().await?;
    inflated(body, encodings, limit).await.map(|body| share.around(body))
}

async fn inflated(body: Bytes, encodings: Vec<Encoding>, limit: usize) -> Result<Bytes, Refusal> {
    if body.len() <= AT_ONCE {
        return inflate_now(body, &encodings, limit);
    }
    let work = tokio::task::spawn_blocking(move || inflate_now(body, &encodings, limit));
    // The work does not panic, and nobody aborts it but a runtime that is going down.
    work.await.unwrap_or(Err(Refusal::Damaged("the server is stopping")))
}

fn inflate_now(body: Bytes, encodings: &[Encoding], limit: usize) -> Result<Bytes, Refusal> {
    let mut hint = body.len().saturating_mul(4).clamp(1024, limit.saturating_add(1));
    let mut source: Box<dyn BufRead> = Box::new(Cursor::new(body));
    for encoding in encodings.iter().rev() {
        source = layer(source, *encoding, limit).map_err(refusal(limit))?;
    }
    let mut out = Vec::with_capacity(hint);
    loop {
        let chunk = source.fill_buf().map_err(refusal(limit))?;
        if chunk.is_empty() {
            return Ok(Bytes::from(out));
        }
        if out.len() + chunk.len() > out.capacity() {
            // Doubling could hold twice the cap.
            hint = hint.saturating_mul(2).min(limit.saturating_add(1));
            out.reserve_exact(hint.max(out.len() + chunk.len()) - out.len());
        }
        out.extend_from_slice(chunk);
        let read = chunk.len();
        source.consume(read);
    }
}

fn layer(mut source: Box<dyn BufRead>, encoding: Encoding, limit: usize) -> io::Result<Box<dyn BufRead>> {
    let decoder: Box<dyn Read> = match encoding {
        Encoding::Gzip => Box::new(MultiGzDecoder::new(source)),
        Encoding::Deflate if begins_with_zlib(source.fill_buf()?) => Box::new(ZlibDecoder::new(source)),
        Encoding::Deflate => Box::new(DeflateDecoder::new(source)),
    };
    Ok(Box::new(BufReader::with_capacity(32 << 10, Capped { inner: decoder, left: limit })))
}

/// A zlib stream begins with method 8 and a checksum of its two first bytes.
fn begins_with_zlib(start: &[u8]) -> bool {
    matches!(start, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// Lets so many bytes through and no more.
struct Capped {
    inner: Box<dyn Read>,
    left: usize,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read).ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(read)
    }
}

fn refusal(limit: usize) -> impl Fn(io::Error) -> Refusal {
    move |error| match error.kind() {
        io::ErrorKind::FileTooLarge => Refusal::TooLarge { limit },
        _ => Refusal::Damaged("the body does not inflate as its content encoding says"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn now(body: Vec<u8>, encodings: &[Encoding], limit: usize) -> Result<Bytes, Refusal> {
        inflate_now(Bytes::from(body), encodings, limit)
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let data = b"hello ".repeat(10_000);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&data).unwrap();
        assert_eq!(now(zlib(&data), &[Encoding::Deflate], 60_000).unwrap(), data);
        assert_eq!(now(raw.finish().unwrap(), &[Encoding::Deflate], 60_000).unwrap(), data);
        assert_eq!(now(gzip(&data), &[Encoding::Gzip], 60_000).unwrap(), data);
        assert_eq!(now(gzip(&zlib(&data)), &[Encoding::Deflate, Encoding::Gzip], 60_000).unwrap(), data);
        let members = [gzip(&data), gzip(&data)].concat();
        assert_eq!(now(members, &[Encoding::Gzip], 120_000).unwrap().len(), 120_000);
    }

    #[test]
    fn one_byte_over_the_cap_is_too_much_in_every_layer() {
        let data = vec![0; 100_000];
        let too_large = Refusal::TooLarge { limit: 99_999 };
        assert_eq!(now(zlib(&data), &[Encoding::Deflate], 99_999), Err(too_large.clone()));
        assert_eq!(now(gzip(&zlib(&data)), &[Encoding::Deflate, Encoding::Gzip], 99_999), Err(too_large));
        // The layer between is the large one here: 100 kB that cannot be compressed.
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..100_000).map(|_| random.u8(..)).collect();
        let between = gzip(&[gzip(b""), noise].concat());
        assert_eq!(
            now(between, &[Encoding::Gzip, Encoding::Gzip], 50_000),
            Err(Refusal::Damaged("the body does not inflate as its content encoding says"))
        );
    }

    #[test]
    fn damage_is_told_from_size() {
        let body = zlib(&b"hello ".repeat(1000));
        for damaged in [body[..body.len() - 6].to_vec(), b"\x78\x9cnonsense".to_vec(), Vec::new(), b"{}".to_vec()] {
            assert!(matches!(now(damaged, &[Encoding::Deflate], 10_000), Err(Refusal::Damaged(_))));
        }
        assert!(matches!(now(b"{}".to_vec(), &[Encoding::Gzip], 10_000), Err(Refusal::Damaged(_))));
    }

    #[test]
    fn encodings_are_read_from_all_headers() {
        let headers =
            |values: &[&str]| values.iter().map(|v| (header::CONTENT_ENCODING, v.parse().unwrap())).collect::<HeaderMap>();
        assert_eq!(encodings(&headers(&["deflate, GZIP", "identity"])), Ok(vec![Encoding::Deflate, Encoding::Gzip]));
        assert_eq!(encodings(&headers(&[])), Ok(vec![]));
        assert_eq!(encodings(&headers(&["br"])), Err(Refusal::Encoding));
        assert_eq!(encodings(&headers(&["gzip, gzip, gzip, gzip, gzip"])), Err(Refusal::Encoding));
    }
}
