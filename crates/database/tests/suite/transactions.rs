//! What a transaction keeps, and when it refuses to.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use swarm_errors::{Code, Error};
use swarm_test_support::database::{Fresh, for_each_database};
use swarm_test_support::eventually;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::notes::{COUNT, SCHEMA, TENANT, count, insert};

#[tokio::test]
async fn a_commit_keeps_and_a_rollback_and_a_drop_do_not() {
    for_each_database(&SCHEMA, |db| async move {
        let mut kept = db.begin().await.unwrap();
        insert(&mut kept, "kept").await.unwrap();
        assert_eq!(
            kept.q(COUNT).bind(TENANT).scalar::<i64>().await.unwrap(),
            1,
            "it sees its own writes"
        );
        assert_eq!(count(&db).await, 0, "nobody else does before the commit");
        kept.commit().await.unwrap();

        let mut undone = db.begin().await.unwrap();
        insert(&mut undone, "undone").await.unwrap();
        undone.rollback().await.unwrap();

        let mut dropped = db.begin().await.unwrap();
        insert(&mut dropped, "dropped").await.unwrap();
        drop(dropped);
        // Also waits until SQLite's only writer is free again.
        db.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn after_a_failed_statement_nothing_can_be_committed() {
    for_each_database(&SCHEMA, |db| async move {
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "first").await.unwrap();
        assert_eq!(
            insert(&mut tx, "first").await.unwrap_err().code(),
            Code::Conflict
        );
        assert!(insert(&mut tx, "second").await.is_err());
        let error = tx.commit().await.unwrap_err();
        assert!(error.chain().contains("commit refused"), "{error:?}");
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn after_a_statement_that_was_given_up_nothing_can_be_committed() {
    for_each_database(&SCHEMA, |db| async move {
        let slow = db.pick(
            "SELECT count(*) AS n FROM generate_series(1, 3000000)",
            "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 3000000) SELECT count(*) AS n FROM s",
        );
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "kept?").await.unwrap();
        let given_up = tokio::time::timeout(Duration::from_millis(1), tx.q(slow).scalar::<i64>()).await;
        assert!(given_up.is_err(), "the statement was too fast for this test");
        assert!(tx.commit().await.is_err());
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn writers_that_read_first_do_not_fail() {
    // Two deferred transactions of SQLite would: code 517, whatever the busy timeout.
    for_each_database(&SCHEMA, |db| async move {
        let start = Barrier::new(8);
        let writers = (0..8).map(|place| {
            let (db, start) = (&db, &start);
            async move {
                start.wait().await;
                let mut tx = db.begin().await?;
                let before: i64 = tx.q(COUNT).bind(TENANT).scalar().await?;
                insert(&mut tx, &format!("{place} after {before}")).await?;
                tx.commit().await
            }
        });
        futures::future::try_join_all(writers).await.unwrap();
        assert_eq!(count(&db).await, 8);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_has_only_read_can_still_write() {
    // Somebody from outside, such as a sqlite3 shell, gets in between reading and writing if
    // the transaction is deferred, and then the write fails.
    let fresh = Fresh::sqlite();
    let db = fresh.open(&SCHEMA).await;
    let folder = fresh.config.url.trim_start_matches("sqlite:");
    let outside = SqliteConnectOptions::new()
        .filename(Path::new(folder).join("notes.db"))
        .busy_timeout(Duration::ZERO);
    let mut outside = outside.connect().await.unwrap();

    let mut tx = db.begin().await.unwrap();
    assert_eq!(tx.q(COUNT).bind(TENANT).scalar::<i64>().await.unwrap(), 0);
    let text = "INSERT INTO notes (tenant_id, id, name) VALUES (x'00', x'00', 'outside')";
    let refused = sqlx::query(text).execute(&mut outside).await.unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    insert(&mut tx, "inside").await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query(text).execute(&mut outside).await.unwrap();
}

#[tokio::test]
async fn a_read_does_not_wait_for_a_writer() {
    for_each_database(&SCHEMA, |db| async move {
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "not yet").await.unwrap();
        assert_eq!(count(&db).await, 0);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn reads_of_sqlite_cannot_write() {
    let fresh = Fresh::sqlite();
    let db = fresh.open(&SCHEMA).await;
    let error = db
        .q("DELETE FROM notes WHERE tenant_id = $1")
        .bind(TENANT)
        .exec()
        .await
        .unwrap_err();
    assert!(error.chain().contains("readonly"), "{error:?}");
}

#[tokio::test]
async fn a_second_transaction_inside_the_first_ends_as_unavailable() {
    let mut fresh = Fresh::sqlite();
    fresh.config.acquire_timeout_ms = 50;
    let db = fresh.open(&SCHEMA).await;
    let _first = db.begin().await.unwrap();
    let error = db.begin().await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn clashes_are_retried_until_both_have_happened() {
    let text = "UPDATE notes SET number = number + 1 WHERE tenant_id = $1";
    for_each_database(&SCHEMA, |db| async move {
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, "counter").await.unwrap();
        tx.q("UPDATE notes SET number = 0 WHERE tenant_id = $1")
            .bind(TENANT)
            .exec()
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let writers = (0..6).map(|_| {
            db.retry(|| async {
                let mut tx = db.begin().await?;
                if tx.is_postgres() {
                    tx.q("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
                        .exec()
                        .await?;
                }
                let _read: i64 = tx
                    .q("SELECT number FROM notes WHERE tenant_id = $1")
                    .bind(TENANT)
                    .scalar()
                    .await?;
                tx.q(text).bind(TENANT).exec().await?;
                tx.commit().await
            })
        });
        futures::future::try_join_all(writers).await.unwrap();
        let counted: i64 = db
            .q("SELECT number FROM notes WHERE tenant_id = $1")
            .bind(TENANT)
            .scalar()
            .await
            .unwrap();
        assert_eq!(counted, 6);
    })
    .await;
}

#[tokio::test]
async fn only_clashes_are_retried() {
    for_each_database(&SCHEMA, |db| async move {
        let mut attempts = 0;
        let result = db.retry(|| {
            attempts += 1;
            let db = &db;
            async move {
                let mut tx = db.begin().await?;
                insert(&mut tx, "twice").await?;
                insert(&mut tx, "twice").await?;
                tx.commit().await
            }
        });
        assert_eq!(result.await.unwrap_err().code(), Code::Conflict);
        assert_eq!(attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn work_can_be_spawned() {
    for_each_database(&SCHEMA, |db| async move {
        let inner = db.clone();
        let work = tokio::spawn(async move {
            inner
                .retry(|| async {
                    let mut tx = inner.begin().await?;
                    insert(&mut tx, "spawned").await?;
                    tx.commit().await?;
                    Ok::<_, Error>(())
                })
                .await
        });
        work.await.unwrap().unwrap();
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_process_that_stands_still_in_a_transaction_holds_nobody_for_long() {
    let db = Fresh::postgres().await.open(&SCHEMA).await;
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, "held").await.unwrap();
    let sessions = "SELECT count(*) AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
    let held: i64 = db.q(sessions).scalar().await.unwrap();
    assert_eq!(held, 1);
    eventually(
        "the server to end the transaction",
        Duration::from_secs(20),
        || async {
            db.q(sessions)
                .scalar::<i64>()
                .await
                .map(|held| held == 0)
                .unwrap_or(false)
        },
    )
    .await;
    assert_eq!(
        insert(&mut tx, "late").await.unwrap_err().code(),
        Code::Unavailable
    );
    assert!(tx.commit().await.is_err());
    let id: Option<Uuid> = db.q("SELECT id FROM notes").scalar_opt().await.unwrap();
    assert_eq!(id, None);
}
