//! `proposals`.

use super::Session;
use crate::arguments::Proposals;
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Proposals) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Proposals::List { task, state, page } => {
            let found = session.call(
                client
                    .list_proposals(state.as_deref(), task.as_deref(), &page.into())
                    .await,
            )?;
            session.page(&found, "proposals", views::proposals)
        }
        Proposals::Show { id } => {
            let proposal = session.call(client.get_proposal(&id).await)?;
            let names = session.names().await;
            session.show(&proposal, |columns| {
                views::proposal(&proposal, &names, columns)
            })
        }
    }
}
