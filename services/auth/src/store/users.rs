//! People.

use sqlx::FromRow;
use swarm_database::{Json, Tx};
use swarm_errors::Result;
use swarm_identity::Role;
use swarm_types::{Page, TenantId, Timestamp, UserId};
use uuid::Uuid;

use super::texts::users as sql;
use super::{Created, Request, Store, requests};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Whose.
    pub tenant: TenantId,
    /// Its id.
    pub id: UserId,
    /// The name to log in with, unique among all tenants.
    pub username: String,
    /// What the person is to the platform.
    pub roles: Vec<Role>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person and the hash of the password.
pub struct Credentials {
    /// Who.
    pub user: UserRecord,
    /// In PHC form.
    pub password_hash: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    tenant_id: Uuid,
    user_id: Uuid,
    username: String,
    roles: Json<Vec<Role>>,
    created_at: Timestamp,
}

#[derive(FromRow)]
struct CredentialsRow {
    tenant_id: Uuid,
    user_id: Uuid,
    username: String,
    roles: Json<Vec<Role>>,
    created_at: Timestamp,
    password_hash: String,
}

impl From<Row> for UserRecord {
    fn from(row: Row) -> Self {
        Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            id: UserId::from_uuid(row.user_id),
            username: row.username,
            roles: row.roles.0,
            created_at: row.created_at,
        }
    }
}

impl From<CredentialsRow> for Credentials {
    fn from(row: CredentialsRow) -> Self {
        let CredentialsRow {
            tenant_id,
            user_id,
            username,
            roles,
            created_at,
            password_hash,
        } = row;
        let user = Row {
            tenant_id,
            user_id,
            username,
            roles,
            created_at,
        }
        .into();
        Self {
            user,
            password_hash,
        }
    }
}

impl Store {
    /// Keeps a person.
    ///
    /// # Errors
    /// As the database fails, or `idempotency_mismatch`.
    pub async fn insert_user(
        &self,
        request: Option<Request<'_>>,
        user: &UserRecord,
        password_hash: &str,
    ) -> Result<Created> {
        let mut tx = self.db.begin().await?;
        let claim = requests::claim(
            &mut tx,
            user.tenant,
            request,
            user.id.uuid(),
            user.created_at,
        );
        if let Some(before) = claim.await? {
            tx.rollback().await?;
            return Ok(Created::Before(before));
        }
        if !insert(&mut tx, user, password_hash).await? {
            tx.rollback().await?;
            return Ok(Created::Taken("username"));
        }
        tx.commit().await?;
        Ok(Created::Now)
    }

    /// The person with this id, in this tenant.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<UserRecord>> {
        let row: Option<Row> = self
            .db
            .q(sql::GET)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .opt()
            .await?;
        Ok(row.map(Into::into))
    }

    /// The people of this tenant in the order of their ids.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn users(
        &self,
        tenant: TenantId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<UserRecord>> {
        let list = self.db.q(sql::LIST).bind(tenant.uuid()).bind(after.uuid());
        let rows = list.bind(i64::from(limit) + 1).all::<Row>().await?;
        let items = rows.into_iter().map(Into::into).collect();
        Ok(Page::cut(items, limit, |user: &UserRecord| {
            user.id.to_string()
        }))
    }

    /// The hash of a person's password.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn password_hash(&self, tenant: TenantId, id: UserId) -> Result<Option<String>> {
        self.db
            .q(sql::PASSWORD_HASH)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .scalar_opt()
            .await
    }

    /// The person of any tenant who logs in with this name.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn credentials(&self, username: &str) -> Result<Option<Credentials>> {
        let row: Option<CredentialsRow> = self.db.q(sql::CREDENTIALS).bind(username).opt().await?;
        Ok(row.map(Into::into))
    }

    /// The id of the person of this tenant who logs in with this name.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn user_named(&self, tenant: TenantId, username: &str) -> Result<Option<UserId>> {
        let id = self
            .db
            .q(sql::ID_BY_USERNAME)
            .bind(username)
            .bind(tenant.uuid());
        Ok(id.scalar_opt::<Uuid>().await?.map(UserId::from_uuid))
    }
}

/// Whether this is the hash of the person's password, until the transaction ends.
pub(super) async fn hold_password(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
    password_hash: &str,
) -> Result<bool> {
    let text = tx.pick(sql::HOLD_PASSWORD_PG, sql::HOLD_PASSWORD_LITE);
    let held = tx.q(text).bind(tenant.uuid()).bind(user.uuid());
    let found = held.bind(password_hash).scalar_opt::<Uuid>().await?;
    Ok(found.is_some())
}

/// False when the name is taken, by whichever tenant.
pub(super) async fn insert(tx: &mut Tx, user: &UserRecord, password_hash: &str) -> Result<bool> {
    let claim = tx.q(sql::CLAIM_USERNAME).bind(&user.username);
    if claim
        .bind(user.tenant.uuid())
        .bind(user.id.uuid())
        .exec()
        .await?
        == 0
    {
        return Ok(false);
    }
    let insert = tx
        .q(sql::INSERT)
        .bind(user.tenant.uuid())
        .bind(user.id.uuid())
        .bind(&user.username);
    insert
        .bind(password_hash)
        .bind(Json(&user.roles))
        .bind(user.created_at)
        .exec()
        .await?;
    Ok(true)
}
