//! Auth as its callers see it: the whole service on free ports, called over gRPC.
#![allow(clippy::unwrap_used)]

mod api_keys;
mod first_start;
mod hostile_tokens;
mod isolation;
mod logins;
mod passwords;
mod running;
mod service_tokens;
mod users;
