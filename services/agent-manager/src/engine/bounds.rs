//! The bounds of a task's history. What passes them fails with the name of the setting.

use serde::Serialize;
use swarm_database::JsonText;
use swarm_errors::{Code, Error, Result};

use super::Engine;

impl Engine {
    /// The value's JSON, unless it is larger than a journal entry may be.
    pub(super) fn within_bounds<T: Serialize + ?Sized>(
        &self,
        what: &str,
        value: &T,
    ) -> Result<JsonText> {
        let most = self.config.max_step_bytes;
        let text = JsonText::of(value)?;
        let bytes = text.get().len();
        if bytes <= most {
            return Ok(text);
        }
        let words = format!("{what} has {bytes} bytes, more than agent_manager.max_step_bytes");
        Err(Error::new(
            Code::TooLarge,
            format!("{words} allows ({most})"),
        ))
    }

    /// Refuses one step too many.
    pub(super) fn check_count(&self, steps: i64) -> Result<()> {
        let most = self.config.max_steps;
        if steps <= i64::from(most) {
            return Ok(());
        }
        let words = format!("the task has {most} steps, as many as agent_manager.max_steps allows");
        Err(Error::new(Code::FailedPrecondition, words))
    }
}
