//! Access tokens, and what they are given for.

mod issuer;
mod password;
mod sessions;

pub(crate) use issuer::{AccessToken, Issuer, Lifetimes};
pub(crate) use password::NewPassword;
pub(crate) use sessions::{Sessions, Tokens};
