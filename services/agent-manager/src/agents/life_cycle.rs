//! The life cycle of an agent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swarm_errors::{Code, Error, Result};

use crate::tasks::words;

words! {
    /// Where an agent stands. `Busy` is never stored: it is an idle agent that works on something.
    AgentState {
        /// Is being made ready.
        Starting = "starting",
        /// Takes work.
        Idle = "idle",
        /// Works, and takes more while it has room.
        Busy = "busy",
        /// Takes no new work until it is resumed.
        Paused = "paused",
        /// Finishes what it does, then stops.
        Draining = "draining",
        /// Cannot work; the reason says why.
        Failed = "failed",
        /// Ended for good; its history stays.
        Stopped = "stopped",
    }
}

words! {
    /// What can be asked of an agent.
    Command {
        /// Take no new work.
        Pause = "pause",
        /// Take work again.
        Resume = "resume",
        /// Finish, then stop.
        Drain = "drain",
        /// Stop for good.
        Delete = "delete",
    }
}

impl AgentState {
    /// Whether it takes work, room given.
    #[must_use]
    pub const fn takes_work(self) -> bool {
        matches!(self, Self::Idle | Self::Busy)
    }

    /// Whether it will never take work again.
    #[must_use]
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Draining | Self::Stopped)
    }

    /// The state as people see it, given how much it works on.
    #[must_use]
    pub const fn shown(self, running: u32) -> Self {
        match self {
            Self::Idle if running > 0 => Self::Busy,
            state => state,
        }
    }

    /// The state after a command, given how much the agent works on.
    ///
    /// # Errors
    /// `failed_precondition` when the command makes no sense in this state.
    pub fn after(self, command: Command, running: u32) -> Result<Self> {
        let next = match (self, command) {
            (Self::Stopped, Command::Delete) | (_, Command::Delete) => Some(Self::Stopped),
            (Self::Starting | Self::Idle | Self::Busy | Self::Paused, Command::Pause) => {
                Some(Self::Paused)
            }
            (Self::Paused | Self::Failed | Self::Idle | Self::Busy, Command::Resume) => {
                Some(Self::Idle)
            }
            (
                Self::Starting
                | Self::Idle
                | Self::Busy
                | Self::Paused
                | Self::Failed
                | Self::Draining,
                Command::Drain,
            ) => Some(if running == 0 {
                Self::Stopped
            } else {
                Self::Draining
            }),
            _ => None,
        };
        next.ok_or_else(|| {
            Error::new(
                Code::FailedPrecondition,
                format!("an agent that is {self} cannot {command}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_life_cycle_is_this_table() {
        use AgentState::{Busy, Draining, Failed, Idle, Paused, Starting, Stopped};
        // Pause, resume, drain without and with work, delete.
        let table = [
            (
                Starting,
                [
                    Some(Paused),
                    None,
                    Some(Stopped),
                    Some(Draining),
                    Some(Stopped),
                ],
            ),
            (
                Idle,
                [
                    Some(Paused),
                    Some(Idle),
                    Some(Stopped),
                    Some(Draining),
                    Some(Stopped),
                ],
            ),
            (
                Busy,
                [
                    Some(Paused),
                    Some(Idle),
                    Some(Stopped),
                    Some(Draining),
                    Some(Stopped),
                ],
            ),
            (
                Paused,
                [
                    Some(Paused),
                    Some(Idle),
                    Some(Stopped),
                    Some(Draining),
                    Some(Stopped),
                ],
            ),
            (
                Draining,
                [None, None, Some(Stopped), Some(Draining), Some(Stopped)],
            ),
            (
                Failed,
                [
                    None,
                    Some(Idle),
                    Some(Stopped),
                    Some(Draining),
                    Some(Stopped),
                ],
            ),
            (Stopped, [None, None, None, None, Some(Stopped)]),
        ];
        assert_eq!(table.len(), AgentState::ALL.len());
        for (state, [pause, resume, drained, draining, deleted]) in table {
            let after = |command, running| state.after(command, running).ok();
            assert_eq!(after(Command::Pause, 0), pause, "{state}");
            assert_eq!(after(Command::Resume, 0), resume, "{state}");
            assert_eq!(after(Command::Drain, 0), drained, "{state}");
            assert_eq!(after(Command::Drain, 2), draining, "{state}");
            assert_eq!(after(Command::Delete, 1), deleted, "{state}");
        }
    }

    #[test]
    fn only_an_idle_agent_is_shown_as_busy() {
        assert_eq!(AgentState::Idle.shown(1), AgentState::Busy);
        assert_eq!(AgentState::Idle.shown(0), AgentState::Idle);
        assert_eq!(AgentState::Paused.shown(1), AgentState::Paused);
    }

    #[test]
    fn a_refusal_says_what_and_why() {
        let error = AgentState::Stopped.after(Command::Resume, 0).unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert_eq!(error.detail(), "an agent that is stopped cannot resume");
    }
}
