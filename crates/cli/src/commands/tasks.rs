//! `tasks`.

use swarm_client::{Event, Task};

use super::reruns::{self, Forking};
use super::{Session, run, watch};
use crate::arguments::Tasks;
use crate::console::{Column, Line, Style, Table};
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Tasks) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Tasks::List { state, page } => {
            let state = state.map(|state| named_state(&state)).transpose()?;
            let tasks = session.call(client.list_tasks(state, None, &page.into()).await)?;
            session.page(&tasks, "tasks", views::tasks)
        }
        Tasks::Show { id } => show(session, &id).await,
        Tasks::Submit { file, key } => reruns::submit(session, &file, key.as_deref()).await,
        Tasks::Retry { ids, deadline } => reruns::retry(session, &ids, deadline).await,
        Tasks::Fork { id, step, prompt } => {
            reruns::fork(session, Forking { id, step, prompt }).await
        }
        Tasks::Watch { id } => watch::watch(session, id.as_deref()).await,
        Tasks::Cancel { ids, reason } => cancel(session, &ids, reason.as_deref()).await,
        Tasks::Events { id, page } => {
            let events = session.call(client.task_events(&id, &page.into()).await)?;
            session.page(&events, "events", table)
        }
    }
}

/// A task's tree, and its answer.
pub(super) async fn show(session: &Session, id: &str) -> Result<(), Failure> {
    let tree = session.call(session.connection.client.task_tree(id).await)?;
    let names = session.names().await;
    session.show(&tree, |columns| {
        let mut lines = views::task_tree(&tree, &names, columns);
        if tree.task.state.has_ended() && tree.task.error.is_none() {
            lines.push(Line::new());
            lines.extend(run::outcome(&tree.task, columns));
        }
        lines
    })
}

/// One after the other; with several, the answers are a list.
async fn cancel(session: &Session, ids: &[String], reason: Option<&str>) -> Result<(), Failure> {
    let client = &session.connection.client;
    if let [id] = ids {
        let task = session.call(client.cancel_task(id, reason).await)?;
        return session.done(&task, &is_now(&task));
    }
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        answers.push(session.call(client.cancel_task(id, reason).await));
    }
    session.each(ids, answers, is_now)
}

fn is_now(task: &Task) -> String {
    format!("{} is {}", task.id, task.state)
}

fn named_state(text: &str) -> Result<swarm_client::TaskState, Failure> {
    use swarm_client::TaskState;
    let state: TaskState =
        serde_json::from_value(text.replace('-', "_").into()).unwrap_or(TaskState::Unknown);
    if state == TaskState::Unknown {
        let words = "must be queued, waiting, running, awaiting_approval, completed, failed, cancelled or dead_lettered";
        return Err(Failure::usage("--state", words));
    }
    Ok(state)
}

fn table(events: &[Event], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::number("SEQ"),
        Column::new("TIME (UTC)"),
        Column::new("EVENT"),
        Column::clipped("DATA"),
    ]);
    for event in events {
        let seq = event.seq.map(|seq| seq.to_string()).unwrap_or_default();
        let time = event
            .at
            .map(|at| at.format("%H:%M:%S%.3f").to_string())
            .unwrap_or_default();
        let data = if event.data.is_null() {
            String::new()
        } else {
            event.data.to_string()
        };
        table.styled([
            (Style::Dim, seq),
            (Style::Dim, time),
            (Style::Plain, event.kind.clone()),
            (Style::Dim, data),
        ]);
    }
    table.lines(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_by_name() {
        assert_eq!(
            named_state("dead-lettered").unwrap(),
            swarm_client::TaskState::DeadLettered
        );
        let failure = named_state("happy").unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().starts_with("--state: "), "{failure}");
    }
}
