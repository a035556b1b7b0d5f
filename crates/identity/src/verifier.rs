//! Checks tokens locally, with cached keys.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use swarm_errors::{Code, Error, Result};
use swarm_types::{Clock, Timestamp};
use tokio::sync::RwLock;

use crate::remembered::{Remembered, fingerprint};
use crate::{AUDIENCE, Claims, ISSUER, KeySet, KeySource, Principal};

/// How long an unknown key id must wait before it makes us fetch again: a stranger's made-up ids
/// shall not become load on auth.
const REFETCH_AFTER_SECONDS: i64 = 5;
/// Clocks of two machines may differ by this much.
const LEEWAY_SECONDS: i64 = 5;

/// Verifies tokens. Cheap to share; one a process is enough.
#[derive(Debug)]
pub struct Verifier {
    source: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
    cached: RwLock<Cached>,
    remembered: Remembered,
}

#[derive(Debug, Default)]
struct Cached {
    keys: KeySet,
    fetched: Option<Timestamp>,
    /// How often they were fetched.
    fetches: u64,
}

impl Verifier {
    /// A verifier with keys from `source`, fetched at first use.
    #[must_use]
    pub fn new(source: Arc<dyn KeySource>, clock: Arc<dyn Clock>) -> Self {
        Self {
            source,
            clock,
            cached: RwLock::default(),
            remembered: Remembered::default(),
        }
    }

    /// The principal that this token proves.
    ///
    /// # Errors
    /// `unauthenticated` when the token does not hold, `unavailable` when keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Principal> {
        let claims = self.claims(token).await?;
        Ok(claims.principal())
    }

    /// The verified claims of this token. A signature is checked once; whether the token is in its
    /// time, at every call.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub async fn claims(&self, token: &str) -> Result<Arc<Claims>> {
        let fingerprint = fingerprint(token);
        let keys = self.cached.read().await.fetches;
        if let Some(claims) = self.remembered.get(&fingerprint, keys) {
            self.check_times(&claims)?;
            return Ok(claims);
        }
        // Boxed, since it is rare and would be a part of every request.
        let (claims, keys) = Box::pin(self.check_signature(token)).await?;
        self.check_times(&claims)?;
        let claims = Arc::new(claims);
        self.remembered.put(fingerprint, claims.clone(), keys);
        Ok(claims)
    }

    /// The claims, and which keys have proved them.
    async fn check_signature(&self, token: &str) -> Result<(Claims, u64)> {
        let header = decode_header(token)
            .map_err(|error| refused("it is not a token of ours").with_source(error))?;
        if header.alg != Algorithm::EdDSA {
            return Err(refused("its algorithm is not EdDSA"));
        }
        let kid = header.kid.ok_or_else(|| refused("it names no key"))?;
        let (keys, fetches) = self.keys_with(&kid).await?;
        let key = keys
            .get(&kid)
            .ok_or_else(|| refused("its key is not known"))?;
        let claims = decode::<Claims>(token, key, &validation())
            .map_err(|error| refused("its signature or claims do not hold").with_source(error))?
            .claims;
        Ok((claims, fetches))
    }

    fn check_times(&self, claims: &Claims) -> Result<()> {
        let now = self.clock.now().timestamp();
        if now >= claims.exp + LEEWAY_SECONDS {
            return Err(refused("it has expired"));
        }
        if now + LEEWAY_SECONDS < claims.iat {
            return Err(refused("it is not valid yet"));
        }
        Ok(())
    }

    async fn keys_with(&self, kid: &str) -> Result<(KeySet, u64)> {
        {
            let cached = self.cached.read().await;
            if cached.keys.get(kid).is_some() || self.is_fresh(&cached) {
                return Ok((cached.keys.clone(), cached.fetches));
            }
        }
        let mut cached = self.cached.write().await;
        if cached.keys.get(kid).is_none() && !self.is_fresh(&cached) {
            cached.keys = KeySet::parse(&self.source.fetch().await?)?;
            cached.fetched = Some(self.clock.now());
            cached.fetches += 1;
        }
        Ok((cached.keys.clone(), cached.fetches))
    }

    fn is_fresh(&self, cached: &Cached) -> bool {
        cached
            .fetched
            .is_some_and(|at| (self.clock.now() - at).num_seconds() < REFETCH_AFTER_SECONDS)
    }
}

/// Times are checked against our own clock, so that tests can move it.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

fn refused(why: &str) -> Error {
    Error::new(
        Code::Unauthenticated,
        format!("the token is refused: {why}"),
    )
}
