//! Who is calling, provably: tenants, users, API keys, sessions, and the keys that sign tokens.
//!
//! Everything that another service believes about a caller was signed here; nothing else of the
//! platform holds a signing key.

mod accounts;
mod app;
mod bootstrap;
mod config;
mod credentials;
mod grpc;
mod keys;
mod logins;
mod passwords;
mod program;
pub mod store;
mod sweeper;
mod tokens;

pub use app::{App, Sockets, build, build_with};
pub use config::{AuthConfig, Config, LoginConfig, PasswordConfig};
pub use credentials::file::AdminCredential;
pub use program::Program;
pub use store::SCHEMA;
