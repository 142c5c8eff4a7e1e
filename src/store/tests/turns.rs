//! The answers of turns, as another process finds them.

use pretty_assertions::assert_eq;

use super::*;

fn ended(stamp: i64, reply: &str) -> Option<KeptTurn> {
    Some(KeptTurn::Ended { stamp, reply: reply.as_bytes().to_vec() })
}

#[tokio::test]
async fn a_turn_runs_as_long_as_its_process_says_so() {
    each(async |pair: &Pair| {
        let (one, other, what) = (&pair.one, &pair.other, pair.what());
        assert_eq!(other.turn("t", 1).await.unwrap(), None);
        one.turn_runs("t", 7, &lease("a", 10)).await.unwrap();
        assert_eq!(other.turn("t", 109).await.unwrap(), Some(KeptTurn::Running { stamp: 7 }), "{what}");
        assert_eq!(other.turn("t", 110).await.unwrap(), None, "{what}: its process has gone");
        one.turns_run(&["t".to_owned(), "u".to_owned()], &lease("a", 50)).await.unwrap();
        one.turns_run(&[], &lease("a", 90)).await.unwrap();
        other.turns_run(&["t".to_owned()], &lease("b", 90)).await.unwrap();
        assert_eq!(other.turn("t", 149).await.unwrap(), Some(KeptTurn::Running { stamp: 7 }), "{what}");
        assert_eq!(other.turn("t", 150).await.unwrap(), None);
        one.turn_ended("t", 7, b"it", 0, 500).await.unwrap();
        assert_eq!(other.turn("t", 499).await.unwrap(), ended(7, "it"), "{what}");
        assert_eq!(other.turn("t", 500).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_does_not_run_again_but_for_another_call_of_the_turn() {
    each(async |pair: &Pair| {
        let (one, other, what) = (&pair.one, &pair.other, pair.what());
        one.turn_ended("t", 7, b"it", 0, 500).await.unwrap();
        // Whoever says so comes too late.
        other.turn_runs("t", 7, &lease("b", 10)).await.unwrap();
        one.turns_run(&["t".to_owned()], &lease("b", 10)).await.unwrap();
        assert_eq!(one.turn("t", 20).await.unwrap(), ended(7, "it"), "{what}");
        other.turn_runs("t", 8, &lease("b", 10)).await.unwrap();
        assert_eq!(one.turn("t", 20).await.unwrap(), Some(KeptTurn::Running { stamp: 8 }), "{what}");
        assert_eq!(other.turn_ended("t", 8, b"more", 0, 600).await.unwrap(), None);
        assert_eq!(one.turn("t", 20).await.unwrap(), ended(8, "more"));
        // Who ends the same call of it later takes over what was first, as long as that is kept.
        assert_eq!(one.turn_ended("t", 8, b"else", 20, 900).await.unwrap().as_deref(), Some(b"more".as_slice()), "{what}");
        assert_eq!(one.turn("t", 20).await.unwrap(), ended(8, "more"), "{what}");
        assert_eq!(one.turn_ended("t", 8, b"else", 600, 900).await.unwrap(), None, "{what}");
        assert_eq!(one.turn("t", 600).await.unwrap(), ended(8, "else"), "{what}");
    })
    .await;
}

#[tokio::test]
async fn answers_are_forgotten_in_their_time() {
    each(async |pair: &Pair| {
        for (key, until) in [("t", 100), ("u", 200)] {
            pair.one.turn_ended(key, 7, b"it", 0, until).await.unwrap();
        }
        pair.one.turn_runs("v", 7, &lease("a", 1)).await.unwrap();
        assert_eq!(pair.other.forget_turns(101).await.unwrap(), 2, "{}", pair.what());
        assert_eq!(pair.one.turn("u", 101).await.unwrap(), ended(7, "it"));
    })
    .await;
}
