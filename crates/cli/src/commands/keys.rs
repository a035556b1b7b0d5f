//! `keys`.

use swarm_client::NewApiKey;

use super::Session;
use crate::arguments::Keys;
use crate::console::{Line, Style};
use crate::failure::Failure;
use crate::views;

pub(super) async fn execute(session: &Session, command: Keys) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Keys::Create {
            name,
            roles,
            expires,
        } => {
            let key = session.call(
                client
                    .create_api_key(&NewApiKey {
                        name,
                        roles,
                        expires_at: expires,
                    })
                    .await,
            )?;
            session.show(&key, |_| {
                let secret = key.secret.clone().unwrap_or_default();
                vec![
                    Line::from(secret),
                    Line::new().with(
                        Style::Dim,
                        format!(
                            "{} ({}). It is shown this once; use it as QWEN_SWARM_API_KEY.",
                            key.id,
                            key.roles.join(", ")
                        ),
                    ),
                ]
            })
        }
        Keys::List { page } => {
            let keys = session.call(client.list_api_keys(&page.into()).await)?;
            session.page(&keys, "keys", views::api_keys)
        }
        Keys::Revoke { id } => {
            session.call(client.revoke_api_key(&id).await)?;
            session.done(
                &serde_json::json!({ "id": id }),
                &format!("{id} is revoked"),
            )
        }
    }
}
