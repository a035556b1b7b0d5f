//! The id of a request: the caller's own, or a new one.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

/// The id of a request.
#[derive(Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The caller's id where it is short and plain, else a new one: it goes into logs and headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let given = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|id| (1..=LONGEST).contains(&id.len()) && id.bytes().all(plain));
        Self(given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells the caller.
    pub(super) fn put_on(&self, response: &mut Response) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            response.headers_mut().insert(HEADER, value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_short_and_plain_ids_are_taken() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(value).unwrap())]);
            RequestId::of(&headers).as_str().to_owned()
        };
        assert_eq!(of("trace-1.a_b:c"), "trace-1.a_b:c");
        for bad in ["", "a b", "a\"b", &"x".repeat(LONGEST + 1)] {
            assert_ne!(of(bad), bad);
        }
        assert_ne!(
            RequestId::of(&HeaderMap::new()).as_str(),
            RequestId::of(&HeaderMap::new()).as_str()
        );
    }
}
