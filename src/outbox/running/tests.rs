//! Tests of the registry: who waits for what, what is decided when, and what is left in the end.

use std::sync::atomic::AtomicUsize;

use tokio::sync::oneshot;
use tokio::time::advance;

use super::*;
use crate::name::{ActionName, CallerName};
use crate::outbox::UserMessage;

const SLOW: Option<Duration> = Some(Duration::from_secs(5));

fn key(sender: &str) -> TurnKey {
    let message = UserMessage::Id("m".into());
    TurnKey {
        caller: CallerName::anonymous(),
        sender: sender.into(),
        action: ActionName::parse("action_x").unwrap(),
        message,
    }
}

/// A registry of texts, which weigh what they are long.
fn running(bounds: Bounds) -> Running<String> {
    Running::new(bounds, String::len)
}

/// Work that ends with what it is told.
fn held() -> (oneshot::Sender<&'static str>, impl Future<Output = String> + Send) {
    let (tell, told) = oneshot::channel();
    (tell, async move { told.await.unwrap_or("never told").to_owned() })
}

impl<T> Entered<T> {
    fn began(self) -> Joined<T> {
        match self {
            Self::Began(joined) => joined,
            Self::Found(_) => panic!("it was there"),
            Self::Full | Self::Refused => panic!("there is no room"),
        }
    }

    fn found(self) -> Joined<T> {
        match self {
            Self::Found(joined) => joined,
            Self::Began(_) => panic!("it began anew"),
            Self::Full | Self::Refused => panic!("there is no room"),
        }
    }
}

fn result(text: &str) -> First<String> {
    First::Result(Arc::new(text.to_owned()))
}

/// Lets tasks that are ready run.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn quick_work_is_answered_at_once_and_leaves_nothing() {
    let turns = running(Bounds::default());
    let joined = turns.enter(key("a"), 1, SLOW, || Some(async { "done".to_owned() })).began();
    assert_eq!(turns.turns(), 1);
    assert_eq!(joined.first().await, result("done"));
    assert_eq!(turns.turns(), 0);
    turns.settled().await;
}

#[tokio::test(start_paused = true)]
async fn slow_work_is_joined_by_the_second_call_however_often_it_comes() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    assert_eq!(turns.enter(key("a"), 1, SLOW, || Some(work)).began().first().await, First::Slow);
    let second = tokio::spawn(turns.find(&key("a")).unwrap().second());
    settle().await;
    tell.send("done").unwrap();
    assert_eq!(*second.await.unwrap(), "done");
    assert_eq!(*turns.find(&key("a")).unwrap().second().await, "done");
    assert!(turns.find(&key("b")).is_none());
    advance(Duration::from_secs(121)).await;
    settle().await;
    assert_eq!(turns.turns(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_the_first_call_gets_what_the_first_got() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    let first = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(work)).began().first());
    settle().await;
    advance(Duration::from_secs(3)).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let again = async move {
        count.fetch_add(1, Ordering::SeqCst);
        String::new()
    };
    let repeat = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(again)).found().first());
    settle().await;
    advance(Duration::from_secs(2)).await;
    // Both are slow at the time of the first, not each at its own.
    assert_eq!((first.await.unwrap(), repeat.await.unwrap()), (First::Slow, First::Slow));
    tell.send("done").unwrap();
    settle().await;
    // A late repeat too, the result being there or not.
    assert_eq!(turns.enter(key("a"), 1, SLOW, || Some(async { String::new() })).found().first().await, First::Slow);
    assert_eq!(begun.load(Ordering::SeqCst), 0);
    // The same action later in the turn is no repeat.
    assert_eq!(turns.enter(key("a"), 2, SLOW, || Some(async { "later".to_owned() })).began().first().await, result("later"));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_a_quick_call_shares_its_work() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    let first = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(work)).began().first());
    let repeat = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(async { String::new() })).found().first());
    settle().await;
    tell.send("done").unwrap();
    assert_eq!((first.await.unwrap(), repeat.await.unwrap()), (result("done"), result("done")));
    assert_eq!(turns.turns(), 0);
}

#[tokio::test(start_paused = true)]
async fn work_ends_with_the_last_who_waits_while_it_is_not_slow() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    let first = turns.enter(key("a"), 1, SLOW, || Some(work)).began();
    let repeat = turns.enter(key("a"), 1, SLOW, || Some(async { String::new() })).found();
    drop(first);
    assert!(!tell.is_closed());
    drop(repeat);
    assert!(tell.is_closed());
    assert_eq!(turns.turns(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_place_of_one_that_is_gone_still_gets_the_result() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    let first = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(work)).began().first());
    settle().await;
    let repeat = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(async { String::new() })).found().first());
    settle().await;
    first.abort();
    settle().await;
    tell.send("done").unwrap();
    assert_eq!(repeat.await.unwrap(), result("done"));
}

