//! Tasks from a file, and tasks that are run again.

use std::path::Path;

use serde_json::Value;
use swarm_client::{Fork, Task};
use swarm_types::Timestamp;

use super::{Session, run};
use crate::batch_file;
use crate::console::{Line, Style};
use crate::failure::Failure;
use crate::program::program;
use crate::views;

/// Tasks in one file, all or none.
pub(super) async fn submit(
    session: &Session,
    file: &Path,
    key: Option<&str>,
) -> Result<(), Failure> {
    let wrong = |why: String| Failure::usage("--file", format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let tasks = batch_file::parse(&text).map_err(|error| wrong(error.detail().to_owned()))?;
    let client = &session.connection.client;
    let submitted = match key {
        Some(key) => client.submit_tasks_once(key, &tasks).await,
        None => client.submit_tasks(&tasks).await,
    };
    let submitted = session.call(submitted)?;
    session.show(&submitted, |columns| {
        let mut lines = views::tasks(&submitted, columns);
        let words = format!("{} were submitted; see them with: ", submitted.len());
        lines.push(Line::new());
        lines.push(
            Line::new()
                .with(Style::Dim, words)
                .plain(format!("{} tasks watch", program())),
        );
        lines
    })
}

/// One after the other; with several, the answers are a list.
pub(super) async fn retry(
    session: &Session,
    ids: &[String],
    deadline: Option<Timestamp>,
) -> Result<(), Failure> {
    let client = &session.connection.client;
    if let [id] = ids {
        let task = session.call(client.retry_task(id, deadline).await)?;
        return session.show(&task, |columns| {
            run::on_its_way(&task.id, "runs again", columns)
        });
    }
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        answers.push(session.call(client.retry_task(id, deadline).await));
    }
    session.each(ids, answers, |task: &Task| {
        format!("{} is {}", task.id, task.state)
    })
}

/// What a fork is made with.
#[derive(Debug)]
pub(super) struct Forking {
    pub(super) id: String,
    pub(super) step: Option<String>,
    pub(super) prompt: Option<String>,
}

pub(super) async fn fork(session: &Session, forking: Forking) -> Result<(), Failure> {
    let client = &session.connection.client;
    let (position, step_key) = match forking.step {
        None => (None, None),
        Some(step) => match step.parse() {
            Ok(position) => (Some(position), None),
            Err(_) => (None, Some(step)),
        },
    };
    let input = match forking.prompt {
        None => None,
        // The documents stay.
        Some(prompt) => {
            let mut input = session.call(client.get_task(&forking.id).await)?.input;
            input["prompt"] = Value::String(prompt);
            Some(input)
        }
    };
    let fork = Fork {
        step_key,
        position,
        input,
        deadline: None,
    };
    let task = session.call(client.fork_task(&forking.id, &fork).await)?;
    let words = format!("is a fork of {}", forking.id);
    session.show(&task, |columns| run::on_its_way(&task.id, &words, columns))
}
