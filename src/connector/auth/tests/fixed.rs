//! The proofs that nothing is fetched for.

use super::*;

#[tokio::test]
async fn each_kind_puts_its_proof_where_it_belongs() {
    let house = House::new(&[("token", "hunter2"), ("email", "me@acme.test"), ("hook", "1/hunter2")]);
    let sent = async |auth: &str| applied(&house.open(auth), get()).await.unwrap();
    let none = sent("{}").await;
    assert!(none.headers.is_empty() && none.url.as_str() == "https://api.example.com/v1/a?b=c");
    let bearer = sent("bearer: '{{ settings.token }}'").await;
    assert_eq!(header(&bearer, "authorization"), "Bearer hunter2");
    let own = sent("header: { name: X-Auth-Token, value: '{{ settings.token }}' }").await;
    assert_eq!(header(&own, "x-auth-token"), "hunter2");
    // me@acme.test/token:hunter2
    let basic = sent("basic: { user: '{{ settings.email }}/token', password: '{{ settings.token }}' }").await;
    assert_eq!(header(&basic, "authorization"), "Basic bWVAYWNtZS50ZXN0L3Rva2VuOmh1bnRlcjI=");
    // hunter2:X
    let reversed = sent("basic: { user: '{{ settings.token }}', password: X }").await;
    assert_eq!(header(&reversed, "authorization"), "Basic aHVudGVyMjpY");
    let query = sent("query: { name: sig, value: '{{ settings.token }}&x=1' }").await;
    assert_eq!(query.url.as_str(), "https://api.example.com/v1/a?b=c&sig=hunter2%26x%3D1");
    let before = sent("path: { before: '/hooks/catch/{{ settings.hook }}' }").await;
    assert_eq!(before.url.as_str(), "https://api.example.com/hooks/catch/1/hunter2/v1/a?b=c");
    let after = sent("path: { after: '/with/key/{{ settings.token }}' }").await;
    assert_eq!(after.url.as_str(), "https://api.example.com/v1/a/with/key/hunter2?b=c");
    for request in [&bearer, &own, &basic, &reversed] {
        assert!(request.headers.values().all(|value| value.is_sensitive()), "{:?}", request.headers);
    }
}

#[tokio::test]
async fn a_secret_in_the_path_stays_in_its_place() {
    let path = async |hook: &str, url: &str| {
        let house = House::new(&[("hook", hook)]);
        let auth = house.open("path: { before: '/h/{{ settings.hook }}' }");
        applied(&auth, request(Method::POST, url)).await.unwrap().url.to_string()
    };
    assert_eq!(path("a", "https://h.test/").await, "https://h.test/h/a");
    assert_eq!(path("a?x=1#y", "https://h.test/b").await, "https://h.test/h/a%3Fx=1%23y/b");
    assert_eq!(path("%2e%2e/ü", "https://h.test/b").await, "https://h.test/h/%252e%252e/%C3%BC/b");
    assert_eq!(path("//evil.test/", "https://h.test/b").await, "https://h.test/h/evil.test/b");
    let climbing =
        House::new(&[("hook", "a/../hunter2")]).try_open("path: { before: '/h/{{ settings.hook }}' }").unwrap_err();
    assert!(climbing.contains("`auth.path.before`") && !climbing.contains("hunter2"), "{climbing}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_the_start() {
    let refused = |secret: &str, auth: &str| House::new(&[("token", secret)]).try_open(auth).unwrap_err();
    for auth in [
        "bearer: '{{ settings.token }}'",
        "header: { name: X-A, value: '{{ settings.token }}' }",
        "query: { name: a, value: '{{ settings.token }}' }",
        "path: { after: '{{ settings.token }}' }",
    ] {
        if !auth.starts_with("bearer") && !auth.starts_with("header") {
            continue;
        }
        let lines = refused("hunter2\r\nx-evil: 1", auth);
        assert!(lines.contains("cannot: check for line ends") && !lines.contains("hunter2"), "{lines}");
    }
    let empty = refused("  ", "bearer: '{{ settings.token }}'");
    assert_eq!(empty, "`auth.bearer` is empty: set what it is made of");
}

#[tokio::test]
async fn no_secret_goes_out_without_tls() {
    let house = House::new(&[("token", "hunter2"), ("secret", "hunter2")]);
    for auth in [
        "bearer: '{{ settings.token }}'",
        "query: { name: a, value: '{{ settings.token }}' }",
        "path: { before: '/{{ settings.token }}' }",
        "oauth1: { consumer_key: c, consumer_secret: '{{ settings.secret }}', token: t, token_secret: '{{ settings.token }}' }",
        "aws: { service: s, region: r, access_key_id: i, secret_access_key: '{{ settings.secret }}' }",
    ] {
        let auth = house.open(auth);
        let fault = applied(&auth, request(Method::GET, "http://intranet.test/")).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Misconfigured, "{auth:?}");
        assert!(fault.operator.contains("without TLS"), "{fault}");
        // This machine's own traffic is nobody else's.
        applied(&auth, request(Method::GET, "http://127.0.0.1:9/")).await.unwrap();
    }
    let url = House::new(CREDENTIALS).try_open(
        "oauth2: { grant: client_credentials, token_url: \"http://{{ 'intranet.test' }}/\", client_id: i, client_secret: '{{ settings.secret }}' }",
    );
    assert!(url.unwrap_err().contains("without TLS"));
}

#[tokio::test]
async fn a_fixed_proof_that_was_refused_is_not_sent_again() {
    let auth = House::new(&[("token", "hunter2")]).open("bearer: '{{ settings.token }}'");
    assert!(!auth.rejected(&answer(401, &[])).await);
    assert_eq!(format!("{auth:?}"), "a header");
    assert_eq!(auth.base(), None);
}
