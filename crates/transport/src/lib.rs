//! gRPC between the services: one server and one client, with the order of their rules written once.
//!
//! A server call passes, from the outside in: [metrics](layers), trace, identity, the handler.
//! A client call passes: trace, service token, the choice of a replica, its channel with the
//! deadline; [`call`] retries around it what may be repeated.

mod acting;
mod call;
mod client;
mod deadline;
mod handler;
pub mod layers;
mod peers;
mod replicas;
mod server;
mod tokens;

pub use acting::{Acting, request};
pub use call::{Retry, call};
pub use client::{Dialer, Peer};
pub use deadline::Deadline;
pub use handler::{authorize, caller};
pub use peers::{PeersConfig, ServiceConfig};
pub use replicas::BalancedChannel;
pub use server::{Server, ServerConfig};
pub use tokens::{RemoteKeys, ServiceTokens};
