//! The engine's own filters, functions and tests that are offered, each with a line of documentation and an example.
//!
//! Not offered: what escapes for HTML, what makes a list or text of any size out of a number, and what changes state.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Error, State, Value, filters, functions, tests};

use super::super::json::chained;
use super::super::operators::is_in;
use super::super::registry::Registry;
use super::offer::offer;

pub(super) fn register(registry: &mut Registry) {
    texts(registry);
    lists(registry);
    offer! { registry.function:
        "range" = functions::range, "whole numbers up to a bound, or from one to the other", "range(1, 4)" => "[1,2,3]";
        "dict" = functions::dict, "a map of the named values", "dict(a=1)" => "{\"a\":1}";
    }
    offer_tests(registry);
}

fn texts(registry: &mut Registry) {
    offer! { registry.mapper:
        "upper" = filters::upper, "in capitals", "'ups' | upper" => "UPS";
        "lower" = filters::lower, "in small letters", "'UPS' | lower" => "ups";
        "title" = filters::title, "every word with a capital", "'blue shirt' | title" => "Blue Shirt";
        "capitalize" = filters::capitalize, "the first letter a capital, the others small",
            "'blue SHIRT' | capitalize" => "Blue shirt";
        "trim" = filters::trim, "without blanks, or the given characters, at both ends", "'  hi ' | trim" => "hi";
        "split" = filters::split, "the parts between a separator", "'a, b' | split(', ')" => "[\"a\",\"b\"]";
        "lines" = filters::lines, "the lines of a text", "'a\\nb' | lines" => "[\"a\",\"b\"]";
        "urlencode" = filters::urlencode, "encoded for a place in an address", "'a b&c' | urlencode" => "a%20b%26c";
    }
    offer! { registry.filter:
        "bool" = filters::bool, "whether it is true, not empty and not 0", "'x' | bool" => "true";
    }
}

fn lists(registry: &mut Registry) {
    offer! { registry.filter:
        "list" = filters::list, "as a list", "'ab' | list" => "[\"a\",\"b\"]";
        "items" = filters::items, "the pairs of a map", "{'a': 1} | items" => "[[\"a\",1]]";
        "dictsort" = filters::dictsort, "the pairs of a map by key",
            "{'b': 1, 'a': 2} | dictsort" => "[[\"a\",2],[\"b\",1]]";
        "attr" = filters::attr, "the value of a key", "{'a': 1} | attr('a')" => "1";
        "zip" = filters::zip, "two lists, entry by entry", "[1, 2] | zip(['a', 'b'])" => "[[1,\"a\"],[2,\"b\"]]";
        "chain" = chain, "lists or maps one after the other", "[1] | chain([2])" => "[1,2]";
        "map" = filters::map, "a key of every entry, or a filter applied to each",
            "[{'a': 1}] | map(attribute='a')" => "[1]";
        "select" = filters::select, "the entries that pass a test", "[1, 2, 3] | select('odd')" => "[1,3]";
        "reject" = filters::reject, "the entries that do not pass a test", "[1, 2, 3] | reject('odd')" => "[2]";
        "selectattr" = filters::selectattr, "the entries whose key is true, or passes a test",
            "[{'a': 1}, {'a': 2}] | selectattr('a', 'eq', 2)" => "[{\"a\":2}]";
        "rejectattr" = filters::rejectattr, "the entries whose key is not true, or does not pass a test",
            "[{'a': 1}, {'a': 2}] | rejectattr('a', 'eq', 2)" => "[{\"a\":1}]";
        "groupby" = filters::groupby, "pairs of a key's value and the entries that have it",
            "[{'a': 1}, {'a': 1}] | groupby('a') | map('first')" => "[1]";
    }
}

/// Of maps, one that answers as the last of them that has the key: the engine's would take an open map's null for an answer.
fn chain(state: &State, value: Value, others: Rest<Value>) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map && others.iter().all(|other| other.kind() == ValueKind::Map) {
        let maps: Vec<Value> = std::iter::once(value.clone()).chain(others.iter().cloned()).collect();
        if let Some(joined) = chained(&maps) {
            return Ok(joined);
        }
    }
    filters::chain(state, value, others)
}

fn offer_tests(registry: &mut Registry) {
    offer! { registry.test:
        "defined" = tests::is_defined, "whether it is there; null is", "missing is defined" => "false";
        "undefined" = tests::is_undefined, "whether it is absent", "missing is undefined" => "true";
        "none" = tests::is_none, "whether it is null", "null is none" => "true";
        "odd" = tests::is_odd, "whether a number is odd", "3 is odd" => "true";
        "even" = tests::is_even, "whether a number is even", "3 is even" => "false";
        "divisibleby" = tests::is_divisibleby, "whether a number divides evenly", "9 is divisibleby(3)" => "true";
        "number" = tests::is_number, "whether it is a number", "5 is number" => "true";
        "integer" = tests::is_integer, "whether it is a whole number, 55.0 being none", "55.0 is integer" => "false";
        "float" = tests::is_float, "whether it is a number with decimals", "55.0 is float" => "true";
        "string" = tests::is_string, "whether it is a text", "'5' is string" => "true";
        "text" = tests::is_string, "whether it is a text", "5 is text" => "false";
        "boolean" = tests::is_boolean, "whether it is true or false", "false is boolean" => "true";
        "sequence" = tests::is_sequence, "whether it is a list", "[] is sequence" => "true";
        "list" = tests::is_sequence, "whether it is a list", "'ab' is list" => "false";
        "mapping" = tests::is_mapping, "whether it is a map", "{} is mapping" => "true";
        "map" = tests::is_mapping, "whether it is a map", "{} is map" => "true";
        "iterable" = tests::is_iterable, "whether one can go through it", "[] is iterable" => "true";
        "startingwith" = tests::is_startingwith, "whether a text begins so", "'abc' is startingwith('a')" => "true";
        "endingwith" = tests::is_endingwith, "whether a text ends so", "'abc' is endingwith('a')" => "false";
        "lower" = tests::is_lower, "whether a text is in small letters", "'abc' is lower" => "true";
        "upper" = tests::is_upper, "whether a text is in capitals", "'abc' is upper" => "false";
        "eq" = tests::is_eq, "whether it equals", "1 is eq(1)" => "true";
        "equalto" = tests::is_eq, "whether it equals", "1 is equalto(2)" => "false";
        "ne" = tests::is_ne, "whether it differs", "1 is ne(2)" => "true";
        "in" = is_in, "whether it is among", "1 is in([1, 2])" => "true";
        "true" = tests::is_true, "whether it is true itself", "1 is true" => "false";
        "false" = tests::is_false, "whether it is false itself", "false is false" => "true";
    }
}
