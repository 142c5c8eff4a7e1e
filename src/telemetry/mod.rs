//! What operators get to know: facts that are log line, metric and (through the request's span) trace at once.
//!
//! Other modules emit a fact and name neither a metric nor a log level themselves. No fact holds a text of a user, a slot's
//! value, a body or a secret, and every metric's labels come from names in files or from enums, so their number is bounded.

mod callback;
mod crowd;
mod facts;
mod lines;
mod logging;
mod metric;
mod outbox;
mod panic;
mod patience;
mod project;
mod recordings;
mod stores;
mod work;
mod writer;

pub use callback::CalledBack;
pub use crowd::{Crowd, Crowded};
pub use facts::{
    ApiEnding, CacheKind, CacheUsed, CallFinished, DatabaseLine, EventDropped, LineUse, QuotaLeft, Refused, Requests,
    Running, SystemAway, TokenFetched, TurnFinished, WouldDo,
};
pub use logging::{Format, Guard, Logging};
pub use metric::{Metric, Metrics};
pub use outbox::{OutboxSize, WriteDelivered, WriteSettled};
pub use panic::{report as report_panics, said as panic_said};
pub use patience::{BreakerChanged, Hedged, HeldBack, Retried, breaker_made};
pub use project::{ProjectChanged, ProjectRefused};
pub use recordings::{TurnRecorded, unseen};
pub use stores::{SecondLevelUsed, StoreState, StoreWatch};
pub use work::{JoinKind, ResultLost, TurnRunning, WorkJoined, WorkRunning};
