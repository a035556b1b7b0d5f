//! Schedules.

use reqwest::Method;
use serde_json::json;
use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Client, NewSchedule, Schedule, Task};

impl Client {
    /// Creates a schedule, which ticks from now on.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn create_schedule(&self, schedule: &NewSchedule) -> Result<Schedule> {
        self.fetch(Call::post(&["schedules"], schedule)?).await
    }

    /// The schedules, or the one of this name.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_schedules(
        &self,
        name: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Schedule>> {
        let call = Call::get(&["schedules"]).query("name", name);
        self.fetch(paged(call, page)).await
    }

    /// The schedule, with what became of its last ticks.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn get_schedule(&self, id: &str) -> Result<Schedule> {
        self.fetch(Call::get(&["schedules", id])).await
    }

    /// It does not tick until it is resumed.
    ///
    /// # Errors
    /// When it has ended or the server cannot be reached.
    pub async fn pause_schedule(&self, id: &str) -> Result<Schedule> {
        self.fetch(Call::new(Method::POST, &["schedules", id, "pause"]))
            .await
    }

    /// It ticks again, from now on.
    ///
    /// # Errors
    /// When it has ended or the server cannot be reached.
    pub async fn resume_schedule(&self, id: &str) -> Result<Schedule> {
        self.fetch(Call::new(Method::POST, &["schedules", id, "resume"]))
            .await
    }

    /// Makes its task now, beside its ticks.
    ///
    /// # Errors
    /// When there is no such schedule or the server cannot be reached.
    pub async fn run_schedule(&self, id: &str) -> Result<Task> {
        self.fetch(Call::post(&["schedules", id, "run"], &json!({}))?)
            .await
    }

    /// Deletes it. What it has made goes on.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn delete_schedule(&self, id: &str) -> Result<()> {
        self.run(Call::new(Method::DELETE, &["schedules", id]))
            .await
    }
}
