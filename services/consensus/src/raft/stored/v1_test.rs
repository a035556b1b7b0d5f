//! The bytes of version 1 are on disks: they never change.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use openraft::{BasicNode, EntryPayload};
use prost::Message;
use swarm_types::{ProposalId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::{SnapshotHeader, decode, encode, proposal_from, proposal_record};
use crate::raft::types::{LeaderId, LogId, Membership, Payload, StoredMembership};
use crate::voting::{
    Ballot, Choice, Close, Command, Create, Draft, OptionVote, Proposal, ProposalOption, Rule,
    State, Vote,
};

fn time(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap()
}

fn tenant() -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(0x11))
}

fn id() -> ProposalId {
    ProposalId::from_uuid(Uuid::from_u128(0x22))
}

fn draft() -> Draft {
    Draft {
        title: "T".into(),
        description: "D".into(),
        options: vec![ProposalOption {
            id: "o".into(),
            label: "l".into(),
        }],
        electorate: vec!["a".into(), "b".into()],
        rule: Rule::SimpleMajority,
        open_for_ms: 1000,
        task_id: Some(TaskId::from_uuid(Uuid::from_u128(0x33))),
    }
}

fn votes() -> Vec<OptionVote> {
    vec![OptionVote {
        option_id: "o".into(),
        choice: Choice::Reject,
        reason: "r".into(),
    }]
}

fn membership() -> Membership {
    let nodes = BTreeMap::from([(1, BasicNode::new("x"))]);
    Membership::new(vec![BTreeSet::from([1])], nodes).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn payloads() {
    let create = Command::Create(Create {
        tenant: tenant(),
        id: id(),
        draft: draft(),
        created_by: "c".into(),
        body_hash: vec![7],
        at: time(5),
    });
    let vote = Command::Vote(Vote {
        tenant: tenant(),
        proposal: id(),
        voter: "a".into(),
        votes: votes(),
        at: time(6),
    });
    let close = Command::Close(Close {
        tenant: tenant(),
        proposal: id(),
        at: time(7),
    });
    let expected: [(Payload, &str); 5] = [
        (EntryPayload::Blank, "010801"),
        (
            EntryPayload::Membership(membership()),
            "01120c0a030a010112050801120178",
        ),
        (
            EntryPayload::Normal(create),
            "011a590a10000000000000000000000000000000111210000000000000000000000000000000221a2b0a01541201441a060a016f12016c220161220162280130e8073a10000000000000000000000000000000332201632a01073005",
        ),
        (
            EntryPayload::Normal(vote),
            "0122330a10000000000000000000000000000000111210000000000000000000000000000000221a016122080a016f10021a01722806",
        ),
        (
            EntryPayload::Normal(close),
            "012a260a10000000000000000000000000000000111210000000000000000000000000000000221807",
        ),
    ];
    let found: Vec<String> = expected
        .iter()
        .map(|(payload, _)| hex(&encode(payload)))
        .collect();
    let pinned: Vec<&str> = expected.iter().map(|(_, pinned)| *pinned).collect();
    assert_eq!(found, pinned);
    for (payload, _) in expected {
        assert_eq!(decode(&encode(&payload)).unwrap(), payload);
    }
}

#[test]
fn snapshot_records() {
    let at = |index| LogId {
        leader_id: LeaderId {
            term: 2,
            node_id: 1,
        },
        index,
    };
    let stored = StoredMembership::new(Some(at(3)), membership());
    let header = SnapshotHeader::new(Some(at(9)), &stored, time(8), 1);
    assert_eq!(
        hex(&header.encode_to_vec()),
        "0a0608021001180912060802100118031a0c0a030a01011205080112017820082801"
    );
    assert_eq!(
        (header.last(), header.membership().unwrap()),
        (Some(at(9)), stored)
    );

    let proposal = Proposal {
        id: id(),
        draft: draft(),
        created_by: "c".into(),
        body_hash: vec![7],
        created_at: time(5),
        log_index: 4,
        state: State::Decided,
        closed_at: Some(time(6)),
        is_sealed: true,
        ballots: vec![Ballot {
            voter: "a".into(),
            votes: votes(),
            cast_at: time(6),
            log_index: 5,
        }],
    };
    let record = proposal_record(tenant(), &proposal);
    assert_eq!(
        hex(&record),
        "0a10000000000000000000000000000000111210000000000000000000000000000000221a2b0a01541201441a060a016f12016c220161220162280130e8073a10000000000000000000000000000000332201632a0107300538044002480650015a110a016112080a016f10021a017218062005"
    );
    assert_eq!(proposal_from(&record).unwrap(), (tenant(), proposal));
}

#[test]
fn an_empty_membership_comes_back() {
    let payload: Payload = EntryPayload::Membership(Membership::default());
    assert_eq!(decode(&encode(&payload)).unwrap(), payload);
}

#[test]
fn later_versions_and_damage_are_errors() {
    for bytes in [&[][..], &[2, 8, 1], &[1, 255, 255], &[1]] {
        let error = decode(bytes).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{bytes:?}");
    }
}
