//! The checks that compare texts and catalogues find what they are for.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use swarm_database::Schema;
use swarm_database::check::{Text, schema_differences, text_differences};
use swarm_test_support::database::{Fresh, assert_alike};

use crate::batches::{INSERT_POSTGRES, INSERT_SQLITE};
use crate::notes::{COUNT, FIND, INSERT, SCHEMA};

#[tokio::test]
async fn what_is_alike_passes() {
    let texts = [
        Text::Shared(INSERT),
        Text::Shared(COUNT),
        Text::Shared(FIND),
        Text::Batch(INSERT_POSTGRES, INSERT_SQLITE),
        Text::Pair(
            "SELECT name FROM notes WHERE id = $1 FOR UPDATE",
            "SELECT name FROM notes WHERE id = $1",
        ),
    ];
    assert_alike(&SCHEMA, &texts).await;
}

#[tokio::test]
async fn texts_that_differ_are_found() {
    let [sqlite, postgres] = Fresh::both().await;
    let (sqlite, postgres) = (sqlite.open(&SCHEMA).await, postgres.open(&SCHEMA).await);
    for (text, difference) in [
        (
            Text::Shared("SELECT count(*) FROM notes"),
            "called count and count(*)",
        ),
        (
            Text::Shared("SELECT sum(number) AS total FROM notes"),
            "NUMERIC",
        ),
        (
            Text::Shared("SELECT id::text AS id FROM notes"),
            "SQLite refuses",
        ),
        (
            Text::Shared("SELECT unhex(name) AS id FROM notes"),
            "PostgreSQL refuses",
        ),
        (
            Text::Pair("SELECT id, name FROM notes", "SELECT id FROM notes"),
            "returns 2 and 1 columns",
        ),
        (
            Text::Pair("SELECT id FROM notes", "SELECT name AS id FROM notes"),
            "column id is Blob and Text",
        ),
        (
            Text::Pair("SELECT id FROM notes WHERE id = $1", "SELECT id FROM notes"),
            "takes 1 and 0 values",
        ),
        (
            Text::Batch("SELECT $1::uuid[] AS ids", "SELECT $1 AS ids, $2 AS more"),
            "takes 1 and 2 values",
        ),
    ] {
        let found = text_differences(&postgres, &sqlite, &[text]).await.unwrap();
        assert!(
            found.iter().any(|found| found.contains(difference)),
            "{text:?}: {found:?}"
        );
    }
    assert!(
        text_differences(&sqlite, &postgres, &[]).await.is_err(),
        "the wrong way round"
    );
}

fn one_migration(name: &'static str, text: &'static str) -> Migrator {
    let migration = Migration::new(
        1,
        Cow::Borrowed(name),
        MigrationType::Simple,
        text.into_sql_str(),
        false,
    );
    Migrator::with_migrations(vec![migration])
}

async fn differences(postgres: &'static str, sqlite: &'static str) -> String {
    let schema = Schema {
        name: "things",
        postgres: one_migration("things", postgres),
        sqlite: one_migration("stuff", sqlite),
    };
    let [fresh_sqlite, fresh_postgres] = Fresh::both().await;
    let (sqlite, postgres) = (
        fresh_sqlite.open(&schema).await,
        fresh_postgres.open(&schema).await,
    );
    schema_differences(&schema, &postgres, &sqlite)
        .await
        .unwrap()
        .join("\n")
}

#[tokio::test]
async fn schemas_that_differ_are_found() {
    let found = differences(
        "CREATE TABLE a (id uuid PRIMARY KEY, name text NOT NULL, size bigint, extra text);
         CREATE TABLE b (x bigint NOT NULL, y bigint NOT NULL, PRIMARY KEY (x, y));
         CREATE UNIQUE INDEX by_name ON a (name) WHERE size IS NULL;
         CREATE TABLE c (id uuid PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE c_1 PARTITION OF c DEFAULT;",
        "CREATE TABLE a (id BLOB PRIMARY KEY, name TEXT, size TEXT) STRICT;
         CREATE TABLE b (x INTEGER NOT NULL, y INTEGER NOT NULL, PRIMARY KEY (y, x));
         CREATE UNIQUE INDEX by_name ON a (name);
         CREATE TABLE d (id BLOB PRIMARY KEY) STRICT;",
    )
    .await;
    let expected = [
        "migration 1 stuff is in one folder only",
        "migration 1 things is in one folder only",
        "table a has unique (name) in one database only",
        "table a has unique (name) of some rows in one database only",
        "column a.extra is in one database only",
        "column a.name is NOT NULL in one database only",
        "column a.size is Integer and Text",
        "table b is not STRICT",
        "table b has the primary keys {1: \"x\", 2: \"y\"} and {1: \"y\", 2: \"x\"}",
        "table c is missing in SQLite",
        "table d is missing in PostgreSQL",
    ];
    assert_eq!(found, expected.join("\n"));
}
