//! `dead-letters`.

use serde_json::json;
use swarm_client::Purge;

use super::{Session, reruns, tasks};
use crate::arguments::DeadLetters;
use crate::console::count;
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: DeadLetters) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        DeadLetters::List { kind, page } => {
            let page = page.into();
            let found = client.list_dead_letters(kind.as_deref(), &page).await;
            session.page(&session.call(found)?, "dead letters", views::dead_letters)
        }
        DeadLetters::Show { id } => tasks::show(session, &id).await,
        DeadLetters::Retry { ids, deadline } => reruns::retry(session, &ids, deadline).await,
        DeadLetters::Purge { ids, before } => {
            let which = match before {
                Some(before) => Purge::Before(before),
                None => Purge::Tasks(ids),
            };
            let purged = session.call(client.purge_dead_letters(&which).await)?;
            let words = format!("{} purged", count(purged));
            session.done(&json!({ "purged": purged }), &words)
        }
    }
}
