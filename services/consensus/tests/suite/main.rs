//! The service through its gRPC ports: in this process, and as a real program that is killed.
#![allow(clippy::unwrap_used)]

mod access;
mod damage;
mod deadlines;
mod input;
mod kill;
mod node;
mod program;
mod proposals;
mod restart;
mod words;
