//! An end to every request that does not wait on purpose.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use swarm_errors::{Code, Error};

use crate::gateway::Gateway;
use crate::problem::Failure;
use crate::routes::PATIENT;

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
    let limit = gateway.config.deadline();
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let words = format!("the request took longer than {} s", limit.as_secs());
            Failure::from(Error::new(Code::DeadlineExceeded, words)).into_response()
        }
    }
}
