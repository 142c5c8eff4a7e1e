//! Values bound in the types that the prepared statement asks for.

use serde_json::Value;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments as _, Postgres, Type, TypeInfo as _};

use super::encode::encoded;
use super::form::Form;
use crate::connector::sql::fill::Filled;
use crate::fault::{Fault, Outcome};

/// A value in the bytes of its type; none for null.
struct Bound {
    info: PgTypeInfo,
    bytes: Option<Vec<u8>>,
}

impl Type<Postgres> for Bound {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("unknown")
    }
}

impl Encode<'_, Postgres> for Bound {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(match &self.bytes {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}

/// The values of a statement whose places have these types.
///
/// # Errors
/// `invalid`, naming the name, for a value that does not fit; `misconfigured` for a place whose type no value has.
pub(super) fn bound(filled: &Filled<'_>, types: &[PgTypeInfo], place: &str) -> Result<PgArguments, Fault> {
    if types.len() != filled.values.len() {
        let text = format!("{place}: PostgreSQL sees {} values in it, and it has {}", types.len(), filled.values.len());
        return Err(Fault::new(Outcome::Misconfigured, text));
    }
    let mut arguments = PgArguments::default();
    for ((bind, value), info) in filled.values.iter().zip(types) {
        let name = bind.path.join(".");
        let bytes = match value {
            Value::Null => None,
            value => {
                let refused = |text| Fault::new(Outcome::Misconfigured, format!("{place}: {text}"));
                let form = Form::of(info).ok_or_else(|| refused(misfit(&name, info)))?;
                let bytes = encoded(&form, value).ok_or_else(|| {
                    let sql_type = info.name().to_lowercase();
                    Fault::new(Outcome::Invalid, format!("{place}: `:{name}` has to be {} ({sql_type})", form.wanted()))
                })?;
                Some(bytes)
            }
        };
        let added = arguments.add(Bound { info: info.clone(), bytes });
        added.map_err(|_| Fault::new(Outcome::Invalid, format!("{place}: `:{name}` is too large")))?;
    }
    Ok(arguments)
}

/// What is wrong with the places of a statement, where they have types that no value has.
pub(super) fn misfits(filled: &Filled<'_>, types: &[PgTypeInfo]) -> Vec<String> {
    let pairs = filled.values.iter().zip(types).filter(|(_, info)| Form::of(info).is_none());
    pairs.map(|((bind, _), info)| misfit(&bind.path.join("."), info)).collect()
}

fn misfit(name: &str, info: &PgTypeInfo) -> String {
    let sql_type = info.name().to_lowercase();
    format!(
        "`:{name}` stands for a value of the type {sql_type}, which JSON does not have; write `:{name}::text::{sql_type}`"
    )
}