#[tokio::test(start_paused = true)]
async fn slow_work_goes_on_when_nobody_waits_and_is_waited_for_at_the_end() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    assert_eq!(turns.enter(key("a"), 1, SLOW, || Some(work)).began().first().await, First::Slow);
    let second = tokio::spawn(turns.find(&key("a")).unwrap().second());
    settle().await;
    second.abort();
    settle().await;
    assert!(!tell.is_closed());
    {
        let mut settled = std::pin::pin!(turns.settled());
        assert!(futures_util::poll!(&mut settled).is_pending());
        tell.send("done").unwrap();
        settled.await;
    }
    assert_eq!(*turns.find(&key("a")).unwrap().second().await, "done");
}

#[tokio::test(start_paused = true)]
async fn a_second_call_decides_that_the_first_is_slow() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    let first = tokio::spawn(turns.enter(key("a"), 1, SLOW, || Some(work)).began().first());
    settle().await;
    let second = tokio::spawn(turns.find(&key("a")).unwrap().second());
    settle().await;
    tell.send("done").unwrap();
    assert_eq!(*second.await.unwrap(), "done");
    assert_eq!(first.await.unwrap(), First::Slow);
}

#[tokio::test(start_paused = true)]
async fn results_wait_for_their_time_and_as_far_as_there_is_room() {
    let turns = running(Bounds { kept_bytes: 10, ..Bounds::default() });
    for (sender, text) in [("a", "12345"), ("b", "12345"), ("c", "12")] {
        let work = async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            text.to_owned()
        };
        let joined = turns.enter(key(sender), 1, Some(Duration::ZERO), || Some(work));
        assert_eq!(joined.began().first().await, First::Slow);
        advance(Duration::from_secs(2)).await;
        settle().await;
    }
    assert!(turns.find(&key("a")).is_none(), "the oldest makes room");
    assert!(turns.find(&key("b")).is_some() && turns.find(&key("c")).is_some());
    advance(Duration::from_secs(110)).await;
    settle().await;
    assert_eq!(turns.turns(), 2);
    advance(Duration::from_secs(20)).await;
    settle().await;
    assert_eq!(turns.turns(), 0);
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_so_many_turns() {
    let turns = running(Bounds { turns: 1, ..Bounds::default() });
    let first = turns.enter(key("a"), 1, SLOW, || Some(async { String::new() })).began();
    assert!(matches!(turns.enter(key("b"), 1, SLOW, || Some(async { String::new() })), Entered::Full));
    assert!(matches!(turns.enter(key("a"), 1, SLOW, || Some(async { String::new() })), Entered::Found(_)));
    drop(first);
    let none = || None::<std::future::Ready<String>>;
    assert!(matches!(turns.enter(key("b"), 1, SLOW, none), Entered::Refused));
    assert_eq!(turns.turns(), 0);
    let begun = turns.enter(key("b"), 1, SLOW, || Some(async { String::new() })).began();
    assert!(matches!(turns.enter(key("b"), 1, SLOW, none), Entered::Found(_)), "who joins needs no place");
    drop(begun);
}

#[tokio::test(start_paused = true)]
async fn results_of_those_who_are_forgotten_wait_for_nobody() {
    let turns = running(Bounds::default());
    let (tell, work) = held();
    for (sender, text) in [("a", "of a"), ("b", "about jane"), ("c", "of c")] {
        let ended = async move {
            sleep(Duration::from_secs(6)).await;
            text.to_owned()
        };
        assert_eq!(turns.enter(key(sender), 1, SLOW, || Some(ended)).began().first().await, First::Slow);
    }
    assert_eq!(turns.enter(key("d"), 1, SLOW, || Some(work)).began().first().await, First::Slow);
    let waits = tokio::spawn(turns.find(&key("d")).unwrap().second());
    settle().await;
    let whose = |turn: &TurnKey, result: Option<&String>| {
        ["a", "d"].contains(&&*turn.sender) || result.is_some_and(|result| result.contains("jane"))
    };
    assert_eq!(turns.forget(whose), 3);
    tell.send("done").unwrap();
    settle().await;
    assert_eq!(*waits.await.unwrap(), "done", "who waits already gets it");
    settle().await;
    let kept = ["a", "b", "c", "d"].map(|sender| turns.find(&key(sender)).is_some());
    assert_eq!(kept, [false, false, true, false]);
}
