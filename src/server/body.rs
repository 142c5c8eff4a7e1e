//! Reads a request's body whole, under its cap and in its time; the first byte over the cap ends the reading.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use super::reply::Refusal;

/// What is set aside at once for a body that says how long it is; a longer one makes room as it comes.
const SET_ASIDE: usize = 2 << 20;

/// The body, as sent.
pub(super) async fn read(body: Body, limit: usize, time: Duration) -> Result<Bytes, Refusal> {
    // A length that was announced is refused before anything is read.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Refusal::TooLarge { limit });
    }
    tokio::time::timeout(time, collect(body, announced, limit)).await.unwrap_or(Err(Refusal::Slow))
}

async fn collect(mut body: Body, announced: usize, limit: usize) -> Result<Bytes, Refusal> {
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Damaged("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        let so_far = if whole.is_empty() { first.as_ref().map_or(0, Bytes::len) } else { whole.len() };
        if so_far + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        // A body that comes in one piece, as short ones do, is not copied.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            Some(before) => {
                whole.reserve(announced.min(SET_ASIDE).max(before.len() + data.len()));
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&data);
            }
            None => whole.extend_from_slice(&data),
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

/// Whether the body says that it is JSON: `application/json` or `application/…+json`, parameters aside. A body that says
/// nothing is not: a web page can send one to a server on its reader's own machine without asking first.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || (subtype.ends_with("+json") && subtype.len() > 5))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    fn pieces(pieces: &[&'static str]) -> Body {
        Body::from_stream(stream::iter(
            pieces.iter().map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes()))).collect::<Vec<_>>(),
        ))
    }

    #[tokio::test]
    async fn pieces_become_one_body() {
        let time = Duration::from_secs(1);
        assert_eq!(read(pieces(&["ab", "", "c", "def"]), 6, time).await.unwrap(), "abcdef");
        assert_eq!(read(pieces(&["ab"]), 6, time).await.unwrap(), "ab");
        assert_eq!(read(pieces(&[]), 6, time).await.unwrap(), "");
        assert_eq!(read(pieces(&["ab", "c", "defg"]), 6, time).await, Err(Refusal::TooLarge { limit: 6 }));
        assert_eq!(read(Body::from("abcdefg"), 6, time).await, Err(Refusal::TooLarge { limit: 6 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up() {
        let stalled = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert_eq!(read(stalled, 6, Duration::from_secs(30)).await, Err(Refusal::Slow));
    }

    #[test]
    fn json_is_what_says_so() {
        let says = |value: &str| is_json(&[(header::CONTENT_TYPE, value.parse().unwrap())].into_iter().collect());
        for json in
            ["application/json", "Application/JSON; charset=utf-8", "application/vnd.rasa+json", " application/json "]
        {
            assert!(says(json), "{json}");
        }
        for other in
            ["text/plain", "text/json", "application/jsonp", "application/+json", "application/x-www-form-urlencoded", ""]
        {
            assert!(!says(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
