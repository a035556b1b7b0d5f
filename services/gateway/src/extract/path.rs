//! The id in a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use swarm_errors::Error;

use crate::problem::{Answer, Failure};

const LONGEST: usize = 200;

/// The `{id}` of a path. Its owner knows whether it is one; here it is only bounded.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Error::invalid("id", error.body_text()))?;
        if id.is_empty() || id.len() > LONGEST || id.chars().any(char::is_control) {
            return Err(Error::invalid(
                "id",
                format!("must be 1 to {LONGEST} characters without control characters"),
            )
            .into());
        }
        Ok(Self(id))
    }
}
