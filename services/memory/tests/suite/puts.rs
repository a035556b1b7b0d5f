//! Putting, getting, listing, deleting.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use swarm_errors::Code;
use swarm_memory::{Draft, Kind, Repeat, SCHEMA};
use swarm_test_support::database::for_each_database;
use swarm_types::{AgentId, Clock, MemoryId, PageRequest, SystemClock, TaskId, TenantId};

use crate::support::{contents, derived, draft, embedding, lexical, question};

#[tokio::test]
async fn every_field_comes_back_as_it_was_put() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, tenant) = (lexical(&db), TenantId::new());
        let metadata = serde_json::json!({"page": 3, "ratio": 0.1, "deep": {"list": [null, true, "ü\n\"x\""]}, "": 1e300});
        let full = Draft {
            namespace: "agent/agent_x".into(),
            kind: Kind::LongTerm,
            metadata: metadata.as_object().unwrap().clone(),
            tags: vec!["b".into(), "ä \"quoted\"".into()],
            importance: 0.3,
            source: "docs/operations.md, line 7".into(),
            task: Some(TaskId::new()),
            agent: Some(AgentId::new()),
            expires_at: Some(SystemClock.now() + TimeDelta::days(1)),
            ..derived("Line one.\nLine two: 通义千问 \u{1F600} '; DROP TABLE memories; --")
        };
        let answer = memories.put(tenant, &[full.clone(), draft("plain")], None).await.unwrap();
        assert_eq!((answer.written, answer.memories.len()), (2, 2));
        for put in &answer.memories {
            assert_eq!(&memories.get(tenant, put.id).await.unwrap(), put, "what was answered is what is stored");
        }
        let got = &answer.memories[0];
        assert_eq!((got.id, got.version, got.created_at), (full.id.unwrap(), 1, got.updated_at));
        assert_eq!((&got.content, &got.metadata, &got.tags), (&full.content, &full.metadata, &full.tags));
        assert_eq!((got.importance.to_bits(), got.kind, got.task), (0.3_f32.to_bits(), Kind::LongTerm, full.task));
        assert_eq!((got.agent, got.expires_at, &got.source), (full.agent, full.expires_at, &full.source));
    })
    .await;
}

#[tokio::test]
async fn the_same_again_writes_nothing_and_embeds_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, embedder), tenant) = (embedding(&db), TenantId::new());
        let drafts: Vec<Draft> = (0..40)
            .map(|n| derived(&format!("passage number {n} of a text")))
            .collect();
        let first = memories.put(tenant, &drafts, None).await.unwrap();
        assert_eq!((first.written, embedder.count()), (40, 40));
        let by_another: Vec<Draft> = drafts
            .iter()
            .map(|draft| Draft {
                task: Some(TaskId::new()),
                ..draft.clone()
            })
            .collect();
        let second = memories.put(tenant, &by_another, None).await.unwrap();
        assert_eq!((second.written, embedder.count()), (0, 40));
        assert_eq!(second.memories, first.memories);
        let mixed = [derived("passage number 3 of a text"), derived("a new one")];
        assert_eq!(memories.put(tenant, &mixed, None).await.unwrap().written, 1);
        assert_eq!(embedder.count(), 41);
    })
    .await;
}

#[tokio::test]
async fn other_content_replaces_and_is_found_in_its_place() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, embedder), tenant) = (embedding(&db), TenantId::new());
        let old = derived("the cat sleeps");
        memories
            .put(tenant, std::slice::from_ref(&old), None)
            .await
            .unwrap();
        assert_eq!(
            memories
                .search(tenant, &question("cat"))
                .await
                .unwrap()
                .len(),
            1
        );
        let new = Draft {
            content: "the dog barks".into(),
            ..old
        };
        let answer = memories
            .put(tenant, std::slice::from_ref(&new), None)
            .await
            .unwrap();
        assert_eq!((answer.written, answer.memories[0].version), (1, 2));
        assert!(answer.memories[0].created_at <= answer.memories[0].updated_at);
        let hits = memories.search(tenant, &question("cat")).await.unwrap();
        assert!(
            hits.iter().all(|hit| hit.why.lexical.is_none()),
            "no word of the old content is left"
        );
        assert_eq!(
            contents(&memories.search(tenant, &question("dog")).await.unwrap()),
            ["the dog barks"]
        );
        let embedded = embedder.count();
        let back = Draft {
            content: "the cat sleeps".into(),
            ..new
        };
        let answer = memories.put(tenant, &[back], None).await.unwrap();
        assert_eq!(
            (answer.memories[0].version, embedder.count()),
            (3, embedded),
            "its vector was kept"
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_brings_the_first_answer_back() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, tenant) = (lexical(&db), TenantId::new());
        let repeat = Repeat {
            key: "k".into(),
            body_hash: vec![1; 32],
        };
        let drafts = [draft("one"), draft("two")];
        let first = memories.put(tenant, &drafts, Some(&repeat)).await.unwrap();
        let second = memories.put(tenant, &drafts, Some(&repeat)).await.unwrap();
        assert_eq!(first, second);
        let page = memories
            .list(tenant, "", &PageRequest::default())
            .await
            .unwrap();
        assert_eq!(
            page.items.len(),
            2,
            "ids are new each time, so a repeat must not put again"
        );
        let other = Repeat {
            body_hash: vec![2; 32],
            ..repeat.clone()
        };
        let error = memories
            .put(tenant, &drafts, Some(&other))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::IdempotencyMismatch);
        let unsaid = Repeat {
            body_hash: Vec::new(),
            ..repeat.clone()
        };
        assert_eq!(
            memories.put(tenant, &drafts, Some(&unsaid)).await.unwrap(),
            first
        );
        let stranger = memories
            .put(TenantId::new(), &drafts, Some(&other))
            .await
            .unwrap();
        assert_ne!(
            stranger.memories[0].id, first.memories[0].id,
            "a key is its tenant's own"
        );
    })
    .await;
}

