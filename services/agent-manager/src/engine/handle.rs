//! What a step's work gets.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use swarm_runtime::CancellationToken;
use swarm_types::StepId;

use super::TaskContext;
use super::step::Attempt;
use crate::events::EventRecord;

/// A step that has begun. Clones share it.
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
    shown: Mutex<Shown>,
}

/// The text that was shown so far.
#[derive(Debug, Default)]
struct Shown {
    /// Its length in characters.
    length: usize,
    /// What is shown once there is a task to show it of.
    held: String,
}

impl Shown {
    /// A piece, after what was held back, and where it stands in the whole.
    fn add(&mut self, piece: &str) -> (usize, String) {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(piece);
        let offset = self.length;
        self.length += text.chars().count();
        (offset, text)
    }
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
            shown: Mutex::default(),
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
    pub fn emit_token(&self, piece: &str) {
        let inner = &self.inner;
        let mut shown = inner.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.context.is_born() {
            shown.held.push_str(piece);
            return;
        }
        let (offset, text) = shown.add(piece);
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
