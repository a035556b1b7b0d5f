//! Feedback and what was learned.

use swarm_errors::Result;

use crate::client::Call;
use crate::{Client, NewFeedback, Policies};

impl Client {
    /// Rates a task that has ended.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn feedback(&self, feedback: &NewFeedback) -> Result<()> {
        self.run(Call::post(&["feedback"], feedback)?).await
    }

    /// What was learned, for one kind of task or all.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn policies(&self, kind: Option<&str>) -> Result<Policies> {
        self.fetch(Call::get(&["learning", "policies"]).query("kind", kind))
            .await
    }
}
