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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::diag::File;
    use crate::plan::connector::{Beside, CacheRule, Files, compile_connector};
    use crate::resilience::{Keep, Share};
    use crate::spec::{Shape as _, connector, yaml};

    const HTTP: &str = "kind: http\nbase: https://a.example\ntimeout: 8s\nretry: { attempts: 2, first: 1s, most: 3s }\n\
         limits: { concurrent: 4, requests: 10, per: 1s }\noperations:\n  find: { request: GET /, cache: { fresh: 1m } }\n  \
         list: { request: GET / }\n  make: { kind: write, request: POST /, idempotency: none }\n";
    const SQL: &str = "kind: sql\ndatabase: ':memory:'\noperations: { find: { sql: select 1 } }\n";

    fn compiled(text: &str) -> Connector {
        let mut out = Diagnostics::default();
        let written = connector::Connector::read(&yaml::parse(&File::new("a.yml", text)).unwrap(), &mut out).unwrap();
        let beside = Beside { files: &Files::new(), formats: None };
        let (connector, wrong) = compile_connector("a", &written, &beside);
        connector.unwrap_or_else(|| panic!("{wrong:?}"))
    }

    /// What a connection to `connector` comes to, and what is said of it.
    fn read(text: &str, connector: &str) -> (Patience, Vec<(Code, String)>) {
        let mut out = Diagnostics::default();
        let tree = yaml::parse(&File::new("legwork.yml", text)).unwrap();
        let written = spec::Connection::read(&tree, &mut out).unwrap();
        let patience = written.patience.map(|it| patience(&it, &compiled(connector), &mut out)).unwrap_or_default();
        (patience, out.into_sorted().into_iter().map(|it| (it.code, it.message)).collect())
    }

    fn policies(text: &str, connector: &str) -> Policies {
        let (patience, wrong) = read(text, connector);
        assert_eq!(wrong, []);
        Policies::of(&compiled(connector), &Rules { patience, ..Rules::default() }).unwrap()
    }

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn what_is_left_out_is_as_the_connector_s_file_says() {
        let policies = policies("connector: a\n", HTTP);
        let usual = Policies::of(&compiled(HTTP), &Rules::default()).unwrap();
        assert_eq!(policies, usual);
        assert_eq!(
            (policies.timeout.as_secs(), policies.backoff.attempts(), policies.concurrent),
            (8, number(2), number(4))
        );
        assert_eq!(policies.rate, Some((number(10), Duration::from_secs(1))));
        assert_eq!((policies.breaker, policies.queue), (Some(BreakerRules::default()), 1_000));
        assert_eq!((policies.sender, policies.hedge), (None, None));
    }

    #[test]
    fn a_connection_goes_before_the_file_key_by_key() {
        let text = "connector: a\ntimeout: 3s\nretry: { attempts: 5, budget: { share: 10%, floor: 0 } }\n\
             breaker: { window: 1m, calls: 4, failures: 25%, slow: { after: 2s, share: 60% }, rest: 5s, probes: 1 }\n\
             limits: { queue: 7, requests: 2, per: 1m, sender: { calls: 20, per: 1m } }\nhedge: { after: 800ms }\n";
        let ours = policies(text, HTTP);
        assert_eq!((ours.timeout.as_secs(), ours.backoff.attempts(), ours.concurrent), (3, number(5), number(4)));
        assert_eq!(ours.budget, BudgetRules { share: Share::new(10).unwrap(), floor: 0 });
        let breaker = BreakerRules {
            window: Duration::from_secs(60),
            calls: number(4),
            failures: Share::new(25).unwrap(),
            slow_after: Duration::from_secs(2),
            slow: Share::new(60).unwrap(),
            rest: Duration::from_secs(5),
            probes: number(1),
        };
        assert_eq!(ours.breaker, Some(breaker));
        assert_eq!((ours.queue, ours.rate), (7, Some((number(2), Duration::from_secs(60)))));
        assert_eq!(ours.sender, Some(SenderRate { calls: number(20), per: Duration::from_secs(60) }));
        assert_eq!(ours.hedge, Some(HedgeAfter::Span(Duration::from_millis(800))));
        let text = "connector: a\nbreaker: off\nhedge: { after: p95 }\nretry: { first: 9s }\n";
        let ours = policies(text, HTTP);
        assert_eq!((ours.breaker, ours.hedge), (None, Some(HedgeAfter::P95)));
        assert_eq!(policies("connector: a\ntimeout: 2s\nlimits: { concurrent: 2 }\n", SQL).concurrent, number(2));
    }

    #[test]
    fn what_is_kept_is_said_by_operation_or_for_all() {
        let (patience, wrong) = read("connector: a\ncache: { find: off, list: { fresh: 30s, stale: 5m }, }\n", HTTP);
        assert_eq!(wrong, []);
        let connector = compiled(HTTP);
        let rule = |keeping: &Keeping, name: &str| keeping.rule(&connector.operations[&OperationName::parse(name).unwrap()]);
        let times = CacheRule::Own(Keep::new(Duration::from_secs(30), Duration::from_secs(300)));
        assert_eq!((rule(&patience.keeping, "find"), rule(&patience.keeping, "list")), (None, Some(times)));
        let (patience, _) = read("connector: a\ncache: off\n", HTTP);
        assert_eq!(rule(&patience.keeping, "find"), None);
        assert!(rule(&Keeping::default(), "find").is_some());
    }

    #[test]
    fn what_makes_no_sense_is_said_where_it_stands() {
        for (text, connector, code, words) in [
            ("timeout: 0s", HTTP, Code::BadValue, "longer than nothing"),
            ("timeout: soon", HTTP, Code::BadValue, "duration"),
            ("retry: { attempts: 0 }", HTTP, Code::BadValue, "from 1"),
            ("retry: { first: 5s, most: 1s }", HTTP, Code::BadValue, "shorter than the first"),
            ("retry: { most: 500ms }", HTTP, Code::BadValue, "shorter than the first"),
            ("retry: { budget: { share: 0% } }", HTTP, Code::BadValue, "from 1% to 100%"),
            ("retry: { tries: 3 }", HTTP, Code::UnknownKey, "tries"),
            ("breaker: { failures: 101% }", HTTP, Code::BadValue, "from 1% to 100%"),
            ("breaker: { failures: 50 }", HTTP, Code::BadValue, "not a share"),
            ("breaker: on", HTTP, Code::WrongType, "`breaker`"),
            ("breaker: { calls: 0 }", HTTP, Code::BadValue, "from 1"),
            ("limits: { requests: 5 }", HTTP, Code::MissingKey, "`per`"),
            ("limits: { sender: { calls: 5 } }", HTTP, Code::MissingKey, "`per`"),
            ("limits: { queue: 99999999999 }", HTTP, Code::BadValue, "more than makes sense"),
            ("hedge: { after: p99 }", HTTP, Code::BadValue, "duration"),
            ("hedge: { }", HTTP, Code::MissingKey, "`after`"),
            ("hedge: { after: 1s }", SQL, Code::MisplacedKey, "database"),
            ("retry: { attempts: 2 }", SQL, Code::MisplacedKey, "database"),
            ("cache: { fnd: off }", HTTP, Code::UnknownOperation, "no operation `fnd`"),
            ("cache: { make: { fresh: 1s } }", HTTP, Code::MisplacedKey, "only answers of a read"),
            ("cache: { find: forever }", HTTP, Code::BadValue, "no cache times"),
        ] {
            let (_, wrong) = read(&format!("connector: a\n{text}\n"), connector);
            assert!(wrong.len() == 1 && wrong[0].0 == code && wrong[0].1.contains(words), "{text}: {wrong:?}");
        }
    }
}
