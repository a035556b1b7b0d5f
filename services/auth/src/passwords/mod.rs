//! Passwords: what is accepted, and how it is kept.

mod hasher;
pub(crate) mod policy;
mod random;

pub(crate) use hasher::Hasher;
pub(crate) use random::random;
