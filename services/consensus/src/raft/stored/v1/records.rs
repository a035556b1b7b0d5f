//! The records of version 1. Fields may be added with new numbers; what is here never changes,
//! since logs and snapshots of every age are read with it.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct EntryRecord {
    #[prost(oneof = "EntryKind", tags = "1, 2, 3, 4, 5")]
    pub(super) kind: Option<EntryKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum EntryKind {
    #[prost(bool, tag = "1")]
    Blank(bool),
    #[prost(message, tag = "2")]
    Membership(MembershipRecord),
    #[prost(message, tag = "3")]
    Create(CreateRecord),
    #[prost(message, tag = "4")]
    Vote(VoteRecord),
    #[prost(message, tag = "5")]
    Close(CloseRecord),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MembershipRecord {
    #[prost(message, repeated, tag = "1")]
    pub(super) configurations: Vec<VotersRecord>,
    #[prost(message, repeated, tag = "2")]
    pub(super) nodes: Vec<NodeRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct VotersRecord {
    #[prost(uint64, repeated, tag = "1")]
    pub(super) ids: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeRecord {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(string, tag = "2")]
    pub(super) address: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) tenant: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) id: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub(super) draft: Option<DraftRecord>,
    #[prost(string, tag = "4")]
    pub(super) created_by: String,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) body_hash: Vec<u8>,
    #[prost(int64, tag = "6")]
    pub(super) at_micros: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DraftRecord {
    #[prost(string, tag = "1")]
    pub(super) title: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) options: Vec<OptionRecord>,
    #[prost(string, repeated, tag = "4")]
    pub(super) electorate: Vec<String>,
    #[prost(uint32, tag = "5")]
    pub(super) rule: u32,
    #[prost(uint32, tag = "6")]
    pub(super) open_for_ms: u32,
    #[prost(bytes = "vec", optional, tag = "7")]
    pub(super) task: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OptionRecord {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(string, tag = "2")]
    pub(super) label: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct VoteRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) tenant: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) proposal: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) voter: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) votes: Vec<OptionVoteRecord>,
    #[prost(int64, tag = "5")]
    pub(super) at_micros: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OptionVoteRecord {
    #[prost(string, tag = "1")]
    pub(super) option_id: String,
    #[prost(uint32, tag = "2")]
    pub(super) choice: u32,
    #[prost(string, tag = "3")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CloseRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) tenant: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) proposal: Vec<u8>,
    #[prost(int64, tag = "3")]
    pub(super) at_micros: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LogIdRecord {
    #[prost(uint64, tag = "1")]
    pub(super) term: u64,
    #[prost(uint64, tag = "2")]
    pub(super) node: u64,
    #[prost(uint64, tag = "3")]
    pub(super) index: u64,
}

/// The first record of a snapshot.
#[derive(Clone, PartialEq, Message)]
pub(in crate::raft) struct SnapshotHeader {
    #[prost(message, optional, tag = "1")]
    pub(super) last: Option<LogIdRecord>,
    #[prost(message, optional, tag = "2")]
    pub(super) membership_at: Option<LogIdRecord>,
    #[prost(message, optional, tag = "3")]
    pub(super) membership: Option<MembershipRecord>,
    #[prost(int64, tag = "4")]
    pub(super) now_micros: i64,
    #[prost(uint64, tag = "5")]
    pub(in crate::raft) proposals: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ProposalRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) tenant: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) id: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub(super) draft: Option<DraftRecord>,
    #[prost(string, tag = "4")]
    pub(super) created_by: String,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) body_hash: Vec<u8>,
    #[prost(int64, tag = "6")]
    pub(super) created_at_micros: i64,
    #[prost(uint64, tag = "7")]
    pub(super) log_index: u64,
    #[prost(uint32, tag = "8")]
    pub(super) state: u32,
    #[prost(int64, optional, tag = "9")]
    pub(super) closed_at_micros: Option<i64>,
    #[prost(bool, tag = "10")]
    pub(super) is_sealed: bool,
    #[prost(message, repeated, tag = "11")]
    pub(super) ballots: Vec<BallotRecord>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BallotRecord {
    #[prost(string, tag = "1")]
    pub(super) voter: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) votes: Vec<OptionVoteRecord>,
    #[prost(int64, tag = "3")]
    pub(super) cast_at_micros: i64,
    #[prost(uint64, tag = "4")]
    pub(super) log_index: u64,
}
