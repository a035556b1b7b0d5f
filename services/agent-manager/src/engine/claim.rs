//! The scheduler: queued tasks get workers, tenants and pools by their shares, the most urgent first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

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
use crate::scheduling::{Fair, Lane, Turn};
use crate::store::tasks::{self, Candidate, Fence, Outcome};
use crate::store::{Unit, agents, leases};
use crate::tasks::{TaskFailure, TaskRecord};

/// The most tasks that one transaction takes.
const BATCH: usize = 64;
/// Queues that one look finds.
const PAGE: usize = 64;

/// What this replica knows of the queues.
#[derive(Debug)]
struct Queues {
    fair: Fair,
    /// Where the next look goes on.
    cursor: Lane,
    /// When nothing was queued anywhere, and after how many things that were.
    empty: Option<(u64, Instant)>,
}

/// What one look around has found.
#[derive(Debug, Default)]
struct Round {
    /// Queues that have shown all that can run now.
    short: HashSet<Lane>,
    /// Looks that have come to the end.
    ends: usize,
    /// Whether the looks have seen every queue.
    complete: bool,
    found: usize,
}

/// What a look at the tasks of some turns found.
#[derive(Debug, Default)]
struct Picked {
    /// To run now.
    run: Vec<(TenantId, Uuid)>,
    /// To fail, because their agent never will take them.
    doomed: Vec<(TenantId, TaskId, AgentState)>,
}

/// What became of some turns.
#[derive(Debug, Default)]
struct Claimed {
    /// Tasks that were found, by turn.
    found: Vec<usize>,
    /// Tasks that run now.
    launched: usize,
    doomed: Vec<(TenantId, TaskId, AgentState)>,
}

impl Engine {
    /// Claims until `soft` is cancelled.
    pub(super) async fn schedule(self: &Arc<Self>, soft: &CancellationToken) {
        let mut queues = Queues {
            fair: Fair::new(self.config.weights.clone()),
            cursor: first_lane(),
            empty: None,
        };
        loop {
            if let Err(error) = self.claim_all(&mut queues).await {
                tracing::warn!(error = %error.chain(), "the queue could not be read");
            }
            tokio::select! {
                biased;
                () = soft.cancelled() => return,
                () = self.notified(&self.work, self.config.poll) => {}
            }
        }
    }

    /// Fills the workers.
    async fn claim_all(self: &Arc<Self>, queues: &mut Queues) -> Result<()> {
        let queued = self.hub.queued();
        if queues
            .empty
            .is_some_and(|(then, at)| then == queued && at.elapsed() < self.config.poll)
        {
            return Ok(());
        }
        let mut round = Round::default();
        while self.takes_work() && self.workers.available_permits() > 0 {
            if !round.complete {
                self.look_on(queues, &mut round).await?;
            }
            let claimed = self.claim_turns(queues, &mut round).await?;
            if round.complete && claimed == 0 && queues.fair.is_idle() {
                queues.empty = (round.found == 0).then(|| (queued, Instant::now()));
                return Ok(());
            }
        }
        queues.empty = None;
        Ok(())
    }

    /// Looks for queues with tasks, a page at a time, round and round.
    async fn look_on(&self, queues: &mut Queues, round: &mut Round) -> Result<()> {
        let from_start = queues.cursor == first_lane();
        let heads = tasks::lanes(&self.db, &queues.cursor).await?;
        round.found += heads.len();
        match heads.last() {
            Some(last) if heads.len() == PAGE => queues.cursor = last.lane.clone(),
            _ => {
                queues.cursor = first_lane();
                round.complete = from_start || round.ends > 0;
                round.ends += 1;
            }
        }
        let now = self.now().timestamp_millis();
        for head in heads {
            // What is delayed is in the queue, and not yet to be claimed.
            if head.claim_order <= now && !round.short.contains(&head.lane) {
                queues.fair.has_work(&head.lane);
            }
        }
        Ok(())
    }

