//! To the wire.

use serde_json::{Value, json};
use swarm_errors::Result;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1 as common;
use swarm_proto::convert::{text_or_empty, to_json, to_wire_time};
use swarm_types::{Page, Priority};

use super::retry;
use crate::agents::{AgentKind, AgentRecord, AgentState};
use crate::engine::TaskTree;
use crate::events::EventRecord;
use crate::journal::StepRecord;
use crate::messages::MessageRecord;
use crate::tasks::{TaskRecord, TaskSpec, TaskState, Usage};

/// The items of a list as they are sent, and where the next page begins.
pub(super) fn list<T, W>(
    page: Page<T>,
    item: impl Fn(&T) -> Result<W>,
) -> Result<(Vec<W>, String)> {
    let items = page.items.iter().map(item).collect::<Result<_>>()?;
    Ok((items, page.next_cursor.unwrap_or_default()))
}

pub(super) fn agent(agent: &AgentRecord) -> wire::Agent {
    let profile = agent.profile.clone();
    wire::Agent {
        id: agent.id.to_string(),
        name: profile.name,
        kind: match profile.kind {
            AgentKind::Queen => wire::AgentKind::Queen,
            AgentKind::Worker => wire::AgentKind::Worker,
            AgentKind::Specialist => wire::AgentKind::Specialist,
        }
        .into(),
        role: profile.role,
        instructions: profile.instructions,
        model: Some(wire::ModelSettings {
            provider: profile.model.provider,
            name: profile.model.name,
            temperature: profile.model.temperature,
            max_tokens: profile.model.max_tokens,
        }),
        capabilities: profile.capabilities,
        tools: profile.tools,
        pool: profile.pool,
        max_concurrency: profile.max_concurrency,
        labels: profile.labels.into_iter().collect(),
        state: agent_state(agent.shown_state()).into(),
        health_reason: agent.health_reason.clone(),
        running_tasks: agent.running_tasks,
        created_at: Some(to_wire_time(agent.created_at)),
        updated_at: Some(to_wire_time(agent.updated_at)),
        version: unsigned(agent.version),
    }
}

const fn agent_state(state: AgentState) -> wire::AgentState {
    match state {
        AgentState::Starting => wire::AgentState::Starting,
        AgentState::Idle => wire::AgentState::Idle,
        AgentState::Busy => wire::AgentState::Busy,
        AgentState::Paused => wire::AgentState::Paused,
        AgentState::Draining => wire::AgentState::Draining,
        AgentState::Failed => wire::AgentState::Failed,
        AgentState::Stopped => wire::AgentState::Stopped,
    }
}

const fn task_state(state: TaskState) -> wire::TaskState {
    match state {
        TaskState::Queued => wire::TaskState::Queued,
        TaskState::Waiting => wire::TaskState::Waiting,
        TaskState::Running => wire::TaskState::Running,
        TaskState::AwaitingApproval => wire::TaskState::AwaitingApproval,
        TaskState::Completed => wire::TaskState::Completed,
        TaskState::Failed => wire::TaskState::Failed,
        TaskState::Cancelled => wire::TaskState::Cancelled,
        TaskState::DeadLettered => wire::TaskState::DeadLettered,
    }
}

/// A task with all of its input.
pub(super) fn task(task: &TaskRecord) -> Result<wire::Task> {
    encode(task, &task.spec.input)
}

/// A task among others: of its documents, names and sizes.
pub(super) fn task_in_list(task: &TaskRecord) -> Result<wire::Task> {
    encode(task, &without_texts(&task.spec.input))
}

/// What is wanted of a task that is yet to be made.
pub(super) fn spec(spec: &TaskSpec, priority: Priority) -> Result<wire::TaskSpec> {
    encode_spec(spec, priority, &spec.input)
}

/// The same among others: of its documents, names and sizes.
pub(super) fn spec_in_list(spec: &TaskSpec, priority: Priority) -> Result<wire::TaskSpec> {
    encode_spec(spec, priority, &without_texts(&spec.input))
}

fn without_texts(input: &Value) -> Value {
    let mut input = input.clone();
    if let Some(documents) = input.get_mut("documents").and_then(Value::as_array_mut) {
        for document in documents {
            let bytes = document
                .get("text")
                .and_then(Value::as_str)
                .map_or(0, str::len);
            *document = json!({"name": document.get("name"), "bytes": bytes});
        }
    }
    input
}

