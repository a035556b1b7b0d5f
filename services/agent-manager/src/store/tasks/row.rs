//! A row of `tasks`.

use serde_json::Value;
use swarm_database::{FromRow, Json};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, Priority, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::Held;
use crate::store::{count, small, word};
use crate::tasks::{TaskFailure, TaskRecord, TaskSpec, Usage};

#[derive(Debug, FromRow)]
pub(super) struct Row {
    tenant_id: Uuid,
    id: Uuid,
    root_id: Uuid,
    parent_id: Option<Uuid>,
    role: String,
    state: String,
    waiting_reason: Option<String>,
    priority: i16,
    spec: Json<TaskSpec>,
    agent_id: Option<Uuid>,
    attempt: i64,
    attempt_base: i64,
    ready_at: Option<Timestamp>,
    open_dependencies: i64,
    dependent_count: i64,
    epoch: i64,
    deadline: Timestamp,
    result: Option<Json<Value>>,
    error_code: Option<String>,
    error_detail: Option<String>,
    input_tokens: i64,
    output_tokens: i64,
    cached_tokens: i64,
    model_calls: i64,
    tool_calls: i64,
    last_seq: i64,
    #[expect(dead_code, reason = "one list of columns serves all texts")]
    step_count: i64,
    child_count: i64,
    traceparent: Option<String>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl Row {
    pub(super) fn held(self) -> Result<Held> {
        let (child_count, dependent_count) = (self.child_count, self.dependent_count);
        Ok(Held {
            record: self.record()?,
            child_count,
            dependent_count,
        })
    }

    pub(super) fn record(self) -> Result<TaskRecord> {
        let failure = self.error_code.map(|code| TaskFailure {
            code,
            detail: self.error_detail.unwrap_or_default(),
        });
        Ok(TaskRecord {
            tenant: TenantId::from_uuid(self.tenant_id),
            id: TaskId::from_uuid(self.id),
            root: TaskId::from_uuid(self.root_id),
            parent: self.parent_id.map(TaskId::from_uuid),
            role: self.role,
            spec: self.spec.0.into(),
            state: word(&self.state)?,
            waiting_reason: self.waiting_reason.as_deref().map(word).transpose()?,
            priority: Priority::from_rank(self.priority).ok_or_else(|| {
                Error::internal(format!("the store holds the priority {}", self.priority))
            })?,
            agent: self.agent_id.map(AgentId::from_uuid),
            attempt: small(self.attempt),
            attempt_base: small(self.attempt_base),
            ready_at: self.ready_at,
            open_dependencies: small(self.open_dependencies),
            epoch: self.epoch,
            deadline: self.deadline,
            result: self.result.map(|result| result.0),
            failure,
            usage: Usage {
                input_tokens: count(self.input_tokens),
                output_tokens: count(self.output_tokens),
                cached_tokens: count(self.cached_tokens),
                model_calls: count(self.model_calls),
                tool_calls: count(self.tool_calls),
            },
            last_seq: self.last_seq,
            traceparent: self.traceparent,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
        })
    }
}

pub(super) fn records(rows: Vec<Row>) -> Result<Vec<TaskRecord>> {
    rows.into_iter().map(Row::record).collect()
}
