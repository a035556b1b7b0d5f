//! The work of the moment, over all replicas.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp};

use super::Engine;
use super::activity::{EVERYBODY, FRESH};
use crate::activity::{Seen, Workers};
use crate::agents::{AgentRecord, AgentState};
use crate::store::activity::{self, Report};
use crate::store::agents::{self, Filter};
use crate::store::overview::{self, Leases, Queue, Work};
use crate::store::tasks;

/// Queues and dead letters of a tenant are counted up to this.
const MOST_COUNTED: u64 = 10_000;
/// The queues of this many tenants are counted, and the longest are shown.
const MOST_LOOKED_AT: usize = 64;
const MOST_TENANTS: usize = 20;
const MOST_AGENTS: usize = 50;
const MOST_WORK: i64 = 200;

/// The work of the moment.
#[derive(Debug, Clone)]
pub struct Overview {
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether it covers all tenants.
    pub platform: bool,
    /// All of it together.
    pub total: Seen,
    /// The caller's own first, then those with the longest queues.
    pub tenants: Vec<TenantOverview>,
    /// Whether there are more tenants.
    pub more_tenants: bool,
    /// The caller's agents, those at work first.
    pub agents: Vec<AgentRecord>,
    /// Whether there are more agents.
    pub more_agents: bool,
    /// What they work on.
    pub work: Vec<Work>,
    /// The replicas by name.
    pub replicas: Vec<ReplicaOverview>,
}

/// The work of a tenant.
#[derive(Debug, Clone)]
pub struct TenantOverview {
    /// Whose.
    pub tenant: TenantId,
    /// Its queues, the most urgent first.
    pub queues: Vec<Queue>,
    /// Whether counting stopped before their end.
    pub more_queued: bool,
    /// Its dead letters, counted up to as many.
    pub dead_letters: u64,
    /// What replicas have seen of it.
    pub seen: Seen,
}

impl TenantOverview {
    fn queued(&self) -> u64 {
        self.queues.iter().map(|queue| queue.length).sum()
    }
}

/// A replica and its leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaOverview {
    /// Its name.
    pub name: String,
    /// Its lease groups.
    pub leases: u32,
    /// Until when they hold unless they are renewed; `None` without any.
    pub held_until: Option<Timestamp>,
    /// When it last said what it does.
    pub heard_at: Option<Timestamp>,
    /// Tasks that it holds.
    pub held: u64,
    /// Its workers, where all tenants are covered.
    pub workers: Workers,
}

impl Engine {
    /// The work of the moment: of the tenant, and with `platform` the queues and rates of all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn overview(&self, tenant: TenantId, platform: bool) -> Result<Overview> {
        let at = self.now();
        let reports = self.all_reports(tenant, platform).await?;
        let total = summed(&reports, if platform { EVERYBODY } else { tenant });
        let (tenants, more_tenants) = self.tenants(tenant, platform, &reports).await?;
        let (agents, more_agents) = self.busy_agents_first(tenant).await?;
        let speaker = if platform { EVERYBODY } else { tenant };
        Ok(Overview {
            at,
            platform,
            total,
            tenants,
            more_tenants,
            agents,
            more_agents,
            work: overview::work(&self.db, tenant, MOST_WORK).await?,
            replicas: replicas(overview::leases(&self.db).await?, &reports, speaker),
        })
    }

    /// What the other replicas said, and what this one sees now.
    async fn all_reports(&self, tenant: TenantId, platform: bool) -> Result<Vec<Report>> {
        let since = self.now() - FRESH;
        let told = if platform {
            activity::of_all(&self.db, since).await?
        } else {
            activity::of_tenant(&self.db, tenant, since).await?
        };
        let ours = &self.leases.owner.replica;
        let mut reports: Vec<Report> = told
            .into_iter()
            .filter(|report| report.replica != *ours)
            .collect();
        let own = self.reports();
        reports.extend(
            own.into_iter()
                .filter(|report| platform || report.tenant == tenant),
        );
        Ok(reports)
    }

    async fn tenants(
        &self,
        own: TenantId,
        platform: bool,
        reports: &[Report],
    ) -> Result<(Vec<TenantOverview>, bool)> {
        let mut others = BTreeSet::new();
        if platform {
            others.extend(tasks::tenants_with_work(&self.db, EVERYBODY).await?);
            others.extend(reports.iter().map(|report| report.tenant));
            others.retain(|id| *id != own && *id != EVERYBODY);
        }
        let mut more = others.len() > MOST_LOOKED_AT;
        let mut tenants = vec![self.tenant(own, reports).await?];
        for tenant in others.into_iter().take(MOST_LOOKED_AT) {
            tenants.push(self.tenant(tenant, reports).await?);
        }
        tenants[1..].sort_by_key(|tenant| Reverse((tenant.queued(), tenant.seen.held)));
        more |= tenants.len() > MOST_TENANTS;
        tenants.truncate(MOST_TENANTS);
        Ok((tenants, more))
    }

    async fn tenant(&self, tenant: TenantId, reports: &[Report]) -> Result<TenantOverview> {
        let most = i64::try_from(MOST_COUNTED).unwrap_or(i64::MAX);
        let queues = overview::queues(&self.db, tenant, self.now(), most).await?;
        let counted: u64 = queues
            .iter()
            .map(|queue| queue.length + queue.delayed)
            .sum();
        Ok(TenantOverview {
            tenant,
            queues,
            more_queued: counted >= MOST_COUNTED,
            dead_letters: overview::dead_letters(&self.db, tenant, most).await?,
            seen: summed(reports, tenant),
        })
    }

    async fn busy_agents_first(&self, tenant: TenantId) -> Result<(Vec<AgentRecord>, bool)> {
        let filter = |state| Filter {
            pool: "",
            state,
            after: None,
        };
        let limit = MOST_AGENTS as i64 + 1;
        let busy = agents::list(&self.db, tenant, filter(Some(AgentState::Busy)), limit).await?;
        let all = agents::list(&self.db, tenant, filter(None), limit).await?;
        let mut shown = busy;
        let others = all
            .into_iter()
            .filter(|agent| shown.iter().all(|known| known.id != agent.id))
            .collect::<Vec<_>>();
        shown.extend(others);
        let more = shown.len() > MOST_AGENTS;
        shown.truncate(MOST_AGENTS);
        Ok((shown, more))
    }
}

fn summed(reports: &[Report], tenant: TenantId) -> Seen {
    let mut sum = Seen::default();
    for report in reports.iter().filter(|report| report.tenant == tenant) {
        sum.add(&report.seen);
    }
    sum
}

/// Whoever holds a lease or has spoken lately.
fn replicas(leases: Vec<Leases>, reports: &[Report], speaker: TenantId) -> Vec<ReplicaOverview> {
    let mut replicas = BTreeMap::new();
    for lease in leases {
        let replica = ReplicaOverview {
            name: lease.owner.clone(),
            leases: lease.groups,
            held_until: Some(lease.held_until),
            heard_at: None,
            held: 0,
            workers: Workers::default(),
        };
        replicas.insert(lease.owner, replica);
    }
    for report in reports.iter().filter(|report| report.tenant == speaker) {
        let replica = replicas
            .entry(report.replica.clone())
            .or_insert_with(|| ReplicaOverview {
                name: report.replica.clone(),
                leases: 0,
                held_until: None,
                heard_at: None,
                held: 0,
                workers: Workers::default(),
            });
        replica.heard_at = Some(report.at);
        replica.held = report.seen.held;
        replica.workers = report.seen.workers;
    }
    replicas.into_values().collect()
}
