//! A handler that panicked answers like one that failed; the panic hook has logged it.

use std::any::Any;

use axum::response::{IntoResponse, Response};
use swarm_errors::Error;

use crate::problem::Failure;

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
pub(super) fn answer(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Failure::from(Error::internal(format!("a handler panicked: {words}"))).into_response()
}
