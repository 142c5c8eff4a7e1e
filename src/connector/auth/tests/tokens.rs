//! Tokens of OAuth 2: how they are asked for, kept, renewed and dropped.

use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{FutureExt as _, join_all};
use tokio::sync::Semaphore;

use super::*;

#[tokio::test]
async fn a_token_is_asked_for_as_the_file_says() {
    let fake = counting(json!(3600)).await;
    let house = House::new(&[("id", "client"), ("secret", "hunter2"), ("scope", "")]);
    let more = "  params: { scope: 'a b&c', audience: '{{ settings.scope }}' }\n  headers: { X-Tenant: acme }\n";
    assert_eq!(authorization(&house.open(&client_credentials(&fake, more))).await, "Bearer token-1");
    let more = "  client_in: basic\n  sent_in: X-Shopify-Access-Token\n";
    let request = applied(&house.open(&client_credentials(&fake, more)), get()).await.unwrap();
    assert_eq!(header(&request, "x-shopify-access-token"), "token-2");
    let more = "  body: json\n  sent_as: 'Zoho-oauthtoken {{ token }}'\n";
    assert_eq!(authorization(&house.open(&client_credentials(&fake, more))).await, "Zoho-oauthtoken token-3");
    assert!(request.headers["x-shopify-access-token"].is_sensitive());

    let [form, basic, json] = fake.seen().try_into().unwrap();
    for seen in [&form, &basic, &json] {
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/oauth/token"));
        assert_eq!(seen.header("accept"), "application/json");
    }
    assert_eq!(form.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(form.header("x-tenant"), "acme");
    assert_eq!(form.body, "grant_type=client_credentials&scope=a+b%26c&client_id=client&client_secret=hunter2");
    assert_eq!(basic.body, "grant_type=client_credentials");
    // client:hunter2
    assert_eq!(basic.header("authorization"), "Basic Y2xpZW50Omh1bnRlcjI=");
    assert_eq!(json.header("content-type"), "application/json");
    let body: Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(body, json!({ "grant_type": "client_credentials", "client_id": "client", "client_secret": "hunter2" }));
}

#[tokio::test]
async fn one_fetch_serves_all_who_wait() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let fake = Fake::start(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.acquire().await.unwrap().forget();
            fake::json(200, &json!({ "access_token": "token-1", "expires_in": 3600 }))
        }
        .boxed()
    })
    .await;
    let auth = Arc::new(House::new(CREDENTIALS).open(&credentials(&fake)));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let auth = Arc::clone(&auth);
                async move { authorization(&auth).await }
            })
        })
        .collect();
    until(|| fake.seen().len() == 1).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(50);
    let sent = join_all(calls).await;
    assert!(sent.into_iter().all(|sent| sent.unwrap() == "Bearer token-1"));
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_fetch_that_failed_has_failed_for_all_who_waited() {
    let fake = Fake::answering(|_| fake::json(500, &json!({}))).await;
    let auth = House::new(CREDENTIALS).open(&credentials(&fake));
    let faults = join_all((0..50).map(|_| applied(&auth, get()))).await;
    assert!(faults.iter().all(|fault| fault.as_ref().unwrap_err().outcome == Outcome::Unavailable));
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn who_waits_does_so_until_their_own_deadline_and_the_fetch_goes_on() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let fake = Fake::start(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.acquire().await.unwrap().forget();
            fake::json(200, &json!({ "access_token": "token-1" }))
        }
        .boxed()
    })
    .await;
    let auth = House::new(CREDENTIALS).open(&credentials(&fake));
    let fault = auth.apply(&mut get(), Deadline::after(Duration::from_millis(20))).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Timeout);
    until(|| fake.seen().len() == 1).await;
    gate.add_permits(1);
    assert_eq!(authorization(&auth).await, "Bearer token-1");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_nobody_waits_for_it() {
    for expires_in in [json!(3600), json!("3600"), json!(3600.5)] {
        let fake = counting(expires_in).await;
        let house = House::new(CREDENTIALS);
        let auth = house.open(&credentials(&fake));
        assert_eq!(authorization(&auth).await, "Bearer token-1");
        house.clock.advance(Duration::from_secs(3539));
        assert_eq!(authorization(&auth).await, "Bearer token-1");
        assert_eq!(fake.seen().len(), 1);
        house.clock.advance(Duration::from_secs(2));
        assert_eq!(authorization(&auth).await, "Bearer token-1", "it is still good");
        until(|| fake.seen().len() == 2).await;
        let mut sent = String::new();
        while sent != "Bearer token-2" {
            tokio::task::yield_now().await;
            sent = authorization(&auth).await;
        }
        assert_eq!(fake.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_renewal_that_fails_hurts_nobody_while_the_token_is_good() {
    let fake = Fake::answering({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |_| match first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            true => fake::json(200, &json!({ "access_token": "token-1", "expires_in": 600 })),
            false => fake::json(503, &json!({})),
        }
    })
    .await;
    let house = House::new(CREDENTIALS);
    let auth = house.open(&credentials(&fake));
    authorization(&auth).await;
    house.clock.advance(Duration::from_secs(541));
    assert_eq!(authorization(&auth).await, "Bearer token-1");
    until(|| fake.seen().len() == 2).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        assert_eq!(authorization(&auth).await, "Bearer token-1");
    }
    assert_eq!(fake.seen().len(), 2, "it is not tried again at once");
    house.clock.advance(Duration::from_secs(40));
    assert_eq!(applied(&auth, get()).await.unwrap_err().outcome, Outcome::Unavailable, "it has ended");
}

#[tokio::test]
async fn a_token_without_an_end_lives_as_long_as_the_file_says() {
    let fake = counting(Value::Null).await;
    let house = House::new(CREDENTIALS);
    let (endless, short) =
        (house.open(&credentials(&fake)), house.open(&client_credentials(&fake, "  expires_after: 10m\n")));
    assert_eq!(authorization(&endless).await, "Bearer token-1");
    assert_eq!(authorization(&short).await, "Bearer token-2");
    house.clock.advance(Duration::from_secs(86_400));
    assert_eq!(authorization(&endless).await, "Bearer token-1");
    assert_eq!(authorization(&short).await, "Bearer token-3");
}

#[tokio::test]
async fn a_refused_token_is_dropped_once() {
    let fake = counting(json!(3600)).await;
    let house = House::new(CREDENTIALS);
    let auth = house.open(&credentials(&fake));
    assert_eq!(authorization(&auth).await, "Bearer token-1");
    assert!(!auth.rejected(&answer(403, &[])).await, "who we are is not in doubt");
    // Many calls were under way with the first token.
    for _ in 0..20 {
        assert!(auth.rejected(&answer(401, &[])).await);
        assert_eq!(authorization(&auth).await, "Bearer token-2");
    }
    assert_eq!(fake.seen().len(), 2);
    // What is refused by now is the second one.
    house.clock.advance(Duration::from_secs(16));
    assert!(auth.rejected(&answer(401, &[])).await);
    assert_eq!(authorization(&auth).await, "Bearer token-3");
}

#[tokio::test]
async fn a_request_goes_where_the_token_says() {
    let fake =
        Fake::answering(|_| fake::json(200, &json!({ "access_token": "a", "instance_url": "https://eu7.salesforce.test" })))
            .await;
    let house = House::new(CREDENTIALS);
    let auth =
        house.open(&client_credentials(&fake, "  base: { from: instance_url, host: '[a-z0-9-]+\\.salesforce\\.test' }\n"));
    assert_eq!(auth.base(), None);
    let request = applied(&auth, get()).await.unwrap();
    assert_eq!(request.url.as_str(), "https://eu7.salesforce.test/v1/a?b=c");
    assert_eq!(auth.base().unwrap().as_str(), "https://eu7.salesforce.test/");
}

#[tokio::test]
async fn an_address_that_the_file_does_not_allow_is_refused() {
    for address in [
        "https://evil.test",
        "https://salesforce.test.evil.test",
        "https://u@eu7.salesforce.test",
        "http://eu7.salesforce.test",
        "https://evil.test/eu7.salesforce.test",
        "eu7.salesforce.test",
        "javascript:alert(1)",
        "",
    ] {
        let body = json!({ "access_token": "hunter2", "instance_url": address });
        let fake = Fake::answering(move |_| fake::json(200, &body)).await;
        let house = House::new(CREDENTIALS);
        let auth = house
            .open(&client_credentials(&fake, "  base: { from: instance_url, host: '[a-z0-9-]+\\.salesforce\\.test' }\n"));
        let fault = applied(&auth, get()).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::Unexpected, "{address}");
        assert!(fault.operator.contains("`instance_url`") && !fault.operator.contains("hunter2"), "{fault}");
    }
}

