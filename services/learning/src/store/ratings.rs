//! What people said of tasks.

use sqlx::FromRow;
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};

use super::{Store, policies, texts};
use crate::observations::Tally;

/// A person's rating of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// The task.
    pub task: TaskId,
    /// Who rated it.
    pub rater: String,
    /// 1 to 5.
    pub rating: i64,
    /// In words.
    pub comment: String,
}

#[derive(FromRow)]
struct Contributor {
    kind: String,
    arm: String,
}

impl Store {
    /// Keeps a rating in place of the same person's earlier one of the same task, and counts it
    /// for each arm that worked on the task.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn rate(&self, tenant: TenantId, rating: &Rating, now: Timestamp) -> Result<()> {
        let (tenant_id, task_id) = (tenant.uuid(), rating.task.uuid());
        let mut tx = self.db.begin().await?;
        tx.q(texts::TOUCH).bind(tenant_id).bind(now).exec().await?;
        let before = tx
            .q(texts::RATING)
            .bind(tenant_id)
            .bind(task_id)
            .bind(&rating.rater);
        let before: Option<i64> = before.scalar_opt().await?;
        let put = tx
            .q(texts::PUT_RATING)
            .bind(tenant_id)
            .bind(task_id)
            .bind(&rating.rater);
        put.bind(rating.rating)
            .bind(&rating.comment)
            .bind(now)
            .exec()
            .await?;
        let contributors: Vec<Contributor> = tx
            .q(texts::CONTRIBUTORS)
            .bind(tenant_id)
            .bind(task_id)
            .all()
            .await?;
        let mut tally = Tally::default();
        for contributor in &contributors {
            tally.add_rating(&contributor.kind, &contributor.arm, rating.rating, before);
        }
        policies::add(&mut tx, tenant, &tally).await?;
        tx.commit().await
    }
}
