//! The public door: REST and WebSocket in front of the five other services.
//!
//! It keeps nothing durable and knows no database and no model. Every route stands in one table,
//! `routes/table.rs`, from which the router, the permission layer and the OpenAPI document are built.

mod app;
mod config;
mod doorkeeper;
mod extract;
mod follow;
mod gateway;
mod layers;
mod openapi;
mod peers;
mod problem;
mod program;
mod routes;
mod shapes;
mod waiting;
mod ws;

pub use app::{App, Sockets, build};
pub use config::{Config, GatewayConfig};
pub use openapi::document;
pub use program::Program;
pub use routes::{Access, RouteInfo, routes};
