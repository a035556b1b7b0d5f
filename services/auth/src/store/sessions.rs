//! Logins and their families of refresh tokens.

use swarm_database::Tx;
use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp, UserId};
use uuid::Uuid;

use super::texts::sessions as sql;
use super::{Store, users};

/// What became of a refresh token that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// It is spent now, and the new one is kept; this is whose session it is.
    Rotated(UserId),
    /// It was spent before: somebody else has it, so the whole session is ended.
    Reused,
    /// There is no such token, or its session has ended.
    Refused,
}

/// A login to be kept.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user: UserId,
    /// Its id.
    pub id: Uuid,
    /// The hash of its first refresh token.
    pub token_hash: &'a [u8],
    /// Now.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// Keeps a new login with its first refresh token; says false and keeps nothing where this is
    /// no longer the hash of the user's password.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn insert_session(&self, new: &NewSession<'_>, password_hash: &str) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        if !users::hold_password(&mut tx, new.tenant, new.user, password_hash).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        insert(&mut tx, new).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Spends a refresh token and keeps its successor, or ends the session when it was spent before.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn rotate(
        &self,
        (tenant, session): (TenantId, Uuid),
        shown: &[u8],
        successor: &[u8],
        now: Timestamp,
    ) -> Result<Refreshed> {
        let mut tx = self.db.begin().await?;
        let live = tx
            .q(sql::LIVE_USER)
            .bind(tenant.uuid())
            .bind(session)
            .bind(now);
        let Some(user) = live.scalar_opt::<Uuid>().await? else {
            tx.rollback().await?;
            return Ok(Refreshed::Refused);
        };
        let spend = tx
            .q(sql::SPEND_TOKEN)
            .bind(tenant.uuid())
            .bind(session)
            .bind(shown)
            .bind(now);
        if spend.exec().await? == 1 {
            let token = tx
                .q(sql::INSERT_TOKEN)
                .bind(tenant.uuid())
                .bind(session)
                .bind(successor);
            token.bind(now).exec().await?;
            tx.commit().await?;
            return Ok(Refreshed::Rotated(UserId::from_uuid(user)));
        }
        let known = tx
            .q(sql::HAS_TOKEN)
            .bind(tenant.uuid())
            .bind(session)
            .bind(shown);
        if known.scalar_opt::<Uuid>().await?.is_none() {
            tx.rollback().await?;
            return Ok(Refreshed::Refused);
        }
        tx.q(sql::END)
            .bind(tenant.uuid())
            .bind(session)
            .bind(now)
            .bind("reuse")
            .exec()
            .await?;
        tx.commit().await?;
        Ok(Refreshed::Reused)
    }

    /// Ends the session of a refresh token, spent or not; says whether there was one to end.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn end_session(
        &self,
        tenant: TenantId,
        session: Uuid,
        token_hash: &[u8],
        now: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let known = tx
            .q(sql::HAS_TOKEN)
            .bind(tenant.uuid())
            .bind(session)
            .bind(token_hash);
        if known.scalar_opt::<Uuid>().await?.is_none() {
            tx.rollback().await?;
            return Ok(false);
        }
        let end = tx
            .q(sql::END)
            .bind(tenant.uuid())
            .bind(session)
            .bind(now)
            .bind("logout");
        let ended = end.exec().await? == 1;
        tx.commit().await?;
        Ok(ended)
    }

    /// Forgets sessions that have expired, with their tokens.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn forget_sessions(&self, now: Timestamp) -> Result<u64> {
        self.db.write(sql::DELETE_EXPIRED).bind(now).exec().await
    }
}

pub(super) async fn insert(tx: &mut Tx, new: &NewSession<'_>) -> Result<()> {
    let (tenant, now) = (new.tenant.uuid(), new.created_at);
    let session = tx
        .q(sql::INSERT)
        .bind(tenant)
        .bind(new.id)
        .bind(new.user.uuid());
    session.bind(now).bind(new.expires_at).exec().await?;
    let token = tx.q(sql::INSERT_TOKEN).bind(tenant).bind(new.id);
    token.bind(new.token_hash).bind(now).exec().await?;
    Ok(())
}

/// Ends every session of a person.
pub(super) async fn end_all(
    tx: &mut Tx,
    (tenant, user): (TenantId, UserId),
    now: Timestamp,
    reason: &str,
) -> Result<()> {
    let end = tx.q(sql::END_ALL).bind(tenant.uuid()).bind(user.uuid());
    end.bind(now).bind(reason).exec().await?;
    Ok(())
}
