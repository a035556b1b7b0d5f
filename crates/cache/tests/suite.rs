//! One suite for both caches.
#![allow(clippy::unwrap_used)]

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use swarm_cache::{Cache, CacheConfig, Message, Subscription};
use swarm_errors::Code;
use swarm_test_support::{eventually, redis};

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(60);
const LIMIT: Duration = Duration::from_secs(20);

async fn for_each_cache<F, Fut>(case: F)
where
    F: Fn(Cache) -> Fut,
    Fut: Future<Output = ()>,
{
    static CASES: AtomicU32 = AtomicU32::new(0);
    let server = redis::Server::shared().await;
    for url in ["memory:".to_owned(), server.url()] {
        let prefix = format!("case-{}:", CASES.fetch_add(1, Ordering::Relaxed));
        let cache = Cache::open(&CacheConfig {
            prefix,
            timeout_ms: 5_000,
            ..CacheConfig::at(&url)
        })
        .unwrap();
        let passed = AssertUnwindSafe(case(cache)).catch_unwind().await;
        assert!(passed.is_ok(), "the case failed on {url}");
    }
}

async fn heard(subscription: &mut Subscription) -> Message {
    tokio::time::timeout(LIMIT, subscription.next())
        .await
        .expect("nothing was heard")
        .unwrap()
}

