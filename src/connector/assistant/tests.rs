//! The way back against an assistant that refuses, lies and hangs, over a real socket; and what is sent to it, to the byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::request::{addressable, events};
use super::*;
use crate::connector::http::fake::{self, Fake, Seen};
use crate::fault::{Class, Fault, Outcome};
use crate::name::CallerName;
use crate::plan::assistant::{Address, Assistant as Plan, LATEST, Login};
use crate::rasa::{Button, Message, Object};
use crate::secret::{Reference, Secret};
use crate::time::{Clock, FixedClock};

const SECRET: &str = "hunter2&x=y z";

fn plan(url: String, login: Login) -> Plan {
    let authorities = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/authority.pem").to_owned());
    let (output_channel, timeout) = (LATEST.to_owned(), Duration::from_secs(20));
    Plan { url: Address::Written(url), login, output_channel, timeout, allow_private: Vec::new(), authorities }
}

fn open(plan: &Plan) -> Assistant {
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at("2026-01-20T12:00:00Z".parse().unwrap()));
    let secret = |_: &Reference| Ok(Secret::new(SECRET.to_owned()));
    Assistant::open(&CallerName::anonymous(), plan, &secret, Path::new("."), &clock).unwrap()
}

fn reference() -> Reference {
    Reference::Env("RASA_TOKEN".to_owned())
}

fn object(value: Value) -> Object {
    serde_json::from_value(value).unwrap()
}

/// What Rasa answers about a conversation.
fn state(seen: &Seen, channel: &Value) -> Value {
    let path = seen.target.split('?').next().unwrap();
    let (_, rest) = path.split_once("/conversations/").unwrap();
    let sender = rest.strip_suffix("/tracker/events").or(rest.strip_suffix("/trigger_intent")).unwrap();
    json!({ "sender_id": sender, "slots": {}, "events": null, "latest_input_channel": channel })
}

