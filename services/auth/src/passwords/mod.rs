//! Passwords: what is accepted, and how it is kept.

mod hasher;
pub(crate) mod policy;

pub(crate) use hasher::Hasher;