#[tokio::test]
async fn puts_at_once_under_the_same_ids_and_keys_end_as_one() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, tenant) = (lexical(&db), TenantId::new());
        let one = |n: usize| {
            let memories = memories.clone();
            async move {
                let namespace = if n.is_multiple_of(2) {
                    "shared"
                } else {
                    "other"
                };
                let id = Some(MemoryId::derived(&["contended"]));
                let moving = Draft {
                    id,
                    namespace: namespace.into(),
                    ..draft(&format!("content {}", n % 4))
                };
                memories.put(tenant, &[moving], None).await.unwrap();
                let keyed = Draft {
                    namespace: "keyed".into(),
                    ..draft("keyed")
                };
                let repeat = Repeat {
                    key: "same".into(),
                    body_hash: Vec::new(),
                };
                memories
                    .put(tenant, &[keyed], Some(&repeat))
                    .await
                    .unwrap()
                    .memories[0]
                    .id
            }
        };
        let ids: BTreeSet<MemoryId> = futures::future::join_all((0..16).map(one))
            .await
            .into_iter()
            .collect();
        assert_eq!(ids.len(), 1);
        let page = memories
            .list(tenant, "", &PageRequest::default())
            .await
            .unwrap();
        assert_eq!(page.items.len(), 2);
        let both = swarm_memory::Question {
            namespaces: vec!["shared".into(), "other".into(), "keyed".into()],
            ..question("content keyed")
        };
        assert_eq!(
            memories.search(tenant, &both).await.unwrap().len(),
            2,
            "the counts of namespaces hold"
        );
    })
    .await;
}

#[tokio::test]
async fn lists_go_page_by_page() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, tenant) = (lexical(&db), TenantId::new());
        let drafts: Vec<Draft> = (0..7).map(|n| derived(&format!("number {n}"))).collect();
        memories.put(tenant, &drafts, None).await.unwrap();
        memories
            .put(
                tenant,
                &[Draft {
                    namespace: "other".into(),
                    ..draft("elsewhere")
                }],
                None,
            )
            .await
            .unwrap();
        memories
            .put(TenantId::new(), &[draft("a stranger's")], None)
            .await
            .unwrap();
        let mut seen = Vec::new();
        let mut page = PageRequest {
            limit: 3,
            cursor: String::new(),
        };
        loop {
            let answer = memories.list(tenant, "shared", &page).await.unwrap();
            seen.push(answer.items.len());
            assert!(
                answer
                    .items
                    .iter()
                    .all(|memory| memory.namespace == "shared")
            );
            let Some(cursor) = answer.next_cursor else {
                break;
            };
            page.cursor = cursor;
        }
        assert_eq!(seen, [3, 3, 1]);
        assert_eq!(
            memories
                .list(tenant, "", &PageRequest::default())
                .await
                .unwrap()
                .items
                .len(),
            8
        );
        let wrong = PageRequest {
            limit: 1,
            cursor: "'; --".into(),
        };
        let error = memories.list(tenant, "", &wrong).await.unwrap_err();
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::InvalidArgument, "cursor")
        );
    })
    .await;
}

#[tokio::test]
async fn a_list_ends_early_where_an_answer_would_be_too_large() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, tenant) = (lexical(&db), TenantId::new());
        for part in 0..2 {
            let drafts: Vec<Draft> = (0..30)
                .map(|n| draft(&format!("{part} {n} {}", "x".repeat(65_000))))
                .collect();
            memories.put(tenant, &drafts, None).await.unwrap();
        }
        let page = memories
            .list(
                tenant,
                "",
                &PageRequest {
                    limit: 500,
                    cursor: String::new(),
                },
            )
            .await
            .unwrap();
        let bytes: usize = page.items.iter().map(|memory| memory.content.len()).sum();
        assert!(
            bytes <= 3 << 20 && page.items.len() > 40 && page.next_cursor.is_some(),
            "{bytes}"
        );
        let rest = PageRequest {
            limit: 500,
            cursor: page.next_cursor.unwrap(),
        };
        let rest = memories.list(tenant, "", &rest).await.unwrap();
        assert_eq!(
            (page.items.len() + rest.items.len(), rest.next_cursor),
            (60, None)
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, embedder), tenant) = (embedding(&db), TenantId::new());
        let put = memories
            .put(
                tenant,
                &[derived("the cat sleeps"), draft("the cat runs")],
                None,
            )
            .await
            .unwrap();
        let id = put.memories[0].id;
        assert_eq!(
            memories
                .search(tenant, &question("cat"))
                .await
                .unwrap()
                .len(),
            2
        );
        let error = memories.delete(TenantId::new(), id).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "a stranger cannot delete");
        memories.delete(tenant, id).await.unwrap();
        for error in [
            memories.delete(tenant, id).await.unwrap_err(),
            memories.get(tenant, id).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), Code::NotFound);
        }
        assert_eq!(
            contents(&memories.search(tenant, &question("cat")).await.unwrap()),
            ["the cat runs"]
        );
        let again = memories
            .put(tenant, &[derived("the cat sleeps")], None)
            .await
            .unwrap();
        assert_eq!(
            (again.memories[0].version, embedder.count()),
            (1, 3),
            "two contents and one question"
        );
    })
    .await;
}
