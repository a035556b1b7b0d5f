//! `tasks watch`: events as they happen, of one task or of all.

use futures::StreamExt;
use swarm_client::{Event, Watched};
use swarm_errors::Error;
use tokio::signal::unix::{SignalKind, signal};

use super::{Session, run};
use crate::arguments::Output;
use crate::console::{Line, Style};
use crate::failure::Failure;
use crate::views;

pub(super) async fn watch(session: &Session, id: Option<&str>) -> Result<(), Failure> {
    match id {
        Some(id) => one(session, id).await,
        None if session.output == Output::Json => json_lines(session, "tasks").await,
        None => all(session).await,
    }
}

/// A task from its start to its end.
async fn one(session: &Session, id: &str) -> Result<(), Failure> {
    run::follow(session, id).await?;
    if session.output == Output::Json {
        return Ok(());
    }
    let task = session.call(session.connection.client.get_task(id).await)?;
    run::show_end(session, &task)
}

/// All tasks from now on, a line for each event.
async fn all(session: &Session) -> Result<(), Failure> {
    if session.screen.is_terminal {
        let words = "what happens from now on; Ctrl-C ends it";
        session
            .screen
            .print(&[Line::new().with(Style::Dim, words)])?;
    }
    each(session, "tasks", |event| {
        if event.ephemeral {
            return Ok(());
        }
        let line = views::event(event, session.screen.columns());
        Ok(session.screen.print(&[line])?)
    })
    .await
}

/// Every event of a topic as a line of JSON.
pub(super) async fn json_lines(session: &Session, topic: &str) -> Result<(), Failure> {
    each(session, topic, |event| {
        let line = serde_json::to_string(event)
            .map_err(|error| Failure::Refused(Error::internal(error)))?;
        Ok(session.screen.write(&(line + "\n"))?)
    })
    .await
}

/// Does something with every event of a topic until it ends or somebody presses Ctrl-C.
async fn each(
    session: &Session,
    topic: &str,
    mut show: impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // Listened to also while an event is shown.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut events = std::pin::pin!(session.connection.client.watch(topic, None));
    loop {
        let next = tokio::select! {
            next = events.next() => next,
            Some(()) = interrupted.recv() => return Err(Failure::Interrupted),
        };
        match next {
            None => return Ok(()),
            Some(Ok(Watched::Event(update))) => show(&update.event)?,
            Some(Ok(Watched::Gap { .. })) => {}
            Some(Err(error)) => return Err(session.connection.failed(error)),
        }
    }
}
