//! Messages from outside: sent by people, acknowledged by them.

use swarm_errors::{Code, Error, Result};
use swarm_types::{AgentId, MessageId, Page, TaskId, TenantId};

use super::Engine;
use super::brings::message_event;
use crate::messages::{MessageRecord, MessageState, NewMessage};
use crate::store::idempotency::{self, RequestKey};
use crate::store::{agents, messages, tasks};

const SEND: &str = "send_message";

/// A message that is to be sent from outside.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Names the write.
    pub request: Option<RequestKey>,
    /// What is sent.
    pub message: NewMessage,
    /// The task within which it is sent.
    pub task: Option<TaskId>,
}

impl Engine {
    /// Sends a message.
    ///
    /// # Errors
    /// `invalid_argument` that names the field; `failed_precondition` when the task has ended.
    pub async fn send_message(&self, tenant: TenantId, sending: Sending) -> Result<MessageRecord> {
        let request = sending.request.as_ref();
        if let Some(id) = idempotency::find(&self.db, tenant, request, SEND).await? {
            return messages::get(&self.db, tenant, MessageId::from_uuid(id)).await;
        }
        sending.message.check()?;
        self.check_agent(tenant, "to_agent_id", sending.message.to)
            .await?;
        if let Some(from) = sending.message.from {
            self.check_agent(tenant, "from_agent_id", from).await?;
        }
        let id = MessageId::new();
        if let Some(message) = self
            .db
            .retry(|| self.insert_message(tenant, &sending, id))
            .await?
        {
            return Ok(message);
        }
        let known = idempotency::find(&self.db, tenant, request, SEND).await?;
        let known =
            known.ok_or_else(|| Error::unavailable("the same request is just being made"))?;
        messages::get(&self.db, tenant, MessageId::from_uuid(known)).await
    }

    async fn check_agent(&self, tenant: TenantId, field: &str, id: AgentId) -> Result<()> {
        match agents::get(&self.db, tenant, id).await {
            Err(error) if error.code() == Code::NotFound => {
                Err(Error::invalid(field, format!("there is no agent {id}")))
            }
            found => found.map(drop),
        }
    }

    async fn insert_message(
        &self,
        tenant: TenantId,
        sending: &Sending,
        id: MessageId,
    ) -> Result<Option<MessageRecord>> {
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        if !idempotency::insert(
            unit.tx(),
            tenant,
            sending.request.as_ref(),
            SEND,
            id.uuid(),
            now,
        )
        .await?
        {
            unit.rollback().await?;
            return Ok(None);
        }
        let NewMessage {
            from,
            to,
            subject,
            body,
        } = sending.message.clone();
        let mut message = MessageRecord {
            tenant,
            id,
            from,
            to,
            task: sending.task,
            root: None,
            subject,
            body,
            state: MessageState::Pending,
            sent_at: now,
            consumed_at: None,
            consumed_by: None,
        };
        if let Some(task) = sending.task {
            let Some((seq, root)) = tasks::annotate(unit.tx(), tenant, task, 1).await? else {
                return Err(match tasks::find_in(unit.tx(), tenant, task).await? {
                    Some(task) => Error::new(
                        Code::FailedPrecondition,
                        format!("the task is {}", task.state),
                    ),
                    None => Error::invalid("task_id", format!("there is no task {task}")),
                });
            };
            message.root = Some(root);
            unit.event(
                tenant,
                task,
                root,
                seq,
                message_event("message.sent", &message),
            );
        }
        messages::insert(unit.tx(), std::slice::from_ref(&message)).await?;
        self.commit(unit).await?;
        Ok(Some(message))
    }

    /// What an agent got after the message `after`, the oldest first.
    ///
    /// # Errors
    /// `not_found` when there is no such agent.
    pub async fn inbox(
        &self,
        tenant: TenantId,
        agent: AgentId,
        all: bool,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Page<MessageRecord>> {
        agents::get(&self.db, tenant, agent).await?;
        let rows =
            messages::inbox(&self.db, tenant, agent, after, all, i64::from(limit) + 1).await?;
        Ok(Page::cut(rows, limit, |message| message.id.to_string()))
    }

    /// Takes a message up from outside. One that was taken up before is left as it is.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn ack_message(&self, tenant: TenantId, id: MessageId) -> Result<MessageRecord> {
        self.db
            .retry(|| async {
                let mut unit = self.begin_unit().await?;
                let now = unit.now();
                let Some(message) = messages::ack(unit.tx(), tenant, id, now).await? else {
                    return unit.rollback().await;
                };
                if let Some(task) = message.task
                    && let Some((seq, root)) = tasks::annotate(unit.tx(), tenant, task, 1).await?
                {
                    unit.event(
                        tenant,
                        task,
                        root,
                        seq,
                        message_event("message.consumed", &message),
                    );
                }
                self.commit(unit).await
            })
            .await?;
        messages::get(&self.db, tenant, id).await
    }

    /// The messages of a task's whole tree, in the order they were sent.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn task_messages(
        &self,
        tenant: TenantId,
        task: TaskId,
    ) -> Result<Vec<MessageRecord>> {
        let place = tasks::place(&self.db, tenant, task).await?;
        let (root, _, _) = place.ok_or_else(|| Error::not_found("task", task))?;
        let mut found = messages::of_tree(&self.db, tenant, root).await?;
        if root != task {
            let below = self.below(tenant, root, task).await?;
            found.retain(|message| message.task.is_some_and(|id| below.contains(&id)));
        }
        Ok(found)
    }

    /// A task and all below it.
    pub(super) async fn below(
        &self,
        tenant: TenantId,
        root: TaskId,
        task: TaskId,
    ) -> Result<Vec<TaskId>> {
        let nodes = tasks::tree_states(&self.db, tenant, root).await?;
        let mut below = vec![task];
        let mut place = 0;
        while let Some(parent) = below.get(place).copied() {
            below.extend(
                nodes
                    .iter()
                    .filter(|node| node.parent == parent)
                    .map(|node| node.id),
            );
            place += 1;
        }
        Ok(below)
    }
}
