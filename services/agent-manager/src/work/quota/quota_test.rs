#![allow(clippy::unwrap_used)]
use chrono::TimeDelta;
use swarm_test_support::redis::Server;
use swarm_types::{ManualClock, Timestamp};

use super::*;

fn clock() -> Arc<ManualClock> {
    let start: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    Arc::new(ManualClock::new(start))
}

fn shared(server: &Server) -> Cache {
    Cache::open(&CacheConfig::at(server.url())).unwrap()
}

async fn admitted(quota: &Quota, tokens: u64, replicas: u32) -> usize {
    let mut admitted = 0;
    while quota.reserve_now("m", tokens, replicas).await.is_some() {
        admitted += 1;
    }
    admitted
}

#[tokio::test]
async fn all_replicas_share_the_minute_and_without_redis_each_has_its_part() {
    let server = Server::start().await;
    let limits = Limits {
        requests_per_minute: Some(10),
        ..Limits::default()
    };
    let clock = clock();
    let one = Quota::new(limits, Some(shared(&server)), clock.clone()).unwrap();
    let two = Quota::new(limits, Some(shared(&server)), clock.clone()).unwrap();
    for _ in 0..4 {
        assert!(one.reserve_now("m", 1, 2).await.is_some());
    }
    assert_eq!(admitted(&two, 1, 2).await, 6);
    assert_eq!(admitted(&one, 1, 2).await, 0);
    // Half of the minute has slid out.
    clock.advance(TimeDelta::seconds(90));
    assert_eq!(admitted(&one, 1, 2).await, 5);
    server.stop();
    assert_eq!(admitted(&one, 1, 2).await, 5, "half of ten");
    assert_eq!(admitted(&two, 1, 2).await, 5, "half of ten");
}

#[tokio::test]
async fn tokens_are_reserved_and_settled_with_what_was_used() {
    let limits = Limits {
        requests_per_minute: Some(100),
        tokens_per_minute: Some(1_000),
        ..Limits::default()
    };
    let quota = Quota::new(limits, None, clock()).unwrap();
    let first = quota.reserve_now("m", 900, 1).await.unwrap();
    assert!(quota.reserve_now("m", 200, 1).await.is_none());
    first.settle(100).await;
    let second = quota.reserve_now("m", 900, 1).await.unwrap();
    assert!(quota.reserve_now("m", 1, 1).await.is_none());
    assert!(
        quota.reserve_now("other", 5_000, 1).await.is_some(),
        "another model, and more than ever fits: it goes alone"
    );
    second.settle(2_000).await;
    assert!(quota.reserve_now("m", 1, 1).await.is_none());
}

#[tokio::test]
async fn who_waits_for_a_place_gets_it_when_a_call_ends() {
    let limits = Limits {
        max_concurrency: Some(4),
        ..Limits::default()
    };
    let quota = Arc::new(Quota::new(limits, None, clock()).unwrap());
    let one = quota.reserve_now("m", 1, 2).await.unwrap();
    let two = quota.reserve_now("m", 1, 2).await.unwrap();
    assert!(quota.reserve_now("m", 1, 2).await.is_none(), "half of four");
    let waiting = {
        let quota = quota.clone();
        tokio::spawn(async move { quota.reserve("m", 1, 2).await })
    };
    drop(one);
    let third = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(quota.reserve_now("m", 1, 2).await.is_none());
    drop((two, third));
    assert!(quota.reserve_now("m", 1, 2).await.is_some());
}

#[tokio::test]
async fn a_provider_that_refuses_is_left_alone_for_as_long_as_it_asks() {
    let quota = Quota::new(Limits::default(), None, clock()).unwrap();
    quota.refused("m", Some(Duration::from_secs(3_600)));
    quota.refused("m", None);
    assert!(quota.reserve_now("m", 1, 1).await.is_none());
    assert!(quota.reserve_now("other", 1, 1).await.is_some());
    quota.refused("soon", Some(Duration::from_millis(30)));
    let began = Instant::now();
    drop(quota.reserve("soon", 1, 1).await);
    assert!(began.elapsed() >= Duration::from_millis(30));
}
