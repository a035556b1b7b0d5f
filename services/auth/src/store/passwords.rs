//! The change of a password, and of all that hangs on it.

use swarm_errors::Result;

use super::texts::users as sql;
use super::{NewSession, Request, Store, requests, sessions};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordChanged {
    /// It is made, and the new session is the only one.
    Now,
    /// The same request came before.
    Before,
    /// The password was another already.
    Outdated,
}

impl Store {
    /// Replaces the hash `old` of a person's password by `new`, ends every session of that person and
    /// keeps the new one, all or nothing.
    ///
    /// # Errors
    /// As the database fails, or `idempotency_mismatch`.
    pub async fn change_password(
        &self,
        request: Option<Request<'_>>,
        (old, new): (&str, &str),
        session: &NewSession<'_>,
    ) -> Result<PasswordChanged> {
        let (tenant, user, now) = (session.tenant, session.user, session.created_at);
        let mut tx = self.db.begin().await?;
        let claim = requests::claim(&mut tx, tenant, request, user.uuid(), now);
        if claim.await?.is_some() {
            tx.rollback().await?;
            return Ok(PasswordChanged::Before);
        }
        let change = tx
            .q(sql::CHANGE_PASSWORD)
            .bind(tenant.uuid())
            .bind(user.uuid());
        if change.bind(old).bind(new).exec().await? == 0 {
            tx.rollback().await?;
            return Ok(PasswordChanged::Outdated);
        }
        // After the hash: a login that came first has committed its session by now.
        sessions::end_all(&mut tx, (tenant, user), now, "password").await?;
        sessions::insert(&mut tx, session).await?;
        tx.commit().await?;
        Ok(PasswordChanged::Now)
    }
}
