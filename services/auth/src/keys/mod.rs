//! The keys that sign tokens, and their public halves.

mod signing;
mod stored;

pub(crate) use signing::{SigningKey, jwks};
pub(crate) use stored::{StoredKeys, signing_key};
