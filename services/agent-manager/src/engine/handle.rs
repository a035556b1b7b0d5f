//! What a step's work gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use swarm_runtime::CancellationToken;
use swarm_types::StepId;

use super::TaskContext;
use super::step::Attempt;
use crate::events::EventRecord;

/// A step whose start is committed. Clones share it.
#[derive(Debug, Clone)]
pub struct StepHandle {
    inner: Arc<HandleInner>,
}

#[derive(Debug)]
struct HandleInner {
    context: TaskContext,
    id: StepId,
    key: String,
    attempt: u32,
    epoch: i64,
    token: String,
    offset: AtomicU64,
}

impl StepHandle {
    pub(super) fn new(context: TaskContext, step: Attempt<'_>) -> Self {
        let task = context.task().id;
        let inner = HandleInner {
            id: step.id,
            key: step.spec.key.clone(),
            attempt: step.number,
            epoch: context.fence().epoch,
            token: format!("{task}/{}/{}", step.id, step.number),
            offset: AtomicU64::new(0),
            context,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The step's id; it follows from the task and the step's key.
    #[must_use]
    pub fn id(&self) -> StepId {
        self.inner.id
    }

    /// The step's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.inner.key
    }

    /// Rises with each hold of the task, so that an outside service can refuse a worker that has
    /// lost it.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.inner.epoch
    }

    /// From 1; one more after each recorded failure.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }

    /// `task/step/attempt`: what an outside service may deduplicate by. A take-over repeats it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.inner.token
    }

    /// Cancelled when the attempt must end at once.
    #[must_use]
    pub fn cancelled(&self) -> &CancellationToken {
        self.inner.context.cancelled()
    }

    /// Shows a piece of the text that is being written to whoever watches. It is not stored.
    pub fn emit_token(&self, text: &str) {
        let inner = &self.inner;
        let characters = u64::try_from(text.chars().count()).unwrap_or(0);
        let offset = inner.offset.fetch_add(characters, Ordering::Relaxed);
        let (engine, task) = (&inner.context.inner.engine, inner.context.task());
        if !engine.hub.is_watched(task.tenant, task.root) {
            return;
        }
        engine.hub.ephemeral(EventRecord {
            tenant: task.tenant,
            task: task.id,
            root: task.root,
            seq: 0,
            tenant_seq: 0,
            kind: "token".to_owned(),
            data: json!({
                "step": inner.id,
                "key": inner.key,
                "attempt": inner.attempt,
                "offset": offset,
                "agent_id": task.agent,
                "text": text,
            }),
            at: engine.now(),
        });
    }
}
