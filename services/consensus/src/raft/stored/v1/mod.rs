//! Version 1 of what lies on disk, in protobuf: between its records and our types.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use openraft::{BasicNode, EntryPayload};
use prost::Message;
use swarm_types::{ProposalId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

pub(in crate::raft) use records::SnapshotHeader;
use records::{
    BallotRecord, CloseRecord, CreateRecord, DraftRecord, EntryKind, EntryRecord, LogIdRecord,
    MembershipRecord, NodeRecord, OptionRecord, OptionVoteRecord, ProposalRecord, VoteRecord,
    VotersRecord,
};

use super::damaged;
use crate::raft::types::{LeaderId, LogId, Membership, MembershipParts, Payload, StoredMembership};
use crate::voting::{
    Ballot, Choice, Close, Command, Create, Draft, OptionVote, Proposal, ProposalOption, Rule,
    State, Vote,
};

/// Appends the bytes of a payload.
pub(super) fn encode(payload: &Payload, bytes: &mut Vec<u8>) {
    let kind = match payload {
        EntryPayload::Blank => EntryKind::Blank(true),
        EntryPayload::Membership(membership) => {
            EntryKind::Membership(membership_record(membership))
        }
        EntryPayload::Normal(Command::Create(create)) => EntryKind::Create(CreateRecord {
            tenant: uuid_bytes(create.tenant.uuid()),
            id: uuid_bytes(create.id.uuid()),
            draft: Some(draft_record(&create.draft)),
            created_by: create.created_by.clone(),
            body_hash: create.body_hash.clone(),
            at_micros: create.at.timestamp_micros(),
        }),
        EntryPayload::Normal(Command::Vote(vote)) => EntryKind::Vote(VoteRecord {
            tenant: uuid_bytes(vote.tenant.uuid()),
            proposal: uuid_bytes(vote.proposal.uuid()),
            voter: vote.voter.clone(),
            votes: vote.votes.iter().map(vote_record).collect(),
            at_micros: vote.at.timestamp_micros(),
        }),
        EntryPayload::Normal(Command::Close(close)) => EntryKind::Close(CloseRecord {
            tenant: uuid_bytes(close.tenant.uuid()),
            proposal: uuid_bytes(close.proposal.uuid()),
            at_micros: close.at.timestamp_micros(),
        }),
    };
    let record = EntryRecord { kind: Some(kind) };
    bytes.reserve(record.encoded_len());
    // Writing to a Vec cannot run out of room.
    record.encode_raw(bytes);
}

/// The payload of these bytes.
pub(super) fn decode(bytes: &[u8]) -> io::Result<Payload> {
    let record = EntryRecord::decode(bytes)
        .map_err(|error| damaged(format!("a log entry cannot be read: {error}")))?;
    Ok(match record.kind.ok_or_else(|| missing("kind"))? {
        EntryKind::Blank(_) => EntryPayload::Blank,
        EntryKind::Membership(membership) => EntryPayload::Membership(membership_from(membership)?),
        EntryKind::Create(create) => EntryPayload::Normal(Command::Create(Create {
            tenant: TenantId::from_uuid(uuid(&create.tenant)?),
            id: ProposalId::from_uuid(uuid(&create.id)?),
            draft: draft_from(create.draft)?,
            created_by: create.created_by,
            body_hash: create.body_hash,
            at: time(create.at_micros)?,
        })),
        EntryKind::Vote(vote) => EntryPayload::Normal(Command::Vote(Vote {
            tenant: TenantId::from_uuid(uuid(&vote.tenant)?),
            proposal: ProposalId::from_uuid(uuid(&vote.proposal)?),
            voter: vote.voter,
            votes: votes_from(vote.votes)?,
            at: time(vote.at_micros)?,
        })),
        EntryKind::Close(close) => EntryPayload::Normal(Command::Close(Close {
            tenant: TenantId::from_uuid(uuid(&close.tenant)?),
            proposal: ProposalId::from_uuid(uuid(&close.proposal)?),
            at: time(close.at_micros)?,
        })),
    })
}

impl SnapshotHeader {
    pub(in crate::raft) fn new(
        last: Option<LogId>,
        membership: &StoredMembership,
        now: Timestamp,
        proposals: u64,
    ) -> Self {
        Self {
            last: last.map(log_id_record),
            membership_at: membership.log_id().map(log_id_record),
            membership: Some(membership_record(membership.membership())),
            now_micros: now.timestamp_micros(),
            proposals,
        }
    }

    pub(in crate::raft) fn last(&self) -> Option<LogId> {
        self.last.as_ref().map(log_id_from)
    }

    pub(in crate::raft) fn membership(&self) -> io::Result<StoredMembership> {
        let record = self
            .membership
            .clone()
            .ok_or_else(|| missing("membership"))?;
        let at = self.membership_at.as_ref().map(log_id_from);
        Ok(StoredMembership::new(at, membership_from(record)?))
    }

    pub(in crate::raft) fn now(&self) -> io::Result<Timestamp> {
        time(self.now_micros)
    }
}

/// The snapshot's record of a proposal.
pub(in crate::raft) fn proposal_record(tenant: TenantId, proposal: &Proposal) -> Vec<u8> {
    let state = match proposal.state {
        State::Open => 1,
        State::Decided => 2,
        State::NoQuorum => 3,
    };
    let ballot = |ballot: &Ballot| BallotRecord {
        voter: ballot.voter.clone(),
        votes: ballot.votes.iter().map(vote_record).collect(),
        cast_at_micros: ballot.cast_at.timestamp_micros(),
        log_index: ballot.log_index,
    };
    let record = ProposalRecord {
        tenant: uuid_bytes(tenant.uuid()),
        id: uuid_bytes(proposal.id.uuid()),
        draft: Some(draft_record(&proposal.draft)),
        created_by: proposal.created_by.clone(),
        body_hash: proposal.body_hash.clone(),
        created_at_micros: proposal.created_at.timestamp_micros(),
        log_index: proposal.log_index,
        state,
        closed_at_micros: proposal.closed_at.map(|at| at.timestamp_micros()),
        is_sealed: proposal.is_sealed,
        ballots: proposal.ballots.iter().map(ballot).collect(),
    };
    record.encode_to_vec()
}

/// The proposal of a snapshot's record.
pub(in crate::raft) fn proposal_from(bytes: &[u8]) -> io::Result<(TenantId, Proposal)> {
    let record = ProposalRecord::decode(bytes)
        .map_err(|error| damaged(format!("a proposal cannot be read: {error}")))?;
    let state = match record.state {
        1 => State::Open,
        2 => State::Decided,
        3 => State::NoQuorum,
        other => return Err(damaged(format!("state {other} is not known"))),
    };
    let ballot = |ballot: BallotRecord| {
        Ok(Ballot {
            voter: ballot.voter,
            votes: votes_from(ballot.votes)?,
            cast_at: time(ballot.cast_at_micros)?,
            log_index: ballot.log_index,
        })
    };
    let proposal = Proposal {
        id: ProposalId::from_uuid(uuid(&record.id)?),
        draft: draft_from(record.draft)?,
        created_by: record.created_by,
        body_hash: record.body_hash,
        created_at: time(record.created_at_micros)?,
        log_index: record.log_index,
        state,
        closed_at: record.closed_at_micros.map(time).transpose()?,
        is_sealed: record.is_sealed,
        ballots: record
            .ballots
            .into_iter()
            .map(ballot)
            .collect::<io::Result<_>>()?,
    };
    Ok((TenantId::from_uuid(uuid(&record.tenant)?), proposal))
}

fn draft_record(draft: &Draft) -> DraftRecord {
    let Rule::SimpleMajority = draft.rule;
    let option = |option: &ProposalOption| OptionRecord {
        id: option.id.clone(),
        label: option.label.clone(),
    };
    DraftRecord {
        title: draft.title.clone(),
        description: draft.description.clone(),
        options: draft.options.iter().map(option).collect(),
        electorate: draft.electorate.clone(),
        rule: 1,
        open_for_ms: draft.open_for_ms,
        task: draft.task_id.map(|task| uuid_bytes(task.uuid())),
    }
}

fn draft_from(record: Option<DraftRecord>) -> io::Result<Draft> {
    let record = record.ok_or_else(|| missing("draft"))?;
    let rule = match record.rule {
        1 => Rule::SimpleMajority,
        other => return Err(damaged(format!("rule {other} is not known"))),
    };
    let option = |option: OptionRecord| ProposalOption {
        id: option.id,
        label: option.label,
    };
    let task = record.task.as_deref().map(uuid).transpose()?;
    Ok(Draft {
        title: record.title,
        description: record.description,
        options: record.options.into_iter().map(option).collect(),
        electorate: record.electorate,
        rule,
        open_for_ms: record.open_for_ms,
        task_id: task.map(TaskId::from_uuid),
    })
}

fn vote_record(vote: &OptionVote) -> OptionVoteRecord {
    OptionVoteRecord {
        option_id: vote.option_id.clone(),
        choice: match vote.choice {
            Choice::Approve => 1,
            Choice::Reject => 2,
            Choice::Abstain => 3,
        },
        reason: vote.reason.clone(),
    }
}

fn votes_from(records: Vec<OptionVoteRecord>) -> io::Result<Vec<OptionVote>> {
    let vote = |record: OptionVoteRecord| {
        let choice = match record.choice {
            1 => Choice::Approve,
            2 => Choice::Reject,
            3 => Choice::Abstain,
            other => return Err(damaged(format!("choice {other} is not known"))),
        };
        Ok(OptionVote {
            option_id: record.option_id,
            choice,
            reason: record.reason,
        })
    };
    records.into_iter().map(vote).collect()
}

fn membership_record(membership: &Membership) -> MembershipRecord {
    let voters = |ids: &BTreeSet<u64>| VotersRecord {
        ids: ids.iter().copied().collect(),
    };
    let node = |(id, node): (&u64, &BasicNode)| NodeRecord {
        id: *id,
        address: node.addr.clone(),
    };
    MembershipRecord {
        configurations: membership.get_joint_config().iter().map(voters).collect(),
        nodes: membership.nodes().map(node).collect(),
    }
}

fn membership_from(record: MembershipRecord) -> io::Result<Membership> {
    let (configurations, nodes): MembershipParts = (
        record
            .configurations
            .into_iter()
            .map(|voters| voters.ids.into_iter().collect())
            .collect(),
        record
            .nodes
            .into_iter()
            .map(|node| (node.id, BasicNode::new(node.address)))
            .collect::<BTreeMap<_, _>>(),
    );
    if configurations.is_empty() && nodes.is_empty() {
        return Ok(Membership::default());
    }
    Membership::new(configurations, nodes)
        .map_err(|error| damaged(format!("a membership is not valid: {error}")))
}

fn log_id_record(id: impl std::borrow::Borrow<LogId>) -> LogIdRecord {
    let id = id.borrow();
    LogIdRecord {
        term: id.leader_id.term,
        node: id.leader_id.node_id,
        index: id.index,
    }
}

fn log_id_from(record: &LogIdRecord) -> LogId {
    LogId {
        leader_id: LeaderId {
            term: record.term,
            node_id: record.node,
        },
        index: record.index,
    }
}

fn uuid_bytes(uuid: Uuid) -> Vec<u8> {
    uuid.as_bytes().to_vec()
}

fn uuid(bytes: &[u8]) -> io::Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|error| damaged(format!("an id is damaged: {error}")))
}

fn time(micros: i64) -> io::Result<Timestamp> {
    Timestamp::from_timestamp_micros(micros)
        .ok_or_else(|| damaged(format!("{micros} is not a time")))
}

fn missing(field: &str) -> io::Error {
    damaged(format!("a record has no {field}"))
}
