//! Who is calling, users and API keys.

use reqwest::Method;
use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::credentials::Credentials;
use crate::{ApiKey, Client, Identity, NewApiKey, NewUser, User};

impl Client {
    /// Who is calling, and what they may do.
    ///
    /// # Errors
    /// When the credentials do not hold or the server cannot be reached.
    pub async fn me(&self) -> Result<Identity> {
        self.fetch(Call::get(&["auth", "me"])).await
    }

    /// Ends the session of [`Client::login`]; does nothing for other credentials.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn logout(&self) -> Result<()> {
        let Credentials::Session { refresh, .. } = self.credentials().await else {
            return Ok(());
        };
        self.run(Call::post(
            &["auth", "logout"],
            &serde_json::json!({"refresh_token": refresh}),
        )?)
        .await
    }

    /// Changes one's own password. Every session that was opened before ends; this client and its
    /// clones go on with a new one.
    ///
    /// # Errors
    /// When the current password is wrong, the new one is refused, or the server cannot be reached.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<()> {
        let body = serde_json::json!({"current_password": current, "new_password": new});
        let tokens = self
            .fetch(Call::post(&["auth", "password"], &body)?)
            .await?;
        self.renew(tokens).await;
        Ok(())
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When the name is taken, the server refuses it or cannot be reached.
    pub async fn create_user(&self, user: &NewUser) -> Result<User> {
        self.fetch(Call::post(&["users"], user)?).await
    }

    /// The users of the tenant.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_users(&self, page: &PageRequest) -> Result<Page<User>> {
        self.fetch(paged(Call::get(&["users"]), page)).await
    }

    /// Makes an API key: its secret is in this answer and never shown again.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<ApiKey> {
        self.fetch(Call::post(&["api-keys"], key)?).await
    }

    /// The API keys of the tenant.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_api_keys(&self, page: &PageRequest) -> Result<Page<ApiKey>> {
        self.fetch(paged(Call::get(&["api-keys"]), page)).await
    }

    /// Revokes an API key.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn revoke_api_key(&self, id: &str) -> Result<()> {
        self.run(Call::new(Method::DELETE, &["api-keys", id])).await
    }
}
