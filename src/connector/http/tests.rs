//! The client against vendors that behave badly, and addresses that must not be reached.

mod reach;
mod tls;

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::fake::{Fake, reply};
use super::*;
use crate::fault::{Fault, Outcome};
use crate::secret::Secret;
use crate::time::Deadline;

fn client(options: &ClientOptions) -> Client {
    Client::new(options).unwrap()
}

/// A client that may talk to this machine.
fn local() -> Client {
    client(&fake::options())
}

fn get(url: Url) -> Outgoing {
    Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: None }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

async fn fails(client: &Client, url: Url) -> Fault {
    client.send(get(url), soon()).await.unwrap_err()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_the_answer_comes_back_whole() {
    let fake = Fake::answering(|_| reply(418, &["x-left: 7"], "short and stout")).await;
    let mut headers = HeaderMap::new();
    headers.insert("x-asked", HeaderValue::from_static("yes"));
    let body = Some(Bytes::from("{\"a\":1}"));
    let request = Outgoing { method: Method::POST, url: fake.url("/a%20b?q=1%202"), headers, body };
    let answer = local().send(request, soon()).await.unwrap();
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.headers.get("x-left").unwrap(), "7");
    assert_eq!(answer.body, "short and stout");
    let [seen] = fake.seen().try_into().unwrap();
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.body.as_str()), ("POST", "/a%20b?q=1%202", "{\"a\":1}"));
    assert_eq!(seen.header("x-asked"), "yes");
    assert_eq!(seen.header("user-agent"), concat!("legwork/", env!("CARGO_PKG_VERSION")));
    assert_eq!(seen.header("accept-encoding"), "gzip");
}

#[tokio::test]
async fn a_compressed_answer_is_inflated() {
    let fake = Fake::answering(|_| reply(200, &["content-encoding: gzip"], gzip(b"plain"))).await;
    assert_eq!(local().send(get(fake.url("/")), soon()).await.unwrap().body, "plain");
}

#[tokio::test]
async fn an_answer_has_a_limit_however_it_is_sent() {
    const LIMIT: usize = 1000;
    let fake = Fake::answering(|seen| match seen.target.as_str() {
        "/fits" => reply(200, &[], vec![b'x'; LIMIT]),
        "/announced" => reply(200, &[], vec![b'x'; LIMIT + 1]),
        "/endless" => [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![b'x'; 100 * LIMIT]].concat(),
        "/chunked" => {
            let chunk = "3e8\r\n".to_owned() + &"x".repeat(LIMIT) + "\r\n";
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(3)).into_bytes()
        }
        // Ten megabytes of the same byte are ten kilobytes.
        _ => reply(200, &["content-encoding: gzip"], gzip(&vec![b'x'; 10 << 20])),
    })
    .await;
    let client = client(&ClientOptions { max_body: LIMIT, ..fake::options() });
    assert_eq!(client.send(get(fake.url("/fits")), soon()).await.unwrap().body.len(), LIMIT);
    for path in ["/announced", "/endless", "/chunked", "/bomb"] {
        let fault = fails(&client, fake.url(path)).await;
        assert_eq!(fault.outcome, Outcome::Unexpected, "{path}");
        assert!(fault.operator.contains("more than 1000 bytes"), "{path}: {fault}");
    }
}

#[tokio::test]
async fn a_vendor_that_breaks_off_is_unavailable() {
    let fake = Fake::answering(|seen| match seen.target.as_str() {
        "/nothing" => Vec::new(),
        "/head" => b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(),
        "/nonsense" => b"SSH-2.0-OpenSSH_9.7\r\n\r\n".to_vec(),
        "/deflated" => reply(200, &["content-encoding: gzip"], "this is not gzip"),
        _ => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it".to_vec(),
    })
    .await;
    for path in ["/nothing", "/head", "/nonsense", "/deflated", "/body"] {
        let fault = fails(&local(), fake.url(path)).await;
        assert_eq!(fault.outcome, Outcome::Unavailable, "{path}: {fault}");
        assert!(fault.operator.starts_with(&fake.address.to_string()), "{path}: {fault}");
    }
    assert!(fails(&local(), fake.url("/body")).await.operator.contains("in the middle of its answer"));
}

#[tokio::test]
async fn a_host_that_nobody_listens_at_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let fault = fails(&local(), gone).await;
    assert_eq!(fault.outcome, Outcome::Unavailable);
    assert!(fault.operator.contains("cannot be reached: connection refused"), "{fault}");
}

#[tokio::test]
async fn a_vendor_that_is_late_is_a_timeout() {
    let fake = Fake::start(|_| Box::pin(std::future::pending())).await;
    let fault = local().send(get(fake.url("/")), Deadline::after(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Timeout);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Fake::answering(|_| reply(200, &[], "caught")).await;
    let location = format!("location: {}", elsewhere.url("/login?token=hunter2"));
    let fake = Fake::answering(move |seen| match seen.target.as_str() {
        "/same" => reply(302, &["location: /login?token=hunter2"], ""),
        _ => reply(307, &[&location], ""),
    })
    .await;
    for path in ["/same", "/other"] {
        let fault = fails(&local(), fake.url(path)).await;
        assert_eq!(fault.outcome, Outcome::Misconfigured, "{path}");
        assert!(fault.operator.contains("redirects to 127.0.0.1:") && !fault.operator.contains("hunter2"), "{fault}");
    }
    assert!(elsewhere.seen().is_empty());
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn nothing_but_the_host_is_told_of_an_address() {
    let fake = Fake::answering(|_| Vec::new()).await;
    let mut request = get(fake.url("/hooks/hunter2?sig=hunter2"));
    request.headers.insert("authorization", HeaderValue::from_static("hunter2"));
    request.body = Some(Bytes::from("hunter2"));
    assert_eq!(format!("{request:?}"), format!("GET {}", fake.address));
    let fault = local().send(request, soon()).await.unwrap_err();
    assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault:?}");
    let answered = Fake::answering(|_| reply(200, &["set-cookie: hunter2"], "hunter2")).await;
    let answer = local().send(get(answered.url("/")), soon()).await.unwrap();
    assert_eq!(format!("{answer:?}"), "200 OK with 7 bytes");
}

#[tokio::test]
async fn a_request_goes_through_the_proxy_that_is_set() {
    let proxy = Fake::answering(|_| reply(200, &[], "from afar")).await;
    let url = format!("http://user:hunter2@{}", proxy.address);
    let options = ClientOptions {
        allow_private: vec!["erp.internal".to_owned()],
        proxy: Some(Secret::new(url)),
        ..ClientOptions::default()
    };
    let client = client(&options);
    assert!(!format!("{client:?} {options:?}").contains("hunter2"));
    let answer = client.send(get(Url::parse("http://erp.internal/a").unwrap()), soon()).await.unwrap();
    assert_eq!(answer.body, "from afar");
    let [seen] = proxy.seen().try_into().unwrap();
    assert_eq!(seen.target, "http://erp.internal/a");
    assert!(seen.header("proxy-authorization").starts_with("Basic "));
    // The proxy may be reached as a proxy, and not otherwise.
    assert_eq!(fails(&client, proxy.url("/")).await.outcome, Outcome::Misconfigured);
    let refused = Client::new(&ClientOptions { proxy: Some(Secret::new("hunter2".into())), ..ClientOptions::default() });
    assert!(!refused.unwrap_err().contains("hunter2"));
}
