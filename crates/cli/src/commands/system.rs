//! `system`.

use super::Session;
use crate::failure::Failure;
use crate::views;

pub(super) async fn system(session: &Session) -> Result<(), Failure> {
    let client = &session.connection.client;
    let health = session.call(client.system_health().await)?;
    let state = session.call(client.system_state().await)?;
    let both = serde_json::json!({ "health": health, "state": state });
    session.show(&both, |columns| views::health(&health, &state, columns))
}
