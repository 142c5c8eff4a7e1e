//! The SQLite file behind a store: one connection on a thread of its own, which commits at once what many ask for.
//!
//! A commit waits for the disk, and after a restart hundreds of turns want one at the same time. So whatever waits is done in one
//! transaction, in the order in which it was asked; each step of it stands or falls alone, and nobody hears of his before all
//! of it is on the disk. What was asked for is done also when nobody waits for it any more.

use std::io;
use std::thread;
use std::time::Duration;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Error};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::db::Arg;
use super::tokens::StoreError;
use super::{db, migrate};
use crate::time::paused::outside;

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// How much is done in one transaction at most.
const AT_ONCE: usize = 64;

/// A file, or a database in memory. It is closed when this is dropped.
pub(super) struct Sqlite {
    jobs: mpsc::UnboundedSender<Job>,
}

/// A value for a parameter.
#[derive(Debug, Clone)]
enum Value {
    Number(i64),
    Text(String),
    Bytes(Option<Vec<u8>>),
}

/// A statement and its values.
pub(super) struct Statement {
    sql: &'static str,
    values: Vec<Value>,
}

/// Something to be done in one step, and who waits for its end.
enum Job {
    /// A statement; how many rows it changes.
    Run(Statement, Tell<u64>),
    /// Statements, all or none: the first one that changes nothing ends them.
    All(Vec<Statement>, Tell<bool>),
    /// A statement; its rows.
    Rows(Statement, Tell<Vec<SqliteRow>>),
    /// A statement that no transaction may have around it.
    Alone(&'static str, Tell<()>),
    /// The end.
    Close(Tell<()>),
}

type Tell<T> = oneshot::Sender<Result<T, StoreError>>;

impl Sqlite {
    /// Opens a database and takes the steps that it has not taken yet.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, Refused> {
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            // In a write-ahead log, less than this may lose what was committed last when the power fails.
            .synchronous(SqliteSynchronous::Full)
            // What was deleted is personal: it is not to stand in the file's free pages.
            .pragma("secure_delete", "on")
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let (jobs, asked) = mpsc::unbounded_channel();
        let (tell, told) = oneshot::channel();
        // Its own runtime: the store may outlive that of whoever opened it.
        let runtime = Builder::new_current_thread().build().map_err(|error| Refused::Opening(Error::Io(error)))?;
        let work = move || {
            runtime.block_on(async {
                match opened(options).await {
                    Ok(connection) => {
                        let _gone = tell.send(Ok(()));
                        serve(connection, asked).await;
                    }
                    Err(refused) => drop(tell.send(Err(refused))),
                }
            });
        };
        let thread = thread::Builder::new().name("legwork-store".to_owned()).spawn(work);
        thread.map_err(|error| Refused::Opening(Error::Io(error)))?;
        outside(told).await.unwrap_or_else(|_| Err(Refused::Opening(gone())))?;
        Ok(Self { jobs })
    }

    /// Runs a statement; how many rows it changed.
    pub(super) async fn run(&self, statement: Statement) -> Result<u64, StoreError> {
        self.ask(|tell| Job::Run(statement, tell)).await
    }

    /// Runs statements, all or none; false when one of them changed nothing, and then nothing has changed.
    pub(super) async fn all(&self, statements: Vec<Statement>) -> Result<bool, StoreError> {
        self.ask(|tell| Job::All(statements, tell)).await
    }

    /// The rows of a statement.
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<SqliteRow>, StoreError> {
        self.ask(|tell| Job::Rows(statement, tell)).await
    }

    /// Merges its log into the file, and empties it.
    pub(super) async fn scrub(&self) -> Result<(), StoreError> {
        self.ask(|tell| Job::Alone("pragma wal_checkpoint(truncate)", tell)).await
    }

