//! Why a write has no effect: pure. Every node refuses alike, so refusals are answers of the log.

use swarm_errors::{Code, Error};
use swarm_types::ProposalId;

/// Why a write has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such proposal of this tenant.
    NotFound(ProposalId),
    /// There is one of this id, and it asks something else.
    OtherContent(ProposalId),
    /// This voter may not vote.
    NotInElectorate { voter: String },
    /// The proposal has no such option.
    UnknownOption { position: usize, option_id: String },
    /// It takes no ballots any more.
    Closed(ProposalId),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(id) => Self::not_found("proposal", id),
            Refusal::OtherContent(id) => {
                let words = format!("{id} was opened before with other content");
                Self::new(Code::IdempotencyMismatch, words.clone()).with_field("id", words)
            }
            Refusal::NotInElectorate { voter } => {
                let words = format!("{voter} is not in the electorate");
                Self::new(Code::PermissionDenied, format!("voter: {words}"))
                    .with_field("voter", words)
            }
            Refusal::UnknownOption {
                position,
                option_id,
            } => Self::invalid(
                format!("votes[{position}].option_id"),
                format!("the proposal has no option {option_id}"),
            ),
            Refusal::Closed(id) => Self::new(
                Code::FailedPrecondition,
                format!("{id} takes no more ballots: it is closed"),
            ),
        }
    }
}
