//! The one JSON envelope of an error (RFC 9457).

use serde::{Deserialize, Serialize};

use crate::{Error, FieldError};

/// An `application/problem+json` body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line for people, the same for every problem of this kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The code, for programs.
    pub code: String,
    /// The request, for support and logs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The fields that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The envelope of `error`, as an answer to the request `request_id`.
    #[must_use]
    pub fn new(error: &Error, request_id: impl Into<String>) -> Self {
        let code = error.code();
        Self {
            kind: format!("urn:qwen-swarm:error:{code}"),
            title: code.title().to_owned(),
            status: code.http(),
            detail: error.detail().to_owned(),
            code: code.as_str().to_owned(),
            request_id: request_id.into(),
            errors: error.fields().to_vec(),
        }
    }
}
