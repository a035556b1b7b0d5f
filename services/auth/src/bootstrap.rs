//! The first start: the default tenant and an administrator without a default password.

use std::path::Path;

use swarm_config::Secret;
use swarm_errors::Result;
use swarm_identity::{Role, platform_tenant};
use swarm_types::{Timestamp, UserId};

use crate::credentials::file::AdminCredential;
use crate::passwords::{self, Hasher};
use crate::store::{Store, TenantRecord, UserRecord};

const TENANT_NAME: &str = "default";
const USERNAME: &str = "admin";

/// Makes the administrator unless some start of some replica has, and leaves the credential in
/// `file`: the one copy of the password, which is logged and stored nowhere.
pub(crate) async fn ensure_administrator(
    store: &Store,
    hasher: &Hasher,
    file: &Path,
    now: Timestamp,
) -> Result<()> {
    if store.has_administrator().await? {
        return Ok(());
    }
    let password = passwords::random();
    let hash = hasher.hash(Secret::new(password.as_str())).await?;
    let tenant = TenantRecord {
        id: platform_tenant(),
        name: TENANT_NAME.to_owned(),
        created_at: now,
    };
    let user = UserRecord {
        tenant: tenant.id,
        id: UserId::new(),
        username: USERNAME.to_owned(),
        roles: vec![Role::Admin],
        created_at: now,
    };
    let credential = AdminCredential {
        username: user.username.clone(),
        password,
    };
    let hand_over = || credential.write(file);
    if store
        .insert_administrator(&tenant, &user, &hash, hand_over)
        .await?
    {
        tracing::info!(file = %file.display(), user.id = %user.id, "first start: the administrator's credential is in the file");
    }
    Ok(())
}
