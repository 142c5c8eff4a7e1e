//! legwork's own list of writes, as its store has it, and the rows of the database that is written into.
//!
//! Only what an operator sees is read: what a write is known by, and what became of it.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::Fallible;
use crate::options::Form;
use crate::record::{Effect, Listed, Vendor};

/// The writes that the store has.
///
/// # Errors
/// When it cannot be read.
pub async fn listed(folder: &Path, form: &Form) -> Fallible<Vec<Listed>> {
    const QUERY: &str = "select reference, state, promised from legwork_writes";
    let rows: Vec<(String, String, i64)> = match &form.postgres {
        #[cfg(feature = "postgres")]
        Some(address) => {
            let mut database = sqlx::PgConnection::connect(address).await?;
            let rows = sqlx::query_as(QUERY).fetch_all(&mut database).await?;
            database.close().await?;
            rows
        }
        #[cfg(not(feature = "postgres"))]
        Some(_) => return Err("it is built without PostgreSQL".into()),
        None => {
            let mut database = SqliteConnectOptions::new().filename(folder.join("legwork.db")).connect().await?;
            let rows = sqlx::query_as(QUERY).fetch_all(&mut database).await?;
            database.close().await?;
            rows
        }
    };
    let listed = |(reference, state, promised)| Listed { reference, state, promised: promised != 0 };
    Ok(rows.into_iter().map(listed).collect())
}

/// What was written into the database.
///
/// # Errors
/// When it cannot be read.
pub async fn entries(folder: &Path) -> Fallible<Vec<Effect>> {
    let mut database = SqliteConnectOptions::new().filename(folder.join("register.db")).connect().await?;
    let rows: Vec<(i64, String)> = sqlx::query_as("select number, what from entries").fetch_all(&mut database).await?;
    database.close().await?;
    let effect = |(number, order)| Effect { vendor: Vendor::List, order, id: format!("list-{number}") };
    Ok(rows.into_iter().map(effect).collect())
}
