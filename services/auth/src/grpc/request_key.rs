//! The key of a write that may come twice: pure.

use swarm_errors::{Error, Result};
use swarm_proto::common::v1::RequestKey;

const MAX_KEY: usize = 255;

/// Key and body hash; an empty key means that the write has no name.
pub(super) fn read(request: Option<RequestKey>) -> Result<(String, Vec<u8>)> {
    let RequestKey { key, body_hash } = request.unwrap_or_default();
    if key.chars().count() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(Error::invalid(
            "Idempotency-Key",
            format!("must have at most {MAX_KEY} visible characters"),
        ));
    }
    if !body_hash.is_empty() && body_hash.len() != 32 {
        return Err(Error::invalid("request.body_hash", "must be a SHA-256"));
    }
    Ok((key, body_hash))
}
