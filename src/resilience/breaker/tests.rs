//! Every change of a breaker, to the half second.

use std::sync::Arc;

use pretty_assertions::assert_eq;
use tokio::time::{advance, sleep};

use super::*;

/// A window of 10 seconds, four calls at least, half of them failed or three quarters of them 2 seconds slow; 5 seconds of
/// rest and two probes.
fn rules() -> BreakerRules {
    let number = |number| NonZeroU32::new(number).unwrap();
    BreakerRules {
        window: Duration::from_secs(10),
        calls: number(4),
        failures: Share::of(50),
        slow_after: Duration::from_secs(2),
        slow: Share::of(75),
        rest: Duration::from_secs(5),
        probes: number(2),
    }
}

/// What happens to a breaker.
#[derive(Debug, Clone, Copy)]
enum Do {
    /// A call that is answered at once.
    Answered,
    /// A call that fails at once.
    Fails,
    /// A call that is answered after so many milliseconds.
    Takes(u64),
    /// A call that fails after so many milliseconds.
    FailsAfter(u64),
    /// A call that is given up after so many milliseconds.
    GivenUp(u64),
    /// A call that is refused before it is sent.
    NotSent,
    /// A call that is not let through, and when it would be.
    Shut(Option<u64>),
    /// So many milliseconds pass.
    Wait(u64),
}

async fn happens(breaker: &Breaker, what: Do) {
    let call = || {
        let mut pass = breaker.admit().unwrap_or_else(|shut| panic!("{what:?}: {shut:?}"));
        pass.sent();
        pass
    };
    let pause = |millis| advance(Duration::from_millis(millis));
    match what {
        Do::Answered => call().answered(),
        Do::Fails => call().failed(),
        Do::Takes(millis) => {
            let pass = call();
            pause(millis).await;
            pass.answered();
        }
        Do::FailsAfter(millis) => {
            let pass = call();
            pause(millis).await;
            pass.failed();
        }
        Do::GivenUp(millis) => {
            let pass = call();
            pause(millis).await;
            drop(pass);
        }
        Do::NotSent => {
            let pass = breaker.admit().unwrap();
            pause(60_000).await;
            drop(pass);
        }
        Do::Shut(millis) => assert_eq!(breaker.admit().err().unwrap().wait, millis.map(Duration::from_millis)),
        Do::Wait(millis) => pause(millis).await,
    }
}

