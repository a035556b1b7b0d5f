//! What a finished step brings with it: sub-tasks, and messages sent and taken up.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use swarm_errors::Result;
use swarm_telemetry::propagate;
use swarm_types::{MessageId, StepId, TaskId, Timestamp};

use super::step::Finish;
use super::submit::submitted_event;
use crate::events::NewEvent;
use crate::journal::StepSpec;
use crate::messages::{MessageRecord, MessageState};
use crate::store::tasks::{self, Insert};
use crate::store::{Unit, agents, messages};
use crate::tasks::{NewTask, TaskRecord, TaskSpec, TaskState, Usage, child_task_id};

/// Inserts a step's sub-tasks. A repeat finds them there.
pub(super) async fn insert_children(
    unit: &mut Unit,
    parent: &TaskRecord,
    spec: &StepSpec,
    children: &[NewTask],
) -> Result<()> {
    let known: BTreeSet<_> = children.iter().filter_map(|child| child.agent).collect();
    for agent in known {
        agents::get_in(unit.tx(), parent.tenant, agent).await?;
    }
    let now = unit.now();
    let inserts: Vec<Insert> = children
        .iter()
        .enumerate()
        .map(|(place, child)| {
            let id = child_task_id(parent.id, &spec.key, place);
            Insert {
                record: child_record(parent, id, child, now),
                lease: None,
                step_count: 0,
            }
        })
        .collect();
    if inserts.is_empty() {
        return Ok(());
    }
    let new = tasks::insert(unit.tx(), &inserts).await?;
    for insert in inserts
        .iter()
        .filter(|insert| new.contains(&insert.record.id))
    {
        let task = &insert.record;
        unit.event(
            task.tenant,
            task.id,
            task.root,
            task.last_seq,
            submitted_event(task),
        );
    }
    Ok(())
}

fn child_record(parent: &TaskRecord, id: TaskId, child: &NewTask, now: Timestamp) -> TaskRecord {
    let own_or = |own: &str, parents: &str| {
        let chosen = if own.is_empty() { parents } else { own };
        chosen.to_owned()
    };
    TaskRecord {
        tenant: parent.tenant,
        id,
        root: parent.root,
        parent: Some(parent.id),
        role: child.role.clone(),
        spec: Arc::new(TaskSpec {
            kind: own_or(&child.kind, &parent.spec.kind),
            input: child.input.clone(),
            agent_id: child.agent,
            pool: own_or(&child.pool, &parent.spec.pool),
            strategy: child.strategy.clone(),
            metadata: child.metadata.clone(),
            ..TaskSpec::default()
        }),
        state: TaskState::Queued,
        waiting_reason: None,
        priority: child.priority.unwrap_or(parent.priority),
        agent: child.agent,
        attempt: 1,
        attempt_base: 0,
        ready_at: None,
        open_dependencies: 0,
        epoch: 0,
        deadline: child
            .deadline
            .map_or(parent.deadline, |deadline| deadline.min(parent.deadline)),
        result: None,
        failure: None,
        usage: Usage::default(),
        last_seq: 1,
        traceparent: propagate::current_traceparent(),
        created_at: now,
        started_at: None,
        finished_at: None,
    }
}

pub(super) async fn send(
    unit: &mut Unit,
    task: &TaskRecord,
    finish: &Finish,
) -> Result<Vec<NewEvent>> {
    let sent_at = unit.now();
    let mut records = Vec::new();
    for (message, id) in finish.rest.send.iter().zip(&finish.message_ids) {
        message.check()?;
        records.push(MessageRecord {
            tenant: task.tenant,
            id: *id,
            from: message.from,
            to: message.to,
            task: Some(task.id),
            root: Some(task.root),
            subject: message.subject.clone(),
            body: message.body.clone(),
            state: MessageState::Pending,
            sent_at,
            consumed_at: None,
            consumed_by: None,
        });
    }
    if !records.is_empty() {
        messages::insert(unit.tx(), &records).await?;
    }
    Ok(records
        .iter()
        .map(|message| message_event("message.sent", message))
        .collect())
}

pub(super) async fn consume(
    unit: &mut Unit,
    task: &TaskRecord,
    ids: &[MessageId],
    by: StepId,
) -> Result<Vec<NewEvent>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let now = unit.now();
    let mut taken = messages::consume(unit.tx(), task.tenant, ids, by, now).await?;
    taken.sort_by_key(|message| message.id);
    Ok(taken
        .iter()
        .map(|message| message_event("message.consumed", message))
        .collect())
}

pub(super) fn message_event(kind: &str, message: &MessageRecord) -> NewEvent {
    let data = json!({
        "message_id": message.id,
        "from_agent_id": message.from,
        "to_agent_id": message.to,
        "subject": message.subject,
        "body": message.body,
    });
    NewEvent::new(kind, data)
}
