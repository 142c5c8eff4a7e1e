//! Token endpoints that fail, and what is told about it.

use std::io;
use std::sync::Mutex;

use super::*;

/// An endpoint that always answers the same.
async fn saying(reply: Reply) -> Fake {
    Fake::answering(move |_| reply.clone()).await
}

async fn failing(reply: Reply) -> Fault {
    let fake = saying(reply).await;
    applied(&House::new(CREDENTIALS).open(&credentials(&fake)), get()).await.unwrap_err()
}

#[tokio::test]
async fn each_failure_has_its_outcome() {
    let said = |status, error: &str| fake::json(status, &json!({ "error": error, "error_description": "hunter2" }));
    let html = |status| fake::reply(status, &["content-type: text/html"], "<html>hunter2</html>");
    for (what, reply, outcome) in [
        ("wrong secret", said(401, "invalid_client"), Outcome::Misconfigured),
        ("wrong scope", said(400, "invalid_scope"), Outcome::Misconfigured),
        ("forbidden", html(403), Outcome::Misconfigured),
        ("wrong address", html(404), Outcome::Misconfigured),
        ("an error within a 200", said(200, "invalid_code"), Outcome::Misconfigured),
        ("down for a while", said(400, "temporarily_unavailable"), Outcome::Unavailable),
        ("broken", html(500), Outcome::Unavailable),
        ("a gateway", html(502), Outcome::Unavailable),
        ("asked too often", said(429, "slow_down"), Outcome::RateLimited),
        ("a page", html(200), Outcome::Unexpected),
        ("a list", fake::json(200, &json!(["hunter2"])), Outcome::Unexpected),
        ("no token", fake::json(200, &json!({ "token": "hunter2" })), Outcome::Unexpected),
        ("an empty token", fake::json(200, &json!({ "access_token": "" })), Outcome::Unexpected),
        ("a number", fake::json(200, &json!({ "access_token": 7 })), Outcome::Unexpected),
        ("two lines", fake::json(200, &json!({ "access_token": "hunter2\r\nx: y" })), Outcome::Unexpected),
        (
            "cut off",
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"access_token\":\"hunter2".to_vec(),
            Outcome::Unavailable,
        ),
        ("a redirect", fake::reply(302, &["location: /login?hunter2"], ""), Outcome::Misconfigured),
    ] {
        let fault = failing(reply).await;
        assert_eq!(fault.outcome, outcome, "{what}: {fault}");
        assert!(!format!("{fault:?}").contains("hunter2"), "{what}: {fault:?}");
        assert!(fault.operator.starts_with("127.0.0.1:"), "{what}: {fault}");
    }
}

#[tokio::test]
async fn only_known_errors_are_repeated() {
    let known = failing(fake::json(400, &json!({ "error": "invalid_client" }))).await;
    assert!(known.operator.contains("status 400 (invalid_client); check the client's id and secret"), "{known}");
    let unknown = failing(fake::json(400, &json!({ "error": "secret_hunter2_is_wrong" }))).await;
    assert!(unknown.operator.contains("status 400; check") && !unknown.operator.contains("hunter2"), "{unknown}");
}

#[tokio::test]
async fn how_long_to_wait_is_passed_on() {
    let fault = failing(fake::reply(429, &["retry-after: 7"], "")).await;
    assert_eq!(fault.retry_after, Some(Duration::from_secs(7)));
    let fault = failing(fake::reply(503, &["retry-after: soon"], "")).await;
    assert_eq!(fault.retry_after, None);
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A vendor that says whatever it was told back, in every place there is.
fn echo(seen: &Seen, status: u16) -> Reply {
    let told = format!("{}{}{:?}", seen.target, seen.body, seen.headers);
    let cookie = "set-cookie: session=hunter2-cookie";
    fake::reply(
        status,
        &["content-type: application/json", cookie],
        json!({ "error": told, "error_description": told }).to_string(),
    )
}

#[tokio::test]
async fn no_secret_is_told_to_anybody() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    // While there is one subscriber only, a line that another thread comes to first is silenced for all of them.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    let mut told = String::new();
    for status in [200, 400, 401, 403, 404, 500] {
        let fake = Fake::answering(move |seen| echo(seen, status)).await;
        let url = fake.url("/");
        let settings = [
            ("token", "hunter2-token"),
            ("secret", "hunter2-secret"),
            ("refresh", "hunter2-refresh"),
            ("hook", "hunter2-hook"),
            ("id", "client"),
        ];
        let house = House::new(&settings);
        let refresh = format!(
            "oauth2: {{ grant: refresh_token, rotates: true, token_url: \"{{{{ '{url}' }}}}\", client_id: c, \
             refresh_token: '{{{{ settings.refresh }}}}' }}"
        );
        let csrf = "{ bearer: '{{ settings.token }}', csrf: { path: '/csrf' } }".to_owned();
        let fixed = [
            "bearer: '{{ settings.token }}'",
            "query: { name: sig, value: '{{ settings.token }}' }",
            "path: { before: '/{{ settings.hook }}' }",
            "aws: { service: s, region: r, access_key_id: '{{ settings.id }}', secret_access_key: '{{ settings.secret }}' }",
        ];
        for auth in fixed.map(str::to_owned).into_iter().chain([credentials(&fake), refresh, csrf]) {
            let auth = house.open(&auth);
            let mut request = request(Method::POST, url.as_str());
            let ended = auth.apply(&mut request, soon()).await;
            told += &format!("{auth:?} {request:?} {ended:?}");
            if let Err(fault) = ended {
                told += &fault.to_string();
            } else {
                let client = Client::new(&fake::options()).unwrap();
                told += &format!("{:?}", client.send(request, soon()).await);
            }
            told += &auth.rejected(&answer(401, &[])).await.to_string();
        }
    }
    drop(guard);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.len() > 1000, "nothing was logged, which proves nothing");
    assert!(told.len() > 1000);
    for (where_to, text) in [("log", &logged), ("texts", &told)] {
        let found = text.find("hunter2").map(|at| &text[at.saturating_sub(200)..(at + 40).min(text.len())]);
        assert_eq!(found, None, "{where_to}");
    }
}
