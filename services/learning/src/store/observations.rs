//! Outcomes, each taken once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::FromRow;
use swarm_database::Tx;
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::texts::{self, postgres, sqlite};
use super::{Store, policies};
use crate::observations::{Observation, Tally};

#[derive(FromRow)]
struct Contribution {
    task_id: Uuid,
    kind: String,
    arm: String,
}

#[derive(FromRow)]
struct TaskRating {
    task_id: Uuid,
    rating: i64,
}

impl Store {
    /// Takes in those that are new, with what they add to the counts, and says how many they were.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn record(
        &self,
        tenant: TenantId,
        observations: &[Observation],
        now: Timestamp,
    ) -> Result<usize> {
        let mut tx = self.db.begin().await?;
        tx.q(texts::TOUCH)
            .bind(tenant.uuid())
            .bind(now)
            .exec()
            .await?;
        let new = insert(&mut tx, tenant, observations, now).await?;
        if new.is_empty() {
            tx.rollback().await?;
            return Ok(0);
        }
        let mut tally = Tally::default();
        for observation in &new {
            tally.add_outcome(observation);
        }
        add_earlier_ratings(&mut tx, tenant, &new, &mut tally).await?;
        policies::add(&mut tx, tenant, &tally).await?;
        tx.commit().await?;
        Ok(new.len())
    }
}

/// The rows that were not there before.
async fn insert<'a>(
    tx: &mut Tx,
    tenant: TenantId,
    observations: &'a [Observation],
    now: Timestamp,
) -> Result<Vec<&'a Observation>> {
    let mut seen = HashSet::new();
    let rows: Vec<&Observation> = observations
        .iter()
        .filter(|one| seen.insert(one.id))
        .collect();
    let column = |of: fn(&Observation) -> i64| rows.iter().map(|row| of(row)).collect::<Vec<i64>>();
    let inserted: Vec<(Uuid,)> = tx
        .batch(postgres::INSERT_OBSERVATIONS, sqlite::INSERT_OBSERVATIONS)
        .column(vec![tenant.uuid(); rows.len()])
        .column(rows.iter().map(|row| row.id.uuid()).collect::<Vec<Uuid>>())
        .column(
            rows.iter()
                .map(|row| row.task.uuid())
                .collect::<Vec<Uuid>>(),
        )
        .column(
            rows.iter()
                .map(|row| row.agent.uuid())
                .collect::<Vec<Uuid>>(),
        )
        .column(
            rows.iter()
                .map(|row| row.model.clone())
                .collect::<Vec<String>>(),
        )
        .column(
            rows.iter()
                .map(|row| row.kind.clone())
                .collect::<Vec<String>>(),
        )
        .column(column(|row| row.latency_ms))
        .column(column(|row| row.input_tokens))
        .column(column(|row| row.output_tokens))
        .column(rows.iter().map(|row| row.success).collect::<Vec<bool>>())
        .column(rows.iter().map(|row| row.at).collect::<Vec<Timestamp>>())
        .column(vec![now; rows.len()])
        .all()
        .await?;
    let inserted: HashSet<Uuid> = inserted.into_iter().map(|(id,)| id).collect();
    Ok(rows
        .into_iter()
        .filter(|row| inserted.contains(&row.id.uuid()))
        .collect())
}

/// A task may be rated before its outcome comes: its first outcome of an arm brings what was
/// given until then.
async fn add_earlier_ratings(
    tx: &mut Tx,
    tenant: TenantId,
    new: &[&Observation],
    tally: &mut Tally,
) -> Result<()> {
    let contributions: BTreeSet<(Uuid, String, String)> = new
        .iter()
        .map(|one| (one.task.uuid(), one.kind.clone(), one.agent.to_string()))
        .collect();
    let first: Vec<Contribution> = tx
        .batch(postgres::INSERT_CONTRIBUTIONS, sqlite::INSERT_CONTRIBUTIONS)
        .column(vec![tenant.uuid(); contributions.len()])
        .column(contributions.iter().map(|one| one.0).collect::<Vec<Uuid>>())
        .column(
            contributions
                .iter()
                .map(|one| one.1.clone())
                .collect::<Vec<String>>(),
        )
        .column(
            contributions
                .iter()
                .map(|one| one.2.clone())
                .collect::<Vec<String>>(),
        )
        .all()
        .await?;
    let tasks: BTreeSet<TaskId> = first
        .iter()
        .map(|one| TaskId::from_uuid(one.task_id))
        .collect();
    let ratings = ratings_of(tx, tenant, &tasks).await?;
    for one in &first {
        for rating in ratings.get(&one.task_id).into_iter().flatten() {
            tally.add_rating(&one.kind, &one.arm, *rating, None);
        }
    }
    Ok(())
}

async fn ratings_of(
    tx: &mut Tx,
    tenant: TenantId,
    tasks: &BTreeSet<TaskId>,
) -> Result<BTreeMap<Uuid, Vec<i64>>> {
    let rows: Vec<TaskRating> = tx
        .batch(postgres::RATINGS_OF_TASKS, sqlite::RATINGS_OF_TASKS)
        .column(vec![tenant.uuid(); tasks.len()])
        .column(tasks.iter().map(|task| task.uuid()).collect::<Vec<Uuid>>())
        .all()
        .await?;
    let mut ratings: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
    for row in rows {
        ratings.entry(row.task_id).or_default().push(row.rating);
    }
    Ok(ratings)
}
