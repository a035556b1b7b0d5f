//! The closed list of codes.

use std::fmt;

/// What went wrong, in terms that hold on gRPC and HTTP alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A field is missing, unknown, of the wrong type or out of range.
    InvalidArgument,
    /// No token, or one that does not hold.
    Unauthenticated,
    /// The caller is known and may not do this.
    PermissionDenied,
    /// There is no such thing, or it is not the caller's.
    NotFound,
    /// The thing exists already, or has changed since it was read.
    Conflict,
    /// The thing is in a state that forbids this.
    FailedPrecondition,
    /// A limit is reached: try again later.
    ResourceExhausted,
    /// The body is larger than allowed.
    TooLarge,
    /// An idempotency key came back with another body.
    IdempotencyMismatch,
    /// A service or its database cannot be reached: try again later.
    Unavailable,
    /// It took longer than the deadline.
    DeadlineExceeded,
    /// The caller gave up.
    Cancelled,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 13] = [
        Self::InvalidArgument,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::Conflict,
        Self::FailedPrecondition,
        Self::ResourceExhausted,
        Self::TooLarge,
        Self::IdempotencyMismatch,
        Self::Unavailable,
        Self::DeadlineExceeded,
        Self::Cancelled,
        Self::Internal,
    ];

    const fn row(self) -> (&'static str, tonic::Code, u16, &'static str) {
        match self {
            Self::InvalidArgument => (
                "invalid_argument",
                tonic::Code::InvalidArgument,
                400,
                "The request is not valid",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                tonic::Code::Unauthenticated,
                401,
                "A valid token is needed",
            ),
            Self::PermissionDenied => (
                "permission_denied",
                tonic::Code::PermissionDenied,
                403,
                "This is not allowed",
            ),
            Self::NotFound => (
                "not_found",
                tonic::Code::NotFound,
                404,
                "There is no such thing",
            ),
            Self::Conflict => (
                "conflict",
                tonic::Code::AlreadyExists,
                409,
                "It conflicts with what is there",
            ),
            Self::FailedPrecondition => (
                "failed_precondition",
                tonic::Code::FailedPrecondition,
                409,
                "Its state does not allow this",
            ),
            Self::ResourceExhausted => (
                "resource_exhausted",
                tonic::Code::ResourceExhausted,
                429,
                "A limit is reached",
            ),
            Self::TooLarge => (
                "too_large",
                tonic::Code::OutOfRange,
                413,
                "The request is too large",
            ),
            Self::IdempotencyMismatch => (
                "idempotency_mismatch",
                tonic::Code::Aborted,
                422,
                "The idempotency key was used with another body",
            ),
            Self::Unavailable => (
                "unavailable",
                tonic::Code::Unavailable,
                503,
                "A service cannot be reached",
            ),
            Self::DeadlineExceeded => (
                "deadline_exceeded",
                tonic::Code::DeadlineExceeded,
                504,
                "It took too long",
            ),
            Self::Cancelled => (
                "cancelled",
                tonic::Code::Cancelled,
                499,
                "The caller gave up",
            ),
            Self::Internal => (
                "internal",
                tonic::Code::Internal,
                500,
                "Something is wrong on our side",
            ),
        }
    }

    /// The name on the wire, such as `not_found`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The gRPC status code.
    #[must_use]
    pub const fn grpc(self) -> tonic::Code {
        self.row().1
    }

    /// The HTTP status code.
    #[must_use]
    pub const fn http(self) -> u16 {
        self.row().2
    }

    /// One line for people, the same for every error of this code.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().3
    }

    /// Whether the same request may succeed later without a change.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::ResourceExhausted | Self::Unavailable | Self::DeadlineExceeded
        )
    }

    /// The code of a gRPC status that carries no detail of ours.
    #[must_use]
    pub const fn from_grpc(code: tonic::Code) -> Self {
        match code {
            tonic::Code::InvalidArgument => Self::InvalidArgument,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
            tonic::Code::PermissionDenied => Self::PermissionDenied,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists => Self::Conflict,
            tonic::Code::FailedPrecondition => Self::FailedPrecondition,
            tonic::Code::ResourceExhausted => Self::ResourceExhausted,
            tonic::Code::OutOfRange => Self::TooLarge,
            tonic::Code::Aborted => Self::IdempotencyMismatch,
            tonic::Code::Unavailable => Self::Unavailable,
            tonic::Code::DeadlineExceeded => Self::DeadlineExceeded,
            tonic::Code::Cancelled => Self::Cancelled,
            _ => Self::Internal,
        }
    }

    /// The code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
