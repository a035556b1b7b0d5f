//! Every type comes back as it went in, the same from both databases.

use chrono::DateTime;
use serde_json::json;
use swarm_database::{Db, Json};
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use uuid::Uuid;

use crate::notes::{COUNT, FIND, INSERT, Note, SCHEMA, TENANT, count};

const INSERT_ALL: &str = "
    INSERT INTO notes (tenant_id, id, name, small, number, ratio, done, body, bytes, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

async fn insert(db: &Db, note: &Note) {
    let inserted = db
        .write(INSERT_ALL)
        .bind(TENANT)
        .bind(note.id)
        .bind(&note.name)
        .bind(note.small)
        .bind(note.number)
        .bind(note.ratio)
        .bind(note.done)
        .bind(note.body.clone())
        .bind(note.bytes.clone())
        .bind(note.created_at)
        .exec()
        .await;
    assert_eq!(inserted.unwrap(), 1);
}

async fn found(db: &Db, id: Uuid) -> Option<Note> {
    db.q(FIND).bind(TENANT).bind(id).opt().await.unwrap()
}

fn full() -> Note {
    Note {
        id: Uuid::now_v7(),
        name: "Ünï \u{1F980} '; --".to_owned(),
        small: -3,
        number: Some(i64::MIN),
        ratio: Some(0.1),
        done: true,
        body: Some(Json(json!({"b": [1, 2.5, null, "x"], "a": {}}))),
        bytes: Some(vec![0, 255, 39]),
        created_at: Some(DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap()),
    }
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    for_each_database(&SCHEMA, |db| async move {
        let note = full();
        insert(&db, &note).await;
        assert_eq!(found(&db, note.id).await, Some(note));
        assert_eq!(found(&db, Uuid::now_v7()).await, None);
    })
    .await;
}

#[tokio::test]
async fn nulls_come_back_as_none() {
    for_each_database(&SCHEMA, |db| async move {
        let note = Note {
            number: None,
            ratio: None,
            body: None,
            bytes: None,
            created_at: None,
            ..full()
        };
        insert(&db, &note).await;
        assert_eq!(found(&db, note.id).await, Some(note));
    })
    .await;
}

#[tokio::test]
async fn times_are_cut_to_microseconds() {
    for_each_database(&SCHEMA, |db| async move {
        let time = DateTime::from_timestamp_nanos(1_700_000_000_123_456_789);
        let note = Note {
            created_at: Some(time),
            ..full()
        };
        insert(&db, &note).await;
        let kept = found(&db, note.id).await.unwrap().created_at.unwrap();
        assert_eq!(kept.timestamp_nanos_opt(), Some(1_700_000_000_123_456_000));
    })
    .await;
}

#[tokio::test]
async fn times_sort_and_compare_as_times() {
    for_each_database(&SCHEMA, |db| async move {
        let micros = [
            1_700_000_000_000_000,
            1_700_000_000_000_001,
            1_700_000_000_120_000,
            1_700_000_001_000_000,
        ];
        for (place, at) in micros.into_iter().enumerate().rev() {
            let created_at = DateTime::from_timestamp_micros(at);
            insert(
                &db,
                &Note {
                    id: Uuid::now_v7(),
                    name: place.to_string(),
                    created_at,
                    ..full()
                },
            )
            .await;
        }
        let from = DateTime::from_timestamp_micros(micros[1]).unwrap();
        let text = "SELECT name FROM notes WHERE created_at >= $1 ORDER BY created_at";
        let names: Vec<String> = db.q(text).bind(from).scalars().await.unwrap();
        assert_eq!(names, ["1", "2", "3"]);
    })
    .await;
}

#[tokio::test]
async fn nul_is_refused_by_both() {
    for_each_database(&SCHEMA, |db| async move {
        let text = db
            .write(INSERT)
            .bind(TENANT)
            .bind(Uuid::now_v7())
            .bind("a\0b")
            .exec()
            .await;
        let json = db
            .q("SELECT id FROM notes WHERE body = $1")
            .bind(Json(json!(["\0"])))
            .scalars::<Uuid>()
            .await;
        for error in [text.unwrap_err(), json.unwrap_err()] {
            assert_eq!(error.code(), Code::InvalidArgument);
        }
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_missing_or_spare_value_is_an_error_and_nothing_is_written() {
    for_each_database(&SCHEMA, |db| async move {
        let missing = "INSERT INTO notes (tenant_id, id, name, number) VALUES ($1, $2, $3, $4)";
        let error = db
            .write(missing)
            .bind(TENANT)
            .bind(Uuid::now_v7())
            .bind("a")
            .exec()
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(
            error
                .chain()
                .contains("3 values for a statement that takes 4"),
            "{error:?}"
        );
        assert!(
            db.q(COUNT)
                .bind(TENANT)
                .bind(TENANT)
                .scalar::<i64>()
                .await
                .is_err()
        );
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_number_of_rows_must_fit_what_was_asked_for() {
    for_each_database(&SCHEMA, |db| async move {
        for name in ["a", "b"] {
            insert(
                &db,
                &Note {
                    id: Uuid::now_v7(),
                    name: name.to_owned(),
                    ..full()
                },
            )
            .await;
        }
        let all = "SELECT id FROM notes WHERE tenant_id = $1";
        assert_eq!(
            db.q(all)
                .bind(TENANT)
                .scalars::<Uuid>()
                .await
                .unwrap()
                .len(),
            2
        );
        assert!(db.q(all).bind(TENANT).scalar_opt::<Uuid>().await.is_err());
        assert!(
            db.q(FIND)
                .bind(TENANT)
                .bind(Uuid::nil())
                .one::<Note>()
                .await
                .is_err()
        );
        let pair: (String, bool) = db
            .q("SELECT name, done FROM notes WHERE name = $1")
            .bind("b")
            .one()
            .await
            .unwrap();
        assert_eq!(pair, ("b".to_owned(), true));
    })
    .await;
}
