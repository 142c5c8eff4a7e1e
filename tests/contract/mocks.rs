//! The processes that know the descriptions: mocks that check requests, and GraphQL's reference implementation.
//!
//! They are Node's, and end with who started them: the mocks when this end of their standard input is closed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::Fallible;

/// What a start may take on a busy machine.
const START: Duration = Duration::from_secs(120);

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract").join(name)
}

/// Mocks that are running.
pub struct Mocks {
    addresses: HashMap<String, String>,
    client: reqwest::Client,
    child: Child,
}

/// A request for a mock.
pub struct Ask<'a> {
    pub method: &'a str,
    /// Path and query as the description has them.
    pub target: &'a str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What a mock said.
pub struct Said {
    pub status: u16,
    /// What is wrong with the request, each as a text that begins with its place.
    pub violations: Vec<String>,
}

impl Mocks {
    pub async fn start(packages: &Path, specs: &Path, names: &[&str]) -> Fallible<Self> {
        let mut command = Command::new("node");
        command.arg(script("mocks.mjs")).arg(packages).arg(specs).args(names);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("the mocks have no output")?).lines();
        let mut addresses = HashMap::new();
        let all = async {
            while let Some(line) = lines.next_line().await? {
                match line.split_once(' ') {
                    Some((name, address)) => drop(addresses.insert(name.to_owned(), address.to_owned())),
                    None if line == "ready" => return Ok(()),
                    None => return Err(format!("the mocks say: {line}").into()),
                }
            }
            Err("the mocks ended before they were ready".into())
        };
        let started: Fallible<()> = tokio::time::timeout(START, all).await.map_err(|_| "the mocks did not get ready")?;
        started?;
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { addresses, client, child })
    }

    pub async fn ask(&self, description: &str, ask: &Ask<'_>) -> Fallible<Said> {
        let address = self.addresses.get(description).ok_or_else(|| format!("there is no mock of {description}"))?;
        let method = reqwest::Method::from_bytes(ask.method.as_bytes())?;
        let mut request = self.client.request(method, format!("{address}{}", ask.target)).body(ask.body.clone());
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let header = answer.headers().get("sl-violations").and_then(|it| it.to_str().ok()).map(str::to_owned);
        let body = answer.text().await?;
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let listed =
            header.and_then(|it| serde_json::from_str::<Value>(&it).ok()).unwrap_or_else(|| body["validation"].clone());
        let mut violations: Vec<String> = listed.as_array().into_iter().flatten().filter_map(violation).collect();
        if violations.is_empty() && status >= 400 {
            violations.push(format!("{status} {}: {}", body["title"], body["detail"]));
        }
        Ok(Said { status, violations })
    }

    /// Lets them end.
    pub async fn stop(mut self) -> Fallible<()> {
        drop(self.child.stdin.take());
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// `body.ticket.priority: must be …`; none for what is wrong with the mock's own answer.
fn violation(listed: &Value) -> Option<String> {
    let place = listed["location"].as_array()?;
    let place: Vec<_> = place.iter().map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned)).collect();
    let message = listed["message"].as_str().unwrap_or("is wrong");
    (place.first().is_none_or(|first| first != "response")).then(|| format!("{}: {message}", place.join(".")))
}

/// What is wrong with each GraphQL request `{ query, variables }` by a schema.
pub async fn graphql(packages: &Path, schema: &Path, requests: &[Value]) -> Fallible<Vec<Vec<String>>> {
    let mut command = Command::new("node");
    command.arg(script("graphql.mjs")).arg(packages).arg(schema);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut input = child.stdin.take().ok_or("the validator has no input")?;
    let asked = serde_json::to_vec(requests)?;
    let writes = async move { input.write_all(&asked).await };
    let (written, output) = tokio::join!(writes, child.wait_with_output());
    written?;
    let found: Vec<Vec<String>> = serde_json::from_slice(&output?.stdout)?;
    if found.len() == requests.len() { Ok(found) } else { Err("the validator did not answer every request".into()) }
}
