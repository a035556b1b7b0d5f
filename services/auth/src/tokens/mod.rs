//! Access tokens, and what they are given for.

mod issuer;
mod sessions;

pub(crate) use issuer::{AccessToken, Issuer, Lifetimes};
pub(crate) use sessions::{Sessions, Tokens};
