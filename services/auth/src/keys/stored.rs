//! Keys in auth's own tables, which all of its replicas share.

use std::future::Future;
use std::pin::Pin;

use swarm_errors::{Error, Result};
use swarm_identity::KeySource;
use swarm_types::Timestamp;

use super::{SigningKey, jwks};
use crate::store::{SigningKeyRecord, Store};

/// The key that signs; made at the first start.
pub(crate) async fn signing_key(store: &Store, now: Timestamp) -> Result<SigningKey> {
    if let Some(record) = store.newest_signing_key().await? {
        return read(&record);
    }
    let seed: [u8; 32] = rand::random();
    let key = SigningKey::from_seed(&seed)?;
    let record = SigningKeyRecord {
        kid: key.kid().to_owned(),
        seed: seed.to_vec(),
    };
    store
        .insert_first_signing_key(&record, key.public(), now)
        .await?;
    // It may be another replica's.
    let record = store.newest_signing_key().await?;
    read(&record.ok_or_else(|| Error::internal("no signing key after the first was made"))?)
}

fn read(record: &SigningKeyRecord) -> Result<SigningKey> {
    let seed = record.seed.as_slice().try_into().map_err(Error::internal)?;
    Ok(SigningKey::from_seed(seed)?.named(&record.kid))
}

/// All public keys, read anew each time: another replica may have added one.
#[derive(Debug, Clone)]
pub(crate) struct StoredKeys(pub(crate) Store);

impl StoredKeys {
    pub(crate) async fn jwks(&self) -> Result<String> {
        let keys = self.0.public_keys().await?;
        Ok(jwks(
            keys.iter()
                .map(|key| (key.kid.as_str(), key.public_key.as_slice())),
        ))
    }
}

impl KeySource for StoredKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<String>> + Send + '_>> {
        Box::pin(self.jwks())
    }
}
