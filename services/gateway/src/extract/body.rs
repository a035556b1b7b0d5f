//! A JSON body, with the key that makes its write repeatable.

use std::sync::Arc;
use std::time::Duration;

use axum::body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use swarm_errors::{Code, Error, Result};
use swarm_proto::common::v1::RequestKey;

use super::{idempotency, json};
use crate::gateway::Gateway;
use crate::problem::{Answer, Failure};

/// Of a body that is too large, this many times the limit is read and thrown away.
const DRAINED: usize = 8;
const DRAIN_TIME: Duration = Duration::from_secs(2);

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
pub(crate) struct Optional<T> {
    pub(crate) value: T,
    /// Names this write to its owner.
    pub(crate) key: RequestKey,
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<Gateway>> for Optional<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let key = idempotency::key_of(&parts.headers)?;
        let bytes = read(&parts.headers, body, gateway.config.max_body).await?;
        let value = match bytes.is_empty() {
            true => T::default(),
            false if is_json(&parts.headers) => json::parse(&bytes)?,
            false => return Err(Failure::unsupported_media_type("application/json")),
        };
        Ok(Self {
            value,
            key: idempotency::request_key(key, &parts, &bytes),
        })
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
    if headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json")
    {
        return true;
    }
    let kind = content_type(headers);
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// All of the body, up to the limit.
pub(super) async fn read(headers: &HeaderMap, mut body: body::Body, limit: usize) -> Result<Bytes> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let mut whole = BytesMut::new();
    let mut fits = announced.is_none_or(|length| length <= limit as u64);
    while fits {
        let Some(frame) = body.frame().await else {
            return Ok(whole.freeze());
        };
        let frame = frame.map_err(|error| {
            Error::new(
                Code::InvalidArgument,
                "the body could not be read to its end",
            )
            .with_source(error)
        })?;
        let data = frame.into_data().unwrap_or_default();
        fits = whole.len() + data.len() <= limit;
        whole.extend_from_slice(&data);
    }
    drop(whole);
    drain(body, limit * DRAINED).await;
    Err(too_large(limit))
}

/// Throws the rest of a body away, within bounds. A connection that is closed over unread bytes is
/// reset, and the client would see that in place of its answer.
async fn drain(mut body: body::Body, mut bytes: usize) {
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match bytes.checked_sub(length) {
                Some(left) => bytes = left,
                None => break,
            }
        }
    };
    // A client that sends no further gets its answer after this time.
    let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
}

fn too_large(limit: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("the body is larger than {limit} bytes"),
    )
}
