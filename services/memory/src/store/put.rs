//! A put: one transaction for all of it, with the answer for a repeat.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use swarm_database::{Json, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, MemoryId, TaskId, TenantId, Timestamp};

use super::namespaces::{count_changes, lock};
use super::row::MemoryRow;
use super::{Store, list, requests, sql};
use crate::put::{Plan, plan};
use crate::{ContentHash, Draft, Memory, PutAnswer, Repeat};

/// How often a put gives way to another writer of the same ids or the same key.
const ATTEMPTS: usize = 8;

impl Store {
    /// Writes what differs from what is stored. A repeat writes nothing and has the first answer.
    pub(crate) async fn put(
        &self,
        tenant: TenantId,
        drafts: &[Draft],
        repeat: Option<&Repeat>,
        now: Timestamp,
    ) -> Result<PutAnswer> {
        for _ in 0..ATTEMPTS {
            if let Some(answer) = self
                .db
                .retry(|| self.try_put(tenant, drafts, repeat, now))
                .await?
            {
                return Ok(answer);
            }
        }
        Err(Error::unavailable(
            "other writers of the same memories were in the way",
        ))
    }

    /// None where another writer came first, and it is to be tried again.
    async fn try_put(
        &self,
        tenant: TenantId,
        drafts: &[Draft],
        repeat: Option<&Repeat>,
        now: Timestamp,
    ) -> Result<Option<PutAnswer>> {
        let mut tx = self.db.begin().await?;
        if let Some(repeat) = repeat
            && let Some(answer) = requests::find(&mut tx, tenant, repeat).await?
        {
            tx.rollback().await?;
            return Ok(Some(answer));
        }
        // Before any memory is held, so that two writers wait for each other in one order alone.
        let namespaces = concerned(&mut tx, tenant, drafts).await?;
        let numbers = lock(&mut tx, tenant, &namespaces).await?;
        let plan = plan(drafts, stored(&mut tx, tenant, drafts).await?, now);
        if plan.counts.keys().any(|name| !numbers.contains_key(name)) {
            // A memory was moved in between.
            tx.rollback().await?;
            return Ok(None);
        }
        let is_whole = write(&mut tx, tenant, &plan, &numbers).await?;
        count_changes(&mut tx, tenant, &plan.counts).await?;
        let is_first = match repeat {
            Some(repeat) => requests::add(&mut tx, tenant, repeat, &plan.answer, now).await?,
            None => true,
        };
        if !(is_whole && is_first) {
            tx.rollback().await?;
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(plan.answer))
    }
}

/// The namespaces that the drafts are for, and those that their ids are in now.
async fn concerned(tx: &mut Tx, tenant: TenantId, drafts: &[Draft]) -> Result<Vec<String>> {
    let mut namespaces: BTreeSet<String> =
        drafts.iter().map(|draft| draft.namespace.clone()).collect();
    let ids: Vec<MemoryId> = drafts.iter().filter_map(|draft| draft.id).collect();
    if !ids.is_empty() {
        let text = tx.pick(sql::NAMESPACES_OF_POSTGRES, sql::NAMESPACES_OF_SQLITE);
        let query = tx.q(text).bind(tenant.uuid()).bind(list::of_ids(&ids));
        namespaces.extend(query.scalars::<String>().await?);
    }
    Ok(namespaces.into_iter().collect())
}

async fn stored(
    tx: &mut Tx,
    tenant: TenantId,
    drafts: &[Draft],
) -> Result<HashMap<MemoryId, Memory>> {
    let ids: Vec<MemoryId> = drafts.iter().filter_map(|draft| draft.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let text = tx.pick(sql::LOCK_BY_IDS_POSTGRES, sql::BY_IDS_SQLITE);
    let rows: Vec<MemoryRow> = tx
        .q(text)
        .bind(tenant.uuid())
        .bind(list::of_ids(&ids))
        .all()
        .await?;
    let memories = rows.into_iter().map(Memory::try_from);
    memories
        .map(|memory| memory.map(|memory| (memory.id, memory)))
        .collect()
}

/// Whether every row was written.
async fn write(
    tx: &mut Tx,
    tenant: TenantId,
    plan: &Plan,
    numbers: &BTreeMap<String, i64>,
) -> Result<bool> {
    let changed = Changed(plan);
    let number = |memory: &Memory| numbers.get(&memory.namespace).map_or(1, |last| last + 1);
    let written = tx
        .batch(sql::PUT_POSTGRES, sql::PUT_SQLITE)
        .column(changed.column(|_| tenant.uuid()))
        .column(changed.column(|memory| memory.id.uuid()))
        .column(changed.column(|memory| memory.namespace.clone()))
        .column(changed.column(|memory| memory.kind.as_str().to_owned()))
        .column(changed.column(|memory| memory.content.clone()))
        .column(changed.column(|memory| ContentHash::of(&memory.content).0.to_vec()))
        .column(changed.column(|memory| Json(Value::Object(memory.metadata.clone()))))
        .column(changed.column(|memory| Json(Value::from(memory.tags.clone()))))
        .column(changed.column(|memory| f64::from(memory.importance)))
        .column(changed.column(|memory| memory.source.clone()))
        .column(changed.column(|memory| memory.task.map(TaskId::uuid)))
        .column(changed.column(|memory| memory.agent.map(AgentId::uuid)))
        .column(changed.column(|memory| memory.expires_at))
        .column(changed.column(|memory| memory.version))
        .column(changed.column(number))
        .column(changed.column(|memory| memory.created_at))
        .column(changed.column(|memory| memory.updated_at))
        .exec()
        .await?;
    Ok(written == plan.changed.len() as u64)
}

/// The memories of a plan that are to be written.
struct Changed<'a>(&'a Plan);

impl Changed<'_> {
    fn column<T>(&self, of: impl Fn(&Memory) -> T) -> Vec<T> {
        let memory = |place: &usize| of(&self.0.answer.memories[*place]);
        self.0.changed.iter().map(memory).collect()
    }
}
