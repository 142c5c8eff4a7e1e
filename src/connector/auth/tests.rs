//! Authentication against token endpoints on real sockets, with a clock that stands still.

mod csrf;
mod failures;
mod fixed;
mod refresh;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::Auth;
use crate::connector::http::fake::{self, Fake, Reply, Seen};
use crate::connector::http::{Client, HeaderMap, Incoming, Method, Outgoing, StatusCode, Url};
use crate::diag::{Diagnostics, File};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::auth as plan;
use crate::plan::connector::{Setting, SettingValue};
use crate::secret::Secret;
use crate::spec::{Shape as _, auth as spec, yaml};
use crate::store::{MemoryTokens, TokenStore};
use crate::time::{Deadline, FixedClock};

/// Settings of this name are secrets, and all of them have "hunter2" in their value.
const SECRETS: [&str; 6] = ["token", "secret", "password", "refresh", "key", "hook"];

/// What a connection of a test is opened with.
struct House {
    clock: FixedClock,
    store: Arc<dyn TokenStore>,
    settings: Vec<(&'static str, String)>,
}

impl House {
    fn new(settings: &[(&'static str, &str)]) -> Self {
        let clock = FixedClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { clock, store: Arc::new(MemoryTokens::default()), settings }
    }

    /// Opens a connection whose file has this `auth:`.
    fn open(&self, auth: &str) -> Auth {
        self.try_open(auth).unwrap()
    }

    fn try_open(&self, auth: &str) -> Result<Auth, String> {
        let is_secret = |name: &str| SECRETS.contains(&name);
        let values = self.settings.iter().map(|(name, value)| {
            let value = match is_secret(name) {
                true => SettingValue::Secret(Secret::new(value.clone())),
                false => SettingValue::Text(value.clone()),
            };
            ((*name).to_owned(), Some(value))
        });
        let settings: IndexMap<_, _> = values.collect();
        let client = Arc::new(Client::new(&fake::options()).unwrap());
        let clock = Arc::new(self.clock.clone());
        Auth::new(
            &planned(auth, self.settings.iter().map(|(name, _)| *name)),
            &settings,
            client,
            clock,
            Arc::clone(&self.store),
        )
    }
}

/// `auth:` of a connector with these settings.
fn planned<'a>(text: &str, settings: impl Iterator<Item = &'a str>) -> plan::Auth {
    let setting = |name: &str| Setting {
        name: name.to_owned(),
        description: String::new(),
        is_map: false,
        example: None,
        required: true,
        default: None,
        pattern: None,
        secret: SECRETS.contains(&name),
    };
    let settings: Vec<_> = settings.map(setting).collect();
    let mut out = Diagnostics::default();
    let tree = yaml::parse(&File::new("connectors/a.yml", text)).unwrap();
    let plan = spec::Auth::read(&tree, &mut out).and_then(|written| plan::compile(&written, &settings, &mut out));
    assert!(out.is_empty(), "{:?}", out.into_sorted());
    plan.unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn request(method: Method, url: &str) -> Outgoing {
    Outgoing { method, url: Url::parse(url).unwrap(), headers: HeaderMap::new(), body: None }
}

fn get() -> Outgoing {
    request(Method::GET, "https://api.example.com/v1/a?b=c")
}

/// A request after `auth` has been applied to it.
async fn applied(auth: &Auth, mut request: Outgoing) -> Result<Outgoing, Fault> {
    auth.apply(&mut request, soon()).await.map(|()| request)
}

/// What a request says in `Authorization` after `auth` has been applied to it.
async fn authorization(auth: &Auth) -> String {
    header(&applied(auth, get()).await.unwrap(), "authorization")
}

fn header(request: &Outgoing, name: &str) -> String {
    request.headers.get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Incoming {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Incoming { status: StatusCode::from_u16(status).unwrap(), headers, body: "no".into() }
}

/// A token endpoint that numbers its tokens: `token-1`, `token-2`, …
async fn counting(expires_in: Value) -> Fake {
    let count = std::sync::atomic::AtomicUsize::new(0);
    Fake::answering(move |_| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        fake::json(200, &json!({ "access_token": format!("token-{number}"), "expires_in": expires_in }))
    })
    .await
}

/// Waits until something that goes on in the background has happened.
async fn until(happened: impl Fn() -> bool) {
    let wait = async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it has not happened");
}

const CREDENTIALS: &[(&str, &str)] = &[("id", "client"), ("secret", "hunter2")];

fn credentials(fake: &Fake) -> String {
    client_credentials(fake, "")
}

fn client_credentials(fake: &Fake, more: &str) -> String {
    let url = fake.url("/oauth/token");
    format!(
        "oauth2:\n  grant: client_credentials\n  token_url: '{{{{ \"{url}\" }}}}'\n  \
         client_id: '{{{{ settings.id }}}}'\n  client_secret: '{{{{ settings.secret }}}}'\n{more}"
    )
}
