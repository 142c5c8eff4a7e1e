//! The token against forged requests, with its cookies.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const SAP: &str =
    "{ basic: { user: me, password: '{{ settings.password }}' }, csrf: { path: /sap/opu/odata/sap/API_SALES_ORDER_SRV/ } }";

/// A system that numbers its sessions.
async fn sap() -> Fake {
    let count = AtomicUsize::new(0);
    Fake::answering(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        let token = format!("x-csrf-token: csrf-{number}");
        let session = format!("set-cookie: SAP_SESSIONID_X={number}; path=/; secure; HttpOnly");
        fake::reply(200, &[&token, &session, "set-cookie: sap-usercontext=sap-client=100; path=/"], "{}")
    })
    .await
}

fn house() -> House {
    House::new(&[("password", "hunter2")])
}

async fn written(auth: &Auth, fake: &Fake) -> Outgoing {
    applied(auth, request(Method::POST, fake.url("/sap/opu/odata/sap/X/A?b=c").as_str())).await.unwrap()
}

#[tokio::test]
async fn a_write_carries_token_and_cookies_and_a_read_does_not() {
    let (fake, auth) = (sap().await, house().open(SAP));
    let read = applied(&auth, request(Method::GET, fake.url("/a").as_str())).await.unwrap();
    assert!(header(&read, "x-csrf-token").is_empty() && fake.seen().is_empty());
    for _ in 0..3 {
        let write = written(&auth, &fake).await;
        assert_eq!(header(&write, "x-csrf-token"), "csrf-1");
        assert_eq!(header(&write, "cookie"), "SAP_SESSIONID_X=1; sap-usercontext=sap-client=100");
        assert_eq!(header(&write, "authorization"), "Basic bWU6aHVudGVyMg==");
        assert!(write.headers.values().all(|value| value.is_sensitive()));
    }
    let [seen] = fake.seen().try_into().unwrap();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/sap/opu/odata/sap/API_SALES_ORDER_SRV/"));
    assert_eq!(seen.header("x-csrf-token"), "Fetch");
    assert_eq!(seen.header("authorization"), "Basic bWU6aHVudGVyMg==");
}

#[tokio::test]
async fn a_token_that_is_required_anew_is_fetched_once() {
    let (fake, auth) = (sap().await, house().open(SAP));
    written(&auth, &fake).await;
    assert!(!auth.rejected(&answer(403, &[])).await, "a user who may not is not helped by a token");
    assert!(!auth.rejected(&answer(401, &[])).await);
    for _ in 0..5 {
        assert!(auth.rejected(&answer(403, &[("x-csrf-token", "Required")])).await);
        assert_eq!(header(&written(&auth, &fake).await, "x-csrf-token"), "csrf-2");
    }
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_session_is_shown_to_no_other_host() {
    let (one, other, auth) = (sap().await, sap().await, house().open(SAP));
    written(&auth, &one).await;
    written(&auth, &other).await;
    assert_eq!((one.seen().len(), other.seen().len()), (1, 1));
    assert_eq!(other.seen()[0].header("cookie"), "");
}

#[tokio::test]
async fn a_system_that_gives_none_is_told() {
    for (reply, outcome) in [
        (fake::reply(401, &[], "hunter2"), Outcome::Misconfigured),
        (fake::reply(404, &[], "hunter2"), Outcome::Misconfigured),
        (fake::reply(429, &[], "hunter2"), Outcome::RateLimited),
        (fake::reply(503, &[], "hunter2"), Outcome::Unavailable),
        (fake::reply(200, &[], "hunter2"), Outcome::Unexpected),
    ] {
        let fake = Fake::answering(move |_| reply.clone()).await;
        let fault = applied(&house().open(SAP), request(Method::POST, fake.url("/").as_str())).await.unwrap_err();
        assert_eq!(fault.outcome, outcome);
        assert!(fault.operator.contains("gives no x-csrf-token") && !fault.operator.contains("hunter2"), "{fault}");
    }
}

#[tokio::test]
async fn one_fetch_serves_all_who_write() {
    let (fake, auth) = (sap().await, house().open(SAP));
    futures_util::future::join_all((0..50).map(|_| written(&auth, &fake))).await;
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn an_access_token_that_has_ended_is_renewed_for_the_fetch() {
    let fake = Fake::answering({
        let tokens = AtomicUsize::new(0);
        move |seen| match (seen.method.as_str(), seen.header("authorization")) {
            ("POST", _) => {
                let number = tokens.fetch_add(1, Ordering::Relaxed) + 1;
                fake::json(200, &json!({ "access_token": format!("token-{number}") }))
            }
            (_, "Bearer token-2") => fake::reply(200, &["x-csrf-token: csrf"], ""),
            _ => fake::reply(401, &[], ""),
        }
    })
    .await;
    let auth = House::new(CREDENTIALS).open(&format!("{}csrf: {{ path: / }}\n", client_credentials(&fake, "")));
    let write = written(&auth, &fake).await;
    assert_eq!((header(&write, "authorization"), header(&write, "x-csrf-token")), ("Bearer token-2".into(), "csrf".into()));
    assert_eq!(fake.seen().len(), 4);
}
