//! "Did you mean": the nearest of the names that would have been right.

/// The name nearest to `given`, when one is near enough to be what was meant.
#[must_use]
pub fn similar<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given_lower = given.to_lowercase();
    let allowed = (given.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|name| *name != given)
        .map(|name| {
            let lower = name.to_lowercase();
            let prefix = lower.len() > 3
                && given_lower.len() > 3
                && (lower.starts_with(&given_lower) || given_lower.starts_with(&lower));
            let distance = strsim::damerau_levenshtein(&given_lower, &lower);
            (if prefix { distance.min(allowed) } else { distance }, name)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["order_id", "order_status", "email"];
        assert_eq!(similar("order_di", known), Some("order_id"));
        assert_eq!(similar("Email", known), Some("email"));
        assert_eq!(similar("order_stat", known), Some("order_status"));
        assert_eq!(similar("colour", known), None);
    }
}
