//! Searching: modes, filters, namespaces, tenants, and why.

use swarm_errors::Code;
use swarm_memory::{Draft, Kind, Memories, Mode, Question, SCHEMA};
use swarm_test_support::database::for_each_database;
use swarm_types::TenantId;

use crate::support::{contents, derived, draft, embedding, lexical, question};

const TEXTS: [&str; 5] = [
    "The automobile stands in the garage.",
    "A feline sleeps on the roof.",
    "Press the red button to halt the machine.",
    "The garage roof is made of tin.",
    "Bread is baked in the morning.",
];

async fn filled(memories: &Memories) -> TenantId {
    let tenant = TenantId::new();
    memories
        .put(tenant, &TEXTS.map(derived), None)
        .await
        .unwrap();
    tenant
}

fn in_mode(mode: Mode, text: &str) -> Question {
    Question {
        mode,
        ..question(text)
    }
}

#[tokio::test]
async fn words_meaning_and_both() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, _) = embedding(&db);
        let tenant = filled(&memories).await;
        let hits = memories
            .search(tenant, &in_mode(Mode::Lexical, "garage roofs"))
            .await
            .unwrap();
        assert_eq!(contents(&hits)[0], TEXTS[3]);
        assert_eq!(
            (hits.len(), hits[0].why.mode, hits[0].why.note.as_str()),
            (3, Mode::Lexical, "words")
        );
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        assert!(
            hits.iter().all(
                |hit| hit.why.semantic.is_none() && hit.why.lexical.unwrap().score == hit.score
            )
        );
        // No word of the question is in the text.
        assert!(
            memories
                .search(tenant, &in_mode(Mode::Lexical, "car"))
                .await
                .unwrap()
                .is_empty()
        );
        let hits = memories
            .search(tenant, &in_mode(Mode::Semantic, "car"))
            .await
            .unwrap();
        assert_eq!((contents(&hits)[0], hits.len()), (TEXTS[0], 5));
        assert!(hits[0].why.lexical.is_none() && hits[0].score > hits[1].score + 0.1);
        let hits = memories
            .search(tenant, &in_mode(Mode::Hybrid, "cat roof"))
            .await
            .unwrap();
        assert_eq!(contents(&hits)[0], TEXTS[1]);
        let why = &hits[0].why;
        assert_eq!(
            (why.mode, why.semantic.unwrap().rank, why.note.as_str()),
            (Mode::Hybrid, 1, "words")
        );
        let expected = 1.0 / (60.0 + f64::from(why.lexical.unwrap().rank)) + 1.0 / 61.0;
        assert!((hits[0].score - expected).abs() < 1e-12);
    })
    .await;
}

