//! A body that is a form or JSON: what OAuth 2.0 wants, and what the rest of the API speaks.

use std::sync::Arc;

use axum::body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use swarm_errors::Error;

use super::body::{content_type, is_json, read};
use super::{json, query};
use crate::gateway::Gateway;
use crate::problem::{Answer, Failure};

const FORM: &str = "application/x-www-form-urlencoded";

/// A form or a JSON object, with the headers that may belong to it.
#[derive(Debug)]
pub(crate) struct Form<T> {
    pub(crate) value: T,
    pub(crate) headers: HeaderMap,
}

impl<T: DeserializeOwned> FromRequest<Arc<Gateway>> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let is_form = content_type(&parts.headers) == FORM;
        if !is_form && !is_json(&parts.headers) {
            return Err(Failure::unsupported_media_type(&format!(
                "{FORM} or application/json"
            )));
        }
        let bytes = read(&parts.headers, body, gateway.config.max_body).await?;
        if !is_form {
            return Ok(Self {
                value: json::parse(&bytes)?,
                headers: parts.headers,
            });
        }
        let request = Request::builder()
            .method("POST")
            .header("content-type", FORM)
            .body(body::Body::from(bytes))
            .map_err(Error::internal)?;
        let pairs = axum::Form::<Vec<(String, String)>>::from_request(request, &())
            .await
            .map_err(|error| Error::invalid("body", error.body_text()))?;
        Ok(Self {
            value: query::typed(pairs.0)?,
            headers: parts.headers,
        })
    }
}
