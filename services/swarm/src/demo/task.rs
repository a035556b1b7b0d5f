//! The demo's task.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::json;
use swarm_cli::{Broken, End, Follow, Names};
use swarm_client::{Agent, NewTask, Strategy, Task, TaskState};
use swarm_errors::{Error, Result};
use swarm_types::{Clock, PageRequest, SystemClock, Timestamp};

use super::Stage;

/// The task ends by then, so that there is time left to show how.
const DEADLINE: Duration = Duration::from_secs(50);
/// A task that was cut off with less time than this would not end well.
const LEAST_LEFT: Duration = Duration::from_secs(25);
/// Marks tasks of the demo.
const MARK: (&str, &str) = ("made_by", "swarm demo");

/// How following ended.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) end: End,
    /// How long after the program's start the first word came.
    pub(super) first_token: Option<Duration>,
}

/// Submits the task. One that an earlier run has left open is taken up where it was cut off when
/// it is the same and has time left; else it is ended, so that nothing is done twice.
pub(super) async fn submit(stage: &Stage<'_>, agents: &[Agent]) -> Result<Task> {
    let now = SystemClock.now();
    let wanted = wanted(stage, agents, now + DEADLINE);
    let mut same = None;
    for task in left_open(stage).await? {
        let has_time = task
            .deadline
            .is_some_and(|deadline| deadline > now + LEAST_LEFT);
        if same.is_none() && has_time && task.input == wanted.input {
            same = Some(task);
        } else {
            stage
                .client
                .cancel_task(&task.id, Some("the demo was started anew"))
                .await?;
        }
    }
    match same {
        Some(task) => Ok(task),
        None => stage.client.submit_task(&wanted).await,
    }
}

fn wanted(stage: &Stage<'_>, agents: &[Agent], deadline: Timestamp) -> NewTask {
    let document = &stage.subject.document;
    NewTask {
        kind: "question".to_owned(),
        input: json!({
            "prompt": stage.subject.question,
            "documents": [{ "name": document.name, "text": document.text }],
        }),
        strategy: Some(Strategy {
            name: "swarm".to_owned(),
            members: agents.iter().map(|agent| agent.id.clone()).collect(),
            rounds: None,
        }),
        deadline: Some(deadline),
        metadata: BTreeMap::from([(MARK.0.to_owned(), MARK.1.to_owned())]),
        ..NewTask::default()
    }
}

async fn left_open(stage: &Stage<'_>) -> Result<Vec<Task>> {
    // A set: a task may come up twice, since it goes on between the calls.
    let mut ids = BTreeSet::new();
    for state in [TaskState::Queued, TaskState::Running, TaskState::Waiting] {
        let tasks = stage
            .client
            .list_tasks(Some(state), None, &PageRequest::default())
            .await?;
        let ours = tasks
            .items
            .into_iter()
            .filter(|task| task.metadata.get(MARK.0).is_some_and(|by| by == MARK.1));
        ids.extend(ours.map(|task| task.id));
    }
    // A list leaves the texts of documents out.
    let tasks = ids.iter().map(|id| stage.client.get_task(id));
    let tasks = futures::future::try_join_all(tasks).await?;
    Ok(tasks
        .into_iter()
        .filter(|task| !task.state.has_ended())
        .collect())
}

/// Shows the task at work.
pub(super) async fn follow(
    stage: &Stage<'_>,
    agents: &[Agent],
    id: &str,
    leave: impl Future<Output = ()>,
) -> Result<Followed> {
    let mut follow = Follow::new(&stage.client, stage.screen, id, Names::of(agents));
    let end = match follow.until_end(leave).await {
        Ok(end) => end,
        Err(Broken::Call(error)) => return Err(error),
        Err(Broken::Output(error)) => {
            return Err(Error::unavailable("the live view cannot be shown").with_source(error));
        }
    };
    let first_token = follow
        .first_token()
        .map(|at: Instant| at.duration_since(stage.begun));
    Ok(Followed { end, first_token })
}
