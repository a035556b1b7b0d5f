//! Learning as its callers see it: the whole service on free ports, called over gRPC.
#![allow(clippy::unwrap_used)]

mod access;
mod choices;
mod feedback;
mod input;
mod running;