    /// Closes it; its log is merged into the file.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        self.ask(Job::Close).await
    }

    /// Has something done, and waits until it is on the disk.
    async fn ask<T>(&self, job: impl FnOnce(Tell<T>) -> Job) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let closed = || db::failed(&gone());
        self.jobs.send(job(tell)).map_err(|_| closed())?;
        outside(told).await.unwrap_or_else(|_| Err(closed()))
    }
}

/// Why a database cannot be used.
pub(super) enum Refused {
    /// It cannot be opened.
    Opening(Error),
    /// Its tables cannot be used.
    Tables(String),
}

async fn opened(options: SqliteConnectOptions) -> Result<SqliteConnection, Refused> {
    let mut connection = options.connect().await.map_err(Refused::Opening)?;
    migrate::file(&mut connection).await.map_err(Refused::Tables)?;
    Ok(connection)
}

fn gone() -> Error {
    Error::Io(io::Error::other("the database was closed"))
}

/// Does what is asked for until nobody can ask any more.
async fn serve(mut connection: SqliteConnection, mut asked: mpsc::UnboundedReceiver<Job>) {
    let mut jobs = Vec::new();
    let mut closes = None;
    while closes.is_none() && asked.recv_many(&mut jobs, AT_ONCE).await > 0 {
        let mut group = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Close(tell) => closes = Some(tell),
                Job::Alone(sql, tell) => {
                    together(&mut connection, std::mem::take(&mut group)).await;
                    let _gone = tell.send(plain(&mut connection, sql).await.map_err(|error| db::failed(&error)));
                }
                other => group.push(other),
            }
        }
        together(&mut connection, group).await;
    }
    let closed = connection.close().await;
    if let Some(tell) = closes {
        let _gone = tell.send(closed.map_err(|error| db::failed(&error)));
    }
}

/// Does jobs, in one transaction where more than one statement changes something, and tells how they ended.
async fn together(connection: &mut SqliteConnection, jobs: Vec<Job>) {
    let single = jobs.len() == 1 && !matches!(jobs[..], [Job::All(..)]);
    if single || jobs.iter().all(Job::reads) {
        for job in jobs {
            step(connection, job).await.over(None);
        }
        return;
    }
    let mut ended = Vec::with_capacity(jobs.len());
    // Why none of them is done.
    let mut broken = plain(connection, "begin immediate").await.err();
    for job in jobs {
        // Where another process writes, or the disk is full, what is there can be read.
        if broken.is_some() && !job.reads() {
            ended.push(job.undone());
            continue;
        }
        let mut step = step(connection, job).await;
        // SQLite may have taken all of it back: the rest is not to be done outside of any transaction.
        broken = broken.or_else(|| step.breaks.take());
        ended.push(step);
    }
    if broken.is_none() {
        broken = plain(connection, "commit").await.err();
    }
    if broken.is_some() {
        // Refused where SQLite has done it itself.
        let _refused = plain(connection, "rollback").await;
    }
    let why = broken.map(|error| db::failed(&error));
    ended.into_iter().for_each(|ended| ended.over(why.as_ref()));
}

/// What came of a job, which nobody has heard of yet.
struct Ended {
    /// The failure that ends its whole transaction.
    breaks: Option<Error>,
    tell: Telling,
}

/// Tells whoever waits; where the whole transaction came to nothing, why.
type Telling = Box<dyn FnOnce(Option<&StoreError>) + Send>;

impl Ended {
    /// `reads` says that it changed nothing, so that it holds whatever becomes of the transaction.
    fn of<T: Send + 'static>(tell: Tell<T>, done: Result<T, Error>, reads: bool) -> Self {
        let (done, breaks) = match done {
            Ok(done) => (Ok(done), None),
            Err(error) => (Err(db::failed(&error)), (!is_its_own(&error)).then_some(error)),
        };
        let tell = move |broken: Option<&StoreError>| {
            let _gone = tell.send(match broken {
                Some(broken) if !reads => Err(broken.clone()),
                _ => done,
            });
        };
        Self { breaks, tell: Box::new(tell) }
    }

    /// Tells whoever waits; `broken` is why its transaction came to nothing.
    fn over(self, broken: Option<&StoreError>) {
        (self.tell)(broken);
    }
}

