//! The chaos run: the real server between impatient users and vendors at their worst, killed at random: `scripts/chaos`.
//!
//! Without `--run` it says that it was left out. Its last line has what was found; it fails when any of that is wrong.

mod books;
mod driver;
mod fake;
mod judge;
mod ledger;
mod machine;
mod options;
mod plan;
mod reading;
mod record;
mod replica;
mod report;
mod run;
mod tracker;
mod weather;
mod wire;

use std::io::Write as _;
use std::process::ExitCode;

use crate::options::{Given, given};
use crate::report::{Sum, last_line};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Fallible<ExitCode> {
    let mut out = std::io::stdout();
    let Given::Run { options, forms, margin } = given(std::env::args().skip(1))? else {
        writeln!(out, "chaos: left out, it takes two minutes: scripts/chaos")?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut sum = Sum::default();
    for form in &forms {
        let found = run::run(&options, form, margin).await?;
        out.write_all(found.written.as_bytes())?;
        sum.add(found.sum);
    }
    writeln!(out, "{}", last_line(&sum))?;
    Ok(if sum.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
