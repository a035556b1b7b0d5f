//! Rows of the past, put into the tables by the million: copies of a task that has really run.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Copies made by one statement.
const BATCH: i64 = 50_000;

/// The id of a copy: of the time's order, as ids of tasks are, and before all that are to come.
const ID: &str = "(lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || 'a000' || lpad(to_hex(n), 12, '0'))::uuid";

/// What is copied, and the columns that a copy has of its own.
fn tables() -> [(&'static str, String); 4] {
    [
        ("tasks", format!("'id', {ID}, 'root_id', {ID}")),
        ("steps", format!("'task_id', {ID}, 'id', gen_random_uuid()")),
        (
            "events",
            // Below all numbers that were given out, so that they are in nobody's way.
            format!("'task_id', {ID}, 'root_id', {ID}, 'tenant_seq', -(n * 100 + original.seq)"),
        ),
        (
            "idempotency",
            format!("'key', 'history-' || n, 'answer_id', {ID}"),
        ),
    ]
}

/// Adds tasks that ended long ago, with their steps, events and keys, until there are `wanted` of
/// them: copies of the newest completed task. `already` is how many were added before.
///
/// # Panics
/// When no task has completed yet, or the database refuses the rows.
pub async fn fill(url: &str, already: i64, wanted: i64) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (schema, task, key): (String, uuid::Uuid, String) = original(&mut connection).await;
    let mut from = already;
    while from < wanted {
        let to = (from + BATCH).min(wanted);
        for (table, own) in tables() {
            let of = match table {
                "tasks" => format!("original.id = '{task}'"),
                "idempotency" => format!("original.key = '{key}'"),
                _ => format!("original.task_id = '{task}'"),
            };
            let columns = columns(&mut connection, &schema, table).await;
            let (into, from_copy) = (columns.join(", "), columns.join(", copy."));
            let text = format!(
                "INSERT INTO {schema}.{table} ({into}) SELECT copy.{from_copy} FROM {schema}.{table} original, \
                 generate_series({from} + 1, {to}) n, \
                 jsonb_populate_record(original, jsonb_build_object({own})) copy WHERE {of}"
            );
            run(&mut connection, text).await;
        }
        from = to;
    }
    for (table, _) in tables() {
        run(
            &mut connection,
            format!("VACUUM (ANALYZE) {schema}.{table}"),
        )
        .await;
    }
    run(&mut connection, "CHECKPOINT".to_owned()).await;
}

/// The schema of the tables, and the newest completed task with its key.
async fn original(connection: &mut PgConnection) -> (String, uuid::Uuid, String) {
    let (schema,): (String,) =
        sqlx::query_as("SELECT schemaname::text FROM pg_tables WHERE tablename = 'idempotency' AND schemaname LIKE 'agent%'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    let text = format!(
        "SELECT task.id, known.key FROM {schema}.tasks task JOIN {schema}.idempotency known \
         ON known.answer_id = task.id AND known.tenant_id = task.tenant_id \
         WHERE task.state = 'completed' ORDER BY task.id DESC LIMIT 1"
    );
    let (task, key) = sqlx::query_as(AssertSqlSafe(text))
        .fetch_one(connection)
        .await
        .unwrap();
    (schema, task, key)
}

/// The columns that the database does not make by itself.
async fn columns(connection: &mut PgConnection, schema: &str, table: &str) -> Vec<String> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT quote_ident(column_name::text) FROM information_schema.columns \
         WHERE table_schema = $1 AND table_name = $2 AND is_generated = 'NEVER' ORDER BY ordinal_position",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

async fn run(connection: &mut PgConnection, text: String) {
    sqlx::raw_sql(AssertSqlSafe(text.clone()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error}"));
}
