//! Every request of every built-in connector against its vendor's own description of the API: `scripts/contract`.
//!
//! The descriptions are given with `--specs DIR` and are no part of this project; without them this says that it was left out.
//! Answers are not looked at: what a connector makes of them is for the examples in its file to show.

mod described;
mod exceptions;
mod mocks;
mod report;
mod sending;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use legwork::plan::connector::auth::Proof;
use legwork::plan::connector::{Connector, System};
use legwork::template::{Scope, from_json};
use serde_json::Value;

use crate::described::{Description, GRAPHQL, ROWS, Row};
use crate::exceptions::Exceptions;
use crate::mocks::{Ask, Mocks, graphql};
use crate::report::{Report, Verdict};
use crate::sending::{Pool, Request, Sender, connectors};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What the run was given.
struct Given {
    specs: PathBuf,
    /// Where tests/contract/package.json was installed.
    packages: PathBuf,
}

fn given() -> Option<Given> {
    let arguments: Vec<_> = std::env::args().collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|it| it == flag)?;
        arguments.get(at + 1).map(PathBuf::from)
    };
    Some(Given { specs: after("--specs")?, packages: after("--packages")? })
}

#[tokio::main]
async fn main() -> Fallible<ExitCode> {
    let Some(given) = given() else {
        writeln!(std::io::stdout(), "contract: left out, it needs the vendors' descriptions: scripts/contract SPECS_DIR")?;
        return Ok(ExitCode::SUCCESS);
    };
    let exceptions = Exceptions::parse(include_str!("exceptions.yml"))?;
    let mut report = Report::default();
    let connectors = connectors()?;
    let pool = Pool::new(&connectors);
    let mut names: Vec<_> = ROWS.iter().map(|row| row.file).collect();
    names.sort_unstable();
    names.dedup();
    let mut files = names.iter().chain(GRAPHQL.1);
    if let Some(name) = files.find(|name| !given.specs.join(name).is_file()) {
        return Err(format!("{} has no {name}: it may have another name now", given.specs.display()).into());
    }
    let mocks = Mocks::start(&given.packages, &given.specs, &names).await?;
    for connector in connectors {
        let rows: Vec<_> = ROWS.iter().filter(|row| row.connector == &*connector.name).collect();
        let sender = Sender::run(connector, &pool).await?;
        if *sender.connector.name == *GRAPHQL.0 {
            schemas(&given, &sender, &mut report).await?;
        } else if rows.is_empty() {
            report.undescribed(&sender.connector.name);
        } else {
            against(&given, &mocks, &exceptions, &rows, &sender, &mut report).await?;
        }
    }
    mocks.stop().await?;
    report.problems(exceptions.problems());
    let (text, sound) = report.written();
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Sends what a connector sends to the mocks of its descriptions.
async fn against(
    given: &Given,
    mocks: &Mocks,
    exceptions: &Exceptions,
    rows: &[&Row],
    sender: &Sender,
    report: &mut Report,
) -> Fallible<()> {
    let name = &*sender.connector.name;
    let own = proof(&sender.connector)?;
    let mut descriptions = Vec::new();
    for row in rows {
        let proof = exceptions.proof(row.file).or_else(|| own.clone());
        descriptions.push((*row, Description::read(&given.specs.join(row.file))?, proof));
    }
    report.begin(name, &rows.iter().map(|row| row.file).collect::<Vec<_>>());
    let mut used: BTreeMap<&str, usize> = rows.iter().map(|row| (row.file, 0)).collect();
    for sends in &sender.operations {
        let mut verdicts = Vec::new();
        for request in &sends.requests {
            let (path, query) = request.seen.target.split_once('?').unwrap_or((&request.seen.target, ""));
            let found = descriptions.iter().find_map(|(row, description, proof)| {
                let below = path.strip_prefix(row.prefix)?;
                Some((row, description, below, description.of(&request.seen.method, below)?, proof))
            });
            let Some((row, description, below, described, proof)) = found else {
                let allowed = exceptions.absent(name, &request.shape);
                verdicts.push((request, Verdict::Absent { allowed }));
                continue;
            };
            used.entry(row.file).and_modify(|count| *count += 1);
            let target = if query.is_empty() { below.to_owned() } else { format!("{below}?{query}") };
            let ask = |proof: Option<(String, String)>| Ask {
                method: &request.seen.method,
                target: &target,
                headers: headers(request, proof),
                body: request.seen.body.clone(),
            };
            let said = mocks.ask(row.file, &ask(proof.clone())).await?;
            if *proof != own && mocks.ask(row.file, &ask(own.clone())).await?.status == 401 {
                exceptions.proof_is_needed(row.file);
            }
            let unnamed = description.unnamed(described, query, &request.seen.body).into_iter();
            let unnamed = unnamed.filter(|place| !exceptions.unnamed(row.file, &described.line, place));
            let unnamed = unnamed.map(|place| format!("{place}: the description has no such name"));
            let (excused, mut wrong): (Vec<_>, Vec<_>) =
                said.violations.into_iter().partition(|it| exceptions.contradicted(row.file, &described.line, it));
            wrong.extend(unnamed);
            let wrong = wrong.into_iter().map(|it| format!("{}: {it}", row.file)).collect();
            verdicts.push((request, Verdict::Checked { line: described.line.clone(), wrong, excused }));
        }
        report.operation(sends, &verdicts);
    }
    for (row, _, proof) in &descriptions {
        let (method, target, body) = row.bad;
        let headers = proof.iter().cloned().chain([("content-type".to_owned(), "application/json".to_owned())]).collect();
        let said = mocks.ask(row.file, &Ask { method, target, headers, body: body.into() }).await?;
        report.bad(row.file, &format!("{method} {target} {body}"), &said);
        if used.get(row.file) == Some(&0) {
            report.unused(row.file);
        }
    }
    Ok(())
}

/// Holds what a connector of GraphQL sends against its schemas.
async fn schemas(given: &Given, sender: &Sender, report: &mut Report) -> Fallible<()> {
    let (name, files) = GRAPHQL;
    report.begin(name, files);
    let all: Vec<&Request> = sender.operations.iter().flat_map(|it| &it.requests).collect();
    let mut bodies = Vec::new();
    for request in &all {
        bodies.push(serde_json::from_slice::<Value>(&request.seen.body)?);
    }
    let mut bad = bodies.first().cloned().ok_or("no GraphQL request is sent")?;
    bad["query"] = "query Shop { shop { colour } }".into();
    bodies.push(bad);
    let mut wrong: Vec<Vec<String>> = vec![Vec::new(); all.len()];
    for file in files {
        let found = graphql(&given.packages, &given.specs.join(file), &bodies).await?;
        for (wrong, found) in wrong.iter_mut().zip(&found) {
            wrong.extend(found.iter().map(|it| format!("{file}: {it}")));
        }
        let violations = found.last().cloned().unwrap_or_default();
        let status = if violations.is_empty() { 200 } else { 422 };
        report.bad(file, "query Shop { shop { colour } }", &mocks::Said { status, violations });
    }
    let mut wrong = wrong.into_iter();
    for sends in &sender.operations {
        let verdict = |request| {
            let wrong = wrong.next().unwrap_or_default();
            (request, Verdict::Checked { line: String::new(), wrong, excused: Vec::new() })
        };
        let verdicts: Vec<_> = sends.requests.iter().map(verdict).collect();
        report.operation(sends, &verdicts);
    }
    Ok(())
}

/// The headers as they were sent, and the proof of who asks, which the engine keeps from whoever stands in for a vendor.
fn headers(request: &Request, proof: Option<(String, String)>) -> Vec<(String, String)> {
    const OWN: [&str; 4] = ["host", "content-length", "accept-encoding", "connection"];
    let sent = request.seen.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    sent.cloned().chain(proof).collect()
}

/// The header that proves who asks, in the form that the connector's file says.
fn proof(connector: &Connector) -> Fallible<Option<(String, String)>> {
    let System::Http(system) = &connector.system else { return Ok(None) };
    let header = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
    // Where a connection chooses among several ways, the first stands for all.
    let Some(auth) = system.auth.first() else { return Ok(None) };
    Ok(match &auth.proof {
        Proof::Header { name, .. } => header(name, "example"),
        Proof::Bearer(_) => header("authorization", "Bearer example"),
        // example:example
        Proof::Basic { .. } => header("authorization", "Basic ZXhhbXBsZTpleGFtcGxl"),
        Proof::OAuth2(oauth2) => {
            let scope = Scope::new(std::sync::Arc::new(())).with("token", from_json(&"example".into()));
            let value = oauth2.sent_as.text(&scope).map_err(|failed| format!("{}: sent_as: {failed}", connector.name))?;
            header(&oauth2.sent_in, &value)
        }
        Proof::None | Proof::Query { .. } | Proof::Path { .. } | Proof::OAuth1(_) | Proof::Aws(_) => None,
    })
}
