//! Messages.

use reqwest::Method;
use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Client, Message, NewMessage};

impl Client {
    /// Sends a message to an agent.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn send_message(&self, message: &NewMessage) -> Result<Message> {
        self.fetch(Call::post(&["messages"], message)?).await
    }

    /// What waits for an agent, the oldest first; with `all`, what was consumed too.
    ///
    /// # Errors
    /// When there is no such agent or the server cannot be reached.
    pub async fn inbox(&self, agent: &str, all: bool, page: &PageRequest) -> Result<Page<Message>> {
        let path = ["agents", agent, "inbox"];
        self.fetch(paged(
            Call::get(&path).query("all", all.then_some(true)),
            page,
        ))
        .await
    }

    /// Marks a message as consumed.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn ack_message(&self, id: &str) -> Result<Message> {
        self.fetch(Call::new(Method::POST, &["messages", id, "ack"]))
            .await
    }
}
