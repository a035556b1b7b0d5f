//! What learning keeps, on both databases.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use swarm_learning::SCHEMA;
use swarm_learning::choice::{Arm, Chosen, POLICY};
use swarm_learning::observations::Observation;
use swarm_learning::store::{Rating, Statistics, Store, StoredChoice, TEXTS};
use swarm_test_support::database::{assert_alike, for_each_database};
use swarm_types::{AgentId, Clock as _, ObservationId, SystemClock, TaskId, TenantId};

fn observation(task: TaskId, agent: AgentId, kind: &str, success: bool) -> Observation {
    Observation {
        id: ObservationId::new(),
        task,
        agent,
        model: "model".to_owned(),
        kind: kind.to_owned(),
        latency_ms: 100,
        input_tokens: 10,
        output_tokens: 5,
        success,
        at: SystemClock.now(),
    }
}

fn rating(task: TaskId, rater: &str, rating: i64) -> Rating {
    Rating {
        task,
        rater: rater.to_owned(),
        rating,
        comment: "so so".to_owned(),
    }
}

#[tokio::test]
async fn both_databases_are_alike() {
    assert_alike(&SCHEMA, TEXTS).await;
}

#[tokio::test]
async fn an_outcome_is_taken_once_however_often_it_comes() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (tenant, other, agent) = (TenantId::new(), TenantId::new(), AgentId::new());
        let now = SystemClock.now();
        assert_eq!(store.newest_update().await.unwrap(), None);
        let one = observation(TaskId::new(), agent, "read", true);
        let two = Observation {
            latency_ms: 301,
            ..observation(TaskId::new(), agent, "read", false)
        };
        let batch = [one.clone(), one.clone(), two.clone()];
        assert_eq!(store.record(tenant, &batch, now).await.unwrap(), 2);
        let later = now + TimeDelta::seconds(5);
        assert_eq!(store.record(tenant, &batch, later).await.unwrap(), 0);
        assert_eq!(
            store.last_update(tenant).await.unwrap(),
            Some(now),
            "nothing new came later"
        );
        let again = Observation {
            success: false,
            ..one.clone()
        };
        assert_eq!(
            store
                .record(
                    tenant,
                    &[again, observation(one.task, agent, "write", true)],
                    later
                )
                .await
                .unwrap(),
            1
        );
        assert_eq!(store.newest_update().await.unwrap(), Some(later));
        let row = &store.statistics(tenant, "read", 9).await.unwrap()[0];
        assert_eq!(
            (row.successes, row.failures, row.latency_ms_sum),
            (1, 1, 401)
        );
        assert_eq!(store.statistics(tenant, "", 9).await.unwrap().len(), 2);
        assert_eq!(store.statistics(tenant, "", 1).await.unwrap().len(), 1);
        assert!(store.statistics(other, "", 9).await.unwrap().is_empty());
        assert_eq!(
            store.record(other, &[one], now).await.unwrap(),
            1,
            "ids are a tenant's own"
        );
    })
    .await;
}

#[tokio::test]
async fn outcomes_that_come_at_once_are_all_counted() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (tenant, agents) = (TenantId::new(), [AgentId::new(), AgentId::new()]);
        let write = |n: usize| {
            let store = store.clone();
            async move {
                let task = TaskId::new();
                // In both orders, which would deadlock without an order of our own.
                let mut batch: Vec<_> = agents
                    .iter()
                    .map(|agent| observation(task, *agent, "read", true))
                    .collect();
                if n.is_multiple_of(2) {
                    batch.reverse();
                }
                let record = || store.record(tenant, &batch, SystemClock.now());
                store.db().retry(record).await.unwrap()
            }
        };
        let writers: Vec<_> = (0..12).map(|n| tokio::spawn(write(n))).collect();
        for writer in writers {
            assert_eq!(writer.await.unwrap(), 2);
        }
        let rows = store.statistics(tenant, "read", 9).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.successes).collect::<Vec<_>>(),
            [12, 12]
        );
    })
    .await;
}

#[tokio::test]
async fn unknown_arms_have_no_outcomes() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (tenant, known, other) = (TenantId::new(), AgentId::new(), AgentId::new());
        let batch = [
            observation(TaskId::new(), known, "read", true),
            observation(TaskId::new(), other, "read", false),
        ];
        store
            .record(tenant, &batch, SystemClock.now())
            .await
            .unwrap();
        let names = ["'; DROP TABLE policies".to_owned(), known.to_string()];
        let arm = |name: &String, successes| Arm {
            name: name.clone(),
            successes,
            failures: 0,
        };
        assert_eq!(
            store.arms(tenant, "read", &names).await.unwrap(),
            [arm(&names[0], 0), arm(&names[1], 1)]
        );
        assert_eq!(
            store.arms(tenant, "write", &names).await.unwrap(),
            [arm(&names[0], 0), arm(&names[1], 0)]
        );
        assert_eq!(
            store.arms(TenantId::new(), "read", &names).await.unwrap()[1],
            arm(&names[1], 0)
        );
    })
    .await;
}

