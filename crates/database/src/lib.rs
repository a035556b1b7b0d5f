//! One SQL for PostgreSQL and SQLite, behind a small seam.
//!
//! [`Db`] is an open database on either, [`Tx`] one transaction, [`Query`] one statement whose
//! text is a constant with `$1` placeholders. Stores are plain structs over them. What the two
//! databases do differently, and would do so silently, is an error here on both: a missing bind,
//! a commit after a failed statement, NUL in a text, a time finer than microseconds.

mod batch;
pub mod check;
mod config;
mod db;
mod error;
mod file_lock;
mod json;
mod migration;
mod placeholders;
mod postgres;
mod query;
mod retry;
mod schema;
mod session;
mod span;
mod sqlite;
mod tx;
mod value;

pub use batch::{Batch, Cell};
pub use config::DatabaseConfig;
pub use db::{Db, PoolStats};
pub use error::{UniqueViolation, is_retryable, unique_violation};
pub use json::{JsonText, check_json};
pub use query::{Query, Row, Scalar};
pub use schema::{Migrate, Schema, migrate};
pub use session::Session;
pub use sqlx::FromRow;
pub use sqlx::types::Json;
pub use tx::Tx;
pub use value::Bind;
