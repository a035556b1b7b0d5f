//! The states of a task and the ways between them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$word,)*];

            /// The word on the wire and in the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|word| word.as_str() == text)
                    .ok_or_else(|| format!("must be one of {}", [$($text,)*].join(", ")))
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Where a task stands.
    TaskState {
        /// Waits for a worker.
        Queued = "queued",
        /// Is held by a worker which waits for something, or by none and waits for the tasks before
        /// it; the reason says for what.
        Waiting = "waiting",
        /// A worker is at it.
        Running = "running",
        /// A person must say yes or no.
        AwaitingApproval = "awaiting_approval",
        /// Ended with a result.
        Completed = "completed",
        /// Ended with an error that a repeat would not mend, or at its deadline.
        Failed = "failed",
        /// Ended by a cancel.
        Cancelled = "cancelled",
        /// Ended because its retries are used up.
        DeadLettered = "dead_lettered",
    }
}

words! {
    /// What a waiting task waits for.
    WaitingReason {
        /// Room in a budget.
        Budget = "budget",
        /// The consensus service.
        Consensus = "consensus",
        /// A message.
        Message = "message",
        /// A moment.
        Timer = "timer",
        /// A model provider.
        Provider = "provider",
        /// A task that goes before.
        Dependency = "dependency",
        /// Its sub-tasks.
        SubTasks = "sub_tasks",
    }
}

impl TaskState {
    /// Whether nothing more happens to the task, unless somebody retries it.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Cancelled | Self::DeadLettered
        )
    }

    /// Whether a worker holds the task.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Running | Self::Waiting)
    }

    /// Whether the task may go from here to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(
                next,
                Self::Running | Self::Waiting | Self::Failed | Self::Cancelled | Self::DeadLettered
            ),
            // Back to the queue when its worker is lost or hands it over.
            Self::Running => !matches!(next, Self::Running),
            Self::Waiting => matches!(
                next,
                Self::Running | Self::Queued | Self::Failed | Self::Cancelled
            ),
            Self::AwaitingApproval => matches!(
                next,
                Self::Queued | Self::Running | Self::Failed | Self::Cancelled
            ),
            // By a retry: of the task, or of the one above with whose end it was cancelled.
            Self::Failed | Self::Cancelled | Self::DeadLettered => matches!(next, Self::Queued),
            Self::Completed => false,
        }
    }

    /// The type of the event that says so.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::Queued => "task.queued",
            Self::Waiting => "task.waiting",
            Self::Running => "task.started",
            Self::AwaitingApproval => "task.awaiting_approval",
            Self::Completed => "task.completed",
            Self::Failed => "task.failed",
            Self::Cancelled => "task.cancelled",
            Self::DeadLettered => "task.dead_lettered",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The whole table, written out: from, then all that may follow.
    #[test]
    fn the_ways_between_states_are_these() {
        use TaskState::{
            AwaitingApproval, Cancelled, Completed, DeadLettered, Failed, Queued, Running, Waiting,
        };
        let ways: &[(TaskState, &[TaskState])] = &[
            (Queued, &[Waiting, Running, Failed, Cancelled, DeadLettered]),
            (Waiting, &[Queued, Running, Failed, Cancelled]),
            (
                Running,
                &[
                    Queued,
                    Waiting,
                    AwaitingApproval,
                    Completed,
                    Failed,
                    Cancelled,
                    DeadLettered,
                ],
            ),
            (AwaitingApproval, &[Queued, Running, Failed, Cancelled]),
            (Completed, &[]),
            (Failed, &[Queued]),
            (Cancelled, &[Queued]),
            (DeadLettered, &[Queued]),
        ];
        assert_eq!(ways.len(), TaskState::ALL.len());
        for (from, all) in ways {
            let found: Vec<TaskState> = TaskState::ALL
                .iter()
                .copied()
                .filter(|next| from.may_become(*next))
                .collect();
            assert_eq!(&found, all, "{from}");
            let only_by_retry = all.iter().all(|next| *next == Queued);
            assert_eq!(from.is_terminal(), only_by_retry, "{from}");
        }
    }

    #[test]
    fn every_state_that_has_not_ended_can_be_cancelled_and_can_fail() {
        for state in TaskState::ALL.iter().filter(|state| !state.is_terminal()) {
            assert!(
                state.may_become(TaskState::Cancelled) && state.may_become(TaskState::Failed),
                "{state}"
            );
        }
    }

    #[test]
    fn words_come_back_as_the_same_state() {
        for state in TaskState::ALL {
            assert_eq!(state.as_str().parse::<TaskState>().unwrap(), *state);
            assert_eq!(
                serde_json::to_string(state).unwrap(),
                format!("\"{state}\"")
            );
        }
        assert!(
            "done"
                .parse::<WaitingReason>()
                .unwrap_err()
                .contains("sub_tasks")
        );
    }
}
