//! One error model: a closed list of codes with gRPC and HTTP columns side by side, and one
//! problem+json envelope.
//!
//! An [`Error`] keeps its cause for the log; only code, reason, detail and fields reach a caller.

mod code;
mod error;
mod problem;
mod status;

pub use code::Code;
pub use error::{Error, FieldError, Result};
pub use problem::Problem;
