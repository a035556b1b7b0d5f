//! A JSON body, with the key that makes its write repeatable.

use std::sync::Arc;

use axum::body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use swarm_errors::{Code, Error, Result};
use swarm_proto::common::v1::RequestKey;

use super::{idempotency, json};
use crate::gateway::Gateway;
use crate::problem::{Answer, Failure};

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T> {
    pub(crate) value: T,
    /// Names this write to its owner.
    pub(crate) key: RequestKey,
}

impl<T: DeserializeOwned> FromRequest<Arc<Gateway>> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let key = idempotency::key_of(&parts.headers)?;
        if !is_json(&parts.headers) {
            return Err(Failure::unsupported_media_type("application/json"));
        }
        let bytes = read(&parts.headers, body, gateway.config.max_body).await?;
        let value = json::parse(&bytes)?;
        Ok(Self {
            value,
            key: idempotency::request_key(key, &parts, &bytes),
        })
    }
}

/// A JSON body that may be left away.
#[derive(Debug)]
pub(crate) struct Optional<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<Gateway>> for Optional<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        idempotency::key_of(&parts.headers)?;
        let bytes = read(&parts.headers, body, gateway.config.max_body).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json(&parts.headers) {
            return Err(Failure::unsupported_media_type("application/json"));
        }
        Ok(Self(json::parse(&bytes)?))
    }
}

/// The essence of the content type, in lower case.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = content_type(headers);
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// All of the body, up to the limit.
pub(super) async fn read(headers: &HeaderMap, body: body::Body, limit: usize) -> Result<Bytes> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(error) => Err(Error::new(
            Code::InvalidArgument,
            "the body could not be read to its end",
        )
        .with_source(error)),
    }
}

fn too_large(limit: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("the body is larger than {limit} bytes"),
    )
}
