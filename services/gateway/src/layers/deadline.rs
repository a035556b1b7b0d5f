//! An end to every request that does not wait on purpose.

use std::pin::Pin;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use swarm_errors::{Code, Error};

use crate::problem::Failure;
use crate::routes::{LONGEST_WAIT, PATIENT};

/// How long this request may take; `None` where its route waits on purpose.
pub(super) fn of(request: &Request, path: Option<&str>, usual: Duration) -> Option<Duration> {
    let is_patient = path.is_some_and(|path| PATIENT.contains(&path));
    (!is_patient).then(|| usual + wanted_wait(request))
}

/// What `work` answers, unless it takes longer. It stays where it is: to be handed on by value
/// would move the whole future, and keep two places for it.
pub(super) async fn keep(
    limit: Option<Duration>,
    work: Pin<&mut impl Future<Output = Response>>,
) -> Response {
    let Some(limit) = limit else {
        return work.await;
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let words = format!("the request took longer than {} s", limit.as_secs());
        Failure::from(Error::new(Code::DeadlineExceeded, words)).into_response()
    })
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
