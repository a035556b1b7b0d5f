//! Many rows in one statement, without a limit on values.

use chrono::SecondsFormat;
use serde::Serialize;
use sqlx::postgres::PgHasArrayType;
use sqlx::types::Json;
use sqlx::{Encode, Postgres, Type};
use swarm_errors::{Error, Result};
use swarm_types::Timestamp;
use uuid::Uuid;

use crate::json::{JsonText, json_text};
use crate::query::{Query, Row};
use crate::value::{Arguments, in_microseconds, without_nul};

/// A statement that takes a column of values at a time.
///
/// PostgreSQL's text takes one array per column, `unnest($1::uuid[], $2::bigint[])`. SQLite's
/// text takes all rows as `json_each($1)`, where the columns of a row are `value->>0`,
/// `value->>1`, ... and a UUID or bytes are `unhex(value->>0)`. Without rows nothing runs.
#[derive(Debug)]
#[must_use = "a batch runs when exec or all is awaited"]
pub struct Batch<'a> {
    query: Query<'a>,
    /// The rows as JSON arrays that are still open; for SQLite.
    rows: Vec<String>,
    length: Option<usize>,
    error: Option<Error>,
}

impl<'a> Batch<'a> {
    pub(crate) const fn new(query: Query<'a>) -> Self {
        Self {
            query,
            rows: Vec::new(),
            length: None,
            error: None,
        }
    }

    /// The values of the next column, one for each row.
    pub fn column<T: Cell>(mut self, values: Vec<T>) -> Self {
        if self.error.is_none()
            && let Err(error) = self.add(values)
        {
            self.error = Some(error);
        }
        self
    }

    fn add<T: Cell>(&mut self, values: Vec<T>) -> Result<()> {
        let length = *self.length.get_or_insert(values.len());
        if values.len() != length {
            return Err(Error::internal(format!(
                "a column of {} values beside one of {length}",
                values.len()
            )));
        }
        let values = checked(values)?;
        if let Some(arguments) = self.query.postgres_arguments() {
            return sqlx::Arguments::add(arguments, values).map_err(Error::internal);
        }
        self.rows.resize(length, String::new());
        for (row, value) in self.rows.iter_mut().zip(&values) {
            row.push(if row.is_empty() { '[' } else { ',' });
            row.push_str(&value.json()?);
        }
        Ok(())
    }

    /// Runs the statement and says how many rows it changed.
    ///
    /// # Errors
    /// As [`Query::exec`].
    pub async fn exec(self) -> Result<u64> {
        match self.finished()? {
            Some(query) => query.exec().await,
            None => Ok(0),
        }
    }

    /// Runs the statement and returns the rows of its `RETURNING`, in no certain order.
    ///
    /// # Errors
    /// As [`Query::all`].
    pub async fn all<R: Row>(self) -> Result<Vec<R>> {
        match self.finished()? {
            Some(query) => query.all().await,
            None => Ok(Vec::new()),
        }
    }

    fn finished(self) -> Result<Option<Query<'a>>> {
        if let Some(error) = self.error {
            // The transaction must not be committed without these rows.
            return Ok(Some(self.query.fail(error)));
        }
        if self.length.unwrap_or(0) == 0 {
            return Ok(None);
        }
        if self.query.is_postgres() {
            return Ok(Some(self.query));
        }
        let rows = self.rows.join("],");
        Ok(Some(self.query.bind(format!("[{rows}]]"))))
    }
}

/// A value of a [`Batch`]'s column.
pub trait Cell:
    for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType + Send + 'static
{
    /// The value as both databases keep it.
    ///
    /// # Errors
    /// `invalid_argument` for what only one of the databases would keep.
    fn checked(self) -> Result<Self>
    where
        Self: Sized,
    {
        Ok(self)
    }

    /// The value in JSON, for SQLite.
    ///
    /// # Errors
    /// When JSON has no form for it.
    fn json(&self) -> Result<String>;
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2 + 2);
    text.push('"');
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.push('"');
    text
}

macro_rules! cells {
    ($($type:ty: $checked:expr, $json:expr;)*) => {$(
        impl Cell for $type {
            fn checked(self) -> Result<Self> {
                let checked: fn(Self) -> Result<Self> = $checked;
                checked(self)
            }

            fn json(&self) -> Result<String> {
                let json: fn(&Self) -> Result<String> = $json;
                json(self)
            }
        }

        impl Cell for Option<$type> {
            fn checked(self) -> Result<Self> {
                self.map(Cell::checked).transpose()
            }

            fn json(&self) -> Result<String> {
                self.as_ref().map_or_else(|| Ok("null".to_owned()), Cell::json)
            }
        }
    )*};
}

cells! {
    i16: Ok, to_json;
    i32: Ok, to_json;
    i64: Ok, to_json;
    bool: Ok, to_json;
    f64: |value| if value.is_finite() { Ok(value) } else { Err(Error::invalid("number", "must be finite")) }, to_json;
    String: |text| { without_nul(&text)?; Ok(text) }, to_json;
    Uuid: Ok, |id| Ok(hex(id.as_bytes()));
    Vec<u8>: Ok, |bytes| Ok(hex(bytes));
    Timestamp: |time| Ok(in_microseconds(time)), |time| Ok(format!("\"{}\"", time.to_rfc3339_opts(SecondsFormat::AutoSi, false)));
    JsonText: Ok, |json| to_json(&json.get());
    // A text that holds JSON, so that `->>` gives it back as it was.
    Json<serde_json::Value>: |json| { json_text(&json.0)?; Ok(json) }, |json| to_json(&json_text(&json.0)?.get());
}

fn checked<T: Cell>(values: Vec<T>) -> Result<Vec<T>> {
    values.into_iter().map(Cell::checked).collect()
}

impl Query<'_> {
    /// The value of the next `$n`, an array: in texts of PostgreSQL alone, which may take several
    /// sets of rows at a time. What both databases run is a [`Batch`].
    pub fn array<T: Cell>(mut self, values: Vec<T>) -> Self {
        let Some(arguments) = self.postgres_arguments() else {
            return match self.is_postgres() {
                true => self,
                false => self.fail(Error::internal("SQLite has no arrays")),
            };
        };
        let added = checked(values)
            .and_then(|values| sqlx::Arguments::add(arguments, values).map_err(Error::internal));
        match added {
            Ok(()) => self,
            Err(error) => self.fail(error),
        }
    }

    fn postgres_arguments(&mut self) -> Option<&mut sqlx::postgres::PgArguments> {
        match self.arguments_mut() {
            Some(Arguments::Postgres(arguments)) => Some(arguments),
            _ => None,
        }
    }
}
