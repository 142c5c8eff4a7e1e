//! How a model is declared: one macro that makes a Rust type and the [`Model`] that describes it from the same lines.
//!
//! Nothing here knows any particular model. A declaration cannot say one thing to Rust and another to `check`.

use super::codes::Codes;

/// A business model as data.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    /// The name in connector files, such as `Order`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// Its fields, in the order of the documentation.
    pub fields: &'static [Field],
}

/// One field of a model.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in templates, such as `placed_at`.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub doc: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Whether an answer without it is no answer. A list is never required: absent, it is empty.
    pub required: bool,
    /// Whether messages to operators, transcripts and recordings mask it.
    pub sensitive: bool,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A JSON number.
    Number,
    /// An amount with its currency, as [`super::Money`] has it.
    Money,
    /// A day: `2026-01-25`.
    Date,
    /// A moment in UTC: `2026-01-20T15:04:00Z`.
    DateTime,
    /// true or false.
    Bool,
    /// One code of a closed list.
    Code(&'static Codes),
    /// Another model.
    One(&'static Model),
    /// A list of another model.
    Many(&'static Model),
}

impl Model {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// The model that a dotted path goes on in, when this field holds one.
    #[must_use]
    pub fn inner(&self) -> Option<&'static Model> {
        match self.kind {
            Kind::Money => Some(super::Money::MODEL),
            Kind::One(model) | Kind::Many(model) => Some(model),
            _ => None,
        }
    }
}

impl Kind {
    /// What a value of this kind looks like, for a message to the author of a mapping.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Number => "a number".into(),
            Self::Money => "an amount and a currency, such as {amount: 12.5, currency: EUR}".into(),
            Self::Date => "a date such as 2026-01-25".into(),
            Self::DateTime => "a time such as 2026-01-20T15:04:00Z".into(),
            Self::Bool => "true or false".into(),
            Self::Code(codes) => {
                format!("one of {}", codes.codes.iter().map(|code| code.code).collect::<Vec<_>>().join(", "))
            }
            Self::One(model) => format!("one {}", model.name),
            Self::Many(model) => format!("a list of {}", model.name),
        }
    }
}

macro_rules! models {
    ($(
        $(#[doc = $doc:literal])+
        $model:ident {
            $( $(#[doc = $field_doc:literal])+ $field:ident: $kind:ident $(($of:ident))? $($flag:ident)*, )+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $model {
                $(
                    $(#[doc = $field_doc])+
                    pub $field: $crate::model::declare::field_type!($kind $(($of))? ; $($flag)*),
                )+
            }

            impl $model {
                /// The same model as data.
                pub const MODEL: &'static $crate::model::Model = &$crate::model::Model {
                    name: stringify!($model),
                    doc: concat!($($doc),+).trim_ascii(),
                    fields: &[$(
                        $crate::model::Field {
                            name: stringify!($field),
                            doc: concat!($($field_doc),+).trim_ascii(),
                            kind: $crate::model::declare::kind!($kind $(($of))?),
                            required: $crate::model::declare::flag!(required in $($flag)*),
                            sensitive: $crate::model::declare::flag!(sensitive in $($flag)*),
                        },
                    )+],
                };
            }
        )+

        impl $crate::model::Model {
            /// Every model, in alphabetical order.
            pub const ALL: &'static [&'static $crate::model::Model] = &[$($model::MODEL),+];

            /// The model of that name.
            #[must_use]
            pub fn find(name: &str) -> Option<&'static $crate::model::Model> {
                Self::ALL.iter().copied().find(|model| model.name == name)
            }
        }
    };
}

macro_rules! rust_type {
    (Text) => { String };
    (Number) => { serde_json::Number };
    (Money) => { $crate::model::Money };
    (Date) => { chrono::NaiveDate };
    (DateTime) => { chrono::DateTime<chrono::Utc> };
    (Bool) => { bool };
    (Code($of:ident)) => { $crate::model::$of };
    (One($of:ident)) => { $of };
}

macro_rules! field_type {
    (Many($of:ident) ; $($flag:ident)*) => { Vec<$of> };
    ($kind:ident $(($of:ident))? ; required $($flag:ident)*) => { $crate::model::declare::rust_type!($kind $(($of))?) };
    ($kind:ident $(($of:ident))? ; $($flag:ident)*) => { Option<$crate::model::declare::rust_type!($kind $(($of))?)> };
}

macro_rules! kind {
    (Code($of:ident)) => {
        $crate::model::Kind::Code($crate::model::$of::CODES)
    };
    (One($of:ident)) => {
        $crate::model::Kind::One($of::MODEL)
    };
    (Many($of:ident)) => {
        $crate::model::Kind::Many($of::MODEL)
    };
    ($kind:ident) => {
        $crate::model::Kind::$kind
    };
}

macro_rules! flag {
    (required in required $($rest:ident)*) => {
        true
    };
    (sensitive in sensitive) => {
        true
    };
    (sensitive in required sensitive) => {
        true
    };
    ($flag:ident in $($other:ident)*) => {
        false
    };
}

pub(super) use {field_type, flag, kind, models, rust_type};
