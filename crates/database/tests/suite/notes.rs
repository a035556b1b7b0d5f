//! The tables that the suite uses.

use swarm_database::{Db, FromRow, Json, Schema, Tx};
use swarm_errors::Result;
use swarm_types::Timestamp;
use uuid::Uuid;

pub(crate) static SCHEMA: Schema = Schema {
    name: "notes",
    postgres: sqlx::migrate!("tests/migrations/postgres"),
    sqlite: sqlx::migrate!("tests/migrations/sqlite"),
};

pub(crate) const TENANT: Uuid = Uuid::from_u128(1);

pub(crate) const INSERT: &str = "INSERT INTO notes (tenant_id, id, name) VALUES ($1, $2, $3)";
pub(crate) const COUNT: &str = "SELECT count(*) AS notes FROM notes WHERE tenant_id = $1";
pub(crate) const FIND: &str = "
    SELECT id, name, small, number, ratio, done, body, bytes, created_at
    FROM notes WHERE tenant_id = $1 AND id = $2";

#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct Note {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) small: i16,
    pub(crate) number: Option<i64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) done: bool,
    pub(crate) body: Option<Json<serde_json::Value>>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) created_at: Option<Timestamp>,
}

pub(crate) async fn insert(tx: &mut Tx, name: &str) -> Result<u64> {
    tx.q(INSERT)
        .bind(TENANT)
        .bind(Uuid::now_v7())
        .bind(name)
        .exec()
        .await
}

pub(crate) async fn count(db: &Db) -> i64 {
    db.q(COUNT).bind(TENANT).scalar().await.unwrap()
}
