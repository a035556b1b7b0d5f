//! To and from a gRPC status, with the standard details.

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::{Code, Error};

/// The domain of our reasons in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "qwen-swarm";

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut details = ErrorDetails::new();
        details.set_error_info(
            error.code().as_str(),
            DOMAIN,
            std::collections::HashMap::new(),
        );
        for field in error.fields() {
            details.add_bad_request_violation(&field.field, &field.message);
        }
        if let Some(after) = error.retry_after() {
            details.set_retry_info(Some(after));
        }
        Self::with_error_details(error.code().grpc(), error.detail(), details)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let named = details
            .error_info()
            .filter(|info| info.domain == DOMAIN)
            .and_then(|info| Code::from_name(&info.reason));
        let code = match named {
            Some(code) => code,
            None if timed_out(&status) => Code::DeadlineExceeded,
            None if lost_on_the_way(&status) => Code::Unavailable,
            None => Code::from_grpc(status.code()),
        };
        let mut error = Self::new(code, status.message());
        if let Some(request) = details.bad_request() {
            for violation in &request.field_violations {
                error = error.with_field(&violation.field, &violation.description);
            }
        }
        if let Some(after) = details.retry_info().and_then(|info| info.retry_delay) {
            error = error.with_retry_after(after);
        }
        error.with_source(status)
    }
}

/// Our own side gave up waiting: tonic reports that as Cancelled, deep in a transport error.
fn timed_out(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The connection could not be made or was lost: tonic reports that as Unknown or Cancelled.
fn lost_on_the_way(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(|source| {
        source.is::<tonic::transport::Error>() || status.code() == tonic::Code::Unknown
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_code_crosses_grpc_unchanged() {
        for code in Code::ALL {
            let sent = Error::new(code, "words")
                .with_field("a.b", "is odd")
                .with_retry_after(Duration::from_secs(7));
            let got = Error::from(Status::from(sent));
            assert_eq!(got.code(), code);
            assert_eq!(got.detail(), "words");
            assert_eq!(got.fields()[0].field, "a.b");
            assert_eq!(got.retry_after(), Some(Duration::from_secs(7)));
        }
    }

    #[test]
    fn our_own_timeout_is_a_deadline_and_not_an_outage() {
        let status = Status::from_error(Box::new(tonic::TimeoutExpired(())));
        assert_eq!(Error::from(status).code(), Code::DeadlineExceeded);
    }

    #[test]
    fn causes_stay_on_our_side() {
        let status = Status::from(Error::internal("the password is hunter2"));
        assert!(!format!("{status:?}").contains("hunter2"));
    }
}
