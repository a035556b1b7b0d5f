//! Proposals.

use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Cast, Client, NewProposal, NewVote, Proposal, Tally};

impl Client {
    /// Puts a question to a vote.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn create_proposal(&self, proposal: &NewProposal) -> Result<Proposal> {
        self.fetch(Call::post(&["proposals"], proposal)?).await
    }

    /// Proposals, the newest first.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_proposals(
        &self,
        state: Option<&str>,
        task: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Proposal>> {
        self.fetch(paged(
            Call::get(&["proposals"])
                .query("state", state)
                .query("task_id", task),
            page,
        ))
        .await
    }

    /// The proposal with its ballots.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn get_proposal(&self, id: &str) -> Result<Proposal> {
        self.fetch(Call::get(&["proposals", id])).await
    }

    /// Casts a ballot; a voter's second one returns the first.
    ///
    /// # Errors
    /// When the proposal is closed, the voter may not vote or the server cannot be reached.
    pub async fn vote(&self, proposal: &str, vote: &NewVote) -> Result<Cast> {
        self.fetch(Call::post(&["proposals", proposal, "votes"], vote)?)
            .await
    }

    /// The count.
    ///
    /// # Errors
    /// When there is no such proposal or the server cannot be reached.
    pub async fn tally(&self, proposal: &str) -> Result<Tally> {
        self.fetch(Call::get(&["proposals", proposal, "tally"]))
            .await
    }
}
