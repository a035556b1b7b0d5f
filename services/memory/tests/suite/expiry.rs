//! What is past its expiry is not there, swept or not.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use swarm_errors::Code;
use swarm_memory::{Draft, Memories, Repeat, SCHEMA, Swept};
use swarm_runtime::{Lifecycle, OnExit};
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::{Clock, ManualClock, PageRequest, SystemClock, TenantId};

use crate::support::{INDEX_BYTES, WordEmbedder, contents, derived, draft, question, timed};

#[tokio::test]
async fn an_expired_memory_is_not_returned_by_any_door() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, clock), tenant) = (timed(&db), TenantId::new());
        let mortal = Draft {
            expires_at: Some(clock.now() + TimeDelta::seconds(60)),
            ..derived("the cat sleeps")
        };
        let id = mortal.id.unwrap();
        memories
            .put(tenant, &[mortal.clone(), draft("the cat runs")], None)
            .await
            .unwrap();
        clock.advance(TimeDelta::seconds(59));
        memories.get(tenant, id).await.unwrap();
        assert_eq!(
            memories
                .search(tenant, &question("cat"))
                .await
                .unwrap()
                .len(),
            2
        );
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(
            memories.get(tenant, id).await.unwrap_err().code(),
            Code::NotFound
        );
        assert_eq!(
            memories.delete(tenant, id).await.unwrap_err().code(),
            Code::NotFound
        );
        assert_eq!(
            memories
                .list(tenant, "", &PageRequest::default())
                .await
                .unwrap()
                .items
                .len(),
            1
        );
        assert_eq!(
            contents(&memories.search(tenant, &question("cat")).await.unwrap()),
            ["the cat runs"]
        );
        let late = memories
            .put(tenant, std::slice::from_ref(&mortal), None)
            .await
            .unwrap_err();
        assert_eq!(late.fields()[0].field, "memories[0].expires_at");
        // It can be put anew, for good.
        let again = memories
            .put(tenant, &[derived("the cat sleeps")], None)
            .await
            .unwrap();
        assert_eq!(again.memories[0].version, 2);
        assert_eq!(memories.sweep_expired().await.unwrap(), 0);
        assert_eq!(
            memories
                .search(tenant, &question("cat"))
                .await
                .unwrap()
                .len(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn a_sweep_removes_what_is_past_its_time_and_nothing_else() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, clock) = timed(&db);
        let tenants = [TenantId::new(), TenantId::new()];
        for tenant in tenants {
            for batch in 0..3 {
                let expires_at = Some(clock.now() + TimeDelta::seconds(10));
                let mortal = |n| Draft {
                    expires_at,
                    ..draft(&format!("mortal {batch} {n}"))
                };
                memories
                    .put(tenant, &(0..250).map(mortal).collect::<Vec<_>>(), None)
                    .await
                    .unwrap();
            }
            let repeat = Repeat {
                key: "k".into(),
                body_hash: Vec::new(),
            };
            memories
                .put(tenant, &[draft("stays")], Some(&repeat))
                .await
                .unwrap();
            assert_eq!(
                memories
                    .search(tenant, &question("stays"))
                    .await
                    .unwrap()
                    .len(),
                1
            );
        }
        assert_eq!(memories.sweep().await.unwrap(), Swept::default());
        clock.advance(TimeDelta::seconds(10));
        assert_eq!(
            memories.sweep().await.unwrap(),
            Swept {
                memories: 1500,
                ..Swept::default()
            }
        );
        for tenant in tenants {
            assert_eq!(
                memories
                    .list(tenant, "", &PageRequest::default())
                    .await
                    .unwrap()
                    .items
                    .len(),
                1
            );
            assert_eq!(
                memories
                    .search(tenant, &question("stays mortal"))
                    .await
                    .unwrap()
                    .len(),
                1
            );
        }
        clock.advance(TimeDelta::hours(25));
        assert_eq!(
            memories.sweep().await.unwrap(),
            Swept {
                requests: 2,
                ..Swept::default()
            }
        );
    })
    .await;
}

#[tokio::test]
async fn a_vector_outlives_its_content_for_a_while() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let embedder = Arc::new(WordEmbedder::default());
        let memories = Memories::new(
            db.clone(),
            clock.clone(),
            Some(embedder.clone()),
            INDEX_BYTES,
        );
        let tenant = TenantId::new();
        let put = memories
            .put(tenant, &[derived("goes"), derived("stays")], None)
            .await
            .unwrap();
        memories.delete(tenant, put.memories[0].id).await.unwrap();
        clock.advance(TimeDelta::days(29));
        assert_eq!(memories.sweep().await.unwrap().vectors, 0);
        memories
            .put(tenant, &[derived("goes")], None)
            .await
            .unwrap();
        assert_eq!(embedder.count(), 2);
        memories.delete(tenant, put.memories[0].id).await.unwrap();
        clock.advance(TimeDelta::days(2));
        assert_eq!(
            memories.sweep().await.unwrap().vectors,
            1,
            "the one whose content is gone"
        );
        memories
            .put(tenant, &[derived("goes"), derived("stays")], None)
            .await
            .unwrap();
        assert_eq!(embedder.count(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_sweeper_sweeps_until_it_is_to_stop() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, clock), tenant) = (timed(&db), TenantId::new());
        let mortal = Draft {
            expires_at: Some(clock.now() + TimeDelta::seconds(1)),
            ..draft("mortal")
        };
        memories
            .put(tenant, &[mortal, draft("stays")], None)
            .await
            .unwrap();
        let lifecycle = Lifecycle::new(Duration::from_secs(5));
        let (sweeper, soft) = (memories.clone(), lifecycle.soft());
        let every = Duration::from_millis(2);
        lifecycle.spawn("sweeper", OnExit::Stop, async move {
            sweeper.run_sweeper(every, soft).await
        });
        clock.advance(TimeDelta::seconds(1));
        let rows = || async {
            db.q("SELECT count(*) AS rows FROM memories")
                .scalar::<i64>()
                .await
                .unwrap()
        };
        eventually("the row to go", Duration::from_secs(20), || async {
            rows().await == 1
        })
        .await;
        assert!(lifecycle.stop().await.is_clean());
        assert_eq!(
            memories
                .list(tenant, "", &PageRequest::default())
                .await
                .unwrap()
                .items[0]
                .content,
            "stays"
        );
    })
    .await;
}
