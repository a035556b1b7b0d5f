//! `top`: the work of the moment on the screen, again and again until somebody leaves.

mod frame;
mod full_screen;

use std::time::{Duration, Instant};

use swarm_client::{Client, Overview};
use swarm_errors::{Code, Error, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Output, Top};
use crate::commands::Session;
use crate::failure::Failure;
use frame::{Frame, Outage};
use full_screen::FullScreen;

/// A server that does not answer for this long is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a server that is away is asked, and how often the screen says for how long.
const AWAY: Duration = Duration::from_secs(1);

pub(crate) async fn top(session: &Session, arguments: Top) -> Result<(), Failure> {
    let client = &session.connection.client;
    let first = session.call(ask(client).await)?;
    if arguments.once {
        let frame = Frame::of(&first, None);
        return session.show(&first, |columns| frame.lines(columns, usize::MAX));
    }
    let every = Duration::from_secs(arguments.every);
    if session.output == Output::Table && session.screen.is_terminal {
        on_terminal(session, first, every).await
    } else {
        into_pipe(session, first, every).await
    }
}

async fn ask(client: &Client) -> Result<Overview> {
    match tokio::time::timeout(PATIENCE, client.overview()).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::new(
            Code::DeadlineExceeded,
            "the server does not answer",
        )),
    }
}

async fn after(pause: Duration, client: &Client) -> Result<Overview> {
    tokio::time::sleep(pause).await;
    ask(client).await
}

/// What is shown: the newest overview, and whether the server is away since.
struct View {
    overview: Overview,
    outage: Option<(Instant, String)>,
}

impl View {
    /// Takes an answer in. What will not mend by itself ends the view.
    fn take(&mut self, answer: Result<Overview>) -> Result<()> {
        match answer {
            Ok(overview) => {
                self.overview = overview;
                self.outage = None;
            }
            Err(error) if error.code().is_transient() => {
                let since = self
                    .outage
                    .as_ref()
                    .map_or_else(Instant::now, |(since, _)| *since);
                self.outage = Some((since, error.detail().to_owned()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn pause(&self, every: Duration) -> Duration {
        if self.outage.is_some() { AWAY } else { every }
    }

    fn frame(&self) -> Frame<'_> {
        let outage = self.outage.as_ref().map(|(since, why)| Outage {
            length: since.elapsed(),
            why,
        });
        Frame::of(&self.overview, outage)
    }
}

async fn on_terminal(session: &Session, first: Overview, every: Duration) -> Result<(), Failure> {
    // Listened to before the terminal is ours, and also while it is drawn: none is missed.
    let (mut resized, mut interrupted, mut ended) = (
        signal(SignalKind::window_change())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let mut terminal = FullScreen::enter(session.screen)?;
    let mut view = View {
        overview: first,
        outage: None,
    };
    let client = &session.connection.client;
    loop {
        let next = after(view.pause(every), client);
        let mut next = std::pin::pin!(next);
        let answer = loop {
            let (columns, rows) = session.screen.size();
            // A full line would make some terminals go on to the next one.
            terminal.draw(&view.frame().lines(columns - 1, rows))?;
            tokio::select! {
                answer = &mut next => break answer,
                Some(()) = resized.recv() => {}
                Some(()) = ended.recv() => return Ok(()),
                Some(()) = interrupted.recv() => return Err(Failure::Interrupted),
                Some(key) = terminal.key() => if matches!(key, b'q' | b'Q') { return Ok(()) },
            }
        };
        session.call(view.take(answer))?;
    }
}

/// One snapshot below the other; programs get one a line.
async fn into_pipe(session: &Session, first: Overview, every: Duration) -> Result<(), Failure> {
    let (mut interrupted, mut ended) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let client = &session.connection.client;
    let mut view = View {
        overview: first,
        outage: None,
    };
    loop {
        if view.outage.is_none() {
            print(session, &view)?;
        }
        let was_away = view.outage.is_some();
        let answer = tokio::select! {
            answer = after(view.pause(every), client) => answer,
            Some(()) = ended.recv() => return Ok(()),
            Some(()) = interrupted.recv() => return Err(Failure::Interrupted),
        };
        session.call(view.take(answer))?;
        if let (false, Some((_, why))) = (was_away, &view.outage) {
            use std::io::Write;
            writeln!(std::io::stderr(), "reconnecting: {why}")?;
        }
    }
}

fn print(session: &Session, view: &View) -> Result<(), Failure> {
    match session.output {
        Output::Json => {
            let line = serde_json::to_string(&view.overview)
                .map_err(|error| Failure::Refused(Error::internal(error)))?;
            Ok(session.screen.write(&(line + "\n"))?)
        }
        Output::Table => {
            let mut lines = view.frame().lines(session.screen.columns(), usize::MAX);
            lines.push(crate::console::Line::new());
            Ok(session.screen.print(&lines)?)
        }
    }
}

#[cfg(test)]
mod tests;
