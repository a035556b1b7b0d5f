//! Order is written, not guessed: a reader that follows a cursor skips nothing, however slow the
//! transactions are.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use swarm_database::Db;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, SystemClock, TaskId, TenantId};

use super::Unit;
use crate::SCHEMA;
use crate::events::NewEvent;
use crate::store::events;

async fn unit(db: &Db, tenant: TenantId, name: &str) -> Unit {
    let mut unit = Unit::begin(db, SystemClock.now()).await.unwrap();
    let task = TaskId::new();
    unit.event(tenant, task, task, 1, NewEvent::new(name, json!({})));
    unit
}

async fn kinds(db: &Db, tenant: TenantId) -> Vec<String> {
    let found = events::of_tenant(db, tenant, 0, 1000).await.unwrap();
    found.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn a_slow_transaction_holds_back_later_numbers_of_its_tenant_alone() {
    for_each_database(&SCHEMA, |db| async move {
        let (tenant, other) = (TenantId::new(), TenantId::new());
        let mut slow = unit(&db, tenant, "slow").await;
        slow.number().await.unwrap();
        // Drawn, and not committed: a faster one with a higher number must not be seen before it.
        let fast = tokio::spawn({
            let db = db.clone();
            async move { unit(&db, tenant, "fast").await.commit().await }
        });
        if db.is_postgres() {
            unit(&db, other, "other").await.commit().await.unwrap();
            assert_eq!(
                kinds(&db, other).await,
                ["other"],
                "other tenants do not wait"
            );
        }
        let mut fast = fast;
        assert!(
            tokio::time::timeout(Duration::from_millis(100), &mut fast)
                .await
                .is_err(),
            "it waits"
        );
        assert!(kinds(&db, tenant).await.is_empty());
        slow.commit_numbered().await.unwrap();
        fast.await.unwrap().unwrap();
        assert_eq!(kinds(&db, tenant).await, ["slow", "fast"]);
    })
    .await;
}

#[tokio::test]
async fn a_number_is_drawn_at_the_commit_and_not_at_the_beginning() {
    for_each_database(&SCHEMA, |db| async move {
        let tenant = TenantId::new();
        // SQLite has one writer, so there the second cannot even begin.
        if !db.is_postgres() {
            return;
        }
        let early = unit(&db, tenant, "began first").await;
        unit(&db, tenant, "committed first")
            .await
            .commit()
            .await
            .unwrap();
        early.commit().await.unwrap();
        assert_eq!(kinds(&db, tenant).await, ["committed first", "began first"]);
    })
    .await;
}

#[tokio::test]
async fn a_reader_beside_many_slow_writers_skips_nothing() {
    const WRITERS: usize = 6;
    const EACH: usize = 12;
    for_each_database(&SCHEMA, |db| async move {
        let tenants = [TenantId::new(), TenantId::new()];
        let writers = (0..WRITERS).map(|writer| {
            let db = db.clone();
            tokio::spawn(async move {
                for place in 0..EACH {
                    let mut slow = unit(&db, tenants[0], "one").await;
                    // Both tenants in one transaction, in the wrong order.
                    let task = TaskId::new();
                    slow.event(tenants[1], task, task, 1, NewEvent::new("two", json!({})));
                    pause(writer + place).await;
                    slow.number().await.unwrap();
                    pause(writer * 3 + place).await;
                    slow.commit_numbered().await.unwrap();
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut seen = Vec::new();
        while seen.len() < WRITERS * EACH {
            let after = seen.last().copied().unwrap_or(0);
            let found = events::of_tenant(&db, tenants[0], after, 1000)
                .await
                .unwrap();
            seen.extend(found.iter().map(|event| event.tenant_seq));
            tokio::task::yield_now().await;
        }
        assert_eq!(
            seen,
            (1..=(WRITERS * EACH) as i64).collect::<Vec<_>>(),
            "in order and without a gap"
        );
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(
            events::newest(&db, tenants[1]).await.unwrap(),
            (WRITERS * EACH) as i64
        );
    })
    .await;
}

#[tokio::test]
async fn a_page_begins_and_ends_within_what_one_commit_told() {
    for_each_database(&SCHEMA, |db| async move {
        let (tenant, one, two) = (TenantId::new(), TaskId::new(), TaskId::new());
        let mut unit = Unit::begin(&db, SystemClock.now()).await.unwrap();
        for (task, seq, kind) in [
            (one, 1, "a"),
            (one, 2, "b"),
            (one, 3, "c"),
            (two, 7, "d"),
            (one, 4, "e"),
        ] {
            let data = json!({ "says": kind });
            unit.event(tenant, task, task, seq, NewEvent::new(kind, data));
        }
        unit.commit().await.unwrap();
        let page = async |after, limit| -> Vec<(String, i64, i64)> {
            let found = events::of_tenant(&db, tenant, after, limit).await.unwrap();
            let found = found.into_iter();
            found
                .map(|event| {
                    assert_eq!(event.data["says"], event.kind);
                    (event.kind, event.seq, event.tenant_seq)
                })
                .collect()
        };
        let named = |kind: &str, seq, tenant_seq| (kind.to_owned(), seq, tenant_seq);
        let rest = [named("c", 3, 3), named("d", 7, 4), named("e", 4, 5)];
        assert_eq!(page(0, 2).await, [named("a", 1, 1), named("b", 2, 2)]);
        assert_eq!(page(2, 100).await, rest);
        assert_eq!(page(2, 2).await, rest[..2]);
        assert!(page(5, 100).await.is_empty());
        let of_one = events::of_task(&db, tenant, one, 1, 2).await.unwrap();
        let of_one: Vec<_> = of_one.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(of_one, ["b", "c"]);
    })
    .await;
}

/// A different number of turns each time, and no clock.
async fn pause(turns: usize) {
    for _ in 0..turns % 7 {
        tokio::task::yield_now().await;
    }
}
