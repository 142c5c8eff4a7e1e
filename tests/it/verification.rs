//! Who is verified: signed tokens in the metadata of messages, and one-time codes, through the front door.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::language_kept::DIARY;
use crate::support::{Bot, DESK, HELD, Held, problems, written};

const SECRET: &str = "a secret of the tests that is long enough";
const OTHER: &str = "a secret of others that is long enough too";

/// 2026-01-20T12:00:00Z, the time of every bot.
const NOW: i64 = 1_768_910_400;

fn signed(head: &str, claims: &Value, secret: &str) -> String {
    let text = format!("{head}.{}", BASE64.encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{text}.{}", BASE64.encode(hmac::sign(&key, text.as_bytes())))
}

fn compact(claims: &Value) -> String {
    signed("v1", claims, SECRET)
}

fn jwt(claims: &Value) -> String {
    signed(&BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), claims, SECRET)
}

/// Claims of Sarah in the conversation `s1`, good for ten minutes.
fn sarah() -> Value {
    json!({ "sender": "s1", "exp": NOW + 600, "iat": NOW - 5, "email": "Sarah@Example.com" })
}

fn with(mut claims: Value, key: &str, value: impl Into<Value>) -> Value {
    claims[key] = value.into();
    claims
}

const WHO: (&str, &str) = (
    "actions/action_who.yml",
    "
steps:
  - say: \"{{ verified.email | lower if verified else 'nobody' }}\"
  - say: { text: \"{{ verified.by }} {{ verified.at }} {{ verified.customer }}\", when: verified }
",
);

async fn bot(metadata: &str, code: &str) -> Bot {
    let settings = format!(
        "
connections: {{ desk: {{ connector: desk }} }}
verify:
  metadata: {metadata}
  code: {{ call: desk.note, with: {{ text: \"{{{{ address }}}} {{{{ code }}}}\" }}{code} }}
"
    );
    Bot::with(&[("legwork.yml", &settings), ("secret.txt", SECRET), DESK, WHO, SEND, CHECK, NOTES]).await
}

async fn by_hmac() -> Bot {
    bot("{ key: token, hmac: \"${file:secret.txt}\" }", "").await
}

async fn who(bot: &Bot, sender: &str, token: Value) -> String {
    let answer = bot.call("action_who").sender(sender).metadata(json!({ "token": token })).send().await;
    answer.said()[0].to_owned()
}

#[tokio::test]
async fn a_signed_token_says_who_the_user_is() {
    let bot = by_hmac().await;
    let claims = with(sarah(), "customer", 17);
    let answer = bot.call("action_who").sender("s1").metadata(json!({ "token": compact(&claims) })).send().await;
    assert_eq!(answer.said(), ["sarah@example.com", "metadata 2026-01-20T11:59:55.000Z 17"]);
    assert_eq!(bot.call("action_who").sender("s1").send().await.said(), ["nobody"]);
}

#[tokio::test]
async fn a_token_that_does_not_hold_proves_nothing_and_is_not_logged() {
    let bot = by_hmac().await;
    let good = compact(&sarah());
    let (signed_part, signature) = good.rsplit_once('.').unwrap();
    let wrong = [
        (compact(&with(sarah(), "exp", NOW)), "it has expired"),
        (compact(&with(sarah(), "exp", "never")), "it does not say when it expires"),
        (compact(&json!({ "sender": "s1", "email": "sarah@example.com" })), "it does not say when it expires"),
        (compact(&with(sarah(), "nbf", NOW + 1)), "it is not valid yet"),
        (compact(&with(sarah(), "sender", "s2")), "it is for another conversation"),
        (compact(&with(sarah(), "sender", Value::Null)), "it is for another conversation"),
        (signed("v1", &sarah(), OTHER), "its signature is not right"),
        (signed("v2", &sarah(), SECRET), "its signature is not right"),
        (signed_part.to_owned(), "the form of a token"),
        (format!("{signed_part}."), "its signature is not right"),
        (format!("{signed_part}.{}", another(signature)), "its signature is not right"),
        (format!("{good}.{signature}"), "the form of a token"),
        (compact(&with(sarah(), "email", "not an address")), "it says nothing of who the user is"),
        (compact(&with(sarah(), "email_verified", false)), "it says nothing of who the user is"),
        ("x".repeat(9000), "it is too long"),
        (String::new(), "the form of a token"),
    ];
    for (token, reason) in wrong {
        assert_eq!(who(&bot, "s1", json!(token)).await, "nobody", "{reason}");
        let log = bot.log();
        let told = log.lines().rfind(|line| line.contains("a verification token does not hold"));
        assert!(told.is_some_and(|line| line.contains(reason)), "{reason} in {log}");
        assert!(token.is_empty() || !log.contains(&token));
    }
    for shown in [json!(5), json!({ "a": 1 }), json!([good])] {
        assert_eq!(who(&bot, "s1", shown).await, "nobody");
    }
    assert!(!bot.log().to_lowercase().contains("sarah@") && !bot.log().contains(&good));
    assert_eq!(who(&bot, "s1", json!(good)).await, "sarah@example.com");
}

#[tokio::test]
async fn a_token_of_one_conversation_is_none_of_another() {
    let bot = by_hmac().await;
    let token = json!(compact(&sarah()));
    assert_eq!(who(&bot, "s1", token.clone()).await, "sarah@example.com");
    assert_eq!(who(&bot, "s2", token.clone()).await, "nobody");
    bot.pass(599);
    assert_eq!(who(&bot, "s1", token.clone()).await, "sarah@example.com");
    bot.pass(1);
    assert_eq!(who(&bot, "s1", token).await, "nobody");
}

#[tokio::test]
async fn the_newest_token_of_the_session_counts() {
    let bot = by_hmac().await;
    let user = |token: Option<String>| match token {
        Some(token) => json!({ "event": "user", "text": "hi", "metadata": { "token": token } }),
        None => json!({ "event": "user", "text": "hi" }),
    };
    let sarah_s = || user(Some(compact(&sarah())));
    let ben_s = || user(Some(compact(&with(sarah(), "email", "ben@example.com"))));
    let expired = || user(Some(compact(&with(sarah(), "exp", NOW - 1))));
    let session = || json!({ "event": "session_started" });
    for (events, expected) in [
        (json!([session(), sarah_s(), user(None), user(None)]), "sarah@example.com"),
        (json!([sarah_s(), ben_s(), user(None)]), "ben@example.com"),
        (json!([sarah_s(), expired(), user(None)]), "nobody"),
        (json!([sarah_s(), session(), user(None)]), "nobody"),
        (json!([sarah_s(), { "event": "restart" }, user(None)]), "nobody"),
        (json!([{ "event": "bot", "metadata": { "token": compact(&sarah()) } }]), "nobody"),
    ] {
        let answer = bot.call("action_who").sender("s1").events(events.clone()).send().await;
        assert_eq!(answer.said()[0], expected, "{events}");
    }
}

#[tokio::test]
async fn a_jwt_is_held_against_algorithm_issuer_and_audience() {
    let bot = bot("{ key: token, jwt: { secret: \"${file:secret.txt}\", algorithms: [HS256], issuer: login, audience: bot }, claims: { email: mail, customer: sub }, sender: conversation }", "").await;
    let claims = json!({ "iss": "login", "aud": ["web", "bot"], "sub": "C-1", "conversation": "s1", "exp": NOW + 60, "mail": "a@example.com" });
    assert_eq!(who(&bot, "s1", json!(jwt(&claims))).await, "a@example.com");
    assert_eq!(who(&bot, "s1", json!(jwt(&with(claims.clone(), "aud", "bot")))).await, "a@example.com");
    let none = format!("{}.{}.", BASE64.encode(r#"{"alg":"none"}"#), BASE64.encode(claims.to_string()));
    let wrong = [
        (jwt(&with(claims.clone(), "iss", "others")), "issued by another"),
        (jwt(&with(claims.clone(), "aud", "web")), "another audience"),
        (jwt(&with(claims.clone(), "aud", Value::Null)), "another audience"),
        (jwt(&with(claims.clone(), "conversation", "s2")), "another conversation"),
        (none, "its signature is not right"),
        (signed(&BASE64.encode(r#"{"alg":"HS512"}"#), &claims, SECRET), "its signature is not right"),
        (signed(&BASE64.encode(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#), &claims, SECRET), "extensions"),
        (compact(&claims), "the form of a token"),
    ];
    for (token, reason) in wrong {
        assert_eq!(who(&bot, "s1", json!(token)).await, "nobody", "{reason}");
        assert!(bot.log().contains(reason), "{reason}");
    }
}

#[tokio::test]
async fn a_secret_that_is_too_short_or_missing_stops_the_start() {
    let settings = "connections: {}\nverify: { metadata: { key: t, hmac: \"${file:secret.txt}\" } }\n";
    let folder = written(&[("legwork.yml", settings), ("secret.txt", "hunter2")]);
    let refused = Bot::refused(folder.path()).await;
    assert!(refused.contains("`verify.metadata`") && refused.contains("shorter than 32"), "{refused}");
    assert!(!refused.contains("hunter2"));
    std::fs::remove_file(folder.path().join("secret.txt")).unwrap();
    assert!(Bot::refused(folder.path()).await.contains("secret.txt cannot be read"));
}

const SIGNED: &str = "verify: { metadata: { key: token, hmac: \"${file:secret.txt}\" } }\n";

fn tom() -> Value {
    with(with(sarah(), "sender", "s2"), "email", "tom@example.com")
}

/// What `tell` says of a result of shared steps that is kept.
async fn tells(bot: &Bot, sender: &str, token: Value) -> Vec<String> {
    let answer = bot.call("tell").sender(sender).metadata(json!({ "token": token })).send().await;
    answer.said().into_iter().map(str::to_owned).collect()
}

async fn keeping(shared: &str) -> Bot {
    let settings = format!("connections: {{ diary: {{ connector: diary }} }}\n{SIGNED}");
    let tell = "steps: [{ use: summary, as: known }, { say: 'Known: {{ known }}.' }]\n";
    let secretly = "steps: [{ call: diary.secretly, with: { who: anna, text: x } }]\n";
    let files = [
        ("legwork.yml", settings.as_str()),
        ("secret.txt", SECRET),
        DIARY,
        ("actions/tell.yml", tell),
        ("actions/secretly.yml", secretly),
        ("actions/shared/summary.yml", shared),
    ];
    Bot::with(&files).await
}

#[tokio::test]
async fn a_kept_result_is_for_those_only_for_whom_the_guard_of_its_steps_holds() {
    let shared = "
require: verified.email == 'sarah@example.com'
steps: [{ call: diary.notes, with: { who: anna }, as: notes }]
result: '{{ notes | length }}'
cache: 15m
";
    let bot = keeping(shared).await;
    let (sarah, tom) = (json!(compact(&sarah())), json!(compact(&tom())));
    let denied = ["I'm not allowed to do that for you."];
    assert_eq!(tells(&bot, "s2", tom.clone()).await, denied);
    assert_eq!(tells(&bot, "s1", sarah.clone()).await, ["Known: 0."]);
    assert_eq!(bot.call("secretly").send().await.said(), [""; 0]);
    assert_eq!(tells(&bot, "s1", sarah.clone()).await, ["Known: 0."], "it is kept");
    assert_eq!(tells(&bot, "s2", tom).await, denied);
    assert_eq!(tells(&bot, "s2", sarah).await, denied, "the token is of another conversation");
    assert_eq!(tells(&bot, "s1", Value::Null).await, denied);
}

#[tokio::test]
async fn a_result_that_is_kept_for_who_is_verified_is_nobody_elses() {
    let shared = "
inputs: { whose: { from: \"{{ verified.email | lower if verified else 'nobody' }}\" } }
steps: [{ call: diary.notes, with: { who: anna }, as: notes }]
result: '{{ notes | length }} for {{ whose }}'
cache: 15m
";
    let bot = keeping(shared).await;
    for _ in 0..2 {
        assert_eq!(tells(&bot, "s1", json!(compact(&sarah()))).await, ["Known: 0 for sarah@example.com."]);
        assert_eq!(tells(&bot, "s2", json!(compact(&tom()))).await, ["Known: 0 for tom@example.com."]);
        assert_eq!(tells(&bot, "s1", Value::Null).await, ["Known: 0 for nobody."]);
        assert_eq!(bot.call("secretly").send().await.said(), [""; 0]);
    }
}

#[tokio::test]
async fn a_result_that_goes_on_from_a_refusal_is_not_kept() {
    let shared = "
steps:
  - call: diary.notes
    with: { who: anna }
    as: notes
    require: notes | length > 0
    outcomes: { denied: [{ say: Nothing yet. }, { continue: [] }] }
result: '{{ notes | length }}'
cache: 15m
";
    let bot = keeping(shared).await;
    for _ in 0..2 {
        assert_eq!(tells(&bot, "s1", Value::Null).await, ["Nothing yet.", "Known: 0."]);
    }
}

#[tokio::test]
async fn a_slow_turn_knows_who_was_verified_when_it_was_called() {
    let held = Held::open().await;
    let settings = held.settings(&format!("turn: {{ slow_after: 50ms, give_up_after: 30s }}\n{SIGNED}"));
    let action = "
require: verified.email == 'sarah@example.com'
steps:
  - call: desk.look
    as: number
    require: number > 0 and verified.email == 'sarah@example.com'
  - say: \"{{ number }} for {{ verified.email | lower }}\"
messages:
  en: { slow: \"One moment, {{ verified.email | lower }}.\" }
";
    let files = [("legwork.yml", settings.as_str()), ("secret.txt", SECRET), HELD, ("actions/action_x.yml", action)];
    let bot = Bot::with(&files).await;
    let call = |sender: &str, token: Value| bot.call("action_x").sender(sender).metadata(json!({ "token": token }));
    let (sarah, tom) = (json!(compact(&sarah())), json!(compact(&tom())));
    let denied = ["I'm not allowed to do that for you."];
    assert_eq!(call("s1", sarah.clone()).send().await.said(), ["One moment, sarah@example.com."]);
    // Neither another conversation nor one that is not verified joins it.
    assert_eq!(call("s2", tom.clone()).send().await.said(), denied);
    assert_eq!(call("s2", tom).second().send().await.said(), denied);
    assert_eq!(call("s3", sarah.clone()).second().send().await.said(), denied);
    let second = call("s1", sarah).second().begin();
    held.release();
    assert_eq!(second.await.unwrap().said(), ["1 for sarah@example.com"]);
    assert_eq!(held.count(), 1);
}

const SEND: (&str, &str) = (
    "actions/action_send.yml",
    "
inputs: { email: { missing: Which address? } }
steps:
  - send_code: \"{{ email }}\"
    outcomes:
      rate_limited: Too often.
      invalid: No address.
  - say: Sent.
",
);

const CHECK: (&str, &str) = (
    "actions/action_check.yml",
    "
steps:
  - verify_code: \"{{ user_text }}\"
    outcomes:
      invalid: Wrong.
      denied: Too many.
      not_found: None.
  - say: \"Welcome {{ verified.email }}.\"
",
);

const NOTES: (&str, &str) = (
    "actions/action_notes.yml",
    "
steps:
  - call: desk.notes
    as: notes
    refresh: true
  - set: { notes: \"{{ notes | map(attribute='text') | list }}\" }
",
);

async fn send(bot: &Bot, sender: &str, email: &str) -> String {
    bot.call("action_send").sender(sender).slot("email", email).send().await.said()[0].to_owned()
}

async fn check(bot: &Bot, sender: &str, typed: &str) -> String {
    bot.call("action_check").sender(sender).text(typed).send().await.said()[0].to_owned()
}

/// What the system was sent: address and code.
async fn sent(bot: &Bot) -> Vec<(String, String)> {
    let answer = bot.call("action_notes").send().await;
    let pair = |note: &Value| {
        let (address, code) = note.as_str().unwrap().split_once(' ').unwrap();
        (address.to_owned(), code.to_owned())
    };
    answer.slot("notes").as_array().unwrap().iter().map(pair).collect()
}

/// The same text with another first character.
fn another(text: &str) -> String {
    let first = if text.starts_with('1') { "2" } else { "1" };
    format!("{first}{}", &text[1..])
}

#[tokio::test]
async fn a_code_verifies_the_address_that_it_was_sent_to() {
    let bot = by_hmac().await;
    assert_eq!(check(&bot, "s1", "123456").await, "None.");
    assert_eq!(send(&bot, "s1", " Sarah@Example.com ").await, "Sent.");
    let (address, code) = sent(&bot).await.remove(0);
    assert_eq!((address.as_str(), code.len()), ("Sarah@example.com", 6));
    assert_eq!(check(&bot, "s2", &code).await, "None.", "a code is for its own conversation");
    let typed = format!(" {}-{} ", &code[..3], &code[3..]);
    assert_eq!(check(&bot, "s1", &typed).await, "Welcome sarah@example.com.");
    assert_eq!(check(&bot, "s1", &code).await, "None.", "a code is good once");
    let answer = bot.call("action_who").sender("s1").send().await;
    assert_eq!(answer.said(), ["sarah@example.com", "code 2026-01-20T12:00:00.000Z "]);
    assert_eq!(bot.call("action_who").sender("s2").send().await.said(), ["nobody"]);
    bot.pass(30 * 60);
    assert_eq!(bot.call("action_who").sender("s1").send().await.said(), ["nobody"], "a verification ends");
    assert!(!bot.log().contains(&code) && !bot.log().to_lowercase().contains("sarah@"));
}

#[tokio::test]
async fn what_one_caller_s_user_proved_is_nothing_to_another_caller() {
    let settings = "
connections: { desk: { connector: desk } }
server: { auth: [{ name: a, token: \"${file:a.txt}\" }, { name: b, token: \"${file:b.txt}\" }] }
verify: { code: { call: desk.note, with: { text: \"{{ address }} {{ code }}\" } } }
";
    let bot =
        Bot::with(&[("legwork.yml", settings), ("a.txt", "aaa"), ("b.txt", "bbb"), DESK, WHO, SEND, CHECK, NOTES]).await;
    let by = |caller: &'static str, action: &'static str| bot.call(action).caller(caller).slot("email", "sarah@example.com");
    assert_eq!(by("aaa", "action_send").send().await.said(), ["Sent."]);
    let notes = by("aaa", "action_notes").send().await;
    let code = notes.slot("notes")[0].as_str().unwrap().split(' ').nth(1).unwrap().to_owned();
    assert_eq!(by("bbb", "action_check").text(&code).send().await.said(), ["None."]);
    assert_eq!(by("aaa", "action_check").text(&code).send().await.said(), ["Welcome sarah@example.com."]);
    assert_eq!(by("bbb", "action_who").send().await.said(), ["nobody"]);
    assert_eq!(by("aaa", "action_who").send().await.said()[0], "sarah@example.com");
}

#[tokio::test]
async fn a_code_cannot_be_guessed() {
    let bot = by_hmac().await;
    send(&bot, "s1", "sarah@example.com").await;
    let code = sent(&bot).await.remove(0).1;
    for _ in 0..4 {
        assert_eq!(check(&bot, "s1", &another(&code)).await, "Wrong.");
    }
    assert_eq!(check(&bot, "s1", "").await, "Too many.");
    assert_eq!(check(&bot, "s1", &code).await, "Too many.", "the right one is too late");
    assert_eq!(bot.call("action_who").sender("s1").send().await.said(), ["nobody"]);
}

#[tokio::test]
async fn a_code_expires_and_a_new_one_takes_its_place() {
    let bot = by_hmac().await;
    send(&bot, "s1", "sarah@example.com").await;
    bot.pass(31);
    assert_eq!(send(&bot, "s1", "sarah@example.com").await, "Sent.");
    let codes = sent(&bot).await;
    if codes[0].1 != codes[1].1 {
        assert_eq!(check(&bot, "s1", &codes[0].1).await, "Wrong.");
    }
    bot.pass(600);
    assert_eq!(check(&bot, "s1", &codes[1].1).await, "None.");
}

#[tokio::test]
async fn codes_are_sent_seldom_by_sender_and_to_an_address() {
    let bot = bot("{ key: token, hmac: \"${file:secret.txt}\" }", ", per_hour: 2").await;
    assert_eq!(send(&bot, "s1", "nonsense").await, "No address.");
    assert_eq!(send(&bot, "s1", "a@example.com").await, "Sent.");
    assert_eq!(send(&bot, "s1", "b@example.com").await, "Too often.", "one sender, at once");
    assert_eq!(send(&bot, "s2", "A@EXAMPLE.com").await, "Too often.", "one address in other letters, at once");
    bot.pass(30);
    assert_eq!(send(&bot, "s2", "a@example.com").await, "Sent.");
    bot.pass(30);
    assert_eq!(send(&bot, "s3", "a@example.com").await, "Too often.", "one address, a third time in an hour");
    assert_eq!(send(&bot, "s3", "c@example.com").await, "Sent.");
    bot.pass(3600);
    assert_eq!(send(&bot, "s3", "a@example.com").await, "Sent.");
    assert_eq!(sent(&bot).await.len(), 4);
}

#[tokio::test]
async fn a_code_step_needs_settings_and_an_operation_that_writes() {
    let action = ("actions/action_x.yml", "steps: [{ send_code: a@example.com }, { verify_code: \"1\", as: x }]\n");
    let found = problems(&[DESK, action, ("legwork.yml", "connections: { desk: { connector: desk } }\n")]);
    assert_eq!(found.iter().filter(|line| line.starts_with("missing-setting")).count(), 2, "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("misplaced-key")), "{found:#?}");
    let settings = "connections: { desk: { connector: desk } }\nverify:\n  code: { call: desk.echo, with: { value: \"{{ code }}\" }, length: 3, to: fax }\n  metadata: { key: t, jwt: { public_key: \"${K}\", algorithms: [HS256] }, claims: { name: n } }\n";
    let found = problems(&[DESK, ("legwork.yml", settings)]);
    for part in ["`desk.echo` only reads", "3 is out of bounds", "sent to `fax`", "signed by `HS256`", "their `name`"] {
        assert!(found.iter().any(|line| line.contains(part)), "{part}: {found:#?}");
    }
}
