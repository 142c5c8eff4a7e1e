//! One run in one form: the vendors, the servers, the users, the killer; then peace, until all that was promised is done; then
//! the judge.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Fallible;
use crate::driver::Driver;
use crate::fake::Fake;
use crate::judge::{Limits, Verdict, judge};
use crate::ledger::{entries, listed};
use crate::machine::Machine;
use crate::options::Form;
use crate::plan::{Options, Plan, rng};
use crate::record::{End, Record, Vendor};
use crate::replica::Replica;
use crate::report::{self, Sum, counts, some, spread};

/// As legwork.yml of the project has them.
const SLOW_AFTER: Duration = Duration::from_secs(1);
const GIVE_UP_AFTER: Duration = Duration::from_secs(3);
/// How long what was promised may take once all is well.
const DRAIN: Duration = Duration::from_secs(90);
/// How long the vendors have to be left alone before all counts as done: longer than what a process that was killed had begun
/// stays its own.
const QUIET: Duration = Duration::from_secs(14);

/// What was found.
pub struct Found {
    pub written: String,
    pub sum: Sum,
}

/// Runs it.
///
/// # Errors
/// When it cannot be run: no port, no server.
pub async fn run(options: &Options, form: &Form, margin: Duration) -> Fallible<Found> {
    let plan = Plan::new(options, played().count(), form.replicas);
    let mut told = String::new();
    let store = if form.postgres.is_some() { "PostgreSQL" } else { "SQLite" };
    writeln!(
        told,
        "chaos: {} on {store}, seed {}, plan {:016x}: {} senders, {} s",
        if form.replicas == 1 { "one server".to_owned() } else { format!("{} servers", form.replicas) },
        options.seed,
        plan.digest(),
        options.senders,
        options.seconds,
    )?;
    let begun = Instant::now();
    let mut fakes = Vec::new();
    for (vendor, forecast) in played().zip(&plan.forecasts) {
        fakes.push(Fake::open(vendor, forecast.clone(), options.seed, begun).await?);
    }
    let folder = tempfile::Builder::new().prefix("chaos-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    project(folder.path(), &fakes, form)?;
    let mut replicas = Vec::new();
    for number in 0..form.replicas {
        replicas.push(Replica::start(folder.path(), number).await?);
    }
    let driver = Arc::new(Driver::new(begun, begun + Duration::from_secs(options.seconds), replicas.clone()));
    let machine = Machine::watch();
    let over = Arc::new(Notify::new());
    let killer = tokio::spawn(kill(Arc::clone(&driver), plan.kills.clone(), Arc::clone(&over)));
    talk(&driver, &plan, options).await?;
    over.notify_one();
    let kills = killer.await??;
    let talked = begun.elapsed();
    let busy = machine.busy();
    let margin = Machine::forgives(margin, busy);
    let limits = Limits { first: SLOW_AFTER, second: GIVE_UP_AFTER - SLOW_AFTER, margin };
    for fake in &fakes {
        fake.heal();
    }
    let (record, mut verdict, drained) = drain(&driver, &fakes, (folder.path(), form), limits).await?;
    for replica in &replicas {
        replica.stop().await?;
    }
    logged(&replicas, &mut verdict, &mut told)?;
    write!(told, "{}", figures(&record, &verdict, &fakes, kills)?)?;
    writeln!(told, "  users talked for {:.1} s; all was done {:.1} s later", talked.as_secs_f64(), drained.as_secs_f64())?;
    writeln!(
        told,
        "  {:.0} % of that time something waited for a processor, up to {:.3} s in this process: {:.3} s are forgiven",
        busy * 100.0,
        machine.latest().as_secs_f64(),
        margin.as_secs_f64(),
    )?;
    if !verdict.sound() {
        report::record(folder.path(), &record)?;
        writeln!(told, "  WRONG, {} problems; files and logs are in {}", verdict.problems.len(), folder.keep().display())?;
        write!(told, "{}", some(&verdict.problems, 40))?;
    }
    Ok(Found { written: told, sum: Sum::of(&verdict, margin) })
}

/// Who is played: the shop, and the vendors but the database.
fn played() -> impl Iterator<Item = Option<Vendor>> {
    std::iter::once(None).chain(Vendor::ALL.into_iter().filter(|vendor| *vendor != Vendor::List).map(Some))
}

fn name(played: Option<Vendor>) -> &'static str {
    played.map_or("shop", Vendor::name)
}