#[tokio::test]
async fn the_first_choice_of_an_id_stays() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let (tenant, arms, now) = (
            TenantId::new(),
            ["a".to_owned(), "b".to_owned()],
            SystemClock.now(),
        );
        let choice = |arm: &str, propensity| StoredChoice {
            chosen: vec![Chosen {
                arm: arm.to_owned(),
                propensity,
            }],
            policy: POLICY.to_owned(),
        };
        let keep = |tenant, arm, propensity| {
            store.keep_choice(tenant, ("c", "read", &arms), choice(arm, propensity), now)
        };
        let third = 1.0 / 3.0;
        assert_eq!(keep(tenant, "a", third).await.unwrap(), choice("a", third));
        assert_eq!(keep(tenant, "b", 0.5).await.unwrap(), choice("a", third));
        assert_eq!(
            store.choice(tenant, "c").await.unwrap(),
            Some(choice("a", third)),
            "to the last bit"
        );
        assert_eq!(store.choice(TenantId::new(), "c").await.unwrap(), None);
        assert_eq!(
            keep(TenantId::new(), "b", 0.5).await.unwrap(),
            choice("b", 0.5)
        );
    })
    .await;
}

/// The counts, added up anew from all that was told.
#[derive(Default)]
struct Model {
    outcomes: Vec<Observation>,
    ratings: BTreeMap<(TaskId, String), i64>,
}

impl Model {
    fn statistics(&self) -> Vec<Statistics> {
        let mut rows: BTreeMap<(String, String), Statistics> = BTreeMap::new();
        let mut contributions = BTreeSet::new();
        for one in &self.outcomes {
            let key = (one.kind.clone(), one.agent.to_string());
            contributions.insert((key.clone(), one.task));
            let row = rows.entry(key.clone()).or_insert_with(|| Statistics {
                kind: key.0,
                arm: key.1,
                successes: 0,
                failures: 0,
                latency_ms_sum: 0,
                ratings: 0,
                rating_sum: 0,
            });
            row.successes += i64::from(one.success);
            row.failures += i64::from(!one.success);
            row.latency_ms_sum += one.latency_ms;
        }
        for (key, task) in contributions {
            let row = rows.get_mut(&key).unwrap();
            for rating in self
                .ratings
                .iter()
                .filter(|((rated, _), _)| *rated == task)
                .map(|(_, rating)| rating)
            {
                row.ratings += 1;
                row.rating_sum += rating;
            }
        }
        rows.into_values().collect()
    }
}

#[tokio::test]
async fn ratings_count_for_whom_they_are_meant_in_whatever_order_things_come() {
    for_each_database(&SCHEMA, |db| async move {
        let store = Store::new(db);
        let mut random = StdRng::seed_from_u64(3);
        for _ in 0..6 {
            let (tenant, mut model) = (TenantId::new(), Model::default());
            let tasks: Vec<TaskId> = (0..3).map(|_| TaskId::new()).collect();
            let agents: Vec<AgentId> = (0..3).map(|_| AgentId::new()).collect();
            for _ in 0..25 {
                let task = tasks[random.random_range(0..3)];
                if random.random_bool(0.5) {
                    let rater = ["ann", "bob"][random.random_range(0..2)];
                    let value = random.random_range(1..=5);
                    store
                        .rate(tenant, &rating(task, rater, value), SystemClock.now())
                        .await
                        .unwrap();
                    model.ratings.insert((task, rater.to_owned()), value);
                } else {
                    let mut one = || {
                        let kind = ["read", "write"][random.random_range(0..2)];
                        observation(
                            task,
                            agents[random.random_range(0..3)],
                            kind,
                            random.random_bool(0.5),
                        )
                    };
                    let batch = [one(), one()];
                    store
                        .record(tenant, &batch, SystemClock.now())
                        .await
                        .unwrap();
                    model.outcomes.extend(batch);
                }
            }
            assert_eq!(
                store.statistics(tenant, "", 99).await.unwrap(),
                model.statistics()
            );
        }
    })
    .await;
}
