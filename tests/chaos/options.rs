//! The command line of the run.

use std::time::Duration;

use crate::Fallible;
use crate::plan::Options;

/// What was asked for.
pub enum Given {
    /// Nothing: it runs among the other tests.
    Nothing,
    /// A run in each of these forms. An answer may come so much later than it should: for the connection, for reading and
    /// writing, and for a machine that is busy.
    Run { options: Options, forms: Vec<Form>, margin: Duration },
}

/// Which servers and which store.
#[derive(Debug, Clone)]
pub struct Form {
    pub replicas: usize,
    /// The address of a PostgreSQL database; without one it is an SQLite file.
    pub postgres: Option<String>,
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it.
pub fn given(arguments: impl Iterator<Item = String>) -> Fallible<Given> {
    let mut arguments = arguments.peekable();
    // `cargo test` gives its own arguments to every test.
    if arguments.next_if(|first| first == "--run").is_none() {
        return Ok(Given::Nothing);
    }
    let seed = fastrand::u64(..1 << 32);
    let mut options = Options { seed, turns: 100_000, senders: 60, seconds: 40 };
    let mut margin = Duration::from_millis(500);
    let (mut replicas, mut postgres) = (None, None);
    while let Some(flag) = arguments.next() {
        if flag == "--full" {
            options = Options { turns: 10_000, senders: 200, seconds: 1_200, ..options };
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value}: not a whole number"));
        match flag.as_str() {
            "--turns" => options.turns = usize::try_from(number()?)?,
            "--senders" => options.senders = usize::try_from(number()?)?.max(1),
            "--seconds" => options.seconds = number()?,
            "--margin" => margin = Duration::from_millis(number()?),
            "--seed" => options.seed = number()?,
            "--replicas" => replicas = Some(usize::try_from(number()?)?.max(1)),
            "--postgres" => postgres = Some(value),
            other => return Err(format!("{other}: no such option").into()),
        }
    }
    let forms = match (replicas, postgres) {
        (Some(replicas), None) if replicas > 1 => return Err("several replicas need --postgres".into()),
        (Some(replicas), postgres) => vec![Form { replicas, postgres }],
        (None, None) => vec![Form { replicas: 1, postgres: None }],
        (None, postgres) => vec![Form { replicas: 1, postgres: None }, Form { replicas: 2, postgres }],
    };
    Ok(Given::Run { options, forms, margin })
}
