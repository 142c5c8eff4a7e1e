//! Reads a request's body whole, under its cap and in its time; the first byte over the cap ends the reading.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use super::reply::Refusal;
use super::room::{Room, Share};

/// How long nothing of a body may come while it has room that others may wait for.
const STALL: Duration = Duration::from_secs(5);

/// A body that is no longer needs no room but what its connection has anyway.
const SHORT: usize = 8 << 10;

/// The body, as sent. It has its room until nobody looks at it any more.
pub(super) async fn read(body: Body, limit: usize, time: Duration, room: &Room) -> Result<Bytes, Refusal> {
    // A length that was announced is refused before anything is read.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Refusal::TooLarge { limit });
    }
    // All of its room before anything is read: bodies that are read in part and wait for one another would wait for ever.
    let share = if announced > SHORT { Some(room.take(announced).await?) } else { None };
    tokio::time::timeout(time, collect(body, announced, limit, room, share)).await.unwrap_or(Err(Refusal::Slow))
}

async fn collect(
    mut body: Body,
    announced: usize,
    limit: usize,
    room: &Room,
    mut share: Option<Share>,
) -> Result<Bytes, Refusal> {
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(STALL, body.frame()).await.map_err(|_| Refusal::Slow)?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Refusal::Damaged("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        let so_far = if whole.is_empty() { first.as_ref().map_or(0, Bytes::len) } else { whole.len() };
        if so_far + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        // One that does not say how long it is gets more room as it comes.
        let has = share.as_ref().map_or(SHORT, Share::bytes);
        if so_far + data.len() > has {
            let more = room.take(has.min(limit.saturating_sub(has)).max(data.len())).await?;
            match &mut share {
                Some(share) => share.grow(more),
                None => share = Some(more),
            }
        }
        // A body that comes in one piece, as short ones do, is not copied.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            Some(before) => {
                whole.reserve(announced.max(before.len() + data.len()));
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&data);
            }
            None => whole.extend_from_slice(&data),
        }
    }
    let body = first.unwrap_or_else(|| whole.freeze());
    Ok(match share {
        Some(share) => share.around(body),
        None => body,
    })
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

    async fn within(body: Body, limit: usize, room: &Room) -> Result<Bytes, Refusal> {
        read(body, limit, Duration::from_secs(30), room).await
    }

    #[tokio::test]
    async fn pieces_become_one_body() {
        let room = Room::new(6);
        assert_eq!(within(pieces(&["ab", "", "c", "def"]), 6, &room).await.unwrap(), "abcdef");
        assert_eq!(within(pieces(&["ab"]), 6, &room).await.unwrap(), "ab");
        assert_eq!(within(pieces(&[]), 6, &room).await.unwrap(), "");
        assert_eq!(within(pieces(&["ab", "c", "defg"]), 6, &room).await, Err(Refusal::TooLarge { limit: 6 }));
        assert_eq!(within(Body::from("abcdefg"), 6, &room).await, Err(Refusal::TooLarge { limit: 6 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up() {
        let stalled = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert_eq!(within(stalled(), 6, &Room::new(6)).await, Err(Refusal::Slow));
        let begun = tokio::time::Instant::now();
        let dripping = stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_secs(4)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
        });
        assert_eq!(within(Body::from_stream(dripping), 60, &Room::new(60)).await, Err(Refusal::Slow));
        assert_eq!(begun.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_held_as_far_as_there_is_room() {
        let (large, room) = (vec![b' '; 20 << 20], Room::new(20 << 20));
        let first = within(Body::from(large.clone()), 20 << 20, &room).await.unwrap();
        assert_eq!(within(Body::from(large.clone()), 20 << 20, &room).await, Err(Refusal::NoRoom));
        // One that does not say its length, as it comes.
        let piece = Bytes::from(vec![b' '; 1 << 20]);
        let unsaid = || Body::from_stream(stream::iter(vec![Ok::<_, Infallible>(piece.clone()); 20]));
        assert_eq!(within(unsaid(), 20 << 20, &room).await, Err(Refusal::NoRoom));
        // A short one needs none.
        assert_eq!(within(Body::from("{}"), 20 << 20, &room).await.unwrap(), "{}");
        drop(first);
        assert_eq!(within(unsaid(), 20 << 20, &room).await.unwrap(), large);
        assert_eq!(within(Body::from(large.clone()), 20 << 20, &room).await.unwrap(), large);
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