/// Copies the project into a folder, with the addresses of its vendors.
fn project(folder: &Path, fakes: &[Arc<Fake>], form: &Form) -> Fallible<()> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chaos/project");
    for part in ["", "actions", "connectors"] {
        std::fs::create_dir_all(folder.join(part))?;
        for entry in std::fs::read_dir(from.join(part))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), folder.join(part).join(entry.file_name()))?;
            }
        }
    }
    // An address with a user in it is a secret, and has to be named as one.
    let store = if let Some(address) = &form.postgres {
        std::fs::write(folder.join("store.txt"), address)?;
        "${file:store.txt}"
    } else {
        "sqlite://legwork.db"
    };
    let mut settings = std::fs::read_to_string(from.join("legwork.yml"))?.replace("{{STORE}}", store);
    for (name, fake) in played().map(name).zip(fakes) {
        settings = settings.replace(&format!("{{{{{}}}}}", name.to_uppercase()), &format!("http://{}", fake.address));
    }
    Ok(std::fs::write(folder.join("legwork.yml"), settings)?)
}

/// Kills servers as planned until it is over, and says how many there were. Each is up again when it ends.
async fn kill(driver: Arc<Driver>, kills: Vec<(Duration, usize)>, over: Arc<Notify>) -> Fallible<usize> {
    let mut done = 0;
    for (at, replica) in kills {
        tokio::select! {
            () = sleep_until(driver.begun + at) => {}
            () = over.notified() => break,
        }
        driver.replicas[replica].kill().await?;
        done += 1;
    }
    Ok(done)
}

/// Lets all users talk until they have nothing more to say, or it is late.
async fn talk(driver: &Arc<Driver>, plan: &Plan, options: &Options) -> Fallible<()> {
    let mut talking = JoinSet::new();
    for (number, wishes) in plan.senders.iter().enumerate() {
        let (driver, wishes, rng) = (Arc::clone(driver), wishes.clone(), rng(options.seed, "proxy", number));
        talking.spawn(async move { driver.converse(number, &wishes, rng).await });
    }
    while let Some(ended) = talking.join_next().await {
        ended?;
    }
    Ok(())
}

/// Waits until all that was promised is done and the vendors are left alone, and how long that took.
async fn drain(
    driver: &Driver,
    fakes: &[Arc<Fake>],
    (folder, form): (&Path, &Form),
    limits: Limits,
) -> Fallible<(Record, Verdict, Duration)> {
    let healed = Instant::now();
    let (turns, calls) = driver.noted();
    let mut record = Record { turns, calls, ..Record::default() };
    loop {
        record.effects = fakes.iter().flat_map(|fake| fake.effects()).chain(entries(folder).await?).collect();
        record.listed = listed(folder, form).await?;
        let verdict = judge(&record, limits);
        let quiet = fakes.iter().map(|fake| fake.quiet()).min().unwrap_or_default();
        if (verdict.lost + verdict.left == 0 && quiet >= QUIET) || healed.elapsed() > DRAIN {
            return Ok((record, verdict, healed.elapsed().saturating_sub(quiet)));
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// What the servers logged.
fn logged(replicas: &[Arc<Replica>], verdict: &mut Verdict, told: &mut String) -> Fallible<()> {
    for (number, replica) in replicas.iter().enumerate() {
        let (errors, panics) = replica.errors();
        if !errors.is_empty() {
            writeln!(told, "  server {number} logged {} errors", errors.len())?;
            let shortened: Vec<_> = errors.iter().map(|line| line.chars().take(300).collect()).collect();
            write!(told, "{}", some(&shortened, 3))?;
        }
        if panics > 0 {
            verdict.problems.push(format!("server {number} panicked {panics} times"));
        }
        if replica.state().ended {
            verdict.problems.push(format!("server {number} ended by itself"));
        }
    }
    Ok(())
}

fn figures(record: &Record, verdict: &Verdict, fakes: &[Arc<Fake>], kills: usize) -> Result<String, std::fmt::Error> {
    let mut told = String::new();
    let count = |wanted: fn(&End) -> bool| record.calls.iter().filter(|call| wanted(&call.end)).count();
    let (dead, dropped) = (count(|end| matches!(end, End::Dead)), count(|end| matches!(end, End::Dropped)));
    writeln!(told, "  {kills} kills; {dead} calls met a dead server, {dropped} hung up")?;
    writeln!(told, "  first answers {}", spread(&verdict.first))?;
    writeln!(told, "  second answers {}", spread(&verdict.second))?;
    writeln!(told, "  final answers: {}", counts(&verdict.outcomes))?;
    let mut states = BTreeMap::new();
    for listed in &record.listed {
        *states.entry(listed.state.as_str()).or_default() += 1;
    }
    writeln!(told, "  the ledger: {}; promised and unclear: {}", counts(&states), verdict.open)?;
    for (name, fake) in played().map(name).zip(fakes) {
        writeln!(told, "  {name} did {}, asked: {}", fake.effects().len(), counts(&fake.met()))?;
    }
    Ok(told)
}
