//! The vendors' descriptions: which connector keeps to which, and what each describes.
//!
//! A description is read only to know whether it has a request at all; whether a request is right is for its mock to say.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::Fallible;

/// A description that a connector keeps to.
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
        connector: "dynamics",
        file: "authored-dataverse-min.json",
        prefix: "",
        bad: ("POST", "/api/data/v9.2/leads", r#"{ "subject": 1 }"#),
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
    described: Vec<Described>,
}

/// One request that a description has.
pub struct Described {
    /// `GET /tickets/{id}`.
    pub line: String,
    /// The names in the query that it knows.
    pub query: Vec<String>,
    form: Regex,
    says: usize,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Description {
    pub fn read(file: &Path) -> Fallible<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let document: Value = serde_json::from_str(&text)?;
        let paths = document["paths"].as_object().ok_or_else(|| format!("{} has no paths", file.display()))?;
        let placeholder = Regex::new(r"\\\{[^}]*\\\}")?;
        let mut described = Vec::new();
        for (path, item) in paths {
            for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
                let method_ = method.to_uppercase();
                let escaped = regex::escape(path);
                let form = Regex::new(&format!("^{method_} {}$", placeholder.replace_all(&escaped, "[^/]+")))?;
                let says = Regex::new(r"\{[^}]*\}")?.replace_all(path, "").len();
                let parameters = [&item["parameters"], &item[*method]["parameters"]];
                let parameters = parameters.iter().filter_map(|it| it.as_array()).flatten();
                let query = parameters.map(|it| resolved(&document, it)).filter(|it| it["in"] == "query");
                let query = query.filter_map(|it| it["name"].as_str().map(str::to_owned)).collect();
                described.push(Described { line: format!("{method_} {path}"), query, form, says });
            }
        }
        Ok(Self { described })
    }

    /// What it says of a request; the path is without query.
    pub fn of(&self, method: &str, path: &str) -> Option<&Described> {
        let line = format!("{method} {path}");
        self.described.iter().filter(|it| it.form.is_match(&line)).max_by_key(|it| it.says)
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}
