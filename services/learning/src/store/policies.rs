//! The counts of each arm for each kind.

use sqlx::FromRow;
use swarm_database::{Json, Tx};
use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::Store;
use super::texts::{self, postgres, sqlite};
use crate::choice::Arm;
use crate::observations::{Delta, Tally};

/// What is known of one arm for one kind.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Statistics {
    /// The kind of task.
    pub kind: String,
    /// The arm.
    pub arm: String,
    /// How often it succeeded.
    pub successes: i64,
    /// How often it failed.
    pub failures: i64,
    /// All its milliseconds.
    pub latency_ms_sum: i64,
    /// How often its tasks were rated.
    pub ratings: i64,
    /// The sum of those ratings, each 1 to 5.
    pub rating_sum: i64,
}

#[derive(FromRow)]
struct Counts {
    arm: String,
    successes: i64,
    failures: i64,
}

impl Store {
    /// The counts of these arms, in their order; zero for those of which nothing is known.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn arms(&self, tenant: TenantId, kind: &str, names: &[String]) -> Result<Vec<Arm>> {
        let query = self.db.q(self.db.pick(postgres::COUNTS, sqlite::COUNTS));
        let rows: Vec<Counts> = query
            .bind(tenant.uuid())
            .bind(kind)
            .bind(Json(names))
            .all()
            .await?;
        let arm = |name: &String| {
            let known = rows.iter().find(|row| row.arm == *name);
            let count =
                |of: fn(&Counts) -> i64| known.map_or(0, |row| u64::try_from(of(row)).unwrap_or(0));
            Arm {
                name: name.clone(),
                successes: count(|row| row.successes),
                failures: count(|row| row.failures),
            }
        };
        Ok(names.iter().map(arm).collect())
    }

    /// What is known of the arms of one kind, or of all kinds when it is empty.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn statistics(
        &self,
        tenant: TenantId,
        kind: &str,
        limit: u32,
    ) -> Result<Vec<Statistics>> {
        let query = if kind.is_empty() {
            self.db.q(texts::STATISTICS).bind(tenant.uuid())
        } else {
            self.db
                .q(texts::STATISTICS_OF_KIND)
                .bind(tenant.uuid())
                .bind(kind)
        };
        query.bind(i64::from(limit)).all().await
    }

    /// When the last outcome or rating of this tenant was taken in.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn last_update(&self, tenant: TenantId) -> Result<Option<Timestamp>> {
        self.db
            .q(texts::LAST_UPDATE)
            .bind(tenant.uuid())
            .scalar_opt()
            .await
    }
}

pub(super) async fn add(tx: &mut Tx, tenant: TenantId, tally: &Tally) -> Result<()> {
    let rows: Vec<(&str, &str, Delta)> = tally.iter().collect();
    let column = |of: fn(&Delta) -> i64| {
        rows.iter()
            .map(|(_, _, delta)| of(delta))
            .collect::<Vec<i64>>()
    };
    tx.batch(postgres::ADD_TO_POLICIES, sqlite::ADD_TO_POLICIES)
        .column(vec![tenant.uuid(); rows.len()] as Vec<Uuid>)
        .column(
            rows.iter()
                .map(|(kind, _, _)| (*kind).to_owned())
                .collect::<Vec<String>>(),
        )
        .column(
            rows.iter()
                .map(|(_, arm, _)| (*arm).to_owned())
                .collect::<Vec<String>>(),
        )
        .column(column(|delta| delta.successes))
        .column(column(|delta| delta.failures))
        .column(column(|delta| delta.latency_ms))
        .column(column(|delta| delta.ratings))
        .column(column(|delta| delta.rating_sum))
        .exec()
        .await
        .map(drop)
}
