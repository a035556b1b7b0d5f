//! The scheduler: queued tasks get workers, the most urgent first, tenants in turn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;
use swarm_errors::{Code, Result};
use swarm_runtime::CancellationToken;
use swarm_types::{AgentId, TaskId, TenantId};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Engine;
use super::attempt::Hold;
use super::lease::Ticket;
use super::submit::started_event;
use crate::agents::AgentState;
use crate::events::NewEvent;
use crate::store::tasks::{self, Candidate, Fence, Outcome};
use crate::store::{Unit, agents, leases};
use crate::tasks::{TaskFailure, TaskRecord};

/// Tasks that one tenant gets before the next one's turn.
const TURN: usize = 4;

/// What a look at one tenant's queue found.
#[derive(Debug, Default)]
struct Picked {
    /// To run now.
    run: Vec<Uuid>,
    /// To fail, because their agent never will take them.
    doomed: Vec<(TaskId, AgentState)>,
}

impl Engine {
    /// Claims until `soft` is cancelled.
    pub(super) async fn schedule(self: &Arc<Self>, soft: &CancellationToken) {
        let mut cursor = TenantId::from_uuid(Uuid::nil());
        loop {
            if let Err(error) = self.claim_all(&mut cursor).await {
                tracing::warn!(error = %error.chain(), "the queue could not be read");
            }
            tokio::select! {
                biased;
                () = soft.cancelled() => return,
                () = self.notified(&self.work, self.config.poll) => {}
            }
        }
    }

    /// Fills the workers. The cursor moves on over the tenants, so each has its turn.
    async fn claim_all(self: &Arc<Self>, cursor: &mut TenantId) -> Result<()> {
        // Whoever turned out to have nothing that can run now is not asked again.
        let mut idle: HashSet<TenantId> = HashSet::new();
        loop {
            if !self.takes_work() || self.workers.available_permits() == 0 {
                return Ok(());
            }
            let mut tenants = tasks::tenants_with_work(&self.db, *cursor).await?;
            let wrapped = tenants.is_empty();
            if wrapped {
                *cursor = TenantId::from_uuid(Uuid::nil());
                tenants = tasks::tenants_with_work(&self.db, *cursor).await?;
            }
            let last = tenants.last().copied();
            let mut claimed = 0;
            for tenant in tenants {
                if idle.contains(&tenant) {
                    continue;
                }
                match self.db.retry(|| self.claim(tenant)).await? {
                    0 => drop(idle.insert(tenant)),
                    some => claimed += some,
                }
            }
            match last {
                Some(last) => *cursor = last,
                None => return Ok(()),
            }
            if claimed == 0 && wrapped {
                return Ok(());
            }
        }
    }

    /// Takes up to [`TURN`] tasks of one tenant and says how many that were.
    async fn claim(self: &Arc<Self>, tenant: TenantId) -> Result<usize> {
        let mut places: Vec<(Ticket, OwnedSemaphorePermit)> = Vec::new();
        while places.len() < TURN
            && let Some(place) = self.place()
        {
            places.push(place);
        }
        let Some((first, _)) = places.first() else {
            return Ok(0);
        };
        let group = first.group;
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        if !leases::hold(unit.tx(), group, &self.leases.owner, now).await? {
            return Ok(0);
        }
        let limit = i64::try_from(places.len()).unwrap_or(1);
        let candidates = tasks::candidates(unit.tx(), tenant, now, limit).await?;
        let picked = pick(&mut unit, tenant, candidates).await?;
        let mut claimed = tasks::claim(unit.tx(), tenant, &picked.run, group, now).await?;
        // The order of RETURNING is not certain.
        claimed.sort_by_key(|task| picked.run.iter().position(|id| *id == task.id.uuid()));
        let mut holds = Vec::new();
        for (task, (ticket, permit)) in claimed.into_iter().zip(places) {
            let agent = match task.agent {
                Some(agent) => Some(self.occupy(&mut unit, &task, agent).await?),
                None => None,
            };
            announce(&mut unit, &task);
            holds.push(Hold {
                task,
                agent,
                ticket,
                permit,
            });
        }
        let count = holds.len() + picked.doomed.len();
        match self.commit(unit).await {
            Ok(()) => holds.into_iter().for_each(|hold| self.launch(hold)),
            Err(error) => {
                holds
                    .into_iter()
                    .for_each(|hold| self.launch_if_taken(hold));
                return Err(error);
            }
        }
        for (task, state) in picked.doomed {
            self.doom(tenant, task, state).await?;
        }
        Ok(count)
    }

    /// Fails a queued task whose agent never will take it.
    async fn doom(self: &Arc<Self>, tenant: TenantId, id: TaskId, state: AgentState) -> Result<()> {
        let Some(task) = tasks::find(&self.db, tenant, id).await? else {
            return Ok(());
        };
        let failure = TaskFailure {
            code: Code::FailedPrecondition.as_str().to_owned(),
            detail: format!("its agent is {state}"),
        };
        self.end_task(Fence::from(&task), &Outcome::Failed(failure))
            .await
            .map(drop)
    }
}

/// Looks for room at the agents of the candidates, whose rows it locks.
async fn pick(unit: &mut Unit, tenant: TenantId, candidates: Vec<Candidate>) -> Result<Picked> {
    let mut rooms: HashMap<Uuid, agents::Room> = HashMap::new();
    let mut ids: Vec<Uuid> = candidates
        .iter()
        .filter_map(|candidate| candidate.agent_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        rooms.insert(
            id,
            agents::lock(unit.tx(), tenant, AgentId::from_uuid(id)).await?,
        );
    }
    let mut picked = Picked::default();
    for candidate in candidates {
        let Some(room) = candidate.agent_id.and_then(|id| rooms.get_mut(&id)) else {
            picked.run.push(candidate.id);
            continue;
        };
        if room.takes_one_more() {
            room.free -= 1;
            picked.run.push(candidate.id);
        } else if room.state.is_ending() || room.state == AgentState::Failed {
            picked
                .doomed
                .push((TaskId::from_uuid(candidate.id), room.state));
        }
    }
    Ok(picked)
}

fn announce(unit: &mut Unit, task: &TaskRecord) {
    let event = if task.epoch == 1 {
        started_event(task)
    } else {
        NewEvent::new(
            "task.resumed",
            json!({"attempt": task.attempt, "epoch": task.epoch, "agent_id": task.agent}),
        )
    };
    unit.event(task.tenant, task.id, task.root, task.last_seq, event);
}
