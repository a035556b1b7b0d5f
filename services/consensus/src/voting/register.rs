//! All proposals of all tenants: the replicated state. Pure, and the only place that changes it.
//!
//! Parts are shared behind `Arc`, so a copy for a snapshot or a reader is cheap, and a change
//! copies only what it touches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use swarm_types::{ProposalId, TaskId, TenantId, Timestamp};

use super::{
    Answer, Applied, Ballot, Close, Command, Create, Outcome, Proposal, Refusal, State, Vote,
};

/// The proposals of all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Register {
    /// The latest stamp seen, so that a leader with a slow clock cannot turn time back.
    now: Timestamp,
    tenants: BTreeMap<TenantId, Arc<Proposals>>,
    /// Those that still take ballots, by their deadline.
    due: BTreeSet<(Timestamp, TenantId, ProposalId)>,
}

/// The proposals of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Proposals {
    by_id: BTreeMap<ProposalId, Arc<Proposal>>,
    /// In the order in which they were opened.
    by_index: BTreeMap<u64, ProposalId>,
    by_task: BTreeMap<TaskId, BTreeSet<u64>>,
}

/// Which proposals are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter {
    pub(crate) task_id: Option<TaskId>,
    pub(crate) state: Option<State>,
    /// Only those opened before the one at this index.
    pub(crate) before: Option<u64>,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            tenants: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }
}

impl Register {
    /// The register with these proposals: how a snapshot comes back.
    pub(crate) fn restore(
        now: Timestamp,
        proposals: impl IntoIterator<Item = (TenantId, Proposal)>,
    ) -> Self {
        let mut register = Self {
            now,
            ..Self::default()
        };
        for (tenant, proposal) in proposals {
            register.insert(tenant, proposal);
        }
        register
    }

    /// The latest stamp seen.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// All proposals, by tenant and id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (TenantId, &Arc<Proposal>)> {
        self.tenants
            .iter()
            .flat_map(|(tenant, proposals)| proposals.by_id.values().map(|p| (*tenant, p)))
    }

    /// One proposal of a tenant.
    pub(crate) fn get(&self, tenant: TenantId, id: ProposalId) -> Option<&Arc<Proposal>> {
        self.tenants.get(&tenant)?.by_id.get(&id)
    }

    /// Up to `limit` proposals of a tenant, the newest first.
    pub(crate) fn list(
        &self,
        tenant: TenantId,
        filter: Filter,
        limit: usize,
    ) -> Vec<Arc<Proposal>> {
        let Some(proposals) = self.tenants.get(&tenant) else {
            return Vec::new();
        };
        let end = filter.before.unwrap_or(u64::MAX);
        let indexes: Box<dyn Iterator<Item = u64>> = match filter.task_id {
            Some(task) => match proposals.by_task.get(&task) {
                Some(indexes) => Box::new(indexes.range(..end).rev().copied()),
                None => return Vec::new(),
            },
            None => Box::new(
                proposals
                    .by_index
                    .range(..end)
                    .rev()
                    .map(|(index, _)| *index),
            ),
        };
        indexes
            .filter_map(|index| proposals.by_id.get(proposals.by_index.get(&index)?))
            .filter(|proposal| filter.state.is_none_or(|state| proposal.state == state))
            .take(limit)
            .cloned()
            .collect()
    }

    /// Those that still take ballots, the earliest deadline first.
    pub(crate) fn due(&self) -> impl Iterator<Item = (Timestamp, TenantId, &Arc<Proposal>)> {
        self.due.iter().filter_map(|(deadline, tenant, id)| {
            Some((*deadline, *tenant, self.get(*tenant, *id)?))
        })
    }

    /// Applies the command of the log entry at `index`.
    pub(crate) fn apply(&mut self, index: u64, command: Command) -> Applied {
        let applied = match command {
            Command::Create(create) => self.create(index, create),
            Command::Vote(vote) => self.vote(index, vote),
            Command::Close(close) => self.close(&close),
        };
        applied.unwrap_or_else(|refusal| Applied {
            answer: Answer::Refused(refusal),
            outcome: None,
        })
    }

    fn create(&mut self, index: u64, create: Create) -> Result<Applied, Refusal> {
        self.advance(create.at);
        if let Some(stored) = self.get(create.tenant, create.id) {
            stored.check_repeat(&create.draft, &create.body_hash)?;
            return Ok(without_outcome(Answer::Created(stored.clone())));
        }
        let proposal = Proposal {
            id: create.id,
            draft: create.draft,
            created_by: create.created_by,
            body_hash: create.body_hash,
            created_at: self.now,
            log_index: index,
            state: State::Open,
            closed_at: None,
            is_sealed: false,
            ballots: Vec::new(),
        };
        let proposal = self.insert(create.tenant, proposal);
        Ok(without_outcome(Answer::Created(proposal)))
    }

    fn vote(&mut self, index: u64, vote: Vote) -> Result<Applied, Refusal> {
        self.advance(vote.at);
        let stored = self
            .get(vote.tenant, vote.proposal)
            .ok_or(Refusal::NotFound(vote.proposal))?;
        if let Some(ballot) = stored.ballot_of(&vote.voter) {
            let answer = Answer::Voted(ballot.clone(), stored.clone());
            return Ok(without_outcome(answer));
        }
        stored.check_ballot(&vote.voter, &vote.votes)?;
        let ballot = Ballot {
            voter: vote.voter,
            votes: vote.votes,
            cast_at: self.now,
            log_index: index,
        };
        let cast = ballot.clone();
        let (proposal, outcome) =
            self.change(vote.tenant, vote.proposal, |proposal| proposal.cast(cast))?;
        Ok(Applied {
            answer: Answer::Voted(ballot, proposal),
            outcome,
        })
    }

    fn close(&mut self, close: &Close) -> Result<Applied, Refusal> {
        self.advance(close.at);
        let now = self.now;
        let (_, outcome) =
            self.change(close.tenant, close.proposal, |proposal| proposal.close(now))?;
        Ok(Applied {
            answer: Answer::Closed,
            outcome,
        })
    }

    fn advance(&mut self, stamp: Timestamp) {
        self.now = self.now.max(stamp);
    }

    fn insert(&mut self, tenant: TenantId, proposal: Proposal) -> Arc<Proposal> {
        if !proposal.is_sealed {
            self.due.insert((proposal.deadline(), tenant, proposal.id));
        }
        let proposal = Arc::new(proposal);
        let proposals = Arc::make_mut(self.tenants.entry(tenant).or_default());
        proposals.by_index.insert(proposal.log_index, proposal.id);
        if let Some(task) = proposal.draft.task_id {
            let indexes = proposals.by_task.entry(task).or_default();
            indexes.insert(proposal.log_index);
        }
        proposals.by_id.insert(proposal.id, proposal.clone());
        proposal
    }

    fn change(
        &mut self,
        tenant: TenantId,
        id: ProposalId,
        change: impl FnOnce(&mut Proposal) -> Option<Outcome>,
    ) -> Result<(Arc<Proposal>, Option<Outcome>), Refusal> {
        let stored = self
            .tenants
            .get_mut(&tenant)
            .and_then(|proposals| Arc::make_mut(proposals).by_id.get_mut(&id))
            .ok_or(Refusal::NotFound(id))?;
        let outcome = change(Arc::make_mut(stored));
        if stored.is_sealed {
            self.due.remove(&(stored.deadline(), tenant, id));
        }
        Ok((stored.clone(), outcome))
    }
}

fn without_outcome(answer: Answer) -> Applied {
    Applied {
        answer,
        outcome: None,
    }
}
