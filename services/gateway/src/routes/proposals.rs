//! Proposals, ballots and tallies.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_proto::consensus::v1 as wire;

use super::{expect, location};
use crate::extract::{Body, Id, NoParams, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::page::Page;
use crate::shapes::proposals::{
    Cast, ListProposals, NewProposal, NewVote, Proposal, ProposalState, Tally,
};
use crate::shapes::wire::{Word, text};

/// Put a question to a vote
#[utoipa::path(post, path = "", tag = "proposals", request_body = NewProposal,
    responses((status = 201, body = Proposal, description = "The proposal is open",
        headers(("Location" = String, description = "Where the proposal is")))))]
pub(super) async fn create_proposal(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewProposal>,
) -> Answer<impl IntoResponse> {
    let answer = ask!(
        gateway,
        &caller,
        proposals.create_proposal(body.value.into_wire(body.key))
    )?;
    let proposal = Proposal::from(expect(answer.proposal)?);
    Ok((
        StatusCode::CREATED,
        location("proposals", &proposal.id),
        Json(proposal),
    ))
}

/// List proposals, the newest first
#[utoipa::path(get, path = "", tag = "proposals", params(ListProposals),
    responses((status = 200, body = Page<Proposal>, description = "A page of proposals")))]
pub(super) async fn list_proposals(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListProposals>,
) -> Answer<Json<Page<Proposal>>> {
    let message = wire::ListProposalsRequest {
        page: params.page()?,
        task_id: text(params.task_id),
        state: ProposalState::or_unspecified(params.state),
    };
    let answer = ask!(gateway, &caller, proposals.list_proposals(message))?;
    Ok(Json(Page::new(answer.proposals, answer.next_cursor)))
}

/// Get a proposal with its ballots
#[utoipa::path(get, path = "", tag = "proposals", params(("id" = String, Path, description = "The proposal")),
    responses((status = 200, body = Proposal, description = "The proposal")))]
pub(super) async fn get_proposal(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<Proposal>> {
    let answer = ask!(
        gateway,
        &caller,
        proposals.get_proposal(wire::GetProposalRequest { id })
    )?;
    Ok(Json(expect(answer.proposal)?.into()))
}

/// Cast a ballot
///
/// There is one ballot a voter: a repeat returns the stored one, also after the close.
#[utoipa::path(post, path = "", tag = "proposals", params(("id" = String, Path, description = "The proposal")),
    request_body = NewVote,
    responses((status = 200, body = Cast, description = "The stored ballot, and the proposal with it")))]
pub(super) async fn cast_vote(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    body: Body<NewVote>,
) -> Answer<Json<Cast>> {
    let message = body.value.into_wire(id, &caller.principal.subject);
    let answer = ask!(gateway, &caller, proposals.cast_vote(message))?;
    Ok(Json(Cast {
        ballot: expect(answer.ballot)?.into(),
        proposal: expect(answer.proposal)?.into(),
    }))
}

/// Get the count of a proposal
#[utoipa::path(get, path = "", tag = "proposals", params(("id" = String, Path, description = "The proposal")),
    responses((status = 200, body = Tally, description = "The count so far, with those who saw it differently")))]
pub(super) async fn get_tally(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<Tally>> {
    let answer = ask!(
        gateway,
        &caller,
        proposals.get_proposal(wire::GetProposalRequest { id })
    )?;
    Ok(Json(
        expect(answer.proposal)?.tally.unwrap_or_default().into(),
    ))
}
