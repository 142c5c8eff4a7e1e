//! How patiently the system of a connection is asked: what legwork.yml says of it, and what holds in the end, with what the
//! connector's file says and the defaults.
//!
//! Every policy that comes out can run: its constructors have checked it. Nothing here waits or counts.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{CacheRule, Connector, Operation, Rules, System};
use crate::name::OperationName;
use crate::resilience::{Backoff, BreakerRules, BudgetRules, HedgeAfter, SenderRate};

/// How long the statements of a call may take.
const STATEMENTS: Duration = Duration::from_secs(12);
/// How many may wait for a place: enough for a rush, and few enough for memory.
const QUEUE: u32 = 1_000;

/// What legwork.yml says; what is not there is as the connector's file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How many attempts in all.
    pub attempts: Option<NonZeroU32>,
    /// The wait before the second.
    pub first: Option<Duration>,
    /// The longest wait that is not the vendor's.
    pub most: Option<Duration>,
    /// How many repeats there may be.
    pub budget: BudgetRules,
    /// When the system is left alone; never without it.
    pub breaker: Option<BreakerRules>,
    /// How many requests at the same time.
    pub concurrent: Option<NonZeroU32>,
    /// How many may wait for that.
    pub queue: u32,
    /// How many requests in which time.
    pub rate: Option<(NonZeroU32, Duration)>,
    /// How many calls one sender may make.
    pub sender: Option<SenderRate>,
    /// When a second request is made beside a read that takes long.
    pub hedge: Option<HedgeAfter>,
    /// How long answers are kept.
    pub keeping: Keeping,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: None,
            attempts: None,
            first: None,
            most: None,
            budget: BudgetRules::default(),
            breaker: Some(BreakerRules::default()),
            concurrent: None,
            queue: QUEUE,
            rate: None,
            sender: None,
            hedge: None,
            keeping: Keeping::default(),
        }
    }
}

/// Which answers are kept otherwise than the connector's file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keeping {
    /// None at all.
    pub off: bool,
    /// By operation; none for one whose answers are not kept.
    pub operations: BTreeMap<OperationName, Option<CacheRule>>,
}

impl Keeping {
    /// How long the answers of an operation are kept.
    #[must_use]
    pub fn rule(&self, operation: &Operation) -> Option<CacheRule> {
        if self.off {
            return None;
        }
        self.operations.get(&operation.name).copied().unwrap_or(operation.cache)
    }
}

/// How patiently a system is asked in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often and when a request is repeated.
    pub backoff: Backoff,
    /// How many repeats there may be.
    pub budget: BudgetRules,
    /// When the system is left alone.
    pub breaker: Option<BreakerRules>,
    /// How many requests at the same time.
    pub concurrent: NonZeroU32,
    /// How many may wait for that.
    pub queue: u32,
    /// How many requests in which time.
    pub rate: Option<(NonZeroU32, Duration)>,
    /// How many calls one sender may make.
    pub sender: Option<SenderRate>,
    /// When a second request is made beside a read that takes long.
    pub hedge: Option<HedgeAfter>,
}

impl Policies {
    /// Those of a connection to `connector` with these rules.
    ///
    /// # Errors
    /// When what they come to together makes no sense: a longest wait that is shorter than the first.
    pub fn of(connector: &Connector, rules: &Rules) -> Result<Self, String> {
        let own = &rules.patience;
        let http = match &connector.system {
            System::Http(system) => Some(system),
            System::Sql(_) => None,
        };
        // What stands in for the vendor does not share the vendor's limits.
        let rate = http.and_then(|system| system.limits.rate).filter(|_| rules.stand_in.is_none());
        let backoff = match http.map(|system| system.retry) {
            Some(retry) => {
                let first = own.first.unwrap_or(retry.first);
                // A longest wait that nobody has written for this connection makes way for its first.
                let most = own.most.unwrap_or_else(|| retry.most.max(first));
                Backoff::new(own.attempts.unwrap_or(retry.attempts), first, most)?
            }
            // A transaction is not repeated here.
            None => Backoff::new(NonZeroU32::MIN, Duration::ZERO, Duration::ZERO)?,
        };
        Ok(Self {
            timeout: own.timeout.or(http.map(|system| system.timeout)).unwrap_or(STATEMENTS),
            backoff,
            budget: own.budget,
            breaker: own.breaker,
            // How much a database is asked at once is its pool's business unless a connection says otherwise.
            concurrent: own.concurrent.or(http.map(|system| system.limits.concurrent)).unwrap_or(NonZeroU32::MAX),
            queue: own.queue,
            rate: own.rate.or(rate),
            sender: own.sender,
            hedge: own.hedge,
        })
    }
}
