//! From the wire to our types, within bounds: pure. Errors name the field.

use std::collections::BTreeSet;

use swarm_errors::{Code, Error, Result};
use swarm_identity::{Principal, PrincipalKind};
use swarm_proto::common::v1::RequestKey;
use swarm_proto::consensus::v1 as wire;
use swarm_proto::convert::{parse, parse_optional};
use swarm_types::{ProposalId, TenantId};

use crate::voting::{Choice, Draft, Filter, OptionVote, ProposalOption, Rule, State};

const MAX_NAME: usize = 200;
const MAX_LABEL: usize = 8 << 10;
const MAX_TEXT: usize = 64 << 10;
const MAX_OPTIONS: usize = 256;
const MAX_VOTERS: usize = 1000;
const MAX_KEY: usize = 255;
const MAX_HASH: usize = 64;
const DEFAULT_OPEN_MS: u32 = 5 * 60 * 1000;
const MAX_OPEN_MS: u32 = 24 * 3600 * 1000;

/// The id of a new proposal: given, or derived from the request's key, or else new. Also the hash
/// of the request.
pub(super) fn identity(
    tenant: TenantId,
    id: &str,
    key: Option<&RequestKey>,
) -> Result<(ProposalId, Vec<u8>)> {
    let (key, body_hash) = key.map_or(("", &[][..]), |key| (key.key.as_str(), &key.body_hash));
    within("request.key", key, MAX_KEY)?;
    if body_hash.len() > MAX_HASH {
        return Err(Error::invalid("request.body_hash", "must be a SHA-256"));
    }
    let given = parse_optional::<ProposalId>("id", id)?;
    let derived =
        || (!key.is_empty()).then(|| ProposalId::derived(&[&tenant.to_string(), "request", key]));
    let id = given.or_else(derived).unwrap_or_else(ProposalId::new);
    Ok((id, body_hash.to_vec()))
}

/// What a proposal asks.
pub(super) fn draft(request: &wire::CreateProposalRequest) -> Result<Draft> {
    needed("title", &request.title, MAX_NAME)?;
    within("description", &request.description, MAX_TEXT)?;
    Ok(Draft {
        title: request.title.clone(),
        description: request.description.clone(),
        options: options(&request.options)?,
        electorate: electorate(&request.electorate)?,
        rule: rule(request.rule)?,
        open_for_ms: open_for(request.open_for_ms)?,
        task_id: parse_optional("task_id", &request.task_id)?,
    })
}

/// The voter of a ballot: a person votes for itself, a service casts the vote of an agent.
pub(super) fn voter(principal: &Principal, voter: &str) -> Result<String> {
    within("voter", voter, MAX_NAME)?;
    match principal.kind {
        PrincipalKind::Service if voter.is_empty() => {
            Err(Error::invalid("voter", "must be given by a service"))
        }
        PrincipalKind::Service => Ok(voter.to_owned()),
        _ if voter.is_empty() || voter == principal.subject => Ok(principal.subject.clone()),
        _ => {
            let words = "must be the caller: nobody votes for another";
            let error = Error::new(Code::PermissionDenied, format!("voter: {words}"));
            Err(error.with_field("voter", words))
        }
    }
}

/// The choices of a ballot, each option at most once.
pub(super) fn votes(votes: &[wire::OptionVote]) -> Result<Vec<OptionVote>> {
    bounded("votes", votes.len(), MAX_OPTIONS)?;
    let mut seen = BTreeSet::new();
    let mut decoded = Vec::with_capacity(votes.len());
    for (position, vote) in votes.iter().enumerate() {
        let field = |name: &str| format!("votes[{position}].{name}");
        needed(&field("option_id"), &vote.option_id, MAX_NAME)?;
        within(&field("reason"), &vote.reason, MAX_LABEL)?;
        if !seen.insert(vote.option_id.as_str()) {
            let words = format!("{} is voted on twice", vote.option_id);
            return Err(Error::invalid(field("option_id"), words));
        }
        let choice = match wire::Choice::try_from(vote.choice) {
            Ok(wire::Choice::Approve) => Choice::Approve,
            Ok(wire::Choice::Reject) => Choice::Reject,
            Ok(wire::Choice::Abstain) => Choice::Abstain,
            Ok(wire::Choice::Unspecified) | Err(_) => {
                let words = "must be approve, reject or abstain";
                return Err(Error::invalid(field("choice"), words));
            }
        };
        decoded.push(OptionVote {
            option_id: vote.option_id.clone(),
            choice,
            reason: vote.reason.clone(),
        });
    }
    Ok(decoded)
}