fn payload(text: &str) -> Message {
    Message::Payload(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_value_is_there_until_it_is_replaced_or_deleted() {
    for_each_cache(|cache| async move {
        cache.ping().await.unwrap();
        assert_eq!(cache.get("k").await.unwrap(), None);
        let bytes = vec![0, 255, 10, 13];
        cache.put("k", bytes.clone(), LONG).await.unwrap();
        assert_eq!(cache.get("k").await.unwrap(), Some(bytes));
        cache.put("k", "", LONG).await.unwrap();
        assert_eq!(cache.get("k").await.unwrap(), Some(Vec::new()));
        assert!(cache.delete("k").await.unwrap());
        assert!(!cache.delete("k").await.unwrap());
        assert_eq!(cache.get("k").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_value_is_gone_after_its_time() {
    for_each_cache(|cache| async move {
        cache.put("long", "x", LONG).await.unwrap();
        cache.put("short", "x", LONG).await.unwrap();
        cache.put("short", "x", SHORT).await.unwrap();
        eventually("the short one to be gone", LIMIT, || async {
            cache.get("short").await.unwrap().is_none()
        })
        .await;
        assert!(cache.get("long").await.unwrap().is_some());
        assert!(!cache.delete("short").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn no_time_at_all_is_refused() {
    for_each_cache(|cache| async move {
        let none = Duration::from_micros(999);
        for error in [
            cache.put("k", "x", none).await.unwrap_err(),
            cache.increment("k", 1, none).await.unwrap_err(),
        ] {
            assert_eq!(
                (error.code(), error.fields()[0].field.as_str()),
                (Code::InvalidArgument, "ttl")
            );
        }
        cache.put("k", "x", Duration::MAX).await.unwrap();
        assert!(cache.get("k").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn counters_count_and_are_texts() {
    for_each_cache(|cache| async move {
        assert_eq!(cache.increment("n", 1, LONG).await.unwrap(), 1);
        assert_eq!(cache.increment("n", 41, LONG).await.unwrap(), 42);
        assert_eq!(cache.increment("n", -2, LONG).await.unwrap(), 40);
        assert_eq!(cache.get("n").await.unwrap(), Some(b"40".to_vec()));
        cache.put("n", "7", LONG).await.unwrap();
        assert_eq!(cache.increment("n", 1, LONG).await.unwrap(), 8);
        for not_a_counter in ["text".to_owned(), i64::MAX.to_string()] {
            cache.put("n", not_a_counter.clone(), LONG).await.unwrap();
            assert_eq!(
                cache.increment("n", 1, LONG).await.unwrap_err().code(),
                Code::FailedPrecondition
            );
            assert_eq!(
                cache.get("n").await.unwrap(),
                Some(not_a_counter.into_bytes())
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_counters_time_runs_from_its_first_increment() {
    for_each_cache(|cache| async move {
        cache.increment("n", 1, SHORT).await.unwrap();
        // Each of these would keep it alive for ten minutes more if it counted.
        eventually("the counter to begin again", LIMIT, || async {
            cache.increment("n", 1, LONG).await.unwrap() == 1
        })
        .await;
        assert_eq!(
            cache.increment("n", 1, SHORT).await.unwrap(),
            2,
            "it now lives long"
        );
    })
    .await;
}

#[tokio::test]
async fn increments_at_once_are_all_counted() {
    for_each_cache(|cache| async move {
        let increments = (0..64).map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.increment("n", 1, LONG).await.unwrap() })
        });
        let mut seen: Vec<i64> = futures::future::join_all(increments)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (1..=64).collect::<Vec<i64>>());
    })
    .await;
}

#[tokio::test]
async fn every_subscriber_hears_its_channel_in_order() {
    for_each_cache(|cache| async move {
        cache.publish("a", "before").await.unwrap();
        let (mut first, mut second) = (
            cache.subscribe("a").await.unwrap(),
            cache.subscribe("a").await.unwrap(),
        );
        let mut other = cache.subscribe("b").await.unwrap();
        for text in ["1", "2", "3"] {
            cache.publish("a", text).await.unwrap();
        }
        cache.publish("b", "other").await.unwrap();
        for text in ["1", "2", "3"] {
            assert_eq!(heard(&mut first).await, payload(text));
            assert_eq!(heard(&mut second).await, payload(text));
        }
        assert_eq!(heard(&mut other).await, payload("other"));
        drop((first, second));
        cache.publish("a", "nobody listens").await.unwrap();
        let mut late = cache.subscribe("a").await.unwrap();
        cache.publish("a", "late").await.unwrap();
        assert_eq!(heard(&mut late).await, payload("late"));
    })
    .await;
}

#[tokio::test]
async fn prefixes_keep_swarms_apart() {
    let url = redis::Server::shared().await.url();
    let open = |prefix: &str| {
        Cache::open(&CacheConfig {
            prefix: prefix.to_owned(),
            ..CacheConfig::at(&url)
        })
        .unwrap()
    };
    let (one, two) = (open("one:"), open("two:"));
    let mut calls = two.subscribe("c").await.unwrap();
    one.put("k", "x", LONG).await.unwrap();
    one.publish("c", "from one").await.unwrap();
    two.publish("c", "from two").await.unwrap();
    assert_eq!(two.get("k").await.unwrap(), None);
    assert_eq!(heard(&mut calls).await, payload("from two"));
}

#[tokio::test]
async fn memory_stays_within_its_bytes() {
    let cache = Cache::open(&CacheConfig {
        memory_bytes: 100_000,
        ..CacheConfig::default()
    })
    .unwrap();
    for place in 0..1_000 {
        cache
            .put(&place.to_string(), vec![0; 1_000], LONG)
            .await
            .unwrap();
    }
    eventually("most of it to be dropped", LIMIT, || async {
        let mut kept = 0;
        for place in 0..1_000 {
            kept += usize::from(cache.get(&place.to_string()).await.unwrap().is_some());
        }
        if kept <= 100 { Ok(()) } else { Err(kept) }
    })
    .await;
}

#[tokio::test]
async fn a_slow_subscriber_is_told_that_it_missed_something() {
    let cache = Cache::open(&CacheConfig::default()).unwrap();
    let mut slow = cache.subscribe("c").await.unwrap();
    for place in 0..1_000 {
        cache.publish("c", place.to_string()).await.unwrap();
    }
    assert_eq!(heard(&mut slow).await, Message::Missed);
    assert!(
        matches!(heard(&mut slow).await, Message::Payload(_)),
        "and goes on"
    );
}

#[tokio::test]
async fn without_redis_everything_is_unavailable_and_it_comes_back_by_itself() {
    let server = redis::Server::start().await;
    let cache = Cache::open(&CacheConfig::at(server.url())).unwrap();
    let mut calls = cache.subscribe("c").await.unwrap();
    cache.put("k", "x", LONG).await.unwrap();

    server.stop();
    let errors = [
        cache.get("k").await.unwrap_err(),
        cache.put("k", "x", LONG).await.unwrap_err(),
        cache.delete("k").await.unwrap_err(),
        cache.increment("n", 1, LONG).await.unwrap_err(),
        cache.publish("c", "x").await.unwrap_err(),
        cache.ping().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::Unavailable, "{error:?}");
        assert!(error.retry_after().is_some());
    }
    assert_eq!(
        cache.subscribe("c").await.err().unwrap().code(),
        Code::Unavailable
    );
    Cache::open(&CacheConfig::at(server.url())).unwrap();

    server.start_again().await;
    assert_eq!(heard(&mut calls).await, Message::Missed);
    cache.publish("c", "again").await.unwrap();
    assert_eq!(heard(&mut calls).await, payload("again"));
    assert_eq!(cache.get("k").await.unwrap(), None);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_costs_no_more_than_the_timeout() {
    // Connections are taken by the kernel, and nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let cache = Cache::open(&CacheConfig {
        timeout_ms: 100,
        ..CacheConfig::at(url)
    })
    .unwrap();
    for _ in 0..2 {
        let answer = tokio::time::timeout(Duration::from_secs(5), cache.get("k"))
            .await
            .expect("it hangs");
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    }
    let subscription = tokio::time::timeout(Duration::from_secs(5), cache.subscribe("c"))
        .await
        .expect("it hangs");
    assert_eq!(subscription.err().unwrap().code(), Code::Unavailable);
}
