//! JSON that is written and checked once, however many statements it goes into.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::types::Json;
use sqlx::{Encode, Postgres, Type};
use swarm_errors::{Error, Result};

use crate::value::nul;

/// A JSON text that both databases keep. Clones share it.
#[derive(Debug, Clone)]
pub struct JsonText(Arc<RawValue>);

impl JsonText {
    /// The JSON of a value.
    ///
    /// # Errors
    /// `invalid_argument` for U+0000, `internal` for what has no form in JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        json_text(value).map(|text| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The value in its raw form, of which Rust knows how to write both databases' JSON.
    pub(crate) fn raw(&self) -> Json<&RawValue> {
        Json(&self.0)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

/// PostgreSQL's `json`, which it keeps as it comes; a column of `jsonb` takes it as well.
const JSON: PgTypeInfo = PgTypeInfo::with_oid(Oid(114));
const JSON_ARRAY: PgTypeInfo = PgTypeInfo::with_oid(Oid(199));

impl Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        JSON
    }
}

impl PgHasArrayType for JsonText {
    fn array_type_info() -> PgTypeInfo {
        JSON_ARRAY
    }
}

impl Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend(self.get().as_bytes());
        Ok(IsNull::No)
    }
}

/// Whether both databases keep this as JSON: for whoever must know before the statement runs.
///
/// # Errors
/// `invalid_argument` for U+0000, `internal` for what has no form in JSON.
pub fn check_json<T: Serialize>(value: &T) -> Result<()> {
    json_text(value).map(drop)
}

/// The value in JSON, where NUL is written as an escape and refused.
pub(crate) fn json_text<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>> {
    let raw = serde_json::value::to_raw_value(value).map_err(Error::internal)?;
    let text = raw.get();
    let escaped = |at: usize| {
        text[..at]
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count()
            % 2
            == 1
    };
    if text.match_indices("u0000").any(|(at, _)| escaped(at)) {
        return Err(nul());
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_refused_wherever_it_hides() {
        assert!(JsonText::of(&json!({"a": ["\0"]})).is_err());
        assert!(JsonText::of(&json!({"a\\\0": 1})).is_err());
        // A backslash, then the letters u0000: no NUL at all.
        let text = JsonText::of(&json!("\\u0000")).unwrap();
        assert_eq!(text.get(), r#""\\u0000""#);
    }

    #[test]
    fn a_text_is_written_as_it_is() {
        let inner = JsonText::of(&json!({"a": [1, "b"]})).unwrap();
        let outer = JsonText::of(&[inner.clone(), inner]).unwrap();
        assert_eq!(outer.get(), r#"[{"a":[1,"b"]},{"a":[1,"b"]}]"#);
    }
}
