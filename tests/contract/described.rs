//! The vendors' descriptions: which connector keeps to which, and what each describes.
//!
//! A description is read only to know whether it has a request at all; whether a request is right is for its mock to say.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::Fallible;

/// A description that a connector keeps to, or would if it had what is in it.
pub struct Row {
    pub connector: &'static str,
    /// The description's file.
    pub file: &'static str,
    /// What the paths of the connector's examples begin with and those of the description do not.
    pub prefix: &'static str,
    /// A request of this connector with something wrong in it, to see it refused: method, path and JSON body.
    pub bad: (&'static str, &'static str, &'static str),
}

/// Every one of them. Shopify is held against its schema in place of a mock.
pub const ROWS: &[Row] = &[
    Row {
        connector: "bigcommerce",
        file: "bigcommerce-orders-v2.json",
        prefix: "/stores/abc123/v2",
        bad: ("PUT", "/orders/225", r#"{ "status_id": "cancelled" }"#),
    },
    Row {
        connector: "bigcommerce",
        file: "bigcommerce-catalog-v3.json",
        prefix: "/stores/abc123/v3",
        bad: ("GET", "/catalog/products?limit=many", ""),
    },
    Row {
        connector: "bigcommerce",
        file: "bigcommerce-inventory-v3.json",
        prefix: "/stores/abc123/v3",
        bad: ("GET", "/inventory/items?limit=many", ""),
    },
    Row {
        connector: "bigcommerce",
        file: "bigcommerce-customers-v3.json",
        prefix: "/stores/abc123/v3",
        bad: ("PUT", "/customers", r#"{ "id": 7 }"#),
    },
    Row {
        connector: "bigcommerce",
        file: "bigcommerce-refunds-v3.json",
        prefix: "/stores/abc123/v3",
        bad: ("POST", "/orders/225/payment_actions/refund_quotes", r#"{ "items": "all" }"#),
    },
    Row {
        connector: "dynamics",
        file: "authored-dataverse-min.json",
        prefix: "",
        bad: ("POST", "/api/data/v9.2/leads", r#"["a list"]"#),
    },
    Row {
        connector: "freshdesk",
        file: "freshdesk-v2.json",
        prefix: "/api/v2",
        bad: ("POST", "/tickets", r#"{ "subject": "Parcel is wet", "status": "open" }"#),
    },
    Row {
        connector: "hubspot",
        file: "hubspot-crm-2026-09.json",
        prefix: "",
        bad: ("POST", "/crm/objects/2026-09/contacts/search", r#"{ "limit": 2 }"#),
    },
    Row {
        connector: "jira",
        file: "jira-platform-v3.json",
        prefix: "",
        bad: ("POST", "/rest/api/3/search/jql", r#"{ "jql": 1 }"#),
    },
    Row {
        connector: "jira",
        file: "jira-service-management.json",
        prefix: "",
        bad: ("POST", "/rest/servicedeskapi/request", r#"{ "serviceDeskId": ["10"] }"#),
    },
    Row {
        connector: "magento",
        file: "magento-admin-2.4.9.json",
        prefix: "/rest/default",
        bad: ("POST", "/V1/orders/7/comments", r#"{ "statusHistory": "Please hurry" }"#),
    },
    Row {
        connector: "salesforce",
        file: "salesforce-sobjects.json",
        prefix: "",
        bad: ("POST", "/services/data/v67.0/sobjects/Lead", "[]"),
    },
    Row {
        connector: "salesforce",
        file: "authored-salesforce-query-min.json",
        prefix: "",
        bad: ("GET", "/services/data/v67.0/query", ""),
    },
    Row {
        connector: "servicenow",
        file: "servicenow-table-catalog.json",
        prefix: "",
        bad: ("GET", "/api/now/table/incident?sysparm_limit=many", ""),
    },
    Row {
        connector: "servicenow_csm",
        file: "servicenow-table-catalog.json",
        prefix: "",
        bad: ("GET", "/api/now/table/sn_customerservice_case?sysparm_limit=many", ""),
    },
    Row {
        connector: "servicenow_csm",
        file: "servicenow-csm.json",
        prefix: "",
        bad: ("GET", "/api/sn_customerservice/case?sysparm_limit=many", ""),
    },
    Row {
        connector: "woocommerce",
        file: "authored-woocommerce-min.json",
        prefix: "/wp-json",
        bad: ("GET", "/wc/v3/orders?per_page=many", ""),
    },
    Row {
        connector: "zendesk",
        file: "zendesk-support-v2.json",
        prefix: "",
        bad: ("POST", "/api/v2/tickets", r#"{ "ticket": { "priority": "bad", "comment": { "body": "It is wet." } } }"#),
    },
    Row {
        connector: "zoho",
        file: "zoho-crm-v8.json",
        prefix: "",
        bad: ("POST", "/crm/v8/coql", r#"{ "query": "select id from Leads" }"#),
    },
];

/// The connector that is held against schemas, and its schemas.
pub const GRAPHQL: (&str, &[&str]) = ("shopify", &["shopify-admin-2026-07.graphql", "shopify-admin-2026-10.graphql"]);

/// What a description describes.
pub struct Description {
    document: Value,
    described: Vec<Described>,
}

/// One request that a description has.
pub struct Described {
    /// `GET /tickets/{id}`.
    pub line: String,
    /// The names in the query that it knows, as [`plain`] writes them.
    query: Vec<String>,
    /// The schema of its JSON body.
    body: Option<Value>,
    form: Regex,
    /// How much of its path is text.
    says: usize,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Description {
    pub fn read(file: &Path) -> Fallible<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let document: Value = serde_json::from_str(&text)?;
        let paths = document["paths"].as_object().ok_or_else(|| format!("{} has no paths", file.display()))?;
        let placeholder = Regex::new(r"\{[^}]*\}")?;
        let mut described = Vec::new();
        for (path, item) in paths {
            let texts: Vec<_> = placeholder.split(path).map(regex::escape).collect();
            for (method, operation) in METHODS.iter().filter_map(|method| Some((method, item.get(*method)?))) {
                let method = method.to_uppercase();
                let form = Regex::new(&format!("^{method} {}$", texts.join("[^/]+")))?;
                let parameters = [&item["parameters"], &operation["parameters"]];
                let parameters = parameters.iter().filter_map(|it| it.as_array()).flatten();
                let parameters: Vec<_> = parameters.map(|it| resolved(&document, it)).collect();
                let query = parameters.iter().filter(|it| it["in"] == "query").filter_map(|it| it["name"].as_str());
                let query = query.map(plain).collect();
                // In version 2 the body is a parameter.
                let media = resolved(&document, &operation["requestBody"])["content"].get("application/json");
                let body = media.or_else(|| parameters.iter().copied().find(|it| it["in"] == "body"));
                let body = body.and_then(|it| it.get("schema")).cloned();
                let says = texts.iter().map(String::len).sum();
                described.push(Described { line: format!("{method} {path}"), query, body, form, says });
            }
        }
        Ok(Self { document, described })
    }

    /// What it says of a request; the path is without query.
    pub fn of(&self, method: &str, path: &str) -> Option<&Described> {
        let line = format!("{method} {path}");
        self.described.iter().filter(|it| it.form.is_match(&line)).max_by_key(|it| it.says)
    }

    /// The names in a query and a JSON body that the description does not have, each with its place. A mock lets them pass.
    pub fn unnamed(&self, described: &Described, query: &str, body: &[u8]) -> Vec<String> {
        let names = query_names(query).into_iter().filter(|name| {
            let covers = |known: &String| {
                *known == plain(name) || name.strip_prefix(known.as_str()).is_some_and(|it| it.starts_with('['))
            };
            !described.query.iter().any(covers)
        });
        let mut found: Vec<_> = names.map(|name| format!("query.{name}")).collect();
        if let (Some(schema), Ok(body)) = (&described.body, serde_json::from_slice::<Value>(body)) {
            self.places(&[schema], &body, "body", &mut found);
        }
        found
    }

    /// The places of `value` that none of the schemas has. A schema that names no properties allows any.
    fn places(&self, schemas: &[&Value], value: &Value, place: &str, found: &mut Vec<String>) {
        let mut flat = Vec::new();
        schemas.iter().for_each(|schema| self.flatten(schema, &mut flat, 0));
        match value {
            Value::Object(fields) if flat.iter().any(|it| it["properties"].as_object().is_some_and(|it| !it.is_empty())) => {
                let open = |it: &&Value| it["additionalProperties"].is_object() || it["additionalProperties"] == true;
                let open = flat.iter().any(open);
                for (name, value) in fields {
                    let below: Vec<_> = flat.iter().filter_map(|it| it["properties"].get(name)).collect();
                    let place = format!("{place}.{name}");
                    match below.is_empty() {
                        true if open => {}
                        true => found.push(place),
                        false => self.places(&below, value, &place, found),
                    }
                }
            }
            Value::Array(items) => {
                let below: Vec<_> = flat.iter().filter_map(|it| it.get("items")).collect();
                items.iter().for_each(|item| self.places(&below, item, place, found));
            }
            _ => {}
        }
    }

    /// The schemas that a schema is made of.
    fn flatten<'a>(&'a self, schema: &'a Value, flat: &mut Vec<&'a Value>, depth: u32) {
        // A schema may be made of itself.
        if depth > 16 {
            return;
        }
        let schema = resolved(&self.document, schema);
        flat.push(schema);
        for parts in ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()) {
            parts.iter().for_each(|part| self.flatten(part, flat, depth + 1));
        }
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// A name in which every place in a list is the first: `filters[2][field]` as `filters[0][field]`.
fn plain(name: &str) -> String {
    let digits = |part: &str| part.split_once(']').is_some_and(|(place, _)| place.bytes().all(|it| it.is_ascii_digit()));
    let mut parts = name.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push('[');
        match part.split_once(']') {
            Some((place, rest)) if !place.is_empty() && digits(part) => plain.extend(["0]", rest]),
            _ => plain.push_str(part),
        }
    }
    plain
}

/// The names in a query, decoded.
fn query_names(query: &str) -> Vec<String> {
    let parsed = reqwest::Url::parse(&format!("http://mock/?{query}"));
    parsed.map(|url| url.query_pairs().map(|(name, _)| name.into_owned()).collect()).unwrap_or_default()
}