/// Whether it is the failure of one statement, which leaves the others of its transaction as they are.
fn is_its_own(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i64>().ok());
    code.is_some_and(|code| code & 0xff == CONSTRAINT)
}

/// Does one job, all or nothing of it.
async fn step(connection: &mut SqliteConnection, job: Job) -> Ended {
    let reads = job.reads();
    match job {
        Job::Run(statement, tell) => {
            let done = statement.bound().execute(connection).await;
            Ended::of(tell, done.map(|done| done.rows_affected()), reads)
        }
        Job::Rows(statement, tell) => Ended::of(tell, statement.bound().fetch_all(connection).await, reads),
        Job::All(statements, tell) => Ended::of(tell, all_or_none(connection, statements).await, reads),
        Job::Alone(_, tell) | Job::Close(tell) => Ended::of(tell, Ok(()), true),
    }
}

async fn all_or_none(connection: &mut SqliteConnection, statements: Vec<Statement>) -> Result<bool, Error> {
    plain(connection, "savepoint job").await?;
    let all = all(connection, statements).await;
    if !matches!(all, Ok(true)) {
        plain(connection, "rollback to job").await?;
    }
    plain(connection, "release job").await?;
    all
}

/// Runs statements until one changes nothing.
async fn all(connection: &mut SqliteConnection, statements: Vec<Statement>) -> Result<bool, Error> {
    for statement in statements {
        if statement.bound().execute(&mut *connection).await?.rows_affected() == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A statement that begins or ends something. The driver's own transactions do not know of one that SQLite ends of its own
/// accord, as it does when the disk is full, and refuse every further one.
async fn plain(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::query(sql).execute(connection).await.map(|_| ())
}

impl Statement {
    pub(super) fn new(sql: &'static str, args: &[Arg<'_>]) -> Self {
        let value = |arg: &Arg<'_>| match *arg {
            Arg::Number(number) => Value::Number(number),
            Arg::Text(text) => Value::Text(text.to_owned()),
            Arg::Bytes(bytes) => Value::Bytes(bytes.map(<[u8]>::to_vec)),
        };
        Self { sql, values: args.iter().map(value).collect() }
    }

    fn bound(self) -> Query<'static, sqlx::Sqlite, SqliteArguments> {
        self.values.into_iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }
}

impl Job {
    /// Whether it changes nothing.
    fn reads(&self) -> bool {
        matches!(self, Self::Rows(Statement { sql, .. }, _) if sql.starts_with("select"))
    }

    /// It is not begun any more.
    fn undone(self) -> Ended {
        match self {
            Self::Run(_, tell) => Ended::of(tell, Err(gone()), false),
            Self::All(_, tell) => Ended::of(tell, Err(gone()), false),
            Self::Rows(_, tell) => Ended::of(tell, Err(gone()), false),
            Self::Alone(_, tell) | Self::Close(tell) => Ended::of(tell, Err(gone()), false),
        }
    }
}