/// Which proposals of a list are wanted.
pub(super) fn filter(request: &wire::ListProposalsRequest, cursor: &str) -> Result<Filter> {
    let state = match wire::ProposalState::try_from(request.state) {
        Ok(wire::ProposalState::Unspecified) => None,
        Ok(wire::ProposalState::Open) => Some(State::Open),
        Ok(wire::ProposalState::Decided) => Some(State::Decided),
        Ok(wire::ProposalState::NoQuorum) => Some(State::NoQuorum),
        Err(_) => return Err(Error::invalid("state", "is not a state of a proposal")),
    };
    let before = match cursor {
        "" => None,
        cursor => Some(cursor.parse().map_err(|_| {
            Error::invalid("page.cursor", "must be the next_cursor of a page before")
        })?),
    };
    Ok(Filter {
        task_id: parse_optional("task_id", &request.task_id)?,
        state,
        before,
    })
}

/// The id of a proposal.
pub(super) fn proposal_id(field: &str, id: &str) -> Result<ProposalId> {
    parse(field, id)
}

fn options(options: &[wire::Option]) -> Result<Vec<ProposalOption>> {
    bounded("options", options.len(), MAX_OPTIONS)?;
    let mut seen = BTreeSet::new();
    let mut decoded = Vec::with_capacity(options.len());
    for (position, option) in options.iter().enumerate() {
        let field = format!("options[{position}].id");
        needed(&field, &option.id, MAX_NAME)?;
        within(
            &format!("options[{position}].label"),
            &option.label,
            MAX_LABEL,
        )?;
        if !seen.insert(option.id.as_str()) {
            return Err(Error::invalid(
                field,
                format!("{} is given twice", option.id),
            ));
        }
        decoded.push(ProposalOption {
            id: option.id.clone(),
            label: option.label.clone(),
        });
    }
    Ok(decoded)
}

fn electorate(voters: &[String]) -> Result<Vec<String>> {
    bounded("electorate", voters.len(), MAX_VOTERS)?;
    let mut seen = BTreeSet::new();
    for (position, voter) in voters.iter().enumerate() {
        let field = format!("electorate[{position}]");
        needed(&field, voter, MAX_NAME)?;
        if !seen.insert(voter.as_str()) {
            return Err(Error::invalid(field, format!("{voter} is given twice")));
        }
    }
    Ok(voters.to_vec())
}

fn rule(rule: i32) -> Result<Rule> {
    match wire::Rule::try_from(rule) {
        Ok(wire::Rule::Unspecified | wire::Rule::SimpleMajority) => Ok(Rule::SimpleMajority),
        Err(_) => Err(Error::invalid("rule", "must be simple_majority")),
    }
}

fn open_for(open_for_ms: u32) -> Result<u32> {
    match open_for_ms {
        0 => Ok(DEFAULT_OPEN_MS),
        1..=MAX_OPEN_MS => Ok(open_for_ms),
        _ => {
            let words = format!("must be at most {MAX_OPEN_MS}, a day");
            Err(Error::invalid("open_for_ms", words))
        }
    }
}

fn bounded(field: &str, count: usize, most: usize) -> Result<()> {
    if count == 0 || count > most {
        let words = format!("must hold between 1 and {most}");
        return Err(Error::invalid(field, words));
    }
    Ok(())
}

fn needed(field: &str, text: &str, most: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    within(field, text, most)
}

fn within(field: &str, text: &str, most: usize) -> Result<()> {
    if text.len() > most {
        return Err(Error::invalid(
            field,
            format!("must be at most {most} bytes long"),
        ));
    }
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not contain the character NUL"));
    }
    Ok(())
}
