//! An end to every request that does not wait on purpose.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use swarm_errors::{Code, Error};

use crate::gateway::Gateway;
use crate::problem::Failure;
use crate::routes::{LONGEST_WAIT, PATIENT};

pub(super) async fn layer(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let is_patient = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| PATIENT.contains(&path.as_str()));
    if is_patient {
        return next.run(request).await;
    }
    let limit = gateway.config.deadline() + wanted_wait(&request);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let words = format!("the request took longer than {} s", limit.as_secs());
            Failure::from(Error::new(Code::DeadlineExceeded, words)).into_response()
        }
    }
}

/// A submission that waits for the task's end may take that much longer.
fn wanted_wait(request: &Request) -> Duration {
    let asks = request
        .uri()
        .query()
        .is_some_and(|query| query.split('&').any(|part| part.starts_with("wait=")));
    match asks && request.method() == Method::POST {
        true => LONGEST_WAIT,
        false => Duration::ZERO,
    }
}