#[tokio::test]
async fn without_an_embedder_words_alone_and_why_says_so() {
    for_each_database(&SCHEMA, |db| async move {
        let memories = lexical(&db);
        let tenant = filled(&memories).await;
        let hits = memories.search(tenant, &question("garage")).await.unwrap();
        assert_eq!((hits.len(), hits[0].why.mode), (2, Mode::Lexical));
        assert!(
            hits[0].why.note.contains("make models"),
            "{}",
            hits[0].why.note
        );
        let error = memories
            .search(tenant, &in_mode(Mode::Semantic, "garage"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains("make models"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn with_an_embedder_that_fails_words_alone_and_why_says_so() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, embedder) = embedding(&db);
        let tenant = filled(&memories).await;
        embedder.fail(true);
        let hits = memories.search(tenant, &question("garage")).await.unwrap();
        assert_eq!((hits.len(), hits[0].why.mode), (2, Mode::Lexical));
        assert!(
            hits[0].why.note.contains("the endpoint is away"),
            "{}",
            hits[0].why.note
        );
        let error = memories
            .search(tenant, &in_mode(Mode::Semantic, "garage"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        embedder.fail(false);
        let hits = memories.search(tenant, &question("garage")).await.unwrap();
        assert_eq!(hits[0].why.mode, Mode::Hybrid, "a failure is not kept");
    })
    .await;
}

#[tokio::test]
async fn filters_and_limits_hold_in_every_mode() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, _), tenant) = (embedding(&db), TenantId::new());
        let tagged = |n: usize| Draft {
            kind: if n.is_multiple_of(2) {
                Kind::Episodic
            } else {
                Kind::Semantic
            },
            tags: ["a", "b", "c"]
                .iter()
                .take(n % 4)
                .map(|tag| (*tag).to_owned())
                .collect(),
            ..derived(&format!("the cat number {n}"))
        };
        memories
            .put(tenant, &(0..24).map(tagged).collect::<Vec<_>>(), None)
            .await
            .unwrap();
        for mode in [Mode::Hybrid, Mode::Lexical, Mode::Semantic] {
            let ask = Question {
                kind: Some(Kind::Episodic),
                tags: vec!["b".into(), "a".into()],
                ..in_mode(mode, "cat")
            };
            let hits = memories.search(tenant, &ask).await.unwrap();
            assert_eq!(hits.len(), 6, "{mode:?}: numbers 2, 6, 10, ...");
            assert!(
                hits.iter()
                    .all(|hit| hit.memory.kind == Kind::Episodic && hit.memory.tags == ["a", "b"])
            );
            let hits = memories
                .search(
                    tenant,
                    &Question {
                        limit: 4,
                        ..in_mode(mode, "cat")
                    },
                )
                .await
                .unwrap();
            assert_eq!(hits.len(), 4, "{mode:?}");
            let again = memories
                .search(
                    tenant,
                    &Question {
                        limit: 4,
                        ..in_mode(mode, "cat")
                    },
                )
                .await
                .unwrap();
            assert_eq!(
                contents(&hits),
                contents(&again),
                "ties are broken the same way each time"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn several_namespaces_are_ranked_as_one() {
    for_each_database(&SCHEMA, |db| async move {
        let ((memories, _), tenant) = (embedding(&db), TenantId::new());
        let drafts = TEXTS.map(|text| Draft {
            namespace: if text.contains("roof") {
                "docs/roofs".into()
            } else {
                "shared".into()
            },
            ..derived(text)
        });
        memories.put(tenant, &drafts, None).await.unwrap();
        let one = TenantId::new();
        memories.put(one, &TEXTS.map(derived), None).await.unwrap();
        for mode in [Mode::Hybrid, Mode::Lexical, Mode::Semantic] {
            let split = Question {
                namespaces: vec!["docs/roofs".into(), "shared".into(), "unknown".into()],
                ..in_mode(mode, "garage roof cat")
            };
            let (split, whole) = (
                memories.search(tenant, &split).await.unwrap(),
                memories
                    .search(one, &in_mode(mode, "garage roof cat"))
                    .await
                    .unwrap(),
            );
            let scores =
                |hits: &[swarm_memory::Hit]| hits.iter().map(|hit| hit.score).collect::<Vec<_>>();
            assert_eq!(
                (contents(&split), scores(&split)),
                (contents(&whole), scores(&whole)),
                "{mode:?}"
            );
        }
        let only = memories
            .search(
                tenant,
                &Question {
                    namespaces: vec!["docs/roofs".into()],
                    ..question("garage")
                },
            )
            .await
            .unwrap();
        assert!(only.iter().all(|hit| hit.memory.namespace == "docs/roofs"));
    })
    .await;
}

#[tokio::test]
async fn another_tenant_finds_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let (memories, _) = embedding(&db);
        let tenant = filled(&memories).await;
        let put = memories.search(tenant, &question("garage")).await.unwrap();
        let stranger = TenantId::new();
        for mode in [Mode::Hybrid, Mode::Lexical, Mode::Semantic] {
            assert!(
                memories
                    .search(stranger, &in_mode(mode, "garage"))
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        let error = memories.get(stranger, put[0].memory.id).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
        // The same id is another memory there.
        let theirs = Draft {
            id: Some(put[0].memory.id),
            ..draft("theirs, about a garage")
        };
        assert_eq!(
            memories
                .put(stranger, &[theirs], None)
                .await
                .unwrap()
                .memories[0]
                .version,
            1
        );
        assert_eq!(
            contents(
                &memories
                    .search(stranger, &question("garage"))
                    .await
                    .unwrap()
            ),
            ["theirs, about a garage"]
        );
        assert_eq!(
            memories.get(tenant, put[0].memory.id).await.unwrap(),
            put[0].memory
        );
    })
    .await;
}
