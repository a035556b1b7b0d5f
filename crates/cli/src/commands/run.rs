//! `run`: a task from the command line.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use swarm_client::{NewTask, RetryPolicy, Strategy, Task, TaskState};
use tokio::signal::unix::{SignalKind, signal};

use super::{Session, watch};
use crate::arguments::{Output, Run, Strategy as Named};
use crate::console::{Line, Style, clean, hang};
use crate::failure::Failure;
use crate::follow::{Broken, End, Follow};
use crate::program::program;
use crate::views;

/// How long one request waits for the end; then it is made again.
const WAIT: Duration = Duration::from_secs(30);
/// What all files may hold together, as the server has it.
const MAX_BYTES: u64 = 1024 * 1024;

pub(super) async fn run(session: &Session, arguments: Run) -> Result<(), Failure> {
    let new = new_task(session, &arguments).await?;
    let task = session.call(session.connection.client.submit_task(&new).await)?;
    if arguments.follow {
        follow(session, &task.id).await?;
    } else if arguments.wait {
        said_on_error(&format!("{} was submitted", task.id))?;
    } else {
        return session.show(&task, |columns| {
            on_its_way(&task.id, "was submitted", columns)
        });
    }
    let task = end(session, &task.id).await?;
    show_end(session, &task)
}

async fn new_task(session: &Session, arguments: &Run) -> Result<NewTask, Failure> {
    let documents = documents(&arguments.files)?;
    let mut members = Vec::new();
    for named in &arguments.agents {
        members.push(session.agent_id("--agent", named).await?);
    }
    let named = arguments.strategy.unwrap_or(if documents.is_empty() {
        Named::Single
    } else {
        Named::Swarm
    });
    if named == Named::Single && members.len() > 1 {
        return Err(Failure::usage(
            "--agent",
            "may be given once with --strategy single: one agent does it all",
        ));
    }
    let mut input = json!({ "prompt": arguments.prompt });
    if !documents.is_empty() {
        input["documents"] = Value::from(documents);
    }
    let agent_id = if named == Named::Single {
        members.pop()
    } else {
        None
    };
    let strategy = Strategy {
        name: named.as_str().to_owned(),
        members,
        rounds: arguments.rounds,
    };
    Ok(NewTask {
        kind: arguments.kind.clone(),
        input,
        agent_id,
        strategy: Some(strategy),
        depends_on: arguments.after.clone(),
        not_before: arguments.at,
        retry: arguments.retry.map(|attempts| RetryPolicy {
            max_attempts: Some(attempts),
            ..RetryPolicy::default()
        }),
        ..NewTask::default()
    })
}

fn documents(files: &[std::path::PathBuf]) -> Result<Vec<Value>, Failure> {
    let mut left = MAX_BYTES;
    files
        .iter()
        .map(|path| {
            let text = document(path, left)?;
            left -= text.len() as u64;
            Ok(json!({ "name": path.display().to_string(), "text": text }))
        })
        .collect()
}

