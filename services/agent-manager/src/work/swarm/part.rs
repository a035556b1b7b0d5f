//! A part: one reader looks through a share of the passages and reports to the writer.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarm_errors::{Error, Result};
use swarm_models::{ChatRequest, Message};
use swarm_types::{AgentId, TaskId};

use super::library::{Library, passage_of};
use super::members::{Member, Members};
use crate::engine::{StepHandle, TaskContext};
use crate::events::NewEvent;
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::messages::NewMessage;
use crate::tasks::NewTask;
use crate::work::passages::Passage;
use crate::work::thinking::think;
use crate::work::{Worker, prompts, read_input};

/// Findings that one reader reports at most.
const FINDINGS: usize = 3;
/// Passages that a reader shows its model.
const SHOWN: usize = 2;
/// Hits among which a reader looks for those of its part.
const SEARCHED: u32 = 100;
const MAX_TOKENS: u32 = 48;
/// What the message of a reader is about.
pub(crate) const FINDINGS_SUBJECT: &str = "findings";

/// What a reader gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PartInput {
    pub(crate) prompt: String,
    pub(crate) namespaces: Vec<String>,
    /// Its share: passages whose running number leaves this remainder.
    pub(crate) share: usize,
    pub(crate) shares: usize,
    pub(crate) reader: Member,
    pub(crate) writer: AgentId,
}

/// What a reader reports, as the body of its message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) note: String,
    pub(crate) passages: Vec<Passage>,
}

/// Makes a sub-task for each reader.
pub(crate) async fn hand_out(
    context: &TaskContext,
    members: &Members,
    library: &Library,
    prompt: &str,
) -> Result<Vec<TaskId>> {
    let shares = members.readers.len();
    let parts: Vec<NewTask> = members
        .readers
        .iter()
        .enumerate()
        .map(|(share, reader)| {
            let input = PartInput {
                prompt: prompt.to_owned(),
                namespaces: library.namespaces.clone(),
                share,
                shares,
                reader: reader.clone(),
                writer: members.writer.id,
            };
            let input = serde_json::to_value(input).map_err(Error::internal)?;
            Ok(sub_task(context, "part", reader.id, input))
        })
        .collect::<Result<_>>()?;
    spawn(context, "parts", "hand out parts", parts).await
}

/// A sub-task of the same kind as the task, so that learning counts it there.
pub(crate) fn sub_task(context: &TaskContext, role: &str, agent: AgentId, input: Value) -> NewTask {
    let kind = context.task().spec.kind.clone();
    NewTask {
        role: role.to_owned(),
        kind,
        agent: Some(agent),
        input,
        ..NewTask::default()
    }
}

/// Inserts sub-tasks in the commit of a step; their ids derive from it, so a replay finds the same.
pub(crate) async fn spawn(
    context: &TaskContext,
    key: &str,
    name: &str,
    tasks: Vec<NewTask>,
) -> Result<Vec<TaskId>> {
    let ids: Vec<TaskId> = (0..tasks.len())
        .map(|place| context.child_id(key, place))
        .collect();
    let step = StepSpec::new(key, StepKind::SubTask, name, json!({ "tasks": ids }));
    // The ids are derived, not read from the journal: that of a fork was written by another task.
    let _: Vec<TaskId> = context
        .step(step, async |_: StepHandle| {
            let mut done = StepDone::new(ids.clone());
            done.children = tasks;
            Ok(done)
        })
        .await?;
    Ok(ids)
}

/// Does a part.
pub(crate) async fn run(worker: &Worker, context: &TaskContext) -> Result<Value> {
    let input: PartInput = read_input(&context.task().spec.input)?;
    let found = look(worker, context, &input).await?;
    let note = if found.is_empty() {
        "my part says nothing about it".to_owned()
    } else {
        note(worker, context, &input, &found).await?
    };
    report(
        context,
        &input,
        Report {
            note,
            passages: found,
        },
    )
    .await
}

/// Searches its share, in the reader's own way.
async fn look(worker: &Worker, context: &TaskContext, input: &PartInput) -> Result<Vec<Passage>> {
    let asked = json!({ "query": input.prompt, "share": input.share + 1, "of": input.shares });
    let step = StepSpec::new(
        "recall",
        StepKind::Recall,
        format!("search {}", input.reader.how()),
        asked,
    );
    context
        .step(step, async |_: StepHandle| {
            let (tenant, mode) = (context.task().tenant, input.reader.mode());
            let hits = worker
                .ports
                .search(tenant, &input.namespaces, &input.prompt, mode, SEARCHED)
                .await?;
            let found: Vec<Passage> = hits
                .iter()
                .filter_map(|hit| passage_of(hit.memory.as_ref()?))
                .filter(|passage| passage.position % input.shares == input.share)
                .take(FINDINGS)
                .collect();
            let places: Vec<String> = found.iter().map(Passage::place).collect();
            let event = NewEvent::new(
                "memory.recalled",
                json!({ "agent": input.reader.name, "how": input.reader.how(), "places": places }),
            );
            Ok(StepDone::new(found).with_event(event))
        })
        .await
}

async fn note(
    worker: &Worker,
    context: &TaskContext,
    input: &PartInput,
    found: &[Passage],
) -> Result<String> {
    let agent = context.assigned_agent();
    let instructions = agent
        .map(|agent| agent.profile.instructions.as_str())
        .unwrap_or_default();
    let shown = &found[..found.len().min(SHOWN)];
    let mut request = ChatRequest::new(vec![
        Message::system(prompts::system(instructions)),
        Message::user(prompts::read(&input.prompt, shown)),
    ]);
    request.max_tokens = MAX_TOKENS;
    Ok(think(worker, context, "model", agent, request).await?.text)
}

/// The message is sent in the commit of the step, so that it is sent once.
async fn report(context: &TaskContext, input: &PartInput, report: Report) -> Result<Value> {
    let body = serde_json::to_string(&report).map_err(Error::internal)?;
    let summary = json!({ "findings": report.passages.len(), "note": report.note });
    let step = StepSpec::new(
        "report",
        StepKind::Message,
        "report to the writer",
        summary.clone(),
    );
    let message = NewMessage {
        from: Some(input.reader.id),
        to: input.writer,
        subject: FINDINGS_SUBJECT.to_owned(),
        body,
    };
    context
        .step(step, async |_: StepHandle| {
            let mut done = StepDone::new(summary);
            done.send.push(message);
            Ok(done)
        })
        .await
}
