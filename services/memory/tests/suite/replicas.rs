//! Several processes on one database, and indexes that come and go.

use std::sync::Arc;

use swarm_memory::{Draft, Memories, SCHEMA};
use swarm_test_support::database::for_each_database;
use swarm_types::{MemoryId, SystemClock, TenantId};

use crate::support::{contents, derived, draft, embedding, lexical, question};

#[tokio::test]
async fn a_write_that_was_answered_is_found_by_every_replica() {
    for_each_database(&SCHEMA, |db| async move {
        let ((one, _), (two, embedded)) = (embedding(&db), embedding(&db));
        let tenant = TenantId::new();
        for round in 0..5 {
            let cat = derived(&format!("the feline number {round}"));
            one.put(tenant, &[cat], None).await.unwrap();
            let hits = two.search(tenant, &question("cat")).await.unwrap();
            assert_eq!(hits.len(), round + 1);
            assert!(
                hits.iter().all(|hit| hit.why.semantic.is_some()),
                "by meaning: no word is shared"
            );
        }
        assert_eq!(
            embedded.count(),
            1,
            "the question alone: vectors come from the database"
        );
        let id = MemoryId::derived(&["shared", "the feline number 2"]);
        one.delete(tenant, id).await.unwrap();
        assert_eq!(
            two.search(tenant, &question("feline")).await.unwrap().len(),
            4
        );
        let moved = Draft {
            namespace: "other".into(),
            ..derived("the feline number 3")
        };
        two.put(tenant, &[moved], None).await.unwrap();
        for replica in [&one, &two] {
            assert_eq!(
                replica
                    .search(tenant, &question("feline"))
                    .await
                    .unwrap()
                    .len(),
                3
            );
            let there = swarm_memory::Question {
                namespaces: vec!["other".into()],
                ..question("feline")
            };
            assert_eq!(
                contents(&replica.search(tenant, &there).await.unwrap()),
                ["the feline number 3"]
            );
        }
    })
    .await;
}

#[tokio::test]
async fn searches_and_writes_at_once_converge() {
    for_each_database(&SCHEMA, |db| async move {
        let (one, two, tenant) = (lexical(&db), lexical(&db), TenantId::new());
        let write = |replica: Memories, from: usize| async move {
            for n in from..from + 20 {
                let put = replica
                    .put(tenant, &[derived(&format!("cat {n}"))], None)
                    .await
                    .unwrap();
                if n % 4 == 0 {
                    replica.delete(tenant, put.memories[0].id).await.unwrap();
                }
                let hits = replica
                    .search(
                        tenant,
                        &swarm_memory::Question {
                            limit: 100,
                            ..question("cat")
                        },
                    )
                    .await
                    .unwrap();
                let own = hits.iter().any(|hit| hit.memory.id == put.memories[0].id);
                assert_eq!(own, n % 4 != 0, "read your writes");
            }
        };
        tokio::join!(
            write(one.clone(), 0),
            write(two.clone(), 100),
            write(two.clone(), 200)
        );
        let all = swarm_memory::Question {
            limit: 100,
            ..question("cat")
        };
        let (of_one, of_two) = (
            one.search(tenant, &all).await.unwrap(),
            two.search(tenant, &all).await.unwrap(),
        );
        assert_eq!((of_one.len(), contents(&of_one)), (45, contents(&of_two)));
        let fresh = lexical(&db).search(tenant, &all).await.unwrap();
        let scores =
            |hits: &[swarm_memory::Hit]| hits.iter().map(|hit| hit.score).collect::<Vec<_>>();
        assert_eq!(
            (contents(&fresh), scores(&fresh)),
            (contents(&of_one), scores(&of_one)),
            "as if built anew"
        );
    })
    .await;
}

#[tokio::test]
async fn a_namespace_of_many_pages_is_read_whole() {
    for_each_database(&SCHEMA, |db| async move {
        let (writer, tenant) = (lexical(&db), TenantId::new());
        for batch in 0..3 {
            let drafts: Vec<Draft> = (0..450)
                .map(|n| draft(&format!("entry b{batch}n{n}")))
                .collect();
            writer.put(tenant, &drafts, None).await.unwrap();
        }
        let reader = lexical(&db);
        for name in ["b0n0", "b1n249", "b2n449"] {
            assert_eq!(
                reader.search(tenant, &question(name)).await.unwrap().len(),
                1,
                "{name}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_least_used_index_makes_room() {
    for_each_database(&SCHEMA, |db| async move {
        let tenant = TenantId::new();
        let small = Memories::new(db.clone(), Arc::new(SystemClock), None, 40_000);
        let ask = |n: usize| swarm_memory::Question {
            namespaces: vec![format!("n/{n}")],
            ..question("cat")
        };
        for n in 0..6 {
            let drafts: Vec<Draft> = (0..50)
                .map(|m| Draft {
                    namespace: format!("n/{n}"),
                    ..draft(&format!("the cat {m} of {n}"))
                })
                .collect();
            small.put(tenant, &drafts, None).await.unwrap();
            assert_eq!(small.search(tenant, &ask(n)).await.unwrap().len(), 10);
        }
        assert!(
            (1..6).contains(&small.loaded_indexes()),
            "{}",
            small.loaded_indexes()
        );
        for n in 0..6 {
            assert_eq!(
                small.search(tenant, &ask(n)).await.unwrap().len(),
                10,
                "what was dropped is built again"
            );
        }
        for n in 0..50 {
            assert!(
                small
                    .search(tenant, &ask(1000 + n))
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        assert!(
            small.loaded_indexes() < 6,
            "unknown namespaces take no room"
        );
    })
    .await;
}
