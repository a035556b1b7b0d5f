//! Tokens that were verified: the same token comes with every call of its caller, and its signature
//! costs more than all else of a short call. Pure.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::Claims;

/// A generation holds this many. There are two, so that what is used stays when one is dropped.
const GENERATION: usize = 4_096;

/// The hash of a token, so that no token is kept.
pub(crate) type Fingerprint = [u8; 32];

pub(crate) fn fingerprint(token: &str) -> Fingerprint {
    Sha256::digest(token.as_bytes()).into()
}

/// Claims by the hash of their token, bounded: the least used are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Fingerprint, Arc<Claims>>,
    old: HashMap<Fingerprint, Arc<Claims>>,
    /// The keys that these tokens were verified with.
    keys: u64,
}

impl Remembered {
    /// The claims of a token that was verified with these keys.
    pub(crate) fn get(&self, token: &Fingerprint, keys: u64) -> Option<Arc<Claims>> {
        let mut generations = self.lock();
        if generations.keys != keys {
            return None;
        }
        if let Some(claims) = generations.young.get(token) {
            return Some(claims.clone());
        }
        let claims = generations.old.remove(token)?;
        generations.put(*token, claims.clone());
        Some(claims)
    }

    /// Remembers a token that was verified with these keys. New keys forget all that was verified
    /// with others, so that a withdrawn key takes its tokens along.
    pub(crate) fn put(&self, token: Fingerprint, claims: Arc<Claims>, keys: u64) {
        let mut generations = self.lock();
        if generations.keys > keys {
            return;
        }
        if generations.keys < keys {
            *generations = Generations {
                keys,
                ..Generations::default()
            };
        }
        generations.put(token, claims);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn put(&mut self, token: Fingerprint, claims: Arc<Claims>) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(token, claims);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::PrincipalKind;

    fn claims() -> Arc<Claims> {
        let json = serde_json::json!({
            "iss": crate::ISSUER, "aud": crate::AUDIENCE, "sub": "somebody", "name": "Somebody", "jti": "1",
            "iat": 0, "exp": 1, "kind": PrincipalKind::User, "roles": [],
        });
        Arc::new(serde_json::from_value(json).unwrap())
    }

    #[test]
    fn new_keys_forget_what_others_verified() {
        let (remembered, token) = (Remembered::default(), fingerprint("a"));
        remembered.put(token, claims(), 1);
        assert!(remembered.get(&token, 1).is_some());
        assert!(remembered.get(&token, 2).is_none());
        remembered.put(fingerprint("b"), claims(), 2);
        assert!(remembered.get(&token, 1).is_none() && remembered.get(&token, 2).is_none());
        // Verified before the keys were fetched, told after: it does not count any more.
        remembered.put(token, claims(), 1);
        assert!(remembered.get(&token, 2).is_none());
    }

    #[test]
    fn many_tokens_push_out_those_that_nobody_uses() {
        let remembered = Remembered::default();
        let used = fingerprint("used");
        remembered.put(used, claims(), 1);
        let claims = claims();
        for number in 0..4 * GENERATION {
            remembered.put(fingerprint(&number.to_string()), claims.clone(), 1);
            assert!(remembered.get(&used, 1).is_some(), "after {number}");
        }
        assert!(remembered.get(&fingerprint("0"), 1).is_none());
        let generations = remembered.lock();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }
}
