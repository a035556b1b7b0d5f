//! What a handler takes from its request. All of it refuses what it does not know.

mod body;
mod form;
mod idempotency;
mod json;
mod path;
mod query;
mod text;

pub(crate) use body::{Body, Optional};
pub(crate) use form::Form;
pub(crate) use idempotency::Key;
pub(crate) use json::from_value;
pub(crate) use path::Id;
pub(crate) use query::{NoParams, Paging, Params};
pub(crate) use text::duration;
