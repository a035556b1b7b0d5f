//! From an error to its answer.
//!
//! A handler or extractor fails with a [`Failure`]; [`render`] turns it into a problem
//! document, since it alone knows the request's id. Nothing else in the gateway writes an error body.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use swarm_errors::{Code, Error, Problem};

use crate::layers::RequestId;

/// The content type of errors.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Failure>;

/// Errors that only HTTP knows, beside the codes that gRPC knows too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HttpOnly {
    MethodNotAllowed,
    UnsupportedMediaType,
}

impl HttpOnly {
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "The method is not allowed here",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The content type is not supported",
            ),
        }
    }
}

/// An error on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    error: Arc<Error>,
    http_only: Option<HttpOnly>,
    /// For a 401: whether a credential was shown at all.
    credential_shown: bool,
}

impl Failure {
    /// No route has this path.
    pub(crate) fn no_route(path: &str) -> Self {
        Error::new(Code::NotFound, format!("there is no route {path}")).into()
    }

    /// The route has other methods.
    pub(crate) fn method_not_allowed(method: &str) -> Self {
        let error = Error::new(
            Code::InvalidArgument,
            format!("{method} is not a method of this route"),
        );
        Self {
            http_only: Some(HttpOnly::MethodNotAllowed),
            ..error.into()
        }
    }

    /// The body is not of a type that the route reads.
    pub(crate) fn unsupported_media_type(expected: &str) -> Self {
        let error = Error::new(
            Code::InvalidArgument,
            format!("the body must be of the type {expected}"),
        )
        .with_field("Content-Type", format!("must be {expected}"));
        Self {
            http_only: Some(HttpOnly::UnsupportedMediaType),
            ..error.into()
        }
    }

    /// No credential where one is needed.
    pub(crate) fn no_credential() -> Self {
        let words = "a token is needed: Authorization: Bearer <token>, or X-API-Key: <key>";
        Self {
            credential_shown: false,
            ..Error::new(Code::Unauthenticated, words).into()
        }
    }

    fn status(&self) -> StatusCode {
        self.http_only.map_or_else(
            || {
                StatusCode::from_u16(self.error.code().http())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            },
            |special| special.row().1,
        )
    }

    fn problem(&self, request_id: &str) -> Problem {
        let mut problem = Problem::new(&self.error, request_id);
        if let Some((code, status, title)) = self.http_only.map(HttpOnly::row) {
            problem.kind = format!("urn:qwen-swarm:error:{code}");
            code.clone_into(&mut problem.code);
            title.clone_into(&mut problem.title);
            problem.status = status.as_u16();
        }
        problem
    }

    fn log(&self) {
        let (status, chain) = (self.status().as_u16(), self.error.chain());
        match self.error.code() {
            Code::Internal => {
                tracing::error!(http.status = status, error = chain, "request failed");
            }
            code if code.http() >= 500 => {
                tracing::warn!(http.status = status, error = chain, "request failed");
            }
            _ => tracing::debug!(http.status = status, error = chain, "request refused"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error: Arc::new(error),
            http_only: None,
            credential_shown: true,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem document where the answer is a failure.
pub(crate) fn render(response: &mut Response, id: &RequestId) {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        failure.log();
        write(response, &failure, id.as_str());
    }
}

/// That nothing is left of the limit, and when there is more.
fn rate_limit(seconds: u64) -> Option<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(&format!(r#""default";r=0;t={seconds}"#)).ok()?;
    Some((HeaderName::from_static("ratelimit"), value))
}

fn write(response: &mut Response, failure: &Failure, request_id: &str) {
    let body = serde_json::to_vec(&failure.problem(request_id)).unwrap_or_default();
    *response.body_mut() = body.into();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(after) = failure.error.retry_after() {
        let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        if failure.error.code() == Code::ResourceExhausted {
            headers.extend(rate_limit(seconds));
        }
    }
    if failure.error.code() == Code::Unauthenticated {
        let challenge = if failure.credential_shown {
            r#"Bearer realm="qwen-swarm", error="invalid_token""#
        } else {
            r#"Bearer realm="qwen-swarm""#
        };
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
}
