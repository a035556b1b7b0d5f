//! Trees of calls that do not end by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use swarm_agent_manager::engine::Executor;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::NewTask;
use tokio::sync::mpsc;

use crate::rig::script;

/// Counts calls that are under way, also when they are dropped.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Makes two sub-tasks, each with a call that does not end by itself.
pub(crate) fn endless(
    running: &Arc<AtomicUsize>,
    begun: mpsc::UnboundedSender<()>,
) -> Arc<dyn Executor> {
    let running = running.clone();
    script(move |context| {
        let (running, begun) = (running.clone(), begun.clone());
        async move {
            if context.task().parent.is_none() {
                let split = StepSpec::new("split", StepKind::SubTask, "", json!({}));
                context
                    .step(split, |_| async {
                        let mut done = StepDone::new(());
                        done.children = vec![NewTask::default(), NewTask::default()];
                        Ok(done)
                    })
                    .await?;
                let children = [context.child_id("split", 0), context.child_id("split", 1)];
                context.await_tasks(&children).await?;
            }
            let call = StepSpec::new("call", StepKind::Model, "m", json!({}));
            context
                .step(call, |_| async {
                    let _running = Running::begin(&running);
                    begun.send(()).unwrap();
                    std::future::pending::<()>().await;
                    Ok(StepDone::new(json!(1)))
                })
                .await
        }
    })
}
