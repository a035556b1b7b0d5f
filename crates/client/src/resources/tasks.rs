//! Tasks.

use std::time::Duration;

use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Client, Event, NewTask, Step, Task, TaskState, TaskTree};

/// What an answer may take beyond the time that was asked for.
const MARGIN: Duration = Duration::from_secs(10);

impl Client {
    /// Submits a task. Once this has answered, the task will not be lost. A server that has no room
    /// now is asked again, as often and as late as it says, within bounds.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn submit_task(&self, task: &NewTask) -> Result<Task> {
        self.fetch(Call::post(&["tasks"], task)?.patient()).await
    }

    /// As [`Client::submit_task`], where a repeat with the same key is the same task.
    ///
    /// # Errors
    /// As [`Client::submit_task`], and when the key was used with another task.
    pub async fn submit_task_once(&self, key: &str, task: &NewTask) -> Result<Task> {
        self.fetch(Call::post(&["tasks"], task)?.with_key(key).patient())
            .await
    }

    /// As [`Client::submit_task`], and waits in the same request until the task has ended, at most
    /// a minute; its state says whether it has.
    ///
    /// # Errors
    /// As [`Client::submit_task`].
    pub async fn run_task(&self, task: &NewTask, wait: Duration) -> Result<Task> {
        let wanted = format!("{}ms", wait.as_millis());
        self.fetch(
            Call::post(&["tasks"], task)?
                .query("wait", Some(wanted))
                .within(wait + MARGIN),
        )
        .await
    }

    /// The task.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn get_task(&self, id: &str) -> Result<Task> {
        self.fetch(Call::get(&["tasks", id])).await
    }

    /// Tasks, the newest first: those at the top, or the sub-tasks of `parent`.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_tasks(
        &self,
        state: Option<TaskState>,
        parent: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Task>> {
        let call = Call::get(&["tasks"])
            .query("state", state)
            .query("parent_id", parent);
        self.fetch(paged(call, page)).await
    }

    /// The journal.
    ///
    /// # Errors
    /// When there is no such task or the server cannot be reached.
    pub async fn task_steps(&self, id: &str, page: &PageRequest) -> Result<Page<Step>> {
        self.fetch(paged(Call::get(&["tasks", id, "steps"]), page))
            .await
    }

    /// The stored events, from a cursor on. To follow them live, see [`Client::watch`].
    ///
    /// # Errors
    /// When there is no such task or the server cannot be reached.
    pub async fn task_events(&self, id: &str, page: &PageRequest) -> Result<Page<Event>> {
        self.fetch(paged(Call::get(&["tasks", id, "events"]), page))
            .await
    }

    /// The task with its sub-tasks, steps, messages and ballots.
    ///
    /// # Errors
    /// When there is no such task or the server cannot be reached.
    pub async fn task_tree(&self, id: &str) -> Result<TaskTree> {
        self.fetch(Call::get(&["tasks", id, "tree"])).await
    }

    /// Waits up to a minute until the task has ended; its state says whether it has.
    ///
    /// # Errors
    /// When there is no such task or the server cannot be reached.
    pub async fn task_result(&self, id: &str, wait: Duration) -> Result<Task> {
        let path = ["tasks", id, "result"];
        let wanted = format!("{}ms", wait.as_millis());
        self.fetch(
            Call::get(&path)
                .query("wait", Some(wanted))
                .within(wait + MARGIN),
        )
        .await
    }

    /// Cancels the task and its sub-tasks: once this has answered, no new step starts.
    ///
    /// # Errors
    /// When the task has ended already or the server cannot be reached.
    pub async fn cancel_task(&self, id: &str, reason: Option<&str>) -> Result<Task> {
        let body = match reason {
            Some(reason) => serde_json::json!({"reason": reason}),
            None => serde_json::json!({}),
        };
        self.fetch(Call::post(&["tasks", id, "cancel"], &body)?)
            .await
    }
}
