//! The writer takes in what the readers reported.

use serde::{Deserialize, Serialize};
use serde_json::json;
use swarm_errors::{Code, Error, Result};
use swarm_types::{AgentId, TaskId};

use super::members::Members;
use super::part::{FINDINGS_SUBJECT, Report};
use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::messages::MessageRecord;
use crate::work::passages::Passage;

/// A passage that a reader found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// `f1`, `f2`: the option's id in the ballot.
    pub(crate) id: String,
    pub(crate) passage: Passage,
    pub(crate) found_by: AgentId,
}

/// Waits for the parts, then consumes their messages: both are journaled, so that no message counts twice.
pub(crate) async fn collect(
    context: &TaskContext,
    members: &Members,
    parts: &[TaskId],
) -> Result<Vec<Finding>> {
    let ended = context.await_tasks(parts).await?;
    let states: Vec<&str> = ended.iter().map(|task| task.state.as_str()).collect();
    let input = json!({ "parts": parts, "ended": states });
    let step = StepSpec::new("collect", StepKind::Message, "take in the findings", input);
    let findings: Vec<Finding> = context
        .step(step, async |_: StepHandle| {
            let inbox = context.inbox(members.writer.id).await?;
            let reports: Vec<_> = inbox
                .into_iter()
                .filter(|message| message.subject == FINDINGS_SUBJECT)
                .collect();
            let mut done = StepDone::new(findings_of(&reports)?);
            done.consume = reports.iter().map(|message| message.id).collect();
            Ok(done)
        })
        .await?;
    if findings.is_empty() {
        let why = ended
            .iter()
            .find_map(|task| task.failure.as_ref())
            .map_or_else(String::new, |failure| format!(": {}", failure.detail));
        return Err(Error::new(
            Code::FailedPrecondition,
            format!("no reader found anything{why}"),
        ));
    }
    Ok(findings)
}

/// The passages of all reports, in the order of their documents: messages arrive in any order, the ballot has one.
fn findings_of(reports: &[MessageRecord]) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for message in reports {
        let report: Report = serde_json::from_str(&message.body).map_err(Error::internal)?;
        let from = message
            .from
            .ok_or_else(|| Error::internal("a report from nobody"))?;
        found.extend(report.passages.into_iter().map(|passage| (passage, from)));
    }
    found.sort_by(|(a, _), (b, _)| (&a.document, a.position).cmp(&(&b.document, b.position)));
    let named = found.into_iter().enumerate();
    Ok(named
        .map(|(index, (passage, found_by))| Finding {
            id: format!("f{}", index + 1),
            passage,
            found_by,
        })
        .collect())
}
