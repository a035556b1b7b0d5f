//! What other services are told of a task's end: at least once, deduplicated there by id.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Value, json};
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::{MemoryId, ObservationId, TenantId, Timestamp};

use super::Engine;
pub use crate::store::outbox::Letter;
use crate::store::outbox::NewLetter;
use crate::store::{Unit, outbox, steps};
use crate::tasks::{TaskRecord, TaskState};

/// Letters for the learning service: observations.
pub const LEARNING: &str = "learning";
/// Letters for the memory service: episodes.
pub const MEMORY: &str = "memory";

const FIRST_PAUSE: TimeDelta = TimeDelta::milliseconds(500);
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);
const LONGEST_EPISODE: usize = 2_000;

/// Carries letters to their receivers.
#[async_trait]
pub trait Courier: Send + Sync + fmt::Debug {
    /// Carries letters of one tenant to one receiver. They may have been carried before.
    ///
    /// # Errors
    /// All of them are then carried again later.
    async fn carry(&self, target: &str, tenant: TenantId, letters: &[Letter]) -> Result<()>;
}

/// Writes what learning and memory are to know of a task that ends in this transaction.
pub(super) async fn tell_of_end(unit: &mut Unit, task: &TaskRecord) -> Result<()> {
    let now = unit.now();
    let model = match task.agent {
        Some(_) => steps::last_model(unit.tx(), task.tenant, task.id).await?,
        None => None,
    };
    let letters = letters_of_end(task, model.as_deref().unwrap_or_default(), now);
    let letters: Vec<&NewLetter> = letters.iter().collect();
    outbox::insert_all(unit.tx(), &letters, now).await
}

/// What learning and memory are to know of a task that ends now. The model is the one that it
/// spoke to last.
pub(super) fn letters_of_end(task: &TaskRecord, model: &str, now: Timestamp) -> Vec<NewLetter> {
    observation(task, model, now)
        .into_iter()
        .chain(memory_of(task))
        .collect()
}

/// Whether other services are told of this end.
pub(super) fn tells_others(task: &TaskRecord) -> bool {
    is_observed(task) || is_remembered(task)
}

fn is_observed(task: &TaskRecord) -> bool {
    task.agent.is_some() && task.started_at.is_some()
}

fn observation(task: &TaskRecord, model: &str, now: Timestamp) -> Option<NewLetter> {
    let (agent, started) = (task.agent?, task.started_at?);
    // A task that was retried by hand ends more than once.
    let id = match task.attempt_base {
        0 => ObservationId::derived(&[&task.id.to_string()]),
        base => ObservationId::derived(&[&task.id.to_string(), &base.to_string()]),
    };
    let payload = json!({
        "id": id,
        "task_id": task.id,
        "agent_id": agent,
        "model": model,
        "kind": task.spec.kind,
        "latency_ms": task.finished_at.map_or(0, |at| (at - started).num_milliseconds()),
        "input_tokens": task.usage.input_tokens,
        "output_tokens": task.usage.output_tokens,
        "success": task.state == TaskState::Completed,
        "at": now,
    });
    Some(NewLetter {
        tenant: task.tenant,
        id: id.uuid(),
        target: LEARNING,
        payload,
    })
}

fn memory_of(task: &TaskRecord) -> Option<NewLetter> {
    if !is_remembered(task) {
        return None;
    }
    let id = MemoryId::derived(&["episode", &task.id.to_string()]);
    let payload =
        json!({"id": id, "task_id": task.id, "agent_id": task.agent, "content": episode(task)});
    Some(NewLetter {
        tenant: task.tenant,
        id: id.uuid(),
        target: MEMORY,
        payload,
    })
}

/// Whether question and answer are kept as a memory, which the caller may not want.
fn is_remembered(task: &TaskRecord) -> bool {
    task.parent.is_none()
        && task.state == TaskState::Completed
        && task.spec.input.get("remember") != Some(&Value::Bool(false))
}

/// What was asked and what came out, in short.
fn episode(task: &TaskRecord) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let asked = text(task.spec.input.get("prompt")).unwrap_or_else(|| task.spec.input.to_string());
    let result = task.result.as_ref();
    let answer = text(result.and_then(|result| result.get("answer")))
        .or_else(|| text(result))
        .or_else(|| result.map(ToString::to_string))
        .unwrap_or_default();
    format!("Asked: {}\nAnswered: {}", cut(&asked), cut(&answer))
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_EPISODE).collect()
}

impl Engine {
    /// Carries letters until `soft` is cancelled.
    ///
    /// # Errors
    /// Never: what fails is tried again later.
    pub async fn carry_letters(
        self: Arc<Self>,
        courier: Arc<dyn Courier>,
        soft: CancellationToken,
    ) -> Result<()> {
        // Letters that are under way are left behind: whoever reads them next carries them again.
        // Under load there is always one more, so it must not be waited for.
        soft.run_until_cancelled(async {
            loop {
                if let Err(error) = self.carry_due(courier.as_ref()).await {
                    tracing::warn!(error = %error.chain(), "the outbox could not be read");
                }
                self.notified(&self.letters, self.config.poll).await;
            }
        })
        .await;
        Ok(())
    }

    async fn carry_due(&self, courier: &dyn Courier) -> Result<()> {
        loop {
            let due = outbox::due(&self.db, self.now()).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut heaps: BTreeMap<(String, TenantId), Vec<Letter>> = BTreeMap::new();
            for letter in due {
                heaps
                    .entry((letter.target.clone(), letter.tenant))
                    .or_default()
                    .push(letter);
            }
            for ((target, tenant), letters) in heaps {
                match courier.carry(&target, tenant, &letters).await {
                    Ok(()) => outbox::done(&self.db, &letters).await?,
                    Err(error) => {
                        tracing::debug!(target, error = %error.chain(), "letters will be carried later");
                        self.put_off(letters).await?;
                    }
                }
            }
        }
    }

    async fn put_off(&self, letters: Vec<Letter>) -> Result<()> {
        let now = self.now();
        let letters: Vec<_> = letters
            .into_iter()
            .map(|letter| {
                let doublings = u32::try_from(letter.attempts).unwrap_or(0).min(8);
                let pause = (FIRST_PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE);
                (letter, now + pause)
            })
            .collect();
        outbox::later(&self.db, &letters).await
    }
}