fn document(path: &Path, left: u64) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::usage("--file", format!("{} {why}", path.display()));
    let size = std::fs::metadata(path)
        .map_err(|error| wrong(&format!("cannot be read: {error}")))?
        .len();
    if size > left {
        return Err(wrong("is too large: all files may hold 1 MiB together"));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > left {
        return Err(wrong("is too large: all files may hold 1 MiB together"));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not text in UTF-8"))?;
    if text.trim().is_empty() {
        return Err(wrong("is empty"));
    }
    Ok(text)
}

/// Shows the task at work; Ctrl-C leaves it alone and says how to come back.
pub(super) async fn follow(session: &Session, id: &str) -> Result<(), Failure> {
    if session.output == Output::Json {
        return watch::json_lines(session, &format!("tasks/{id}/tree")).await;
    }
    let names = session.names().await;
    let mut follow = Follow::new(&session.connection.client, session.screen, id, names);
    let leave = async { drop(tokio::signal::ctrl_c().await) };
    match follow.until_end(leave).await {
        Ok(End::Ended) => Ok(()),
        Ok(End::Left) => left(session, id),
        Err(Broken::Call(error)) => Err(session.connection.failed(error)),
        Err(Broken::Output(error)) => Err(error.into()),
    }
}

fn left(session: &Session, id: &str) -> Result<(), Failure> {
    let (columns, program) = (session.screen.columns(), program());
    let mut lines = hang(
        Line::new(),
        Style::Plain,
        &format!("You left {id}; it goes on."),
        columns,
    );
    lines.extend(ways(&[
        ("see it again", &format!("{program} tasks watch {id}")),
        ("end it", &format!("{program} tasks cancel {id}")),
    ]));
    session.screen.print(&lines)?;
    Err(Failure::Interrupted)
}

/// What became of a task just now, and how to go on.
pub(super) fn on_its_way(id: &str, what: &str, columns: usize) -> Vec<Line> {
    let program = program();
    let mut lines = hang(Line::new(), Style::Plain, &format!("{id} {what}."), columns);
    let follow = format!("{program} tasks watch {id}");
    lines.extend(ways(&[
        ("see it at work", &follow),
        ("see the answer", &format!("{program} tasks show {id}")),
    ]));
    lines
}

/// Commands to go on with, whole, so that they can be copied.
fn ways(all: &[(&str, &str)]) -> Vec<Line> {
    let width = all.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    all.iter()
        .map(|(what, command)| {
            Line::new()
                .with(Style::Dim, format!("  {what:width$}  "))
                .plain(*command)
        })
        .collect()
}

/// Waits for the end, as long as it takes.
async fn end(session: &Session, id: &str) -> Result<Task, Failure> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    loop {
        let task = tokio::select! {
            answer = session.connection.client.task_result(id, WAIT) => session.call(answer)?,
            Some(()) = interrupted.recv() => {
                let program = program();
                said_on_error(&format!("{id} goes on; see its end with: {program} tasks show {id}"))?;
                return Err(Failure::Interrupted);
            }
        };
        if task.state.has_ended() {
            return Ok(task);
        }
    }
}

pub(super) fn show_end(session: &Session, task: &Task) -> Result<(), Failure> {
    let program = program();
    session.show(task, |columns| {
        let mut lines = Vec::new();
        if session.screen.is_terminal {
            lines.push(Line::new());
        }
        lines.extend(outcome(task, columns));
        lines.push(Line::new());
        lines.push(Line::new().with(
            Style::Dim,
            format!(
                "{}  more: {program} tasks show {}",
                clean(&task.id),
                clean(&task.id)
            ),
        ));
        lines
    })?;
    if task.state == TaskState::Completed {
        Ok(())
    } else {
        Err(Failure::Task)
    }
}

/// The answer, or why there is none.
pub(super) fn outcome(task: &Task, columns: usize) -> Vec<Line> {
    match (&task.result, &task.error) {
        (Some(result), _) => views::answer(result, columns),
        (None, Some(error)) => hang(
            Line::new(),
            Style::Bad,
            &clean(&format!("The task failed: {}", error.detail)),
            columns,
        ),
        (None, None) => vec![Line::new().with(Style::Warn, format!("The task is {}.", task.state))],
    }
}

/// For people who wait, apart from the result.
fn said_on_error(words: &str) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stderr(), "{words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_documents_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let half = vec![b'x'; 600 * 1024];
        let (one, two) = (path("one", &half), path("two", &half));
        assert_eq!(documents(std::slice::from_ref(&one)).unwrap().len(), 1);
        for (files, why) in [
            (vec![folder.path().join("none")], "cannot be read"),
            (vec![folder.path().to_owned()], "cannot be read"),
            (vec![path("empty", b" \n")], "is empty"),
            (vec![path("binary", &[0xff, 0xfe])], "UTF-8"),
            (vec![one, two], "1 MiB together"),
        ] {
            let failure = documents(&files).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(
                failure.to_string().starts_with("--file: ") && failure.to_string().contains(why),
                "{failure}"
            );
        }
    }
}
