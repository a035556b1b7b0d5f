//! The types that openraft is made with here.

use std::collections::{BTreeMap, BTreeSet};

use openraft::impls::leader_id_adv::LeaderId as AdvancedLeaderId;
use openraft::{BasicNode, EntryPayload};

use crate::voting::{Answer, Command};

openraft::declare_raft_types!(
    /// Commands, answers and ids of this group.
    pub(crate) TypeConfig:
        D = Command,
        R = Answer,
        NodeId = u64,
        Node = BasicNode,
);

/// The id of a node. It is never given to another disk.
pub(crate) type NodeId = u64;
/// A term and the node that led in it.
pub(crate) type LeaderId = AdvancedLeaderId<u64, NodeId>;
pub(crate) type LogId = openraft::LogId<LeaderId>;
pub(crate) type Vote = openraft::Vote<LeaderId>;
pub(crate) type Payload = EntryPayload<Command, NodeId, BasicNode>;
pub(crate) type Entry = openraft::Entry<LeaderId, Payload>;
pub(crate) type Membership = openraft::Membership<NodeId, BasicNode>;
pub(crate) type StoredMembership = openraft::StoredMembership<LeaderId, NodeId, BasicNode>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<LeaderId, NodeId, BasicNode>;

/// The voters of a membership's configurations, and the addresses of all nodes.
pub(crate) type MembershipParts = (Vec<BTreeSet<NodeId>>, BTreeMap<NodeId, BasicNode>);
