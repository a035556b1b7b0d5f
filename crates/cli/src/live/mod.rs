//! The live view: events of a task in, lines out. Pure.
//!
//! What happened becomes log lines, the same on a terminal and in a pipe. What is going on becomes
//! a small block: a line for each agent with what it does, and the open ballot as it fills. A
//! terminal draws the block in place below the log; a pipe leaves it out.

mod ballot;
mod block;
mod log;
mod names;
mod said;
mod state;

pub use names::Names;

use swarm_client::Event;

use crate::console::Line;
use state::State;

/// The view of one task and its sub-tasks.
#[derive(Debug)]
pub struct Live {
    state: State,
    has_ended: bool,
}

impl Live {
    /// The view of the task `root`.
    #[must_use]
    pub fn new(root: &str, names: Names) -> Self {
        Self {
            state: State::new(root, names),
            has_ended: false,
        }
    }

    /// Takes an event in and says what to log.
    pub fn take(&mut self, event: &Event, columns: usize) -> Vec<Line> {
        let lines = log::lines(&mut self.state, event, columns);
        self.state.take(event);
        self.has_ended |= event.task_id == self.state.root && said::is_end(&event.kind);
        lines
    }

    /// What is going on now; nothing once the task has ended.
    #[must_use]
    pub fn block(&self, columns: usize, rows: usize) -> Vec<Line> {
        if self.has_ended {
            Vec::new()
        } else {
            block::lines(&self.state, columns, rows)
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.has_ended
    }
}

#[cfg(test)]
mod tests;
