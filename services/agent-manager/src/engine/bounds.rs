//! The bounds of a task's history. What passes them fails with the name of the setting.

use std::io;

use serde_json::Value;
use swarm_errors::{Code, Error, Result};

use super::Engine;

impl Engine {
    /// Refuses a text that is larger than a journal entry may be.
    pub(super) fn check_size(&self, what: &str, value: &Value) -> Result<()> {
        let most = self.config.max_step_bytes;
        let bytes = json_bytes(value)?;
        if bytes <= most {
            return Ok(());
        }
        let words = format!("{what} has {bytes} bytes, more than agent_manager.max_step_bytes");
        Err(Error::new(
            Code::TooLarge,
            format!("{words} allows ({most})"),
        ))
    }

    /// The value, unless it is too large.
    pub(super) fn within_bounds(&self, what: &str, value: Value) -> Result<Value> {
        self.check_size(what, &value)?;
        Ok(value)
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

/// The length of the value's JSON, without writing it anywhere.
fn json_bytes(value: &Value) -> Result<usize> {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_err(Error::internal)?;
    Ok(count.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_those_of_the_text() {
        for value in [
            json!(null),
            json!({"a": ["ä\n", 1.5, {}]}),
            json!("x".repeat(99)),
        ] {
            assert_eq!(json_bytes(&value).unwrap(), value.to_string().len());
        }
    }
}
