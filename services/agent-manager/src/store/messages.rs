//! Messages in the store.

use swarm_database::{Db, FromRow, Tx};
use swarm_errors::{Code, Error, Result};
use swarm_types::{AgentId, MessageId, StepId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::sql::messages as sql;
use super::word;
use crate::messages::MessageRecord;

#[derive(Debug, FromRow)]
struct Row {
    id: Uuid,
    from_agent_id: Option<Uuid>,
    to_agent_id: Uuid,
    task_id: Option<Uuid>,
    root_id: Option<Uuid>,
    subject: String,
    body: String,
    state: String,
    sent_at: Timestamp,
    consumed_at: Option<Timestamp>,
    consumed_by: Option<Uuid>,
}

impl Row {
    fn record(self, tenant: TenantId) -> Result<MessageRecord> {
        Ok(MessageRecord {
            tenant,
            id: MessageId::from_uuid(self.id),
            from: self.from_agent_id.map(AgentId::from_uuid),
            to: AgentId::from_uuid(self.to_agent_id),
            task: self.task_id.map(TaskId::from_uuid),
            root: self.root_id.map(TaskId::from_uuid),
            subject: self.subject,
            body: self.body,
            state: word(&self.state)?,
            sent_at: self.sent_at,
            consumed_at: self.consumed_at,
            consumed_by: self.consumed_by.map(StepId::from_uuid),
        })
    }
}

fn records(tenant: TenantId, rows: Vec<Row>) -> Result<Vec<MessageRecord>> {
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn insert(tx: &mut Tx, messages: &[MessageRecord]) -> Result<()> {
    fn column<T>(messages: &[MessageRecord], value: impl Fn(&MessageRecord) -> T) -> Vec<T> {
        messages.iter().map(value).collect()
    }
    tx.batch(sql::INSERT_PG, sql::INSERT_LITE)
        .column(column(messages, |message| message.tenant.uuid()))
        .column(column(messages, |message| message.id.uuid()))
        .column(column(messages, |message| message.from.map(AgentId::uuid)))
        .column(column(messages, |message| message.to.uuid()))
        .column(column(messages, |message| message.task.map(TaskId::uuid)))
        .column(column(messages, |message| message.root.map(TaskId::uuid)))
        .column(column(messages, |message| message.subject.clone()))
        .column(column(messages, |message| message.body.clone()))
        .column(column(messages, |message| {
            message.state.as_str().to_owned()
        }))
        .column(column(messages, |message| message.sent_at))
        .exec()
        .await
        .map(drop)
}

pub(crate) async fn get(db: &Db, tenant: TenantId, id: MessageId) -> Result<MessageRecord> {
    let row: Option<Row> = db
        .q(sql::FIND)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt()
        .await?;
    row.ok_or_else(|| Error::not_found("message", id))?
        .record(tenant)
}

/// What an agent got after the message `after`, the oldest first.
pub(crate) async fn inbox(
    db: &Db,
    tenant: TenantId,
    agent: AgentId,
    after: Option<MessageId>,
    all: bool,
    limit: i64,
) -> Result<Vec<MessageRecord>> {
    let text = if all { sql::INBOX_ALL } else { sql::INBOX };
    let after = after.map_or(Uuid::nil(), MessageId::uuid);
    let rows = db
        .q(text)
        .bind(tenant.uuid())
        .bind(agent.uuid())
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    records(tenant, rows)
}

/// What waits for an agent within one tree.
pub(crate) async fn inbox_of_tree(
    db: &Db,
    tenant: TenantId,
    root: TaskId,
    agent: AgentId,
) -> Result<Vec<MessageRecord>> {
    let rows = db
        .q(sql::INBOX_OF_TREE)
        .bind(tenant.uuid())
        .bind(root.uuid())
        .bind(agent.uuid())
        .all()
        .await?;
    records(tenant, rows)
}

pub(crate) async fn of_tree(db: &Db, tenant: TenantId, root: TaskId) -> Result<Vec<MessageRecord>> {
    records(
        tenant,
        db.q(sql::OF_TREE)
            .bind(tenant.uuid())
            .bind(root.uuid())
            .all()
            .await?,
    )
}

/// The same within a transaction.
pub(crate) async fn of_tree_in(
    tx: &mut Tx,
    tenant: TenantId,
    root: TaskId,
) -> Result<Vec<MessageRecord>> {
    let query = tx.q(sql::OF_TREE).bind(tenant.uuid()).bind(root.uuid());
    records(tenant, query.all().await?)
}

/// Takes all of these messages up by one step.
///
/// # Errors
/// `conflict` when another one took one of them up before.
pub(crate) async fn consume(
    tx: &mut Tx,
    tenant: TenantId,
    ids: &[MessageId],
    by: StepId,
    now: Timestamp,
) -> Result<Vec<MessageRecord>> {
    let rows: Vec<Row> = tx
        .batch(sql::CONSUME_PG, sql::CONSUME_LITE)
        .column(vec![tenant.uuid(); ids.len()])
        .column(ids.iter().map(|id| id.uuid()).collect())
        .column(vec![by.uuid(); ids.len()])
        .column(vec![now; ids.len()])
        .all()
        .await?;
    if rows.len() != ids.len() {
        return Err(Error::new(Code::Conflict, "a message was taken up before"));
    }
    records(tenant, rows)
}

/// Takes a message up from outside; `None` when that was done before, or there is none.
pub(crate) async fn ack(
    tx: &mut Tx,
    tenant: TenantId,
    id: MessageId,
    now: Timestamp,
) -> Result<Option<MessageRecord>> {
    let row: Option<Row> = tx
        .q(sql::ACK)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(now)
        .opt()
        .await?;
    row.map(|row| row.record(tenant)).transpose()
}
