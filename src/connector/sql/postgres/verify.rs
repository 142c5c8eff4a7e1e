//! Prepares every statement on the server it will run on, which changes nothing there.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Either, Error, Executor as _, SqlSafeStr as _, Statement as _};
use tokio::time::timeout_at;

use super::fault::{self, Trouble};
use super::lines::{Lent, final_of};
use super::session::Access;
use super::system::Postgres;
use super::{bind, decode, tables};
use crate::connector::sql::{Finding, fill, run};
use crate::fault::{Class, Outcome};
use crate::plan::connector::Operation;
use crate::time::Deadline;

/// How long looking at everything may take.
const LOOKING: Duration = Duration::from_secs(20);

impl Postgres {
    /// What the connection's own server, also in tests, has against the connector's statements. In tests its tables are not
    /// made for it.
    pub(in crate::connector::sql) async fn verify(&self) -> Vec<Finding> {
        let until = Deadline::after(LOOKING);
        let looked = timeout_at(until.instant(), self.look(until)).await;
        let late = |_| Err(final_of(Outcome::Unavailable, "the server does not answer in time".to_owned()));
        looked.unwrap_or_else(late).unwrap_or_else(|trouble| {
            let passing = matches!(trouble.fault.class(), Class::Transient | Class::Exhausted);
            let text = match passing {
                true => format!("no statement was looked at: {}", trouble.fault.operator),
                false => trouble.fault.operator,
            };
            vec![Finding { operation: None, text, passing }]
        })
    }

    async fn look(&self, until: Deadline) -> Result<Vec<Finding>, Trouble> {
        self.ready(until).await?;
        let mut main = self.own.main.take(until).await?;
        let place = "looking at the database";
        let connection = main.connection().map_err(|error| fault::of(&error, place))?;
        let missing = tables::missing(connection, run::tables_of(&self.connector)).await;
        if !missing.map_err(|error| fault::of(&error, place))?.is_empty() {
            main.give_back();
            let text =
                "no statement was looked at: the connector's `tables` are made at the first start, and are not yet there";
            return Ok(vec![Finding { operation: None, text: text.to_owned(), passing: true }]);
        }
        let mut reads = match &self.own.reads {
            Some(lines) => Some(lines.take(until).await?),
            None => None,
        };
        let mut findings = Vec::new();
        for operation in self.connector.operations.values() {
            let access = if operation.kind.writes() { Access::Write } else { Access::Read };
            let lent = reads.as_mut().filter(|_| access == Access::Read).unwrap_or(&mut main);
            let found = against(lent, operation).await?.into_iter();
            findings.extend(found.map(|text| Finding { operation: Some(operation.name.clone()), text, passing: false }));
        }
        main.give_back();
        if let Some(reads) = reads {
            reads.give_back();
        }
        Ok(findings)
    }
}

async fn against(lent: &mut Lent, operation: &Operation) -> Result<Vec<String>, Trouble> {
    let mut problems: Vec<String> = Vec::new();
    for (at, statement) in run::statements_of(operation).iter().enumerate() {
        let place = run::statement_name(statement, at);
        for form in fill::forms(&statement.sql, '$') {
            let connection = lent.connection().map_err(|error| fault::of(&error, &place))?;
            let found = match connection.prepare(AssertSqlSafe(form.text.clone()).into_sql_str()).await {
                Ok(prepared) => {
                    let types = match prepared.parameters() {
                        Some(Either::Left(types)) => types,
                        _ => &[],
                    };
                    let columns = prepared.columns().iter().filter_map(decode::misfit);
                    bind::misfits(&form, types).into_iter().chain(columns).collect()
                }
                Err(error @ Error::Database(_)) => vec![fault::described(&error)],
                Err(error) => return Err(fault::of(&error, &place)),
            };
            for text in found.into_iter().map(|text| format!("{place}: {text}")) {
                if !problems.contains(&text) {
                    problems.push(text);
                }
            }
        }
    }
    Ok(problems)
}
