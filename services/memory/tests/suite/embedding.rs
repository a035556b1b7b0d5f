//! Vectors: made once, made later where they could not be made at once.

use std::time::Duration;

use swarm_memory::{Draft, Mode, Question, SCHEMA};
use swarm_runtime::{Lifecycle, OnExit};
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::TenantId;

use crate::support::{contents, derived, draft, embedding, lexical, question};

fn by_meaning(text: &str) -> Question {
    Question {
        mode: Mode::Semantic,
        ..question(text)
    }
}

#[tokio::test]
async fn equal_contents_and_equal_questions_are_embedded_once() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, embedder), tenant) = (embedding(&db), TenantId::new());
        let twins = [
            draft("the same text"),
            draft("the same text"),
            Draft {
                namespace: "other".into(),
                ..draft("the same text")
            },
        ];
        memories.put(tenant, &twins, None).await.unwrap();
        assert_eq!(embedder.count(), 1);
        for _ in 0..3 {
            assert_eq!(
                memories
                    .search(tenant, &by_meaning("text"))
                    .await
                    .unwrap()
                    .len(),
                2
            );
        }
        assert_eq!(embedder.count(), 2);
        let puts = (0..4).map(|n| {
            let memories = memories.clone();
            async move {
                memories
                    .put(
                        tenant,
                        &[Draft {
                            namespace: format!("n/{n}"),
                            ..draft("put at once")
                        }],
                        None,
                    )
                    .await
            }
        });
        futures::future::join_all(puts)
            .await
            .into_iter()
            .for_each(|put| drop(put.unwrap()));
        assert_eq!(
            embedder.count(),
            3,
            "puts of one content at the same time embed it once"
        );
        memories
            .put(TenantId::new(), &[draft("the same text")], None)
            .await
            .unwrap();
        assert_eq!(embedder.count(), 4, "another tenant's vectors are its own");
    })
    .await;
}

#[tokio::test]
async fn a_restart_embeds_nothing_again() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, _), tenant) = (embedding(&db), TenantId::new());
        let drafts: Vec<Draft> = (0..30)
            .map(|n| derived(&format!("the cat number {n}")))
            .collect();
        memories.put(tenant, &drafts, None).await.unwrap();
        let before = memories
            .search(tenant, &question("cat number 7"))
            .await
            .unwrap();
        drop(memories);
        let (memories, embedder) = embedding(&db);
        assert_eq!(
            memories.put(tenant, &drafts, None).await.unwrap().written,
            0
        );
        assert_eq!((embedder.count(), memories.loaded_indexes()), (0, 0));
        let after = memories
            .search(tenant, &question("cat number 7"))
            .await
            .unwrap();
        assert_eq!(contents(&before), contents(&after));
        assert_eq!(
            (embedder.count(), memories.loaded_indexes()),
            (1, 1),
            "the question alone"
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_put_while_the_embedder_failed_is_embedded_later() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, embedder), tenant) = (embedding(&db), TenantId::new());
        let lifecycle = Lifecycle::new(Duration::from_secs(1));
        let (background, soft) = (memories.clone(), lifecycle.soft());
        embedder.fail(true);
        memories
            .put(
                tenant,
                &[draft("the feline sleeps"), draft("the dog barks")],
                None,
            )
            .await
            .unwrap();
        assert_eq!(
            memories
                .search(tenant, &question("dog"))
                .await
                .unwrap()
                .len(),
            1,
            "found by words meanwhile"
        );
        embedder.fail(false);
        let hits = memories.search(tenant, &by_meaning("cat")).await.unwrap();
        assert!(hits.is_empty(), "nobody has embedded them yet");
        lifecycle.spawn("embedding", OnExit::Stop, async move {
            background.run_backfill(soft).await
        });
        let hits = eventually("both to be embedded", Duration::from_secs(20), || async {
            let hits = memories.search(tenant, &by_meaning("cat")).await.unwrap();
            (hits.len() == 2).then_some(hits)
        });
        let hits = hits.await;
        assert_eq!(
            (contents(&hits)[0], hits[0].why.note.as_str()),
            ("the feline sleeps", "words")
        );
        assert!(lifecycle.stop().await.is_clean());
    })
    .await;
}

#[tokio::test]
async fn a_model_that_appears_embeds_what_was_there_before() {
    for_each_database(&SCHEMA, |db| async move {
        let tenant = TenantId::new();
        let drafts: Vec<Draft> = (0..200)
            .map(|n| derived(&format!("the feline number {n}")))
            .collect();
        lexical(&db).put(tenant, &drafts, None).await.unwrap();
        let (memories, embedder) = embedding(&db);
        let lifecycle = Lifecycle::new(Duration::from_secs(1));
        let (background, soft) = (memories.clone(), lifecycle.soft());
        lifecycle.spawn("embedding", OnExit::Stop, async move {
            background.run_backfill(soft).await
        });
        let hits = memories
            .search(tenant, &question("cat number 17"))
            .await
            .unwrap();
        assert!(
            hits[0].why.note.contains("not embedded yet"),
            "{}",
            hits[0].why.note
        );
        let look = || async {
            let hits = memories
                .search(tenant, &question("cat number 17"))
                .await
                .unwrap();
            if hits[0].why.note == "words" {
                Ok(())
            } else {
                Err(hits[0].why.note.clone())
            }
        };
        eventually("all to be embedded", Duration::from_secs(20), look).await;
        let hits = memories
            .search(
                tenant,
                &Question {
                    limit: 100,
                    ..by_meaning("cat number 17")
                },
            )
            .await
            .unwrap();
        assert_eq!(hits.len(), 100);
        assert_eq!(embedder.count(), 201, "each content once, and the question");
        assert!(lifecycle.stop().await.is_clean());
    })
    .await;
}
