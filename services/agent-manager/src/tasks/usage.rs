//! Tokens and calls.

use serde::{Deserialize, Serialize};

/// What a step, or a task with its sub-tasks, used of models and tools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// Of those read, the ones that were not computed again because a prefix was shared.
    pub cached_tokens: u64,
    /// Calls of models.
    pub model_calls: u64,
    /// Calls of tools.
    pub tool_calls: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_tokens += other.cached_tokens;
        self.model_calls += other.model_calls;
        self.tool_calls += other.tool_calls;
    }
}
