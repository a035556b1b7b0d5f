//! Opening, migrating, and who may do so at the same time.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use swarm_database::{Db, Migrate, PoolStats, Schema, migrate};
use swarm_errors::Code;
use swarm_test_support::database::Fresh;
use swarm_test_support::eventually;

use crate::notes::{SCHEMA, count, insert};

const LIMIT: Duration = Duration::from_secs(10);
const FIRST_OPENS: usize = 80;

/// A schema of this many migrations, each a table.
fn grown(to: usize, last: &'static str) -> Schema {
    let texts = [
        "CREATE TABLE a (id BIGINT PRIMARY KEY)",
        "CREATE TABLE b (id BIGINT PRIMARY KEY)",
        last,
    ];
    let migrator = || {
        let numbered = texts.iter().take(to).zip(1..);
        Migrator::with_migrations(
            numbered
                .map(|(text, number)| {
                    Migration::new(
                        number,
                        Cow::Borrowed("table"),
                        MigrationType::Simple,
                        text.into_sql_str(),
                        false,
                    )
                })
                .collect(),
        )
    };
    Schema {
        name: "grown",
        postgres: migrator(),
        sqlite: migrator(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eighty_first_opens_at_once_all_see_the_whole_schema() {
    for mut fresh in Fresh::both().await {
        fresh.config.max_connections = 1;
        // SQLite's file has one owner at a time, so they queue.
        fresh.config.lock_wait_ms = 60_000;
        let opens = (0..FIRST_OPENS).map(|place| {
            let config = fresh.config.clone();
            tokio::spawn(async move {
                let db = Db::open(&config, &SCHEMA, Migrate::Auto).await?;
                let mut tx = db.begin().await?;
                insert(&mut tx, &place.to_string()).await?;
                tx.commit().await?;
                db.close().await;
                Ok::<_, swarm_errors::Error>(())
            })
        });
        for opened in futures::future::join_all(opens).await {
            opened
                .unwrap()
                .unwrap_or_else(|error| panic!("{}: {}", fresh.name, error.chain()));
        }
        let db = fresh.open(&SCHEMA).await;
        assert_eq!(count(&db).await, FIRST_OPENS as i64);
    }
}

#[tokio::test]
async fn a_sqlite_file_that_is_in_use_is_refused_until_it_is_closed() {
    let mut fresh = Fresh::sqlite();
    fresh.config.lock_wait_ms = 30;
    let first = fresh.open(&SCHEMA).await;
    for error in [
        Db::open(&fresh.config, &SCHEMA, Migrate::Auto)
            .await
            .unwrap_err(),
        migrate(&fresh.config, &SCHEMA).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::FailedPrecondition);
        let owner = format!("notes.db is in use by process {}", std::process::id());
        assert!(error.detail().contains(&owner), "{error}");
    }
    // Another service's file in the same folder is free.
    let other = fresh.open(&grown(1, "")).await;
    let mut tx = first.begin().await.unwrap();
    drop(first);
    assert!(
        Db::open(&fresh.config, &SCHEMA, Migrate::Auto)
            .await
            .is_err(),
        "a transaction still runs"
    );
    insert(&mut tx, "kept").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&fresh.open(&SCHEMA).await).await, 1);
    other.close().await;
}