#[tokio::test]
async fn what_is_said_and_triggered_is_sent_as_rasa_reads_it() {
    let rasa = Fake::answering(|seen| {
        let state = state(seen, &"callback".into());
        let trigger = seen.target.contains("/trigger_intent?");
        fake::json(200, &if trigger { json!({ "tracker": state, "messages": [] }) } else { state })
    })
    .await;
    let back = open(&plan(rasa.url("/shop/").to_string(), Login::Token(reference())));
    let messages = [
        Message { buttons: vec![Button::new("Yes", "/affirm")], ..Message::text("Your ticket is in: T-1.") },
        Message { image: Some("https://x.example/i.png".to_owned()), ..Message::default() },
        Message {
            custom: object(json!({ "a": 1 })),
            elements: vec![json!({ "title": "x" })],
            attachment: Some(json!("https://x.example/a.pdf")),
            extra: object(json!({ "priority": 1, "text": "not this", "timestamp": 0 })),
            ..Message::default()
        },
    ];
    let told = back.say("whatsapp:+49170/a", &messages).await.unwrap();
    assert_eq!(told, Told { channel: Some("callback".to_owned()), heard: true });
    back.trigger("c1", "EXTERNAL_order_shipped", &object(json!({ "order_id": "1001" }))).await.unwrap();
    let [said, triggered] = rasa.seen().try_into().unwrap();
    let token = "token=hunter2%26x%3Dy+z";
    let query = "output_channel=latest&include_events=NONE";
    let path = "/shop/conversations/whatsapp:+49170/a/tracker/events";
    assert_eq!(said.target, format!("{path}?{query}&execute_side_effects=true&{token}"));
    assert_eq!((said.method.as_str(), said.header("content-type")), ("POST", "application/json"));
    assert_eq!(said.header("user-agent"), concat!("legwork/", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        serde_json::from_str::<Value>(&said.body).unwrap(),
        json!([
            { "event": "bot", "text": "Your ticket is in: T-1.",
              "data": { "buttons": [{ "title": "Yes", "payload": "/affirm" }] }, "metadata": {} },
            { "event": "bot", "text": null, "data": { "image": "https://x.example/i.png" }, "metadata": {} },
            { "event": "bot", "text": null,
              "data": { "elements": [{ "title": "x" }], "custom": { "a": 1 }, "attachment": "https://x.example/a.pdf" },
              "metadata": { "priority": 1 } },
        ])
    );
    assert_eq!(triggered.target, format!("/shop/conversations/c1/trigger_intent?{query}&{token}"));
    let body: Value = serde_json::from_str(&triggered.body).unwrap();
    assert_eq!(body, json!({ "name": "EXTERNAL_order_shipped", "entities": { "order_id": "1001" } }));
}

#[tokio::test]
async fn a_jwt_opens_this_conversation_only_and_for_a_minute() {
    let rasa = Fake::answering(|seen| fake::json(200, &state(seen, &Value::Null))).await;
    let back = open(&plan(rasa.url("").to_string(), Login::Jwt(reference())));
    back.say("c1", &[Message::text("Hello.")]).await.unwrap();
    let [seen] = rasa.seen().try_into().unwrap();
    assert!(!seen.target.contains("token="), "{}", seen.target);
    let token = seen.header("authorization").strip_prefix("Bearer ").unwrap();
    let (text, signature) = token.rsplit_once('.').unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    aws_lc_rs::hmac::verify(&key, text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let part = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (head, claims) = text.split_once('.').unwrap();
    assert_eq!(part(head), json!({ "alg": "HS256", "typ": "JWT" }));
    let noon = 1_768_910_400;
    let user = json!({ "username": "c1", "role": "user" });
    assert_eq!(part(claims), json!({ "user": user, "iat": noon, "exp": noon + 60 }));
}

#[tokio::test]
async fn a_channel_that_only_answers_is_said_to_be_one() {
    for (channel, heard) in [(json!("rest"), false), (Value::Null, false), (json!("socketio"), true), (json!("own"), true)] {
        let answered = channel.clone();
        let rasa = Fake::answering(move |seen| fake::json(200, &state(seen, &answered))).await;
        let plan = plan(rasa.url("").to_string(), Login::Open);
        let told = open(&plan).say("c1", &[Message::text("Hello.")]).await.unwrap();
        assert_eq!((told.heard, json!(told.channel)), (heard, channel.clone()));
        let fixed = Plan { output_channel: "callback".to_owned(), ..plan };
        let told = open(&fixed).say("c1", &[]).await.unwrap();
        assert_eq!(told, Told { channel: Some("callback".to_owned()), heard: true });
        assert!(rasa.seen()[1].target.contains("output_channel=callback&"), "{channel}");
    }
}

/// How saying something ends when the assistant answers like this.
async fn failing(reply: impl Fn(&Seen) -> fake::Reply + Send + Sync + 'static) -> Fault {
    let rasa = Fake::answering(reply).await;
    let back = open(&plan(rasa.url("").to_string(), Login::Token(reference())));
    let fault = back.say("c1-private", &[Message::text("said-in-private")]).await.unwrap_err();
    for hidden in ["hunter2", "c1-private", "said-in-private", "of the body"] {
        assert!(!format!("{fault:?}").contains(hidden), "{hidden} in {fault:?}");
    }
    fault
}

#[tokio::test]
async fn what_fails_has_the_class_that_says_whether_to_come_again() {
    let said = |reason: &str| json!({ "status": "failure", "reason": reason, "message": "of the body" });
    for (status, body, outcome, class) in [
        (401, said("NotAuthenticated"), Outcome::Misconfigured, Class::Misconfigured),
        (403, said("NotAuthorized"), Outcome::Misconfigured, Class::Misconfigured),
        (404, said("NotFound"), Outcome::NotFound, Class::Rejected),
        (404, json!({ "description": "Not Found", "status": 404 }), Outcome::Misconfigured, Class::Misconfigured),
        (405, json!({}), Outcome::Misconfigured, Class::Misconfigured),
        (409, said("Conflict"), Outcome::Unavailable, Class::Transient),
        (400, said("BadRequest"), Outcome::Unexpected, Class::Bug),
        (500, said("ConversationError"), Outcome::Unavailable, Class::Transient),
        (503, json!("of the body"), Outcome::Unavailable, Class::Transient),
        (429, json!({}), Outcome::RateLimited, Class::Transient),
        // What looks well and is not.
        (200, json!({ "login": "of the body" }), Outcome::Misconfigured, Class::Misconfigured),
        (200, json!({ "sender_id": "another" }), Outcome::Misconfigured, Class::Misconfigured),
        (302, json!({}), Outcome::Unexpected, Class::Bug),
    ] {
        let fault = failing(move |_| fake::json(status, &body)).await;
        assert_eq!((fault.outcome, fault.class()), (outcome, class), "{status}: {fault}");
    }
    let moved = failing(|_| fake::reply(302, &["location: /login?of=the+body"], "")).await;
    assert_eq!(moved.outcome, Outcome::Misconfigured, "redirects are not followed: {moved}");
    let html = failing(|_| fake::reply(200, &["content-type: text/html"], "of the body")).await;
    assert_eq!(html.outcome, Outcome::Misconfigured);
    assert_eq!(failing(|_| Vec::new()).await.outcome, Outcome::Unavailable);
    let busy = failing(|_| fake::reply(429, &["retry-after: 7"], "")).await;
    assert_eq!(busy.retry_after, Some(Duration::from_secs(7)));
    let huge = failing(|_| fake::reply(200, &[], vec![b' '; (8 << 20) + 1])).await;
    assert_eq!(huge.outcome, Outcome::Unexpected);
}

#[tokio::test]
async fn one_that_hangs_is_given_up_after_its_time() {
    let rasa = Fake::start(|_| std::future::pending().boxed()).await;
    let short = Plan { timeout: Duration::from_millis(50), ..plan(rasa.url("").to_string(), Login::Open) };
    let fault = open(&short).trigger("c1", "greet", &Object::new()).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Timeout);
    assert_eq!(rasa.seen().len(), 1, "nothing is repeated");
}

#[tokio::test]
async fn one_that_is_down_is_unavailable() {
    let rasa = Fake::answering(|_| Vec::new()).await;
    let url = rasa.url("").to_string();
    drop(rasa);
    let back = open(&plan(url, Login::Open));
    assert_eq!(back.say("c1", &[Message::text("Hello.")]).await.unwrap_err().outcome, Outcome::Unavailable);
}

#[tokio::test]
async fn only_what_needs_no_encoding_is_put_into_an_address() {
    for sender in ["default", "29:1abc-d_e.f~", "whatsapp:+49170", "a@b.example", "T1/C2", "(x)*!$&',;=", "1.2"] {
        assert!(addressable(sender), "{sender}");
    }
    let long = "x".repeat(2001);
    for sender in
        ["", ".", "..", "a/../b", "a//b", "/a", "a/", "a b", "a%20b", "ä", "a?b", "a#b", "a\\b", "a\nb", "a|b", "{a}", &long]
    {
        assert!(!addressable(sender), "{sender}");
    }
    let rasa = Fake::answering(|_| Vec::new()).await;
    let back = open(&plan(rasa.url("").to_string(), Login::Open));
    let fault = back.say("../../model", &[Message::text("Hello.")]).await.unwrap_err();
    assert_eq!((fault.outcome, rasa.seen().len()), (Outcome::Invalid, 0));
}

#[test]
fn a_response_of_the_domain_is_not_said() {
    let fault = events(&[Message::response("utter_done", Object::new())]).unwrap_err();
    assert!(fault.outcome == Outcome::Invalid && fault.operator.contains("utter_done"), "{fault}");
}

#[tokio::test]
async fn a_test_asks_for_the_status_with_the_credentials_and_tells_the_version() {
    for (version, status, found) in
        [(json!("3.6.21"), 200, Some("Rasa 3.6.21")), (json!("<script>"), 200, None), (json!("3.6.21"), 401, None)]
    {
        let rasa = Fake::answering(move |seen| match seen.target.split('?').next().unwrap() {
            "/status" => fake::json(status, &json!({ "model_file": "m" })),
            "/version" => fake::json(200, &json!({ "version": version })),
            other => panic!("{other}"),
        })
        .await;
        let tested = open(&plan(rasa.url("").to_string(), Login::Token(reference()))).test().await;
        assert_eq!((tested.found.as_deref(), tested.passed()), (found, found.is_some()), "{tested:?}");
        assert!(rasa.seen()[0].target.starts_with("/status?token="));
    }
}

#[test]
fn an_address_behind_a_reference_is_held_to_the_same_rules() {
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at("2026-01-20T12:00:00Z".parse().unwrap()));
    let kept = Plan { url: Address::Kept(reference()), ..plan(String::new(), Login::Token(reference())) };
    let opened = |url: &'static str| {
        let secret = move |_: &Reference| Ok(Secret::new(url.to_owned()));
        Assistant::open(&CallerName::anonymous(), &kept, &secret, Path::new("."), &clock).map(|_| ())
    };
    assert_eq!(opened("http://localhost:5005\n"), Ok(()));
    let wrong = opened("http://rasa:5005").unwrap_err();
    assert!(wrong.contains("without TLS"), "{wrong}");
    let wrong = opened("http://u:hunter2@localhost").unwrap_err();
    assert!(!wrong.contains("hunter2"), "{wrong}");
    let all = BTreeMap::from([(CallerName::anonymous(), kept.clone())]);
    let [shown] = facts(&all, &|_| Ok(Secret::new("http://localhost:5005/x".to_owned()))).try_into().unwrap();
    assert_eq!((shown.address.as_deref(), shown.login), (Some("localhost:5005"), "token"));
}
