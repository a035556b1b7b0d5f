//! Hashing, off the async threads and a few at a time: each hash wants its memory and a core.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use swarm_config::Secret;
use swarm_errors::{Code, Error, Result};
use tokio::sync::Semaphore;

use crate::config::PasswordConfig;

/// Whoever waits longer than this for a free core is told to come back.
const MAX_WAIT: Duration = Duration::from_secs(5);
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Makes and checks password hashes.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    places: Arc<Semaphore>,
    /// The hash of no password: whoever names nobody waits as long as whoever is wrong.
    decoy: String,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher")
            .field("params", self.argon2.params())
            .finish_non_exhaustive()
    }
}

impl Hasher {
    pub(crate) fn new(config: &PasswordConfig) -> Result<Self> {
        let PasswordConfig {
            memory_kib,
            iterations,
            parallelism,
            max_concurrent,
            ..
        } = *config;
        let params = Params::new(memory_kib, iterations, parallelism, Some(HASH_BYTES))
            .map_err(|error| Error::invalid("auth.password", error.to_string()))?;
        let salt = STANDARD_NO_PAD.encode(rand::random::<[u8; SALT_BYTES]>());
        let hash = STANDARD_NO_PAD.encode(rand::random::<[u8; HASH_BYTES]>());
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            places: Arc::new(Semaphore::new(max_concurrent)),
            decoy: format!(
                "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${hash}"
            ),
        })
    }

    /// The hash of a new password, in PHC form with a salt of its own.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String> {
        let argon2 = self.argon2.clone();
        let salt = rand::random::<[u8; SALT_BYTES]>();
        self.run(move || {
            let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(Error::internal)
        })
        .await
    }

    /// Whether this is the password of that hash. Without a hash it takes as long, and is not.
    pub(crate) async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool> {
        let is_known = hash.is_some();
        let argon2 = self.argon2.clone();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(Error::internal)?;
            Ok(argon2
                .verify_password(password.expose().as_bytes(), &hash)
                .is_ok()
                & is_known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = tokio::time::timeout(MAX_WAIT, self.places.clone().acquire_owned())
            .await
            .map_err(|_| {
                Error::new(Code::ResourceExhausted, "too many logins at once")
                    .with_retry_after(MAX_WAIT)
            })?
            .map_err(Error::internal)?;
        // The place is kept until the work ends, also when nobody waits for it any more.
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        work.await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cheap() -> Hasher {
        let config = PasswordConfig {
            memory_kib: 64,
            iterations: 1,
            ..PasswordConfig::default()
        };
        Hasher::new(&config).unwrap()
    }

    #[tokio::test]
    async fn only_the_password_itself_verifies() {
        let hasher = cheap();
        let hash = hasher.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(
            hasher
                .verify(Secret::new("correct horse"), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify(Secret::new("correct horsf"), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert_ne!(
            hash,
            hasher.hash(Secret::new("correct horse")).await.unwrap(),
            "salts differ"
        );
    }

    #[tokio::test]
    async fn nobody_has_a_password_and_it_costs_the_same() {
        let hasher = cheap();
        assert!(!hasher.verify(Secret::new("anything"), None).await.unwrap());
        // The decoy is a real hash of the same parameters, so it is computed in full.
        let decoy = PasswordHash::new(&hasher.decoy).unwrap();
        assert_eq!(Params::try_from(&decoy).unwrap(), *hasher.argon2.params());
    }

    #[tokio::test]
    async fn a_hash_made_with_other_parameters_still_verifies() {
        let config = PasswordConfig {
            memory_kib: 32,
            iterations: 2,
            ..PasswordConfig::default()
        };
        let older = Hasher::new(&config)
            .unwrap()
            .hash(Secret::new("p"))
            .await
            .unwrap();
        assert!(cheap().verify(Secret::new("p"), Some(older)).await.unwrap());
    }
}
