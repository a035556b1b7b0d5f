//! One message.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, MessageId, StepId, TaskId, TenantId, Timestamp};

use crate::tasks::{has_nul, words};

/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_SUBJECT: usize = 200;

words! {
    /// Whether a message was taken up.
    MessageState {
        /// Waits for its receiver.
        Pending = "pending",
        /// Was taken up, once.
        Consumed = "consumed",
    }
}

/// A message that a step sends: see [`crate::journal::StepDone::send`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Who sends it; none for a person.
    pub from: Option<AgentId>,
    /// Who gets it.
    pub to: AgentId,
    /// One line.
    pub subject: String,
    /// What it says.
    pub body: String,
}

impl NewMessage {
    /// Checks lengths and characters.
    ///
    /// # Errors
    /// `invalid_argument` that names the field.
    pub fn check(&self) -> Result<()> {
        if self.subject.chars().count() > MAX_SUBJECT || has_nul(&self.subject) {
            let message = format!("must have at most {MAX_SUBJECT} characters, without U+0000");
            return Err(Error::invalid("subject", message));
        }
        if self.body.is_empty() {
            return Err(Error::invalid("body", "must not be empty"));
        }
        if self.body.len() > MAX_BODY_BYTES {
            return Err(Error::invalid("body", "must be at most 64 KiB"));
        }
        if has_nul(&self.body) {
            return Err(Error::invalid("body", "must not hold the character U+0000"));
        }
        Ok(())
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id; ids sort as the messages were sent.
    pub id: MessageId,
    /// Who sent it; none for a person.
    pub from: Option<AgentId>,
    /// Who gets it.
    pub to: AgentId,
    /// The task within which it was sent.
    pub task: Option<TaskId>,
    /// That task's root.
    pub root: Option<TaskId>,
    /// One line.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Whether it was taken up.
    pub state: MessageState,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was taken up.
    pub consumed_at: Option<Timestamp>,
    /// The step that took it up; none when it was acknowledged from outside.
    pub consumed_by: Option<StepId>,
}
