//! `ProposalService`.

use std::sync::Arc;

use prost::Message;
use swarm_errors::{Error, Result};
use swarm_identity::Permission;
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::proposal_service_server::ProposalService;
use swarm_proto::convert::page;
use swarm_transport::authorize;
use swarm_types::{Clock, Page, ProposalId, TenantId};
use tonic::{Request, Response, Status};

use super::{decode, encode};
use crate::raft::Group;
use crate::voting::{Answer, Command, Create, Proposal, Vote};

#[derive(Debug)]
pub(super) struct Proposals {
    pub(super) group: Group,
    pub(super) clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl ProposalService for Proposals {
    async fn create_proposal(
        &self,
        request: Request<wire::CreateProposalRequest>,
    ) -> Result<Response<wire::CreateProposalResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::ProposalsWrite)?;
        let message = request.get_ref();
        let draft = decode::draft(message)?;
        let (id, body_hash) = decode::identity(tenant, &message.id, message.request.as_ref())?;
        let create = Create {
            tenant,
            id,
            draft,
            created_by: caller.principal.subject,
            body_hash,
            at: self.clock.now(),
        };
        let proposal = self.create(create, message.encoded_len()).await?;
        Ok(Response::new(wire::CreateProposalResponse {
            proposal: Some(encode::proposal(&proposal)),
        }))
    }

    async fn cast_vote(
        &self,
        request: Request<wire::CastVoteRequest>,
    ) -> Result<Response<wire::CastVoteResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::ProposalsWrite)?;
        let message = request.get_ref();
        let vote = Vote {
            tenant,
            proposal: decode::proposal_id("proposal_id", &message.proposal_id)?,
            voter: decode::voter(&caller.principal, &message.voter)?,
            votes: decode::votes(&message.votes)?,
            at: self.clock.now(),
        };
        Ok(Response::new(self.vote(vote, message.encoded_len()).await?))
    }

    async fn get_proposal(
        &self,
        request: Request<wire::GetProposalRequest>,
    ) -> Result<Response<wire::GetProposalResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::ProposalsRead)?;
        let id = decode::proposal_id("id", &request.get_ref().id)?;
        let proposal = self.current(tenant, id).await?;
        Ok(Response::new(wire::GetProposalResponse {
            proposal: Some(encode::proposal(&proposal)),
        }))
    }

    async fn list_proposals(
        &self,
        request: Request<wire::ListProposalsRequest>,
    ) -> Result<Response<wire::ListProposalsResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::ProposalsRead)?;
        let message = request.into_inner();
        let page = page(message.page.clone());
        let filter = decode::filter(&message, &page.cursor)?;
        let limit = page.bounded_limit();
        let found = self
            .group
            .view(|register| register.list(tenant, filter, limit as usize + 1))
            .await?;
        let page = Page::cut(found, limit, |proposal| proposal.log_index.to_string());
        Ok(Response::new(wire::ListProposalsResponse {
            proposals: page.items.iter().map(|p| encode::proposal(p)).collect(),
            next_cursor: page.next_cursor.unwrap_or_default(),
        }))
    }
}

impl Proposals {
    /// Opens a proposal, or returns the one that was opened by the same request before.
    async fn create(&self, create: Create, bytes: usize) -> Result<Arc<Proposal>> {
        if let Some(stored) = self.known(create.tenant, create.id) {
            stored.check_repeat(&create.draft, &create.body_hash)?;
            return Ok(stored);
        }
        match self.group.propose(Command::Create(create), bytes).await? {
            Answer::Created(proposal) => Ok(proposal),
            Answer::Refused(refusal) => Err(refusal.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// Casts a ballot, or returns the one that the voter has cast before. What cannot be taken is
    /// refused here already, so that it leaves no trace in the log.
    async fn vote(&self, vote: Vote, bytes: usize) -> Result<wire::CastVoteResponse> {
        let proposal = match self.known(vote.tenant, vote.proposal) {
            Some(proposal) => proposal,
            None => self.current(vote.tenant, vote.proposal).await?,
        };
        if let Some(ballot) = proposal.ballot_of(&vote.voter) {
            return Ok(wire::CastVoteResponse {
                ballot: Some(encode::ballot(ballot)),
                proposal: Some(encode::proposal(&proposal)),
            });
        }
        proposal.check_ballot(&vote.voter, &vote.votes)?;
        match self.group.propose(Command::Vote(vote), bytes).await? {
            Answer::Voted(ballot, proposal) => Ok(wire::CastVoteResponse {
                ballot: Some(encode::ballot(&ballot)),
                proposal: Some(encode::proposal(&proposal)),
            }),
            Answer::Refused(refusal) => Err(refusal.into()),
            other => Err(unexpected(&other)),
        }
    }

    /// The proposal as of now.
    async fn current(&self, tenant: TenantId, id: ProposalId) -> Result<Arc<Proposal>> {
        self.group
            .view(|register| register.get(tenant, id).cloned())
            .await?
            .ok_or_else(|| Error::not_found("proposal", id))
    }

    /// The proposal as far as this node has applied the log.
    fn known(&self, tenant: TenantId, id: ProposalId) -> Option<Arc<Proposal>> {
        self.group
            .peek(|register| register.get(tenant, id).cloned())
    }
}

fn unexpected(answer: &Answer) -> Error {
    Error::internal(format!("the log answered {answer:?}"))
}
