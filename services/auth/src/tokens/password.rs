//! The change of one's own password. It is an attempt to log in as any other: wrong ones count.

use swarm_config::Secret;
use swarm_errors::{Error, Result};
use swarm_types::{TenantId, Timestamp, UserId};
use uuid::Uuid;

use super::sessions::too_many;
use super::{Sessions, Tokens};
use crate::accounts::password_request;
use crate::credentials::refresh_token;
use crate::store::{Credentials, NewSession, PasswordChanged, UserRecord, mismatch};

/// What somebody wants; both passwords are checked in form already.
pub(crate) struct NewPassword<'a> {
    pub(crate) request_key: &'a str,
    pub(crate) current: Secret,
    pub(crate) new: Secret,
}

impl Sessions {
    /// Replaces the password, ends every session and opens one.
    pub(crate) async fn change_password(
        &self,
        (tenant, user): (TenantId, UserId),
        wanted: NewPassword<'_>,
    ) -> Result<(UserRecord, Tokens)> {
        let user = self.store.user(tenant, user).await?;
        let user = user.ok_or_else(|| Error::not_found("user", "of the token"))?;
        let now = self.clock.now();
        self.throttle()
            .attempt(&user.username, now)
            .map_err(too_many)?;
        match self.change(&user, wanted, now).await {
            Ok(Some(tokens)) => {
                self.throttle().succeeded(&user.username);
                tracing::info!(user.id = %user.id, tenant.id = %tenant, "password changed");
                Ok((user, tokens))
            }
            Ok(None) => {
                tracing::warn!(user.id = %user.id, tenant.id = %tenant, "change of password refused");
                Err(Error::invalid("current_password", "is wrong"))
            }
            Err(error) => {
                self.throttle().abandoned(&user.username);
                Err(error)
            }
        }
    }

    /// `None` where the current password is another.
    async fn change(
        &self,
        user: &UserRecord,
        wanted: NewPassword<'_>,
        now: Timestamp,
    ) -> Result<Option<Tokens>> {
        let request = password_request(wanted.request_key, "change_password");
        let made = self.store.made_before(user.tenant, request).await?;
        if made.is_some() {
            return self.repeat(user, wanted.new, now).await;
        }
        let old = self.store.password_hash(user.tenant, user.id).await?;
        let is_right = self.hasher.verify(wanted.current, old.clone()).await?;
        let Some(old) = old.filter(|_| is_right) else {
            return Ok(None);
        };
        let new = self.hasher.hash(wanted.new.clone()).await?;
        let id = Uuid::now_v7();
        let (token, address) = refresh_token::encode(user.tenant, id, &rand::random());
        let session = NewSession {
            tenant: user.tenant,
            user: user.id,
            id,
            token_hash: &address.hash,
            created_at: now,
            expires_at: now + self.session_life,
        };
        let change = || self.store.change_password(request, (&old, &new), &session);
        match self.store.db().retry(change).await? {
            PasswordChanged::Now => Ok(Some(Tokens {
                access: self.issuer.for_user(user, now)?,
                refresh: Some(token),
            })),
            PasswordChanged::Before => self.repeat(user, wanted.new, now).await,
            PasswordChanged::Outdated => Ok(None),
        }
    }

    /// The first answer was lost: whoever knows the new password gets a session as by a login.
    async fn repeat(
        &self,
        user: &UserRecord,
        new: Secret,
        now: Timestamp,
    ) -> Result<Option<Tokens>> {
        let hash = self.store.password_hash(user.tenant, user.id).await?;
        let is_it = self.hasher.verify(new, hash.clone()).await?;
        let Some(password_hash) = hash.filter(|_| is_it) else {
            return Err(mismatch());
        };
        let found = Credentials {
            user: user.clone(),
            password_hash,
        };
        self.open(&found, now).await.map(Some)
    }
}
