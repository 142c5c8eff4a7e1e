//! The types of PostgreSQL whose values have a form in JSON, and what they are called when a value does not fit.
//!
//! A type that is not here can be cast to text by the statement, in both directions.

use sqlx::TypeInfo as _;
use sqlx::postgres::{PgTypeInfo, PgTypeKind};

/// How the values of a type stand in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// A number when a number says it exactly, else its digits as a text.
    Numeric,
    /// Enums and types that the server sends as text are these too.
    Text,
    /// Base64.
    Bytes,
    Json,
    Jsonb,
    Date,
    Time,
    /// RFC 3339; a timestamp without a zone is one of UTC.
    Timestamp,
    Uuid,
    /// Nothing: what some functions give.
    Void,
    /// A list, of elements of this type.
    Array(Box<Form>, u32),
}

impl Form {
    /// The form of a type, where it has one.
    pub(super) fn of(info: &PgTypeInfo) -> Option<Self> {
        // https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
        let form = match info.oid()?.0 {
            16 => Self::Bool,
            17 => Self::Bytes,
            18 | 19 | 25 | 142 | 705 | 1042 | 1043 => Self::Text,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            26 => Self::Oid,
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 | 1184 => Self::Timestamp,
            1700 => Self::Numeric,
            2278 => Self::Void,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => match info.kind() {
                PgTypeKind::Enum(_) => Self::Text,
                PgTypeKind::Domain(base) => Self::of(base)?,
                PgTypeKind::Array(element) => Self::Array(Box::new(Self::of(element)?), element.oid()?.0),
                PgTypeKind::Simple if info.name().eq_ignore_ascii_case("citext") => Self::Text,
                _ => return None,
            },
        };
        Some(form)
    }

    /// What a value has to be, in an error's text.
    pub(super) fn wanted(&self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Oid => "a whole number of that size",
            Self::Float4 | Self::Float8 | Self::Numeric => "a number",
            Self::Text => "a text without the character NUL",
            Self::Bytes => "bytes in base64",
            Self::Json | Self::Jsonb => "a value without the character NUL",
            Self::Date => "a date such as 2026-01-31",
            Self::Time => "a time such as 09:30",
            Self::Timestamp => "a time such as 2026-01-31T09:30:00Z",
            Self::Uuid => "a UUID",
            Self::Void => "null",
            Self::Array(..) => "a list of such values",
        }
    }
}
