//! What a vendor does when it does something, and its log of that. It always tells the truth about what was done; what goes
//! wrong on the way is not its business.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::record::{Effect, Vendor, status_of};
use crate::wire::Asked;

/// A vendor's books; without a vendor, those of the shop, which is only read.
#[derive(Debug)]
pub struct Books {
    vendor: Option<Vendor>,
    effects: Vec<Effect>,
    /// Which effect a key had.
    keys: HashMap<String, usize>,
}

impl Books {
    pub fn new(vendor: Option<Vendor>) -> Self {
        Self { vendor, effects: Vec::new(), keys: HashMap::new() }
    }

    /// What was done, in order.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Does what is asked for, and gives the answer.
    pub fn act(&mut self, asked: &Asked) -> (u16, Value) {
        let path: Vec<_> = asked.path.split('/').skip(1).collect();
        let order = asked.body["order"].as_str();
        match (self.vendor, asked.method.as_str(), &path[..], order) {
            (None, "GET", ["orders", order], _) => (200, json!({ "number": order, "status": status_of(order) })),
            (Some(Vendor::Desk), "POST", ["tickets"], Some(order)) => match &asked.key {
                Some(key) => (201, self.keyed(Vendor::Desk, key, order)),
                None => (400, json!({ "error": "no key" })),
            },
            (Some(Vendor::Crm), "POST", ["leads"], Some(order)) => {
                let Some(reference) = asked.body["reference"].as_str() else {
                    return (400, json!({ "error": "no reference" }));
                };
                self.keys.entry(reference.to_owned()).or_insert(self.effects.len());
                (201, self.done(Vendor::Crm, order))
            }
            (Some(Vendor::Crm), "GET", ["leads"], _) => {
                let reference = asked.query.strip_prefix("reference=").unwrap_or_default();
                let found: Vec<_> = self.keys.get(reference).map(|at| told(&self.effects[*at])).into_iter().collect();
                (200, json!({ "found": found }))
            }
            (Some(Vendor::Yard), "PUT", ["bookings", order], _) => (200, self.keyed(Vendor::Yard, order, order)),
            (Some(Vendor::Post), "POST", ["notes"], Some(order)) => (201, self.done(Vendor::Post, order)),
            _ => (404, json!({ "error": "there is no such thing" })),
        }
    }

    /// What was done for a key, or is now.
    fn keyed(&mut self, vendor: Vendor, key: &str, order: &str) -> Value {
        if let Some(at) = self.keys.get(key) {
            return told(&self.effects[*at]);
        }
        self.keys.insert(key.to_owned(), self.effects.len());
        self.done(vendor, order)
    }

    fn done(&mut self, vendor: Vendor, order: &str) -> Value {
        let id = format!("{}-{}", vendor.name(), self.effects.len() + 1);
        self.effects.push(Effect { vendor, order: order.to_owned(), id });
        self.effects.last().map(told).unwrap_or_default()
    }
}

fn told(effect: &Effect) -> Value {
    json!({ "id": effect.id, "order": effect.order })
}
