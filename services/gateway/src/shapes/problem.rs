//! Errors, as the OpenAPI document describes them. `swarm_errors::Problem` is what is sent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error, as RFC 9457 has it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:qwen-swarm:error:invalid_argument")]
    kind: String,
    /// One line for people, the same for every problem of this kind.
    #[schema(example = "The request is not valid")]
    title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What happened this time.
    #[schema(example = "input.prompt: must not be empty")]
    detail: String,
    /// The code, for programs.
    #[schema(example = "invalid_argument")]
    code: String,
    /// The request, for support and logs.
    request_id: String,
    /// The fields that are wrong.
    #[serde(default)]
    errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldError {
    /// The path of the field.
    #[schema(example = "input.prompt")]
    field: String,
    /// What is wrong with it.
    #[schema(example = "must not be empty")]
    message: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_document_describes_what_is_sent() {
        let error = swarm_errors::Error::invalid("a.b", "is odd");
        let sent = serde_json::to_value(swarm_errors::Problem::new(&error, "r1")).unwrap();
        let described: Problem = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(described).unwrap(), sent);
    }
}
