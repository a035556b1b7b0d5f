//! The rpcs of learning.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use swarm_errors::{Code, Error};
use swarm_identity::{Permission, PrincipalKind};
use swarm_proto::convert::to_wire_time;
use swarm_proto::learning::v1 as wire;
use swarm_proto::learning::v1::learning_service_server::LearningService;
use swarm_transport::authorize;
use swarm_types::{Clock, TenantId};
use tonic::{Request, Response, Status};

use super::{LastUpdate, decode};
use crate::choice::{self, Chosen, POLICY};
use crate::store::{Statistics, Store, StoredChoice};

/// The most rows that one list shows.
const MAX_POLICIES: u32 = 1_000;

#[derive(Debug)]
pub(crate) struct LearningRpcs {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Mutex<StdRng>,
    pub(crate) last_update: LastUpdate,
}

#[tonic::async_trait]
impl LearningService for LearningRpcs {
    async fn record_observations(
        &self,
        request: Request<wire::RecordObservationsRequest>,
    ) -> Result<Response<wire::RecordObservationsResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::TasksWrite)?;
        // What is learned from is what the platform measured, not what somebody says.
        if caller.principal.kind != PrincipalKind::Service {
            return Err(Error::new(Code::PermissionDenied, "only services record outcomes").into());
        }
        let now = self.clock.now();
        let observations = decode::observations(request.into_inner().observations, now)?;
        let record = || self.store.record(tenant, &observations, now);
        let recorded = self.store.db().retry(record).await?;
        if recorded > 0 {
            self.last_update.set(now);
        }
        let recorded = u32::try_from(recorded).unwrap_or(u32::MAX);
        Ok(Response::new(wire::RecordObservationsResponse { recorded }))
    }

    async fn choose(
        &self,
        request: Request<wire::ChooseRequest>,
    ) -> Result<Response<wire::ChooseResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let request = request.into_inner();
        decode::choose(&request)?;
        let choice = match self.store.choice(tenant, &request.choice_id).await? {
            Some(choice) => choice,
            None => self.draw(tenant, &request).await?,
        };
        Ok(Response::new(choose_response(choice)))
    }

    async fn record_feedback(
        &self,
        request: Request<wire::RecordFeedbackRequest>,
    ) -> Result<Response<wire::RecordFeedbackResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::FeedbackWrite)?;
        let rating = decode::rating(request.into_inner(), caller.principal.subject)?;
        let now = self.clock.now();
        self.store
            .db()
            .retry(|| self.store.rate(tenant, &rating, now))
            .await?;
        self.last_update.set(now);
        Ok(Response::new(wire::RecordFeedbackResponse {}))
    }

    async fn list_policies(
        &self,
        request: Request<wire::ListPoliciesRequest>,
    ) -> Result<Response<wire::ListPoliciesResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::LearningRead)?;
        let kind = request.into_inner().kind;
        decode::kind(&kind)?;
        let arms = self.store.statistics(tenant, &kind, MAX_POLICIES).await?;
        let last_update = self.store.last_update(tenant).await?.map(to_wire_time);
        let arms = arms.into_iter().map(statistics).collect();
        Ok(Response::new(wire::ListPoliciesResponse {
            arms,
            last_update,
        }))
    }
}

impl LearningRpcs {
    async fn draw(
        &self,
        tenant: TenantId,
        request: &wire::ChooseRequest,
    ) -> Result<StoredChoice, Error> {
        let arms = self
            .store
            .arms(tenant, &request.kind, &request.arms)
            .await?;
        let chosen = {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            choice::choose(&arms, request.count as usize, &mut *random)
        };
        let choice = StoredChoice {
            chosen,
            policy: POLICY.to_owned(),
        };
        let about = (
            request.choice_id.as_str(),
            request.kind.as_str(),
            request.arms.as_slice(),
        );
        self.store
            .keep_choice(tenant, about, choice, self.clock.now())
            .await
    }
}

fn choose_response(choice: StoredChoice) -> wire::ChooseResponse {
    let chosen = |Chosen { arm, propensity }| wire::ChosenArm { arm, propensity };
    wire::ChooseResponse {
        chosen: choice.chosen.into_iter().map(chosen).collect(),
        policy: choice.policy,
    }
}

fn statistics(row: Statistics) -> wire::ArmStatistics {
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "means of counts")]
    let mean = |sum: i64, count: i64| {
        if count == 0 {
            0.0
        } else {
            sum as f64 / count as f64
        }
    };
    let mean_rating = if row.ratings == 0 {
        0.0
    } else {
        (mean(row.rating_sum, row.ratings) - 1.0) / 4.0
    };
    wire::ArmStatistics {
        mean_latency_ms: mean(row.latency_ms_sum, row.successes + row.failures),
        successes: count(row.successes),
        failures: count(row.failures),
        ratings: count(row.ratings),
        mean_rating,
        arm: row.arm,
        kind: row.kind,
    }
}
