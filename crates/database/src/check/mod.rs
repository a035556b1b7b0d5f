//! For tests: compares what the two databases make of the same texts and of the two folders of
//! migrations. What a compiler cannot see, these lists show.

mod catalogue;
mod texts;

pub use catalogue::schema_differences;
pub use texts::{Text, text_differences};

use sqlx::{Column as _, Executor, SqlSafeStr as _, Statement as _, TypeInfo as _};
use swarm_errors::Result;

use crate::error::from_sqlx;

/// What a database says of a statement without running it.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) columns: Vec<(String, Storage)>,
    pub(crate) parameters: usize,
}

/// How SQLite stores what a type holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Storage {
    Integer,
    Real,
    Text,
    Blob,
    /// SQLite does not know before it runs.
    Unknown,
    /// A type that has no counterpart.
    Other(String),
}

impl Storage {
    /// The storage of a type by its name in either database.
    pub(crate) fn of(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "INT2" | "INT4" | "INT8" | "BOOL" | "INT" | "INTEGER" | "BOOLEAN" => Self::Integer,
            "FLOAT4" | "FLOAT8" | "REAL" => Self::Real,
            "TEXT" | "VARCHAR" | "TIMESTAMPTZ" | "JSONB" | "JSON" | "DATETIME" => Self::Text,
            "BYTEA" | "UUID" | "BLOB" => Self::Blob,
            "NULL" => Self::Unknown,
            other => Self::Other(other.to_owned()),
        }
    }

    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let odd = |storage: &Self| matches!(storage, Self::Other(_));
        let unknown = *self == Self::Unknown || *other == Self::Unknown;
        !odd(self) && !odd(other) && (unknown || self == other)
    }
}

pub(crate) async fn describe<'c, E>(connection: E, text: &'static str) -> Result<Description>
where
    E: Executor<'c>,
{
    let statement = connection
        .prepare(text.into_sql_str())
        .await
        .map_err(from_sqlx)?;
    let columns = statement
        .columns()
        .iter()
        .map(|column| {
            (
                column.name().to_owned(),
                Storage::of(column.type_info().name()),
            )
        })
        .collect();
    let parameters = match statement.parameters() {
        Some(sqlx::Either::Left(types)) => types.len(),
        Some(sqlx::Either::Right(count)) => count,
        None => 0,
    };
    Ok(Description {
        columns,
        parameters,
    })
}