/// https://www.sqlite.org/rescode.html#constraint
const CONSTRAINT: i64 = 19;

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    fn statement(sql: &'static str) -> Statement {
        Statement::new(sql, &[])
    }

    fn run(sql: &'static str) -> (Job, oneshot::Receiver<Result<u64, StoreError>>) {
        let (tell, told) = oneshot::channel();
        (Job::Run(statement(sql), tell), told)
    }

    fn all(sql: &[&'static str]) -> (Job, oneshot::Receiver<Result<bool, StoreError>>) {
        let (tell, told) = oneshot::channel();
        (Job::All(sql.iter().copied().map(statement).collect(), tell), told)
    }

    fn texts() -> (Job, oneshot::Receiver<Result<Vec<SqliteRow>, StoreError>>) {
        let (tell, told) = oneshot::channel();
        (Job::Rows(statement("select coalesce(group_concat(a), '') from t"), tell), told)
    }

    fn said(rows: Result<Vec<SqliteRow>, StoreError>) -> String {
        rows.unwrap()[0].get(0)
    }

    async fn table() -> SqliteConnection {
        let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
        plain(&mut connection, "create table t (a text primary key)").await.unwrap();
        connection
    }

    #[tokio::test]
    async fn each_of_a_group_stands_or_falls_alone() {
        let mut table = table().await;
        let (first, first_told) = run("insert into t values ('a')");
        let (twice, twice_told) = run("insert into t values ('a')");
        let (half, half_told) =
            all(&["insert into t values ('b')", "delete from t where a = 'x'", "insert into t values ('c')"]);
        let (wrong, wrong_told) = all(&["insert into t values ('d')", "insert into t values ('a')"]);
        let (whole, whole_told) = all(&["insert into t values ('e')", "delete from t where a = 'a'"]);
        let (look, look_told) = texts();
        together(&mut table, vec![first, twice, half, wrong, whole, look]).await;
        assert_eq!(first_told.await.unwrap(), Ok(1));
        assert!(twice_told.await.unwrap().unwrap_err().to_string().contains("1555"));
        assert_eq!(half_told.await.unwrap(), Ok(false));
        assert!(wrong_told.await.unwrap().is_err());
        assert_eq!(whole_told.await.unwrap(), Ok(true));
        assert_eq!(said(look_told.await.unwrap()), "e");
        let (single, single_told) = all(&["insert into t values ('f')", "insert into t values ('e')"]);
        together(&mut table, vec![single]).await;
        assert!(single_told.await.unwrap().is_err());
        let (look, look_told) = texts();
        together(&mut table, vec![look]).await;
        assert_eq!(said(look_told.await.unwrap()), "e");
    }

    #[tokio::test]
    async fn what_breaks_a_group_leaves_nothing_of_it_and_the_next_one_is_done() {
        let mut table = table().await;
        // As small as it is: the next page is one too many, which SQLite takes for a full disk.
        plain(&mut table, "pragma max_page_count = 1").await.unwrap();
        let full = "insert into t select hex(randomblob(5000)) from (values (1), (2), (3))";
        let (before, before_told) = run("insert into t values ('a')");
        let (breaks, breaks_told) = run(full);
        let (look, look_told) = texts();
        let (after, after_told) = run("insert into t values ('b')");
        together(&mut table, vec![before, breaks, look, after]).await;
        assert!(before_told.await.unwrap().is_err(), "nobody may count on it");
        assert!(breaks_told.await.unwrap().unwrap_err().to_string().contains("code 13"));
        assert!(look_told.await.unwrap().is_ok());
        assert!(after_told.await.unwrap().is_err());
        let ((next, next_told), (look, look_told)) = (all(&["insert into t values ('c')"]), texts());
        together(&mut table, vec![next, look]).await;
        assert_eq!(next_told.await.unwrap(), Ok(true));
        assert_eq!(said(look_told.await.unwrap()), "c");
    }

    #[tokio::test]
    async fn while_another_process_writes_reads_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteConnectOptions::new().filename(folder.path().join("a.db")).create_if_missing(true);
        let file = file.journal_mode(SqliteJournalMode::Wal).busy_timeout(Duration::ZERO);
        let (mut one, mut other) = (file.connect().await.unwrap(), file.connect().await.unwrap());
        plain(&mut one, "create table t (a text)").await.unwrap();
        plain(&mut other, "begin immediate").await.unwrap();
        let ((write, write_told), (look, look_told)) = (run("insert into t values ('a')"), texts());
        together(&mut one, vec![write, look]).await;
        assert!(write_told.await.unwrap().unwrap_err().to_string().contains("code 5"));
        assert_eq!(said(look_told.await.unwrap()), "");
    }
}
