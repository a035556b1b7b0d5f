//! Short words for messages.

use swarm_errors::Error;
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::Choice;
use tonic::Status;

/// A proposal with these options and voters.
pub(crate) fn ask(options: &[&str], electorate: &[&str]) -> wire::CreateProposalRequest {
    let option = |id: &&str| wire::Option {
        id: (*id).to_owned(),
        label: format!("option {id}"),
    };
    wire::CreateProposalRequest {
        title: "Which?".into(),
        options: options.iter().map(option).collect(),
        electorate: electorate.iter().map(|voter| (*voter).to_owned()).collect(),
        ..wire::CreateProposalRequest::default()
    }
}

pub(crate) fn on(option: &str, choice: Choice) -> wire::OptionVote {
    wire::OptionVote {
        option_id: option.into(),
        choice: choice.into(),
        reason: format!("because {option}"),
    }
}

pub(crate) fn yes(option: &str) -> Vec<wire::OptionVote> {
    vec![on(option, Choice::Approve)]
}

pub(crate) fn no(option: &str) -> Vec<wire::OptionVote> {
    vec![on(option, Choice::Reject)]
}

/// The code and the first field of an error.
pub(crate) fn fault(status: Status) -> (&'static str, String) {
    let error = Error::from(status);
    let field = error.fields().first().map(|field| field.field.clone());
    (error.code().as_str(), field.unwrap_or_default())
}
