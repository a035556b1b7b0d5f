//! Follows a task on the screen until it ends or somebody presses Ctrl-C.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt;
use swarm_client::{Client, Event, Watched};
use swarm_errors::Error;

use crate::console::{Line, Screen, Style};
use crate::live::{Live, Names};

/// Tokens come faster than an eye reads: the block is drawn again after this time.
const REDRAW: Duration = Duration::from_millis(60);

/// How following ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The task has ended.
    Ended,
    /// The one who looks on has seen enough.
    Left,
}

/// What came between a watcher and the end.
#[derive(Debug)]
pub enum Broken {
    /// The stream.
    Call(Error),
    /// The screen.
    Output(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// A task on the screen.
#[derive(Debug)]
pub struct Follow<'a> {
    client: &'a Client,
    screen: Screen,
    live: Live,
    task: String,
    drawn: Vec<usize>,
    first_token: Option<Instant>,
}

impl<'a> Follow<'a> {
    /// Follows the task `id` with all below it.
    #[must_use]
    pub fn new(client: &'a Client, screen: Screen, id: &str, names: Names) -> Self {
        Self {
            client,
            screen,
            live: Live::new(id, names),
            task: id.to_owned(),
            drawn: Vec::new(),
            first_token: None,
        }
    }

    /// Shows everything from the start of the task to its end, or until `leave` is ready.
    ///
    /// # Errors
    /// When the server refuses or is away for long, or the screen is gone.
    pub async fn until_end(&mut self, leave: impl Future<Output = ()>) -> Result<End, Broken> {
        let mut events = pin!(
            self.client
                .watch(&format!("tasks/{}/tree", self.task), None)
        );
        let mut leave = pin!(leave);
        let mut redraw = tokio::time::interval(REDRAW);
        redraw.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_stale = false;
        let end = loop {
            tokio::select! {
                biased;
                () = &mut leave => break Ok(End::Left),
                next = events.next() => match next {
                    None => break Ok(End::Ended),
                    Some(Ok(Watched::Event(update))) => is_stale |= !self.take(&update.event)?,
                    Some(Ok(Watched::Gap { .. })) => self.log(&[Line::new().with(Style::Warn, "earlier events are no longer kept")])?,
                    Some(Err(error)) => break Err(Broken::Call(error)),
                },
                _ = redraw.tick(), if is_stale => {
                    self.log(&[])?;
                    is_stale = false;
                }
            }
        };
        self.clear()?;
        end
    }

    /// When the first piece of a model's words arrived.
    #[must_use]
    pub const fn first_token(&self) -> Option<Instant> {
        self.first_token
    }

    /// Takes an event in. What it logs is shown at once; else the block is stale.
    fn take(&mut self, event: &Event) -> std::io::Result<bool> {
        if event.kind == "token" {
            self.first_token.get_or_insert_with(Instant::now);
        }
        let lines = self.live.take(event, self.screen.columns());
        if lines.is_empty() {
            return Ok(false);
        }
        self.log(&lines)?;
        Ok(true)
    }

    /// Puts lines to the log, and the block below them.
    fn log(&mut self, lines: &[Line]) -> std::io::Result<()> {
        let (columns, rows) = self.screen.size();
        let block = if self.screen.is_terminal {
            self.live.block(columns, rows)
        } else {
            Vec::new()
        };
        let text: String = lines
            .iter()
            .chain(&block)
            .map(|line| self.screen.render(line) + "\n")
            .collect();
        let text = self.erased(columns) + &text;
        self.drawn = block.iter().map(Line::width).collect();
        self.screen.write(&text)
    }

    fn clear(&mut self) -> std::io::Result<()> {
        let text = self.erased(self.screen.columns());
        self.drawn.clear();
        self.screen.write(&text)
    }

    /// The codes that take the block away: up by its rows, then clear to the end. Rows that became
    /// two because the terminal was made narrower are counted as two.
    fn erased(&self, columns: usize) -> String {
        let rows: usize = self
            .drawn
            .iter()
            .map(|width| width.div_ceil(columns).max(1))
            .sum();
        if rows == 0 {
            String::new()
        } else {
            format!("\x1b[{rows}A\r\x1b[J")
        }
    }
}
