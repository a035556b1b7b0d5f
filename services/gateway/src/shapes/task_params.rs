//! The queries of task routes.

use std::time::Duration;

use serde::Deserialize;
use swarm_errors::Result;
use utoipa::IntoParams;

use super::page::paged;
use super::tasks::TaskState;
use crate::extract::duration;
use crate::routes::LONGEST_WAIT;

/// Which tasks are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListTasks {
    /// Only those in this state.
    #[param(inline)]
    pub(crate) state: Option<TaskState>,
    /// The sub-tasks of this task; without it, tasks at the top.
    pub(crate) parent_id: Option<String>,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListEvents {
    /// How many items of a JSON page, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Events after this one. `Last-Event-ID` wins over it.
    cursor: Option<String>,
    /// Of a stream, whether tokens are wanted too; true unless given.
    pub(crate) ephemeral: Option<bool>,
}

/// How long to wait for the end of a task.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitParams {
    /// Such as `500ms` or `30s`, at most `60s`; without it, the answer comes at once.
    #[param(example = "30s")]
    wait: Option<String>,
}

impl WaitParams {
    /// The wait that is wanted.
    pub(crate) fn wait(&self) -> Result<Duration> {
        match &self.wait {
            Some(text) => duration("wait", text, LONGEST_WAIT),
            None => Ok(Duration::ZERO),
        }
    }
}

paged!(ListTasks, ListEvents);