#[tokio::test(start_paused = true)]
async fn states_change_as_the_table_says() {
    use BreakerState::{Closed, Open, Probing};
    use Do::{Answered, Fails, FailsAfter, GivenUp, NotSent, Shut, Takes, Wait};
    let table: &[(&str, &[Do], BreakerState)] = &[
        ("nothing has happened", &[], Closed),
        ("too few calls say nothing", &[Fails, Fails, Fails], Closed),
        ("half of enough calls failed", &[Answered, Answered, Fails, Fails], Open),
        ("less than half failed", &[Answered, Answered, Fails, Answered, Fails], Closed),
        ("a good call opens nothing, however bad it was before", &[Fails, Fails, Fails, Answered, Answered], Closed),
        ("the next bad one does", &[Fails, Fails, Fails, Answered, Fails], Open),
        ("failures are forgotten after the window", &[Fails, Fails, Fails, Wait(10_000), Fails], Closed),
        ("and not half a second before", &[Fails, Fails, Fails, Wait(9_500), Fails], Open),
        ("three of four were slow", &[Takes(2_000), Takes(2_000), Answered, Takes(2_000)], Open),
        ("half a second less is not slow", &[Takes(1_500), Takes(1_500), Answered, Takes(1_500)], Closed),
        ("slow failures are failures", &[FailsAfter(2_000), Answered, Answered, FailsAfter(500)], Open),
        ("slow calls that are given up count as slow", &[GivenUp(2_000); 4], Open),
        ("others that are given up say nothing", &[GivenUp(1_500); 9], Closed),
        ("nor do those that were not sent, however long they waited", &[NotSent; 9], Closed),
        ("open refuses and says until when", &[Fails, Fails, Fails, Fails, Shut(Some(5_000))], Open),
        ("to the half second", &[Fails, Fails, Fails, Fails, Wait(4_500), Shut(Some(500))], Open),
        ("after its rest it is about to probe", &[Fails, Fails, Fails, Fails, Wait(5_000)], Probing),
        ("one good probe is not enough", &[Fails, Fails, Fails, Fails, Wait(5_000), Answered], Probing),
        ("two are", &[Fails, Fails, Fails, Fails, Wait(5_000), Answered, Answered], Closed),
        ("what was before is forgotten", &[Fails, Fails, Fails, Fails, Wait(5_000), Answered, Answered, Fails], Closed),
        ("a probe that fails opens again", &[Fails, Fails, Fails, Fails, Wait(5_000), Answered, Fails], Open),
        (
            "for the whole rest",
            &[Fails, Fails, Fails, Fails, Wait(5_000), Fails, Wait(4_500), Shut(Some(500)), Wait(500), Answered],
            Probing,
        ),
        ("a slow probe opens again", &[Fails, Fails, Fails, Fails, Wait(5_000), Takes(2_000)], Open),
        ("and one that is not slow does not", &[Fails, Fails, Fails, Fails, Wait(5_000), Takes(1_500)], Probing),
        (
            "cancelled probes leave nothing behind",
            &[Fails, Fails, Fails, Fails, Wait(5_000), GivenUp(500), NotSent, GivenUp(500), Answered, Answered],
            Closed,
        ),
    ];
    for (case, steps, expected) in table {
        let breaker = Breaker::new(rules(), |_| {});
        for step in *steps {
            happens(&breaker, *step).await;
        }
        assert_eq!(breaker.state().0, *expected, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_probes_as_allowed_run_at_the_same_time() {
    let breaker = Breaker::new(rules(), |_| {});
    for _ in 0..4 {
        happens(&breaker, Do::Fails).await;
    }
    advance(Duration::from_secs(5)).await;
    let (one, two) = (breaker.admit().unwrap(), breaker.admit().unwrap());
    assert_eq!(breaker.admit().err(), Some(Shut { wait: None }), "a third is refused at once");
    drop(one);
    let three = breaker.admit().unwrap();
    assert_eq!(breaker.admit().err(), Some(Shut { wait: None }));
    two.answered();
    assert_eq!(breaker.admit().err(), Some(Shut { wait: None }), "a good one keeps its place");
    three.answered();
    assert_eq!(breaker.state(), (BreakerState::Closed, None));
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_a_change_has_no_say_after_it() {
    let breaker = Breaker::new(rules(), |_| {});
    let (early, late) = (breaker.admit().unwrap(), breaker.admit().unwrap());
    for _ in 0..4 {
        happens(&breaker, Do::Fails).await;
    }
    advance(Duration::from_secs(5)).await;
    let probe = breaker.admit().unwrap();
    early.failed();
    assert_eq!(breaker.state().0, BreakerState::Probing);
    probe.answered();
    breaker.admit().unwrap().answered();
    late.failed();
    assert_eq!(breaker.inner().window.sums(), [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn every_change_is_told_once_with_its_reason() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&told);
    let breaker = Breaker::new(rules(), move |change| {
        ears.lock().unwrap().push(format!("{} → {}: {}", change.from.name(), change.to.name(), change.why));
    });
    use Do::{Answered, Fails, Takes, Wait};
    for step in [Answered, Answered, Fails, Fails, Wait(5_000), Fails, Wait(5_000), Answered, Answered] {
        happens(&breaker, step).await;
    }
    for _ in 0..4 {
        happens(&breaker, Takes(3_000)).await;
    }
    let expected = [
        "closed → open: 2 of 4 calls failed",
        "open → probing: its rest is over",
        "probing → open: a probe failed",
        "open → probing: its rest is over",
        "probing → closed: all probes ended well",
        "closed → open: 4 of 4 calls took 2s or longer",
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

/// Whatever happens, and in whatever order it is given up: no more probes than allowed run, an open breaker lets nothing
/// through before its rest is over, and once a system is well again the breaker closes.
#[tokio::test(start_paused = true)]
async fn nothing_gets_past_it_and_it_never_stays_shut() {
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let breaker = Breaker::new(rules(), |_| {});
        let mut running = Vec::new();
        for _ in 0..400 {
            let before = breaker.state();
            match breaker.admit() {
                Ok(mut pass) => {
                    assert_ne!(before.0, BreakerState::Open, "seed {seed}");
                    pass.sent();
                    running.push(pass);
                }
                Err(shut) => {
                    assert_ne!(before.0, BreakerState::Closed, "seed {seed}");
                    assert!(shut.wait.is_none_or(|wait| wait <= rules().rest), "seed {seed}");
                }
            }
            if let State::Probing { running, good } = breaker.inner().state {
                assert!(running + good <= rules().probes.get(), "seed {seed}");
            }
            while !running.is_empty() && rng.u8(0..3) > 0 {
                let pass = running.swap_remove(rng.usize(0..running.len()));
                match rng.u8(0..3) {
                    0 => pass.failed(),
                    1 => pass.answered(),
                    _ => drop(pass),
                }
            }
            sleep(Duration::from_millis(rng.u64(0..800))).await;
        }
        drop(running);
        for _ in 0..4 {
            sleep(Duration::from_secs(5)).await;
            for _ in 0..2 {
                if let Ok(pass) = breaker.admit() {
                    pass.answered();
                }
            }
        }
        assert_eq!(breaker.state().0, BreakerState::Closed, "seed {seed}");
    }
}
