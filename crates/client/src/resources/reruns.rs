//! Tasks by the batch, tasks that are run again, and dead letters.

use reqwest::Method;
use serde::Deserialize;
use swarm_errors::Result;
use swarm_types::{Page, PageRequest, Timestamp};

use super::paged;
use crate::client::Call;
use crate::{Client, Fork, NewTask, Purge, Task};

#[derive(Deserialize)]
struct Submitted {
    items: Vec<Task>,
}

#[derive(Deserialize)]
struct Purged {
    purged: u64,
}

impl Client {
    /// Submits up to 1,000 tasks, all or none. One may depend on others by their names. A server
    /// that has no room now is asked again, as often and as late as it says, within bounds.
    ///
    /// # Errors
    /// When the server refuses one of them or cannot be reached.
    pub async fn submit_tasks(&self, tasks: &[NewTask]) -> Result<Vec<Task>> {
        self.submitted(batch(tasks)?).await
    }

    /// As [`Client::submit_tasks`], where a repeat with the same key is the same tasks.
    ///
    /// # Errors
    /// As [`Client::submit_tasks`], and when the key was used with other tasks.
    pub async fn submit_tasks_once(&self, key: &str, tasks: &[NewTask]) -> Result<Vec<Task>> {
        self.submitted(batch(tasks)?.with_key(key)).await
    }

    async fn submitted(&self, call: Call<'_>) -> Result<Vec<Task>> {
        let submitted: Submitted = self.fetch(call.patient()).await?;
        Ok(submitted.items)
    }

    /// Runs a failed or dead-lettered task again, from its journal: what is finished is not repeated.
    ///
    /// # Errors
    /// When it has not failed or the server cannot be reached.
    pub async fn retry_task(&self, id: &str, deadline: Option<Timestamp>) -> Result<Task> {
        let body = match deadline {
            Some(deadline) => serde_json::json!({"deadline": deadline}),
            None => serde_json::json!({}),
        };
        self.fetch(Call::post(&["tasks", id, "retry"], &body)?)
            .await
    }

    /// Makes a new task out of another one's first steps.
    ///
    /// # Errors
    /// When there is no such task or step, or the server cannot be reached.
    pub async fn fork_task(&self, id: &str, fork: &Fork) -> Result<Task> {
        self.fetch(Call::post(&["tasks", id, "fork"], fork)?.patient())
            .await
    }

    /// Tasks whose attempts are used up, the newest first.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn list_dead_letters(
        &self,
        kind: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Task>> {
        let call = Call::get(&["dead-letters"]).query("kind", kind);
        self.fetch(paged(call, page)).await
    }

    /// Deletes dead letters for good, and says how many.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn purge_dead_letters(&self, which: &Purge) -> Result<u64> {
        let call = Call::new(Method::DELETE, &["dead-letters"])
            .with_key(&uuid::Uuid::now_v7().to_string());
        let call = match which {
            Purge::Tasks(ids) => call.query("task_ids", Some(ids.join(","))),
            Purge::Before(at) => call.query("before", Some(at.to_rfc3339())),
        };
        let purged: Purged = self.fetch(call).await?;
        Ok(purged.purged)
    }
}

fn batch(tasks: &[NewTask]) -> Result<Call<'static>> {
    Call::post(&["tasks:batch"], &serde_json::json!({ "tasks": tasks }))
}
