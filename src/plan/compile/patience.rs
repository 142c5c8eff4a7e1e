//! How patiently the system of a connection is asked, as legwork.yml has it: values that make sense, held against what the
//! connector is.

use super::super::connector::{Connector, Keeping, Patience, Policies, Rules, System, cache_rule};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::name::OperationName;
use crate::plan::reading::{count, share, span};
use crate::resilience::{BreakerRules, BudgetRules, HedgeAfter, SenderRate};
use crate::spec::connection::{self as spec, Switch};
use crate::spec::connector::CacheRef;
use crate::spec::{Map, Text, Whole};

/// Reads what a connection to `connector` says.
pub(super) fn patience(written: &spec::Patience, connector: &Connector, out: &mut Diagnostics) -> Patience {
    let usual = Patience::default();
    misplaced(written, connector, out);
    let retry = written.retry.as_ref();
    let limits = written.limits.as_ref();
    let patience = Patience {
        timeout: written.timeout.as_ref().and_then(|text| span(text, out)),
        attempts: retry.and_then(|it| it.attempts.as_ref()).and_then(|whole| count(whole, out)),
        first: retry.and_then(|it| it.first.as_ref()).and_then(|text| span(text, out)),
        most: retry.and_then(|it| it.most.as_ref()).and_then(|text| span(text, out)),
        budget: retry.and_then(|it| it.budget.as_ref()).map_or(usual.budget, |it| budget(it, out)),
        breaker: match &written.breaker {
            None => usual.breaker,
            Some(Switch::Off) => None,
            Some(Switch::On(it)) => Some(breaker(it, out)),
        },
        concurrent: limits.and_then(|it| it.concurrent.as_ref()).and_then(|whole| count(whole, out)),
        queue: limits.and_then(|it| it.queue.as_ref()).and_then(|whole| few(whole, out)).unwrap_or(usual.queue),
        rate: limits.and_then(|it| rate(it, out)),
        sender: limits.and_then(|it| it.sender.as_ref()).and_then(|it| {
            let (calls, per) = (count(&it.calls, out), span(&it.per, out));
            Some(SenderRate { calls: calls?, per: per? })
        }),
        hedge: written.hedge.as_ref().and_then(|it| hedge(&it.after, out)),
        keeping: written.cache.as_ref().map(|it| keeping(it, connector, out)).unwrap_or_default(),
    };
    let rules = Rules { patience: patience.clone(), ..Rules::default() };
    if let (Err(wrong), Some(retry)) = (Policies::of(connector, &rules), retry) {
        let place = retry.most.as_ref().or(retry.first.as_ref()).map_or(&retry.span, |text| &text.span);
        out.push(
            Diagnostic::at(Code::BadValue, place, wrong)
                .help("`first` is the wait before the second attempt, `most` the longest"),
        );
    }
    patience
}

/// What only requests have.
fn misplaced(written: &spec::Patience, connector: &Connector, out: &mut Diagnostics) {
    if matches!(connector.system, System::Http(_)) {
        return;
    }
    let keys = [("retry", written.retry.as_ref().map(|it| &it.span)), ("hedge", written.hedge.as_ref().map(|it| &it.span))];
    for (key, place) in keys.into_iter().filter_map(|(key, place)| Some((key, place?))) {
        let message = format!("`{key}` is for requests, and `{}` is a database", connector.name);
        out.push(Diagnostic::at(Code::MisplacedKey, place, message).help("take it out"));
    }
}

fn budget(written: &spec::Budget, out: &mut Diagnostics) -> BudgetRules {
    let usual = BudgetRules::default();
    BudgetRules {
        share: written.share.as_ref().and_then(|text| share(text, out)).unwrap_or(usual.share),
        floor: written.floor.as_ref().and_then(|whole| few(whole, out)).unwrap_or(usual.floor),
    }
}

fn breaker(written: &spec::Breaker, out: &mut Diagnostics) -> BreakerRules {
    let usual = BreakerRules::default();
    let slow = written.slow.as_ref();
    BreakerRules {
        window: written.window.as_ref().and_then(|text| span(text, out)).unwrap_or(usual.window),
        calls: written.calls.as_ref().and_then(|whole| count(whole, out)).unwrap_or(usual.calls),
        failures: written.failures.as_ref().and_then(|text| share(text, out)).unwrap_or(usual.failures),
        slow_after: slow.and_then(|it| it.after.as_ref()).and_then(|text| span(text, out)).unwrap_or(usual.slow_after),
        slow: slow.and_then(|it| it.share.as_ref()).and_then(|text| share(text, out)).unwrap_or(usual.slow),
        rest: written.rest.as_ref().and_then(|text| span(text, out)).unwrap_or(usual.rest),
        probes: written.probes.as_ref().and_then(|whole| count(whole, out)).unwrap_or(usual.probes),
    }
}

fn rate(written: &spec::ConnectionLimits, out: &mut Diagnostics) -> Option<(std::num::NonZeroU32, std::time::Duration)> {
    match (&written.requests, &written.per) {
        (None, None) => None,
        (Some(requests), Some(per)) => count(requests, out).zip(span(per, out)),
        _ => {
            let diagnostic = Diagnostic::at(Code::MissingKey, &written.span, "`requests` and `per` belong together");
            out.push(diagnostic.help("write both, such as `requests: 10` and `per: 1s`"));
            None
        }
    }
}

fn hedge(after: &Text, out: &mut Diagnostics) -> Option<HedgeAfter> {
    if after.as_str() == "p95" {
        return Some(HedgeAfter::P95);
    }
    span(after, out).map(HedgeAfter::Span)
}

/// A number that may be zero.
fn few(whole: &Whole, out: &mut Diagnostics) -> Option<u32> {
    let few = u32::try_from(whole.value).ok();
    if few.is_none() {
        out.push(
            Diagnostic::at(Code::BadValue, &whole.span, "this is more than makes sense").help("write a smaller number"),
        );
    }
    few
}

/// Which answers are kept otherwise than the connector's file says.
fn keeping(written: &Switch<Map<Switch<CacheRef>>>, connector: &Connector, out: &mut Diagnostics) -> Keeping {
    let Switch::On(written) = written else { return Keeping { off: true, ..Keeping::default() } };
    let mut keeping = Keeping::default();
    for (name, rule) in written.iter() {
        let found = OperationName::parse(name.as_str()).and_then(|name| connector.operations.get_key_value(&name));
        let Some((operation, compiled)) = found else {
            let message = format!("the connector `{}` has no operation `{}`", connector.name, name.value);
            let known = connector.operations.keys().map(OperationName::as_str);
            out.push(Diagnostic::at(Code::UnknownOperation, &name.span, message).did_you_mean(name.as_str(), known));
            continue;
        };
        if compiled.kind.writes() {
            let message = format!("only answers of a read are kept, and `{operation}` is a {}", compiled.kind.name());
            out.push(Diagnostic::at(Code::MisplacedKey, &name.span, message).help("take it out"));
            continue;
        }
        let rule = match rule {
            Switch::Off => None,
            Switch::On(rule) => cache_rule(rule, out),
        };
        keeping.operations.insert(operation.clone(), rule);
    }
    keeping
}
