//! A fake vendor on a port of its own: it does as its books say, in the weather that its forecast has.
//!
//! What goes wrong with a request is drawn by its order and by how often that was asked, not by when. A vendor whose writes are
//! looked for does nothing behind the back of who hung up: no search could find what is not done yet. The others may.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Fallible;
use crate::books::Books;
use crate::plan::rng;
use crate::record::{Effect, Vendor};
use crate::weather::{Forecast, Ill, Lie, Weather};
use crate::wire::{Asked, answer, request, reset};

/// A vendor; without one of those that are written at, the shop.
pub struct Fake {
    vendor: Option<Vendor>,
    pub address: SocketAddr,
    seed: u64,
    forecast: Forecast,
    begun: Instant,
    healed: watch::Sender<bool>,
    /// Changes when every connection is to be broken off.
    cut: watch::Sender<u64>,
    state: Mutex<State>,
}

struct State {
    books: Books,
    /// How often each thing was asked for.
    asked: HashMap<String, usize>,
    met: BTreeMap<&'static str, usize>,
    last: Instant,
}

impl Fake {
    /// Opens it.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub async fn open(vendor: Option<Vendor>, forecast: Forecast, seed: u64, begun: Instant) -> Fallible<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (books, last) = (Books::new(vendor), Instant::now());
        let state = State { books, asked: HashMap::new(), met: BTreeMap::new(), last };
        let fake = Arc::new(Self {
            vendor,
            address,
            seed,
            forecast,
            begun,
            healed: watch::Sender::new(false),
            cut: watch::Sender::new(0),
            state: Mutex::new(state),
        });
        tokio::spawn(Arc::clone(&fake).listen(listener));
        Ok(fake)
    }

    /// From now on all is well.
    pub fn heal(&self) {
        self.healed.send_replace(true);
    }

    /// What was done so far.
    pub fn effects(&self) -> Vec<Effect> {
        self.state().books.effects().to_vec()
    }

    /// What went wrong how often, and how many requests there were.
    pub fn met(&self) -> BTreeMap<&'static str, usize> {
        self.state().met.clone()
    }

    /// How long nobody has asked for anything.
    pub fn quiet(&self) -> Duration {
        self.state().last.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn weather(&self) -> (Weather, Option<Instant>) {
        if *self.healed.borrow() {
            return (Weather::Fine, None);
        }
        let (weather, next) = self.forecast.at(self.begun.elapsed());
        (weather, next.map(|next| self.begun + next))
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        let mut healed = self.healed.subscribe();
        let mut open = Some(listener);
        loop {
            let (weather, next) = self.weather();
            if matches!(weather, Weather::Refusing | Weather::HangingUp) {
                self.cut.send_modify(|cut| *cut += 1);
            }
            if weather == Weather::Refusing {
                open = None;
            } else if open.is_none() {
                // Somebody may have the port for a moment, such as a connection that goes out of it.
                open = TcpListener::bind(self.address).await.ok();
            }
            let until = match (&open, next) {
                (None, _) if weather != Weather::Refusing => Some(Instant::now() + Duration::from_millis(20)),
                _ => next,
            };
            let changes = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let accepts = async {
                loop {
                    let Some(listener) = &open else { std::future::pending().await };
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    if weather == Weather::HangingUp {
                        reset(stream);
                    } else {
                        tokio::spawn(Arc::clone(&self).connection(stream));
                    }
                }
            };
            tokio::select! {
                () = changes => {}
                () = accepts => {}
                // Whoever could change it lives as long as this does.
                _ = healed.changed() => {}
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut cut = self.cut.subscribe();
        let goes_on = async {
            while let Ok(Some(asked)) = request(&mut stream).await {
                if !self.meet(asked, &mut stream).await {
                    return;
                }
            }
        };
        tokio::select! {
            () = goes_on => {}
            _ = cut.changed() => {}
        }
        reset(stream.into_inner());
    }

    /// What goes wrong with a request.
    fn ill(&self, asked: &Asked) -> Option<Ill> {
        let weather = self.weather().0;
        let mut state = self.state();
        state.last = Instant::now();
        let order = asked.body["order"].as_str().unwrap_or(&asked.query);
        let what = format!("{} {} {order}", asked.method, asked.path);
        let count = state.asked.entry(what.clone()).or_default();
        *count += 1;
        let name = self.vendor.map_or("shop", Vendor::name);
        let mut rng = rng(self.seed, &format!("{name} {what}"), *count);
        let ill = if *self.healed.borrow() { None } else { weather.ill(&mut rng) };
        // No answer at all to a search is how some vendors say that they found nothing, which nobody could tell for a lie.
        let ill = match ill {
            Some(Ill::LieAfter(Lie::Empty) | Ill::LieInstead(Lie::Empty)) if asked.method == "GET" => Some(Ill::Truncated),
            other => other,
        };
        *state.met.entry(ill.map_or("well", Ill::name)).or_default() += 1;
        ill
    }

    /// Answers a request as it goes, and says whether the connection goes on.
    async fn meet(self: &Arc<Self>, asked: Asked, stream: &mut BufReader<TcpStream>) -> bool {
        let ill = self.ill(&asked);
        let act = || {
            let mut state = self.state();
            state.last = Instant::now();
            let (status, body) = state.books.act(&asked);
            answer(status, &[], "application/json", &body.to_string())
        };
        let plain = |status: u16, headers: &[(&str, String)]| answer(status, headers, "text/plain", "no");
        let bytes = match ill {
            None => act(),
            Some(Ill::SlowToDo(time)) => {
                if self.vendor == Some(Vendor::Crm) {
                    tokio::select! {
                        () = sleep(time) => act(),
                        // Nobody sends anything before the answer: whoever waits has gone.
                        _ = stream.fill_buf() => return false,
                    }
                } else {
                    // It is done in any case, whoever waits.
                    let this = Arc::clone(self);
                    let done = tokio::spawn(async move {
                        sleep(time).await;
                        let mut state = this.state();
                        state.last = Instant::now();
                        state.books.act(&asked)
                    });
                    let Ok((status, body)) = done.await else { return false };
                    answer(status, &[], "application/json", &body.to_string())
                }
            }
            Some(Ill::SlowToAnswer(time)) => {
                let bytes = act();
                sleep(time).await;
                bytes
            }
            Some(Ill::ResetBefore) => return false,
            Some(Ill::ResetAfter) => {
                act();
                return false;
            }
            Some(Ill::Truncated) => {
                let whole = act();
                let half = whole.len() - 10;
                // Whoever waits may have gone.
                let _ = stream.write_all(&whole[..half]).await;
                let _ = stream.shutdown().await;
                return false;
            }
            Some(Ill::LieAfter(lie)) => {
                act();
                let (body, kind) = lie.body();
                answer(200, &[], kind, body)
            }
            Some(Ill::LieInstead(lie)) => {
                let (body, kind) = lie.body();
                answer(200, &[], kind, body)
            }
            Some(Ill::TooMany(seconds)) => plain(429, &[("retry-after", seconds.to_string())]),
            Some(Ill::FailedBefore) => plain(500, &[]),
            Some(Ill::FailedAfter) => {
                act();
                plain(500, &[])
            }
        };
        stream.write_all(&bytes).await.is_ok()
    }
}
