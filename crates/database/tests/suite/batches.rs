//! Many rows in one statement.

use chrono::DateTime;
use serde_json::json;
use swarm_database::Json;
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use uuid::Uuid;

use crate::notes::{FIND, Note, SCHEMA, TENANT, count};

pub(crate) const INSERT_POSTGRES: &str = "
    INSERT INTO notes (tenant_id, id, name, small, number, ratio, done, body, bytes, created_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int2[], $5::bigint[], $6::float8[],
                         $7::bool[], $8::jsonb[], $9::bytea[], $10::timestamptz[])
    RETURNING id, name";
pub(crate) const INSERT_SQLITE: &str = "
    INSERT INTO notes (tenant_id, id, name, small, number, ratio, done, body, bytes, created_at)
    SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4, value->>5,
           value->>6, value->>7, unhex(value->>8), value->>9
    FROM json_each($1)
    RETURNING id, name";

fn notes(count: usize) -> Vec<Note> {
    let time = DateTime::from_timestamp_nanos(1_700_000_000_000_123_999);
    (0..count)
        .map(|place| {
            let odd = place % 2 == 1;
            Note {
                id: Uuid::now_v7(),
                name: format!("\"{place}\" ü \\ ]"),
                small: 7,
                number: odd.then_some(i64::MAX),
                ratio: odd.then_some(0.1),
                done: odd,
                body: odd.then(|| Json(json!("a \"text\" as JSON"))),
                bytes: odd.then(|| vec![0, 171, 255]),
                created_at: odd.then_some(time),
            }
        })
        .collect()
}

macro_rules! insert {
    ($tx:expr, $notes:expr) => {{
        let notes: &[Note] = $notes;
        $tx.batch(INSERT_POSTGRES, INSERT_SQLITE)
            .column(vec![TENANT; notes.len()])
            .column(notes.iter().map(|note| note.id).collect())
            .column(
                notes
                    .iter()
                    .map(|note| note.name.clone())
                    .collect::<Vec<String>>(),
            )
            .column(notes.iter().map(|note| note.small).collect())
            .column(notes.iter().map(|note| note.number).collect())
            .column(notes.iter().map(|note| note.ratio).collect())
            .column(notes.iter().map(|note| note.done).collect())
            .column(notes.iter().map(|note| note.body.clone()).collect())
            .column(notes.iter().map(|note| note.bytes.clone()).collect())
            .column(notes.iter().map(|note| note.created_at).collect())
    }};
}

#[tokio::test]
async fn a_batch_keeps_each_row_as_one_statement_would() {
    for_each_database(&SCHEMA, |db| async move {
        // More than the 32,766 or 65,535 values that a statement may take.
        let notes = notes(8_000);
        let mut tx = db.begin().await.unwrap();
        let returned: Vec<(Uuid, String)> = insert!(tx, &notes).all().await.unwrap();
        assert_eq!(returned.len(), notes.len());
        tx.commit().await.unwrap();
        for mut note in notes.into_iter().take(2) {
            let found: Note = db.q(FIND).bind(TENANT).bind(note.id).one().await.unwrap();
            note.created_at = note
                .created_at
                .and_then(|_| DateTime::from_timestamp_micros(1_700_000_000_000_123));
            assert_eq!(found, note);
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_without_rows_does_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let mut tx = db.begin().await.unwrap();
        assert_eq!(insert!(tx, &[]).exec().await.unwrap(), 0);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_bad_value_or_uneven_columns_fail_the_transaction() {
    for_each_database(&SCHEMA, |db| async move {
        let mut bad = notes(3);
        bad[1].name = "\0".to_owned();
        let mut tx = db.begin().await.unwrap();
        assert_eq!(
            insert!(tx, &bad).exec().await.unwrap_err().code(),
            Code::InvalidArgument
        );
        assert!(tx.commit().await.is_err());

        let mut tx = db.begin().await.unwrap();
        let uneven = tx
            .batch(INSERT_POSTGRES, INSERT_SQLITE)
            .column(vec![TENANT; 2])
            .column(vec![TENANT; 3]);
        assert_eq!(uneven.exec().await.unwrap_err().code(), Code::Internal);
        assert!(tx.commit().await.is_err());
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_batch_can_be_a_transaction_of_its_own() {
    const POSTGRES: &str = "INSERT INTO notes (tenant_id, id, name) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])";
    const SQLITE: &str = "INSERT INTO notes (tenant_id, id, name) SELECT unhex(value->>0), unhex(value->>1), value->>2 FROM json_each($1)";
    for_each_database(&SCHEMA, |db| async move {
        let write = |names: [&str; 2]| {
            let names = names.map(str::to_owned).to_vec();
            let ids = vec![Uuid::now_v7(), Uuid::now_v7()];
            db.write_batch(POSTGRES, SQLITE)
                .column(vec![TENANT; 2])
                .column(ids)
                .column(names)
                .exec()
        };
        assert_eq!(write(["a", "b"]).await.unwrap(), 2);
        assert_eq!(write(["c", "a"]).await.unwrap_err().code(), Code::Conflict);
        assert_eq!(count(&db).await, 2, "all or nothing");
    })
    .await;
}