    /// Takes the tasks whose turn it is, in one transaction, and says how many that were.
    async fn claim_turns(
        self: &Arc<Self>,
        queues: &mut Queues,
        round: &mut Round,
    ) -> Result<usize> {
        let turns = queues
            .fair
            .turns(self.workers.available_permits().min(BATCH));
        if turns.is_empty() {
            return Ok(0);
        }
        let claimed = self.db.retry(|| self.claim(&turns)).await;
        let found = claimed.as_ref().map_or(&[][..], |claimed| &claimed.found);
        for (place, turn) in turns.iter().enumerate() {
            // Of a claim that failed nothing is known: the next look finds the queue again.
            let found = found.get(place).copied().unwrap_or(0);
            if found < turn.tasks {
                queues.fair.came_short(turn, found);
                round.short.insert(turn.lane.clone());
            }
        }
        let claimed = claimed?;
        let count = claimed.launched + claimed.doomed.len();
        for (tenant, task, state) in claimed.doomed {
            self.doom(tenant, task, state).await?;
        }
        Ok(count)
    }

    /// One transaction: the tasks of these turns, as far as there are workers.
    async fn claim(self: &Arc<Self>, turns: &[Turn]) -> Result<Claimed> {
        let most = turns.iter().map(|turn| turn.tasks).sum();
        let mut places: Vec<(Ticket, OwnedSemaphorePermit)> = Vec::new();
        while places.len() < most
            && let Some(place) = self.place()
        {
            places.push(place);
        }
        let Some((first, _)) = places.first() else {
            return Ok(Claimed::default());
        };
        let group = first.group;
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        if !leases::hold(unit.tx(), group, &self.leases.owner, now).await? {
            return Ok(Claimed::default());
        }
        let mut rooms = self.rooms(&mut unit, turns).await?;
        let mut candidates = tasks::candidates(unit.tx(), &rooms.cut(turns), now).await?;
        rooms.keep(&mut candidates);
        let found = turns
            .iter()
            .map(|turn| {
                candidates
                    .iter()
                    .filter(|one| one.is_of(&turn.lane))
                    .count()
            })
            .collect();
        // A submission may have taken a place meanwhile.
        candidates.truncate(places.len());
        let picked = pick(&mut unit, candidates).await?;
        let mut tasks = tasks::claim(unit.tx(), &picked.run, group, now).await?;
        // The order of RETURNING is not certain.
        tasks.sort_by_key(|task| picked.run.iter().position(|(_, id)| *id == task.id.uuid()));
        self.hold_places(&mut unit, &tasks).await?;
        let mut holds = Vec::new();
        for (task, (ticket, permit)) in tasks.into_iter().zip(places) {
            let agent = match task.agent {
                Some(agent) => Some(self.occupy(&mut unit, &task, agent).await?),
                None => None,
            };
            announce(&mut unit, &task);
            holds.push(Hold {
                task,
                agent,
                ticket: Arc::new(ticket),
                permit,
                unborn: None,
            });
        }
        let launched = holds.len();
        match self.commit(unit).await {
            Ok(()) => holds.into_iter().for_each(|hold| self.launch(hold)),
            Err(error) => {
                holds
                    .into_iter()
                    .for_each(|hold| self.launch_if_taken(hold.task, hold.ticket));
                return Err(error);
            }
        }
        Ok(Claimed {
            found,
            launched,
            doomed: picked.doomed,
        })
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

/// Before the first queue.
fn first_lane() -> Lane {
    Lane {
        tenant: TenantId::from_uuid(Uuid::nil()),
        pool: String::new(),
    }
}

/// Looks for room at the agents of the candidates, whose rows it locks.
async fn pick(unit: &mut Unit, candidates: Vec<Candidate>) -> Result<Picked> {
    let mut named: Vec<(TenantId, Uuid)> = candidates
        .iter()
        .filter_map(|candidate| Some((candidate.tenant(), candidate.agent_id?)))
        .collect();
    named.sort_unstable();
    named.dedup();
    let mut rooms: HashMap<(TenantId, Uuid), agents::Room> = HashMap::new();
    for (tenant, id) in named {
        let room = agents::lock(unit.tx(), tenant, AgentId::from_uuid(id)).await?;
        rooms.insert((tenant, id), room);
    }
    let mut picked = Picked::default();
    for candidate in candidates {
        let (tenant, id) = (candidate.tenant(), candidate.id);
        let agent = candidate.agent_id.map(|agent| (tenant, agent));
        let Some(room) = agent.and_then(|agent| rooms.get_mut(&agent)) else {
            picked.run.push((tenant, id));
            continue;
        };
        if room.takes_one_more() {
            room.free -= 1;
            picked.run.push((tenant, id));
        } else if room.state.is_ending() || room.state == AgentState::Failed {
            let task = TaskId::from_uuid(id);
            picked.doomed.push((tenant, task, room.state));
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
