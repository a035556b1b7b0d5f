//! The real small model finds the right passage of a guide.

use std::sync::Arc;

use swarm_memory::{Memories, Mode, Question, SCHEMA};
use swarm_models::{Embedder, Embeddings, ModelsConfig};
use swarm_test_support::database::Fresh;
use swarm_types::{SystemClock, TenantId};

use crate::support::{INDEX_BYTES, contents, derived, question};

const PASSAGES: [&str; 20] = [
    "The gateway alone faces the world. It serves REST on port 3000 and WebSocket on port 3001; the other five services talk gRPC among themselves.",
    "The first start writes a random credential for the first administrator into a file of mode 0600. There is no default password.",
    "A service that finds its port taken ends at once with an error that names the setting and the address.",
    "Send SIGTERM, or press Ctrl-C. The service takes no new work from that moment, and running work has a grace time of 20 seconds to finish.",
    "Kubernetes kills a pod 30 seconds after it asked it to stop, so keep the grace time below terminationGracePeriodSeconds.",
    "The admin port answers /health, /ready, /metrics and /version. None of them needs a token, so do not expose it to the world.",
    "An error rate is a ratio, never a count: alert when the share of 5xx answers is above one percent over five minutes.",
    "Logs are pretty on a terminal and one JSON object a line elsewhere. A line bears the trace id where there is one.",
    "Set OTEL_EXPORTER_OTLP_ENDPOINT to send traces to a collector. One request is one tree of spans.",
    "A setting comes from the defaults, then a file, then the environment, then flags. Each later source wins.",
    "Stop the services and copy the data folder: that is a complete backup of embedded storage.",
    "On PostgreSQL use pg_dump for the database, and copy the folder of consensus, which keeps its log on a disk of its own.",
    "Whoever has a copy of the store can sign tokens, since the signing key is in it: encrypt it.",
    "A task in state waiting says what for: sub-tasks, consensus, provider or message. Every task has a deadline of 24 hours.",
    "When consensus is down, tasks that need a vote wait and try again until their deadline. Nothing else stops.",
    "When the database is down, requests that need it get 503 with Retry-After. Nothing is accepted and forgotten.",
    "When the model cannot be reached, the call is repeated with growing pauses, then handed to the fallback provider.",
    "Access tokens last 15 minutes. Clients should refresh them, or use an API key.",
    "When the disk is full the services refuse writes and stay up for reads. Free space, then start consensus again.",
    "One machine with two cores and 4 GiB of memory runs all six services with the small local model.",
];

/// A question, and the passage that answers it. The first eight are plain; of the others some are
/// put so that several passages fit.
const QUESTIONS: [(&str, usize); 14] = [
    (
        "How long does running work get to end when I shut the server down?",
        3,
    ),
    (
        "How do I save my data so that I can get it back after a crash of the machine?",
        10,
    ),
    ("Where is the initial admin password?", 1),
    (
        "Why was my client logged out after a quarter of an hour?",
        17,
    ),
    ("What hardware do I need?", 19),
    ("What happens if there is no space left on the drive?", 18),
    ("Which configuration source takes precedence?", 9),
    (
        "What does the system do when the LLM endpoint is unreachable?",
        16,
    ),
    ("Which port does the REST API listen on?", 0),
    ("Can I let the internet reach the metrics port?", 5),
    ("When should I be alarmed about failing requests?", 6),
    ("How can I follow a request across services?", 8),
    ("How long may a pod take before it is killed?", 4),
    ("Is my backup a secret?", 12),
];

fn embedder() -> Arc<dyn Embedder> {
    let config = ModelsConfig {
        embeddings: Embeddings::Local,
        ..ModelsConfig::default()
    };
    swarm_models::embedder(&config)
        .expect("run `make models`")
        .expect("it was asked for by name")
}

/// Where each question's passage is found, from 1; 0 where it is not among the first ten.
async fn places(memories: &Memories, tenant: TenantId, mode: Mode) -> Vec<usize> {
    let mut places = Vec::new();
    for (text, right) in QUESTIONS {
        let hits = memories
            .search(
                tenant,
                &Question {
                    mode,
                    ..question(text)
                },
            )
            .await
            .unwrap();
        assert!(
            hits.iter()
                .all(|hit| hit.why.note.starts_with("all-MiniLM-L6-v2")),
            "{}",
            hits[0].why.note
        );
        let place = contents(&hits)
            .iter()
            .position(|content| *content == PASSAGES[right]);
        places.push(place.map_or(0, |place| place + 1));
    }
    places
}

fn mean_reciprocal_rank(places: &[usize]) -> f64 {
    let sum: f64 = places
        .iter()
        .filter(|place| **place > 0)
        .map(|place| 1.0 / f64::from(u32::try_from(*place).unwrap()))
        .sum();
    sum / f64::from(u32::try_from(places.len()).unwrap())
}

#[tokio::test]
async fn the_right_passage_is_found_by_hybrid_search() {
    let fresh = Fresh::sqlite();
    let db = fresh.open(&SCHEMA).await;
    let memories = Memories::new(db, Arc::new(SystemClock), Some(embedder()), INDEX_BYTES);
    let tenant = TenantId::new();
    memories
        .put(tenant, &PASSAGES.map(derived), None)
        .await
        .unwrap();
    let hybrid = places(&memories, tenant, Mode::Hybrid).await;
    let lexical = places(&memories, tenant, Mode::Lexical).await;
    assert!(
        hybrid[..8].iter().all(|place| (1..=3).contains(place)),
        "the plain questions: {hybrid:?}"
    );
    assert!(
        hybrid.iter().filter(|place| **place == 1).count() >= 9,
        "first places: {hybrid:?}"
    );
    assert!(mean_reciprocal_rank(&hybrid) > 0.75, "{hybrid:?}");
    assert!(
        mean_reciprocal_rank(&hybrid) > mean_reciprocal_rank(&lexical),
        "{hybrid:?} {lexical:?}"
    );
}
