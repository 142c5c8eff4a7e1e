//! Random picks. With a seed in the scope (`random`) every evaluation draws the same.

use fastrand::Rng;
use minijinja::{Error, State, Value};

use super::super::bounds;
use super::super::failure::unsuitable;
use super::super::registry::Registry;
use super::offer::offer;
use super::support::{count, items};

pub(super) fn register(registry: &mut Registry) {
    offer! { registry.filter:
        "pick" = pick, "one entry at random; absent when there is none", "['a'] | pick" => "a";
        "random" = pick, "the same as pick", "['a'] | random" => "a";
        "sample" = sample, "so many entries at random, each at most once", "[1, 2] | sample(2) | sort" => "[1,2]";
    }
    offer! { registry.function:
        "random_int" = random_int, "a whole number at random from one to the other, both possible",
            "random_int(5, 5)" => "5";
    }
}

/// The source of this evaluation's randomness.
fn source<'a>(state: &'a mut State) -> &'a mut Rng {
    let seed = state.lookup("random").and_then(|seed| u64::try_from(seed).ok());
    state.get_or_insert_extension_with(|| seed.map_or_else(Rng::new, Rng::with_seed))
}

fn pick(state: &mut State, value: &Value) -> Result<Value, Error> {
    let mut items = items(value)?;
    match items.len() {
        0 => Ok(Value::UNDEFINED),
        length => Ok(items.swap_remove(source(state).usize(..length))),
    }
}

fn sample(state: &mut State, value: &Value, size: i64) -> Result<Value, Error> {
    let size = count(size, "the size of a sample", 0..=bounds::LIST)?;
    let items = items(value)?;
    Ok(source(state).choose_multiple(items, size).into())
}

fn random_int(state: &mut State, from: i64, to: i64) -> Result<i64, Error> {
    match from <= to {
        true => Ok(source(state).i64(from..=to)),
        false => Err(unsuitable("random_int needs the smaller number first")),
    }
}
