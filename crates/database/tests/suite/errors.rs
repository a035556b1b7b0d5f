//! What failures are called, the same on both databases.

use std::time::Duration;

use swarm_database::{
    DatabaseConfig, Db, Migrate, UniqueViolation, is_retryable, unique_violation,
};
use swarm_errors::Code;
use swarm_test_support::database::{Fresh, for_each_database};
use swarm_test_support::eventually;
use swarm_test_support::postgres::{Durability, Server};
use uuid::Uuid;

use crate::notes::{INSERT, SCHEMA, TENANT, count, insert};

#[tokio::test]
async fn a_unique_violation_names_table_and_columns() {
    for_each_database(&SCHEMA, |db| async move {
        let id = Uuid::now_v7();
        let add =
            |id: Uuid, name: &'static str| db.write(INSERT).bind(TENANT).bind(id).bind(name).exec();
        add(id, "a").await.unwrap();
        for (id, name, column) in [(id, "b", "id"), (Uuid::now_v7(), "a", "name")] {
            let error = add(id, name).await.unwrap_err().context("adding a note");
            assert_eq!(error.code(), Code::Conflict);
            let columns = vec!["tenant_id".to_owned(), column.to_owned()];
            assert_eq!(
                unique_violation(&error),
                Some(UniqueViolation {
                    table: "notes".to_owned(),
                    columns
                })
            );
            assert!(!is_retryable(&error));
        }
    })
    .await;
}

#[tokio::test]
async fn a_foreign_key_is_enforced() {
    for_each_database(&SCHEMA, |db| async move {
        let text = "INSERT INTO remarks (tenant_id, note_id, seq) VALUES ($1, $2, $3)";
        let error = db
            .write(text)
            .bind(TENANT)
            .bind(Uuid::nil())
            .bind(1_i64)
            .exec()
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert_eq!(unique_violation(&error), None);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_text_is_our_fault_and_its_cause_stays_inside() {
    for_each_database(&SCHEMA, |db| async move {
        let error = db.q("SELECT id FROM nowhere").exec().await.unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(!error.detail().contains("nowhere"), "{error}");
        assert!(error.chain().contains("nowhere"), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_slow_statement_ends_as_deadline_exceeded() {
    for mut fresh in Fresh::both().await {
        fresh.config.statement_timeout_ms = 50;
        let db = fresh.open(&SCHEMA).await;
        let slow = db.pick(
            "SELECT count(*) AS n FROM generate_series(1, 100000000)",
            "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 5000000) SELECT count(*) AS n FROM s",
        );
        let error = db.q(slow).scalar::<i64>().await.unwrap_err();
        assert_eq!(
            error.code(),
            Code::DeadlineExceeded,
            "{} {error:?}",
            fresh.name
        );
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_and_comes_back_by_itself() {
    let server = Server::start(Durability::Full).await;
    let config = DatabaseConfig {
        acquire_timeout_ms: 300,
        ..DatabaseConfig::at(server.database().await)
    };
    let db = Db::open(&config, &SCHEMA, Migrate::Auto).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, "kept").await.unwrap();
    tx.commit().await.unwrap();
    let mut open = db.begin().await.unwrap();
    insert(&mut open, "lost").await.unwrap();

    server.kill();
    let error = open.q("SELECT 1 AS one").exec().await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error:?}");
    assert!(!error.had_no_effect(), "it was sent, and may have arrived");
    assert!(open.commit().await.is_err());
    for _ in 0..3 {
        let error = db.ping().await.unwrap_err();
        assert_eq!(
            (error.code(), error.retry_after()),
            (Code::Unavailable, Some(Duration::from_secs(1))),
            "{error:?}"
        );
    }
    let error = db.begin().await.unwrap_err();
    assert!(error.had_no_effect(), "there was no connection: {error:?}");
    assert!(error.for_another().had_no_effect());
    let error = Db::open(&config, &SCHEMA, Migrate::Refuse)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error:?}");

    server.start_again().await;
    eventually("the pool to connect again", Duration::from_secs(10), || {
        db.ping()
    })
    .await;
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn a_database_that_is_full_or_read_only_is_unavailable_and_says_why() {
    let [sqlite, postgres] = Fresh::both().await;
    let raise = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$";
    let full = postgres.open(&SCHEMA).await;
    let error = full.write(raise).exec().await.unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::Unavailable, "the database is full")
    );
    let mut tx = full.begin().await.unwrap();
    tx.q("SET TRANSACTION READ ONLY").exec().await.unwrap();
    let note = tx.q(INSERT).bind(TENANT).bind(Uuid::now_v7()).bind("a");
    let error = note.exec().await.unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::Unavailable, "the database takes no writes")
    );

    let db = sqlite.open(&SCHEMA).await;
    // Not below the pages that there are, so some rows still find room.
    db.write("PRAGMA max_page_count = 1").exec().await.unwrap();
    let error = loop {
        let name = Uuid::now_v7().to_string().repeat(20);
        let added = db
            .write(INSERT)
            .bind(TENANT)
            .bind(Uuid::now_v7())
            .bind(name);
        if let Err(error) = added.exec().await {
            break error;
        }
    };
    assert_eq!(
        (error.code(), error.detail()),
        (Code::Unavailable, "the database is full")
    );
    db.write("PRAGMA query_only = on").exec().await.unwrap();
    let added = db.write(INSERT).bind(TENANT).bind(Uuid::now_v7()).bind("a");
    let error = added.exec().await.unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::Unavailable, "the database takes no writes")
    );
}
