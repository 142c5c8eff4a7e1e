//! What stands between an action and a business system that may be slow, down or asked too often.
//!
//! Everything here is generic over what is called: nothing knows a connector, a request or a vendor. The read cache keeps and
//! shares answers, `retry` repeats what failed as far as the [`Budget`] goes, [`hedged`] asks twice where one takes long, the
//! [`Breaker`] leaves alone what is down, [`Limits`] and [`Senders`] hold back what would be too much.

mod backoff;
mod breaker;
mod budget;
pub mod cache;
mod hedge;
mod limits;
mod second;
mod senders;
mod share;
mod window;

pub use backoff::{Backoff, retry};
pub use breaker::{Breaker, BreakerRules, BreakerState, Change, Pass, Shut};
pub use budget::{Budget, BudgetRules};
pub use cache::{CACHE_BYTES, Cached, Keep, Key, Place, Read, ReadCache, ReadOf};
pub use hedge::{Hedge, HedgeAfter, Won, hedged};
pub use limits::{Full, FullBy, Limits, Permit};
pub use second::{Looked, SecondLevel};
pub use senders::{SenderRate, Senders};
pub use share::Share;
