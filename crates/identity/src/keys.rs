//! Public keys, as auth publishes them.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use swarm_errors::{Error, Result};

/// Where public keys come from; the answer is a JSON Web Key Set.
pub trait KeySource: Send + Sync + fmt::Debug {
    /// The current set.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<String>> + Send + '_>>;
}

/// Keys that do not change: auth's own, and those of tests.
#[derive(Debug, Clone)]
pub struct FixedKeys(pub String);

impl KeySource for FixedKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<String>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// Ed25519 public keys by key id.
#[derive(Clone, Default)]
pub struct KeySet(HashMap<String, DecodingKey>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    crv: String,
    x: String,
}

impl KeySet {
    /// Reads a JSON Web Key Set; keys of other kinds are passed over.
    ///
    /// # Errors
    /// When the text is not a key set.
    pub fn parse(jwks: &str) -> Result<Self> {
        let set: Jwks = serde_json::from_str(jwks).map_err(Error::internal)?;
        let mut keys = HashMap::new();
        for key in set
            .keys
            .iter()
            .filter(|key| key.kty == "OKP" && key.crv == "Ed25519")
        {
            let decoding = DecodingKey::from_ed_components(&key.x).map_err(Error::internal)?;
            keys.insert(key.kid.clone(), decoding);
        }
        Ok(Self(keys))
    }

    /// The key with this id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&DecodingKey> {
        self.0.get(kid)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
