//! The service on real databases, its doors included.
#![allow(clippy::unwrap_used)]

mod doors;
mod embedding;
mod expiry;
mod hostile;
mod puts;
mod quality;
mod replicas;
mod schema;
mod searches;
mod support;
