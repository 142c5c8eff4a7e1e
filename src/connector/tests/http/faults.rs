//! What every way of failing comes to, and what is asked again.

use std::time::Duration;

use pretty_assertions::assert_eq;

use super::*;
use crate::connector::Answered;

fn text(status: u16, kind: &str, body: &str) -> Answers {
    Answers::whole(status, &[("content-type".to_owned(), kind.to_owned())], body.as_bytes())
}

/// What `own.find` comes to when the vendor answers so, and how many requests that took.
async fn found(answers: Vec<Answers>) -> (Result<Answered, Fault>, usize) {
    let (vendor, shop) = played(&shop(), answers).await;
    let ended = answered(&shop, "own.find", json!({"number": "sekret"}), how()).await;
    if let Err(fault) = &ended {
        assert!(!fault.operator.contains("sekret") && !fault.operator.contains("hidden"), "{fault}");
    }
    (ended, vendor.seen().len())
}

#[tokio::test]
async fn statuses_headers_and_bodies_decide_the_outcome() {
    let hidden = json!({"message": "hidden"});
    for (answer, outcome, sent) in [
        (json(401, &[], &hidden), Outcome::Misconfigured, 1),
        (json(403, &[], &hidden), Outcome::Denied, 1),
        (json(403, &[], &json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED"}])), Outcome::RateLimited, 1),
        (json(404, &[], &hidden), Outcome::NotFound, 1),
        (json(400, &[], &json!({"code": "gone"})), Outcome::NotFound, 1),
        (json(409, &[], &hidden), Outcome::Conflict, 1),
        (json(422, &[], &hidden), Outcome::Invalid, 1),
        (json(418, &[], &hidden), Outcome::Unexpected, 1),
        (json(500, &[], &hidden), Outcome::Unavailable, 3),
        (text(502, "text/html", "<html>hidden"), Outcome::Unavailable, 3),
        (text(404, "text/html", "<html>hidden"), Outcome::NotFound, 1),
        (text(200, "text/html", "<html>hidden login"), Outcome::Unexpected, 1),
        (text(200, "application/json", "{\"order\": {"), Outcome::Unexpected, 1),
        (text(200, "application/json", &"[".repeat(1000)), Outcome::Unexpected, 1),
        (json(200, &[], &json!({"error": "hidden"})), Outcome::Conflict, 1),
        (
            json(200, &[], &json!({"order": {"no": 1, "state": "hidden", "at": "2026-01-20T11:00:00Z"}})),
            Outcome::Unexpected,
            1,
        ),
        (
            json(200, &[], &json!({"order": {"no": {}, "state": "sent", "at": "2026-01-20T11:00:00Z"}})),
            Outcome::Unexpected,
            1,
        ),
        (json(200, &[], &json!({"order": [{}, {}]})), Outcome::Ambiguous, 1),
        (json(200, &[], &json!({"order": []})), Outcome::NotFound, 1),
        (json(200, &[], &json!({"hidden": 1})), Outcome::Unexpected, 1),
        (Answers::whole(204, &[], b""), Outcome::NotFound, 1),
        (
            Answers::whole(302, &[("location".to_owned(), "https://login.example/".to_owned())], b""),
            Outcome::Misconfigured,
            1,
        ),
        // It breaks off in the middle of its body.
        (
            Answers::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"or".to_vec()),
            Outcome::Unavailable,
            3,
        ),
        (Answers::Bytes(Vec::new()), Outcome::Unavailable, 3),
        (Answers::Bytes(b"hidden\r\n\r\n".to_vec()), Outcome::Unavailable, 3),
        // It takes its time, before and within its answer.
        (Answers::Stalls(Vec::new()), Outcome::Timeout, 3),
        (
            Answers::Stalls(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{".to_vec()),
            Outcome::Timeout,
            3,
        ),
    ] {
        let (ended, requests) = found(vec![answer.clone(), answer.clone(), answer.clone()]).await;
        let fault = ended.expect_err("it is no answer");
        if !fault.operator.contains("redirects") {
            assert!(fault.operator.contains("find") || fault.operator.contains("127.0.0.1"), "{fault}");
        }
        assert_eq!((fault.outcome, requests), (outcome, sent), "{fault}: {answer:?}");
    }
}

#[tokio::test]
async fn a_misfit_names_its_place() {
    let wrong = json(200, &[], &json!({"order": {"no": 1, "state": "lost", "at": "2026-01-20T11:00:00Z"}}));
    let fault = found(vec![wrong]).await.0.unwrap_err();
    assert!(fault.operator.contains("status: ") && fault.operator.contains("codes.statuses"), "{fault}");
}

#[tokio::test]
async fn the_vendor_s_word_on_a_field_is_public_and_nothing_else_is() {
    let long = format!("<b>The name</b>\n is too long. {}", "x".repeat(1000));
    let (_vendor, shop) = played(&shop(), vec![json(422, &[], &json!({"message": long}))]).await;
    let fault = ask(&shop, "own.make", json!({})).await.unwrap_err();
    let public = fault.public.unwrap();
    assert!(public.starts_with("The name is too long. xx") && public.chars().count() == 300, "{public}");
    assert!(!fault.operator.contains("too long"), "{}", fault.operator);
}

#[tokio::test]
async fn a_wait_is_taken_from_whichever_header_and_unit_the_vendor_uses() {
    for (headers, body, seconds) in [
        (vec![("X-Reset-Ms", "90000")], Value::Null, 90),
        (vec![("X-Reset-At", "2026-01-23T12:00:40Z")], Value::Null, 40),
        (vec![], json!({"wait": 70}), 70),
        (vec![("Retry-After", "50")], Value::Null, 50),
        (vec![("Retry-After", "Fri, 23 Jan 2026 12:01:00 GMT")], Value::Null, 60),
    ] {
        let (ended, requests) = found(vec![json(429, &headers, &body)]).await;
        let fault = ended.unwrap_err();
        assert_eq!((fault.outcome, requests), (Outcome::RateLimited, 1), "{fault}");
        assert_eq!(fault.retry_after, Some(Duration::from_secs(seconds)), "{headers:?}");
    }
}

#[tokio::test]
async fn who_was_told_to_wait_lets_the_others_wait_too() {
    let (vendor, shop) = played(&shop(), vec![json(429, &[("Retry-After", "50")], &Value::Null), order()]).await;
    for _ in 0..2 {
        assert_eq!(outcome(&shop, "own.find", json!({"number": 1})).await, Outcome::RateLimited);
    }
    assert_eq!(vendor.seen().len(), 1);
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let (ended, requests) = found(vec![json(503, &[], &Value::Null), Answers::Bytes(Vec::new()), order()]).await;
    assert_eq!((ended.unwrap().value["number"].clone(), requests), (json!("7"), 3));
    let (ended, requests) = found(vec![json(429, &[("X-Reset-Ms", "1")], &Value::Null), order()]).await;
    assert_eq!((ended.is_ok(), requests), (true, 2));
}

#[tokio::test]
async fn a_write_is_repeated_only_when_that_cannot_do_it_twice() {
    let down = || json(503, &[], &Value::Null);
    let done = || json(201, &[], &json!({"id": 1}));
    let (vendor, own) = played(&shop(), vec![down(), done()]).await;
    assert_eq!(outcome(&own, "own.again", json!({})).await, Outcome::Unavailable);
    assert_eq!(vendor.seen().len(), 1, "it has no key");

    let (vendor, own) = played(&shop(), vec![json(429, &[("X-Reset-Ms", "1")], &Value::Null), done()]).await;
    assert!(ask(&own, "own.again", json!({})).await.is_ok(), "a refusal for being too many has done nothing");
    assert_eq!(vendor.seen().len(), 2);

    let (vendor, own) = played(&shop(), vec![down(), down(), done(), done()]).await;
    ask(&own, "own.make", json!({"name": "x"})).await.unwrap();
    ask(&own, "own.make", json!({"name": "x"})).await.unwrap();
    let key = |seen: &crate::connector::examples::vendor::Seen| {
        seen.headers.iter().find(|(name, _)| name == "idempotency-key").unwrap().1.clone()
    };
    let keys: Vec<_> = vendor.seen().iter().map(key).collect();
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
}

#[tokio::test]
async fn a_write_that_can_be_looked_for_is_looked_for_before_it_is_repeated() {
    let done = json!({"id": "P-1"});
    let down = || json(504, &[], &Value::Null);
    let (vendor, own) = played(&shop(), vec![down(), json(200, &[], &json!({"found": [done]}))]).await;
    assert_eq!(ask(&own, "own.pay", json!({})).await.unwrap(), "P-1");
    let seen = vendor.seen();
    let reference = serde_json::from_slice::<Value>(&seen[0].body).unwrap()["reference"].as_str().unwrap().to_owned();
    assert_eq!(seen[1].target, format!("/api/payments?reference={reference}"));

    let nothing = json(200, &[], &json!({"found": []}));
    let (vendor, own) = played(&shop(), vec![down(), nothing, json(200, &[], &json!({"payment": done}))]).await;
    assert_eq!(ask(&own, "own.pay", json!({})).await.unwrap(), "P-1");
    assert_eq!(vendor.seen().len(), 3);

    let (vendor, own) = played(&shop(), vec![down(), json(404, &[], &Value::Null)]).await;
    assert_eq!(outcome(&own, "own.pay", json!({})).await, Outcome::Unavailable);
    assert_eq!(vendor.seen().len(), 2, "a look-up that fails repeats nothing");
}

#[tokio::test]
async fn nothing_is_repeated_past_the_deadline() {
    let (vendor, own) = played(&shop(), vec![Answers::Stalls(Vec::new()), order()]).await;
    let briefly = How::by(Deadline::after(Duration::from_millis(40)));
    let fault = answered(&own, "own.find", json!({"number": 1}), briefly).await.unwrap_err();
    assert_eq!((fault.outcome, vendor.seen().len()), (Outcome::Timeout, 1));
}

#[tokio::test]
async fn credentials_that_have_run_out_are_renewed_once() {
    let yaml = r#"
kind: http
settings: { url: {}, secret: { secret: true } }
base: "{{ settings.url }}"
auth: { oauth2: { grant: client_credentials, token_url: "{{ settings.url }}/token", client_id: me, client_secret: "{{ settings.secret }}" } }
retry: { attempts: 1 }
operations: { me: { request: GET /me } }
"#;
    let connector = own_connector("own", yaml, Path::new("."));
    let token = |name: &str| json(200, &[], &json!({"access_token": name, "expires_in": 3600}));
    let refused = || json(401, &[], &Value::Null);
    for (answers, outcome, sent) in [
        (vec![token("a"), refused(), token("b"), json(200, &[], &json!({"name": "x"}))], None, 4),
        (vec![token("a"), refused(), token("b"), refused(), token("c")], Some(Outcome::Misconfigured), 4),
    ] {
        let vendor = Vendor::open(answers).await.unwrap();
        let mut own = connection("own", &connector, &[("url", &vendor.address())]);
        own.settings.insert("secret".to_owned(), SettingValue::Secret(crate::secret::Secret::new("sekret".to_owned())));
        own.rules.allow_private = vec!["127.0.0.1".to_owned()];
        let own = open(&[own], Path::new(".")).await.unwrap();
        let ended = ask(&own, "own.me", json!({})).await;
        assert_eq!(ended.err().map(|fault| fault.outcome), outcome);
        assert_eq!(vendor.seen().len(), sent);
        let last = vendor.seen()[3].headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
        assert_eq!(last, "Bearer b");
    }
}

#[tokio::test]
async fn settings_cannot_lead_a_connection_astray() {
    for (team, wrong) in [("red.example/x?", true), ("evil.example#", true), ("red", false)] {
        let own = connection("own", &shop(), &[("team", team)]);
        let opened = open(&[own], Path::new(".")).await;
        assert_eq!(opened.is_err(), wrong, "{team}");
    }
}
