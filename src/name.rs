//! Names, parsed once into types, so that one kind of name cannot stand where another is meant.
//!
//! A name is cheap to clone (a shared string). Which characters a name may have is checked here and nowhere else.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $accepts:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Arc<str>);

        impl $type {
            /// What a name of this kind looks like, for a message to its author.
            pub const RULE: &'static str = $rule;

            /// The name, when `text` follows [`Self::RULE`].
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let accepts: fn(&str) -> bool = $accepts;
                accepts(text).then(|| Self(Arc::from(text)))
            }

            /// The name as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of an action, as the assistant's domain lists it.
    ActionName, printable, "one word without blanks, such as action_fetch_order"
);
name!(
    /// The name of a slot; Rasa allows hyphens in it.
    SlotName, printable, "one word without blanks, such as order_id"
);
name!(
    /// A name that expressions use: an input, an `as`, a `let`.
    Local, identifier, "letters, digits and underscores, not beginning with a digit"
);
name!(
    /// The name of a connection of legwork.yml, such as `helpdesk`.
    ConnectionName, identifier, "letters, digits and underscores, not beginning with a digit"
);
name!(
    /// The name of an operation of a connector, such as `find_order`.
    ///
    /// A later version of an operation is one of its own beside the first: `find_order@2`.
    OperationName, versioned,
    "letters, digits and underscores, not beginning with a digit, and of a later version its number: find_order@2"
);
name!(
    /// Who calls: the name of an entry of `server.auth`. Work, answers and domains of one caller are never shared with another.
    CallerName, printable, "one word without blanks"
);

impl CallerName {
    /// The caller of a server without `server.auth`.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(Arc::from("anonymous"))
    }
}

fn identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 100
}

fn versioned(text: &str) -> bool {
    let Some((name, version)) = text.split_once('@') else { return identifier(text) };
    let number = version.len() <= 4 && !version.starts_with('0') && version.bytes().all(|c| c.is_ascii_digit());
    identifier(name) && number && !matches!(version, "" | "1")
}

impl OperationName {
    /// The name without its version: that of the first version.
    #[must_use]
    pub fn plain(&self) -> &str {
        self.0.split_once('@').map_or(&*self.0, |(name, _)| name)
    }
}

fn printable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_its_rule_says() {
        assert!(SlotName::parse("my-slot").is_some());
        assert!(Local::parse("my-slot").is_none());
        assert!(Local::parse("1st").is_none());
        assert!(ActionName::parse("action fetch").is_none());
        let version = OperationName::parse("find_order@12").unwrap();
        assert_eq!((version.as_str(), version.plain()), ("find_order@12", "find_order"));
        for wrong in ["find_order@", "find_order@1", "find_order@02", "find_order@2a", "@2", "a@2@3", "find-order"] {
            assert!(OperationName::parse(wrong).is_none(), "{wrong}");
        }
        assert!(ActionName::parse("").is_none());
    }
}
