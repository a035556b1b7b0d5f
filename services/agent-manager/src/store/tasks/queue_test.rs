#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]
use serde_json::Value;
use swarm_database::Json;
use swarm_test_support::database::Fresh;
use swarm_types::{Clock as _, SystemClock};

use super::*;
use crate::SCHEMA;

/// Tasks of many tenants: some queued, and finished ones beside them.
const FILL: &str = "
    INSERT INTO tasks (tenant_id, id, root_id, role, kind, state, priority, spec, attempt, epoch, ready_at, deadline,
                       last_seq, created_at)
    SELECT t.id, n.id, n.id, '', 'test', CASE WHEN $4 THEN 'queued' ELSE 'completed' END, 1, '{}', 1, 0,
           CASE WHEN $4 THEN CAST($3 AS timestamptz) END, CAST($3 AS timestamptz) + interval '1 day', 1, $3
    FROM (SELECT CAST(lpad(to_hex(t), 32, '0') AS uuid) AS id FROM generate_series(1, $1) AS t) AS t
    CROSS JOIN LATERAL (SELECT gen_random_uuid() AS id FROM generate_series(1, $2) WHERE t.id IS NOT NULL) AS n";

async fn fill(db: &Db, tenants: i32, each: i32, queued: bool) {
    // A statement has a limit of time.
    let mut left = each;
    while left > 0 {
        let some = left.min(50);
        let now = SystemClock.now();
        let fill = db.write(FILL).bind(tenants).bind(some).bind(now);
        fill.bind(queued).exec().await.unwrap();
        left -= some;
    }
}

fn explained(text: &str) -> &'static str {
    Box::leak(format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}").into_boxed_str())
}

fn buffers(plan: &Value) -> u64 {
    let plan = &plan[0]["Plan"];
    let of = |key: &str| plan[key].as_u64().unwrap();
    of("Shared Hit Blocks") + of("Shared Read Blocks")
}

/// Our connections leave PostgreSQL little choice of plans; here it has all, and must not be tempted.
const FREE_CHOICE: [&str; 3] = [
    "SET LOCAL enable_seqscan = on",
    "SET LOCAL enable_hashjoin = on",
    "SET LOCAL enable_mergejoin = on",
];

/// Buffers that are read.
#[derive(Debug)]
struct Cost {
    /// By a look for queues.
    look: u64,
    /// By a claim of one task in each of those that it finds.
    claim: u64,
    /// By the same where PostgreSQL chooses freely.
    free_claim: u64,
    /// By a look for queued tasks whose deadline has passed.
    overdue: u64,
}

async fn cost(db: &Db) -> Cost {
    let start = Lane {
        tenant: TenantId::from_uuid(Uuid::nil()),
        pool: String::new(),
    };
    let heads = lanes(db, &start).await.unwrap();
    let (look,): (Json<Value>,) = db
        .q(explained(sql::LANES_PG))
        .bind(start.tenant.uuid())
        .bind("")
        .one()
        .await
        .unwrap();
    let (overdue,): (Json<Value>,) = db
        .q(explained(sql::OVERDUE))
        .bind(SystemClock.now())
        .one()
        .await
        .unwrap();
    Cost {
        look: buffers(&look.0),
        claim: claim_cost(db, &heads, &[]).await,
        free_claim: claim_cost(db, &heads, &FREE_CHOICE).await,
        overdue: buffers(&overdue.0),
    }
}

async fn claim_cost(db: &Db, heads: &[Head], settings: &[&'static str]) -> u64 {
    let mut tx = db.begin().await.unwrap();
    for setting in settings {
        tx.q(setting).exec().await.unwrap();
    }
    let claim: Vec<(Json<Value>,)> = tx
        .batch(explained(sql::CANDIDATES_PG), "")
        .column(heads.iter().map(|head| head.lane.tenant.uuid()).collect())
        .column(heads.iter().map(|head| head.lane.pool.clone()).collect())
        .column(vec![1_i64; heads.len()])
        .column(vec![SystemClock.now(); heads.len()])
        .all()
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    buffers(&claim[0].0.0)
}

/// `FINISHED_PER_TENANT=1000` makes that a million finished tasks.
#[tokio::test]
async fn a_claim_costs_the_same_beside_a_thousand_tenants_and_all_that_is_finished() {
    let finished = std::env::var("FINISHED_PER_TENANT").map_or(20, |each| each.parse().unwrap());
    let db = Fresh::postgres().await.open(&SCHEMA).await;
    fill(&db, 64, 50, true).await;
    db.write("ANALYZE tasks").exec().await.unwrap();
    let few = cost(&db).await;
    fill(&db, 1_000, finished, false).await;
    fill(&db, 1_000, 50, true).await;
    db.write("ANALYZE tasks").exec().await.unwrap();
    let many = cost(&db).await;
    eprintln!(
        "buffers for 64 queues: {few:?} with 64 tenants, {many:?} with 1000 and {finished} finished tasks each"
    );
    // A deeper tree costs a page on each way down, and the number of rows nothing.
    for (few, many, most) in [
        (few.look, many.look, 64 * 8),
        (few.claim, many.claim, 64 * 16),
        (few.free_claim, many.free_claim, 64 * 16),
    ] {
        assert!(many <= most && many <= few + few / 2 + 64, "{few} {many}");
    }
    assert!(many.overdue <= 8, "{many:?}");
}
