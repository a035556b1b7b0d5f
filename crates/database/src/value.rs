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

use crate::json::{JsonText, json_text};

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

/// SQLite would keep nanoseconds, PostgreSQL does not.
pub(crate) fn in_microseconds(time: Timestamp) -> Timestamp {
    time.trunc_subsecs(6)
}

pub(crate) fn nul() -> Error {
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

impl Bind for &JsonText {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(self.raw())
    }
}

impl Bind for Option<&JsonText> {
    fn bind(self, arguments: &mut Arguments) -> Result<()> {
        arguments.add(self.map(JsonText::raw))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nul_is_refused() {
        assert!(without_nul("a\0b").is_err());
        assert_eq!(without_nul("ab").unwrap(), "ab");
    }
}