fn jwt_bearer(fake: &Fake) -> String {
    let url = fake.url("/token");
    format!(
        "oauth2:\n  grant: jwt_bearer\n  token_url: '{{{{ \"{url}\" }}}}'\n  assertion:\n    key: '{{{{ settings.key }}}}'\n    key_id: k1\n    issuer: client\n    \
         subject: me@acme.test\n    audience: https://login.salesforce.com\n    claims: {{ tenant: acme }}\n"
    )
}

#[tokio::test]
async fn a_claim_is_signed_so_that_the_public_key_verifies_it() {
    for pem in [include_str!("../testdata/rsa.pem"), include_str!("../testdata/rsa-pkcs1.pem")] {
        let fake = counting(Value::Null).await;
        let auth = House::new(&[("key", pem)]).open(&jwt_bearer(&fake));
        assert_eq!(authorization(&auth).await, "Bearer token-1");
        let [seen] = fake.seen().try_into().unwrap();
        assert_eq!(seen.field("grant_type").unwrap(), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let claim = seen.field("assertion").unwrap();
        let (text, signature) = claim.rsplit_once('.').unwrap();
        let der = include_str!("../testdata/rsa.pem").lines().filter(|line| !line.starts_with('-')).collect::<String>();
        let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
        let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(&der).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
        public.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let parts = text.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap());
        let [head, mut claims]: [Value; 2] = parts.collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(head, json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        assert_eq!(claims["jti"].take().as_str().unwrap().len(), 22);
        let expected = json!({
            "tenant": "acme", "iss": "client", "sub": "me@acme.test", "aud": "https://login.salesforce.com", "iat": 1_800_000_000,
            "exp": 1_800_000_180, "jti": null,
        });
        assert_eq!(claims, expected);
    }
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_refused_at_the_start() {
    let fake = counting(Value::Null).await;
    let elliptic = include_str!("../../../secret/key/testdata/plain.pem");
    let locked = include_str!("../../../secret/key/testdata/a256.pem");
    for (key, said) in [("hunter2", "holds no private key"), (elliptic, "is not an RSA key"), (locked, "is encrypted")] {
        let refused = House::new(&[("key", key)]).try_open(&jwt_bearer(&fake)).unwrap_err();
        assert!(refused.contains("`auth.oauth2.assertion.key`") && refused.contains(said), "{refused}");
        assert!(!refused.contains("hunter2"));
    }
}
