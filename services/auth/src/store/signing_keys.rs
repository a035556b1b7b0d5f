//! Keys that sign tokens.

use sqlx::FromRow;
use swarm_errors::Result;
use swarm_types::Timestamp;

use super::texts::signing_keys as sql;
use super::{Store, first_start};

const SIGNING_KEY: &str = "signing_key";

/// A key with its secret half.
#[derive(FromRow)]
pub struct SigningKeyRecord {
    /// Its id.
    pub kid: String,
    /// The secret half, 32 bytes.
    pub seed: Vec<u8>,
}

impl std::fmt::Debug for SigningKeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyRecord")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// A key's public half.
#[derive(Debug, FromRow)]
pub struct PublicKeyRecord {
    /// Its id.
    pub kid: String,
    /// 32 bytes.
    pub public_key: Vec<u8>,
}

impl Store {
    /// The key that signs, once there is one.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn newest_signing_key(&self) -> Result<Option<SigningKeyRecord>> {
        self.db.q(sql::NEWEST).opt().await
    }

    /// All public keys, the newest first.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn public_keys(&self) -> Result<Vec<PublicKeyRecord>> {
        self.db.q(sql::PUBLIC).all().await
    }

    /// Keeps the first key of all, unless another replica has made one.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn insert_first_signing_key(
        &self,
        key: &SigningKeyRecord,
        public_key: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        if first_start::claim(&mut tx, SIGNING_KEY, now).await? {
            let insert = tx.q(sql::INSERT).bind(&key.kid).bind(key.seed.as_slice());
            insert.bind(public_key).bind(now).exec().await?;
        }
        tx.commit().await
    }

    /// Keeps one more key, which signs from the next start on.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn insert_signing_key(
        &self,
        key: &SigningKeyRecord,
        public_key: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        let insert = self
            .db
            .write(sql::INSERT)
            .bind(&key.kid)
            .bind(key.seed.as_slice());
        insert.bind(public_key).bind(now).exec().await.map(drop)
    }
}
