//! The log of choices.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use swarm_database::Json;
use swarm_errors::{Error, Result};
use swarm_types::{TenantId, Timestamp};

use super::{Store, texts};
use crate::choice::Chosen;

/// A choice as it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredChoice {
    /// What was chosen, in the order of the draws.
    pub chosen: Vec<Chosen>,
    /// How.
    pub policy: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    arm: String,
    propensity: f64,
}

#[derive(FromRow)]
struct Row {
    chosen: Json<Vec<Entry>>,
    policy: String,
}

impl From<Row> for StoredChoice {
    fn from(row: Row) -> Self {
        let chosen = |Entry { arm, propensity }| Chosen { arm, propensity };
        Self {
            chosen: row.chosen.0.into_iter().map(chosen).collect(),
            policy: row.policy,
        }
    }
}

impl Store {
    /// The choice of this id, if it was made.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn choice(&self, tenant: TenantId, id: &str) -> Result<Option<StoredChoice>> {
        let row: Option<Row> = self
            .db
            .q(texts::CHOICE)
            .bind(tenant.uuid())
            .bind(id)
            .opt()
            .await?;
        Ok(row.map(Into::into))
    }

    /// Keeps a choice, unless one of this id was made before; returns the one that is kept.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn keep_choice(
        &self,
        tenant: TenantId,
        (id, kind, arms): (&str, &str, &[String]),
        choice: StoredChoice,
        now: Timestamp,
    ) -> Result<StoredChoice> {
        let entry = |one: &Chosen| Entry {
            arm: one.arm.clone(),
            propensity: one.propensity,
        };
        let entries: Vec<Entry> = choice.chosen.iter().map(entry).collect();
        let put = self
            .db
            .write(texts::PUT_CHOICE)
            .bind(tenant.uuid())
            .bind(id)
            .bind(kind)
            .bind(Json(arms));
        let put = put.bind(Json(entries)).bind(&choice.policy).bind(now);
        if put.exec().await? == 1 {
            return Ok(choice);
        }
        self.choice(tenant, id)
            .await?
            .ok_or_else(|| Error::internal("a choice was there and is gone"))
    }
}
