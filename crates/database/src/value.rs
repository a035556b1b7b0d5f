//! The values that both databases keep alike.

use chrono::SubsecRound as _;
use serde::Serialize;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::types::Json;
use sqlx::{Arguments as _, Encode, Postgres, Sqlite, Type};
use swarm_errors::{Error, Result};
use swarm_types::Timestamp;
use uuid::Uuid;

/// The values of one statement, in the form of its database.
#[derive(Debug)]
pub enum Arguments {
    /// For PostgreSQL.
    Postgres(PgArguments),
    /// For SQLite.
    Sqlite(SqliteArguments),
}

impl Arguments {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Postgres(values) => values.len(),
            Self::Sqlite(values) => values.len(),
        }
    }

    pub(crate) const fn system(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgresql",
            Self::Sqlite(_) => "sqlite",
        }
    }

    pub(crate) fn add<'t, T>(&mut self, value: T) -> Result<()>
    where
        T: Encode<'t, Postgres> + Type<Postgres> + Encode<'t, Sqlite> + Type<Sqlite>,
    {
        match self {
            Self::Postgres(values) => values.add(value),
            Self::Sqlite(values) => values.add(value),
        }
        .map_err(Error::internal)
    }
}

/// A value that both databases take, and keep alike. The list is closed: a type that only one of
/// them knows does not compile.
pub trait Bind {
    /// Adds itself to the values of a statement.
    ///
    /// # Errors
    /// `invalid_argument` for what only one of the databases would keep.
    fn bind(self, arguments: &mut Arguments) -> Result<()>;
}

/// PostgreSQL keeps no NUL in a text, and SQLite would.
pub(crate) fn without_nul(text: &str) -> Result<&str> {
    if text.as_bytes().contains(&0) {
        Err(nul())
    } else {
        Ok(text)
    }
}

/// Whether both databases keep this as JSON: for whoever must know before the statement runs.
///
/// # Errors
/// `invalid_argument` for U+0000, `internal` for what has no form in JSON.
pub fn check_json<T: Serialize>(value: &T) -> Result<()> {
    json_text(value).map(drop)
}

/// The same in JSON, where NUL is written as an escape.
pub(crate) fn json_text<T: Serialize>(value: &T) -> Result<Box<serde_json::value::RawValue>> {
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

/// SQLite would keep nanoseconds, PostgreSQL does not.
pub(crate) fn in_microseconds(time: Timestamp) -> Timestamp {
    time.trunc_subsecs(6)
}

fn nul() -> Error {
    Error::invalid("text", "must not hold the character U+0000")
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Bind for $type {
            fn bind(self, arguments: &mut Arguments) -> Result<()> {
                arguments.add(self)
            }
        }

        impl Bind for Option<$type> {
            fn bind(self, arguments: &mut Arguments) -> Result<()> {
                arguments.add(self)
            }
        }
    )*};
}

plain!(i16, i32, i64, f64, bool, Uuid, Vec<u8>, &[u8]);

macro_rules! texts {
    ($($type:ty),*) => {$(
        impl Bind for $type {
            fn bind(self, arguments: &mut Arguments) -> Result<()> {
                arguments.add(without_nul(&self)?)
            }
        }

        impl Bind for Option<$type> {
            fn bind(self, arguments: &mut Arguments) -> Result<()> {
                arguments.add(self.as_ref().map(|text| without_nul(text.as_str())).transpose()?)
            }
        }
    )*};
}

texts!(String, &String);

impl Bind for &str {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(without_nul(self)?)
    }
}

impl Bind for Option<&str> {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(self.map(without_nul).transpose()?)
    }
}

impl Bind for Timestamp {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(in_microseconds(self))
    }
}

impl Bind for Option<Timestamp> {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(self.map(in_microseconds))
    }
}

impl<T: Serialize> Bind for Json<T> {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(Json(json_text(&self.0)?))
    }
}

impl<T: Serialize> Bind for Option<Json<T>> {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        let raw = self.map(|json| json_text(&json.0)).transpose()?;
        arguments.add(raw.map(Json))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nul_is_refused_wherever_it_hides() {
        assert!(without_nul("a\0b").is_err());
        assert!(json_text(&serde_json::json!({"a": ["\0"]})).is_err());
        assert!(json_text(&serde_json::json!({"a\\\0": 1})).is_err());
        // A backslash, then the letters u0000: no NUL at all.
        assert_eq!(
            json_text(&serde_json::json!("\\u0000")).unwrap().get(),
            r#""\\u0000""#
        );
    }
}
