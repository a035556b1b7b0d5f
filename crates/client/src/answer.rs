//! From an HTTP answer to a value or an error.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use swarm_errors::{Code, Error, Problem, Result};

/// The value of a good answer.
pub(crate) async fn value<T: DeserializeOwned>(response: reqwest::Response) -> Result<T> {
    let bytes = response.bytes().await.map_err(transport)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(Code::Internal, "the answer is not what this client expects").with_source(error)
    })
}

/// The error of an answer that is not a good one.
pub(crate) async fn failure(response: reqwest::Response) -> Error {
    let status = response.status().as_u16();
    let after = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let body = response.bytes().await.unwrap_or_default();
    let error = problem(status, &body);
    match after {
        Some(after) => error.with_retry_after(after),
        None => error,
    }
}

/// The error that a problem document, or whatever came instead of one, stands for.
pub(crate) fn problem(status: u16, body: &[u8]) -> Error {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return Error::new(code_of(status), format!("the server answered {status}"));
    };
    let code = Code::from_name(&problem.code).unwrap_or_else(|| code_of(status));
    problem
        .errors
        .into_iter()
        .fold(Error::new(code, problem.detail), |error, field| {
            error.with_field(field.field, field.message)
        })
}

fn code_of(status: u16) -> Code {
    match status {
        // A proxy in between says these when the server behind it is gone.
        502..=504 => Code::Unavailable,
        status => Code::ALL
            .into_iter()
            .find(|code| code.http() == status)
            .unwrap_or(if status < 500 {
                Code::InvalidArgument
            } else {
                Code::Internal
            }),
    }
}

/// What became of a request that got no answer.
pub(crate) fn transport(error: reqwest::Error) -> Error {
    let (code, words) = if error.is_timeout() {
        (Code::DeadlineExceeded, "the server did not answer in time")
    } else if error.is_builder() {
        (Code::InvalidArgument, "the request cannot be made")
    } else {
        (Code::Unavailable, "the server cannot be reached")
    };
    Error::new(code, words).with_source(error)
}

/// The frame or problem body of an error, as far as it concerns us.
#[derive(Debug, Deserialize)]
pub(crate) struct Coded {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) detail: String,
}

impl From<Coded> for Error {
    fn from(coded: Coded) -> Self {
        let code = Code::from_name(&coded.code).unwrap_or(Code::Internal);
        Self::new(code, coded.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_keeps_code_detail_and_fields() {
        let sent =
            Error::invalid("input.prompt", "must not be empty").with_field("kind", "is missing");
        let body = serde_json::to_vec(&Problem::new(&sent, "r1")).unwrap();
        let got = problem(400, &body);
        assert_eq!(
            (got.code(), got.detail()),
            (Code::InvalidArgument, "input.prompt: must not be empty")
        );
        assert_eq!(got.fields(), sent.fields());
    }

    #[test]
    fn other_bodies_are_told_by_their_status() {
        assert_eq!(problem(404, b"<html>").code(), Code::NotFound);
        assert_eq!(problem(502, b"").code(), Code::Unavailable);
        assert_eq!(problem(418, b"").code(), Code::InvalidArgument);
        assert_eq!(problem(505, b"").code(), Code::Internal);
    }
}
