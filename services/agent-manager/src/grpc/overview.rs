//! `OverviewService`.

use std::sync::Arc;
use std::time::Duration;

use swarm_identity::Permission;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::overview_service_server::OverviewService;
use swarm_proto::convert::to_wire_time;
use swarm_transport::authorize;
use tonic::{Request, Response, Status};

use super::encode;
use crate::activity::{Counts, Histogram, Seen};
use crate::agents::AgentRecord;
use crate::engine::{Engine, Overview, ReplicaOverview, TenantOverview};
use crate::store::overview::{Queue, Work};

/// An agent with many places shows this much of its work.
const MOST_WORK: usize = 3;

#[derive(Debug)]
pub(super) struct Overviews(pub(super) Arc<Engine>);

#[tonic::async_trait]
impl OverviewService for Overviews {
    async fn get_overview(
        &self,
        request: Request<wire::GetOverviewRequest>,
    ) -> Result<Response<wire::GetOverviewResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::SystemRead)?;
        let platform = caller.principal.is_platform_administrator();
        let found = self.0.overview(tenant, platform).await?;
        Ok(Response::new(response(&found)))
    }
}

fn response(found: &Overview) -> wire::GetOverviewResponse {
    wire::GetOverviewResponse {
        at: Some(to_wire_time(found.at)),
        platform: found.platform,
        activity: Some(activity(&found.total)),
        tenants: found.tenants.iter().map(tenant).collect(),
        more_tenants: found.more_tenants,
        agents: found
            .agents
            .iter()
            .map(|it| agent(it, &found.work))
            .collect(),
        more_agents: found.more_agents,
        replicas: found.replicas.iter().map(replica).collect(),
    }
}

fn activity(seen: &Seen) -> wire::Activity {
    let counts = seen.counts;
    wire::Activity {
        submitted_per_second: Counts::per_second(counts.submitted),
        completed_per_second: Counts::per_second(counts.completed),
        failed_per_second: Counts::per_second(counts.failed),
        cancelled_per_second: Counts::per_second(counts.cancelled),
        task_latency: Some(latency(&seen.tasks)),
        stop_latency: Some(latency(&seen.stops)),
        held: seen.held,
    }
}

fn latency(histogram: &Histogram) -> wire::Latency {
    let seconds = |share| {
        histogram
            .quantile(share)
            .as_ref()
            .map_or(0.0, Duration::as_secs_f64)
    };
    wire::Latency {
        count: histogram.count(),
        p50_seconds: seconds(0.5),
        p99_seconds: seconds(0.99),
    }
}

fn tenant(found: &TenantOverview) -> wire::TenantOverview {
    wire::TenantOverview {
        tenant_id: found.tenant.to_string(),
        queues: found
            .queues
            .iter()
            .map(|it| queue(it, found.more_queued))
            .collect(),
        dead_letters: found.dead_letters,
        activity: Some(activity(&found.seen)),
    }
}

fn queue(queue: &Queue, more: bool) -> wire::QueueOverview {
    wire::QueueOverview {
        priority: queue.priority.to_string(),
        length: queue.length,
        delayed: queue.delayed,
        more,
        oldest: queue.oldest.map(to_wire_time),
    }
}

fn agent(found: &AgentRecord, work: &[Work]) -> wire::AgentOverview {
    let shown = encode::agent(found);
    wire::AgentOverview {
        id: shown.id,
        name: shown.name,
        state: shown.state,
        pool: shown.pool,
        running_tasks: shown.running_tasks,
        max_concurrency: shown.max_concurrency,
        work: work
            .iter()
            .filter(|work| work.agent == found.id)
            .take(MOST_WORK)
            .map(agent_work)
            .collect(),
    }
}

fn agent_work(work: &Work) -> wire::AgentWork {
    let (step_kind, step_name) = work.step.clone().unwrap_or_default();
    wire::AgentWork {
        task_id: work.task.to_string(),
        root_id: work.root.to_string(),
        kind: work.kind.clone(),
        role: work.role.clone(),
        step_kind,
        step_name,
        since: work.since.map(to_wire_time),
    }
}

fn replica(found: &ReplicaOverview) -> wire::ReplicaOverview {
    wire::ReplicaOverview {
        name: found.name.clone(),
        leases: found.leases,
        held_until: found.held_until.map(to_wire_time),
        heard_at: found.heard_at.map(to_wire_time),
        held: found.held,
        workers: found.workers.all,
        busy_workers: found.workers.busy,
    }
}
