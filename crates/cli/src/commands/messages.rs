//! `messages`.

use swarm_client::NewMessage;

use super::Session;
use crate::arguments::Messages;
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Messages) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Messages::Send {
            body,
            to,
            from,
            subject,
            task,
        } => {
            let to_agent_id = session.agent_id("--to", &to).await?;
            let from_agent_id = match from {
                Some(from) => Some(session.agent_id("--from", &from).await?),
                None => None,
            };
            let message = NewMessage {
                from_agent_id,
                to_agent_id,
                task_id: task,
                subject,
                body,
            };
            let message = session.call(client.send_message(&message).await)?;
            session.done(&message, &format!("{} was sent to {to}", message.id))
        }
        Messages::Inbox { agent, all, page } => {
            let id = session.agent_id("agent", &agent).await?;
            let messages = session.call(client.inbox(&id, all, &page.into()).await)?;
            let names = session.names().await;
            session.page(&messages, "messages", |items, columns| {
                views::inbox(items, &names, columns)
            })
        }
    }
}
