//! The other services, as the work sees them: each call with its deadline, for the task's tenant.

use std::time::Duration;

use swarm_errors::{Error, Result};
use swarm_proto::consensus::v1::proposal_service_client::ProposalServiceClient;
use swarm_proto::consensus::v1::{
    CastVoteRequest, CreateProposalRequest, GetProposalRequest, OptionVote, Proposal,
};
use swarm_proto::learning::v1::learning_service_client::LearningServiceClient;
use swarm_proto::learning::v1::{ChooseRequest, ChooseResponse};
use swarm_proto::memory::v1::memory_service_client::MemoryServiceClient;
use swarm_proto::memory::v1::{
    Memory, PutMemoriesRequest, SearchHit, SearchMemoriesRequest, SearchMode,
};
use swarm_transport::{Acting, Deadline, Dialer, Peer, PeersConfig, Retry, call, request};
use swarm_types::{ProposalId, TenantId};

/// Embedding a document's passages for the first time takes seconds on a small machine.
const PUT_LIMIT: Duration = Duration::from_secs(120);
const SEARCH_LIMIT: Duration = Duration::from_secs(30);
const CONSENSUS_LIMIT: Duration = Duration::from_secs(5);
/// A choice that takes longer is made without learning.
const CHOICE_LIMIT: Duration = Duration::from_millis(50);
/// What one put takes at most.
pub(crate) const PUT_BATCH: usize = 200;

/// Clients of memory, consensus and learning.
#[derive(Debug, Clone)]
pub struct Ports {
    memory: MemoryServiceClient<Peer>,
    proposals: ProposalServiceClient<Peer>,
    learning: LearningServiceClient<Peer>,
}

impl Ports {
    /// Clients to these addresses; connects at first use.
    ///
    /// # Errors
    /// When an address is not one.
    pub fn new(dialer: &Dialer, peers: &PeersConfig) -> Result<Self> {
        Ok(Self {
            memory: MemoryServiceClient::new(dialer.peer("peers.memory", &peers.memory)?)
                .max_decoding_message_size(32 << 20),
            proposals: ProposalServiceClient::new(
                dialer.peer("peers.consensus", &peers.consensus)?,
            ),
            learning: LearningServiceClient::new(dialer.peer("peers.learning", &peers.learning)?),
        })
    }

    /// Puts memories whose ids derive from their content: a repeat writes nothing. Says how many were new.
    pub async fn put_memories(
        &self,
        tenant: TenantId,
        memories: Vec<Memory>,
    ) -> Result<(Vec<Memory>, u32)> {
        let (mut stored, mut written) = (Vec::with_capacity(memories.len()), 0);
        for batch in memories.chunks(PUT_BATCH) {
            let deadline = Deadline::after(PUT_LIMIT);
            let answer = call(Retry::Safe, deadline, || async {
                let message = PutMemoriesRequest {
                    request: None,
                    memories: batch.to_vec(),
                };
                let request = request(&Acting::Tenant(tenant), deadline, message)?;
                self.memory.clone().put_memories(request).await
            })
            .await?;
            written += answer.written;
            stored.extend(answer.memories);
        }
        Ok((stored, written))
    }

    /// Searches memories.
    pub async fn search(
        &self,
        tenant: TenantId,
        namespaces: &[String],
        query: &str,
        mode: SearchMode,
        limit: u32,
    ) -> Result<Vec<SearchHit>> {
        let deadline = Deadline::after(SEARCH_LIMIT);
        let answer = call(Retry::Safe, deadline, || async {
            let message = SearchMemoriesRequest {
                namespaces: namespaces.to_vec(),
                query: query.to_owned(),
                limit,
                mode: mode.into(),
                ..SearchMemoriesRequest::default()
            };
            let request = request(&Acting::Tenant(tenant), deadline, message)?;
            self.memory.clone().search_memories(request).await
        })
        .await?;
        Ok(answer.hits)
    }

    /// Opens a proposal; its id derives from task and step, so a repeat finds the first one.
    pub async fn create_proposal(
        &self,
        tenant: TenantId,
        proposal: CreateProposalRequest,
    ) -> Result<Proposal> {
        let deadline = Deadline::after(CONSENSUS_LIMIT);
        let answer = call(Retry::Safe, deadline, || async {
            let request = request(&Acting::Tenant(tenant), deadline, proposal.clone())?;
            self.proposals.clone().create_proposal(request).await
        })
        .await?;
        known(answer.proposal)
    }

    /// Casts the ballot of a member; a repeat returns the stored one.
    pub async fn cast_vote(
        &self,
        tenant: TenantId,
        proposal: ProposalId,
        voter: &str,
        votes: Vec<OptionVote>,
    ) -> Result<Proposal> {
        let message = CastVoteRequest {
            proposal_id: proposal.to_string(),
            voter: voter.to_owned(),
            votes,
        };
        let deadline = Deadline::after(CONSENSUS_LIMIT);
        let answer = call(Retry::Safe, deadline, || async {
            let request = request(&Acting::Tenant(tenant), deadline, message.clone())?;
            self.proposals.clone().cast_vote(request).await
        })
        .await?;
        known(answer.proposal)
    }

    /// A proposal as it stands.
    pub async fn proposal(&self, tenant: TenantId, id: ProposalId) -> Result<Proposal> {
        let deadline = Deadline::after(CONSENSUS_LIMIT);
        let answer = call(Retry::Safe, deadline, || async {
            let message = GetProposalRequest { id: id.to_string() };
            let request = request(&Acting::Tenant(tenant), deadline, message)?;
            self.proposals.clone().get_proposal(request).await
        })
        .await?;
        known(answer.proposal)
    }

    /// Asks learning whom to take; the caller has a default for when this fails.
    pub async fn choose(&self, tenant: TenantId, message: ChooseRequest) -> Result<ChooseResponse> {
        let deadline = Deadline::after(CHOICE_LIMIT);
        call(Retry::Never, deadline, || async {
            let request = request(&Acting::Tenant(tenant), deadline, message.clone())?;
            self.learning.clone().choose(request).await
        })
        .await
    }
}

fn known(proposal: Option<Proposal>) -> Result<Proposal> {
    proposal.ok_or_else(|| Error::internal("consensus answered without a proposal"))
}
