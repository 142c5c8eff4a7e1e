//! The fact that an assistant was called back; neither who was told nor what is in it.

use std::time::Duration;

use metrics::counter;

use super::Metric;
use crate::fault::{Class, Fault};
use crate::name::CallerName;

/// An assistant was called back, or was not to be had.
#[derive(Debug, Clone, Copy)]
pub struct CalledBack<'a> {
    /// Which caller it is.
    pub caller: &'a CallerName,
    /// What for: `say` or `trigger`.
    pub way: &'static str,
    /// Why it failed; none when it did not.
    pub fault: Option<&'a Fault>,
    /// Whether it was taken, but for a channel on which nobody hears it.
    pub unheard: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl CalledBack<'_> {
    /// Logs and counts: what an operator must mend at ERROR, what may pass or was heard by nobody at WARN, the rest at INFO.
    pub fn emit(&self) {
        let (caller, way) = (self.caller.as_str(), self.way);
        let outcome = match self.fault {
            Some(fault) => fault.outcome.name(),
            None if self.unheard => "unheard",
            None => "ok",
        };
        let detail = self.fault.map(|fault| fault.operator.as_str());
        let ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(caller, way, outcome, detail, ms, "assistant called back")
            };
        }
        match self.fault.map(Fault::class) {
            Some(Class::Misconfigured | Class::Bug) => log!(error),
            Some(Class::Transient | Class::Exhausted | Class::Rejected) => log!(warn),
            None if self.unheard => log!(warn),
            None => log!(info),
        }
        let labels = [("caller", caller.to_owned()), ("way", way.to_owned()), ("outcome", outcome.to_owned())];
        counter!(Metric::CallbacksTotal.name(), &labels).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Outcome;
    use crate::telemetry::Metrics;

    #[test]
    fn calls_back_are_counted_by_how_they_ended() {
        let metrics = Metrics::install();
        let caller = &CallerName::parse("callback_test").unwrap();
        let fault = Fault::new(Outcome::Timeout, "late");
        for (fault, unheard) in [(None, false), (None, true), (Some(&fault), false)] {
            CalledBack { caller, way: "say", fault, unheard, elapsed: Duration::ZERO }.emit();
        }
        let text = metrics.render();
        for outcome in ["ok", "unheard", "timeout"] {
            let line = format!("legwork_callbacks_total{{caller=\"callback_test\",way=\"say\",outcome=\"{outcome}\"}} 1");
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }
}
