//! legwork with one action more, which is written in Rust: `cargo run --example native_action -- try action_quote -s product=jacket`.
//!
//! It takes every command of legwork: `serve`, which is what it does without one, `check`, `try` and the others.

use std::process::ExitCode;

use legwork::Server;
use legwork::engine::{NativeAction, Turn};
use legwork::fault::{Fault, Outcome};
use serde_json::json;

/// Tells how many of a product can be had in all sizes together.
struct Quote;

impl NativeAction for Quote {
    fn name(&self) -> &str {
        "action_quote"
    }

    // It only looks something up, so the store is not asked about its turns.
    fn writes(&self) -> bool {
        false
    }

    async fn run(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(product) = turn.slot("product") else {
            return Err(Fault::new(Outcome::Invalid, "the slot `product` is not set"));
        };
        let sizes = match turn.call("shop.check_stock", json!({ "product": product })).await {
            Ok(sizes) => sizes,
            Err(fault) if fault.outcome == Outcome::NotFound => {
                turn.say("We don't have that.");
                return Ok(());
            }
            // Any other outcome is said in the words of legwork, or of the project.
            Err(fault) => return Err(fault),
        };
        let all: i64 = sizes.as_array().into_iter().flatten().filter_map(|size| size["quantity"].as_i64()).sum();
        turn.say(format!("There are {all} of them."));
        Ok(())
    }
}

fn main() -> ExitCode {
    Server::builder().action(Quote).main()
}
