//! The commands that speak the public API, what they show, and the live view of a task at work.
//!
//! [`Command`] is what `swarm` offers beside starting servers; [`Follow`] and [`views`] are also
//! what the demo shows.

mod agent_file;
pub mod arguments;
mod batch_file;
mod commands;
mod connection;
pub mod console;
mod failure;
mod follow;
mod live;
mod program;
mod toml_file;
mod top;
pub mod views;

pub use arguments::{Command, Globals, Output};
pub use commands::execute;
pub use connection::{Address, address_file};
pub use failure::{EXIT_INTERRUPTED, Failure};
pub use follow::{Broken, End, Follow};
pub use live::{Live, Names};
pub use program::program;