#[tokio::test]
async fn postgres_refuses_pending_migrations_until_they_are_applied() {
    let fresh = Fresh::postgres().await;
    for (schema, pending) in [(grown(1, ""), 1), (grown(2, ""), 1)] {
        let error = Db::open(&fresh.config, &schema, Migrate::Refuse)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(
            error
                .detail()
                .contains("1 pending migrations: run `swarm migrate`"),
            "{error}"
        );
        assert_eq!(migrate(&fresh.config, &schema).await.unwrap(), pending);
        assert_eq!(migrate(&fresh.config, &schema).await.unwrap(), 0);
        Db::open(&fresh.config, &schema, Migrate::Refuse)
            .await
            .unwrap()
            .ping()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn sqlite_migrates_itself() {
    let fresh = Fresh::sqlite();
    Db::open(&fresh.config, &SCHEMA, Migrate::Refuse)
        .await
        .unwrap()
        .close()
        .await;
    assert_eq!(migrate(&fresh.config, &SCHEMA).await.unwrap(), 0);
}

#[tokio::test]
async fn an_older_version_goes_on_with_a_newer_schema() {
    for fresh in Fresh::both().await {
        assert_eq!(migrate(&fresh.config, &grown(2, "")).await.unwrap(), 2);
        let db = Db::open(&fresh.config, &grown(1, ""), Migrate::Refuse)
            .await
            .unwrap();
        db.ping().await.unwrap();
        db.close().await;
    }
}

#[tokio::test]
async fn a_migration_that_was_changed_is_refused() {
    for fresh in Fresh::both().await {
        migrate(&fresh.config, &grown(3, "CREATE TABLE c (id BIGINT)"))
            .await
            .unwrap();
        let changed = grown(3, "CREATE TABLE c (id BIGINT, name TEXT)");
        for migrate in [Migrate::Auto, Migrate::Refuse] {
            let error = Db::open(&fresh.config, &changed, migrate)
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::FailedPrecondition);
            assert!(
                error
                    .detail()
                    .contains("migration 3 was previously applied but has been modified"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_of_itself() {
    for fresh in Fresh::both().await {
        let bad = grown(
            3,
            "CREATE TABLE c (id BIGINT PRIMARY KEY); CREATE TABLE a (id BIGINT);",
        );
        let error = migrate(&fresh.config, &bad).await.unwrap_err();
        assert!(
            error.chain().contains("already exists"),
            "{}: {error:?}",
            fresh.name
        );
        let good = grown(3, "CREATE TABLE c (id BIGINT PRIMARY KEY)");
        assert_eq!(migrate(&fresh.config, &good).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn services_do_not_see_each_others_tables() {
    for fresh in Fresh::both().await {
        let (notes, other) = (fresh.open(&SCHEMA).await, fresh.open(&grown(1, "")).await);
        notes.q("SELECT id FROM notes").exec().await.unwrap();
        other.q("SELECT id FROM a").exec().await.unwrap();
        assert!(
            other.q("SELECT id FROM notes").exec().await.is_err(),
            "{}",
            fresh.name
        );
    }
}

#[tokio::test]
async fn settings_of_connections_are_as_documented() {
    let sqlite = Fresh::sqlite();
    let db = sqlite.open(&SCHEMA).await;
    let mut tx = db.begin().await.unwrap();
    let journal: String = tx
        .q("SELECT journal_mode AS mode FROM pragma_journal_mode")
        .scalar()
        .await
        .unwrap();
    let numbers: (i64, i64, i64) = tx
        .q("SELECT (SELECT synchronous FROM pragma_synchronous) AS s, (SELECT foreign_keys FROM pragma_foreign_keys) AS f,
                   (SELECT timeout FROM pragma_busy_timeout) AS b")
        .one()
        .await
        .unwrap();
    assert_eq!((journal.as_str(), numbers), ("wal", (2, 1, 5000)));

    let db = Fresh::postgres().await.open(&SCHEMA).await;
    for (name, value) in [
        ("search_path", "notes"),
        ("statement_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "2s"),
        ("plan_cache_mode", "force_generic_plan"),
        ("application_name", "qwen-swarm-notes"),
    ] {
        let set: String = db
            .q("SELECT current_setting($1) AS value")
            .bind(name)
            .scalar()
            .await
            .unwrap();
        assert_eq!(set, value, "{name}");
    }
}

#[tokio::test]
async fn the_pools_connections_are_counted() {
    for fresh in Fresh::both().await {
        let db = fresh.open(&SCHEMA).await;
        db.ping().await.unwrap();
        let tx = db.begin().await.unwrap();
        // A connection is given back a moment after its statement has ended.
        let stats = || async {
            let stats = db.pool_stats();
            if stats.open == stats.idle + 1 {
                Ok(stats)
            } else {
                Err(stats)
            }
        };
        eventually("one connection in use", LIMIT, stats).await;
        tx.rollback().await.unwrap();
        eventually("none in use", LIMIT, || async {
            db.pool_stats().open == db.pool_stats().idle
        })
        .await;
        assert!(
            matches!(db.pool_stats(), PoolStats { open: 1.., .. }),
            "{}",
            fresh.name
        );
    }
}
