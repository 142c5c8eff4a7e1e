//! The reviewed list of what a description lacks or says otherwise than its vendor's documentation: `exceptions.yml`.
//!
//! Every entry has to be needed: one that nothing in a run asks for is a mistake, as is anything that no entry allows.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Deserialize;

use crate::Fallible;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Requests that no description of their connector has.
    absent: Vec<Absent>,
    /// Requests that a description refuses and the vendor's documentation has.
    contradicted: Vec<Contradicted>,
    /// Names in queries and bodies that a description does not have and the vendor's documentation does.
    unnamed: Vec<Unnamed>,
    /// Proofs of who asks in another form than the connector's.
    proof: Vec<Proof>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Absent {
    connector: String,
    /// As the connector's file has them, each value as `{}`.
    requests: Vec<String>,
    #[serde(flatten)]
    reason: Reason,
}

#[derive(Debug, Deserialize)]
struct Contradicted {
    description: String,
    /// As the description has it.
    request: String,
    /// Parts of what the mock says, each of something else that it says.
    says: Vec<String>,
    #[serde(flatten)]
    reason: Reason,
}

#[derive(Debug, Deserialize)]
struct Unnamed {
    description: String,
    /// As the description has it.
    request: String,
    /// `query.NAME`, `body.NAME.NAME`.
    names: Vec<String>,
    #[serde(flatten)]
    reason: Reason,
}

#[derive(Debug, Deserialize)]
struct Proof {
    description: String,
    header: String,
    value: String,
    #[serde(flatten)]
    reason: Reason,
}

/// Why an entry is there.
#[derive(Debug, Deserialize)]
struct Reason {
    why: String,
    /// Where that can be read.
    source: String,
}

/// The list, and which of its entries were needed.
pub struct Exceptions {
    listed: Listed,
    used: RefCell<BTreeSet<String>>,
}

impl Exceptions {
    pub fn parse(text: &str) -> Fallible<Self> {
        let listed: Listed = serde_saphyr::from_str(text).map_err(|error| format!("exceptions.yml: {error}"))?;
        Ok(Self { listed, used: RefCell::default() })
    }

    /// Whether a request may be missing from the descriptions of its connector.
    pub fn absent(&self, connector: &str, shape: &str) -> bool {
        let mut entries = self.listed.absent.iter().filter(|it| it.connector == connector);
        let listed = entries.any(|it| it.requests.iter().any(|request| request == shape));
        listed && self.need(format!("absent: {connector}: {shape}"))
    }

    /// Whether a mock may say this of a request.
    pub fn contradicted(&self, description: &str, line: &str, violation: &str) -> bool {
        let mut entries = self.listed.contradicted.iter().filter(|it| it.description == description && it.request == line);
        let says = entries.find_map(|it| it.says.iter().find(|says| violation.contains(*says)));
        says.is_some_and(|says| self.need(format!("contradicted: {description}: {line}: {says}")))
    }

    /// Whether a request may have a name in its query or body that the description does not have.
    pub fn unnamed(&self, description: &str, line: &str, name: &str) -> bool {
        let mut entries = self.listed.unnamed.iter().filter(|it| it.description == description && it.request == line);
        entries.any(|it| it.names.iter().any(|listed| listed == name))
            && self.need(format!("unnamed: {description}: {line}: {name}"))
    }

    /// The header that proves who asks, where a description wants another one than the connector's.
    pub fn proof(&self, description: &str) -> Option<(String, String)> {
        let found = self.listed.proof.iter().find(|it| it.description == description)?;
        Some((found.header.clone(), found.value.clone()))
    }

    /// A description's own proof is needed, since the connector's is refused.
    pub fn proof_is_needed(&self, description: &str) {
        let _ = self.need(format!("proof: {description}"));
    }

    fn need(&self, entry: String) -> bool {
        self.used.borrow_mut().insert(entry);
        true
    }

    /// What is wrong with the list itself: entries that nothing needs, and those without a reason.
    pub fn problems(&self) -> Vec<String> {
        let listed = &self.listed;
        let mut all = Vec::new();
        for it in &listed.absent {
            all.extend(it.requests.iter().map(|shape| (format!("absent: {}: {shape}", it.connector), &it.reason)));
        }
        for it in &listed.contradicted {
            let says = |says: &String| (format!("contradicted: {}: {}: {says}", it.description, it.request), &it.reason);
            all.extend(it.says.iter().map(says));
        }
        for it in &listed.unnamed {
            let name = |name: &String| (format!("unnamed: {}: {}: {name}", it.description, it.request), &it.reason);
            all.extend(it.names.iter().map(name));
        }
        all.extend(listed.proof.iter().map(|it| (format!("proof: {}", it.description), &it.reason)));
        let used = self.used.borrow();
        let problem = |(entry, reason): &(String, &Reason)| {
            let unneeded = (!used.contains(entry)).then(|| format!("exceptions.yml has what nothing needs: {entry}"));
            let bare = reason.why.trim().is_empty() || !reason.source.starts_with("https://");
            unneeded.or_else(|| bare.then(|| format!("exceptions.yml gives no reason and source: {entry}")))
        };
        all.iter().filter_map(problem).collect()
    }
}