fn encode_spec(spec: &TaskSpec, priority: Priority, input: &Value) -> Result<wire::TaskSpec> {
    Ok(wire::TaskSpec {
        kind: spec.kind.clone(),
        input_json: to_json(input)?,
        agent_id: text_or_empty(spec.agent_id.as_ref()),
        pool: spec.pool.clone(),
        strategy: Some(wire::Strategy {
            name: spec.strategy.name.clone(),
            members: spec
                .strategy
                .members
                .iter()
                .map(ToString::to_string)
                .collect(),
            rounds: spec.strategy.rounds,
        }),
        priority: priority.as_str().to_owned(),
        deadline: None,
        metadata: spec.metadata.clone().into_iter().collect(),
        depends_on: spec.depends_on.iter().map(ToString::to_string).collect(),
        not_before: spec.not_before.map(to_wire_time),
        retry: Some(retry::encode(&spec.retry)),
    })
}

fn encode(task: &TaskRecord, input: &Value) -> Result<wire::Task> {
    Ok(wire::Task {
        id: task.id.to_string(),
        spec: Some(wire::TaskSpec {
            deadline: Some(to_wire_time(task.deadline)),
            ..encode_spec(&task.spec, task.priority, input)?
        }),
        state: task_state(task.state).into(),
        waiting_reason: text_or_empty(task.waiting_reason.as_ref()),
        parent_id: text_or_empty(task.parent.as_ref()),
        root_id: task.root.to_string(),
        role: task.role.clone(),
        assigned_agent_id: text_or_empty(task.agent.as_ref()),
        attempt: task.attempt,
        result_json: task
            .result
            .as_ref()
            .map(to_json)
            .transpose()?
            .unwrap_or_default(),
        error: task.failure.as_ref().map(|failure| wire::TaskError {
            code: failure.code.clone(),
            detail: failure.detail.clone(),
        }),
        usage: Some(usage(task.usage)),
        created_at: Some(to_wire_time(task.created_at)),
        started_at: task.started_at.map(to_wire_time),
        finished_at: task.finished_at.map(to_wire_time),
        last_seq: unsigned(task.last_seq),
        deadline: Some(to_wire_time(task.deadline)),
        next_attempt_at: task
            .ready_at
            .filter(|ready| *ready > task.created_at)
            .map(to_wire_time),
        open_dependencies: task.open_dependencies,
        forked_from_id: text_or_empty(task.spec.forked_from.as_ref()),
    })
}

pub(super) fn step(step: &StepRecord) -> Result<wire::Step> {
    Ok(wire::Step {
        id: step.id.to_string(),
        task_id: step.task.to_string(),
        position: step.position,
        kind: step.kind.as_str().to_owned(),
        name: step.name.clone(),
        state: step.state.as_str().to_owned(),
        attempt: step.attempt,
        input_json: to_json(&step.input)?,
        result_json: step
            .result
            .as_ref()
            .map(to_json)
            .transpose()?
            .unwrap_or_default(),
        usage: Some(usage(step.usage)),
        started_at: Some(to_wire_time(step.started_at)),
        finished_at: step.finished_at.map(to_wire_time),
        key: step.key.clone(),
    })
}

pub(super) fn tree(tree: &TaskTree) -> Result<wire::TaskTree> {
    Ok(wire::TaskTree {
        task: Some(task_in_list(&tree.task)?),
        steps: tree.steps.iter().map(step).collect::<Result<_>>()?,
        children: tree
            .children
            .iter()
            .map(self::tree)
            .collect::<Result<_>>()?,
    })
}

pub(super) fn event(event: &EventRecord) -> Result<wire::Event> {
    Ok(wire::Event {
        task_id: event.task.to_string(),
        root_id: event.root.to_string(),
        seq: unsigned(event.seq),
        tenant_seq: unsigned(event.tenant_seq),
        r#type: event.kind.clone(),
        at: Some(to_wire_time(event.at)),
        data_json: to_json(&event.data)?,
        ephemeral: event.is_ephemeral(),
    })
}

pub(super) fn message(message: &MessageRecord) -> wire::AgentMessage {
    wire::AgentMessage {
        id: message.id.to_string(),
        from_agent_id: text_or_empty(message.from.as_ref()),
        to_agent_id: message.to.to_string(),
        task_id: text_or_empty(message.task.as_ref()),
        subject: message.subject.clone(),
        body: message.body.clone(),
        state: message.state.as_str().to_owned(),
        sent_at: Some(to_wire_time(message.sent_at)),
        consumed_at: message.consumed_at.map(to_wire_time),
        consumed_by_step: text_or_empty(message.consumed_by.as_ref()),
    }
}

const fn usage(usage: Usage) -> common::Usage {
    common::Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cached_tokens: usage.cached_tokens,
        model_calls: usage.model_calls,
        tool_calls: usage.tool_calls,
    }
}

/// Numbers that are never negative.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
