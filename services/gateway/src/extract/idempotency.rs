//! The key of a write, by which its owner tells a repeat from a second one.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use swarm_errors::{Error, Result};
use swarm_proto::common::v1::RequestKey;
use uuid::Uuid;

use crate::problem::{Answer, Failure};

const HEADER: &str = "Idempotency-Key";
const LONGEST: usize = 255;

/// The key of a write that has no body: what it does stands in its path and query.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) RequestKey);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let key = key_of(&parts.headers)?;
        Ok(Self(request_key(key, parts, query.as_bytes())))
    }
}

/// The caller's key.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    match std::str::from_utf8(bytes) {
        Ok(text) if printable && (1..=LONGEST).contains(&text.len()) => Ok(Some(text.to_owned())),
        _ => Err(Error::invalid(
            HEADER,
            format!("must be 1 to {LONGEST} printable ASCII characters"),
        )),
    }
}

/// The key for the owner of the effect. A write without a key of the caller's gets a new one, so
/// that our own repeat of a call that was cut off is known as one.
pub(super) fn request_key(key: Option<String>, parts: &Parts, body: &[u8]) -> RequestKey {
    let mut hash = Sha256::new();
    for part in [
        parts.method.as_str().as_bytes(),
        parts.uri.path().as_bytes(),
    ] {
        hash.update(part);
        hash.update(b"\n");
    }
    hash.update(body);
    RequestKey {
        key: key.unwrap_or_else(|| format!("auto-{}", Uuid::now_v7())),
        body_hash: hash.finalize().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::{HeaderValue, Request};

    use super::*;

    #[test]
    fn keys_are_bounded_and_printable() {
        let of = |value: &[u8]| {
            key_of(&HeaderMap::from_iter([(
                HEADER.parse().unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            )]))
        };
        assert_eq!(key_of(&HeaderMap::new()).unwrap(), None);
        assert_eq!(of(b"order 7").unwrap().as_deref(), Some("order 7"));
        for bad in [
            &b""[..],
            "caf\u{e9}".as_bytes(),
            b"a\tb",
            "x".repeat(256).as_bytes(),
        ] {
            assert_eq!(of(bad).unwrap_err().fields()[0].field, HEADER);
        }
    }

    #[test]
    fn the_hash_depends_on_method_path_and_body() {
        let hash = |method: &str, path: &str, body: &[u8]| {
            let (parts, ()) = Request::builder()
                .method(method)
                .uri(path)
                .body(())
                .unwrap()
                .into_parts();
            request_key(Some("k".into()), &parts, body).body_hash
        };
        let one = hash("POST", "/a", b"{}");
        assert_eq!(one, hash("POST", "/a", b"{}"));
        for other in [
            hash("PATCH", "/a", b"{}"),
            hash("POST", "/b", b"{}"),
            hash("POST", "/a", b"[]"),
        ] {
            assert_ne!(one, other);
        }
    }
}
