//! Messages to what the domain takes, with the name of the field that is wrong. Pure.

use std::collections::HashSet;

use swarm_errors::{Error, Result};
use swarm_proto::convert::{from_wire_time, parse};
use swarm_proto::learning::v1 as wire;
use swarm_types::Timestamp;

use crate::observations::Observation;
use crate::store::Rating;

const MAX_NAME: usize = 200;
const MAX_CHOICE_ID: usize = 255;
const MAX_COMMENT: usize = 64 * 1024;
const MAX_BATCH: usize = 1_000;
const MAX_ARMS: usize = 64;
const MAX_COUNT: u32 = 16;
/// A year.
const MAX_LATENCY_MS: u64 = 366 * 24 * 3600 * 1000;
const MAX_TOKENS: u64 = 1_000_000_000_000;

pub(super) fn observations(
    batch: Vec<wire::Observation>,
    now: Timestamp,
) -> Result<Vec<Observation>> {
    if batch.is_empty() || batch.len() > MAX_BATCH {
        return Err(Error::invalid(
            "observations",
            format!("must be 1 to {MAX_BATCH}"),
        ));
    }
    batch
        .into_iter()
        .enumerate()
        .map(|(n, one)| observation(&format!("observations[{n}]"), one, now))
        .collect()
}

fn observation(at: &str, one: wire::Observation, now: Timestamp) -> Result<Observation> {
    let field = |name: &str| format!("{at}.{name}");
    name(&field("kind"), &one.kind)?;
    if !one.model.is_empty() {
        name(&field("model"), &one.model)?;
    }
    Ok(Observation {
        id: parse(&field("id"), &one.id)?,
        task: parse(&field("task_id"), &one.task_id)?,
        agent: parse(&field("agent_id"), &one.agent_id)?,
        latency_ms: bounded(&field("latency_ms"), one.latency_ms, MAX_LATENCY_MS)?,
        input_tokens: bounded(&field("input_tokens"), one.input_tokens, MAX_TOKENS)?,
        output_tokens: bounded(&field("output_tokens"), one.output_tokens, MAX_TOKENS)?,
        at: one
            .at
            .map_or(Ok(now), |time| from_wire_time(&field("at"), &time))?,
        model: one.model,
        kind: one.kind,
        success: one.success,
    })
}

pub(super) fn choose(request: &wire::ChooseRequest) -> Result<()> {
    visible("choice_id", &request.choice_id, MAX_CHOICE_ID)?;
    name("kind", &request.kind)?;
    if request.arms.is_empty() || request.arms.len() > MAX_ARMS {
        return Err(Error::invalid("arms", format!("must be 1 to {MAX_ARMS}")));
    }
    let mut seen = HashSet::new();
    for (n, arm) in request.arms.iter().enumerate() {
        name(&format!("arms[{n}]"), arm)?;
        if !seen.insert(arm) {
            return Err(Error::invalid(format!("arms[{n}]"), "is there twice"));
        }
    }
    if request.count == 0
        || request.count > MAX_COUNT
        || request.count as usize > request.arms.len()
    {
        return Err(Error::invalid(
            "count",
            format!("must be 1 to {MAX_COUNT}, and at most the number of arms"),
        ));
    }
    Ok(())
}

pub(super) fn rating(request: wire::RecordFeedbackRequest, rater: String) -> Result<Rating> {
    if !(1..=5).contains(&request.rating) {
        return Err(Error::invalid("rating", "must be 1 to 5"));
    }
    if request.comment.len() > MAX_COMMENT || request.comment.contains('\0') {
        return Err(Error::invalid(
            "comment",
            format!("must have at most {MAX_COMMENT} bytes and no NUL"),
        ));
    }
    let task = parse("task_id", &request.task_id)?;
    Ok(Rating {
        task,
        rater,
        rating: i64::from(request.rating),
        comment: request.comment,
    })
}

/// A kind to list; empty means all.
pub(super) fn kind(kind: &str) -> Result<()> {
    if kind.is_empty() {
        Ok(())
    } else {
        name("kind", kind)
    }
}

fn name(field: &str, text: &str) -> Result<()> {
    visible(field, text, MAX_NAME)
}

fn visible(field: &str, text: &str, most: usize) -> Result<()> {
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            format!("must have 1 to {most} visible characters"),
        ));
    }
    Ok(())
}

fn bounded(field: &str, value: u64, most: u64) -> Result<i64> {
    if value > most {
        return Err(Error::invalid(field, format!("must be at most {most}")));
    }
    i64::try_from(value).map_err(Error::internal)
}
